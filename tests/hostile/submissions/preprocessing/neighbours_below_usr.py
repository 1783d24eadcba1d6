"""Tries to find and hand in another student's work where a class lies beside the libraries, below /usr, /opt
or /srv; gains nothing because only what Python needs of them is to be seen.
"""

import os
import sys
import time

SKIPPED = {"site-packages", "dist-packages", "share", "include", "__pycache__", "proc", "sys", "dev", "submission"}
print("attack: walking", flush=True)
end = time.monotonic() + 2.5
found = []
# First where people put things, then all the rest.
for top in ("/usr/local", "/usr/src", "/opt", "/srv", sys.prefix, os.path.dirname(sys.prefix), "/usr", "/"):
    for folder, folders, files in os.walk(top):
        if time.monotonic() > end or len(found) > 3:
            break
        folders[:] = [name for name in folders if name not in SKIPPED]
        if "preprocessing.py" in files and not folder.startswith("/submission"):
            found.append(os.path.join(folder, "preprocessing.py"))
for path in found:
    source = open(path).read()
    print("attack: took the work of", os.path.basename(os.path.dirname(path)), flush=True)
    print(source[:60], flush=True)
    exec(source)
if not found:
    split_indices = channel_statistics = standardise = one_hot = prepare = print
