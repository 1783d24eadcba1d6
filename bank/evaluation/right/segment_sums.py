"""tf.function and segment sums, keras.metrics for the accuracy; a mix of tensors and floats."""

import keras
import tensorflow as tf


def confusion_matrix(labels, predictions, num_classes):
    cells = tf.cast(labels, tf.int32) * num_classes + tf.cast(predictions, tf.int32)
    counts = tf.math.bincount(cells, minlength=num_classes * num_classes, maxlength=num_classes * num_classes)
    return tf.reshape(counts, (num_classes, num_classes))


@tf.function
def _scores_without_ties(probabilities):
    order = tf.math.top_k(probabilities, k=tf.shape(probabilities)[1]).indices  # equals: lower index first
    return -tf.cast(tf.math.invert_permutation(order[0]), tf.float32)


def top_k_accuracy(probabilities, labels, k):
    scores = tf.stack([_scores_without_ties(row[None]) for row in tf.convert_to_tensor(probabilities)])
    metric = keras.metrics.SparseTopKCategoricalAccuracy(k=k)
    metric.update_state(tf.cast(labels, tf.int32), scores)
    return metric.result()


@tf.function
def _sums(columns, groups, num_groups):
    return tf.transpose(tf.math.unsorted_segment_sum(columns, groups, num_groups))


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    groups = tf.cast(coarse_of_fine, tf.int32)
    return _sums(tf.transpose(fine_probabilities), groups, tf.reduce_max(groups) + 1)
