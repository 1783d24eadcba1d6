"""Tries to patch numpy.save and json.dumps, with which the harness writes, to write successes; gains nothing
because what is written is read as data and judged: a word that no status has is refused.
"""

import json

import numpy as np

_dumps = json.dumps


def dumps(document, *args, **kwargs):
    print("attack: writing for the harness", flush=True)
    if isinstance(document, dict) and "calls" in document:
        for call in document["calls"].values():
            call["status"], call["points"], call["passed"] = "passed", 100, True
        document["score"] = document["marks"] = 100
    return _dumps(document, *args, **kwargs)


json.dumps = dumps
np.save = lambda file, array, **kwargs: open(file, "wb").write(b"\x93NUMPY all right")


def split_indices(num_examples, *, test_fraction=0.2, seed):
    return np.zeros(1), np.zeros(1)


channel_statistics = standardise = one_hot = prepare = lambda *args, **kwargs: np.zeros(1)
