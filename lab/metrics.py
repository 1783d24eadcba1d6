"""Scores of predicted probabilities against labels."""

from typing import Any

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.floating[Any]]  # (N, classes)
Labels = npt.NDArray[np.integer[Any]]  # (N,)


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """The share of rows whose most probable class is the label; the lower index wins a tie."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def cross_entropy(probabilities: Probabilities, labels: Labels) -> float:
    """The mean of -ln(probability of the label), in nats; none counts as less than 1e-7."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, 1e-7, 1.0)).mean())
