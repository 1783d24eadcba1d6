"""Tries to take the grader's time: never ends, and blames another function each time; gains nothing because
the patience with all runs of a task together has an end.
"""

import json
import os
import random
import signal
import time

signal.signal(signal.SIGALRM, signal.SIG_IGN)
name = random.SystemRandom().choice(["split_indices", "channel_statistics", "standardise", "one_hot", "prepare"])
call = {
    "function": name,
    "arguments": "",
    "status": "running",
    "exception": None,
    "seconds": 0.0,
    "value": None,
    "inputs_after": None,
}
with open("/output/evidence.json", "w") as file:
    json.dump(
        {
            "format": 1,
            "started": True,
            "finished": False,
            "running": "x",
            "import": {"status": "ok", "exception": None},
            "calls": {"x": call},
        },
        file,
    )
print("attack: this time it was", name, flush=True)
time.sleep(1000)
