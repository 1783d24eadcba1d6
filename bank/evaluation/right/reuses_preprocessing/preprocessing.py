"""Task 1. Only one_hot is done so far."""

import numpy as np


def split_indices(num_examples, *, test_fraction=0.2, seed):
    raise NotImplementedError("split_indices is not written yet: replace this line")


def channel_statistics(images):
    raise NotImplementedError("channel_statistics is not written yet: replace this line")


def standardise(images, mean, std):
    raise NotImplementedError("standardise is not written yet: replace this line")


def one_hot(labels, num_classes):
    if labels.ndim != 1:
        raise ValueError("labels must be (N,)")
    return np.eye(num_classes, dtype=np.float32)[labels]


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    raise NotImplementedError("prepare is not written yet: replace this line")
