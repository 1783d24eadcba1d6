"""Tries to take the events of asynchronous input and output, of which the whole machine has 65,536, and to
let a neighbour read off how many are left; gains nothing because io_setup is not on the list of allowed
system calls, nor is the old and the new name of what it does.
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
print("attack: asking for events", flush=True)
held = []
if os.uname().machine == "x86_64":
    for events in (30_000, 4_000, 500, 100):
        for _ in range(3):
            context = ctypes.c_ulong(0)
            if libc.syscall(ctypes.c_long(206), ctypes.c_long(events), ctypes.byref(context)) == 0:
                held.append(events)
    parameters = ctypes.create_string_buffer(128)
    if libc.syscall(ctypes.c_long(425), ctypes.c_long(8), parameters) >= 0:
        print("attack: took io_uring", flush=True)
if held:
    print("attack: took aio events", flush=True)


def split_indices(*args, **kwargs):
    raise OSError(f"{sum(held)} events")


channel_statistics = standardise = one_hot = prepare = split_indices
