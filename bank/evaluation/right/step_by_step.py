"""A beginner's version: one small step per line, prints left in, selection sort by hand."""

import numpy as np


def confusion_matrix(labels, predictions, num_classes):
    if len(labels) != len(predictions):
        raise ValueError("labels and predictions must have the same length")
    matrix = np.zeros((num_classes, num_classes))
    for n in range(len(labels)):
        row = int(labels[n])
        column = int(predictions[n])
        matrix[row][column] += 1
    matrix = matrix.astype(int)  # np.zeros makes floats
    return matrix


def sort_classes(row):
    """Gives back the class numbers, the one with the highest probability first."""
    numbers = []
    used = [False] * len(row)
    for position in range(len(row)):
        best = -1
        for c in range(len(row)):
            if used[c]:
                continue
            if best == -1 or row[c] > row[best]:  # not >=, so that the lower number wins
                best = c
        used[best] = True
        numbers.append(best)
    return numbers


def top_k_accuracy(probabilities, labels, k):
    correct = 0
    wrong = 0
    for n in range(len(labels)):
        ranking = sort_classes(probabilities[n])
        top = ranking[0:k]
        if labels[n] in top:
            correct = correct + 1
        else:
            wrong = wrong + 1
    accuracy = correct / (correct + wrong)
    print("k", k, "correct", correct, "wrong", wrong, "accuracy", accuracy)
    return accuracy


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    number_of_images = fine_probabilities.shape[0]
    number_of_fine = fine_probabilities.shape[1]

    # the biggest number plus one
    number_of_coarse = 0
    for f in range(number_of_fine):
        if coarse_of_fine[f] >= number_of_coarse:
            number_of_coarse = int(coarse_of_fine[f]) + 1

    result = np.zeros([number_of_images, number_of_coarse])
    for n in range(number_of_images):
        for c in range(number_of_coarse):
            total = 0
            for f in range(number_of_fine):
                if coarse_of_fine[f] == c:
                    total = total + fine_probabilities[n, f]
            result[n, c] = total
    return result


#print(top_k_accuracy(np.array([[0.5, 0.3, 0.2], [0.6, 0.2, 0.2]]), np.array([1, 2]), 2))
#print(coarse_probabilities(np.array([[0.5, 0.125, 0.375]]), np.array([1, 0, 1])))
