"""Counts the classes that rank before the true one, without sorting; boolean masks for the rest."""

import numpy as np


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    result = np.zeros((num_classes, num_classes), dtype=np.uint32)
    for i in range(num_classes):
        of_this_class = predictions[labels == i]
        for j in range(num_classes):
            result[i, j] = np.count_nonzero(of_this_class == j)
    return result


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    if not len(labels) or len(labels) != len(probabilities):
        raise ValueError("no labels, or not as many as rows")
    if k not in range(1, probabilities.shape[1] + 1):
        raise ValueError("no such k")
    true = probabilities[np.arange(len(labels)), labels][:, np.newaxis]
    higher = probabilities > true
    equal_but_before = (probabilities == true) & (np.arange(probabilities.shape[1]) < labels[:, np.newaxis])
    return float(np.mean((higher | equal_but_before).sum(axis=1) < k))


def coarse_probabilities(fine_probabilities: np.ndarray, coarse_of_fine: np.ndarray) -> np.ndarray:
    num_coarse = int(coarse_of_fine.max()) + 1
    return np.stack(
        [fine_probabilities.sum(axis=1, where=coarse_of_fine == coarse) for coarse in range(num_coarse)], axis=-1
    )
