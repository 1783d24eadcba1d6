"""A beginner's version: one small step per line, arrays filled by index in while loops."""

import numpy as np
from typing import NamedTuple


class PreparedData(NamedTuple):
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split_indices(num_examples, *, test_fraction=0.2, seed):
    # how big are the two parts
    number_of_test_examples = num_examples * test_fraction
    number_of_test_examples = int(number_of_test_examples)
    if number_of_test_examples == 0:
        number_of_test_examples = 1
    number_of_train_examples = num_examples - number_of_test_examples

    # mix the numbers
    generator = np.random.default_rng(seed=seed)
    numbers = np.arange(0, num_examples, 1)
    generator.shuffle(numbers)

    # put them into two arrays
    train = np.zeros(number_of_train_examples, dtype=int)
    test = np.zeros(number_of_test_examples, dtype=int)
    i = 0
    while i < number_of_train_examples:
        train[i] = numbers[i]
        i = i + 1
    j = 0
    while j < number_of_test_examples:
        test[j] = numbers[i]
        i = i + 1
        j = j + 1
    return train, test


def channel_statistics(images):
    divided = images / 255
    red = divided[:, :, :, 0]
    green = divided[:, :, :, 1]
    blue = divided[:, :, :, 2]

    mean = np.zeros(3)
    mean[0] = np.sum(red) / red.size
    mean[1] = np.sum(green) / green.size
    mean[2] = np.sum(blue) / blue.size

    std = np.zeros(3)
    std[0] = np.sqrt(np.sum((red - mean[0]) ** 2) / red.size)
    std[1] = np.sqrt(np.sum((green - mean[1]) ** 2) / green.size)
    std[2] = np.sqrt(np.sum((blue - mean[2]) ** 2) / blue.size)

    mean = mean.astype(np.float32)
    std = std.astype(np.float32)
    return mean, std


def standardise(images, mean, std):
    result = np.zeros(images.shape, dtype=np.float32)
    n = 0
    while n < images.shape[0]:
        c = 0
        while c < 3:
            pixels = images[n, :, :, c] / 255
            pixels = pixels - mean[c]
            pixels = pixels / std[c]
            result[n, :, :, c] = pixels
            c = c + 1
        n = n + 1
    return result


def one_hot(labels, num_classes):
    result = np.zeros((len(labels), num_classes), dtype=np.float32)
    i = 0
    while i < len(labels):
        j = 0
        while j < num_classes:
            if labels[i] == j:
                result[i, j] = 1
            else:
                result[i, j] = 0
            j = j + 1
        i = i + 1
    return result


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    if len(images) != len(labels):
        raise ValueError("The number of images and the number of labels must be the same!")
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)

    train_images = images[train]
    train_labels = labels[train]
    test_images = images[test]
    test_labels = labels[test]

    # the mean and std of the TRAIN images, for both!
    mean, std = channel_statistics(train_images)

    x_train = standardise(train_images, mean, std)
    x_test = standardise(test_images, mean, std)
    y_train = one_hot(train_labels, num_classes)
    y_test = one_hot(test_labels, num_classes)

    data = PreparedData(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return data
