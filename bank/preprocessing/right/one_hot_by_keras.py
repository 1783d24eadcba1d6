"""keras.utils for what it has: to_categorical, set_random_seed."""

import keras
import numpy as np
from typing import NamedTuple


class PreparedData(NamedTuple):
    """What `prepare` returns. It is given: do not change it."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split_indices(
    num_examples: int, *, test_fraction: float = 0.2, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    keras.utils.set_random_seed(seed)
    idx = np.arange(num_examples)
    np.random.shuffle(idx)
    n_test = int(np.ceil(test_fraction * num_examples))
    test_idx, train_idx = np.split(idx, [n_test])
    return train_idx, test_idx


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = images.astype("float64") / 255
    mean = np.mean(x, axis=(0, 1, 2)).astype("float32")
    std = np.std(x, axis=(0, 1, 2)).astype("float32")
    return mean, std


def standardise(images: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    x = images.astype("float32") / 255
    for channel in range(3):
        x[..., channel] = (x[..., channel] - mean[channel]) / std[channel]
    return x


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    return keras.utils.to_categorical(labels, num_classes).astype("float32")


def prepare(
    images: np.ndarray, labels: np.ndarray, num_classes: int, *, test_fraction: float = 0.2, seed: int
) -> PreparedData:
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images but {len(labels)} labels")

    train_idx, test_idx = split_indices(len(images), test_fraction=test_fraction, seed=seed)

    x_train, x_test = images[train_idx], images[test_idx]
    y_train, y_test = labels[train_idx], labels[test_idx]

    mean, std = channel_statistics(x_train)
    x_train = standardise(x_train, mean, std)
    x_test = standardise(x_test, mean, std)

    y_train = one_hot(y_train, num_classes)
    y_test = one_hot(y_test, num_classes)

    return PreparedData(x_train, y_train, x_test, y_test)
