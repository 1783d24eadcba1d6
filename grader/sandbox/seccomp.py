"""The system calls a sandboxed program may not make, as the BPF program that the kernel loads, and as the
JSON from which podman and docker make one.

Namespaces already hide files, processes and the network; this filter keeps the program away from the
parts of the kernel that it has no use for and that escapes are made of. It is written by hand because
it is short, and because a library for it would be one more thing to install and to trust.
"""

import itertools
import platform
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from errno import EAFNOSUPPORT, ENOSYS, EPERM
from typing import Any

from grader.errors import SandboxFault


@dataclass(frozen=True)
class _Machine:
    audit: int  # AUDIT_ARCH_*, what struct seccomp_data.arch must be
    numbers: dict[str, int]


# From linux/arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. A name that one
# machine does not have is left out there. From 424 on, numbers are the same on every machine.
_SINCE_424 = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "clone3": 435,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "memfd_secret": 447,
    "process_mrelease": 448,
    "open_tree_attr": 467,
}
_MACHINES = {
    "x86_64": _Machine(
        audit=0xC000003E,
        numbers={
            "ioctl": 16, "shmget": 29, "socket": 41, "clone": 56, "semget": 64, "msgget": 68, "ptrace": 101,
            "syslog": 103, "uselib": 134, "personality": 135, "ustat": 136, "sysfs": 139, "vhangup": 153,
            "modify_ldt": 154, "pivot_root": 155, "_sysctl": 156, "adjtimex": 159, "chroot": 161, "acct": 163,
            "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169,
            "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "create_module": 174,
            "init_module": 175, "delete_module": 176, "get_kernel_syms": 177, "query_module": 178,
            "quotactl": 179, "nfsservctl": 180, "lookup_dcookie": 212, "clock_settime": 227, "mq_open": 240,
            "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "migrate_pages": 256,
            "unshare": 272, "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300,
            "fanotify_mark": 301, "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305,
            "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
            "finit_module": 313, "memfd_create": 319, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
            **_SINCE_424,
        },
    ),
    "aarch64": _Machine(
        audit=0xC00000B7,
        numbers={
            "lookup_dcookie": 18, "ioctl": 29, "umount2": 39, "mount": 40, "pivot_root": 41, "nfsservctl": 42,
            "chroot": 51, "vhangup": 58, "quotactl": 60, "acct": 89, "personality": 92, "unshare": 97,
            "kexec_load": 104, "init_module": 105, "delete_module": 106, "clock_settime": 112, "syslog": 116,
            "ptrace": 117, "reboot": 142, "sethostname": 161, "setdomainname": 162, "settimeofday": 170,
            "adjtimex": 171, "mq_open": 180, "msgget": 186, "semget": 190, "shmget": 194, "socket": 198,
            "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225,
            "migrate_pages": 238, "move_pages": 239, "perf_event_open": 241, "fanotify_init": 262,
            "fanotify_mark": 263, "name_to_handle_at": 264, "open_by_handle_at": 265, "clock_adjtime": 266,
            "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
            "finit_module": 273, "memfd_create": 279, "bpf": 280, "userfaultfd": 282,
            "kexec_file_load": 294,
            **_SINCE_424,
        },
    ),
}  # fmt: skip

# Decided by their arguments below, or not refused everywhere.
_CONDITIONAL = {"clone", "clone3", "socket", "ioctl", "personality", "memfd_create"}

# CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x80 | 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # both put words into the mouth of whoever owns the terminal
_AF_UNIX = 1
_X32 = 0x40000000  # the bit that marks x86-64's second system call table

# struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }
_NR, _ARCH = 0, 4
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF_LD|W|ABS, JMP|JEQ|K, JMP|JSET|K, RET|K
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def program(*, memfd: bool, machine: str | None = None) -> bytes:
    """Assembles the filter.

    Args:
        memfd: allows memory files. Their pages belong to no process, so that only a cgroup can count them.
        machine: as platform.machine() says it.

    Returns:
        An array of struct sock_filter, as bubblewrap's --seccomp reads it.

    Raises:
        SandboxFault: this processor's system call numbers are not known here.
    """
    name = machine or platform.machine()
    target = _machine(name)
    numbers = target.numbers

    # Numbers mean different calls in another ABI, so that a call made through one would pass unseen.
    code = [*_word(_ARCH), *_unless_equal(target.audit, _KILL_PROCESS), *_word(_NR)]
    if name == "x86_64":
        code += _if_any_bit(_X32, _ERRNO | ENOSYS)
    # glibc falls back from clone3 to clone, whose flags lie in a register and not behind a pointer.
    code += _if_equal(numbers["clone3"], _ERRNO | ENOSYS)
    if not memfd:
        code += _if_equal(numbers["memfd_create"], _ERRNO | ENOSYS)
    for call, number in numbers.items():
        if call not in _CONDITIONAL:
            code += _if_equal(number, _ERRNO | EPERM)
    code += _block(numbers["clone"], 0, _if_any_bit(_NEW_NAMESPACES, _ERRNO | EPERM))
    code += _block(numbers["socket"], 0, _unless_equal(_AF_UNIX, _ERRNO | EAFNOSUPPORT))
    code += _block(
        numbers["ioctl"], 1, _if_equal(_TIOCSTI, _ERRNO | EPERM) + _if_equal(_TIOCLINUX, _ERRNO | EPERM)
    )
    # 0 is what every program has already, 0xffffffff asks; the others weaken address randomisation.
    code += _block(
        numbers["personality"], 0, _if_equal(0, _ALLOW) + _unless_equal(0xFFFFFFFF, _ERRNO | EPERM)
    )
    code += _result(_ALLOW)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def profile(*, machine: str | None = None) -> dict[str, Any]:
    """The same refusals for podman's and docker's --security-opt seccomp=FILE, memory files among them.

    Their stock profiles allow more: podman's lets any program make namespaces of its own. What libseccomp
    makes of this kills a program that uses another ABI, x32 included. It compares arguments whole, hence the
    masks: the kernel takes 32 bits of them. A name that the engine's libseccomp does not know is passed over.

    Raises:
        SandboxFault: as for `program`.
    """
    name = machine or platform.machine()
    numbers = _machine(name).numbers

    def refuse(calls: Iterable[str], error: int, *argument: dict[str, Any]) -> dict[str, Any]:
        return {"names": [*calls], "action": "SCMP_ACT_ERRNO", "errnoRet": error, "args": [*argument]}

    def masked(index: int, mask: int, value: int) -> dict[str, Any]:
        return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}

    bits = [1 << bit for bit in range(32)]
    not_unix = {"index": 0, "value": _AF_UNIX, "valueTwo": 0, "op": "SCMP_CMP_NE"}
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": [f"SCMP_ARCH_{name.upper()}"],
        "syscalls": [
            refuse(sorted(numbers.keys() - _CONDITIONAL), EPERM),
            refuse(["clone3", "memfd_create"], ENOSYS),
            refuse(["socket"], EAFNOSUPPORT, not_unix),
            *(refuse(["clone"], EPERM, masked(0, bit, bit)) for bit in bits if bit & _NEW_NAMESPACES),
            *(refuse(["ioctl"], EPERM, masked(1, 0xFFFFFFFF, one)) for one in (_TIOCSTI, _TIOCLINUX)),
            # Two bits side by side that differ: neither 0 nor 0xffffffff, the only two that are allowed.
            *(
                refuse(["personality"], EPERM, masked(0, low | high, one))
                for low, high in itertools.pairwise(bits)
                for one in (low, high)
            ),
        ],
    }


def _machine(name: str) -> _Machine:
    if name not in _MACHINES:
        raise SandboxFault(f"no system call filter for this processor: {name}, expected x86_64 or aarch64")
    return _MACHINES[name]


_Instruction = tuple[int, int, int, int]  # operation, skip if true, skip if false, operand


def _word(offset: int) -> list[_Instruction]:
    return [(_LOAD, 0, 0, offset)]


def _result(action: int) -> list[_Instruction]:
    return [(_RETURN, 0, 0, action)]


def _if_equal(value: int, action: int) -> list[_Instruction]:
    return [(_EQUAL, 0, 1, value), *_result(action)]


def _unless_equal(value: int, action: int) -> list[_Instruction]:
    return [(_EQUAL, 1, 0, value), *_result(action)]


def _if_any_bit(bits: int, action: int) -> list[_Instruction]:
    return [(_ANY_BIT, 0, 1, bits), *_result(action)]


def _block(number: int, argument: int, checks: Iterable[_Instruction]) -> list[_Instruction]:
    """Checks on one argument of one system call; what passes them is allowed.

    Only the lower half of the argument is read (both machines are little-endian): the kernel itself
    takes no more than 32 bits of the four that are checked.
    """
    body = [*_word(16 + 8 * argument), *checks, *_result(_ALLOW)]
    return [(_EQUAL, 0, len(body), number), *body]
