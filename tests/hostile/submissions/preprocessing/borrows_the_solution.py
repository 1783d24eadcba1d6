"""Tries to find the solution, the judge or another's work on the disk and on sys.path, and to hand that in;
gains nothing because a sandbox holds none of them.
"""

import importlib
import os
import sys
import time

found = []
print("attack: searching", flush=True)
for name in ("solutions.preprocessing", "solutions", "grader.tasks.preprocessing.judge", "grader", "lab.data", "lab", "reference"):
    for path in ("", os.path.dirname(sys.prefix), os.path.dirname(os.path.dirname(sys.prefix)), "/kit", "/app", "/opt/kit"):
        sys.path.insert(0, path)
        try:
            module = importlib.import_module(name)
            found.append(f"{name}: {dir(module)[:20]}")
        except BaseException as error:
            found.append(type(error).__name__)
        sys.path.pop(0)
start = time.monotonic()
for folder, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if f not in ("proc", "sys", "site-packages", "dist-packages")]
    if time.monotonic() - start > 2:
        break
    for name in files:
        path = os.path.join(folder, name)
        if name.endswith(".py") and not path.startswith("/submission"):
            try:
                source = open(path, errors="ignore").read()
            except OSError:
                continue
            if "def split_indices(" in source and "BEGIN SOLUTION" in source:
                exec(source, globals())
                found.append(path)
print("attack:", {one: found.count(one) for one in found}, flush=True)
if "split_indices" not in globals():
    split_indices = channel_statistics = standardise = one_hot = prepare = lambda *args, **kwargs: None
