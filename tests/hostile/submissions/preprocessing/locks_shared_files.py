"""Tries to lock files that it shares with the host and with other sandboxes (the shell, Python, a library),
so that others wait and two submissions can talk: flock, record locks, leases, dnotify; gains nothing because
locks are refused.
"""

import fcntl
import os
import struct
import sys

import numpy

F_OFD_SETLK, F_SETLEASE, F_NOTIFY = 37, 1024, 1026
WHOLE = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
SHARED = ["/bin/sh", "/usr/bin/env", "/dev/null", os.path.realpath(sys.executable), numpy.__file__]
print("attack: locking", flush=True)
taken = {}
for path in SHARED:
    try:
        descriptor = os.open(path, os.O_RDONLY)
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
    except OSError:
        continue
    for name, lock in {
        "flock": lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB),
        "shared flock": lambda: fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB),
        "record lock": lambda: fcntl.fcntl(descriptor, fcntl.F_SETLK, WHOLE),
        "record lock of an open file": lambda: fcntl.fcntl(descriptor, F_OFD_SETLK, WHOLE),
        "lease": lambda: fcntl.fcntl(descriptor, F_SETLEASE, fcntl.F_RDLCK),
        "watch on its folder": lambda: fcntl.fcntl(folder, F_NOTIFY, 1),
    }.items():
        try:
            lock()
            taken.setdefault(name, []).append(os.path.basename(path))
        except OSError:
            pass
for name, paths in taken.items():
    print(f"attack: took {name} on {', '.join(paths)}", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
