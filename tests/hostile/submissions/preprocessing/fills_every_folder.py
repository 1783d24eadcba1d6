"""Tries to fill /tmp, /dev/shm, /var/tmp, /run and its home folder; gains nothing because each is small or
read-only, and all that is written counts as its memory.
"""

import os

print("attack: filling", flush=True)


def split_indices(*args, **kwargs):
    block, written = os.urandom(1 << 20), {}
    for folder in ("/dev/shm", "/tmp", "/var/tmp", "/run", "/run/lock", os.path.expanduser("~"), "/home", "/mnt", "/dev"):
        try:
            with open(f"{folder}/filling", "wb") as file:
                for number in range(50_000):
                    file.write(block)
                    file.flush()
                    written[folder] = number
        except OSError as error:
            written[folder] = f"{written.get(folder, 0)} MiB, then {error.strerror}"
    print("attack:", written, flush=True)


channel_statistics = standardise = one_hot = prepare = split_indices
