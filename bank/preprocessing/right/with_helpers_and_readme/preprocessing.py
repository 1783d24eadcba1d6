"""The work is done in helpers.py, which imports Keras only where it needs it; a README.txt lies beside it."""

from typing import NamedTuple

import numpy as np

import helpers
from helpers import *


class PreparedData(NamedTuple):
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def one_hot(labels, num_classes):
    return helpers.to_rows(labels, num_classes)


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    if len(images) != len(labels):
        raise ValueError("lengths differ")
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    stats = channel_statistics(images[train])
    (x_train, x_test) = [standardise(images[part], *stats) for part in (train, test)]
    (y_train, y_test) = [one_hot(labels[part], num_classes) for part in (train, test)]
    return PreparedData(x_train, y_train, x_test, y_test)
