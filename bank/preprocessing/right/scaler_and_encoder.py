"""scikit-learn for every step: ShuffleSplit, StandardScaler, OneHotEncoder."""

from collections import namedtuple

import numpy as np
from sklearn.model_selection import ShuffleSplit
from sklearn.preprocessing import OneHotEncoder, StandardScaler

PreparedData = namedtuple("PreparedData", "x_train y_train x_test y_test")


def _as_table(images):
    """(N, H, W, 3) -> (N * H * W, 3), one pixel per row, which is what scikit-learn wants"""
    return images.reshape(-1, 3) / 255


def split_indices(num_examples, *, test_fraction=0.2, seed):
    splitter = ShuffleSplit(n_splits=1, test_size=test_fraction, random_state=seed)
    return next(splitter.split(np.empty(num_examples)))


def channel_statistics(images):
    scaler = StandardScaler().fit(_as_table(images))
    return scaler.mean_.astype(np.float32), np.sqrt(scaler.var_).astype(np.float32)


def standardise(images, mean, std):
    scaler = StandardScaler()
    # no fit() here, the numbers are given
    scaler.mean_ = mean
    scaler.scale_ = std
    scaler.var_ = std**2
    scaler.n_features_in_ = 3
    scaled = scaler.transform(_as_table(images))
    return scaled.reshape(images.shape).astype(np.float32)


def one_hot(labels, num_classes):
    encoder = OneHotEncoder(categories=[np.arange(num_classes)], sparse_output=False, dtype=np.float32)
    # int64, because the labels 0 to 255 of uint8 are not enough for arange(num_classes) to be cast to
    return encoder.fit_transform(labels.reshape(-1, 1).astype(np.int64))


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    scaler = StandardScaler()
    x_train = scaler.fit_transform(_as_table(images[train])).reshape(images[train].shape)
    x_test = scaler.transform(_as_table(images[test])).reshape(images[test].shape)
    y = one_hot(labels, num_classes)
    return PreparedData(
        x_train=x_train.astype(np.float32), y_train=y[train], x_test=x_test.astype(np.float32), y_test=y[test]
    )
