"""The reference report's figures: arrays in, a matplotlib Figure out. No files, no state, no display.

    figure = figures.confusion(counts, names, title="ResNet", note="2,000 images, seed 1")
    Path("confusion.png").write_bytes(figures.png(figure))

What they have in common: the title says what is shown and the last line on what data and how many runs it
rests; series differ in marker and line style as well as in colour, and in lightness, so that a greyscale
print and a colour-blind reader lose nothing; whatever matplotlibrc says here, a figure is the same
everywhere, and `png` writes the same bytes for it: no date, no version.
"""

import functools
import io
import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from PIL import Image  # matplotlib requires it

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Indices = npt.NDArray[np.integer[Any]]
Images = npt.NDArray[np.uint8]

WIDTH = 7.5  # inches: the text column of the report
DPI = 144
INK, GREY, PALE = "#1d1d1f", "#6b6b70", "#d9d9de"
# Dark, middle and light, for the printer; blue, orange and sky blue, which no colour blindness mixes up.
SERIES = (("#0b3c5d", "o", "-"), ("#d55e00", "s", "--"), ("#56b4e9", "^", "-."), ("#7a7a7a", "D", ":"))

_STYLE = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#e6e6ea",
    "grid.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "text.color": INK,
    "lines.linewidth": 1.7,
    "lines.markersize": 5.0,
    "figure.dpi": float(DPI),
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}

_UNSEEN = 12  # of 255, in one channel of one pixel

_Arguments = ParamSpec("_Arguments")


@contextmanager
def _style() -> Iterator[None]:
    """matplotlib's own defaults and _STYLE, whatever the user has set; put back on leaving."""
    kept = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}
    with matplotlib.rc_context({**kept, **_STYLE}):
        yield


def _styled(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    @functools.wraps(draw)
    def inside(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> Figure:
        with _style():
            return draw(*arguments, **named)

    return inside


def png(figure: Figure) -> bytes:
    """A figure as a PNG file: the same data drawn again give the same bytes, on any day.

    With 256 colours, a third of the size, where nobody sees the difference: everywhere but in pictures.
    """
    canvas = FigureCanvasAgg(figure)
    with _style():
        canvas.draw()
    whole = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    few = whole.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    furthest = np.abs(np.asarray(few.convert("RGB"), np.int16) - np.asarray(whole, np.int16)).max()
    out = io.BytesIO()
    (few if furthest <= _UNSEEN else whole).save(out, "PNG", optimize=True)
    return out.getvalue()


# --- learning curves --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Curve:
    """How one network learnt.

    Attributes:
        name: what it is called in the figure.
        train_accuracy, train_loss: float (runs, epochs); loss is NaN where it ran away.
        validation_accuracy, validation_loss: float (epochs,), of one run; empty if it was not watched.
    """

    name: str
    train_accuracy: Floats
    train_loss: Floats
    validation_accuracy: Floats
    validation_loss: Floats


@_styled
def learning_curves(curves: Sequence[Curve], *, chance: float, title: str, note: str) -> Figure:
    """Accuracy above, loss below, a column a network: training (mean ± sd of all runs) and validation."""
    figure = _figure(5.6, title, note)
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
            epochs = np.arange(1, train.shape[1] + 1)
            every = max(1, len(epochs) // 10)
            mean = train.mean(axis=0)
            if len(train) > 1:
                sd = train.std(axis=0, ddof=1)
                at.fill_between(epochs, mean - sd, mean + sd, color=train_colour, alpha=0.2, linewidth=0)
            at.plot(epochs, mean, color=train_colour, marker=train_marker, markevery=every, label="training")
            if len(validation):
                at.plot(
                    np.arange(1, len(validation) + 1),
                    validation,
                    "--",
                    color=validation_colour,
                    marker=validation_marker,
                    markevery=every,
                    label="validation",
                )
            at.grid(axis="y")
            at.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes[0, column].axhline(chance, color=GREY, linestyle=":", linewidth=1.2, label="chance")
        axes[0, column].set_title(curve.name)
        axes[1, column].axhline(-math.log(chance), color=GREY, linestyle=":", linewidth=1.2)
        axes[1, column].set_xlabel("epoch")
    axes[0, 0].set_ylabel("accuracy")
    axes[0, 0].yaxis.set_major_formatter(_percent)
    axes[0, 0].set_ylim(0, None)
    axes[1, 0].set_ylabel("loss (nats)")
    axes[1, 0].set_ylim(0, None)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return figure


# --- confusions -------------------------------------------------------------------------------------------


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


@_styled
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
    figure = _figure(6.5, title, note)
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
    marks = [mark for mark in (0, 1, 5, 10, 25, 50, 100, 250, 500, 1000) if mark <= top]
    bar.ax.yaxis.set_major_locator(FixedLocator(marks))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("percent of the true class's images" if normalise else "images")
    bar.outline.set_color(PALE)
    return figure


@dataclass(frozen=True)
class Pair:
    """Two classes and how often one is taken for the other.

    Attributes:
        first, second: class indices; first is taken for second at least as often as second for first.
        forth, back: how many images of first were taken for second, and of second for first.
        images: of both together.
    """

    first: int
    second: int
    forth: int
    back: int
    images: int

    @property
    def share(self) -> float:
        """Of the images of both classes, the part that was taken for the other."""
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


@_styled
def most_confused(
    pairs: Sequence[Pair], names: Sequence[str], *, title: str, note: str, groups: Groups | None = None
) -> Figure:
    """The pairs as bars of images, one part each way; with groups, pairs of one superclass are marked."""
    figure = _figure(1.6 + 0.26 * max(3, len(pairs)), title, note)
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
    at.set_xlabel("images" + ("   (* both of one superclass)" if any(marked) else ""))
    if pairs:
        figure.legend(*at.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


@dataclass(frozen=True)
class Panel:
    """Accuracies per superclass of several networks on one label set.

    Attributes:
        name: of the label set.
        shares: for each network's name its accuracies, float (superclasses,).
    """

    name: str
    shares: dict[str, Floats]


@_styled
def per_superclass(panels: Sequence[Panel], names: Sequence[str], *, title: str, note: str) -> Figure:
    """One row a superclass, one marker a network, the easiest (mean of the first panel) on top."""
    figure = _figure(1.5 + 0.25 * len(names), title, note)
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
        at.xaxis.set_major_formatter(_percent)
        at.set_xlabel("accuracy")
        at.grid(axis="both")
        at.tick_params(axis="y", length=0)
    axes[0].set_yticks(rows, [names[i] for i in order])
    axes[0].invert_yaxis()
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(panels[0].shares)
    )
    return figure


# --- cost -------------------------------------------------------------------------------------------------


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


@_styled
def cost(points: Sequence[Point], *, title: str, note: str) -> Figure:
    """Accuracy against training time and parameters: a marker a network, hollow for the second label set."""
    figure = _figure(3.7, title, note)
    axes = figure.subplots(1, 2, sharey=True)
    networks = list(dict.fromkeys(point.name for point in points))
    label_sets = list(dict.fromkeys(point.labels for point in points))
    for point in points:
        colour, marker, _ = SERIES[networks.index(point.name) % len(SERIES)]
        fill = colour if label_sets.index(point.labels) == 0 else "white"
        y, y_sd = _mean_sd(point.accuracies)
        for at, (x, x_sd) in zip(
            axes, (_mean_sd(point.seconds), (float(point.parameters), 0.0)), strict=True
        ):
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
    axes[0].yaxis.set_major_formatter(_percent)
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


# --- seeds ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seeds:
    """The accuracies of one network under different seeds.

    Attributes:
        name: of the network and variant.
        accuracies: float (runs,).
        threshold: from which it passes; None where there is none.
    """

    name: str
    accuracies: Floats
    threshold: float | None


@_styled
def seeds(groups: Sequence[Seeds], *, title: str, note: str) -> Figure:
    """One row a network: a dot a run, the mean and its deviation under them, and the threshold as a line."""
    figure = _figure(1.55 + 0.62 * len(groups), title, note)
    at = figure.subplots()
    for row, group in enumerate(groups):
        dots = np.sort(group.accuracies)
        # Up and down in turn: dots that share a place stay apart, and every run of it looks the same.
        lift = np.array([0.0, 0.13, -0.13])[np.arange(len(dots)) % 3]
        at.plot(dots, row - 0.1 + lift, "o", color=SERIES[0][0], alpha=0.55, markersize=5, markeredgewidth=0)
        mean, sd = _mean_sd(dots)
        at.errorbar(
            mean, row + 0.28, xerr=sd or None, fmt="D", color=INK, markersize=4.5, capsize=3, elinewidth=1.3
        )
        if group.threshold is not None:
            at.vlines(group.threshold, row - 0.38, row + 0.38, color=SERIES[1][0], linewidth=2.4)
    at.set_yticks(range(len(groups)), [f"{group.name}\nn = {len(group.accuracies)}" for group in groups])
    at.set_ylim(len(groups) - 0.45, -0.55)
    at.tick_params(axis="y", length=0)
    at.xaxis.set_major_formatter(_percent)
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


@dataclass(frozen=True)
class Residuals:
    """How the accuracies of one network lie about their mean, beside a normal distribution.

    Attributes:
        name: of the network and variant, or of all together.
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
def _band(n: int) -> Floats:
    """Between which values 95% of normal samples of n have each order statistic, float (2, n).

    Samples are standardised by their own mean and deviation, as those that are drawn are.
    """
    drawn = np.random.Generator(np.random.PCG64(n)).normal(size=(4000, n))
    drawn -= drawn.mean(axis=1, keepdims=True)
    drawn /= drawn.std(axis=1, ddof=1, keepdims=True)
    return np.quantile(np.sort(drawn, axis=1), [0.025, 0.975], axis=0)


@_styled
def quantiles(groups: Sequence[Residuals], *, title: str, note: str) -> Figure:
    """Normal Q-Q plots, a panel a network: normal accuracies lie near the line, 95% of them in the band."""
    columns = min(4, len(groups))
    rows = math.ceil(len(groups) / columns)
    figure = _figure(0.7 + 1.9 * rows, title, note)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    reach = 0.4 + max(float(np.abs([*group.measured, *group.normal]).max()) for group in groups)
    for at, group in zip(axes.flat, groups, strict=False):
        if group.band:
            low, high = _band(len(group.measured))
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


# --- images -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """One image and what was said of it.

    Attributes:
        image: uint8 (H, W, 3).
        truth: the name of its class.
        answers: for each network what it said.
    """

    image: Images
    truth: str
    answers: dict[str, str]


@_styled
def samples(shown: Sequence[Sample], *, title: str, note: str) -> Figure:
    """Images with their class above and each network's answer below: a tick where it is right."""
    columns = 4
    answers = max((len(one.answers) for one in shown), default=0)
    side, line, gap = 1.35, 0.155, 0.5  # inches: an image, a line of text, the space above a row
    row_height = gap + side + line * answers
    height = math.ceil(len(shown) / columns) * row_height
    figure = _figure(height, title, note)
    figure.set_layout_engine("none")  # every place is known, and long answers must not move the images
    whole = figure.get_figheight()
    bottom = whole - 0.1 - height
    for i, one in enumerate(shown):
        row, column = divmod(i, columns)
        left = (column + 0.5) * WIDTH / columns - side / 2
        top = bottom + height - row * row_height - gap
        at = figure.add_axes((left / WIDTH, (top - side) / whole, side / WIDTH, side / whole))
        at.imshow(one.image, interpolation="nearest")
        at.axis("off")
        at.set_title(_cut(one.truth, 24), fontsize=8.5, fontweight="bold", loc="center", pad=3)
        for number, (name, answer) in enumerate(one.answers.items()):
            right = answer == one.truth
            at.text(
                0.5,
                -0.03 - number * line / side,
                _cut(f"{'✓' if right else '✗'} {name}: {answer}", 34),
                transform=at.transAxes,
                ha="center",
                va="top",
                fontsize=7,
                color=SERIES[0][0] if right else "#a33c00",
            )
    return figure


# --- what they share --------------------------------------------------------------------------------------


def _figure(height: float, title: str, note: str) -> Figure:
    """A figure as wide as the report's column, with its title and what it rests on."""
    lines = textwrap.wrap(note, 118)
    figure = Figure(
        figsize=(WIDTH, height + 0.3 + 0.15 * len(lines)),
        layout=ConstrainedLayoutEngine(w_pad=0.07, h_pad=0.07),
    )
    figure.suptitle(title, x=0.012, ha="left", fontsize=11, fontweight="bold")
    figure.supxlabel("\n".join(lines), x=0.012, ha="left", fontsize=7.5, color=GREY)
    return figure


def _mean_sd(values: Floats) -> tuple[float, float]:
    """Mean, and deviation with n - 1; 0 for a single value."""
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _percent(value: float, _: object = None) -> str:
    """A tick of an axis of shares: 35%, or 35.5% where ticks are that close."""
    return f"{100 * value:.4g}%"


def _short(value: float) -> str:
    """A round number as it is said: 500, 20k, 1.5M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(1, limit - 1)].rstrip() + "…"
