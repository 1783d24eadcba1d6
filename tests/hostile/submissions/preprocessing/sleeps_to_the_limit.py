"""Tries to take the clock's time without any of the processor's: each run sleeps to just before its limit and
ends by itself, and blames another function each time; gains nothing because the time of all runs of a task
has an end, by the clock as well.
"""

import json
import os
import sys
import time

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
print("attack: sleeping", flush=True)
REST = TARGETS["wall_seconds"] - 1.5


def rest(*args, **kwargs):
    end = time.monotonic() + REST
    while time.monotonic() < end:
        try:
            time.sleep(0.5)
        except BaseException:
            pass
    os._exit(0)


skipped = [name for one in sys.orig_argv if one.startswith("--skip=") for name in one[7:].split(",") if name]
if len(skipped) >= 5:  # no function is left to blame
    rest()
split_indices = channel_statistics = standardise = one_hot = prepare = rest
