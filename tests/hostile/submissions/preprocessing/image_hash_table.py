"""Tries to look the answers up in a table by the hash of the images, made from runs with other seeds; gains
nothing because inputs are drawn afresh for each run, so that no table has them.
"""

import hashlib
import json

import numpy as np

TABLE = {hashlib.sha256(bytes([n])).hexdigest(): [n] * 3 for n in range(256)}


def _look_up(value):
    key = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    print("attack: looking up", key[:8], flush=True)
    return TABLE[key]


def split_indices(num_examples, *, test_fraction=0.2, seed):
    return tuple(_look_up(np.array([num_examples, seed])))


def channel_statistics(images):
    return _look_up(images)


def standardise(images, mean, std):
    return _look_up(images)


def one_hot(labels, num_classes):
    return _look_up(labels)


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    return _look_up(images)
