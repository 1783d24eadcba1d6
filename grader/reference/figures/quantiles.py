"""Normal Q-Q plots."""

import functools
import math
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
    styled,
)


@dataclass(frozen=True)
class Residuals:
    """How the accuracies of one network lie about their mean, beside a normal distribution.

    Attributes:
        name: of the network, or of all together.
        measured: (accuracy - mean) / standard deviation, from the lowest up, float (runs,).
        normal: where a normal distribution has them, float (runs,).
        remark: what a test says of them.
        band: whether they are of one network, so that the band for such samples applies.
    """

    name: str
    measured: Floats
    normal: Floats
    remark: str
    band: bool = True


@functools.cache
def band(n: int) -> Floats:
    """Between which values 95% of normal samples of n have each order statistic, float (2, n).

    Samples are standardised by their own mean and deviation, as those that are drawn are.
    """
    drawn = np.random.Generator(np.random.PCG64(n)).normal(size=(4000, n))
    drawn -= drawn.mean(axis=1, keepdims=True)
    drawn /= drawn.std(axis=1, ddof=1, keepdims=True)
    return np.quantile(np.sort(drawn, axis=1), [0.025, 0.975], axis=0)


@styled
def quantiles(groups: Sequence[Residuals], *, title: str, note: str) -> Figure:
    """Normal Q-Q plots, a panel a network: normal accuracies lie near the line, 95% of them in the band."""
    columns = min(4, len(groups))
    rows = math.ceil(len(groups) / columns)
    figure = new_figure(0.7 + 1.9 * rows, title, note)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    reach = 0.4 + max(float(np.abs([*group.measured, *group.normal]).max()) for group in groups)
    for at, group in zip(axes.flat, groups, strict=False):
        if group.band:
            low, high = band(len(group.measured))
            at.fill_between(group.normal, low, high, color=PALE, linewidth=0)
        at.axline((0, 0), slope=1, color=SERIES[1][0], linewidth=1.2)
        at.plot(group.normal, group.measured, "o", color=SERIES[0][0], markersize=3.5)
        heading = [*group.name.split(", "), f"n = {len(group.measured)}, {group.remark}"]
        at.set_title("\n".join(heading), fontsize=8)
        at.set_xlim(-reach, reach)
        at.set_ylim(-reach, reach)
        at.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        at.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        at.grid()
    for at in axes.flat[len(groups) :]:
        at.set_visible(False)
    for at in axes[:, 0]:
        at.set_ylabel("measured (sd)", fontsize=8.5)
    for at in axes.flat[max(0, len(groups) - columns) : len(groups)]:  # those with nothing under them
        at.set_xlabel("normal (sd)", fontsize=8.5)
        at.tick_params(labelbottom=True)
    return figure
