"""Confusion matrices and the most confused pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from grader.reference.figures.style import (
    INK,
    PALE,
    SERIES,
    Counts,
    Indices,
    new_figure,
    styled,
)


def confusion_counts(labels: Indices, predictions: Indices, classes: int) -> Counts:
    """How often each class was taken for each: int64 (classes, classes), rows are the true classes.

    >>> confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    flat = labels.astype(np.int64) * classes + predictions.astype(np.int64)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


@dataclass(frozen=True)
class Groups:
    """The superclass of every class.

    Attributes:
        of: int (classes,), indices into `names`.
        names: of the superclasses.
    """

    of: Indices
    names: tuple[str, ...]

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """The classes, superclass by superclass."""
        return np.argsort(self.of, kind="stable")


@styled
def confusion(
    counts: Counts,
    names: Sequence[str],
    *,
    normalise: bool,
    title: str,
    note: str,
    groups: Groups | None = None,
) -> Figure:
    """A confusion matrix, rows the true classes, on a square-root scale so that rare confusions show.

    Args:
        counts: int (C, C).
        names: of the C classes.
        normalise: in percent of each row instead of counts.
        title, note: what is shown, and on what it rests.
        groups: if given, the classes are put in the order of their superclasses, whose blocks are framed and
            whose names stand on the axes instead of the classes' own.
    """
    figure = new_figure(6.5, title, note)
    at = figure.subplots()
    order = np.arange(len(counts)) if groups is None else groups.order
    rows = counts.sum(axis=1, keepdims=True)
    shown = np.divide(100 * counts, rows, out=np.zeros(counts.shape), where=rows > 0) if normalise else counts
    shown = shown[np.ix_(order, order)]
    top = 100.0 if normalise else float(max(1, rows.max()))
    drawn = at.imshow(shown, cmap="Blues", norm=PowerNorm(0.5, 0, top), interpolation="nearest")
    if groups is None:
        at.set_xticks(range(len(names)), names, rotation=90)
        at.set_yticks(range(len(names)), names)
        for (row, column), value in np.ndenumerate(shown):
            if round(value) > 0:
                colour = "white" if value > 0.35 * top else INK
                at.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=6.5, color=colour)
    else:
        sizes = [int(np.sum(groups.of == group)) for group in range(len(groups.names))]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        middles = (starts[:-1] + starts[1:] - 1) / 2
        at.set_xticks(middles, groups.names, rotation=90)
        at.set_yticks(middles, groups.names)
        for start, size in zip(starts, sizes, strict=False):
            at.add_patch(
                Rectangle(
                    (start - 0.5, start - 0.5), size, size, fill=False, edgecolor="#d55e00", linewidth=0.9
                )
            )
    at.tick_params(length=0, labelsize=7.5)
    at.spines[:].set_visible(True)
    at.set_xlabel("predicted")
    at.set_ylabel("true")
    bar = figure.colorbar(drawn, ax=at, shrink=0.7, pad=0.02)
    marks = [mark for mark in (0, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000) if mark <= top]
    bar.ax.yaxis.set_major_locator(FixedLocator(marks))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("percent of the answers on the true class" if normalise else "answers")
    bar.outline.set_color(PALE)
    return figure


@dataclass(frozen=True)
class Pair:
    """Two classes and how often one is taken for the other.

    Attributes:
        first, second: class indices; first is taken for second at least as often as second for first.
        forth, back: how many answers took first for second, and second for first.
        images: answers on images of both together.
    """

    first: int
    second: int
    forth: int
    back: int
    images: int

    @property
    def share(self) -> float:
        """Of the answers on both classes, the part that named the other."""
        return (self.forth + self.back) / self.images if self.images else 0.0


def confused_pairs(counts: Counts, most: int) -> list[Pair]:
    """The pairs that are taken for one another most often, at most so many; none that never is.

    >>> confused_pairs(np.array([[5, 1, 0], [3, 2, 0], [0, 0, 5]]), 9)
    [Pair(first=1, second=0, forth=3, back=1, images=11)]
    """
    rows = counts.sum(axis=1)
    pairs = []
    for a, b in zip(*np.triu_indices(len(counts), 1), strict=True):
        first, second = (a, b) if counts[a, b] >= counts[b, a] else (b, a)
        pair = Pair(
            int(first),
            int(second),
            int(counts[first, second]),
            int(counts[second, first]),
            int(rows[a] + rows[b]),
        )
        if pair.forth:
            pairs.append(pair)
    return sorted(pairs, key=lambda pair: (-(pair.forth + pair.back), pair.first, pair.second))[:most]


@styled
def most_confused(
    pairs: Sequence[Pair], names: Sequence[str], *, title: str, note: str, groups: Groups | None = None
) -> Figure:
    """The pairs as bars of answers, one part each way; with groups, pairs of one superclass are marked."""
    figure = new_figure(1.6 + 0.26 * max(3, len(pairs)), title, note)
    at = figure.subplots()
    rows = np.arange(len(pairs))
    forth = np.array([pair.forth for pair in pairs])
    back = np.array([pair.back for pair in pairs])
    dark, light = SERIES[0][0], SERIES[2][0]
    at.barh(rows, forth, color=dark, height=0.7, label="first as second")
    at.barh(
        rows,
        back,
        left=forth,
        color=light,
        height=0.7,
        hatch="////",
        edgecolor="white",
        linewidth=0,
        label="second as first",
    )
    for row, pair in enumerate(pairs):
        at.text(
            pair.forth + pair.back, row, f" {pair.forth} + {pair.back}", va="center", fontsize=8, color=INK
        )
    marked = [
        "* " if groups is not None and groups.of[pair.first] == groups.of[pair.second] else ""
        for pair in pairs
    ]
    at.set_yticks(
        rows,
        [
            f"{mark}{names[pair.first]} – {names[pair.second]}"
            for mark, pair in zip(marked, pairs, strict=True)
        ],
    )
    at.invert_yaxis()
    at.tick_params(axis="y", length=0)
    at.margins(x=0.12)
    at.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    at.grid(axis="x")
    at.set_xlabel("answers" + ("   (* both of one superclass)" if any(marked) else ""))
    if pairs:
        figure.legend(*at.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure
