"""Tries to pass comparisons with NaN and infinity in JSON and in arrays; gains nothing because every
comparison asks what is close, which NaN never is.

Baseline: 1
"""

import numpy as np


def split_indices(num_examples, *, test_fraction=0.2, seed):
    print("attack: not a number", flush=True)
    return float("nan"), float("inf")


def channel_statistics(images):
    return np.full(3, np.nan, "f4"), np.full(3, np.inf, "f4")


def standardise(images, mean, std):
    return np.full((1, 2), np.nan, "f4")


def one_hot(labels, num_classes):
    return np.float64("nan")


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    n = len(images) // 2
    x = np.full((n, *images.shape[1:]), np.nan, "f4")
    y = np.full((n, num_classes), np.nan, "f4")
    return x, y, x, y
