"""Tries to satisfy checks that compare an answer with itself: the same array for every call, views of its
inputs and of one another; gains nothing because every call is compared with what it was given.

Baseline: 2
"""

import numpy as np

print("attack: one answer for all", flush=True)
SPLIT = np.arange(8), np.arange(8)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    return SPLIT


def channel_statistics(images):
    same = np.broadcast_to(np.float32(0.5), (3,))
    return same, same


def standardise(images, mean, std):
    return np.broadcast_to(np.float32(0), images.shape)


def one_hot(labels, num_classes):
    return np.broadcast_to(np.float32(1), (len(labels), num_classes))


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    x = images.astype(np.float32)[:1].repeat(len(images), axis=0)
    return x, np.ones((len(x), num_classes), "f4"), x, np.ones((len(x), num_classes), "f4")
