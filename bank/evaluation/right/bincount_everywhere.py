"""np.bincount for all three: counts of pairs, counts of ranks, sums with weights."""

from __future__ import annotations

import numpy as np


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ValueError("labels and predictions must be of one shape (N,)")
    pairs = np.stack([labels, predictions]).astype(np.int64)
    if pairs.size and (pairs.min() < 0 or pairs.max() >= num_classes):
        raise ValueError("there is a number that is no class")
    shape = (num_classes, num_classes)
    return np.bincount(np.ravel_multi_index(tuple(pairs), shape), minlength=num_classes**2).reshape(shape)


def _ranks(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many classes come before the true one, (N,)."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return np.argmax(order == labels[:, None], axis=1)


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    num_examples, num_classes = probabilities.shape
    if num_examples == 0 or len(labels) != num_examples:
        raise ValueError("there must be a label for each row, and one at least")
    if not 1 <= k <= num_classes:
        raise ValueError(f"k must be from 1 to {num_classes}")
    curve = np.bincount(_ranks(probabilities, labels), minlength=num_classes).cumsum() / num_examples
    return curve[k - 1]


def coarse_probabilities(fine_probabilities: np.ndarray, coarse_of_fine: np.ndarray) -> np.ndarray:
    if len(coarse_of_fine) != fine_probabilities.shape[1]:
        raise ValueError("there must be a superclass for each column")
    groups = coarse_of_fine.astype(np.int64)
    return np.apply_along_axis(lambda row: np.bincount(groups, weights=row), 1, fine_probabilities)
