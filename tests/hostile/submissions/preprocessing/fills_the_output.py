"""Tries to fill the disk through the output folder, with data and with files that are all holes; gains
nothing because the output is a file system of limited size in memory, and what has outgrown it ends the
sandbox.
"""

import os

print("attack: filling /output", flush=True)


def split_indices(*args, **kwargs):
    for number in range(1000):
        with open(f"/output/{number}", "wb") as file:
            try:
                file.truncate(60_000_000)
                file.write(os.urandom(1_000_000) * 60)
            except OSError:
                pass


def channel_statistics(images):
    os.truncate("/output/evidence.json", 10**12)


standardise = one_hot = prepare = split_indices
