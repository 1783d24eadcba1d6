"""The figures: what they show, that they can be read, and that they are the same bytes every time."""

import io
import itertools
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from sklearn.metrics import confusion_matrix

from grader.reference import figures
from grader.reference.figures.quantiles import band
from grader.reference.figures.style import matplotlib_style

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
RNG = np.random.default_rng(0)
NOTE = "CIFAR-100: 8,000 images trained on, 5,000 hidden ones scored. " * 3
# As long as those of CIFAR-100.
COARSE = tuple(f"large omnivores and group {i:02}" for i in range(20))
FINE = tuple(f"sweet pepper {i:02}" for i in range(100))
GROUPS = figures.Groups(np.arange(100) % 20, COARSE)
LABELS = np.repeat(np.arange(100), 20)
SAID = np.where(RNG.random(2000) < 0.4, LABELS, RNG.integers(0, 100, 2000))
FINE_COUNTS = figures.confusion_counts(LABELS, SAID, 100)
COARSE_COUNTS = figures.confusion_counts(LABELS % 20, SAID % 20, 20)


def curve(name: str, epochs: int = 5, runs: int = 3) -> figures.Curve:
    up, down = np.linspace(0.1, 0.4, epochs), np.linspace(3, 2, epochs)
    train, loss = np.tile(up, (runs, 1)), np.tile(down, (runs, 1))
    return figures.Curve(name, train, loss, train * 0.9, loss * 1.1)


def seeds(name: str, threshold: float | None = 0.3) -> figures.Seeds:
    return figures.Seeds(name, 0.35 + 0.01 * np.linspace(-2, 2, 20) ** 3 / 8, threshold)


def residuals(name: str) -> figures.Residuals:
    normal = np.linspace(-1.9, 1.9, 20)
    return figures.Residuals(name, normal * 1.1, normal, "W 0.981, p 0.95")


NAMES = ("AlexNet", "ResNet", "Wide ResNet")
EVERY: dict[str, Callable[[], Figure]] = {
    "curves": lambda: figures.learning_curves(
        [curve(name) for name in NAMES], chance=0.05, title="Learning curves, coarse labels", note=NOTE
    ),
    "many epochs": lambda: figures.learning_curves(
        [curve(name, 254, 1) for name in NAMES], chance=0.01, title="Learning curves, fine labels", note=NOTE
    ),
    "coarse counts": lambda: figures.confusion(
        COARSE_COUNTS,
        COARSE,
        normalise=False,
        title="Wide ResNet, coarse labels: confusions in images",
        note=NOTE,
    ),
    "fine percent": lambda: figures.confusion(
        FINE_COUNTS,
        FINE,
        normalise=True,
        title="Wide ResNet, fine labels: confusions in percent of each class",
        note=NOTE,
        groups=GROUPS,
    ),
    "pairs": lambda: figures.most_confused(
        figures.confused_pairs(COARSE_COUNTS, 12),
        COARSE,
        title="Wide ResNet, coarse labels: most confused",
        note=NOTE,
    ),
    "superclasses": lambda: figures.per_superclass(
        [
            figures.Panel(f"{of} labels", {name: RNG.random(20) for name in NAMES})
            for of in ("coarse", "fine")
        ],
        COARSE,
        title="Accuracy per superclass",
        note=NOTE,
    ),
    "cost": lambda: figures.cost(
        [
            figures.Point(name, of, np.array([0.3, 0.32]) + 0.1 * i, np.array([60.0, 70.0]), 10 ** (4 + i))
            for i, name in enumerate(NAMES)
            for of in ("coarse", "fine")
        ],
        title="Accuracy and its cost",
        note=NOTE,
    ),
    "seeds": lambda: figures.seeds(
        [seeds(f"{name}, default initialisers") for name in NAMES],
        title="Accuracy under each seed, coarse labels",
        note=NOTE,
    ),
    "quantiles": lambda: figures.quantiles(
        [residuals(f"{name} coarse, default initialisers") for name in NAMES * 2],
        title="Are accuracies normal from seed to seed?",
        note=NOTE,
    ),
}


def unreadable(figure: Figure) -> list[str]:
    """Text that is cut off at an edge; title, note, legend and axes that lie over one another."""
    canvas = FigureCanvasAgg(figure)
    with matplotlib_style():
        canvas.draw()
    renderer, frame = canvas.get_renderer(), figure.bbox.padded(1)
    whole = [one for one in (figure._suptitle, figure._supxlabel, *figure.legends) if one is not None]
    boxes = {repr(one): one.get_window_extent(renderer) for one in whole}
    for i, axes in enumerate(figure.axes):
        if axes.get_visible():
            boxes[f"axes {i}"] = axes.get_tightbbox(renderer)  # with ticks, labels and titles
    faults = [
        f"cut off: {name} {box}"
        for name, box in boxes.items()
        if not (frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1)
    ]
    pairs = itertools.combinations(boxes.items(), 2)
    return faults + [
        f"{one} and {other} overlap" for (one, a), (other, b) in pairs if a.padded(-1).overlaps(b.padded(-1))
    ]


class TestEveryFigure:
    """What holds for all of them."""

    @pytest.mark.parametrize("name", EVERY)
    def test_can_be_read(self, name: str) -> None:
        """With names as long as CIFAR-100's nothing is cut off, or lies on title, legend or note."""
        assert unreadable(EVERY[name]()) == []

    def test_unreadable_is_noticed(self) -> None:
        """A title that runs into the legend is found by the same test."""
        pairs = figures.confused_pairs(COARSE_COUNTS, 3)
        assert unreadable(figures.most_confused(pairs, COARSE, title="most confused " * 5, note=NOTE))
        assert unreadable(figures.most_confused(pairs, COARSE, title="most confused " * 9, note=NOTE))

    @pytest.mark.parametrize("name", EVERY)
    def test_small_and_plain(self, name: str) -> None:
        """Under 150 KB, as wide as the page needs, without date or version in the file."""
        content = figures.png(EVERY[name]())
        assert len(content) < 150_000
        assert Image.open(io.BytesIO(content)).width == figures.WIDTH * figures.DPI
        assert not {"tEXt", "iTXt", "zTXt", "tIME"} & chunks(content)

    def test_same_bytes(self) -> None:
        """Drawn twice, and under another matplotlibrc, a figure is the same file; another figure is not."""
        first = figures.png(EVERY["seeds"]())
        with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "savefig.dpi": 50}):
            assert figures.png(EVERY["seeds"]()) == first
            assert matplotlib.rcParams["font.size"] == 20
        assert figures.png(EVERY["quantiles"]()) != first

    def test_no_state(self) -> None:
        """Nothing of pyplot is loaded: no display is asked for, no figure is kept."""
        code = "import sys, grader.reference.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0

    def test_series_without_colour(self) -> None:
        """The three networks differ in marker, in line and by a seventh of the range in lightness."""
        lightness = sorted(
            np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) for colour, _, _ in figures.SERIES[:3]
        )
        assert min(np.diff(lightness)) > 1 / 7
        assert len({marker for _, marker, _ in figures.SERIES}) == len(figures.SERIES)
        assert len({line for _, _, line in figures.SERIES}) == len(figures.SERIES)


def chunks(content: bytes) -> set[str]:
    at, names = 8, set()
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        names.add(content[at + 4 : at + 8].decode())
        at += 12 + length
    return names


class TestPng:
    """png."""

    def test_photographs_keep_their_colours(self) -> None:
        """A picture of more colours than 256 comes out as it went in; a plot is packed without a trace."""
        image = RNG.integers(0, 256, (32, 32, 3), np.uint8)
        figure = figures.samples([figures.Sample(image, "noise", {"AlexNet": "noise"})], title="t", note="n")
        assert Image.open(io.BytesIO(figures.png(figure))).mode == "RGB"
        packed = Image.open(io.BytesIO(figures.png(EVERY["coarse counts"]())))
        assert packed.mode == "P"
        canvas = FigureCanvasAgg(EVERY["coarse counts"]())  # afresh: a second layout moves it by a pixel
        with matplotlib_style():
            canvas.draw()
        whole = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
        assert abs(np.asarray(packed.convert("RGB")).astype(int) - whole).max() <= 12


class TestConfusionCounts:
    """confusion_counts."""

    def test_is_scikit_learns(self) -> None:
        """Rows are true classes, absent ones included; the other way round is another matrix."""
        expected = confusion_matrix(LABELS, SAID, labels=range(103))
        assert (figures.confusion_counts(LABELS, SAID, 103) == expected).all()
        assert (figures.confusion_counts(SAID, LABELS, 103) != expected).any()

    def test_small_integers(self) -> None:
        """Labels of uint8, as data sets have them, do not overflow."""
        assert figures.confusion_counts(LABELS.astype(np.uint8), SAID.astype(np.uint8), 100).sum() == 2000


class TestConfusion:
    """confusion."""

    def test_percent_of_rows(self) -> None:
        """Normalised, every row sums to 100, an absent class's to 0; counts are shown as they are."""
        counts = np.array([[3, 1], [0, 0]])
        shown = [
            figures.confusion(counts, ("a", "b"), normalise=normalise, title="t", note="n").axes[0].images[0]
            for normalise in (True, False)
        ]
        assert shown[0].get_array().tolist() == [[75, 25], [0, 0]]
        assert shown[1].get_array().tolist() == [[3, 1], [0, 0]]

    def test_blocks(self) -> None:
        """Fine classes stand superclass by superclass, each block framed and named."""
        axes = EVERY["fine percent"]().axes[0]
        order = GROUPS.order
        assert (GROUPS.of[order] == np.repeat(np.arange(20), 5)).all()
        assert (
            axes.images[0].get_array() == 5 * FINE_COUNTS[np.ix_(order, order)]
        ).all()  # 20 images a class
        frames = [(patch.get_x() + 0.5, patch.get_width()) for patch in axes.patches]
        assert frames == [(5 * i, 5) for i in range(20)]
        assert [label.get_text() for label in axes.get_yticklabels()] == list(COARSE)


class TestConfusedPairs:
    """confused_pairs."""

    def test_order(self) -> None:
        """Most confusions first, both ways together, the stronger way named first; no pair that never is."""
        counts = np.array([[9, 1, 0], [4, 5, 0], [0, 6, 4]])
        assert [(p.first, p.second, p.forth, p.back) for p in figures.confused_pairs(counts, 9)] == [
            (2, 1, 6, 0),
            (1, 0, 4, 1),
        ]
        assert figures.confused_pairs(counts, 1)[0].share == 6 / 19
        assert figures.confused_pairs(np.diag([3, 3]), 9) == []


class TestLearningCurves:
    """learning_curves."""

    def test_without_validation_and_with_a_loss_that_ran_away(self) -> None:
        """What was not watched is not drawn; NaN leaves a gap and no warning."""
        bare = figures.Curve(
            "a", np.array([[0.1, 0.2]]), np.array([[3.0, np.nan]]), np.empty((1, 0)), np.empty((1, 0))
        )
        figure = figures.learning_curves([bare], chance=0.05, title="t", note="n")
        labels = [line.get_label() for line in figure.axes[0].lines]
        assert labels == ["training", "chance"]
        assert "validation" in [line.get_label() for line in EVERY["curves"]().axes[0].lines]
        assert figures.png(figure)


class TestSeeds:
    """seeds."""

    def test_threshold(self) -> None:
        """Each row has its dots and, where there is one, its threshold."""
        figure = figures.seeds([seeds("a", 0.3), seeds("b", None)], title="t", note="n")
        (lines,) = [
            c for c in figure.axes[0].collections if np.allclose(c.get_color()[0][:3], to_rgb("#d55e00"))
        ]
        ((start, _end),) = lines.get_segments()
        assert start[0] == 0.3
        dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
        assert [len(line.get_xdata()) for line in dots] == [20, 20]


class TestQuantiles:
    """quantiles."""

    def test_band(self) -> None:
        """Normal samples of 20 lie in the band at about 95% of their places, exponential ones do not."""
        low, high = band(20)
        inside = []
        for draw in (RNG.normal, RNG.exponential):
            drawn = np.sort(draw(size=(2000, 20)), axis=1)
            drawn = (drawn - drawn.mean(axis=1, keepdims=True)) / drawn.std(axis=1, ddof=1, keepdims=True)
            inside.append(((low <= drawn) & (drawn <= high)).mean())
        assert abs(inside[0] - 0.95) < 0.01
        assert inside[1] < 0.8


class TestSamples:
    """samples."""

    def test_marks(self) -> None:
        """A right answer is ticked, a wrong one crossed, in signs and not in colour alone."""
        sample = figures.Sample(np.zeros((32, 32, 3), np.uint8), "otter", {"A": "otter", "B": "seal"})
        (axes,) = figures.samples([sample], title="t", note="n").axes
        assert [text.get_text() for text in axes.texts] == ["✓ A: otter", "✗ B: seal"]
        assert axes.get_title() == "otter"

    def test_can_be_read(self) -> None:
        """Long names are cut before they reach the next image."""
        image = np.zeros((32, 32, 3), np.uint8)
        answers = dict.fromkeys(NAMES, COARSE[0])
        shown = [figures.Sample(image, COARSE[1], answers)] * 9
        assert unreadable(figures.samples(shown, title="Images and answers, coarse labels", note=NOTE)) == []
