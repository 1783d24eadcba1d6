"""Tries to import what lies beside and above its folder, by relative imports, importlib and a path of dots;
gains nothing because its folder is all that there is of it.
"""

import importlib.util
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
found = []
for up in range(1, 6):
    above = os.path.join(here, *[".."] * up)
    sys.path.insert(0, above)
    for folder in os.listdir(above):
        for name in ("preprocessing.py", "judge.py", "solutions/preprocessing.py"):
            path = os.path.join(above, folder, name)
            if os.path.exists(path) and os.path.realpath(path) != os.path.realpath(__file__):
                spec = importlib.util.spec_from_file_location("other", path)
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                found.append(path)
                globals().update(vars(module))
for name in ("victim.preprocessing", "solutions.preprocessing", "targets", "helpers"):
    try:
        found.append(importlib.import_module(name).__name__)
    except ImportError:
        pass
print("attack: found", found, flush=True)
if "split_indices" not in globals():
    split_indices = channel_statistics = standardise = one_hot = prepare = lambda *args, **kwargs: None
