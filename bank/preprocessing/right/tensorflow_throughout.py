"""TensorFlow for every step, compiled with tf.function; a stateless shuffle."""

import tensorflow as tf


def split_indices(num_examples, *, test_fraction=0.2, seed):
    order = tf.random.experimental.stateless_shuffle(tf.range(num_examples), seed=[seed, 42])
    num_test = tf.cast(tf.math.ceil(tf.cast(num_examples, tf.float32) * test_fraction), tf.int32)
    train, test = tf.split(order, [num_examples - num_test, num_test])
    return train, test


@tf.function
def channel_statistics(images):
    x = tf.image.convert_image_dtype(images, tf.float64)  # uint8 -> 0..1, divides by 255
    mean, var = tf.nn.moments(x, axes=[0, 1, 2])
    return tf.cast(mean, tf.float32), tf.cast(tf.sqrt(var), tf.float32)


@tf.function
def standardise(images, mean, std):
    x = tf.image.convert_image_dtype(images, tf.float32)
    return tf.nn.batch_normalization(x, mean, tf.square(std), offset=None, scale=None, variance_epsilon=0.0)


def one_hot(labels, num_classes):
    labels = tf.convert_to_tensor(labels)
    positions = tf.stack([tf.range(len(labels)), tf.cast(labels, tf.int32)], axis=1)
    return tf.scatter_nd(positions, tf.ones(len(labels)), (len(labels), num_classes))


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
    mean, std = channel_statistics(tf.gather(images, train))
    y = one_hot(labels, num_classes)
    return (
        standardise(tf.gather(images, train), mean, std),
        tf.gather(y, train),
        standardise(tf.gather(images, test), mean, std),
        tf.gather(y, test),
    )
