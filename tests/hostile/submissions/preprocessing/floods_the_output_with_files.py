"""Tries to use up the grader's inodes and time with as many files as fit into the output; gains nothing
because their number is watched, and the sandbox ended.
"""

import os

print("attack: files", flush=True)


def split_indices(*args, **kwargs):
    for folder in range(1000):
        os.mkdir(f"/output/{folder}")
        for number in range(1000):
            open(f"/output/{folder}/{number}", "w").close()


channel_statistics = standardise = one_hot = prepare = split_indices
