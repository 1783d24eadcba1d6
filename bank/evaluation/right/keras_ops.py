"""keras.ops: scatter, top_k and segment_sum, brought back to NumPy at the end."""

import keras
import numpy as np
from keras import ops


def confusion_matrix(labels, predictions, num_classes):
    pairs = ops.stack([ops.cast(labels, "int32"), ops.cast(predictions, "int32")], axis=1)
    ones = ops.ones((len(labels),), dtype="int32")
    return ops.convert_to_numpy(ops.scatter(pairs, ones, (num_classes, num_classes)))


def top_k_accuracy(probabilities, labels, k):
    labels = ops.cast(labels, "int32")
    if k == 1:
        predicted = ops.cast(ops.argmax(probabilities, axis=-1), "int32")  # the first of equals
        return float(ops.mean(ops.cast(predicted == labels, "float32")))
    _, best = ops.top_k(probabilities, k=k)  # of equals the lower index comes first, says TensorFlow
    found = ops.any(ops.expand_dims(labels, 1) == ops.cast(best, "int32"), axis=1)
    return float(ops.mean(ops.cast(found, "float32")))


def coarse_probabilities(fine_probabilities, coarse_of_fine):
    num_coarse = int(np.max(coarse_of_fine)) + 1
    sums = ops.segment_sum(
        ops.transpose(fine_probabilities), ops.cast(coarse_of_fine, "int32"), num_segments=num_coarse
    )
    return ops.convert_to_numpy(ops.transpose(sums))


if __name__ == "__main__":
    print(keras.__version__, keras.backend.backend())
    print(confusion_matrix(np.array([0, 0, 2]), np.array([0, 2, 2]), 3))
    print(top_k_accuracy(np.array([[0.5, 0.3, 0.2], [0.6, 0.2, 0.2]]), np.array([1, 2]), 2))
