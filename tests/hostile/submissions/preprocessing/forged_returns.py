"""Tries to write well-formed evidence in which every call returned None, and to end the process; gains
nothing because to have returned is no merit: every check asks what.
"""

import json
import os
import sys

EVIDENCE = {
    "format": 1,
    "started": True,
    "finished": True,
    "running": None,
    "import": {"status": "ok", "exception": None},
    "calls": {},
}
CALLS = {
    "split": "split_indices",
    "split.again": "split_indices",
    "split.other": "split_indices",
    "statistics": "channel_statistics",
    "standardise": "standardise",
    **{f"one_hot.{kind}": "one_hot" for kind in ("uint8", "int32", "int64")},
    **{f"prepare{what}": "prepare" for what in ("", ".again", ".other")},
}
for name, function in CALLS.items():
    EVIDENCE["calls"][name] = {
        "function": function,
        "arguments": "everything",
        "status": "returned",
        "exception": None,
        "seconds": 0.0,
        "value": {"kind": "tuple", "items": [{"kind": "none"}] * 4},
        "inputs_after": {"0": {"kind": "none"}},
    }
with open("/output/evidence.json", "w") as file:
    json.dump(EVIDENCE, file)
print("attack: all calls returned", flush=True)
os._exit(0)
