"""Tries to confuse the reader with structured, void, datetime, string and complex arrays; gains nothing
because only plain numbers of up to eight bytes are written, and only those are read.
"""

import numpy as np

print("attack: arrays of odd types", flush=True)
ODD = [
    np.zeros(3, [("=cmd()", "f4"), ("\x1b[2J", "O")]),
    np.zeros(3, "V100"),
    np.array(["2020-01-01"], "M8[s]"),
    np.array(["__import__('os')"]),
    np.zeros(3, "c16"),
    np.zeros(3, np.longdouble),
]


def split_indices(*args, **kwargs):
    return tuple(ODD[:2])


def channel_statistics(images):
    return tuple(ODD[2:4])


def standardise(*args):
    return ODD[4]


def one_hot(*args):
    return ODD[5]


def prepare(*args, **kwargs):
    return tuple(ODD[:4])
