"""Tries to break the interpreter under the harness: builtins, sys.modules, open, import, the tracer, the
collector; gains nothing because a harness that cannot go on has nothing more to say.
"""

import builtins
import gc
import sys
import threading

print("attack: taking the interpreter apart", flush=True)
sys.settrace(lambda *args: sys.exit(0))
threading.settrace(lambda *args: None)
sys.setprofile(lambda *args: None)
sys.excepthook = sys.unraisablehook = lambda *args: None
gc.disable()
builtins.isinstance = lambda *args: True
builtins.open = builtins.getattr = lambda *args: None
builtins.__import__ = lambda *args, **kwargs: sys
sys.modules.clear()


def split_indices(*args, **kwargs):
    return None


channel_statistics = standardise = one_hot = prepare = split_indices
