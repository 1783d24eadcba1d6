"""Tries to overwrite evidence.json from a thread and a process as often as it can, before and after the
harness; gains nothing because nothing is read before the last process is gone, and what is read is no more
than evidence.
"""

import json
import os
import threading

FORGED = json.dumps({"format": 1, "started": True, "finished": True, "score": 100})


def _write_for_ever():
    while True:
        try:
            with open("/output/evidence.json.mine", "w") as file:
                file.write(FORGED)
            os.replace("/output/evidence.json.mine", "/output/evidence.json")
        except OSError:
            pass


threading.Thread(target=_write_for_ever, daemon=True).start()
if os.fork() == 0:
    try:
        os.setsid()
    except OSError:
        pass
    _write_for_ever()
print("attack: racing", flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
