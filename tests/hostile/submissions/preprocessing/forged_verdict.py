"""Tries to write evidence.json and results.json itself, full of marks, and to end before the harness can;
gains nothing because evidence has no marks in it: a document with a field too many is refused as a whole.
"""

import json
import os

marks = {"score": 100, "points": 100, "passed": True, "tests": [{"score": 100, "max_score": 100, "status": "passed"}]}
for name in ("evidence.json", "results.json", "/output/results.json", "/autograder/results/results.json"):
    try:
        with open(os.path.join("/output", name), "w") as file:
            json.dump({"format": 1, "started": True, "finished": True, "running": None, **marks}, file)
    except OSError:
        pass
print("attack: written", os.listdir("/output"), flush=True)
os._exit(0)
