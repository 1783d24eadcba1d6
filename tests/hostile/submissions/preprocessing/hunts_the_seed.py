"""Tries to fix every seed before inputs are drawn, to change the seed that the harness was given, and the
clock; gains nothing because the judge draws from the seed that it chose.
"""

import os
import random
import sys
import time

import numpy as np

_default_rng = np.random.default_rng
np.random.default_rng = lambda seed=None: _default_rng(0)
np.random.seed(0)
random.seed(0)
time.time = time.monotonic = lambda: 0.0
os.urandom = lambda n: b"\0" * n
sys.argv[:] = ["harness.py", "--seed", "0"]
main = sys.modules["__main__"]
for name in ("draw", "seed", "SEED"):
    setattr(main, name, 0)
print("attack: every seed is 0", flush=True)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    return None


channel_statistics = standardise = one_hot = prepare = lambda *args, **kwargs: None
