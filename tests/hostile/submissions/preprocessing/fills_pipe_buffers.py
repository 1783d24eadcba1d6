"""Tries to hold more memory than it may in pipes, as large as they can be made and as many as may be open;
gains nothing because a control group counts them, or there are too few.
"""

import fcntl
import json
import os
import time

LIMIT = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))["memory_mib"]
WANTED, PROCESSES = LIMIT + 400, 40
F_SETPIPE_SZ = 1031
print("attack: filling pipes", flush=True)


def fill(bound):
    held, kept, block = 0, [], b"x" * (1 << 16)
    while held < bound and len(kept) < 900:
        try:
            reading, writing = os.pipe2(os.O_NONBLOCK)
        except OSError:
            break
        kept += [reading, writing]
        for size in (1 << 20, 1 << 17):
            try:
                fcntl.fcntl(writing, F_SETPIPE_SZ, size)
                break
            except OSError:
                pass
        try:
            while held < bound:
                held += os.write(writing, block)
        except OSError:
            pass
    return held


answers = []
for _ in range(PROCESSES):
    reading, writing = os.pipe()
    try:
        if os.fork() == 0:
            os.write(writing, b"%d" % (fill((WANTED << 20) // PROCESSES) >> 20))
            time.sleep(4)
            os._exit(0)
    except OSError:
        break
    finally:
        os.close(writing)
    answers.append(reading)
held = sum(int(os.read(answer, 20) or 0) for answer in answers)
time.sleep(0.5)
print(f"attack: {held} MiB in pipes", flush=True)
if held > LIMIT:
    print("attack: took more memory than the limit, in pipes", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
