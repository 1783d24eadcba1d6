"""Tries the same with numbers that could be right: the statistics of the real pictures, the first class for
each, indices counted off in order; gains nothing because nothing of it was computed from what was asked.

Baseline: 2
"""

import numpy as np

print("attack: likely numbers", flush=True)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    count = round(num_examples * test_fraction)
    order = np.roll(np.arange(num_examples), 7)
    return order[count:] % 5, order[:count] % 5


def channel_statistics(images):
    return np.float32([0.507, 0.487, 0.441]), np.float32([0.267, 0.256, 0.276])


def standardise(images, mean, std):
    return np.full(images.shape, 0.01, np.float32)


def one_hot(labels, num_classes):
    y = np.zeros((len(labels), num_classes), np.float32)
    y[:, 0] = 1
    return y


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    count = round(len(images) * test_fraction)
    x, y = standardise(images, 0, 1), one_hot(labels, num_classes)
    return x[count:], y[count:], x[:count], y[:count]
