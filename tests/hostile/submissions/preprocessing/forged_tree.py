"""Tries to make reports of many megabytes, with a tree of a hundred thousand tuples for an answer; gains
nothing because a message tells a tuple's items and not those of the tuples in it.
"""

import json
import os


def tree(depth):
    return {"kind": "none"} if not depth else {"kind": "tuple", "items": [tree(depth - 1)] * 4}


call = {
    "function": "split_indices",
    "arguments": "x" * 2000,
    "status": "returned",
    "exception": None,
    "seconds": 0.0,
    "value": tree(8),
    "inputs_after": None,
}
document = {
    "format": 1,
    "started": True,
    "finished": True,
    "running": None,
    "import": {"status": "ok", "exception": None},
    "calls": {name: call for name in ("split", "split.again", "split.other")},
}
with open("/output/evidence.json", "w") as file:
    file.write(json.dumps(document))  # by the encoder in C: there is little time
print("attack: a tree", flush=True)
os._exit(0)
