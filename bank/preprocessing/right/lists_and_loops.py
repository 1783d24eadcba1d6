"""Loops and lists, the random module, no NumPy trick."""

import math
import random

import numpy as np


def split_indices(num_examples, *, test_fraction=0.2, seed):
    order = list(range(num_examples))
    random.Random(seed).shuffle(order)
    cut = round(num_examples * test_fraction)
    return [order[cut:], order[:cut]]


def channel_statistics(images):
    sums = [0, 0, 0]
    squares = [0, 0, 0]
    count = 0
    for image in images.tolist():
        for row in image:
            for pixel in row:
                count += 1
                for c in range(3):
                    sums[c] += pixel[c]
                    squares[c] += pixel[c] ** 2
    means = []
    deviations = []
    for c in range(3):
        mean = sums[c] / count
        variance = squares[c] / count - mean**2
        means.append(mean / 255)
        deviations.append(math.sqrt(max(variance, 0)) / 255)
    return np.array(means, dtype="float32"), np.array(deviations, dtype="float32")


def standardise(images, mean, std):
    result = []
    for image in images:
        new_image = np.empty(image.shape, dtype="float32")
        for c in range(3):
            new_image[:, :, c] = (image[:, :, c] / 255 - mean[c]) / std[c]
        result.append(new_image)
    return np.array(result)


def one_hot(labels, num_classes):
    rows = [[float(c == label) for c in range(num_classes)] for label in labels]
    return np.array(rows, dtype="float32")


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    train_images = np.array([images[i] for i in train])
    test_images = np.array([images[i] for i in test])
    train_labels = [labels[i] for i in train]
    test_labels = [labels[i] for i in test]
    mean, std = channel_statistics(train_images)
    return (
        standardise(train_images, mean, std),
        one_hot(train_labels, num_classes),
        standardise(test_images, mean, std),
        one_hot(test_labels, num_classes),
    )
