"""Task 1: from images as they are stored to arrays that a network can learn from.

The course set comes as `images`, uint8 (N, 32, 32, 3) with values from 0 to 255, and `labels`, integers (N,).
It is stored class by class. If you forget to shuffle, the test part has classes that were never trained.
"""

from typing import NamedTuple

import numpy as np


class PreparedData(NamedTuple):
    """What `prepare` returns. It is given: do not change it.

    Attributes:
        x_train: standardised images of the training part, float32 (N_train, H, W, 3).
        y_train: their one-hot labels, float32 (N_train, num_classes).
        x_test: standardised images of the test part, float32 (N_test, H, W, 3).
        y_test: their one-hot labels, float32 (N_test, num_classes).
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split_indices(
    num_examples: int, *, test_fraction: float = 0.2, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses at random which examples are for training and which are for testing.

    Every index from 0 to `num_examples - 1` is in exactly one of the two parts, and both parts are in random
    order. The seed alone decides: the same seed gives the same split, another seed gives another.

    Args:
        num_examples: how many examples there are.
        test_fraction: the share that becomes the test part, above 0 and below 1. Where the size is
            not a whole number, round as you like.
        seed: of the random numbers.

    Returns:
        `(train, test)`, two integer arrays of shape (N_train,) and (N_test,).

    Raises:
        ValueError: if `num_examples` is below 2 or `test_fraction` is not between 0 and 1.

    Example:
        >>> train, test = split_indices(10, test_fraction=0.2, seed=1)
        >>> len(train), len(test)
        (8, 2)
        >>> sorted([*train.tolist(), *test.tolist()])
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    raise NotImplementedError("split_indices is not written yet: replace this line")


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measures the mean and the standard deviation of each colour channel, of `images / 255`.

    One number per channel: over all images, all rows and all columns together.

    Args:
        images: uint8 (N, H, W, 3), 0 to 255. It is not changed.

    Returns:
        `(mean, std)`, two float32 arrays of shape (3,). The deviation is the population's (ddof 0).

    Raises:
        ValueError: if `images` is not of shape (N, H, W, 3).

    Example:
        >>> black_and_white = np.zeros((2, 4, 4, 3), dtype=np.uint8)
        >>> black_and_white[1] = 255
        >>> mean, std = channel_statistics(black_and_white)
        >>> mean.tolist(), std.tolist()
        ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    """
    raise NotImplementedError("channel_statistics is not written yet: replace this line")


def standardise(images: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Brings images to mean 0 and deviation 1 per channel: `(images / 255 - mean) / std`.

    It uses the statistics that are passed in, not those of `images`. So test images are treated exactly like
    training images.

    Args:
        images: uint8 (N, H, W, 3), 0 to 255. It is not changed.
        mean: (3,), the mean of each channel, of images divided by 255.
        std: (3,), the standard deviation of each channel, of images divided by 255; above 0.

    Returns:
        float32 (N, H, W, 3).

    Raises:
        ValueError: if `images` is not of shape (N, H, W, 3).

    Example:
        >>> grey = np.full((1, 2, 2, 3), 51, dtype=np.uint8)
        >>> x = standardise(grey, np.float32([0.1, 0.1, 0.3]), np.float32([0.5, 0.25, 0.5]))
        >>> x[0, 0, 0].round(3)
        array([ 0.2,  0.4, -0.2], dtype=float32)
    """
    raise NotImplementedError("standardise is not written yet: replace this line")


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Turns class numbers into rows with a single 1.

    Args:
        labels: integers of any dtype, shape (N,), from 0 to `num_classes - 1`. Not every class need occur.
            It is not changed.
        num_classes: how many classes there are.

    Returns:
        float32 (N, num_classes): row i is 1 in column `labels[i]` and 0 elsewhere.

    Raises:
        ValueError: if `labels` is not of shape (N,), or a label is not one of the classes.

    Example:
        >>> one_hot(np.array([2, 0], dtype=np.uint8), num_classes=4)
        array([[0., 0., 1., 0.],
               [1., 0., 0., 0.]], dtype=float32)
    """
    raise NotImplementedError("one_hot is not written yet: replace this line")


def prepare(
    images: np.ndarray, labels: np.ndarray, num_classes: int, *, test_fraction: float = 0.2, seed: int
) -> PreparedData:
    """Splits, standardises and encodes a data set, ready for `model.fit`.

    It keeps five promises:

    1. every image is in exactly one part, and the test part has its share;
    2. every image keeps its label;
    3. both parts are in random order, decided by the seed alone;
    4. the training part is standardised with its own channel statistics;
    5. the test part is standardised with those same statistics of the training part.

    Args:
        images: uint8 (N, H, W, 3), 0 to 255. It is not changed.
        labels: integers of any dtype, shape (N,). It is not changed.
        num_classes: how many classes there are.
        test_fraction: the share that becomes the test part, above 0 and below 1.
        seed: of the random numbers.

    Returns:
        `PreparedData(x_train, y_train, x_test, y_test)`, all float32. A plain tuple is fine too.

    Raises:
        ValueError: if there are not as many labels as images.

    Example:
        >>> images = np.random.default_rng(0).integers(0, 256, size=(10, 32, 32, 3), dtype=np.uint8)
        >>> labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
        >>> data = prepare(images, labels, num_classes=2, seed=1)
        >>> data.x_train.shape, data.y_train.shape, data.x_test.shape, data.y_test.shape
        ((8, 32, 32, 3), (8, 2), (2, 32, 32, 3), (2, 2))
    """
    raise NotImplementedError("prepare is not written yet: replace this line")
