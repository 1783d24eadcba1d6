"""Tries to have a made-up function name become an option of the next run, which then could not start; gains
nothing because only the task's own functions are ever left out, and in one word with their option.
"""

import json
import os

name = "--seed"
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
            "running": name,
            "import": {"status": "ok", "exception": None},
            "calls": {name: call},
        },
        file,
    )
print("attack: it was", name, flush=True)
os._exit(0)
