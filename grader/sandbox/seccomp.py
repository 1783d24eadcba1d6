"""The system calls that a sandboxed program may make, as the BPF program that the kernel loads, and as the
JSON from which podman and docker make one.

Namespaces already hide files, processes and the network; this filter leaves the program that part of the
kernel for which it has a use. The list was found by tracing the solutions, the bank and small programs
(threads, matplotlib, scikit-learn, subprocess, TensorFlow); docs/security.md gives the reason for each group.
A call that is not on it, and any that a later kernel brings, does not exist (ENOSYS): software then does
without. It is written by hand because it is short, and because a library for it would be one more thing to
install and to trust.
"""

import platform
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from errno import EAFNOSUPPORT, EINVAL, ENOSYS, ENOTSUP, ENOTTY, EPERM
from typing import Any

from grader.errors import SandboxFault

# Numbers on x86-64 and on aarch64 (None: not there), from linux/arch/x86/entry/syscalls/syscall_64.tbl and
# include/uapi/asm-generic/unistd.h.
_Numbers = tuple[int, int | None]

_ALLOWED: dict[str, _Numbers] = {
    # Open files. No splice, tee, vmsplice: nothing here uses them, and they were ways into the kernel.
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67),
    "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70), "preadv2": (327, 286),
    "pwritev2": (328, 287), "lseek": (8, 62), "sendfile": (40, 71), "copy_file_range": (326, 285),
    "close": (3, 57), "close_range": (436, 436), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24),
    "fcntl": (72, 25), "ioctl": (16, 29),
    # Looking for files and opening them. No file handles, which pass by the mounts; no inotify or fanotify,
    # which would watch what others do with shared files; no flock, which would make others wait for them;
    # no fadvise64 or readahead, which change what of them is in memory.
    "open": (2, None), "openat": (257, 56), "creat": (85, None), "access": (21, None),
    "faccessat": (269, 48), "faccessat2": (439, 439), "stat": (4, None), "lstat": (6, None),
    "fstat": (5, 80), "newfstatat": (262, 79), "statx": (332, 291), "statfs": (137, 43),
    "fstatfs": (138, 44), "readlink": (89, None), "readlinkat": (267, 78), "getdents64": (217, 61),
    "getcwd": (79, 17), "chdir": (80, 49), "fchdir": (81, 50), "umask": (95, 166),
    # Changing them, in the three folders that are writable. Attributes are read, as shutil.copy2 does, and
    # not written. No mknod: a named pipe holds memory that is no file's.
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None),
    "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36),
    "truncate": (76, 45), "ftruncate": (77, 46), "fallocate": (285, 47), "chmod": (90, None),
    "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "lchown": (94, None),
    "fchown": (93, 55), "fchownat": (260, 54), "utimensat": (280, 88), "getxattr": (191, 8),
    "lgetxattr": (192, 9), "fgetxattr": (193, 10), "listxattr": (194, 11), "llistxattr": (195, 12),
    "flistxattr": (196, 13),
    # Memory. None that is locked, placed on a node of its own, sealed, or a file without a name.
    "brk": (12, 214), "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "madvise": (28, 233), "mincore": (27, 232),
    # Processes and threads, the launchers' last steps among them.
    "clone": (56, 220), "fork": (57, None), "vfork": (58, None), "execve": (59, 221),
    "execveat": (322, 281), "exit": (60, 93), "exit_group": (231, 94), "wait4": (61, 260),
    "waitid": (247, 95), "futex": (202, 98), "set_tid_address": (218, 96), "set_robust_list": (273, 99),
    "rseq": (334, 293), "arch_prctl": (158, None), "prctl": (157, 167), "sched_yield": (24, 124),
    "restart_syscall": (219, 128),
    # Signals, to processes inside: no others can be named.
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136), "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137),
    "sigaltstack": (131, 132), "pause": (34, None), "kill": (62, 129), "tkill": (200, 130),
    "tgkill": (234, 131), "alarm": (37, None), "getitimer": (36, 102), "setitimer": (38, 103),
    # Waiting and time. TensorFlow's RPC library asks for an eventfd while it is imported.
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "eventfd2": (290, 19), "nanosleep": (35, 101), "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None),
    "times": (100, 153),
    # Asking who and where one is. Threads ask how they are scheduled. To change that, or the processors that
    # one is bound to, is not allowed; nor is setsid, as the scheduler gives each session a share of its own.
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getresuid": (118, 148),
    "getresgid": (120, 150), "getgroups": (115, 158), "getpgid": (121, 155), "getpgrp": (111, None),
    "getsid": (124, 156), "setpgid": (109, 154), "uname": (63, 160), "sysinfo": (99, 179),
    "getrusage": (98, 165), "getrandom": (318, 278), "getcpu": (309, 168),
    "prlimit64": (302, 261), "getpriority": (140, 141), "sched_getaffinity": (204, 123),
    "sched_getscheduler": (145, 120), "sched_getparam": (143, 121), "sched_getattr": (315, 275),
    "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    # For nice, setpriv and prlimit, which run behind the filter; the program itself can only lose by them.
    "setpriority": (141, 140), "capget": (125, 90), "capset": (126, 91), "setresuid": (117, 147),
    "setresgid": (119, 149), "setgroups": (116, 159),
    # Pipes, for subprocess, multiprocessing and its pool of threads, which scikit-learn uses (n_jobs=2). What
    # lies in one belongs to no process: where no control group counts it, the limit of open files bounds it.
    "pipe": (22, None), "pipe2": (293, 59),
    # For runc, which waits on one that it has made before. New ones cannot be made; Python then uses poll.
    "epoll_ctl": (233, 21), "epoll_wait": (232, None), "epoll_pwait": (281, 22),
}  # fmt: skip

# Answered here with another error than ENOSYS.
_ANSWERED: dict[str, tuple[_Numbers, int]] = {
    # Families of the kernel's, and buffers that belong to no process. TensorFlow asks whether there is IPv6.
    "socket": ((41, 198), EAFNOSUPPORT),
    "socketpair": ((53, 199), EAFNOSUPPORT),
    # shutil.copy2 passes over this error.
    "setxattr": ((188, 5), ENOTSUP),
    "lsetxattr": ((189, 6), ENOTSUP),
    "fsetxattr": ((190, 7), ENOTSUP),
    # Succeed, and do nothing: all that can be written is in memory. For other files, they would make the
    # disk of the machine write.
    "fsync": ((74, 82), 0),
    "fdatasync": ((75, 83), 0),
    "msync": ((26, 227), 0),
    # The rest has the error of all that is not on the list. It is named for dockers that read no default
    # error from a profile (20.10 gives EPERM): software tries these, and does without if they do not exist.
    # glibc falls back from clone3 to clone, whose flags lie in a register and not behind a pointer.
    "clone3": ((435, 435), ENOSYS),
    "epoll_create1": ((291, 20), ENOSYS),
    "flock": ((73, 32), ENOSYS),
    "mbind": ((237, 235), ENOSYS),
    "mknodat": ((259, 33), ENOSYS),
}


@dataclass(frozen=True)
class _Values:
    """An argument has to be one of these, all 32 bits of it; the kernel takes no more of it."""

    index: int
    values: tuple[int, ...]
    error: int  # as of a kernel that does not know the value


@dataclass(frozen=True)
class _NoBits:
    """None of these bits may be set in the lower half of an argument."""

    index: int
    bits: int
    error: int


# The number of a signal; CLONE_VM, FS, FILES, SIGHAND, VFORK, THREAD, SYSVSEM, SETTLS, PARENT_SETTID,
# CHILD_CLEARTID, DETACHED, CHILD_SETTID: threads and forks, and no namespaces.
_CLONE = 0x7F | 0x100 | 0x200 | 0x400 | 0x800 | 0x4000 | 0x10000 | 0x40000 | 0x80000 | 0x100000
_CLONE |= 0x200000 | 0x400000 | 0x1000000
_BITS = 0xFFFFFFFF

_ARGUMENTS: dict[str, _Values | _NoBits] = {
    "clone": _NoBits(0, _BITS ^ _CLONE, EPERM),
    # MAP_LOCKED; MAP_HUGETLB, which takes from a stock that all of the machine shares.
    "mmap": _NoBits(3, 0x2000 | 0x40000, EPERM),
    # NORMAL, RANDOM, SEQUENTIAL, WILLNEED, DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP. Not
    # MERGEABLE, which tells what others have in their memory.
    "madvise": _Values(2, (0, 1, 2, 3, 4, 8, 14, 15, 16, 17), EINVAL),
    # F_DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC, GETPIPE_SZ. No locks, leases, notices, larger pipes.
    "fcntl": _Values(1, (0, 1, 2, 3, 4, 1030, 1032), EPERM),
    # FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. There is no terminal, so that those for one give the same error.
    "ioctl": _Values(1, (0x541B, 0x5421, 0x5450, 0x5451), ENOTTY),
    # PDEATHSIG, KEEPCAPS, the name, SECUREBITS, NO_NEW_PRIVS, set and asked; DUMPABLE, SECCOMP, asked; the
    # capabilities that may be had. Most of it is for setpriv.
    "prctl": _Values(0, (1, 2, 3, 7, 8, 15, 16, 21, 23, 24, 27, 28, 38, 39, 47), EINVAL),
    # ARCH_SET_FS, GET_FS, and the three that ask for the state of AMX, as matrix libraries do.
    "arch_prctl": _Values(0, (0x1002, 0x1003, 0x1021, 0x1022, 0x1023), EINVAL),
}

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*, what struct seccomp_data.arch must be
_X32 = 0x40000000  # the bit that marks x86-64's second system call table

# struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }
_NR, _ARCH = 0, 4
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF_LD|W|ABS, JMP|JEQ|K, JMP|JSET|K, RET|K
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def program(*, machine: str | None = None) -> bytes:
    """Assembles the filter.

    Args:
        machine: as platform.machine() gives it.

    Returns:
        An array of struct sock_filter, as bubblewrap's --seccomp reads it.

    Raises:
        SandboxFault: this processor's system call numbers are not known here.
    """
    name = _known(machine)
    # Numbers mean different calls in another ABI, so that a call made through one would pass unseen.
    code = [*_word(_ARCH), *_unless_equal(_AUDIT[name], _KILL_PROCESS), *_word(_NR)]
    if name == "x86_64":
        code += _if_any_bit(_X32, _ERRNO | ENOSYS)
    for call, number in _numbers(_ALLOWED, name).items():
        code += _block(number, _ARGUMENTS[call]) if call in _ARGUMENTS else _if_equal(number, _ALLOW)
    for call, number in _numbers({call: numbers for call, (numbers, _) in _ANSWERED.items()}, name).items():
        code += _if_equal(number, _ERRNO | _ANSWERED[call][1])
    code += _result(_ERRNO | ENOSYS)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def profile(*, machine: str | None = None) -> dict[str, Any]:
    """The same list for podman's and docker's --security-opt seccomp=FILE.

    Their stock profiles allow more: podman's lets any program make namespaces of its own. What libseccomp
    makes of this kills a program that uses another ABI, x32 included. It compares arguments whole, hence the
    masks: the kernel takes 32 bits of them. A name that the engine's libseccomp does not know is passed over.

    Raises:
        SandboxFault: as for `program`.
    """
    name = _known(machine)

    def rule(call: str, error: int | None, *argument: dict[str, Any]) -> dict[str, Any]:
        answer = {"action": "SCMP_ACT_ALLOW"} if error is None else _error(error)
        return {"names": [call], **answer, "args": [*argument]}

    def masked(index: int, mask: int, value: int) -> dict[str, Any]:
        return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}

    rules = []
    for call in _numbers(_ALLOWED, name):
        match _ARGUMENTS.get(call):
            case None:
                rules.append(rule(call, None))
            case _NoBits(index, bits, error):
                rules.append(rule(call, None, masked(index, bits, 0)))
                rules += [
                    rule(call, error, masked(index, 1 << n, 1 << n)) for n in range(32) if bits >> n & 1
                ]
            case _Values(index, values, error):
                rules += [rule(call, None, masked(index, _BITS, value)) for value in values]
                rules += [rule(call, error, masked(index, *others)) for others in _all_but(values)]
    rules += [rule(call, error) for call, (_, error) in _ANSWERED.items()]
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": ENOSYS,
        "architectures": [f"SCMP_ARCH_{name.upper()}"],
        "syscalls": rules,
    }


def _known(machine: str | None) -> str:
    name = machine or platform.machine()
    if name not in _AUDIT:
        raise SandboxFault(f"no system call filter for this processor: {name}, expected x86_64 or aarch64")
    return name


def _numbers(calls: dict[str, _Numbers], machine: str) -> dict[str, int]:
    """The numbers of those calls that a machine has."""
    column = list(_AUDIT).index(machine)
    return {call: number for call, numbers in calls.items() if (number := numbers[column]) is not None}


def _error(error: int) -> dict[str, Any]:
    return {"action": "SCMP_ACT_ERRNO", "errnoRet": error}


def _all_but(
    values: Iterable[int], bit: int = 1 << 31, mask: int = 0, of: int = 0
) -> Iterator[tuple[int, int]]:
    """Masks and values that together match each 32-bit number but these, none of them twice."""
    inside = [value for value in values if value & mask == of]
    if not inside:
        yield mask, of
    elif bit:
        for half in (0, bit):
            yield from _all_but(inside, bit >> 1, mask | bit, of | half)


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


def _block(number: int, argument: _Values | _NoBits) -> list[_Instruction]:
    """Decides one system call by one of its arguments.

    Only the lower half of the argument is read (both machines are little-endian): the kernel itself
    takes no more than 32 bits of those that are checked.
    """
    body = _word(16 + 8 * argument.index)
    match argument:
        case _NoBits(_, bits, error):
            body += [*_if_any_bit(bits, _ERRNO | error), *_result(_ALLOW)]
        case _Values(_, values, error):
            for value in values:
                body += _if_equal(value, _ALLOW)
            body += _result(_ERRNO | error)
    return [(_EQUAL, 0, len(body), number), *body]
