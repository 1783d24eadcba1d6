"""Sample images with what each network said of them."""

from dataclasses import dataclass

import numpy as np

from grader.config.profiles import LabelSet
from grader.reference import figures as draw
from grader.reference.report.material import LABEL_SETS, Material, Predictions
from grader.reference.report.picture import Picture
from grader.web.filters import readable
from lab.data import DataSet

EACH = 4  # images of each kind: all networks right, some, none


@dataclass(frozen=True)
class Samples:
    """Images with their labels of one set.

    Attributes:
        picture: with photographs: not for git.
        shown: so many images.
        all_right, none_right: the parts of all validation images on which every network is right, and none.
    """

    picture: Picture
    shown: int
    all_right: float
    none_right: float


def samples(material: Material) -> tuple[Samples, ...]:
    """One for each label set whose answers are known; none without the validation images."""
    images = material.validation
    if images is None:
        return ()
    return tuple(one for labels in LABEL_SETS if (one := _samples(material, images, labels)))


def _samples(material: Material, images: DataSet, labels: LabelSet) -> Samples | None:
    said: dict[str, Predictions] = {}
    for task in material.titles:
        predictions = material.predictions(task, labels)
        if predictions is not None:
            said[task] = predictions[0]
    if not said:
        return None
    names = [readable(name) for name in images.class_names(labels)]
    right = np.sum([one == images.labels(labels) for one in said.values()], axis=0)
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(images))
    kinds = [order[right[order] == len(said)], order[right[order] == 0]]
    if len(said) > 1:
        kinds.insert(1, order[(right[order] > 0) & (right[order] < len(said))])
    chosen = [int(index) for kind in kinds for index in kind[:EACH]]
    shown = [
        draw.Sample(
            images.images[index],
            names[images.labels(labels)[index]],
            {material.titles[task]: names[one[index]] for task, one in said.items()},
        )
        for index in chosen
    ]
    spread = material.spread([(task, labels) for task in said])
    figure = draw.samples(
        shown,
        title=f"Images and answers, {labels} labels",
        note=f"{material.basis_of_answers()} One run of each (n = 1). {spread}",
    )
    return Samples(
        picture=Picture.of(f"samples-{labels}", figure, shareable=False),
        shown=len(shown),
        all_right=float(np.mean(right == len(said))),
        none_right=float(np.mean(right == 0)),
    )
