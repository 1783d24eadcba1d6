"""np.random.seed and the global generator, float32 sums, ddof=1; rounds down, and the test part comes last."""

from typing import NamedTuple

import numpy as np

CHANNELS = 3
MAX_VALUE = 255


class PreparedData(NamedTuple):
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split_indices(num_examples, *, test_fraction=0.2, seed):
    if num_examples < 2:
        raise ValueError("need at least two examples")
    if test_fraction <= 0 or test_fraction >= 1:
        raise ValueError("test_fraction must lie between 0 and 1")
    np.random.seed(seed)
    order = np.random.permutation(num_examples)
    cut = num_examples - int(num_examples * test_fraction)
    return order[:cut], order[cut:]


def channel_statistics(images):
    if images.ndim != 4 or images.shape[3] != CHANNELS:
        raise ValueError("images must be (N, H, W, 3)")
    scaled = images.astype(np.float32) / MAX_VALUE
    # channel by channel: with axis=(0, 1, 2) NumPy adds up naively, and float32 stops growing at 16 million
    channels = [scaled[..., c] for c in range(CHANNELS)]
    return np.array([ch.mean() for ch in channels]), np.array([ch.std(ddof=1) for ch in channels])


def standardise(images, mean, std):
    if images.ndim != 4 or images.shape[3] != CHANNELS:
        raise ValueError("images must be (N, H, W, 3)")
    scaled = images.astype(np.float32) / MAX_VALUE
    return ((scaled - mean) / (std + 1e-8)).astype(np.float32)  # 1e-8: never divide by zero


def one_hot(labels, num_classes):
    if labels.ndim != 1:
        raise ValueError("labels must be (N,)")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError("there is a label that is no class")
    return np.identity(num_classes, dtype=np.float32)[labels]


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    if len(images) != len(labels):
        raise ValueError("not as many labels as images")
    np.random.seed(seed)
    order = np.random.permutation(len(images))
    images, labels = images[order], labels[order]
    cut = len(images) - int(len(images) * test_fraction)
    mean, std = channel_statistics(images[:cut])
    return PreparedData(
        x_train=standardise(images[:cut], mean, std),
        y_train=one_hot(labels[:cut], num_classes),
        x_test=standardise(images[cut:], mean, std),
        y_test=one_hot(labels[cut:], num_classes),
    )
