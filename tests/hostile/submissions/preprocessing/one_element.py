"""Tries to earn points for order, seed and statistics with parts of one element, in which nothing is out of
order; gains nothing because order, seed and statistics are asked of a whole split alone.

Baseline: 2
"""

import numpy as np

print("attack: one of each", flush=True)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    return np.array([seed % num_examples]), np.array([(seed + 1) % num_examples])


def channel_statistics(images):
    return np.zeros(3, np.float32), np.ones(3, np.float32)


def standardise(images, mean, std):
    return np.zeros(images.shape, np.float32)


def one_hot(labels, num_classes):
    return np.zeros((len(labels), num_classes), np.float32)


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    one = images[seed % len(images)][None].astype(np.float32)
    one = (one - one.mean((0, 1, 2))) / one.std((0, 1, 2))
    y = np.zeros((1, num_classes), np.float32)
    return one, y, one, y
