"""The filter is run here by an interpreter of its own, so that both machines' are tested on either."""

import ctypes
import ctypes.util
import re
import struct
from errno import EAFNOSUPPORT, EINVAL, ENOSYS, ENOTSUP, ENOTTY, EPERM
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SandboxFault
from grader.sandbox import seccomp

ALLOW, KILL = "allow", "kill"
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
MACHINES = pytest.mark.parametrize("machine", AUDIT)
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
# Ways out, to watch or stop others, to quotas that all of the machine shares: none may slip onto the list.
REFUSED = re.findall(
    r"\w+",
    """
    accept accept4 acct add_key adjtimex bind bpf cachestat chroot clock_adjtime clock_settime connect
    create_module delete_module epoll_create epoll_create1 fadvise64 fanotify_init fanotify_mark
    finit_module flock fsconfig fsmount fsopen fspick get_mempolicy init_module inotify_add_watch
    inotify_init inotify_init1 io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
    io_uring_enter io_uring_register io_uring_setup ioperm iopl ioprio_set kcmp kexec_file_load
    kexec_load keyctl landlock_create_ruleset listen listmount lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mbind membarrier memfd_create memfd_secret migrate_pages mknod
    mknodat mlock mlock2 mlockall modify_ldt mount mount_setattr move_mount move_pages mq_open mseal
    msgget name_to_handle_at open_by_handle_at open_tree open_tree_attr perf_event_open personality
    pidfd_getfd pidfd_open pidfd_send_signal pivot_root pkey_alloc pkey_mprotect process_madvise
    process_mrelease process_vm_readv process_vm_writev ptrace quotactl quotactl_fd readahead reboot
    recvmsg remap_file_pages request_key rt_sigqueueinfo rt_tgsigqueueinfo sched_setaffinity
    sched_setattr sched_setparam sched_setscheduler seccomp semget sendmsg set_mempolicy
    set_mempolicy_home_node setdomainname sethostname setns setsid settimeofday setuid shmget signalfd
    signalfd4 splice statmount swapoff swapon sync sync_file_range syncfs syslog tee timer_create
    timerfd_create umount2 unshare uselib userfaultfd vhangup vmsplice
    """,
)


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


def numbers(machine: str) -> dict[str, int]:
    """All calls that the filter knows by name."""
    answered = {call: both for call, (both, _) in seccomp._ANSWERED.items()}
    return seccomp._numbers(seccomp._ALLOWED | answered, machine)


@MACHINES
class TestProgram:
    def test_decides_every_number(self, machine: str) -> None:
        """A number that is on neither list does not exist, those that a later kernel may bring included."""
        code, known = seccomp.program(machine=machine), numbers(machine)
        for call in range(1024):
            if call not in known.values():
                assert verdict(code, machine, call, 1, 2, 3) == ENOSYS, call
        for name, (_, error) in seccomp._ANSWERED.items():
            assert verdict(code, machine, known[name], 1, 2, 3) == error, name
        for name in known.keys() - seccomp._ANSWERED.keys() - seccomp._ARGUMENTS.keys():
            assert verdict(code, machine, known[name], 1, 2, 3) == ALLOW, name

    def test_refused_by_name(self, machine: str) -> None:
        """What the filter is there for is not allowed, and not answered as if it had been done."""
        assert not set(REFUSED) & seccomp._numbers(seccomp._ALLOWED, machine).keys()
        assert all(seccomp._ANSWERED[name][1] for name in REFUSED if name in seccomp._ANSWERED)

    @pytest.mark.parametrize(
        ("name", "index", "allowed", "refused", "error"),
        [
            # fork, a thread of glibc's; each kind of namespace, a pidfd, another's child
            *(
                ("clone", 0, (17, 0x3D0F00, 0x1200011, 0x4111), (17 | flag,), EPERM)
                for flag in (
                    0x80,
                    0x20000,
                    0x2000000,
                    0x4000000,
                    0x8000000,
                    0x10000000,
                    0x20000000,
                    0x40000000,
                )
            ),
            ("clone", 0, (), (0x1000, 0x2000, 0x8000), EPERM),
            ("mmap", 3, (0x2, 0x22, 0x4022, 0x20022, 0x100022), (0x40022, 0x2022, 0x54040022), EPERM),
            ("madvise", 2, (0, 4, 8, 14), (12, 13, 21, 25, 100), EINVAL),
            ("fcntl", 1, (0, 1, 2, 3, 4, 1030, 1032), (5, 6, 7, 8, 10, 36, 37, 38, 1024, 1026, 1031), EPERM),
            ("ioctl", 1, (0x541B, 0x5421, 0x5450, 0x5451), (0x5401, 0x5412, 0x541C, 0x8933), ENOTTY),
            ("prctl", 0, (1, 15, 16, 24, 38, 47), (4, 22, 29, 33, 35, 36, 62, 0x59616D61), EINVAL),
            ("arch_prctl", 0, (0x1002, 0x1023), (0x1001, 0x1012, 0x2001, 0x4001), EINVAL),
        ],
    )
    def test_decides_by_arguments(
        self,
        machine: str,
        name: str,
        index: int,
        allowed: tuple[int, ...],
        refused: tuple[int, ...],
        error: int,
    ) -> None:
        """Whatever lies in the half of the argument that the kernel ignores."""
        code, number = seccomp.program(machine=machine), numbers(machine).get(name)
        if number is None:  # arch_prctl
            return
        for garbage in (0, 7 << 32):
            for value in allowed:
                assert verdict(code, machine, number, *[0] * index, value | garbage) == ALLOW, hex(value)
            for value in refused:
                assert verdict(code, machine, number, *[0] * index, value | garbage) == error, hex(value)

    def test_no_sockets(self, machine: str) -> None:
        """Of no family, alone or in pairs."""
        code = seccomp.program(machine=machine)
        for family in range(50):
            for call in ("socket", "socketpair"):
                assert verdict(code, machine, numbers(machine)[call], family, 1) == EAFNOSUPPORT

    def test_another_abi_is_fatal(self, machine: str) -> None:
        """The 32-bit table of the same processor is no way round the numbers."""
        assert verdict(seccomp.program(machine=machine), machine, 1, audit=0x40000003) == KILL

    def test_fits_the_kernel(self, machine: str) -> None:
        """Jumps are bytes and a program has 4096 instructions at most."""
        assert len(seccomp.program(machine=machine)) // 8 < 4096

    def test_numbers_agree_with_the_headers(self, machine: str) -> None:
        """Every number in the table is the kernel's own, and none is missing on aarch64 that it has."""
        if not HEADERS[machine].is_file():
            pytest.skip("the kernel's headers are not installed (apt-get install linux-libc-dev)")
        lines = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\b", HEADERS[machine].read_text())
        kernel = {"newfstatat" if name == "fstatat" else name: int(number) for name, number in lines}
        known = numbers(machine)
        assert {name: kernel[name] for name in known} == known
        every = seccomp._ALLOWED.keys() | seccomp._ANSWERED.keys()
        assert every & kernel.keys() == known.keys()

    def test_numbers_agree_with_libseccomp(self, machine: str) -> None:
        """Every number in the table is the one that libseccomp knows, where it knows the name."""
        name = ctypes.util.find_library("seccomp")
        if name is None:
            pytest.skip("libseccomp is not installed (apt-get install libseccomp2)")
        resolve = ctypes.CDLL(name).seccomp_syscall_resolve_name_arch
        found = {call: resolve(ctypes.c_uint32(AUDIT[machine]), call.encode()) for call in numbers(machine)}
        known = {call: number for call, number in found.items() if number >= 0}
        assert len(known) > 100
        assert {call: numbers(machine)[call] for call in known} == known


def test_x32_is_unknown() -> None:
    """x86-64's second table has calls under other numbers, all with one bit set."""
    assert verdict(seccomp.program(machine="x86_64"), "x86_64", 0x40000000 | 39) == ENOSYS


def test_unknown_processors_are_named() -> None:
    """No filter means no sandbox."""
    with pytest.raises(SandboxFault, match="riscv64"):
        seccomp.program(machine="riscv64")


def decided(profile: dict[str, Any], name: str, *arguments: int) -> str | int:
    """What an engine's filter does with a call, as runc and libseccomp read its JSON."""
    answers = {
        ALLOW if rule["action"] == "SCMP_ACT_ALLOW" else rule["errnoRet"]
        for rule in profile["syscalls"]
        if name in rule["names"] and all(holds(one, arguments) for one in rule["args"])
    }
    assert len(answers) <= 1, "which of two rules holds would be up to libseccomp"
    return answers.pop() if answers else profile["defaultErrnoRet"]


def holds(condition: dict[str, Any], arguments: tuple[int, ...]) -> bool:
    value = arguments[condition["index"]] if condition["index"] < len(arguments) else 0
    assert condition["op"] == "SCMP_CMP_MASKED_EQ"
    return bool(value & condition["value"] == condition["valueTwo"])


@MACHINES
class TestProfile:
    def test_is_of_this_processor_alone(self, machine: str) -> None:
        """Other ABIs are fatal, and what no rule names does not exist, as in the program."""
        profile = seccomp.profile(machine=machine)
        assert profile["architectures"] == [f"SCMP_ARCH_{machine.upper()}"]
        assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", ENOSYS)

    def test_decides_as_the_program_does(self, machine: str) -> None:
        """With the same errors, whatever the engine."""
        code, profile = seccomp.program(machine=machine), seccomp.profile(machine=machine)
        for name, number in numbers(machine).items():
            assert decided(profile, name) == verdict(code, machine, number), name
        assert {decided(profile, name) for name in REFUSED} == {ENOSYS}
        assert decided(profile, "setxattr") == ENOTSUP

    @given(
        name=st.sampled_from(sorted(seccomp._ARGUMENTS)),
        argument=st.integers(0, 2**32 - 1)
        | st.integers(0, 31).map(lambda bit: 1 << bit)
        | st.integers(0, 31).map(lambda bit: (1 << bit) ^ 0xFFFFFFFF)
        | st.sampled_from([0, 1, 2, 5, 17, 1030, 1031, 0x1002, 0x5412, 0x541B, 0x5450, 0x40022, 0xFFFFFFFF]),
        garbage=st.integers(0, 2**32 - 1),
    )
    def test_decides_arguments_alike(self, machine: str, name: str, argument: int, garbage: int) -> None:
        """Garbage in the upper half moves neither; no two rules of the profile disagree."""
        number = numbers(machine).get(name)
        if number is not None:
            whole = [argument | garbage << 32] * 6
            found = decided(PROFILES[machine], name, *whole)
            assert found == verdict(PROGRAMS[machine], machine, number, *whole)


PROGRAMS = {machine: seccomp.program(machine=machine) for machine in AUDIT}
PROFILES = {machine: seccomp.profile(machine=machine) for machine in AUDIT}
