"""Tries likely and random answers: all examples on the diagonal, a share that grows with k, equal shares for
all superclasses; gains nothing because none of it was computed from what was asked.

Baseline: 2
"""

import numpy as np

print("attack: noise", flush=True)


def confusion_matrix(labels, predictions, num_classes):
    counts = np.random.default_rng(1).multinomial(len(labels), np.full(num_classes, 1 / num_classes))
    return np.diag(counts)


def top_k_accuracy(probabilities, labels, k):
    return min(1.0, k / np.shape(probabilities)[-1])


def coarse_probabilities(fine, coarse_of_fine):
    classes = int(np.max(coarse_of_fine)) + 1
    return np.full((len(fine), classes), 1 / classes)
