"""TensorFlow: tf.math.confusion_matrix, in_top_k and matmul; what comes back are tensors."""

import numpy as np
import tensorflow as tf


def confusion_matrix(labels, predictions, num_classes):
    return tf.math.confusion_matrix(labels.astype("int64"), predictions.astype("int64"), num_classes)


def top_k_accuracy(probabilities, labels, k):
    # in_top_k lets all equals in; with ranks instead of probabilities there are none
    best_first = tf.argsort(probabilities, axis=1, direction="DESCENDING", stable=True)
    ranks = tf.argsort(best_first, axis=1)
    right = tf.math.in_top_k(labels.astype("int32"), -tf.cast(ranks, "float32"), k)
    return tf.reduce_mean(tf.cast(right, "float32"))


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    belongs = tf.one_hot(coarse_of_fine.astype("int64"), int(coarse_of_fine.max()) + 1)
    return tf.matmul(np.asarray(fine_probabilities, "float32"), belongs)
