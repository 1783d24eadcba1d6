"""prepare does everything itself and calls none of the others; a plain tuple."""

import numpy as np


def split_indices(
    num_examples: int, *, test_fraction: float = 0.2, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    test = rng.choice(num_examples, size=max(1, int(test_fraction * num_examples)), replace=False)
    is_test = np.zeros(num_examples, dtype=bool)
    is_test[test] = True
    train = np.flatnonzero(~is_test)
    rng.shuffle(train)
    return train, test


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    red, green, blue = (images[..., c] / 255 for c in range(3))
    mean = np.array([red.mean(), green.mean(), blue.mean()], dtype=np.float32)
    std = np.array([red.std(), green.std(), blue.std()], dtype=np.float32)
    return mean, std


def standardise(images: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    # the same with one multiplication: x * scale + shift
    scale = 1 / (255 * np.asarray(std, dtype=np.float64))
    shift = -np.asarray(mean, dtype=np.float64) / std
    return (images * scale + shift).astype(np.float32)


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    return (labels[:, np.newaxis] == np.arange(num_classes)).astype(np.float32)


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):  # a plain tuple, nothing reused
    rng = np.random.default_rng([seed, 1])
    order = rng.permutation(len(images))
    x, y = images[order] / 255, np.eye(num_classes)[labels[order]]
    cut = int(len(x) * (1 - test_fraction))
    mean, std = x[:cut].mean((0, 1, 2)), x[:cut].std((0, 1, 2))
    x = ((x - mean) / std).astype("float32")
    return x[:cut], y[:cut].astype("float32"), x[cut:], y[cut:].astype("float32")
