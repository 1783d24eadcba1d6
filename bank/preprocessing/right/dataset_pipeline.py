"""A tf.data pipeline: shuffled, cut with take and skip, and standardised in map."""

import numpy as np
import tensorflow as tf

AUTOTUNE = tf.data.AUTOTUNE


def _shuffled(dataset, count, seed):
    # the buffer must hold everything, or classes stay together
    return dataset.shuffle(buffer_size=count, seed=seed, reshuffle_each_iteration=False)


def split_indices(num_examples: int, *, test_fraction: float = 0.2, seed: int):
    indices = _shuffled(tf.data.Dataset.range(num_examples), num_examples, seed)
    num_test = int(num_examples * test_fraction)
    test = np.fromiter(indices.take(num_test).as_numpy_iterator(), dtype=np.int64)
    train = np.fromiter(indices.skip(num_test).as_numpy_iterator(), dtype=np.int64)
    return train, test


def channel_statistics(images: np.ndarray):
    count, total, squares = 0.0, np.zeros(3), np.zeros(3)
    for batch in tf.data.Dataset.from_tensor_slices(images).batch(32):
        x = tf.cast(batch, tf.float64) / 255
        count += float(tf.size(x)) / 3
        total += tf.reduce_sum(x, axis=(0, 1, 2)).numpy()
        squares += tf.reduce_sum(x * x, axis=(0, 1, 2)).numpy()
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return mean.astype("float32"), std.astype("float32")


def standardise(images: np.ndarray, mean: np.ndarray, std: np.ndarray):
    def scale(image):
        return (tf.cast(image, tf.float32) / 255 - mean) / std

    pipeline = tf.data.Dataset.from_tensor_slices(images).map(scale, num_parallel_calls=AUTOTUNE).batch(64)
    return np.concatenate(list(pipeline.as_numpy_iterator()))


def one_hot(labels: np.ndarray, num_classes: int):
    return tf.one_hot(labels.astype("int64"), depth=num_classes, on_value=1.0, off_value=0.0).numpy()


def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    count = len(images)
    num_test = int(count * test_fraction)
    both = tf.data.Dataset.from_tensor_slices((images, labels))
    both = _shuffled(both, count, seed)
    ((raw_test, labels_test),) = both.take(num_test).batch(count).as_numpy_iterator()
    ((raw_train, labels_train),) = both.skip(num_test).batch(count).as_numpy_iterator()
    mean, std = channel_statistics(raw_train)
    return (
        standardise(raw_train, mean, std),
        one_hot(labels_train, num_classes),
        standardise(raw_test, mean, std),
        one_hot(labels_test, num_classes),
    )
