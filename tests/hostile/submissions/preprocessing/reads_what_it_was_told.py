"""Tries to read the gradebook, the hidden labels and images, and another submission at the very paths where
they lie; gains nothing because none of these paths exist in its sandbox.
"""

import json
import os

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
found = []
for path in TARGETS["files"]:
    for prefix in ("", "/proc/1/root", "/proc/self/root", "/proc/self/cwd/../../../../..", "/host", "/mnt", "/old_root"):
        try:
            found.append(open(prefix + path, "rb").read(1 << 21))
        except OSError as error:
            found.append(f"{prefix}{path}: {error.strerror}".encode())
for folder in TARGETS["folders"]:
    try:
        found.append(str(os.listdir(folder)).encode())
    except OSError as error:
        found.append(f"{folder}: {error.strerror}".encode())
print("attack:", len(found), "finds", [one[:300] for one in found], flush=True)
with open("/output/stolen", "wb") as file:
    file.write(b"\n".join(found))


def split_indices(*args, **kwargs):
    raise ValueError(str(found[0]))


channel_statistics = standardise = one_hot = prepare = split_indices
