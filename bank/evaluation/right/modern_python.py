"""match, the walrus, PEP 604 hints, a frozen dataclass and a class with all the ranking in it."""

from dataclasses import dataclass
from functools import cached_property
from itertools import starmap
from typing import Any, Literal, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Axis: TypeAlias = Literal[0, 1] | None


@dataclass(frozen=True)
class Ranking:
    """The classes of each row, from the most to the least probable one."""

    probabilities: Array

    def __post_init__(self) -> None:
        match self.probabilities.shape:
            case (0, _):
                raise ValueError("there are no rows")
            case (_, _):
                pass
            case shape:
                raise ValueError(f"expected (N, num_classes), got {shape}")

    @cached_property
    def classes(self) -> Array:
        return np.argsort(np.negative(self.probabilities), axis=1, kind="stable")

    @cached_property
    def ranks(self) -> Array:
        """(N, num_classes): the inverse permutation, 0 for the most probable class."""
        ranks = np.empty_like(self.classes)
        np.put_along_axis(ranks, self.classes, np.arange(self.classes.shape[1])[None], axis=1)
        return ranks

    def of(self, labels: Array) -> Array:
        return np.take_along_axis(self.ranks, labels.astype(np.intp)[:, None], axis=1).squeeze(axis=1)


def _count(axis: Axis, mask: Array) -> Array:
    return np.count_nonzero(mask, axis=axis)


def confusion_matrix(labels: Array, predictions: Array, num_classes: int) -> Array:
    match labels.shape, predictions.shape:
        case (n,), (m,) if n == m:
            pass
        case other:
            raise ValueError(f"not of one shape (N,): {other}")
    every = range(num_classes)
    cells = starmap(lambda i, j: _count(None, (labels == i) & (predictions == j)), ((i, j) for i in every for j in every))
    return np.fromiter(cells, dtype=np.int32, count=num_classes**2).reshape(num_classes, -1)


def top_k_accuracy(probabilities: Array, labels: Array, k: int) -> float:
    if (rows := len(probabilities)) != (given := len(labels)):
        raise ValueError(f"{rows} rows, {given} labels")
    if not 1 <= k <= (most := probabilities.shape[-1]):
        raise ValueError(f"k must be from 1 to {most}, not {k}")
    return float(np.mean(Ranking(probabilities).of(labels) < k))


def coarse_probabilities(fine_probabilities: Array, coarse_of_fine: Array) -> Array:
    if (columns := fine_probabilities.shape[1]) != coarse_of_fine.size:
        raise ValueError(f"{columns} columns, {coarse_of_fine.size} superclasses")
    groups = [np.flatnonzero(coarse_of_fine == group) for group in range(int(coarse_of_fine.max()) + 1)]
    return np.concatenate([fine_probabilities[:, g].sum(axis=1, keepdims=True) for g in groups], axis=1)
