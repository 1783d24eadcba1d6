"""The filter is run here by an interpreter of its own, so that both machines' are tested on either."""

import ctypes
import ctypes.util
import struct
from errno import EAFNOSUPPORT, ENOSYS, EPERM
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SandboxFault
from grader.sandbox import seccomp

ALLOW, KILL = "allow", "kill"
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
MACHINES = pytest.mark.parametrize("machine", AUDIT)


def verdict(code: bytes, machine: str, number: int, *arguments: int, audit: int | None = None) -> str | int:
    """What the kernel would do with a call: ALLOW, KILL, or the error number that the program sees."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, AUDIT[machine] if audit is None else audit, 0, *padded)
    instructions = list(struct.iter_unpack("=HBBI", code))
    accumulator = position = 0
    while True:
        operation, if_true, if_false, operand = instructions[position]
        position += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x06:
            kinds = {0x7FFF0000: ALLOW, 0x80000000: KILL, 0x00050000: operand & 0xFFFF}
            return kinds[operand & 0xFFFF0000]
        else:
            holds = {0x15: accumulator == operand, 0x45: bool(accumulator & operand)}[operation]
            position += if_true if holds else if_false


def number(machine: str, name: str) -> int:
    return seccomp._MACHINES[machine].numbers[name]


@MACHINES
class TestProgram:
    def test_ordinary_calls_pass(self, machine: str) -> None:
        """Reading, writing, memory and files are none of the filter's business."""
        refused = set(seccomp._MACHINES[machine].numbers.values())
        code = seccomp.program(memfd=True, machine=machine)
        assert all(verdict(code, machine, call) == ALLOW for call in range(300) if call not in refused)

    @pytest.mark.parametrize(
        "name", ["mount", "ptrace", "unshare", "setns", "bpf", "keyctl", "io_uring_setup"]
    )
    def test_refuses(self, machine: str, name: str) -> None:
        """Calls on the list fail with EPERM whatever their arguments."""
        code = seccomp.program(memfd=True, machine=machine)
        assert verdict(code, machine, number(machine, name), 1, 2, 3) == EPERM

    def test_clone_makes_threads_but_no_namespaces(self, machine: str) -> None:
        """fork and threads pass; any CLONE_NEW* flag does not; clone3, which hides its flags, is unknown."""
        code = seccomp.program(memfd=True, machine=machine)
        clone = number(machine, "clone")
        assert verdict(code, machine, clone, 17) == ALLOW
        assert verdict(code, machine, clone, 0x3D0F00) == ALLOW
        for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
            assert verdict(code, machine, clone, 17 | flag) == EPERM
        assert verdict(code, machine, number(machine, "clone3")) == ENOSYS

    def test_sockets_are_local(self, machine: str) -> None:
        """Only AF_UNIX, whatever lies in the half of the argument that the kernel ignores."""
        code = seccomp.program(memfd=True, machine=machine)
        socket = number(machine, "socket")
        assert verdict(code, machine, socket, 1) == ALLOW
        for family in (0, 2, 10, 16, 17, 38, 40, 2 | 1 << 32):
            assert verdict(code, machine, socket, family) == EAFNOSUPPORT

    def test_terminals_cannot_be_typed_into(self, machine: str) -> None:
        """TIOCSTI and TIOCLINUX are refused, with garbage in the upper half too; other ioctls pass."""
        code = seccomp.program(memfd=True, machine=machine)
        ioctl = number(machine, "ioctl")
        assert verdict(code, machine, ioctl, 0, 0x5413) == ALLOW
        for request in (0x5412, 0x541C, 0x5412 | 7 << 32):
            assert verdict(code, machine, ioctl, 0, request) == EPERM

    def test_personality_may_be_asked_for(self, machine: str) -> None:
        """Turning address randomisation off is refused, asking is not."""
        code = seccomp.program(memfd=True, machine=machine)
        personality = number(machine, "personality")
        assert verdict(code, machine, personality, 0xFFFFFFFF) == ALLOW
        assert verdict(code, machine, personality, 0) == ALLOW
        assert verdict(code, machine, personality, 0x0040000) == EPERM

    def test_memory_files_only_where_they_are_counted(self, machine: str) -> None:
        """Without a control group, memory files are unknown to the program."""
        memfd = number(machine, "memfd_create")
        assert verdict(seccomp.program(memfd=True, machine=machine), machine, memfd) == ALLOW
        assert verdict(seccomp.program(memfd=False, machine=machine), machine, memfd) == ENOSYS

    def test_another_abi_is_fatal(self, machine: str) -> None:
        """The 32-bit table of the same processor is no way round the numbers."""
        code = seccomp.program(memfd=True, machine=machine)
        assert verdict(code, machine, 1, audit=0x40000003) == KILL

    def test_fits_the_kernel(self, machine: str) -> None:
        """Jumps are bytes and a program has 4096 instructions at most."""
        assert len(seccomp.program(memfd=False, machine=machine)) // 8 < 4096

    def test_numbers_agree_with_libseccomp(self, machine: str) -> None:
        """Every number in the table is the one that libseccomp knows, where it knows the name."""
        name = ctypes.util.find_library("seccomp")
        if name is None:
            pytest.skip("libseccomp is not installed (apt-get install libseccomp2)")
        resolve = ctypes.CDLL(name).seccomp_syscall_resolve_name_arch
        known = {
            call: found
            for call in seccomp._MACHINES[machine].numbers
            if (found := resolve(ctypes.c_uint32(AUDIT[machine]), call.encode())) >= 0
        }
        assert len(known) > 50
        assert {call: number(machine, call) for call in known} == known


def test_x32_is_unknown() -> None:
    """x86-64's second table has calls under other numbers, all with one bit set."""
    code = seccomp.program(memfd=True, machine="x86_64")
    assert verdict(code, "x86_64", 0x40000000 | 39) == ENOSYS


def test_unknown_processors_are_named() -> None:
    """No filter means no sandbox."""
    with pytest.raises(SandboxFault, match="riscv64"):
        seccomp.program(memfd=True, machine="riscv64")


def refused(profile: dict[str, Any], name: str, *arguments: int) -> str | int:
    """What an engine's filter does with a call, as runc and libseccomp read its JSON: any rule refuses."""
    for rule in profile["syscalls"]:
        if name in rule["names"] and all(holds(one, arguments) for one in rule["args"]):
            assert rule["action"] == "SCMP_ACT_ERRNO"
            error: int = rule["errnoRet"]
            return error
    return ALLOW


def holds(condition: dict[str, Any], arguments: tuple[int, ...]) -> bool:
    value = arguments[condition["index"]] if condition["index"] < len(arguments) else 0
    if condition["op"] == "SCMP_CMP_NE":
        return bool(value != condition["value"])
    assert condition["op"] == "SCMP_CMP_MASKED_EQ"
    return bool(value & condition["value"] == condition["valueTwo"])


@MACHINES
class TestProfile:
    def test_is_of_this_processor_alone(self, machine: str) -> None:
        """Other ABIs are fatal, and what no rule names is allowed, as in the program."""
        profile = seccomp.profile(machine=machine)
        assert profile["architectures"] == [f"SCMP_ARCH_{machine.upper()}"]
        assert profile["defaultAction"] == "SCMP_ACT_ALLOW"

    def test_refuses_every_call_that_the_program_refuses(self, machine: str) -> None:
        """With the same errors, whatever the engine."""
        code, profile = seccomp.program(memfd=False, machine=machine), seccomp.profile(machine=machine)
        for name, call in seccomp._MACHINES[machine].numbers.items():
            assert refused(profile, name) == verdict(code, machine, call), name

    @given(
        name=st.sampled_from(["clone", "socket", "ioctl", "personality"]),
        argument=st.integers(0, 2**32 - 1)
        | st.integers(0, 31).map(lambda bit: 1 << bit)
        | st.integers(0, 31).map(lambda bit: (1 << bit) ^ 0xFFFFFFFF)
        | st.sampled_from([0, 1, 2, 17, 0x5412, 0x541C, 0xFFFFFFFF]),
        garbage=st.integers(0, 2**32 - 1),
    )
    def test_decides_arguments_alike(self, machine: str, name: str, argument: int, garbage: int) -> None:
        """Nothing passes that the program refuses; garbage in the upper half is refused for sockets only."""
        code, profile = seccomp.program(memfd=False, machine=machine), seccomp.profile(machine=machine)
        whole = argument | garbage << 32
        found = refused(profile, name, whole, whole)
        expected = verdict(code, machine, number(machine, name), whole, whole)
        if name == "socket" and garbage:
            assert found == EAFNOSUPPORT
        else:
            assert found == expected
