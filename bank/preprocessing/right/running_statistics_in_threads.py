"""Welford's running mean and variance over batches, one thread for each channel."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import NamedTuple

import numpy as np

log = logging.getLogger(__name__)
logging.basicConfig(level=logging.INFO)

BATCH = 16


class PreparedData(NamedTuple):
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


class Moments(NamedTuple):
    """Count, mean and sum of squared differences from it."""

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    def __add__(self, other: "Moments") -> "Moments":  # type: ignore[override]
        n = self.n + other.n
        delta = other.mean - self.mean
        return Moments(
            n,
            self.mean + delta * other.n / n,
            self.m2 + other.m2 + delta**2 * self.n * other.n / n,
        )

    @property
    def std(self) -> float:
        return (self.m2 / self.n) ** 0.5


def _batches(channel: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(channel), BATCH):
        yield channel[start : start + BATCH].astype(np.float64) / 255


def _moments(channel: np.ndarray) -> Moments:
    each = (Moments(b.size, float(b.mean()), float(((b - b.mean()) ** 2).sum())) for b in _batches(channel))
    return reduce(Moments.__add__, each)


def split_indices(
    num_examples: int, *, test_fraction: float = 0.2, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    if num_examples < 2:
        raise ValueError("`num_examples` is below 2")
    if not 0 < test_fraction < 1:
        raise ValueError("`test_fraction` is not between 0 and 1")
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    test = rng.choice(num_examples, round(test_fraction * num_examples), replace=False)
    train = rng.permutation(np.setdiff1d(np.arange(num_examples), test))  # setdiff1d sorts
    return train, test


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"`images` is of shape {images.shape}")
    with ThreadPoolExecutor(max_workers=3) as pool:
        moments = list(pool.map(_moments, (images[..., c] for c in range(3))))
    log.info("moments: %s", moments)
    return np.float32([m.mean for m in moments]), np.float32([m.std for m in moments])


def standardise(images: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"`images` is of shape {images.shape}")
    out = np.empty_like(images, dtype=np.float32)
    for start in range(0, len(images), BATCH):
        piece = slice(start, start + BATCH)
        out[piece] = (images[piece] / np.float32(255) - mean) / std
    return out


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    if labels.ndim != 1 or np.any(labels < 0) or np.any(labels >= num_classes):
        raise ValueError("`labels` must be (N,), from 0 to num_classes - 1")
    out = np.zeros((len(labels), num_classes), dtype=np.float32)
    np.put_along_axis(out, labels.astype(np.intp)[:, None], 1, axis=1)
    return out


def prepare(
    images: np.ndarray, labels: np.ndarray, num_classes: int, *, test_fraction: float = 0.2, seed: int
) -> PreparedData:
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images, {len(labels)} labels")
    y = one_hot(labels, num_classes)
    train, test = split_indices(len(y), test_fraction=test_fraction, seed=seed)
    log.info("%d for training, %d for testing", len(train), len(test))
    with np.printoptions(precision=4):
        mean, std = channel_statistics(images[train])
        log.info("mean %s, std %s", mean, std)
    return PreparedData(
        y_test=y[test],
        x_test=standardise(images[test], mean, std),
        y_train=y[train],
        x_train=standardise(images[train], mean, std),
    )
