"""Counts how often each of the 256 values occurs; statistics and standardising both come from that table.

A pixel has one of 256 values only. So the mean and the deviation follow from a histogram per channel (exactly,
in integers), and standardising is looking up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

VALUES = np.arange(256)


class PreparedData(NamedTuple):
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def _check_images(images: np.ndarray) -> None:
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"images must be (N, H, W, 3), not {images.shape}")


def split_indices(
    num_examples: int, *, test_fraction: float = 0.2, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    if not (num_examples >= 2 and 0 < test_fraction < 1):
        raise ValueError(f"cannot split {num_examples} examples with test_fraction={test_fraction}")
    # sorting random numbers is a shuffle
    keys = np.random.Generator(np.random.PCG64(seed)).random(num_examples)
    order = np.argsort(keys).astype(np.int32)
    num_train = int(np.floor(num_examples * (1 - test_fraction)))
    return order[:num_train], order[num_train:]


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _check_images(images)
    mean, std = np.empty(3, np.float32), np.empty(3, np.float32)
    for c in range(3):
        counts = np.bincount(images[..., c].ravel(), minlength=256)
        total = counts.sum()
        m = (counts * VALUES).sum() / total
        mean[c] = m / 255
        std[c] = np.sqrt((counts * (VALUES - m) ** 2).sum() / total) / 255
    return mean, std


def standardise(images: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    _check_images(images)
    table = ((VALUES[:, None] / 255 - mean) / std).astype(np.float32)  # (256, 3)
    return table[images, [0, 1, 2]]


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    if labels.ndim != 1 or (labels.size and not (0 <= labels.min() and labels.max() < num_classes)):
        raise ValueError("labels must be (N,) and from 0 to num_classes - 1")
    flat = np.zeros(len(labels) * num_classes, dtype=np.float32)
    flat[np.arange(len(labels)) * num_classes + labels.astype(np.int64)] = 1
    return flat.reshape(len(labels), num_classes)


def prepare(
    images: np.ndarray, labels: np.ndarray, num_classes: int, *, test_fraction: float = 0.2, seed: int
) -> PreparedData:
    if len(images) != len(labels):
        raise ValueError("images and labels differ in number")
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    mean, std = channel_statistics(images[train])
    x = standardise(images, mean, std)  # all at once: the table is that of the training part
    y = one_hot(labels, num_classes)
    return PreparedData(x[train], y[train], x[test], y[test])
