"""Accuracy per superclass: which kinds of images are easy and which are hard."""

from dataclasses import dataclass

import numpy as np

from grader.config.profiles import CLASSES, LabelSet
from grader.reference import figures as draw
from grader.reference.report.material import LABEL_SETS, Material
from grader.reference.report.picture import Picture
from grader.web.filters import readable


@dataclass(frozen=True)
class Order:
    """The superclasses on one label set, by their accuracy over all networks.

    Attributes:
        labels: the label set, as it is called in the figure.
        easiest, second_easiest, hardest, second_hardest: superclasses.
        highest, lowest: the accuracies on the easiest and on the hardest.
    """

    labels: str
    easiest: str
    highest: float
    second_easiest: str
    hardest: str
    lowest: float
    second_hardest: str


@dataclass(frozen=True)
class Superclasses:
    """The section."""

    picture: Picture
    orders: tuple[Order, ...]


def superclasses(material: Material) -> Superclasses | None:
    """None where no answers are known, or not the validation images."""
    images = material.validation
    if images is None:
        return None
    panels: list[draw.Panel] = []
    spreads: list[tuple[str, LabelSet]] = []
    for labels in LABEL_SETS:
        shares: dict[str, draw.Floats] = {}
        for task, title in material.titles.items():
            said = material.predictions(task, labels)
            if said is not None:
                right = (said == images.labels(labels)).mean(axis=0)  # over the runs, (images,)
                shares[title] = np.array(
                    [right[images.coarse_labels == group].mean() for group in range(CLASSES["coarse"])]
                )
                spreads.append((task, labels))
        if shares:
            panels.append(draw.Panel(f"{labels} labels", shares))
    if not panels:
        return None
    names = [readable(name) for name in images.coarse_names]
    note = (
        f"{material.basis_of_answers()} Means over all runs, "
        f"{len(images) // CLASSES['coarse']:,} images a superclass. {material.spread(spreads)}"
    )
    figure = draw.per_superclass(panels, names, title="Accuracy per superclass", note=note)
    return Superclasses(Picture.of("superclasses", figure), tuple(_order(panel, names) for panel in panels))


def _order(panel: draw.Panel, names: list[str]) -> Order:
    mean = np.mean(list(panel.shares.values()), axis=0)
    order = np.argsort(-mean, kind="stable")
    return Order(
        labels=panel.name,
        easiest=names[order[0]],
        highest=float(mean[order[0]]),
        second_easiest=names[order[1]],
        hardest=names[order[-1]],
        lowest=float(mean[order[-1]]),
        second_hardest=names[order[-2]],
    )
