"""The study's table: its rows, Sharma's and ours, what explains each difference, and its figures 1 to 3."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader import web
from grader.config import manifest, profiles
from grader.config.profiles import CLASSES, LabelSet, StudyCell
from grader.reference import figures as draw
from grader.reference.report.picture import Picture
from grader.reference.report.study import STUDY
from grader.reference.study import results
from grader.reference.study.cells import PROFILE
from grader.reference.study.results import Measured
from grader.web.filters import percent, readable, thousands
from lab.files import write_atomically

NOT_YET = "not run yet"
# Networks that were trained on ImageNet before, with a new last layer.
SHARMA = {("alexnet", "fine"): "44.1%", ("resnet", "fine"): "59.8%"}
_SUPERCLASSES = 20


@dataclass(frozen=True)
class Row:
    """A cell in the table; a dash where a source says nothing, "not run yet" where nothing was measured.

    Attributes:
        cell, title: its name; the network and the labels.
        study, sharma, goal: accuracy on held-back images in the study, with Sharma et al., and as aimed at.
        here, train: accuracy on held-back images, and in the last epoch of training.
        loss, train_loss: likewise.
        epochs_steps: as in the study's table.
        minutes: of the processor, a thread.
        size: what the builder was called with, and parameters.
        where: machine, day, seed and versions.
        because: what explains the difference.
    """

    cell: str
    title: str
    study: str
    sharma: str
    goal: str
    here: str
    train: str
    loss: str
    train_loss: str
    epochs_steps: str
    minutes: str
    size: str
    where: str
    because: str


@dataclass(frozen=True)
class Table:
    """The section.

    Attributes:
        rows: a cell each, in the order of params.yaml.
        done: how many were trained.
        pictures: curves, confusions and superclasses of those that were.
    """

    rows: tuple[Row, ...]
    done: int
    pictures: tuple[Picture, ...]


def table(root: Path) -> Table:
    """What reference/study/cells/ says; ManifestError names what cannot be read."""
    params = profiles.load(root / "params.yaml")
    titles = {
        task.id: task.title for task in manifest.load(root / "solutions" / "tasks.toml").tasks if task.builder
    }
    found = {name: results.load(root, name) for name in params.study}
    rows = tuple(_row(name, asked, titles[asked.task], found[name]) for name, asked in params.study.items())
    measured = [(one, _title(params.study[name], titles)) for name, one in found.items() if one]
    return Table(rows, len(measured), tuple(_pictures(measured)))


def _title(asked: StudyCell, titles: dict[str, str]) -> str:
    return titles[asked.task] + (", settings of its own" if asked.recipe else "")


def _row(name: str, asked: StudyCell, title: str, measured: Measured | None) -> Row:
    key = (asked.task, asked.labels)
    published = None if asked.recipe else STUDY.get(key)
    common = {
        "cell": name,
        "title": f"{title}, {asked.labels}" + (f", {_changes(asked)}" if asked.recipe else ""),
        "study": published.validation_accuracy if published else "–",
        "sharma": "–" if asked.recipe else SHARMA.get(key, "–"),
        "goal": percent(asked.goal, 0) if asked.goal else "–",
        "because": _because(asked, measured),
    }
    if measured is None:
        blank = ("train", "loss", "train_loss", "epochs_steps", "minutes", "size", "where")
        return Row(**common, here=NOT_YET, **dict.fromkeys(blank, ""))
    one = measured.result
    arguments = ", ".join(f"{argument} {value}" for argument, value in measured.arguments.items())
    return Row(
        **common,
        here=percent(one.accuracy),
        train=percent(one.train_accuracy[-1]),
        loss=_number(one.loss),
        train_loss=_number(one.train_loss[-1]),
        epochs_steps=f"{measured.recipe.epochs} × {measured.steps}",
        minutes=f"{one.cpu_seconds / 60:.0f}",
        size=f"{arguments}: {thousands(one.parameters)} parameters",
        where=f"{one.where}, seed {one.seed}, {one.backend}",
    )


def _number(value: float | None) -> str:
    return "ran away" if value is None else f"{value:.2f}"


def _changes(asked: StudyCell) -> str:
    return ", ".join(f"{name} {value}" for name, value in asked.recipe.items())


def _because(asked: StudyCell, measured: Measured | None) -> str:
    """What the sources say of a difference, and what was measured; nothing about ours before that."""
    if asked.recipe:
        return (
            "As many steps as the study gave its ResNet (50 × 50), where its AlexNet had 35,000: the "
            "difference to the same network with equal settings is what that inequality costs."
        )
    if asked.task == "wide_resnet":
        return "The study had no such network."
    if asked.task == "resnet":
        return (
            "The study's validation stayed at chance. Of the causes tried, validation images on a larger "
            "scale than training images fit its figures best (docs/the-resnet-that-would-not-learn.md)."
            + (" Sharma's came from ImageNet with a new last layer." if asked.labels == "fine" else "")
        )
    learnt = STUDY["alexnet", asked.labels]
    gap = float(learnt.training_accuracy.rstrip("%")) - float(learnt.validation_accuracy.rstrip("%"))
    here = ""
    if measured:
        apart = 100 * (measured.result.train_accuracy[-1] - measured.result.accuracy)
        here = f" Here it is {apart:.0f}, with shifts, flips, smoothed labels and a rate that falls to 0."
    return f"Between training and validation the study's network has {gap:.0f} points.{here}"


def _pictures(measured: Sequence[tuple[Measured, str]]) -> list[Picture]:
    pictures = []
    panels: list[draw.Panel] = []
    label_sets: tuple[LabelSet, ...] = ("coarse", "fine")
    for labels in label_sets:
        cells = [(one, title) for one, title in measured if one.labels == labels]
        if not cells:
            continue
        first = cells[0][0]
        note = (
            f"CIFAR-100: {first.train:,} images trained on, {first.held_back:,} held back and scored. "
            f"One run each, seed {first.result.seed}."
        )
        figure = draw.learning_curves(
            [_curve(one, title) for one, title in cells],
            chance=1 / CLASSES[labels],
            title=f"Learning curves, {labels} labels",
            note=note,
        )
        pictures.append(Picture.of(f"study-curves-{labels}", figure))
        answered = {title: one.counts for one, title in cells if one.confusion and not _own(title)}
        if answered:
            pictures.append(_confusions(labels, answered, first, note))
            shares = {
                title: np.array(list(one.superclasses.values()))
                for one, title in cells
                if one.superclasses and not _own(title)
            }
            panels.append(draw.Panel(f"{labels} labels", shares))
    if panels:
        names = [readable(name) for name in measured[0][0].superclasses]
        figure = draw.per_superclass(
            panels, names, title="Accuracy per superclass", note="Held-back images, one run each."
        )
        pictures.append(Picture.of("study-superclasses", figure))
    return pictures


def _own(title: str) -> bool:
    return title.endswith("settings of its own")


def _curve(one: Measured, title: str) -> draw.Curve:
    def row(values: Sequence[float | None]) -> draw.Floats:
        return np.array([values], np.float64)

    got = one.result
    return draw.Curve(
        title,
        row(got.train_accuracy),
        row(got.train_loss),
        row(got.validation_accuracy),
        row(got.validation_loss),
    )


def _confusions(labels: LabelSet, answered: dict[str, draw.Counts], first: Measured, note: str) -> Picture:
    names = tuple(readable(name) for name in first.superclasses)
    # Fine classes are drawn in the order of their superclasses.
    of = np.array(first.superclass_of, np.int64)
    figure = draw.confusions_side_by_side(
        answered,
        names,
        title=f"Confusions, {labels} labels, on one colour scale",
        note=note,
        groups=draw.Groups(of, names) if labels == "fine" else None,
    )
    return Picture.of(f"study-confusions-{labels}", figure)


def page(root: Path, out: Path | None = None) -> Path:
    """Writes the page of the study and its figures beside it; returns where. Errors as of `table`."""
    shown = table(root)
    folder = out or root / ".kit" / "report" / PROFILE
    for picture in shown.pictures:
        write_atomically(folder / f"{picture.name}.png", picture.png)
    recipe = profiles.load(root / "params.yaml").profile(PROFILE).recipe
    html = web.render("report_study.html.j2", page={"cells": shown, "recipe": recipe.model_dump()})
    write_atomically(folder / "index.html", html)
    return folder / "index.html"
