"""Classes with fit and transform, match, the walrus and PEP 604 hints; the functions only call methods."""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


class PreparedData(NamedTuple):
    x_train: Floats
    y_train: Floats
    x_test: Floats
    y_test: Floats


@dataclass(slots=True)
class Standardiser:
    """Learns the statistics of some images and applies them to others."""

    mean: Floats | None = None
    std: Floats | None = None

    @staticmethod
    def _checked(images: Image) -> Image:
        match images.shape:
            case (_, _, _, 3):
                return images
            case shape:
                raise ValueError(f"expected (N, H, W, 3), got {shape}")

    def fit(self, images: Image) -> Self:
        flat = self._checked(images).reshape(-1, 3)
        self.mean = np.float32(flat.mean(axis=0) / 255)
        self.std = np.float32(flat.std(axis=0) / 255)
        return self

    def transform(self, images: Image) -> Floats:
        x = self._checked(images).astype(np.float32)
        np.multiply(x, np.float32(1 / 255), out=x)
        np.subtract(x, self.mean, out=x)
        np.divide(x, self.std, out=x)
        return x


@dataclass(frozen=True)
class Splitter:
    test_fraction: float
    seed: int
    _rng: np.random.Generator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        match self.test_fraction:
            case float(share) if 0 < share < 1:
                object.__setattr__(self, "_rng", np.random.Generator(np.random.Philox(self.seed)))
            case other:
                raise ValueError(f"test_fraction must be between 0 and 1, not {other!r}")

    def __call__(self, n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        if n < 2:
            raise ValueError("nothing to split")
        if (size := round(n * self.test_fraction)) == 0:
            size = 1
        order = self._rng.permutation(n)
        return order[:-size], order[-size:]


def split_indices(
    num_examples: int, *, test_fraction: float = 0.2, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return Splitter(test_fraction, seed)(num_examples)


def channel_statistics(images: Image) -> tuple[Floats, Floats]:
    fitted = Standardiser().fit(images)
    return fitted.mean, fitted.std


def standardise(images: Image, mean: Floats, std: Floats) -> Floats:
    return Standardiser(mean, std).transform(images)


def one_hot(labels: NDArray[np.integer], num_classes: int) -> Floats:
    if labels.ndim != 1 or (labels.size and (labels.min() < 0 or labels.max() >= num_classes)):
        raise ValueError("labels must be class numbers, of shape (N,)")
    return np.eye(num_classes, dtype=np.float32).take(labels, axis=0)


def prepare(
    images: Image,
    labels: NDArray[np.integer],
    num_classes: int,
    *,
    test_fraction: float = 0.2,
    seed: int,
) -> PreparedData:
    if (n := len(images)) != (m := len(labels)):
        raise ValueError(f"{n} images, {m} labels")
    train, test = Splitter(test_fraction, seed)(n)
    scaler = Standardiser().fit(images[train])
    parts = {
        f"{letter}_{name}": made
        for name, chosen in {"train": train, "test": test}.items()
        for letter, made in {
            "x": scaler.transform(images[chosen]),
            "y": one_hot(labels[chosen], num_classes),
        }.items()
    }
    return PreparedData(**parts)
