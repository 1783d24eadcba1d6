"""Keras layers do the arithmetic: Rescaling, Normalization, keras.ops and keras.random."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def split_indices(num_examples: int, *, test_fraction: float = 0.2, seed: int):
    shuffled = keras.random.shuffle(ops.arange(num_examples, dtype="int32"), seed=seed)
    shuffled = ops.convert_to_numpy(shuffled)
    n_test = int(num_examples * test_fraction + 0.5)
    return shuffled[n_test:], shuffled[:n_test]


def channel_statistics(images: np.ndarray):
    scaled = ops.cast(images, "float32") / 255
    # image by image first: one float32 sum over all pixels at once comes out far too small
    mean = ops.mean(ops.mean(scaled, axis=(1, 2)), axis=0)
    variance = ops.mean(ops.mean(ops.square(scaled - mean), axis=(1, 2)), axis=0)
    return ops.convert_to_numpy(mean), ops.convert_to_numpy(ops.sqrt(variance))


def standardise(images: np.ndarray, mean: np.ndarray, std: np.ndarray):
    scaled = layers.Rescaling(1 / 255)(images)
    normalise = layers.Normalization(axis=-1, mean=mean, variance=np.square(std))
    return np.array(normalise(scaled))


def one_hot(labels: np.ndarray, num_classes: int):
    encoding = ops.one_hot(ops.cast(labels, "int32"), num_classes, dtype="float32")
    return ops.convert_to_numpy(encoding)


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)

    rescale = layers.Rescaling(1 / 255)
    normalise = layers.Normalization(axis=-1)
    batches = tf.data.Dataset.from_tensor_slices(images[train]).batch(64).map(rescale)
    normalise.adapt(batches)  # only the training images!

    def encode(which):
        x = normalise(rescale(images[which]))
        return ops.convert_to_numpy(x), one_hot(labels[which], num_classes)

    return (*encode(train), *encode(test))


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    fake = rng.integers(0, 256, size=(50, 32, 32, 3), dtype=np.uint8)
    x_train, y_train, x_test, y_test = prepare(fake, rng.integers(0, 10, 50), 10, seed=3)
    print(x_train.shape, y_train.shape, x_test.shape, y_test.shape)
    print("train", x_train.mean(axis=(0, 1, 2)), x_train.std(axis=(0, 1, 2)))
    print("test ", x_test.mean(axis=(0, 1, 2)), x_test.std(axis=(0, 1, 2)))
