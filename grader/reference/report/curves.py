"""Learning curves: what was learnt epoch by epoch, in training and on images held back."""

import statistics
from dataclasses import dataclass

import numpy as np

from grader.config.profiles import CLASSES, LabelSet
from grader.reference import figures as draw
from grader.reference.report.material import LABEL_SETS, Material
from grader.reference.report.picture import Picture


@dataclass(frozen=True)
class End:
    """Where the curves of a network end.

    Attributes:
        title: of its task.
        training: accuracy in the last epoch, the mean over seeds.
        validation: accuracy after it, likewise; None without validation images.
    """

    title: str
    training: float
    validation: float | None


@dataclass(frozen=True)
class Curves:
    """The curves of all networks on one label set."""

    labels: LabelSet
    picture: Picture
    ends: tuple[End, ...]


def curves(material: Material) -> tuple[Curves, ...]:
    """One for each label set on which something was trained."""
    return tuple(one for labels in LABEL_SETS if (one := _curves(material, labels)))


def _curves(material: Material, labels: LabelSet) -> Curves | None:
    drawn, ends = [], []
    spreads: list[tuple[str, LabelSet]] = []
    for task, title in material.titles.items():
        results = material.results(task, labels)
        if not results:
            continue
        drawn.append(
            draw.Curve(
                title,
                np.array([result.train_accuracy for result in results], np.float64),
                np.array([result.train_loss for result in results], np.float64),
                np.array([result.validation_accuracy for result in results], np.float64),
                np.array([result.validation_loss for result in results], np.float64),
            )
        )
        training = statistics.mean(result.train_accuracy[-1] for result in results)
        held_back = [result.validation_accuracy[-1] for result in results if result.validation_accuracy]
        ends.append(End(title, training, statistics.mean(held_back) if held_back else None))
        spreads.append((task, labels))
    if not drawn:
        return None
    validated = any(end.validation is not None for end in ends)
    validation_note = (
        f" Validation: {material.profile.validation:,} other images of the course set, after each epoch."
        if validated
        else " There are no validation images."
    )
    figure = draw.learning_curves(
        drawn,
        chance=1 / CLASSES[labels],
        title=f"Learning curves, {labels} labels",
        note=f"{material.basis()} {material.spread(spreads)} Shaded: ± sd.{validation_note}",
    )
    return Curves(labels, Picture.of(f"curves-{labels}", figure), tuple(ends))
