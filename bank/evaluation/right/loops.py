"""Loops and lists, sorted with a key; nothing is vectorised."""

import numpy as np


def confusion_matrix(labels, predictions, num_classes):
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for label, prediction in zip(labels, predictions):
        matrix[label][prediction] += 1
    return np.array(matrix)


def top_k_accuracy(probabilities, labels, k):
    right = 0
    for row, label in zip(probabilities, labels):
        first = sorted(range(len(row)), key=lambda c: (-row[c], c))[:k]
        right += label in first
    return right / len(labels)


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    coarse = np.zeros((len(fine_probabilities), int(max(coarse_of_fine)) + 1))
    for fine, group in enumerate(coarse_of_fine):
        coarse[:, group] += fine_probabilities[:, fine]
    return coarse
