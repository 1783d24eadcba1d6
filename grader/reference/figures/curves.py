"""Learning curves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grader.reference.figures.style import (
    GREY,
    SERIES,
    Floats,
    new_figure,
    percent,
    styled,
)


@dataclass(frozen=True)
class Curve:
    """How one network learnt.

    Attributes:
        name: what it is called in the figure.
        train_accuracy, train_loss: float (runs, epochs); loss is NaN where it ran away.
        validation_accuracy, validation_loss: likewise; (runs, 0) without validation images.
    """

    name: str
    train_accuracy: Floats
    train_loss: Floats
    validation_accuracy: Floats
    validation_loss: Floats


@styled
def learning_curves(curves: Sequence[Curve], *, chance: float, title: str, note: str) -> Figure:
    """Accuracy above, loss below, a column a network: training and validation, mean ± sd of all runs."""
    figure = new_figure(5.6, title, note)
    axes = figure.subplots(2, len(curves), sharex="col", sharey="row", squeeze=False)
    (train_colour, train_marker, _), (validation_colour, validation_marker, _) = SERIES[:2]
    for column, curve in enumerate(curves):
        for row, (train, validation) in enumerate(
            (
                (curve.train_accuracy, curve.validation_accuracy),
                (curve.train_loss, curve.validation_loss),
            )
        ):
            at = axes[row, column]
            for values, name, line, colour, marker in (
                (train, "training", "-", train_colour, train_marker),
                (validation, "validation", "--", validation_colour, validation_marker),
            ):
                if not values.shape[1]:
                    continue
                epochs = np.arange(1, values.shape[1] + 1)
                every = max(1, len(epochs) // 10)
                mean = values.mean(axis=0)
                if len(values) > 1:
                    sd = values.std(axis=0, ddof=1)
                    at.fill_between(epochs, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
                at.plot(epochs, mean, line, color=colour, marker=marker, markevery=every, label=name)
            at.grid(axis="y")
            at.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes[0, column].axhline(chance, color=GREY, linestyle=":", linewidth=1.2, label="chance")
        axes[0, column].set_title(curve.name)
        axes[1, column].axhline(-math.log(chance), color=GREY, linestyle=":", linewidth=1.2)
        axes[1, column].set_xlabel("epoch")
    axes[0, 0].set_ylabel("accuracy")
    axes[0, 0].yaxis.set_major_formatter(percent)
    axes[0, 0].set_ylim(0, None)
    axes[1, 0].set_ylabel("loss (nats)")
    axes[1, 0].set_ylim(0, None)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figure
