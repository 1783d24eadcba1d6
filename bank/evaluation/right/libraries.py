"""scikit-learn's confusion_matrix, accuracy_score and top_k_accuracy_score, and np.add.at."""

import numpy as np
from sklearn import metrics


def confusion_matrix(labels, predictions, num_classes):
    return metrics.confusion_matrix(labels, predictions, labels=range(num_classes)).astype("uint32")


def top_k_accuracy(probabilities, labels, k):
    classes = np.arange(probabilities.shape[1])
    if k == len(classes):  # scikit-learn only warns here
        return 1
    if k == 1:  # argmax takes the first of equals
        return metrics.accuracy_score(labels, probabilities.argmax(axis=1))
    # scikit-learn ranks the higher class number first, so count the classes from the other end
    turned = len(classes) - 1 - labels.astype(int)
    return metrics.top_k_accuracy_score(turned, probabilities[:, ::-1], k=k, labels=classes)


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    coarse = np.zeros((int(coarse_of_fine.max()) + 1, len(fine_probabilities)), "float32")
    np.add.at(coarse, coarse_of_fine, fine_probabilities.T)
    return coarse.T
