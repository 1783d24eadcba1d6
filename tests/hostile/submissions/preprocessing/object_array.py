"""Tries to have an array of objects pickled on its way out and unpickled by the grader; gains nothing because
arrays of objects are not written, and no file is ever unpickled.
"""

import os

import numpy as np


class Bomb:
    def __reduce__(self):
        print("attack: being pickled", flush=True)
        return os.system, ("touch /tmp/kit-attack-was-here",)


def _bombs():
    print("attack: an array of objects", flush=True)
    return np.array([Bomb(), Bomb()], dtype=object)


def split_indices(*args, **kwargs):
    return _bombs(), _bombs()


def channel_statistics(images):
    return _bombs(), _bombs()


standardise = one_hot = lambda *args, **kwargs: _bombs()
prepare = lambda *args, **kwargs: (_bombs(),) * 4
