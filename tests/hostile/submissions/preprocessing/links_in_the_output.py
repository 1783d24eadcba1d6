"""Tries to have the grader read files of its choice through symbolic and hard links among the evidence; gains
nothing because links are left behind in the sandbox, and no file is opened through one.
"""

import json
import os

TARGETS = json.load(open(os.path.join(os.path.dirname(__file__), "targets.json")))
os.unlink("/output/evidence.json")
os.symlink(TARGETS["files"][0], "/output/evidence.json")
for number, path in enumerate(TARGETS["files"] + ["/proc/self/environ", "/etc/shadow", "/dev/zero"], start=1):
    os.symlink(path, f"/output/a{number:04d}.npy")
    try:
        os.link(path, f"/output/hard{number}")
    except OSError:
        pass
os.symlink("/", "/output/everything")
os.symlink("/output", "/output/loop")
print("attack:", sorted(os.listdir("/output")), flush=True)
os._exit(0)
