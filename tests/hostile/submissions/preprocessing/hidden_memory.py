"""Tries to take memory that belongs to no process: memory files, pipes, sockets, shared memory, deleted
files; gains nothing because it is counted with the sandbox, or cannot be had.
"""

import ctypes
import mmap
import os
import socket

print("attack: hiding memory", flush=True)


def split_indices(*args, **kwargs):
    kept, block = [], b"x" * (1 << 20)
    for number in range(10_000):
        try:
            descriptor = os.memfd_create(str(number))
            os.write(descriptor, block)
            kept.append(descriptor)
        except OSError:
            break
    for _ in range(400):
        try:
            one, other = socket.socketpair()
            one.setblocking(False)
            kept.append((one, other, one.send(block)))
        except OSError:
            break
    libc = ctypes.CDLL(None)
    kept.append([libc.shmget(0, 1 << 26, 0o1600) for _ in range(64)])
    while True:
        kept.append(mmap.mmap(-1, 1 << 24, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
        kept[-1].write(block * 16)


channel_statistics = standardise = one_hot = prepare = split_indices
