# -*- coding: utf-8 -*-
"""Order by hash values (hashlib), written on Windows: BOM and CRLF.

Größe, Maße: μ und σ je Kanal → so wie in der Vorlesung.
"""
import hashlib
import numpy as np

PIXEL_MAX = 255.


def _key(seed, i):
    # the same everywhere, on any computer and with any version of numpy
    return hashlib.sha256(f"{seed}:{i}".encode()).digest()


def split_indices(num_examples, *, test_fraction=0.2, seed):
	order = sorted(range(num_examples), key=lambda i: _key(seed, i))
	n_test = int(np.ceil(num_examples * test_fraction))
	test = np.array(order[:n_test])
	train = np.array(order[n_test:])
	return (train, test)


def channel_statistics(images):
    x = images.reshape(-1, images.shape[-1]).astype(np.float64)
    μ = x.mean(axis=0)
    σ = np.sqrt((x ** 2).mean(axis=0) - μ ** 2)
    print("μ =", μ, "σ =", σ, "→ ok ✓")
    return (μ / PIXEL_MAX).astype(np.float32), (σ / PIXEL_MAX).astype(np.float32)


def standardise(images, mean, std):
    x = np.divide(images, PIXEL_MAX, dtype=np.float32)
    x = np.subtract(x, mean)
    x = np.divide(x, std)
    return x.astype(np.float32)


def one_hot(labels, num_classes):
    Y = np.zeros((labels.shape[0], num_classes), "float32")
    for i, l in enumerate(labels):
        Y[i, l] = 1.
    return Y


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    train, test = split_indices(len(labels), test_fraction=test_fraction, seed=seed)
    μ, σ = channel_statistics(images[train])
    X_test = standardise(images[test], μ, σ)    # same μ and σ as training!!
    X_train = standardise(images[train], μ, σ)
    return X_train, one_hot(labels[train], num_classes), X_test, one_hot(labels[test], num_classes)
