"""Tries to hang, loop and recurse while it is imported, before any function is called; gains nothing because
importing has a time limit of its own, and then the sandbox has one.
"""

import importlib
import time

print("attack: importing", flush=True)
while True:
    try:
        importlib.reload(importlib.import_module("preprocessing"))
    except BaseException:
        time.sleep(0.01)
