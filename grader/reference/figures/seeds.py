"""Accuracies over seeds, beside their thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from grader.reference.figures.style import (
    INK,
    SERIES,
    Floats,
    mean_sd,
    new_figure,
    percent,
    styled,
)


@dataclass(frozen=True)
class Seeds:
    """The accuracies of one network under different seeds.

    Attributes:
        name: of the network.
        accuracies: float (runs,).
        threshold: from which it passes; None where there is none.
    """

    name: str
    accuracies: Floats
    threshold: float | None


@styled
def seeds(groups: Sequence[Seeds], *, title: str, note: str) -> Figure:
    """One row a network: a dot a run, the mean and its deviation under them, and the threshold as a line."""
    figure = new_figure(1.55 + 0.62 * len(groups), title, note)
    at = figure.subplots()
    for row, group in enumerate(groups):
        dots = np.sort(group.accuracies)
        # Up and down in turn: dots that share a place stay apart, and every run of it looks the same.
        lift = np.array([0.0, 0.13, -0.13])[np.arange(len(dots)) % 3]
        at.plot(dots, row - 0.1 + lift, "o", color=SERIES[0][0], alpha=0.55, markersize=5, markeredgewidth=0)
        mean, sd = mean_sd(dots)
        at.errorbar(
            mean, row + 0.28, xerr=sd or None, fmt="D", color=INK, markersize=4.5, capsize=3, elinewidth=1.3
        )
        if group.threshold is not None:
            at.vlines(group.threshold, row - 0.38, row + 0.38, color=SERIES[1][0], linewidth=2.4)
    at.set_yticks(range(len(groups)), [f"{group.name}\nn = {len(group.accuracies)}" for group in groups])
    at.set_ylim(len(groups) - 0.45, -0.55)
    at.tick_params(axis="y", length=0)
    at.xaxis.set_major_formatter(percent)
    at.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    at.grid(axis="x")
    at.set_xlabel("accuracy on the hidden images")
    dot, mark, line = SERIES[0][0], INK, SERIES[1][0]
    handles = [
        Line2D([], [], color=dot, marker="o", linestyle="", alpha=0.55, label="one run"),
        Line2D([], [], color=mark, marker="D", linestyle="-", markersize=4.5, label="mean ± sd"),
        Line2D([], [], color=line, linewidth=2.4, label="threshold"),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    return figure
