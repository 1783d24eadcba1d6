"""What the figures have in common: their size, colours and settings, and how one becomes a file."""

import functools
import io
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
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
def matplotlib_style() -> Iterator[None]:
    """matplotlib's own defaults and _STYLE, whatever the user has set; put back on leaving."""
    kept = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}
    with matplotlib.rc_context({**kept, **_STYLE}):
        yield


def styled(draw: Callable[_Arguments, Figure]) -> Callable[_Arguments, Figure]:
    """Has a function draw in this style; for all that draw a figure."""

    @functools.wraps(draw)
    def in_style(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> Figure:
        with matplotlib_style():
            return draw(*arguments, **named)

    return in_style


def png(figure: Figure) -> bytes:
    """A figure as a PNG file: the same data drawn again give the same bytes, on any day.

    With 256 colours, a third of the size, where nobody sees the difference: everywhere but in pictures.
    """
    canvas = FigureCanvasAgg(figure)
    with matplotlib_style():
        canvas.draw()
    whole = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    few = whole.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    furthest = np.abs(np.asarray(few.convert("RGB"), np.int16) - np.asarray(whole, np.int16)).max()
    out = io.BytesIO()
    (few if furthest <= _UNSEEN else whole).save(out, "PNG", optimize=True)
    return out.getvalue()


def new_figure(height: float, title: str, note: str) -> Figure:
    """A figure as wide as the report's column, with its title and what it rests on."""
    lines = textwrap.wrap(note, 118)
    figure = Figure(
        figsize=(WIDTH, height + 0.3 + 0.15 * len(lines)),
        layout=ConstrainedLayoutEngine(w_pad=0.07, h_pad=0.07),
    )
    figure.suptitle(title, x=0.012, ha="left", fontsize=11, fontweight="bold")
    figure.supxlabel("\n".join(lines), x=0.012, ha="left", fontsize=7.5, color=GREY)
    return figure


def mean_sd(values: Floats) -> tuple[float, float]:
    """Mean, and deviation with n - 1; 0 for a single value."""
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0


def percent(value: float, _: object = None) -> str:
    """A tick of an axis of shares: 35%, or 35.5% where ticks are that close."""
    return f"{100 * value:.4g}%"
