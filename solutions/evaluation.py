"""Task 5: what a trained network gets right, which classes it confuses, and how sure it is.

Everything here is computed from two arrays: the class numbers of the examples, and the network's predictions
for them. NumPy is enough.
"""

import numpy as np


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts how often each class was predicted as each other class.

    Rows are the true classes, columns the predicted ones: entry [i, j] is the number of examples of class i
    that were predicted as class j. Correct predictions are on the diagonal.

    Args:
        labels: the true classes: integers of any dtype, shape (N,), from 0 to `num_classes - 1`. Not every
            class need occur. It is not changed.
        predictions: the predicted classes, as class numbers too; dtype and shape as for `labels`. It is not
            changed.
        num_classes: how many classes there are.

    Returns:
        integers (num_classes, num_classes): counts, which add up to N.

    Raises:
        ValueError: if `labels` and `predictions` do not have the same shape (N,), or a number is not a class.

    Example:
        >>> confusion_matrix(np.array([0, 0, 2]), np.array([0, 2, 2]), num_classes=3)
        array([[1, 0, 1],
               [0, 0, 0],
               [0, 0, 1]])
    """
    # BEGIN SOLUTION
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape:
        raise ValueError(
            "`labels` and `predictions` must have one shape (N,). "
            f"Received: labels.shape={labels.shape}, predictions.shape={predictions.shape}"
        )
    for name, numbers in (("labels", labels), ("predictions", predictions)):
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < num_classes:
            raise ValueError(
                f"`{name}` must be from 0 to num_classes - 1. Received: {name} from {numbers.min()} to "
                f"{numbers.max()}, num_classes={num_classes}"
            )
    # One number for each pair, in int64: uint8, as labels are stored, ends at 255.
    cells = labels.astype(np.int64) * num_classes + predictions.astype(np.int64)
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)
    # END SOLUTION


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Measures the share of examples whose true class is among the k most probable classes.

    With k = 1 this is the accuracy. If two classes are equally probable, the one with the lower number ranks
    first: with k = 1, a network that gives all classes the same probability is right only about class 0.

    Args:
        probabilities: float (N, num_classes), a row for each example. Rows need not add up to 1. It is not
            changed.
        labels: the true classes: integers of any dtype, shape (N,), from 0 to `num_classes - 1`. It is not
            changed.
        k: how many classes count, from 1 to `num_classes`.

    Returns:
        a share from 0 to 1.

    Raises:
        ValueError: if there are not as many labels as rows, if there are no labels, or if `k` is not
            from 1 to `num_classes`.

    Example:
        >>> probabilities = np.array([[0.5, 0.3, 0.2], [0.6, 0.2, 0.2]])
        >>> labels = np.array([1, 2])
        >>> top_k_accuracy(probabilities, labels, 2)  # in the second row class 1 ranks before class 2
        0.5
    """
    # BEGIN SOLUTION
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not labels.size:
        raise ValueError(
            "There must be a label for each row of `probabilities`, (N, num_classes), and one at least. "
            f"Received: probabilities.shape={probabilities.shape}, labels.shape={labels.shape}"
        )
    if not 1 <= k <= probabilities.shape[1]:
        raise ValueError(f"`k` must be from 1 to {probabilities.shape[1]}, the classes. Received: k={k}")
    # A stable sort leaves equals in their order, the lower number first; of -p, since it sorts upwards.
    ranked = np.argsort(-probabilities, axis=1, kind="stable")  # (N, num_classes), most probable first
    return float(np.mean((ranked[:, :k] == labels[:, None]).any(axis=1)))
    # END SOLUTION


def coarse_probabilities(fine_probabilities: np.ndarray, coarse_of_fine: np.ndarray) -> np.ndarray:
    """Turns the probabilities of classes into those of their superclasses.

    An image shows one class, so the probability that it is a tree is that of a maple plus that of an oak and
    so on: the sum over the classes of the superclass.

    Args:
        fine_probabilities: float (N, num_fine), a row for each example. It is not changed.
        coarse_of_fine: for each class the number of its superclass: integers of any dtype, shape
            (num_fine,), in any order. Superclasses can have different sizes, and a number that does not
            occur is a superclass without classes. It is not changed.

    Returns:
        float (N, num_coarse), where num_coarse is the largest number in `coarse_of_fine` plus 1.

    Raises:
        ValueError: if there are not as many entries in `coarse_of_fine` as columns.

    Example:
        >>> fine = np.array([[0.5, 0.125, 0.375]])
        >>> coarse_probabilities(fine, np.array([1, 0, 1]))
        array([[0.125, 0.875]])
    """
    # BEGIN SOLUTION
    fine_probabilities, coarse_of_fine = np.asarray(fine_probabilities), np.asarray(coarse_of_fine)
    if fine_probabilities.ndim != 2 or coarse_of_fine.shape != fine_probabilities.shape[1:]:
        raise ValueError(
            "There must be a superclass for each column of `fine_probabilities`, (N, num_fine). "
            f"Received: fine_probabilities.shape={fine_probabilities.shape}, "
            f"coarse_of_fine.shape={coarse_of_fine.shape}"
        )
    num_coarse = int(coarse_of_fine.max()) + 1
    belongs = np.eye(num_coarse, dtype=fine_probabilities.dtype)[coarse_of_fine]  # (num_fine, num_coarse)
    return fine_probabilities @ belongs
    # END SOLUTION
