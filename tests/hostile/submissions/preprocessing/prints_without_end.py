"""Tries to fill the grader's memory or disk by printing for ever, on both streams; gains nothing because what
is beyond a few kilobytes is read and dropped.
"""

import os

print("attack: printing for ever", flush=True)


def split_indices(*args, **kwargs):
    block = b"x" * 1_000_000
    while True:
        os.write(1, block)
        os.write(2, block)


channel_statistics = standardise = one_hot = prepare = split_indices
