"""Tries to have the array writer copy memory of its choice, by an __array_interface__ with a made-up address;
gains nothing because the process that reads it is its own: there is nothing in it, or it crashes alone.
"""

import ctypes

import numpy as np


class Window:
    def __init__(self, address, size):
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": (address, True), "version": 3}

    def __array__(self, dtype=None, copy=None):
        class Plain:
            __array_interface__ = self.__array_interface__

        return np.array(Plain())


print("attack: opening windows", flush=True)


def split_indices(*args, **kwargs):
    return Window(id(split_indices), 4096), Window(id(print), 4096)


def channel_statistics(images):
    text = b"memory"
    return Window(ctypes.addressof(ctypes.create_string_buffer(text)), 1 << 20), Window(id(images), 1 << 24)


def standardise(images, mean, std):
    return Window(0xDEADBEEF0000, 4096)


one_hot = prepare = standardise
