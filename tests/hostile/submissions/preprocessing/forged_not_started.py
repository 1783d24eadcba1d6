"""Tries to end in a fault of the machine instead of a zero, by evidence that says the probe never started;
gains nothing because the harness has said so on stdout before, and what was said there cannot be taken
back.
"""

import json
import os

with open("/output/evidence.json", "w") as file:
    json.dump(
        {
            "format": 1,
            "started": False,
            "finished": False,
            "running": None,
            "import": {"status": "running", "exception": None},
            "calls": {},
        },
        file,
    )
print("attack: nothing ever started", flush=True)
os._exit(1)
