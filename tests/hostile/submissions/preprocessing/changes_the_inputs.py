"""Tries to make its wrong answers right by changing the inputs that the probe drew, in place and in the
module; gains nothing because the judge draws them again from the seed.
"""

import sys

import numpy as np

probe, main = sys.modules["_kit_probe"], sys.modules["__main__"]
frame = sys._getframe()
while frame is not None:
    inputs = frame.f_locals.get("inputs")
    if isinstance(inputs, dict):
        for name, value in inputs.items():
            if isinstance(value, np.ndarray):
                value[...] = 0
        inputs["num_examples"] = 0
        print("attack: the inputs are zero", flush=True)
    frame = frame.f_back
probe.draw = lambda seed: {}
main.fresh = lambda value: value


def split_indices(num_examples, *, test_fraction=0.2, seed):
    return np.zeros(0, int), np.zeros(0, int)


def channel_statistics(images):
    return None


standardise = one_hot = prepare = lambda *args, **kwargs: None
