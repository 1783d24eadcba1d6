"""Tries to be taken for an array, a tuple, a model and a number at once, with a __class__ that lies and
metaclasses; gains nothing because however it is taken, it has to be written down as numbers.
"""

import sys

import numpy as np


class Chameleon:
    asked = 0

    @property
    def __class__(self):
        Chameleon.asked += 1
        print("attack: asked for its class", Chameleon.asked, flush=True)
        return (bool, int, float, str, tuple, np.ndarray)[Chameleon.asked % 6]

    def __iter__(self):
        return iter([self] * 100)

    def __len__(self):
        return -1

    def __int__(self):
        return "no number"

    def __float__(self):
        raise KeyboardInterrupt

    def __getattr__(self, name):
        return self


class Meta(type):
    def __instancecheck__(cls, instance):
        return True

    def __subclasscheck__(cls, other):
        return True


class Anything(metaclass=Meta):
    pass


def split_indices(*args, **kwargs):
    return Chameleon()


def channel_statistics(images):
    return Chameleon(), Chameleon()


def standardise(images, mean, std):
    return Anything


def one_hot(labels, num_classes):
    return Anything()


def prepare(*args, **kwargs):
    return (Chameleon(),) * 4
