"""Tries the system calls that escapes are made of: namespaces, mount, ptrace, bpf, io_uring, keyctl, perf,
userfaultfd, open_by_handle_at, modules, the terminal; gains nothing because a filter refuses them, and it
has no capability.
"""

import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "unshare": (272, 0x10000000 | 0x20000),
    "setns": (308, 0, 0),
    "clone user": (56, 0x10000000 | 17, 0, 0, 0, 0),
    "clone3": (435, 0, 0),
    "mount": (165, 0, 0, 0, 0, 0),
    "fsopen": (430, 0, 0),
    "pivot_root": (155, 0, 0),
    "chroot": (161, b"/"),
    "ptrace": (101, 16, 1, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "bpf": (321, 0, 0, 0),
    "io_uring_setup": (425, 1, 0),
    "keyctl": (250, 0, 0),
    "perf_event_open": (298, 0, 0, 0, 0, 0),
    "userfaultfd": (323, 0),
    "open_by_handle_at": (304, 0, 0, 0),
    "init_module": (175, 0, 0, 0),
    "kexec_load": (246, 0, 0, 0, 0),
    "TIOCSTI": (16, 0, 0x5412, b"x"),
    "sethostname": (170, b"x", 1),
    "reboot": (169, 0xFEE1DEAD, 672274793, 0x89ABCDEF, 0),
    "settimeofday": (164, 0, 0),
    "swapoff": (168, b"/x"),
    "personality": (135, 0x0040000),
}
came = {}
if os.uname().machine == "x86_64":
    for name, (number, *arguments) in CALLS.items():
        result = libc.syscall(ctypes.c_long(number), *[a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments])
        came[name] = result if result >= 0 else errno.errorcode.get(ctypes.get_errno(), "?")
        if name == "clone user" and result == 0:
            os._exit(0)
for identity in (os.setuid, os.setgid, os.setegid):
    try:
        identity(0)
        came[identity.__name__] = "became root"
    except OSError as error:
        came[identity.__name__] = error.strerror
print("attack:", came, flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
