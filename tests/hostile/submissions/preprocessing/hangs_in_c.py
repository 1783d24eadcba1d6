"""Tries to hang where Python's signal handlers cannot run: in the regular expression engine and in a huge
power; gains nothing because the sandbox's own clock needs no cooperation.
"""

import re

print("attack: deep in C", flush=True)


def split_indices(*args, **kwargs):
    re.match(r"(x+x+)+y", "x" * 64)


def channel_statistics(images):
    return 7 ** (7**11)


standardise = one_hot = prepare = split_indices
