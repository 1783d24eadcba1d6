"""Tries sys.exit(0), quit, os._exit(0) and KeyboardInterrupt, one a function, as if all tests had passed;
gains nothing because an exit code is no evidence.
"""

import os
import sys

print("attack: leaving", flush=True)


def split_indices(*args, **kwargs):
    sys.exit(0)


def channel_statistics(images):
    os._exit(0)


def standardise(images, mean, std):
    raise KeyboardInterrupt


def one_hot(labels, num_classes):
    quit(0)


def prepare(*args, **kwargs):
    raise GeneratorExit
