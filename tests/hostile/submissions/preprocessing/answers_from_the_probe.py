"""Tries to import the probe and to take the answers from what it draws; gains nothing because a probe has
inputs alone: what is right is worked out on the other side.
"""

import importlib.util
import sys

probe = sys.modules.get("_kit_probe")
if probe is None:
    spec = importlib.util.spec_from_file_location("probe", "/kit/probe.py")
    probe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(probe)
arguments = open("/proc/self/cmdline").read().split("\0")
seed = int(arguments[arguments.index("--seed") + 1])
DRAWN = probe.draw(seed)
print("attack: drawn", sorted(DRAWN), flush=True)


def _answer(*names):
    for name in names:
        if name in DRAWN:
            return DRAWN[name]
    return None


def split_indices(*args, **kwargs):
    return _answer("expected_split", "answers")


def channel_statistics(images):
    return _answer("expected_statistics", "answers")


def standardise(images, mean, std):
    return _answer("expected", "answers")


def one_hot(labels, num_classes):
    return _answer("one_hot", "answers")


def prepare(*args, **kwargs):
    return _answer("prepared", "answers")
