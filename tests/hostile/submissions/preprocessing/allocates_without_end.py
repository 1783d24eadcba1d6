"""Tries to take all of the machine's memory, alone and through many children; gains nothing because all of
its processes together have one limit.
"""

import os

print("attack: allocating", flush=True)


def split_indices(*args, **kwargs):
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1 << 20)) * 64)


def channel_statistics(images):
    for _ in range(50):
        if os.fork() == 0:
            split_indices()
    os.wait()


standardise = one_hot = prepare = split_indices
