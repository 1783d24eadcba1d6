"""Accuracies per superclass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grader.reference.figures.style import (
    PALE,
    SERIES,
    Floats,
    new_figure,
    percent,
    styled,
)


@dataclass(frozen=True)
class Panel:
    """Accuracies per superclass of several networks on one label set.

    Attributes:
        name: of the label set.
        shares: for each network's name its accuracies, float (superclasses,).
    """

    name: str
    shares: dict[str, Floats]


@styled
def per_superclass(panels: Sequence[Panel], names: Sequence[str], *, title: str, note: str) -> Figure:
    """One row a superclass, one marker a network, the easiest (mean of the first panel) on top."""
    figure = new_figure(1.5 + 0.25 * len(names), title, note)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    order = np.argsort(-np.mean(list(panels[0].shares.values()), axis=0), kind="stable")
    rows = np.arange(len(names))
    for at, panel in zip(axes, panels, strict=True):
        table = np.array(list(panel.shares.values()))[:, order]
        at.hlines(rows, table.min(axis=0), table.max(axis=0), color=PALE, linewidth=1.5, zorder=1)
        for (name, shares), (colour, marker, _) in zip(panel.shares.items(), SERIES, strict=False):
            at.plot(shares[order], rows, marker, color=colour, label=name, markersize=5.5)
        at.set_title(panel.name)
        at.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        at.xaxis.set_major_formatter(percent)
        at.set_xlabel("accuracy")
        at.grid(axis="both")
        at.tick_params(axis="y", length=0)
    axes[0].set_yticks(rows, [names[i] for i in order])
    axes[0].invert_yaxis()
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(panels[0].shares)
    )
    return figure
