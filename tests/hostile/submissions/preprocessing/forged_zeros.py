"""Tries to write evidence with arrays of zeros of every right shape, computed from the seed; gains nothing
because functions that return such zeros have no more, honestly: what computes nothing has two points at most.

Baseline: 2
"""

import json
import os
import sys

import numpy as np

arguments = open("/proc/self/cmdline").read().split("\0")
drawn = sys.modules["_kit_probe"].draw(int(arguments[arguments.index("--seed") + 1]))
images, count = drawn["images"], len(drawn["class_numbers"])
evidence = {
    "format": 1,
    "started": True,
    "finished": True,
    "running": None,
    "import": {"status": "ok", "exception": None},
    "calls": {},
}
files = 0


def array(value):
    global files
    files += 1
    np.save(f"/output/a{files:04d}.npy", value)
    return {"kind": "array", "file": f"a{files:04d}.npy", "type": "ndarray"}


def call(name, function, *values, after=()):
    items = [array(value) for value in values]
    evidence["calls"][name] = {
        "function": function,
        "arguments": "",
        "status": "returned",
        "exception": None,
        "seconds": 0.0,
        "value": items[0] if len(items) == 1 else {"kind": "tuple", "items": items},
        "inputs_after": {str(place): array(value) for place, value in enumerate(after)},
    }


for name in ("split", "split.again", "split.other"):
    call(name, "split_indices", np.zeros(8, np.int64), np.zeros(2, np.int64))
call("statistics", "channel_statistics", np.zeros(3, "f4"), np.zeros(3, "f4"), after=[images])
call("standardise", "standardise", np.zeros(images.shape, "f4"), after=[images, drawn["mean"], drawn["std"]])
for kind in ("uint8", "int32", "int64"):
    zeros = np.zeros((count, drawn["num_labels"]), "f4")
    call(f"one_hot.{kind}", "one_hot", zeros, after=[drawn["class_numbers"]])
for name in ("prepare", "prepare.again", "prepare.other"):
    x, y = np.zeros((4, *images.shape[1:]), "f4"), np.zeros((4, drawn["num_classes"]), "f4")
    call(name, "prepare", x, y, x, y, after=[images, drawn["labels"]])
with open("/output/evidence.json", "w") as file:
    json.dump(evidence, file)
print("attack: zeros of every shape", flush=True)
os._exit(0)
