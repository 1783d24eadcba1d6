"""Runs inside a sandbox: tries what must not work and prints as JSON what came of it."""

import ctypes
import errno
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = sys.argv[1]
PAGES = ctypes.create_string_buffer(8192)
BUFFER = ctypes.addressof(PAGES) + 4095 & -4096
# On x86-64, by the error that they must give. File 0 is /dev/null, which is the machine's own.
SYSCALLS = {
    "ENOSYS": {
        "unshare user": (272, 0x10000000),
        "setns": (308, 0, 0),
        "clone3": (435, 0, 0),
        "mount": (165, 0, 0, 0, 0, 0),
        "statmount": (457, 0, 0, 0, 0),
        "listmount": (458, 0, 0, 0, 0),
        "ptrace": (101, 0, 0, 0, 0),
        "process_vm_writev": (311, 1, 0, 0, 0, 0, 0),
        "process_madvise": (440, -1, 0, 0, 0, 0),
        "pidfd_open": (434, 1, 0),
        "keyctl": (250, 0, 0),
        "bpf": (321, 0, 0, 0),
        "userfaultfd": (323, 0),
        "perf_event_open": (298, 0, 0, 0, 0, 0),
        "open_by_handle_at": (304, 0, 0, 0),
        "personality": (135, 0x0040000),
        "landlock_create_ruleset": (444, 0, 0, 1),
        # What all of the machine shares.
        "io_setup": (206, 1000, BUFFER),
        "io_uring_setup": (425, 1, BUFFER),
        "inotify_init1": (294, 0),
        "fanotify_init": (300, 0, 0),
        "epoll_create1": (291, 0),
        "sync": (162,),
        "syncfs": (306, 0),
        "sync_file_range": (277, 0, 0, 0, 0),
        "fadvise64": (221, 0, 0, 0, 4),
        "flock": (73, 0, 2 | 4),
        # Memory that nothing counts, or that others have to give up.
        "memfd_create": (319, BUFFER, 0),
        "shmget": (29, 0, 4096, 0o1600),
        "mq_open": (240, BUFFER, 0o102, 0o600, 0),
        "mknod pipe": (133, BUFFER, 0o010600, 0),
        "mlock": (149, BUFFER, 4096),
        "mbind": (237, 0, 0, 0, 0, 0, 0),
        "set_mempolicy": (238, 0, 0, 0),
        "mseal": (462, 0, 0, 0),
        # A larger share.
        "sched_setaffinity": (203, 0, 8, BUFFER),
        "sched_setscheduler": (144, 0, 3, BUFFER),
        "sched_setattr": (314, 0, BUFFER, 0),
        "ioprio_set": (251, 1, 0, 0),
        "setsid": (112,),
        "a later kernel's": (600, 0),
    },
    "EPERM": {
        "clone user": (56, 0x10000000 | 17, 0, 0, 0, 0),
        "F_SETLK": (72, 0, 6, BUFFER),
        "F_SETLKW": (72, 0, 7, BUFFER),
        "F_OFD_SETLK": (72, 0, 37, BUFFER),
        "F_SETLEASE": (72, 0, 1024, 0),
        "F_SETPIPE_SZ": (72, 1, 1031, 1 << 20),
        "huge pages": (9, 0, 1 << 21, 3, 0x40022, -1, 0),
    },
    "ENOTTY": {"TIOCSTI": (16, 0, 0x5412, BUFFER), "TIOCLINUX": (16, 0, 0x541C, BUFFER)},
    "EINVAL": {"madvise mergeable": (28, BUFFER, 4096, 12), "prctl timer slack": (157, 29, 1)},
    "EACCES": {"raise priority": (141, 0, 0, -10)},
    "EAFNOSUPPORT": {
        f"{name} {family}": (number, family, kind, 0, BUFFER)
        for name, number in (("socket", 41), ("socketpair", 53))
        for family, kind in ((1, 1), (2, 1), (10, 2), (16, 3), (17, 3), (30, 5), (38, 5), (40, 1), (44, 3))
    },
}
X32_GETPID = 0x40000000 | 39


def attempt(action: Callable[[], Any]) -> Any:
    """What the action returned, or the name of its error."""
    try:
        return action()
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def call(*arguments: int) -> Any:
    """A system call past libc."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(*[ctypes.c_long(argument) for argument in arguments])
    return result if result >= 0 else errno.errorcode[ctypes.get_errno()]


def in_a_child(number: int) -> Any:
    """Makes a system call in a process of its own, and says with which signal that ended, if with one."""
    child = os.fork()
    if child == 0:
        os._exit(0 if call(number) == "ENOSYS" else 1)
    status = os.waitpid(child, 0)[1]
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def write(path: str) -> str:
    with open(path, "ab") as file:  # noqa: PTH123
        file.write(b"x")
    return "written"


def read(path: str) -> str:
    return Path(path).read_bytes().decode("utf-8", errors="replace")


def names(folder: str) -> list[str]:
    return sorted(entry.name for entry in Path(folder).iterdir())


def connect(family: int, address: Any) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(address)
    return "connected"


processes = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
print(
    json.dumps(
        {
            "environ": dict(os.environ),
            "environs": [attempt(lambda p=p: read(f"/proc/{p}/environ")) for p in ["1", "self"]],
            "command line": read("/proc/1/cmdline"),
            "users": [os.getuid(), os.geteuid(), os.getgid(), os.getgroups()],
            "status": dict(line.split(":\t", 1) for line in read("/proc/self/status").splitlines()),
            "processes": len(processes),
            "host name": socket.gethostname(),
            "folders": {path: attempt(lambda p=path: names(p)) for path in ("/", CHECKOUT, "/root")},
            "descriptors": names("/proc/self/fd"),
            "mounts": read("/proc/self/mountinfo"),
            "submission": read("/submission/answer.py"),
            "readable": read("/kit/guest/harness.py"),
            "read": {
                path: attempt(lambda p=path: read(p))
                for path in ("/etc/shadow", "/etc/passwd", f"{CHECKOUT}/pyproject.toml", "/proc/1/mem")
            },
            "write": {
                path: attempt(lambda p=path: write(p))
                for path in [
                    *("/run/x", "/var/tmp/x", "/dev/mqueue/x", "/home/x", "/kit"),
                    *("/x", "/etc/x", "/usr/x", "/dev/x", "/submission/x", "/submission/answer.py"),
                    *(f"{sys.prefix}/x", os.__file__, sys.executable, "/kit/guest/harness.py", "/kit/x"),
                    *(
                        "/proc/self/mem",
                        "/proc/1/mem",
                        "/proc/self/oom_score_adj",
                        "/proc/sys/kernel/core_pattern",
                    ),
                    *("/tmp/x", "/dev/shm/x", "/output/x"),
                ]
            },
            "connect": {
                "internet": attempt(lambda: connect(socket.AF_INET, ("192.0.2.1", 80))),
                "metadata": attempt(lambda: connect(socket.AF_INET, ("169.254.169.254", 80))),
                "loopback": attempt(lambda: connect(socket.AF_INET, ("127.0.0.1", 22))),
                "ipv6": attempt(lambda: connect(socket.AF_INET6, ("::1", 22))),
                "netlink": attempt(lambda: socket.socket(socket.AF_NETLINK).close()),
                "abstract": attempt(lambda: connect(socket.AF_UNIX, "\0kit-sandbox-test")),
            },
            "calls": {
                name: (call(*arguments), expected)
                for expected, calls in SYSCALLS.items()
                for name, arguments in calls.items()
            }
            if os.uname().machine == "x86_64"
            else {},
            "x32": in_a_child(X32_GETPID) if os.uname().machine == "x86_64" else 0,
            "kill launcher": [attempt(lambda s=s: os.kill(1, s)) for s in (9, 15, 6)],
            "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE)],
            "nice": os.nice(0),
        }
    )
)
