"""Confusions: which classes a network takes for which, on the validation images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grader.config.profiles import CLASSES, LabelSet
from grader.reference import figures as draw
from grader.reference.report.material import LABEL_SETS, Material, Predictions
from grader.reference.report.picture import Picture
from grader.web.filters import percent, readable
from lab.data import DataSet

PAIRS = 12  # that are drawn


@dataclass(frozen=True)
class Recall:
    """The part of a class's images that were recognised."""

    name: str
    share: float


@dataclass(frozen=True)
class Pair:
    """Two classes, and how many answers took either for the other."""

    first: str
    second: str
    times: int


@dataclass(frozen=True)
class Pairs:
    """The pairs that are most often taken for one another.

    Attributes:
        picture: bars.
        count: how many are drawn.
        answers: on images of both classes of a pair.
        most: the first three.
    """

    picture: Picture
    count: int
    answers: int
    most: tuple[Pair, ...]


@dataclass(frozen=True)
class ClassRow:
    """A class in the table of all.

    Attributes:
        name, superclass: what it is called, and its kind.
        right, answers: so many of so many answers on its images, of all runs, were right.
        taken_for: what it was taken for most often; empty if it never was taken for anything else.
        times: how often.
    """

    name: str
    superclass: str
    right: int
    answers: int
    taken_for: str
    times: int


@dataclass(frozen=True)
class Confusion:
    """One network on one label set.

    Attributes:
        id: of its part of the page.
        title: of the task and the label set.
        counts, percent: the matrix, in answers of all runs and in percent of each true class.
        best, worst: the classes that are recognised most and least often.
        favourite, said: the class that is answered most often, and how often.
        within: of the wrong answers the part that stays within the superclass; None for coarse labels.
        pairs: None where no class was taken for another.
        classes: all classes, superclass by superclass; empty for coarse labels.
        note: what the figures rest on.
    """

    id: str
    title: str
    counts: Picture
    percent: Picture
    best: Recall
    worst: Recall
    favourite: str
    said: int
    within: float | None
    pairs: Pairs | None
    classes: tuple[ClassRow, ...]
    note: str


def confusions(material: Material) -> tuple[Confusion, ...]:
    """One for each network and label set whose answers are known; none without the validation images."""
    images = material.validation
    if images is None:
        return ()
    return tuple(
        _confusion(material, images, task, labels, said)
        for labels in LABEL_SETS
        for task in material.titles
        if (said := material.predictions(task, labels)) is not None
    )


def _confusion(
    material: Material, images: DataSet, task: str, labels: LabelSet, said: Predictions
) -> Confusion:
    names = [readable(name) for name in images.class_names(labels)]
    true = np.tile(images.labels(labels), len(said))
    counts = draw.confusion_counts(true, said.reshape(-1), CLASSES[labels])
    groups, within = None, None
    if labels == "fine":
        groups = draw.Groups(images.coarse_of_fine, tuple(map(readable, images.coarse_names)))
        same = groups.of[images.fine_labels] == groups.of[said]  # (runs, images)
        wrong = images.fine_labels != said
        within = float(same[wrong].mean()) if wrong.any() else 0.0
    title = f"{material.titles[task]}, {labels} labels"
    name = f"{task}-{labels}".replace("_", "-")
    accuracy = float(np.trace(counts) / counts.sum())
    note = (
        f"{material.basis_of_answers()} All runs together (n = {len(said)}): {percent(accuracy)} right. "
        f"{material.spread([(task, labels)])}"
    )

    def matrix(kind: str, what: str, *, normalise: bool) -> Picture:
        heading = f"{title}: confusions in {what}"
        figure = draw.confusion(counts, names, normalise=normalise, title=heading, note=note, groups=groups)
        return Picture.of(f"confusion-{name}-{kind}", figure)

    recall = np.diag(counts) / np.maximum(1, counts.sum(axis=1))
    best, worst = int(recall.argmax()), int(recall.argmin())
    favourite = int(counts.sum(axis=0).argmax())
    return Confusion(
        id=f"confusion-{name}",
        title=title,
        counts=matrix("counts", "answers", normalise=False),
        percent=matrix("percent", "percent of each class", normalise=True),
        best=Recall(names[best], float(recall[best])),
        worst=Recall(names[worst], float(recall[worst])),
        favourite=names[favourite],
        said=int(counts.sum(axis=0)[favourite]),
        within=within,
        pairs=_pairs(f"pairs-{name}", title, counts, names, groups, note),
        classes=_classes(counts, names, groups) if groups else (),
        note=note,
    )


def _pairs(
    name: str,
    title: str,
    counts: draw.Counts,
    names: Sequence[str],
    groups: draw.Groups | None,
    note: str,
) -> Pairs | None:
    pairs = draw.confused_pairs(counts, PAIRS)
    if not pairs:
        return None
    figure = draw.most_confused(pairs, names, title=f"{title}: most confused", note=note, groups=groups)
    return Pairs(
        picture=Picture.of(name, figure),
        count=len(pairs),
        answers=pairs[0].images,
        most=tuple(Pair(names[one.first], names[one.second], one.forth + one.back) for one in pairs[:3]),
    )


def _classes(counts: draw.Counts, names: Sequence[str], groups: draw.Groups) -> tuple[ClassRow, ...]:
    rows = []
    for index in groups.order:
        row = counts[index].copy()
        right, answers = int(row[index]), int(row.sum())
        row[index] = 0
        other = int(row.argmax())
        times = int(row[other])
        superclass = groups.names[groups.of[index]]
        rows.append(ClassRow(names[index], superclass, right, answers, names[other] if times else "", times))
    return tuple(rows)
