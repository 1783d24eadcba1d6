"""heapq.nlargest, itertools.groupby and np.unique of pairs."""

import heapq
from itertools import groupby
from math import fsum
from operator import itemgetter
from statistics import mean

import numpy as np


def confusion_matrix(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    pairs, counts = np.unique(np.column_stack([labels, predictions]), axis=0, return_counts=True)
    for (true, predicted), count in zip(pairs, counts, strict=True):
        matrix[true, predicted] = count
    return matrix


def top_k_accuracy(probabilities, labels, k):
    def is_right(row, label):
        # nlargest is like sorted(..., reverse=True), which keeps equals in their order
        return label in heapq.nlargest(k, range(len(row)), key=row.__getitem__)

    return mean(float(is_right(r, l)) for r, l in zip(probabilities.tolist(), labels.tolist()))


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    by_group = sorted(enumerate(coarse_of_fine.tolist()), key=itemgetter(1))
    result = np.zeros((len(fine_probabilities), by_group[-1][1] + 1))
    for group, members in groupby(by_group, key=itemgetter(1)):
        columns = [fine for fine, _ in members]
        result[:, group] = [fsum(row[columns]) for row in fine_probabilities]
    return result
