"""A 2-D histogram for the confusion matrix, np.lexsort for the ranking, np.add.reduceat for the sums."""
import numpy as np


def confusion_matrix(labels, predictions, num_classes):
    edges = np.arange(num_classes + 1) - 0.5
    counts, _, _ = np.histogram2d(labels, predictions, bins=[edges, edges])
    return counts.astype(int)


def top_k_accuracy(probabilities, labels, k):
    n, num_classes = probabilities.shape
    # sort by row, then by probability (highest first), then by class
    rows, classes = np.indices(probabilities.shape)
    order = np.lexsort((classes.ravel(), -probabilities.ravel(), rows.ravel()))
    ranked = classes.ravel()[order].reshape(n, num_classes)
    hits = 0
    for i in range(n):
        if np.isin(labels[i], ranked[i, :k]):
            hits += 1
    return np.float64(hits) / n


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    # bring classes of one superclass next to each other and add up each block
    order = np.argsort(coarse_of_fine)
    present, starts = np.unique(coarse_of_fine[order], return_index=True)
    result = np.zeros((fine_probabilities.shape[0], int(coarse_of_fine.max()) + 1), fine_probabilities.dtype)
    result[:, present] = np.add.reduceat(fine_probabilities[:, order], starts, axis=1)
    return result
