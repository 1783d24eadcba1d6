"""Makes a ResNet fail as the study of 2021 saw it fail, by each suspected cause, and measures which fits.

There, training accuracy rose to 35% (20 classes) while validation accuracy stayed at 5%, which is chance, and
validation loss reached 65. Here one small network is trained in epochs of as many steps, once for each cause
and once without any. What each looks like, and which has all three marks of the study's failure, is read off
the numbers: `fits` compares, nobody decides.

`python -m grader.reference failure` writes reference/failure.json and the figures in docs/figures/. A cause
that was measured is kept in .kit/failure/, so a run that was stopped goes on with the next one.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from grader.diagnosis.trial import BATCH, Learner
from grader.errors import ManifestError
from grader.reference import failure_figures
from grader.training import backends
from lab import data, synthetic
from lab.files import write_atomically
from lab.strict import Strict, explained

ROOT = Path(__file__).resolve().parents[2]
VERSION = 1  # of what is measured, here and in grader/diagnosis/trial.py: see grader/reference/versions.py
EPOCHS, STEPS = 30, 50  # the study's steps, and the first 30 of its 50 epochs: the picture no longer changes
TRAIN, VALIDATION = 8000, 1000  # images; as many training images as validation images are scored
SEED = 1
FACTORS = (1, 2, 4, 8, 16, 32, 64, 128, 255)
FIGURES = ("failure-curves.png", "failure-causes.png")

Images = npt.NDArray[np.uint8]  # (B, H, W, C)
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Study(Strict):
    """What the study reports of its ResNet with 20 classes: the marks that a cause has to show."""

    train_accuracy: float = 0.35
    validation_accuracy: float = 0.05
    validation_loss: float = 65.4


class Settled(Strict):
    """Scores once the moving statistics have caught up, all else as it was."""

    epoch: int
    inference_accuracy: float
    validation_accuracy: float
    validation_loss: float


class Dose(Strict):
    """Validation images fed at so many times the training images' scale, all else as it was."""

    factor: int
    validation_accuracy: float
    validation_loss: float


class Measured(Strict):
    """What one cause looks like; a tuple has an entry for each epoch.

    Attributes:
        cause: its name in CAUSES.
        momentum: of batch normalisation.
        train_accuracy, train_loss: over the epoch's own steps, in training mode.
        inference_accuracy, inference_loss: of training images as training is fed them, in inference mode.
        validation_accuracy, validation_loss: of validation images as validation is fed them.
        validation_classes: how many different classes are predicted for them.
        settled: the same after the first and the last epoch with statistics that have caught up.
        doses: how much of a difference in scale it takes: of one cause alone.
        train_range, validation_range: lowest and highest value that the network is fed.
        seconds: all of it.
    """

    cause: str
    momentum: float
    train_accuracy: tuple[float, ...]
    train_loss: tuple[float, ...]
    inference_accuracy: tuple[float, ...]
    inference_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_classes: tuple[int, ...]
    settled: tuple[Settled, ...]
    doses: tuple[Dose, ...] = ()
    train_range: tuple[float, float]
    validation_range: tuple[float, float]
    seconds: float

    def last(self, series: str) -> float:
        """The mean of a series over the last five epochs: one epoch's validation loss is one draw of many."""
        return float(np.mean(getattr(self, series)[-5:]))


class Failure(Strict):
    """reference/failure.json."""

    data: str
    pin: str
    num_classes: int
    epochs: int
    steps: int
    batch: int
    train_images: int
    validation_images: int
    seed: int
    versions: dict[str, str]
    machine: str
    study: Study = Study()
    causes: tuple[Measured, ...] = Field(min_length=1)

    def cause(self, name: str) -> Measured:
        """The cause of that name."""
        return next(one for one in self.causes if one.cause == name)

    def marks(self, one: Measured) -> dict[str, bool]:
        """Which marks of the study's failure a cause shows at the end.

        Training has learned (four times chance; the study's had seven times), validation has not (under twice
        chance, a sixth of what training reaches) and its loss is in the tens or more (the study's was 65).
        """
        chance = 1 / self.num_classes
        return {
            "training learns": one.last("train_accuracy") >= 4 * chance,
            "validation at chance": one.last("validation_accuracy") <= 2 * chance,
            "loss in the tens": one.last("validation_loss") >= 20,
        }

    def fits(self) -> tuple[str, ...]:
        """The causes that show all the marks."""
        return tuple(one.cause for one in self.causes if all(self.marks(one).values()))


# --- the causes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Statistics:
    mean: Floats
    deviation: Floats

    def standardise(self, images: Images) -> Floats:
        fed: Floats = ((images.astype(np.float32) - self.mean) / self.deviation).astype(np.float32)
        return fed


Feed = Callable[[Images, _Statistics], Floats]


@dataclass(frozen=True)
class Cause:
    """One way to keep validation at chance.

    Attributes:
        name, title: in the file; on figures and in tables.
        train, validation: what the network is fed in place of raw images.
        momentum: of batch normalisation; 0.9 follows within an epoch, so that one cause is seen at a time.
        train_labels, validation_labels: whether these are their images' own.
    """

    name: str
    title: str
    train: Feed
    validation: Feed
    momentum: float = 0.9
    train_labels: bool = True
    validation_labels: bool = True


def _standardised(images: Images, statistics: _Statistics) -> Floats:
    return statistics.standardise(images)


def _to_one(images: Images, _statistics: _Statistics) -> Floats:
    return images.astype(np.float32) / np.float32(255)


def _raw(images: Images, _statistics: _Statistics) -> Floats:
    return images.astype(np.float32)


def _raw_augmentation(images: Images, statistics: _Statistics) -> Floats:
    """Every second image is replaced by its mirror image, taken from the images before standardisation."""
    fed = statistics.standardise(images)
    fed[::2] = images[::2, :, ::-1]
    return fed


CAUSES = (
    Cause("nothing", "nothing wrong", _standardised, _standardised),
    Cause("train 0-1", "training 0–1, validation 0–255", _to_one, _raw),
    Cause("validation raw", "training standardised, validation 0–255", _standardised, _raw),
    Cause("train 0-255", "training 0–255, validation 0–1", _raw, _to_one),
    Cause("lag", "moving statistics lag (momentum 0.99)", _standardised, _standardised, momentum=0.99),
    Cause("raw augmentation", "augmentation writes raw pixels", _raw_augmentation, _standardised),
    Cause("train labels", "wrong training labels", _standardised, _standardised, train_labels=False),
    Cause(
        "validation labels", "wrong validation labels", _standardised, _standardised, validation_labels=False
    ),
)
DOSED = "train 0-1"  # its validation images can be fed at any factor between right and wrong


# --- running ------------------------------------------------------------------------------------------------


def run(
    root: Path = ROOT,
    *,
    console: Console | None = None,
    epochs: int = EPOCHS,
    source: data.DataSet | None = None,
    causes: Sequence[Cause] = CAUSES,
) -> Failure:
    """Measures every cause that is not measured yet; writes reference/failure.json and the figures.

    Args:
        root: the checkout; everything read and written lies in it.
        console: where progress goes.
        epochs: fewer than the study's, for tests.
        source: the images; CIFAR-100 where it is, else the embedded set.
        causes: fewer than all, for tests.
    """
    # Before Keras is imported: one thread gives the same sums in the same order everywhere.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    console = console or Console()
    chosen = source or (data.course(root) if data.available(root) else synthetic.embedded_course())
    console.print(
        f"The ResNet that would not learn: {len(causes)} causes, {epochs} epochs of {STEPS} steps each, on "
        f"{chosen.name}{'' if chosen.name == 'CIFAR-100' else ' (CIFAR-100 is not here: nox -s data)'}",
        style="bold",
        highlight=False,
    )
    arrays = _Arrays.of(chosen)
    measured = []
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bars:
        whole = bars.add_task("all causes", total=len(causes) * epochs)
        for cause in causes:
            path = _place(root, cause, chosen, epochs)
            one = _stored(path)
            kept = one is not None
            if one is None:
                bars.update(whole, description=cause.title)
                one = measure(cause, arrays, epochs=epochs, report=lambda: bars.advance(whole))
                write_atomically(path, one.model_dump_json())
            else:
                bars.advance(whole, epochs)
            measured.append(one)
            console.print(f"  {_line(cause, one)}{' (kept)' if kept else ''}", highlight=False)
    failure = Failure(
        data=chosen.name,
        pin=chosen.pin,
        num_classes=arrays.num_classes,
        epochs=epochs,
        steps=STEPS,
        batch=BATCH,
        train_images=len(arrays.train),
        validation_images=len(arrays.validation),
        seed=SEED,
        versions=_versions(),
        machine=backends.machine(),
        causes=tuple(measured),
    )
    write_atomically(root / "reference" / "failure.json", as_text(failure))
    drawn = failure_figures.curves(failure, title), failure_figures.bars_of_causes(failure, title)
    for name, content in zip(FIGURES, drawn, strict=True):
        write_atomically(root / "docs" / "figures" / name, content)
    console.print(
        f"All three marks of the study's failure: {', '.join(map(title, failure.fits())) or 'none'}",
        highlight=False,
    )
    console.print(f"Written: reference/failure.json, docs/figures/{' and '.join(FIGURES)}", highlight=False)
    return failure


def table(failure: Failure) -> str:
    """The table of docs/the-resnet-that-would-not-learn.md: means of the last five epochs."""
    lines = [
        "| what is wrong | training mode | inference mode | validation | validation loss | answers | fits |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in failure.causes:
        shares = (
            f"{one.last(name):.0%}"
            for name in ("train_accuracy", "inference_accuracy", "validation_accuracy")
        )
        lines.append(
            f"| {title(one.cause)} | {' | '.join(shares)} | {_rounded(one.last('validation_loss'))} | "
            f"{one.last('validation_classes'):.0f} | {'**yes**' if one.cause in failure.fits() else 'no'} |"
        )
    return "\n".join(lines)


def doses(failure: Failure) -> str:
    """The table of what it takes: validation images at so many times the training images' scale."""
    measured = failure.cause(DOSED).doses
    rows = [
        ["times too large", *(str(dose.factor) for dose in measured)],
        ["accuracy", *(f"{dose.validation_accuracy:.0%}" for dose in measured)],
        ["loss", *(_rounded(dose.validation_loss) for dose in measured)],
    ]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rounded(loss: float) -> str:
    return f"{loss:,.0f}" if loss >= 20 else f"{loss:.1f}"


def load(root: Path = ROOT) -> Failure:
    """Reads reference/failure.json; ManifestError says how to make it."""
    path, fix = root / "reference" / "failure.json", "Make it again: nox -s reference"
    try:
        return Failure.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}", fix=fix) from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}", fix=fix) from error


def as_text(failure: Failure) -> str:
    """JSON with a line for each series, so that a change in git is readable."""
    text = json.dumps(failure.model_dump(mode="json"), indent=1)
    return re.sub(r"\[\s+([-0-9.,e\s]+?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text) + "\n"


@dataclass(frozen=True)
class _Arrays:
    """Raw images and coarse labels of both parts, and the training part's statistics."""

    train: Images
    train_labels: Ints
    validation: Images
    validation_labels: Ints
    num_classes: int
    statistics: _Statistics

    @classmethod
    def of(cls, source: data.DataSet) -> "_Arrays":
        # A prefix holds as many of each class, in class order; the last of each class are for validation.
        classes = len(source.fine_names)
        size = min(len(source), TRAIN + 2 * VALIDATION)
        part = source.prefix(size)
        rank = np.arange(size) % (size // classes)
        first = TRAIN * size // (TRAIN + 2 * VALIDATION) // classes
        count = max(1, min(VALIDATION // classes, size // classes - first))
        train, validation = rank < first, (rank >= first) & (rank < first + count)
        images = part.images[train]
        labels = part.labels("coarse").astype(np.int64)
        return cls(
            train=images,
            train_labels=labels[train],
            validation=part.images[validation],
            validation_labels=labels[validation],
            num_classes=len(source.coarse_names),
            statistics=_Statistics(
                images.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32),
                images.std(axis=(0, 1, 2), dtype=np.float64).astype(np.float32),
            ),
        )


def measure(
    cause: Cause, arrays: _Arrays, *, epochs: int, report: Callable[[], None] = lambda: None
) -> Measured:
    """Trains with one cause; `report` is called after each epoch."""
    began = time.monotonic()
    draw = np.random.default_rng(SEED)
    some = draw.choice(len(arrays.train), len(arrays.validation), replace=False)
    train_labels, validation_labels = arrays.train_labels, arrays.validation_labels
    if not cause.train_labels:
        train_labels = draw.permutation(train_labels)
    if not cause.validation_labels:
        validation_labels = draw.permutation(validation_labels)
    x_some = cause.train(arrays.train[some], arrays.statistics)
    x_validation = cause.validation(arrays.validation, arrays.statistics)
    shape = (arrays.train.shape[1], arrays.train.shape[2], arrays.train.shape[3])
    learner = Learner(shape, arrays.num_classes, momentum=cause.momentum, seed=SEED)

    series: dict[str, list[Any]] = {name: [] for name in _SERIES}
    settled = []
    for epoch in range(epochs):
        steps = []
        for _ in range(STEPS):
            chosen = draw.choice(len(arrays.train), BATCH, replace=False)
            steps.append(
                learner.step(cause.train(arrays.train[chosen], arrays.statistics), train_labels[chosen])
            )
        train, validation = (
            learner.score(x_some, train_labels[some]),
            learner.score(x_validation, validation_labels),
        )
        row: tuple[float, ...] = (
            float(np.mean([step.accuracy for step in steps])),
            float(np.mean([step.loss for step in steps])),
            train.accuracy,
            train.loss,
            validation.accuracy,
            validation.loss,
        )
        for name, value in zip(_SERIES, row, strict=False):
            series[name].append(round(value, 4))
        series["validation_classes"].append(validation.predicted)
        if epoch in (0, epochs - 1):
            before = learner.moving_statistics()
            learner.settle(x_some, train_labels[some])
            train, validation = (
                learner.score(x_some, train_labels[some]),
                learner.score(x_validation, validation_labels),
            )
            learner.restore(before)
            settled.append(
                Settled(
                    epoch=epoch + 1,
                    inference_accuracy=round(train.accuracy, 4),
                    validation_accuracy=round(validation.accuracy, 4),
                    validation_loss=round(validation.loss, 4),
                )
            )
        report()
    doses = []
    if cause.name == DOSED:
        for factor in FACTORS:
            one = learner.score(
                np.float32(factor) * _to_one(arrays.validation, arrays.statistics), validation_labels
            )
            doses.append(
                Dose(
                    factor=factor,
                    validation_accuracy=round(one.accuracy, 4),
                    validation_loss=round(one.loss, 4),
                )
            )
    return Measured(
        cause=cause.name,
        momentum=cause.momentum,
        settled=tuple(settled),
        doses=tuple(doses),
        train_range=_range(x_some),
        validation_range=_range(x_validation),
        seconds=round(time.monotonic() - began, 1),
        **{name: tuple(values) for name, values in series.items()},
    )


_SERIES = (
    *("train_accuracy", "train_loss", "inference_accuracy", "inference_loss"),
    *("validation_accuracy", "validation_loss", "validation_classes"),
)


def _range(x: Floats) -> tuple[float, float]:
    return round(float(x.min()), 2), round(float(x.max()), 2)


def _place(root: Path, cause: Cause, source: data.DataSet, epochs: int) -> Path:
    """Where a cause's measurement is kept: under everything that can change it."""
    versions = _versions()
    what = [VERSION, cause.name, cause.momentum, epochs, STEPS, BATCH, TRAIN, VALIDATION, SEED, source.pin]
    digest = hashlib.sha256(json.dumps([*what, versions], sort_keys=True).encode()).hexdigest()
    return root / ".kit" / "failure" / f"{digest[:32]}.json"


def _versions() -> dict[str, str]:
    """Of what computes, and of nothing else: what is kept stays good when another package is installed."""
    every = backends.versions()
    return {name: every[name] for name in ("python", "keras", "tensorflow", "numpy")}


def _stored(path: Path) -> Measured | None:
    try:
        return Measured.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None  # not there, or of another version: measured again


def title(name: str) -> str:
    """What a cause is called where it is shown."""
    return next(cause.title for cause in CAUSES if cause.name == name)


def _line(cause: Cause, one: Measured) -> str:
    return (
        f"{cause.title:40} training {one.last('train_accuracy'):4.0%}, its images in inference mode "
        f"{one.last('inference_accuracy'):4.0%}, validation {one.last('validation_accuracy'):4.0%}, "
        f"loss {one.last('validation_loss'):,.1f}"
    )
