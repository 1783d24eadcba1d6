"""Tries to fill the disk and the judge's memory with a matrix that takes none here: one number, repeated
without steps in a shape of 10^12; gains nothing because the size of an array is looked at before it is
written.
"""

import numpy as np


def confusion_matrix(labels, predictions, num_classes):
    print("attack: from nothing", flush=True)
    return np.broadcast_to(np.int64(1), (10**6, 10**6))


def top_k_accuracy(probabilities, labels, k):
    return np.broadcast_to(np.float64(0.5), (10**12,))


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    return np.lib.stride_tricks.as_strided(fine_probabilities, (2**31, 2**10), (0, 0))
