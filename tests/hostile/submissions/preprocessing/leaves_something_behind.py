"""Tries to leave files for the next submission, and to find what the last one left: in temporary folders,
caches, site- packages, the kit's folder and its own; gains nothing because nothing but the output outlives
a sandbox.
"""

import glob
import os
import site
import sys

EVIL = "import os; os.write(1, b'attack: somebody else is infected')\n"
written = []
places = ["/tmp", "/var/tmp", "/dev/shm", "/kit", "/kit/guest", "/submission", os.path.expanduser("~"), "/output", "/etc", "/usr/lib"]
for folder in [*places, *site.getsitepackages(), sys.prefix, os.path.dirname(os.__file__), os.path.dirname(sys.executable)]:
    for name in ("sitecustomize.py", "evil.pth", "conftest.py", "preprocessing.py", "harness.py"):
        try:
            with open(f"{folder}/{name}", "w") as file:
                file.write(EVIL)
            written.append(f"{folder}/{name}")
        except OSError:
            pass
left = [path for path in glob.glob("/tmp/*") + glob.glob("/dev/shm/*") if path not in written]
print("attack: written", written, "found", left, flush=True)


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
