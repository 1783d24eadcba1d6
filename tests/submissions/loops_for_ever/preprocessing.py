"""one_hot never ends; the rest is right, but for prepare, which calls it."""

import numpy as np


def split_indices(num_examples, *, test_fraction=0.2, seed):
    order = np.random.default_rng(seed).permutation(num_examples)
    num_test = round(num_examples * test_fraction)
    return order[num_test:], order[:num_test]


def channel_statistics(images):
    scaled = images.astype(np.float32) / 255
    return scaled.mean(axis=(0, 1, 2)), scaled.std(axis=(0, 1, 2))


def standardise(images, mean, std):
    return ((images.astype(np.float32) / 255 - mean) / std).astype(np.float32)


def one_hot(labels, num_classes):
    encoded = np.zeros((len(labels), num_classes), np.float32)
    row = 0
    while row < len(labels):
        encoded[row, labels[row]] = 1
    return encoded


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    mean, std = channel_statistics(images[train])
    x_train, x_test = (standardise(images[part], mean, std) for part in (train, test))
    y_train, y_test = (one_hot(labels[part], num_classes) for part in (train, test))
    return x_train, y_train, x_test, y_test
