"""Everything is a product of one-hot matrices."""

import numpy as np


def _one_hot(numbers: np.ndarray, size: int) -> np.ndarray:
    return (numbers[:, None] == np.arange(size)[None, :]).astype(np.int32)


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """(num_classes, N) x (N, num_classes)"""
    return _one_hot(labels, num_classes).T @ _one_hot(predictions, num_classes)


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    num_classes = probabilities.shape[1]
    # sort upwards with the classes the other way round, then read backwards: of equals the lower one first
    backwards = np.argsort(probabilities[:, ::-1], axis=1, kind="mergesort")[:, ::-1]
    best = (num_classes - 1 - backwards)[:, :k]
    in_best = sum(_one_hot(best[:, rank], num_classes) for rank in range(k))  # (N, num_classes), 0 or 1
    return float((in_best * _one_hot(labels, num_classes)).sum() / len(labels))


def coarse_probabilities(fine_probabilities: np.ndarray, coarse_of_fine: np.ndarray) -> np.ndarray:
    num_coarse = int(coarse_of_fine.max()) + 1
    return np.einsum("nf,fc->nc", fine_probabilities, _one_hot(coarse_of_fine, num_coarse))
