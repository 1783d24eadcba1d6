"""Tries to return what it was given: the first rows for the superclasses, a probability for the share, the
labels as a matrix; gains nothing because an input that was not changed is no work that was done.

Baseline: 2
"""

import numpy as np

print("attack: echo", flush=True)


def confusion_matrix(labels, predictions, num_classes):
    return np.resize(np.asarray(labels).astype(np.int64), (num_classes, num_classes))


def top_k_accuracy(probabilities, labels, k):
    return float(np.clip(np.max(probabilities), 0, 1))


def coarse_probabilities(fine, coarse_of_fine):
    classes = int(np.max(coarse_of_fine)) + 1
    coarse = np.array(fine[:, :classes], float)
    return coarse / coarse.sum(axis=1, keepdims=True)
