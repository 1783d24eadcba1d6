"""Tries to look like a victim of the machine: exit codes 137 and 139, SIGKILL and SIGSEGV to itself, abort;
gains nothing because what ends a probe that has started is the submission's doing, tried a second time
before it counts.
"""

import ctypes
import os
import signal

print("attack: dying", flush=True)


def split_indices(*args, **kwargs):
    os._exit(137)


def channel_statistics(images):
    os.kill(os.getpid(), signal.SIGKILL)


def standardise(images, mean, std):
    ctypes.string_at(0)


def one_hot(labels, num_classes):
    os.abort()


def prepare(*args, **kwargs):
    os._exit(139)
