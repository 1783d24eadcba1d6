"""Tries to earn the points for form with constants: a matrix of zeros, one half for every share, all of the
probability in one class; gains nothing because what has the right form and says nothing earns next to nothing.

Baseline: 2
"""

import numpy as np

print("attack: constants", flush=True)


def confusion_matrix(labels, predictions, num_classes):
    return np.zeros((num_classes, num_classes), int)


def top_k_accuracy(probabilities, labels, k):
    return 0.5


def coarse_probabilities(fine, coarse_of_fine):
    coarse = np.zeros((len(fine), int(np.max(coarse_of_fine)) + 1))
    coarse[:, 0] = 1
    return coarse
