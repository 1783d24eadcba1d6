"""train_test_split instead of a permutation: rounds up, and returns lists."""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split


class PreparedData(NamedTuple):
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split_indices(num_examples: int, *, test_fraction: float = 0.2, seed: int):
    """Chooses at random which examples are for training and which are for testing."""
    # gives back [train, test], with the test part rounded up
    return train_test_split(np.arange(num_examples), test_size=test_fraction, random_state=seed)


def channel_statistics(images: np.ndarray):
    """Measures the mean and the standard deviation of each colour channel, of `images / 255`."""
    pixels = (images / 255.0).reshape(-1, 3)
    return np.float32(pixels.mean(axis=0)), np.float32(pixels.std(axis=0))


def standardise(images: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Brings images to mean 0 and deviation 1 per channel: `(images / 255 - mean) / std`."""
    return ((images / 255.0 - mean) / std).astype(np.float32)


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Turns class numbers into rows with a single 1."""
    encoded = np.zeros((len(labels), num_classes), dtype=np.float32)
    encoded[np.arange(len(labels)), labels] = 1.0
    return encoded


def prepare(
    images: np.ndarray, labels: np.ndarray, num_classes: int, *, test_fraction: float = 0.2, seed: int
):
    """Splits, standardises and encodes a data set, ready for `model.fit`."""
    # train_test_split takes any number of arrays, so the labels stay with their images
    x_train, x_test, y_train, y_test = train_test_split(
        images, labels, test_size=test_fraction, random_state=seed, shuffle=True
    )
    mean, std = channel_statistics(x_train)
    return PreparedData(
        standardise(x_train, mean, std),
        one_hot(y_train, num_classes),
        standardise(x_test, mean, std),
        one_hot(y_test, num_classes),
    )
