"""Three files and a report: evaluation.py only puts together what counting.py and ranking.py hold."""

import numpy as np
from counting import add_up, count_cells
from ranking import best_classes


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    labels, predictions = map(np.asarray, (labels, predictions))
    if labels.ndim != 1 or labels.shape != predictions.shape:
        raise ValueError(f"shapes {labels.shape} and {predictions.shape}")
    return count_cells(labels, predictions, num_classes)


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    if len(labels) == 0 or len(labels) != len(probabilities):
        raise ValueError("labels do not match the rows")
    best = best_classes(probabilities, k)
    return sum(label in row for label, row in zip(labels.tolist(), best)) / len(labels)


def coarse_probabilities(fine_probabilities: np.ndarray, coarse_of_fine: np.ndarray) -> np.ndarray:
    if coarse_of_fine.shape != fine_probabilities.shape[1:]:
        raise ValueError("superclasses do not match the columns")
    return add_up(fine_probabilities, coarse_of_fine)
