"""Accuracy against what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

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
class Point:
    """What a network reaches on one label set and what it costs.

    Attributes:
        name, labels: which network, on which label set.
        accuracies: float (runs,).
        seconds: float (runs,), of training.
        parameters: of the network.
    """

    name: str
    labels: str
    accuracies: Floats
    seconds: Floats
    parameters: int


@styled
def cost(points: Sequence[Point], *, title: str, note: str) -> Figure:
    """Accuracy against training time and parameters: a marker a network, hollow for the second label set."""
    figure = new_figure(3.7, title, note)
    axes = figure.subplots(1, 2, sharey=True)
    networks = list(dict.fromkeys(point.name for point in points))
    label_sets = list(dict.fromkeys(point.labels for point in points))
    for point in points:
        colour, marker, _ = SERIES[networks.index(point.name) % len(SERIES)]
        fill = colour if label_sets.index(point.labels) == 0 else "white"
        y, y_sd = mean_sd(point.accuracies)
        for at, (x, x_sd) in zip(axes, (mean_sd(point.seconds), (float(point.parameters), 0.0)), strict=True):
            at.errorbar(
                x,
                y,
                xerr=x_sd or None,
                yerr=y_sd or None,
                fmt=marker,
                color=colour,
                markerfacecolor=fill,
                markeredgewidth=1.4,
                markersize=7,
                elinewidth=1,
                capsize=2.5,
            )
    for at, label in zip(axes, ("training time of one run (s)", "parameters"), strict=True):
        at.set_xlabel(label)
        at.set_xscale("log")
        # Less than a decade would have no tick of its own: from one round number to another.
        ticks = [float(f"{digit}e{power}") for power in range(-3, 13) for digit in (1, 2, 5)]
        low, high = at.get_xlim()
        at.set_xlim(max(tick for tick in ticks if tick <= low), min(tick for tick in ticks if tick >= high))
        at.xaxis.set_major_locator(FixedLocator(ticks))
        at.xaxis.set_minor_locator(NullLocator())
        at.xaxis.set_major_formatter(lambda value, _: _short(value))
        at.grid()
    axes[0].set_ylabel("accuracy")
    axes[0].set_ylim(0, None)
    axes[0].yaxis.set_major_formatter(percent)
    handles = [
        Line2D(
            [],
            [],
            color=SERIES[i % len(SERIES)][0],
            marker=SERIES[i % len(SERIES)][1],
            linestyle="",
            label=name,
        )
        for i, name in enumerate(networks)
    ]
    handles += [
        Line2D([], [], color=INK, marker="o", linestyle="", label=name, markerfacecolor=fill)
        for name, fill in zip(label_sets, (INK, "white"), strict=False)
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


def _short(value: float) -> str:
    """A round number as people write it: 500, 20k, 1.5M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"
