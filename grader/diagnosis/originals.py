"""Prepared images, found again among the originals that they were made from, whatever was done to them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

# An image is found again when the likeness (correlation, channel by channel) to its original is this high.
# Photographs that are not the same seldom come above 0.9; an image with a patch written over it falls to 0.8.
ALIKE = 0.8
EXACT = 0.999  # nothing but a scale and an offset lies between the two


@dataclass(frozen=True)
class Originals:
    """The images that went in, ready to be found again.

    Attributes:
        images: float32 (N, H * W, C); labels: (N,).
        likeness: float32 (N, features), unit vectors that a scale and an offset of a channel do not change;
            mirrored: those of the mirror images.
        twin: int64 (N,), for each image the first that equals it: CIFAR-100 has pictures twice.
    """

    images: npt.NDArray[np.float32]
    labels: Ints
    likeness: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.float32]
    twin: Ints
    shape: tuple[int, ...]

    @classmethod
    def of(cls, images: Array, labels: Array) -> "Originals":
        """Of uint8 images (N, H, W, C) and their class numbers (N,)."""
        _, first, inverse = np.unique(
            images.reshape(len(images), -1), axis=0, return_index=True, return_inverse=True
        )
        values = images.astype(np.float32)
        return cls(
            images=values.reshape(len(values), -1, values.shape[-1]),
            labels=labels.astype(np.int64),
            likeness=_likeness(values),
            mirrored=_likeness(values[:, :, ::-1]),
            twin=first[inverse.reshape(-1)].astype(np.int64),
            shape=images.shape[1:],
        )

    def find(
        self, images: npt.NDArray[np.float32]
    ) -> tuple[Ints, npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
        """For each image its original or -1, whether it lies as that does (is not mirrored), the likeness."""
        found = np.full(len(images), -1, np.int64)
        straight = np.zeros(len(images), np.bool_)
        alike = np.zeros(len(images), np.float32)
        # What is only scaled is found at the first try; the other tries are for what was changed as well.
        tries: list[tuple[Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]], bool]] = [
            (lambda same: same, False),
            (lambda same: same, True),
            (_clipped, False),
        ]
        for change, mirrored in tries:
            left = np.flatnonzero(alike < EXACT)
            if not len(left):
                break
            products = _likeness(change(images[left])) @ (self.mirrored if mirrored else self.likeness).T
            best = products.argmax(axis=1)
            score = products[np.arange(len(left)), best]
            better = score > np.maximum(alike[left], ALIKE)
            found[left[better]], alike[left[better]] = best[better], score[better]
            straight[left[better]] = not mirrored
        return found, straight, alike


def _likeness(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, H, W, C) to unit vectors whose scalar product is the mean correlation of the channels.

    Of means of 2x2 pixels where the size is even: a quarter of the work, and a scale stays a scale.
    """
    count, height, width, channels = images.shape
    if height % 2 == 0 and width % 2 == 0:
        images = images.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
    flat = images.reshape(count, -1, channels)
    centred = flat - flat.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(centred).sum(axis=1, keepdims=True))
    # One colour is like nothing; its rounding errors are not.
    centred *= np.where(length > 1e-4 * np.abs(flat).max(initial=0), 1 / np.maximum(length, 1e-30), 0)
    unit: npt.NDArray[np.float32] = (centred / np.sqrt(channels)).reshape(count, -1).astype(np.float32)
    return unit


def _clipped(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each image without values far from its median, so that a patch of another scale does not drown it."""
    median = np.median(images, axis=(1, 2), keepdims=True)
    spread = np.median(np.abs(images - median), axis=(1, 2), keepdims=True)
    return np.clip(images, median - 4 * spread, median + 4 * spread)
