"""Tries to return what it was given, or a part of it, in place of an answer; gains nothing because an input
that was not changed is no work that was done.

Baseline: 2
"""

import numpy as np

print("attack: echo", flush=True)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    return np.arange(num_examples), np.arange(num_examples)


def channel_statistics(images):
    return images[0, 0, 0].astype(np.float32), images[0, 0, 1].astype(np.float32)


def standardise(images, mean, std):
    return images.astype(np.float32)


def one_hot(labels, num_classes):
    return np.repeat(labels[:, None], num_classes, axis=1).astype(np.float32)


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    return images[:0], labels[:0], images, labels
