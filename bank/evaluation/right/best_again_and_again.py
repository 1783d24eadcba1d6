"""Takes the most probable class k times and strikes it out; np.add.at for the counts."""

import numpy as np
import matplotlib.pyplot as plt


def confusion_matrix(labels, predictions, num_classes):
    m = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(m, (labels, predictions), 1)
    return m


def top_k_accuracy(probabilities, labels, k):
    left = np.array(probabilities, dtype=float)  # a copy, as something is struck out below
    rows = np.arange(len(left))
    found = np.zeros(len(left), dtype=bool)
    for _ in range(k):
        best = left.argmax(axis=1)  # the first, if there are several
        found |= best == labels
        left[rows, best] = -np.inf
    print(f"top {k}: {found.sum()} of {found.size}")
    return found.mean()


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    coarse = np.zeros(fine_probabilities.shape[:1] + (int(coarse_of_fine.max()) + 1,))
    for i, row in enumerate(fine_probabilities):
        for j, p in enumerate(row):
            coarse[i, coarse_of_fine[j]] += p
    return coarse


def plot_confusion(matrix):
    plt.figure(figsize=(6, 6))
    plt.imshow(matrix, cmap="Blues")
    plt.xlabel("predicted")
    plt.ylabel("true")
    plt.colorbar()
    plt.show()


if __name__ == "__main__":
    a = np.random.randint(0, 20, 1000)
    b = np.where(np.random.rand(1000) < 0.5, a, np.random.randint(0, 20, 1000))
    plot_confusion(confusion_matrix(a, b, 20))
