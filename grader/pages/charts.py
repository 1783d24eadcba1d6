"""Charts as SVG, by matplotlib: in light, dark and print; the same data give the same bytes.

A page shows one as an image, so that nothing of it has to be declared safe. Its colours are variables that
it brings itself, with others for a dark scheme: an image takes the scheme of the page that it is in.
"""

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from grader.web.filters import percent

Counts = npt.NDArray[np.int64]

# What matplotlib draws with, and what stands in its place: (light, dark). No two may be part of another.
_INK, _SOFT, _LINE, _ONE, _TWO, _PAGE = "#010203", "#010204", "#010205", "#010206", "#010207", "#010208"
_COLOURS = {
    _INK: ("ink", "#1d1d1f", "#e8e8ea"),
    _SOFT: ("soft", "#55555c", "#a6a6ad"),
    _LINE: ("line", "#d9d9de", "#3a3a40"),
    _ONE: ("one", "#0b4f86", "#8cc4f4"),
    _TWO: ("two", "#b34700", "#ffb27a"),
    _PAGE: ("page", "#ffffff", "#17171a"),
}
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_STYLE: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "cifar100-course-kit",
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: what text is measured with
    "font.size": 9.0,
    "axes.edgecolor": _SOFT,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "grid.color": _LINE,
    "grid.linewidth": 0.7,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "text.color": _INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes:
        svg: the file.
        alt: what it shows, for who cannot see it.
        width, height: in pixels, so that nothing jumps while a page is laid out.
    """

    svg: str
    alt: str
    width: int
    height: int

    @cached_property
    def source(self) -> str:
        """The file as an address, so that a page needs no other file."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode("ascii")


def distribution(scores: Sequence[float], out_of: float) -> Chart | None:
    """How many students have how many points; None without any."""
    if not scores or out_of <= 0:
        return None
    bins = np.linspace(0, out_of, 16)
    counts, _ = np.histogram(np.clip(scores, 0, out_of), bins)
    median = float(np.median(scores))
    with _style():
        figure, at = _figure(7.2, 2.5)
        width = bins[1] - bins[0]
        at.bar(bins[:-1] + width / 2, counts, width=0.9 * width, color=_ONE)
        for left, count in zip(bins, counts, strict=False):
            if count:
                at.annotate(
                    str(count), (left + width / 2, count), (0, 2), textcoords="offset points", ha="center",
                    fontsize=8, color=_SOFT,
                )  # fmt: skip
        at.axvline(median, color=_TWO, linestyle="--", linewidth=1.3)
        right = median > 0.8 * out_of
        at.annotate(
            f"median {median:.4g}", (median, 1.0), (-4 if right else 4, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="right" if right else "left", va="bottom", color=_TWO,
        )  # fmt: skip
        at.set_ylim(0, 1.12 * counts.max())
        at.set_xlim(0, out_of)
        at.set_xlabel(f"points, of {out_of:g}")
        at.set_ylabel("students")
        at.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        at.grid(axis="y")
        filled = [
            f"{count} from {left:.0f} to {left + width:.0f}"
            for left, count in zip(bins, counts, strict=False)
            if count
        ]
        alt = f"Histogram of {len(scores)} marks out of {out_of:g}, median {median:.4g}: {', '.join(filled)}."
        return _chart(figure, alt)


def curves(
    title: str, training: Sequence[float], validation: Sequence[float], chance: float, wanted: float | None
) -> Chart | None:
    """Accuracy after each epoch; None without any.

    Args:
        title: of the network and its labels.
        training, validation: for each epoch, 0 to 1; validation may be empty.
        chance: of the label set.
        wanted: on the hidden images.
    """
    if not training:
        return None
    epochs = np.arange(1, len(training) + 1)
    with _style():
        figure, at = _figure(5.6, 2.7)
        every = max(1, len(epochs) // 10)
        at.plot(epochs, training, "-", color=_ONE, marker="o", markevery=every, label="training")
        if validation:
            at.plot(epochs, validation, "--", color=_TWO, marker="s", markevery=every, label="validation")
        at.axhline(chance, color=_SOFT, linestyle=":", linewidth=1.2, label="chance")
        if wanted is not None:
            at.axhline(wanted, color=_INK, linestyle="-.", linewidth=1.0, label="wanted, on hidden images")
        at.set_ylim(0, min(1.0, 1.15 * max([*training, *validation, chance, wanted or 0])))
        at.set_xlabel("epoch")
        at.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))
        at.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        at.grid(axis="y")
        figure.legend(loc="outside upper left", ncols=4, fontsize=8, borderaxespad=0.1)
        ends = f"{percent(training[-1])} in training"
        if validation:
            ends += f" and {percent(validation[-1])} in validation"
        return _chart(figure, f"Learning curve of {title}: accuracy by epoch, {ends} in the end.")


def confusion(title: str, counts: Counts, names: Sequence[str]) -> Chart:
    """A confusion matrix in percent of each true class, rows the true classes.

    Args:
        title: of the network and its labels.
        counts: int (C, C); C is at most 20.
        names: of the C classes.
    """
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    with _style():
        figure, at = _figure(5.6, 5.2)
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.005:
                at.add_patch(
                    Rectangle(
                        (column - 0.5, row - 0.5), 1, 1, linewidth=0, color=_ONE if row == column else _TWO,
                        alpha=round(0.12 + 0.88 * math.sqrt(share), 2),
                    )
                )  # fmt: skip
        at.set_xlim(-0.5, len(names) - 0.5)
        at.set_ylim(len(names) - 0.5, -0.5)
        at.set_aspect("equal")
        at.set_xticks(range(len(names)), names, rotation=90, fontsize=7.5)
        at.set_yticks(range(len(names)), names, fontsize=7.5)
        at.tick_params(length=0)
        at.set_xlabel("answered")
        at.set_ylabel("true class")
        recall = np.diag(shares)
        best, worst = int(recall.argmax()), int(recall.argmin())
        alt = (
            f"Confusion matrix of {title}: {names[best]} is recognised most often "
            f"({percent(recall[best], 0)}), "
            f"{names[worst]} least ({percent(recall[worst], 0)})."
        )
        return _chart(figure, alt)


def confusion_counts(
    labels: npt.NDArray[np.integer], answers: npt.NDArray[np.integer], classes: int
) -> Counts:
    """How often each class was taken for each: int64 (classes, classes), rows are the true classes."""
    flat = labels.astype(np.int64) * classes + answers.astype(np.int64)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


@contextmanager
def _style() -> Iterator[None]:
    """matplotlib's own defaults and _STYLE, whatever the user has set; put back on leaving."""
    kept: Mapping[str, object] = {
        key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")
    }
    with matplotlib.rc_context({**kept, **_STYLE}):
        yield


def _figure(width: float, height: float):  # type: ignore[no-untyped-def]  # matplotlib has no types here
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _chart(figure: Figure, alt: str) -> Chart:
    out = io.StringIO()
    FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :].replace("'DejaVu Sans'", _FONTS.replace('"', "'"))
    light = " ".join(f"--{name}: {colour};" for name, colour, _ in _COLOURS.values())
    dark = " ".join(f"--{name}: {colour};" for name, _, colour in _COLOURS.values())
    for drawn, (name, _, _) in _COLOURS.items():
        svg = svg.replace(drawn, f"var(--{name})")
    style = f"<style>:root {{ {light} }} @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}</style>"
    end = svg.index(">") + 1
    width, height = (round(inches * 96) for inches in figure.get_size_inches())
    return Chart(svg[:end] + style + svg[end:], alt, width, height)
