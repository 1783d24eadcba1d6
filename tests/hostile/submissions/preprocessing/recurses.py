"""Tries to overflow stacks: Python's, without a limit, and that of repr, json, copy and the compiler; gains
nothing because only its own process has them.
"""

import sys

print("attack: recursing", flush=True)


def split_indices(*args, **kwargs):
    sys.setrecursionlimit(10**9)

    def deeper():
        deeper()

    deeper()


def channel_statistics(images):
    value = []
    for _ in range(1_000_000):
        value = [value]
    return value, value


def standardise(images, mean, std):
    eval("(" * 10_000 + ")" * 10_000)


def one_hot(labels, num_classes):
    loop = []
    loop.append(loop)
    return loop, {1: loop}


def prepare(*args, **kwargs):
    error = ValueError("a chain")
    for _ in range(100_000):
        error.__cause__, error = error, ValueError("a chain")
    raise error
