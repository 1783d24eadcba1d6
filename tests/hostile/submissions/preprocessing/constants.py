"""Tries to earn the points for form, order, seed and kept inputs with arrays of zeros of the right shapes;
gains nothing because what has the right form and says nothing earns next to nothing.

Baseline: 2
"""

import numpy as np

print("attack: zeros", flush=True)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    count = int(num_examples * test_fraction)
    return np.zeros(num_examples - count, int), np.zeros(count, int)


def channel_statistics(images):
    return np.zeros(3, np.float32), np.zeros(3, np.float32)


def standardise(images, mean, std):
    return np.zeros(images.shape, np.float32)


def one_hot(labels, num_classes):
    return np.zeros((len(labels), num_classes), np.float32)


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    y = one_hot(labels, num_classes)
    x = standardise(images, 0, 1)
    return x[train], y[train], x[test], y[test]
