"""What came of a student's training, as one HTML file that needs nothing else, and curves as a picture."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from grader import web
from grader.practice.experiments import Experiment
from lab.data import DataSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_WORST = 12  # mistakes that are shown
_ENLARGED = 4  # pixels of a page for one of an image
_INK, _BLUE, _ORANGE = "#1d1d1f", "#0b3c5d", "#d55e00"
_STYLE = {"font.family": ["DejaVu Sans"], "font.size": 9.0, "svg.hashsalt": "run", "text.color": _INK}


@dataclass(frozen=True)
class Picture:
    """A picture within a page, as the templates take it."""

    name: str
    source: str
    width: int
    height: int


@dataclass(frozen=True)
class Mistake:
    """One validation image that the network took for something else.

    Attributes:
        source: the image.
        true, said: names of classes.
        confidence: the probability of what it said, 0 to 1.
        of_true: that of the true class.
    """

    source: str
    true: str
    said: str
    confidence: float
    of_true: float


@dataclass(frozen=True)
class Confused:
    """A class that is taken for another: how often, of how many images of it."""

    true: str
    said: str
    times: int
    images: int


@dataclass(frozen=True)
class Page:
    """All that the template is filled with.

    Attributes:
        run: which training.
        title: of the task.
        chance: the accuracy of guessing.
        curves: accuracy and loss.
        confusion: the matrix; None if the loss ran away, and then there is nothing below it either.
        confused: what is taken for what most often.
        mistakes: the worst.
    """

    run: Experiment
    title: str
    chance: float
    curves: Picture
    confusion: Picture | None
    confused: list[Confused]
    mistakes: list[Mistake]


def page(
    run: Experiment, title: str, validation: DataSet, probabilities: npt.NDArray[np.float32] | None
) -> str:
    """The page.

    Args:
        run: which training; its id may still be open.
        title: of the task.
        validation: the images that it was scored on.
        probabilities: what the network says of them, (M, classes); None if the loss ran away.
    """
    labels, names = validation.labels(run.labels).astype(np.int64), validation.class_names(run.labels)
    confusion: Picture | None = None
    confused: list[Confused] = []
    mistakes: list[Mistake] = []
    if probabilities is not None:
        counts = confusion_counts(labels, probabilities.argmax(axis=1), len(names))
        confusion = _picture("confusion", _confusion(counts, names))
        confused = most_confused(counts, names)
        mistakes = worst(validation.images, labels, probabilities, names)
    made = Page(run, title, 1 / len(names), _picture("curves", curves([run])), confusion, confused, mistakes)
    return web.render("run.html.j2", page=made)


def confusion_counts(
    labels: npt.NDArray[np.int64], predictions: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.int64]:
    """How often each class was taken for each: int64 (classes, classes), rows are the true classes.

    >>> confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(labels * classes + predictions, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def most_confused(counts: npt.NDArray[np.int64], names: Sequence[str], most: int = 8) -> list[Confused]:
    """The confusions that happen most often; none that never happens."""
    wrong = np.where(np.eye(len(names), dtype=bool), 0, counts)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    return [
        Confused(names[i], names[j], int(counts[i, j]), int(counts[i].sum()))
        for i, j in zip(*np.unravel_index(order, counts.shape), strict=True)
        if wrong[i, j] > 0
    ]


def worst(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.float32],
    names: Sequence[str],
) -> list[Mistake]:
    """The mistakes that the network is surest of, the surest first, at most MOST_WORST."""
    rows = np.arange(len(labels))
    said = probabilities.argmax(axis=1)
    sure = np.where(said == labels, -1.0, probabilities[rows, said])
    order = [int(i) for i in np.argsort(-sure, kind="stable")[:MOST_WORST] if sure[i] >= 0]
    return [
        Mistake(
            _png(images[i]),
            names[labels[i]],
            names[said[i]],
            float(probabilities[i, said[i]]),
            float(probabilities[i, labels[i]]),
        )
        for i in order
    ]


def curves(runs: Sequence[Experiment]) -> bytes:
    """Accuracy and loss after each epoch, as SVG; of several runs, each in a colour and a kind of line."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    with rc_context(_STYLE):
        figure = Figure(figsize=(7.5, 3.1), layout="constrained")
        accuracy, loss = figure.subplots(1, 2)
        kinds = ((_BLUE, "o"), (_ORANGE, "s"), ("#56b4e9", "^"), ("#7a7a7a", "D"))
        for number, run in enumerate(runs):
            colour, marker = kinds[number % len(kinds)]
            of = f"{run.id}, " if len(runs) > 1 else ""
            for at, train, validation in (
                (accuracy, run.train_accuracy, run.validation_accuracy),
                (loss, run.train_loss, run.validation_loss),
            ):
                for values, line, what in ((train, "--", "training"), (validation, "-", "validation")):
                    epochs = np.arange(1, len(values) + 1)
                    shown = [np.nan if value is None else value for value in values]
                    at.plot(epochs, shown, line, color=colour, marker=marker, markersize=4, label=of + what)
        accuracy.set_title("accuracy", loc="left")
        accuracy.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        loss.set_title("loss (nats)", loc="left")
        for at in (accuracy, loss):
            at.set_xlabel("epoch")
            at.set_ylim(0, None)
            at.grid(axis="y", color="#e6e6ea")
            at.spines[["top", "right"]].set_visible(False)
            at.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        figure.legend(
            *accuracy.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False
        )
        return _svg(figure)


def _confusion(counts: npt.NDArray[np.int64], names: Sequence[str]) -> bytes:
    from matplotlib import rc_context
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(7.5, 7.0), layout="constrained")
        at = figure.subplots()
        rows = np.maximum(counts.sum(axis=1, keepdims=True), 1)
        shares = 100 * counts / rows
        drawn = at.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 100), interpolation="nearest")
        if len(names) <= 30:
            readable = [name.replace("_", " ") for name in names]
            at.set_xticks(range(len(names)), readable, rotation=90, fontsize=7)
            at.set_yticks(range(len(names)), readable, fontsize=7)
            for (row, column), value in np.ndenumerate(counts):
                if value:
                    ink = "white" if shares[row, column] > 35 else _INK
                    at.text(column, row, str(value), ha="center", va="center", fontsize=6, color=ink)
        at.set_xlabel("predicted")
        at.set_ylabel("true")
        figure.colorbar(drawn, ax=at, shrink=0.6, label="percent of the true class")
        return _svg(figure)


def _svg(figure: "Figure") -> bytes:
    from matplotlib import rc_context

    out = io.BytesIO()
    with rc_context(_STYLE):
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _picture(name: str, svg: bytes) -> Picture:
    source = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    return Picture(name, source, 540, 223 if name == "curves" else 504)


def _png(image: npt.NDArray[np.uint8]) -> str:
    from PIL import Image

    out = io.BytesIO()
    size = (image.shape[1] * _ENLARGED, image.shape[0] * _ENLARGED)
    Image.fromarray(image).resize(size, Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
