"""Accuracies over seeds beside the thresholds that were made from them."""

from dataclasses import dataclass

import numpy as np

from grader.config.profiles import CLASSES, LabelSet
from grader.reference import figures as draw
from grader.reference.report.material import LABEL_SETS, Material
from grader.reference.report.picture import Picture
from grader.reference.report.wording import mean_sd
from grader.web.filters import percent


@dataclass(frozen=True)
class Network:
    """One network on one label set.

    Attributes:
        title: of its task.
        n: trainings.
        mean_sd: of their accuracies, as text.
        lowest, highest: of them.
        graded: the accuracy of the run under the grading seed, the mark of every known submission;
            None where there is none.
        threshold: from which it passes; None where there is none.
        distance: from the threshold up to the mean, in standard deviations; None where there is no spread.
    """

    title: str
    n: int
    mean_sd: str
    lowest: float
    highest: float
    graded: float | None
    threshold: float | None
    distance: float | None


@dataclass(frozen=True)
class OnLabels:
    """All networks on one label set.

    Attributes:
        labels: the label set.
        chance: the accuracy of a guess.
        networks: none if none was trained.
        picture: a dot for each training; None if there is none.
        below, trainings: so many trainings of so many lie below their threshold.
    """

    labels: LabelSet
    chance: float
    networks: tuple[Network, ...]
    picture: Picture | None
    below: int
    trainings: int


def seeds(material: Material) -> tuple[OnLabels, ...]:
    """One for each label set; none where nothing was trained."""
    return tuple(_on(material, labels) for labels in LABEL_SETS) if material.groups else ()


def _on(material: Material, labels: LabelSet) -> OnLabels:
    rows, networks = [], []
    for (task, of), results in material.groups.items():
        if of == labels:
            accuracies = np.array([result.accuracy for result in results])
            threshold = material.threshold(task, labels)
            graded = material.graded.get((task, labels))
            rows.append(draw.Seeds(material.titles[task], accuracies, threshold))
            networks.append(
                _network(material.titles[task], accuracies, graded.accuracy if graded else None, threshold)
            )
    picture = None
    if rows:
        rule = material.thresholds.rule if material.thresholds else "no thresholds yet"
        spread = material.spread([(task, labels) for task in material.titles])
        figure = draw.seeds(
            rows,
            title=f"Accuracy under each seed, {labels} labels",
            note=f"{material.basis()} {spread} Thresholds: {rule}.",
        )
        picture = Picture.of(f"seeds-{labels}", figure)
    return OnLabels(
        labels=labels,
        chance=1 / CLASSES[labels],
        networks=tuple(networks),
        picture=picture,
        below=sum(int((row.accuracies < row.threshold).sum()) for row in rows if row.threshold is not None),
        trainings=sum(len(row.accuracies) for row in rows),
    )


def _network(title: str, accuracies: draw.Floats, graded: float | None, threshold: float | None) -> Network:
    distance = None
    if threshold is not None and len(accuracies) > 1 and accuracies.std(ddof=1) > 0:
        distance = float((accuracies.mean() - threshold) / accuracies.std(ddof=1))
    return Network(
        title=title,
        n=len(accuracies),
        mean_sd=mean_sd(list(accuracies), lambda value: percent(value, 2)),
        lowest=float(accuracies.min()),
        highest=float(accuracies.max()),
        graded=graded,
        threshold=threshold,
        distance=distance,
    )
