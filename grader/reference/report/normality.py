"""What the thresholds assume, that accuracies are normal, and what they promise."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grader.reference import figures as draw
from grader.reference.report.material import Material
from grader.reference.report.picture import Picture
from grader.thresholds import calibration
from grader.thresholds.calibration import Calibration


@dataclass(frozen=True)
class Quantiles:
    """The Q-Q plots.

    Attributes:
        picture: all of them.
        tests: networks that were tested.
        low: of those tests, so many have p < 0.05.
    """

    picture: Picture
    tests: int
    low: int


@dataclass(frozen=True)
class Normality:
    """The section.

    Attributes:
        quantiles: None where no network's accuracies have any spread.
        calibration: the file.
        titles: of the tasks, by id.
    """

    quantiles: Quantiles | None
    calibration: Calibration
    titles: Mapping[str, str]


def normality(material: Material) -> Normality | None:
    """None where it was not examined."""
    found = material.calibration
    if found is None:
        return None
    return Normality(_quantiles(material, found), found, material.titles)


def _quantiles(material: Material, found: Calibration) -> Quantiles | None:
    panels, low = [], 0
    for one in found.networks:
        if one.normality is not None:
            name = f"{material.titles.get(one.task, one.task)} {one.labels}"
            panels.append(_residuals(name, one.normality))
            low += one.normality.p < 0.05
    tests = len(panels)
    if not tests:
        return None
    if found.pooled is not None:
        panels.append(_residuals("all together", found.pooled, band=False))
    figure = draw.quantiles(
        panels,
        title="Are accuracies normal from seed to seed?",
        note=f"{material.basis()} n as in each panel; in standard deviations from each network's mean. "
        "Band: where 95% of normal samples lie, point by point. W, p: Shapiro and Wilk's test.",
    )
    return Quantiles(Picture.of("normality", figure), tests, low)


def _residuals(name: str, one: calibration.Normality, *, band: bool = True) -> draw.Residuals:
    return draw.Residuals(
        name, np.array(one.residuals), np.array(one.quantiles), f"W {one.w:.3f}, p {one.p:.2g}", band
    )
