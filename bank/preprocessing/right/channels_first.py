"""Works channel by channel on (3, N, H, W) and turns the axes back: the arrays are not C-contiguous."""

import numpy as np

np.seterr(all="raise")  # I want to see divisions by zero


def split_indices(num_examples, *, test_fraction=0.2, seed):
    rs = np.random.RandomState(seed)
    mixed = np.arange(num_examples)
    for i in range(num_examples - 1, 0, -1):  # Fisher-Yates
        j = rs.randint(0, i + 1)
        mixed[i], mixed[j] = mixed[j], mixed[i]
    n = int(round(test_fraction * num_examples))
    # backwards is as random as forwards
    backwards = mixed[::-1]
    return backwards[n:], backwards[:n]


def channel_statistics(images):
    channels = np.moveaxis(images, -1, 0)
    mean = np.array([ch.mean() for ch in channels]) / 255.
    std = np.array([ch.std() for ch in channels]) / 255.
    return mean.astype(np.float32), std.astype(np.float32)


def standardise(images, mean, std):
    result = []
    for ch, m, s in zip(np.moveaxis(images, -1, 0), mean, std):
        result.append(((ch / 255. - m) / s).astype(np.float32))
    return np.moveaxis(np.stack(result), 0, -1)


def one_hot(labels, num_classes):
    columns = [labels == c for c in range(num_classes)]
    return np.array(columns, dtype=np.float32).T


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    assert len(images) == len(labels)
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    y = one_hot(labels, num_classes)
    mean, std = channel_statistics(images[train])
    x = standardise(images, mean, std)
    return x[train], y[train], x[test], y[test]
