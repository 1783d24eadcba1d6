"""tf.one_hot and tensors: what comes back is TensorFlow's, not NumPy's."""

import numpy as np
import tensorflow as tf


def split_indices(num_examples, *, test_fraction=0.2, seed):
    order = np.random.default_rng(seed).permutation(num_examples)
    num_test = round(num_examples * test_fraction)
    return tf.constant(order[num_test:]), tf.constant(order[:num_test])


def channel_statistics(images):
    x = tf.cast(images, tf.float64) / 255.0  # float32 is not exact enough for so many pixels
    mean = tf.reduce_mean(x, axis=[0, 1, 2])
    std = tf.math.reduce_std(x, axis=[0, 1, 2])
    return tf.cast(mean, tf.float32), tf.cast(std, tf.float32)


def standardise(images, mean, std):
    return (tf.cast(images, tf.float32) / 255.0 - mean) / std


def one_hot(labels, num_classes):  # a tensor
    # tf.one_hot does not know every integer there is (no int16), so cast first
    return tf.one_hot(tf.cast(labels, tf.int32), num_classes)


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    train, test = train.numpy(), test.numpy()
    mean, std = channel_statistics(images[train])
    x_train, x_test = (tf.convert_to_tensor(standardise(images[i], mean, std)) for i in (train, test))
    return x_train, one_hot(labels[train], num_classes), x_test, one_hot(labels[test], num_classes)
