"""Tries to pass with a subclass of ndarray whose comparisons and numpy functions always agree; gains nothing
because its bytes are all that leaves the sandbox, and an ndarray is what the judge makes of them.
"""

import numpy as np


class Agreeing(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return True

    def __array_function__(self, function, types, args, kwargs):
        return True

    __eq__ = __le__ = __ge__ = lambda self, other: True


def _agreeing(shape):
    print("attack: an array that agrees", flush=True)
    return np.full(shape, 7, np.float64).view(Agreeing)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    return _agreeing((3,)), _agreeing((3,))


def channel_statistics(images):
    return _agreeing((1,)), _agreeing((1,))


def standardise(images, mean, std):
    return _agreeing((1, 2))


def one_hot(labels, num_classes):
    return _agreeing((1, 2))


def prepare(*args, **kwargs):
    return tuple(_agreeing((1, 2)) for _ in range(4))
