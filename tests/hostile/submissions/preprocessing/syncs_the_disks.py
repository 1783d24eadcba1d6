"""Tries to have the host write out all of its disks over and over, so that whoever waits for a disk waits
longer: sync, syncfs and a range of a shared file; gains nothing because none of them is on the list of
allowed calls.
"""

import ctypes
import errno
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
print("attack: writing out", flush=True)
calls = {"x86_64": (162, 306, 277), "aarch64": (81, 267, 84)}.get(os.uname().machine, ())
descriptor = os.open("/bin/sh", os.O_RDONLY)
end = time.monotonic() + 0.5
for name, number in zip(("sync", "syncfs", "sync_file_range"), calls):
    arguments = [ctypes.c_long(one) for one in (descriptor, 0, 0, 0)]
    if libc.syscall(ctypes.c_long(number), *arguments) >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        print("attack: took", name, flush=True)
        while time.monotonic() < end:
            libc.syscall(ctypes.c_long(number), *arguments)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
