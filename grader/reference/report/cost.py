"""Accuracy against what it costs: training time and parameters."""

from dataclasses import dataclass

import numpy as np

from grader.config.profiles import LabelSet
from grader.reference import figures as draw
from grader.reference.report.material import LABEL_SETS, Material
from grader.reference.report.picture import Picture
from grader.web.filters import listed


@dataclass(frozen=True)
class Network:
    """One network on one label set.

    Attributes:
        title, labels: which.
        accuracy, seconds: the means over seeds; seconds are of one training.
        parameters: of the network.
    """

    title: str
    labels: LabelSet
    accuracy: float
    seconds: float
    parameters: int


@dataclass(frozen=True)
class Cost:
    """The section."""

    picture: Picture
    networks: tuple[Network, ...]


def cost(material: Material) -> Cost | None:
    """None where nothing was trained."""
    points: list[draw.Point] = []
    networks: list[Network] = []
    spreads: list[tuple[str, LabelSet]] = []
    for task, title in material.titles.items():
        for labels in LABEL_SETS:
            results = material.results(task, labels)
            if results:
                accuracies = np.array([result.accuracy for result in results])
                seconds = np.array([result.seconds for result in results])
                parameters = results[0].parameters
                points.append(draw.Point(title, labels, accuracies, seconds, parameters))
                means = float(accuracies.mean()), float(seconds.mean())
                networks.append(Network(title, labels, *means, parameters))
                spreads.append((task, labels))
    if not points:
        return None
    machines = listed({r.machine for group in material.groups.values() for r in group})
    note = f"{material.basis()} {material.spread(spreads)} Bars: ± sd. Time of one training on {machines}."
    figure = draw.cost(points, title="Accuracy and its cost", note=note)
    return Cost(Picture.of("cost", figure), tuple(networks))
