"""collections.Counter and dictionaries: plain Python until the last line of each function."""

from collections import Counter, defaultdict

import numpy as np


def confusion_matrix(labels, predictions, num_classes):
    counts = Counter(zip(labels.tolist(), predictions.tolist()))
    return np.array([[counts[i, j] for j in range(num_classes)] for i in range(num_classes)])


def top_k_accuracy(probabilities, labels, k):
    correct = Counter()
    for row, true in zip(probabilities.tolist(), labels.tolist()):
        by_probability = defaultdict(list)
        for number, p in enumerate(row):
            by_probability[p].append(number)
        ranking = []
        for p in sorted(by_probability, reverse=True):
            ranking += by_probability[p]  # these are in order of their numbers
        correct[true in ranking[:k]] += 1
    return correct[True] / sum(correct.values())


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    members = defaultdict(list)
    for fine, coarse in enumerate(coarse_of_fine.tolist()):
        members[coarse].append(fine)
    columns = [fine_probabilities[:, members[c]].sum(axis=1) for c in range(max(members) + 1)]
    return np.column_stack(columns)
