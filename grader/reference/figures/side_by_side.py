"""Confusion matrices of several networks on one colour scale, so that they can be compared."""

from collections.abc import Mapping

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from grader.reference.figures.confusion import Groups
from grader.reference.figures.style import PALE, Counts, new_figure, styled


@styled
def confusions_side_by_side(
    matrices: Mapping[str, Counts],
    names: tuple[str, ...],
    *,
    title: str,
    note: str,
    groups: Groups | None = None,
) -> Figure:
    """Each in percent of its rows, a square root of which is the colour; rows are the true classes.

    Args:
        matrices: for each network's name its counts, int (C, C).
        names: of the C classes, or with groups of the superclasses, which then stand on the axes.
        title, note: what is shown, and on what it rests.
        groups: if given, classes are put in the order of their superclasses.
    """
    figure = new_figure(4.2 if len(matrices) < 3 else 3.2, title, note)
    axes = figure.subplots(1, len(matrices), sharey=True, squeeze=False)[0]
    norm = PowerNorm(0.5, 0, 100)

    for at, (network, counts) in zip(axes, matrices.items(), strict=True):
        order = np.arange(len(counts)) if groups is None else groups.order
        rows = np.maximum(1, counts.sum(axis=1, keepdims=True))
        at.imshow((100 * counts / rows)[np.ix_(order, order)], cmap="Blues", norm=norm)
        sizes = (
            [1] * len(names) if groups is None else [int(np.sum(groups.of == g)) for g in range(len(names))]
        )
        middles = np.cumsum(sizes) - (np.array(sizes) + 1) / 2
        at.set_xticks(middles, names, rotation=90)
        at.set_yticks(middles, names)
        at.tick_params(length=0, labelsize=5.5)
        at.spines[:].set_visible(True)
        at.set_title(network)
        at.set_xlabel("predicted")
    axes[0].set_ylabel("true")
    bar = figure.colorbar(ScalarMappable(norm, "Blues"), ax=list(axes), shrink=0.7, pad=0.02)
    bar.ax.yaxis.set_major_locator(FixedLocator([0, 1, 5, 10, 25, 50, 100]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("percent of the answers on the true class")
    bar.outline.set_color(PALE)
    return figure
