"""Learning curves: what was learnt epoch by epoch, in training and on images held back."""

import statistics
from dataclasses import dataclass

import numpy as np

from grader.config.profiles import CLASSES, LabelSet
from grader.reference import figures as draw
from grader.reference.report.material import LABEL_SETS, Material
from grader.reference.report.picture import Picture
from grader.web.filters import listed


@dataclass(frozen=True)
class End:
    """Where the curves of a network end.

    Attributes:
        title: of its task.
        training: accuracy in the last epoch, the mean over seeds.
        validation: accuracy after it, of one run; None if it was not observed.
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
        results = material.written(task, labels)
        seen = material.observed.get((task, labels))
        results = results or ([seen] if seen else [])
        if not results:
            continue
        validation = seen.observed if seen else None
        drawn.append(
            draw.Curve(
                title,
                np.array([result.train_accuracy for result in results], np.float64),
                np.array([result.train_loss for result in results], np.float64),
                np.array(validation.validation_accuracy if validation else (), np.float64),
                np.array(validation.validation_loss if validation else (), np.float64),
            )
        )
        last = statistics.mean(result.train_accuracy[-1] for result in results)
        held_back = validation.validation_accuracy if validation else ()
        ends.append(End(title, last, held_back[-1] if held_back else None))
        spreads.append((task, labels))
    if not drawn:
        return None
    watched = {result.seed for (_, of), result in material.observed.items() if of == labels}
    validation_note = (
        f" Validation: {material.profile.validation:,} other images of the course set, one run each "
        f"(n = 1), seed {listed(map(str, sorted(watched)))}."
        if watched
        else " Validation was not observed."
    )
    figure = draw.learning_curves(
        drawn,
        chance=1 / CLASSES[labels],
        title=f"Learning curves, {labels} labels",
        note=f"{material.basis()} {material.spread(spreads)} Shaded: ± sd.{validation_note}",
    )
    return Curves(labels, Picture.of(f"curves-{labels}", figure), tuple(ends))
