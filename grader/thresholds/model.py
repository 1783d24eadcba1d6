"""Thresholds: computed from trainings of the solutions, in thresholds.json, and how they decide."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy import special

from grader.config.profiles import CLASSES, Argument, LabelSet
from grader.errors import ManifestError
from grader.thresholds.files import read, rerun, write
from grader.thresholds.runs import Group, ReferenceRun, Runs, Variant, changes, name_of
from grader.training.job import Conditions
from lab.strict import Strict

Figures = TypeVar("Figures", float, NDArray[np.float64])  # one figure, or an array of them (calibration.py)

VERSION = 1  # of all that follows from the runs, calibration too: see grader/reference/versions.py
RATE = 0.001  # the chance that one new training of a correct network falls below its threshold
CALIBRATED_RUNS = 20
MIN_RUNS = 5


class Bound(Strict):
    """What one variant of a solution would ask for.

    Attributes:
        variant: which one.
        blueprint: the digest of its network.
        n, mean: its runs, and the mean of their accuracies.
        k: bound = mean - k * sd, with the sd of all variants together.
        bound: rounded down to what a person can read: it is shown next to the accuracy it decides on.
    """

    variant: Variant
    blueprint: str
    n: int = Field(ge=MIN_RUNS)
    mean: float
    k: float
    bound: float


class Threshold(Strict):
    """What one check of one task asks for.

    Attributes:
        task, labels: which check.
        threshold: full marks from this hidden accuracy on.
        chance: no marks at this accuracy or below.
        calibrated: whether it was measured; if not it is an estimate, and the fields below are 0 or empty.
        source: where an estimate comes from, in words; empty if it was measured.
        n, mean: over the runs of the variant that sets it.
        sd: from seed to seed, of all variants together.
        trainings: so many of all variants together.
        k: threshold = mean - k * sd.
        rate: the chance that one new training of the same network falls below it.
        variant: the variant of the solution whose threshold was the lower one.
        blueprint: the digest of its network.
        runs: the digests of its n trainings.
        others: what the other variants would have asked for: no less.
    """

    task: str
    labels: LabelSet
    threshold: float = Field(gt=0, lt=1)
    chance: float = Field(gt=0, lt=1)
    calibrated: bool = False
    source: str = ""
    n: int = Field(default=0, ge=0)
    mean: float = 0.0
    sd: float = Field(default=0.0, ge=0)
    trainings: int = Field(default=0, ge=0)
    k: float = 0.0
    rate: float = Field(default=0.0, ge=0, lt=1)
    variant: Variant | None = None
    blueprint: str = ""
    runs: tuple[str, ...] = ()
    others: tuple[Bound, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Threshold":
        if self.calibrated and (self.n < MIN_RUNS or self.variant is None or not self.rate):
            raise ValueError(f"measured, but not on {MIN_RUNS} runs or more")
        if not self.calibrated and (self.n or not self.source):
            raise ValueError("an estimate has a source and no runs")
        return self

    @property
    def provisional(self) -> bool:
        """Whether it rests on fewer runs than it should."""
        return self.trainings < CALIBRATED_RUNS

    def close(self, accuracy: float) -> bool:
        """Whether an accuracy is so near that further seeds have to decide; never for an estimate."""
        return self.calibrated and bool(near(accuracy, self.threshold, self.sd))

    def in_words(self, digits: int = 1) -> str:
        """What stands behind it, for a student; percentages have so many decimals."""
        figure = f"{self.threshold:.{digits}%}"
        if not self.calibrated:
            return f"{figure} is an estimate: no correct network was trained under this profile yet."
        many = round(1 / self.rate)
        measured = f"{self.trainings} were measured"
        return f"A correct network falls below {figure} in 1 of {many} trainings ({measured})."


class Thresholds(Strict):
    """thresholds.json: every threshold of one profile.

    Attributes:
        profile: which one.
        calibrated: whether they were measured.
        provisional: whether some rest on fewer runs than they should, or on none.
        rule: in words.
        conditions: as in Runs; None if nothing was measured.
        builders: as in Runs.
        thresholds: one for each task and label set.
    """

    format: Literal[2] = 2
    profile: str
    calibrated: bool
    provisional: bool
    rule: str
    conditions: Conditions | None
    builders: dict[str, dict[str, Argument]]
    thresholds: tuple[Threshold, ...] = Field(min_length=1)

    def get(self, task: str, labels: LabelSet) -> Threshold:
        """The threshold of a task's network on a label set; ManifestError if it was never measured."""
        for threshold in self.thresholds:
            if (threshold.task, threshold.labels) == (task, labels):
                return threshold
        raise ManifestError(
            f"there is no threshold for {task} on {labels} labels under profile {self.profile}",
            fix=rerun(self.profile),
        )

    def stale(self, conditions: Conditions, builders: dict[str, dict[str, Argument]]) -> str:
        """What has changed since they were measured, as a sentence for people; empty if nothing has."""
        if self.conditions is None:
            return ""
        before = {"builders": self.builders, **self.conditions.model_dump()}
        changed = changes(before, {"builders": builders, **conditions.model_dump()})
        return changed and f"thresholds were measured under other conditions ({changed})"

    def reservation(self) -> str:
        """Why they are not the last word, as a sentence for people; empty if they are."""
        if not self.calibrated:
            return (
                f"the thresholds of profile {self.profile} are uncalibrated: estimates, "
                "measured on no training of a correct network"
            )
        if self.provisional:
            few = min(threshold.trainings for threshold in self.thresholds)
            return f"thresholds rest on {few} trainings of a correct network, not on {CALIBRATED_RUNS}"
        return ""


def factor(n: int, freedom: int, rate: float = RATE) -> float:
    """k: so many standard deviations below the mean of n runs a new one falls with probability `rate`.

    Args:
        n: runs behind the mean.
        freedom: degrees of freedom behind the standard deviation.
        rate: of one new run.
    """
    return float(special.stdtrit(freedom, 1 - rate)) * math.sqrt(1 + 1 / n)


def pooled(deviations: Sequence[Figures], counts: Sequence[int]) -> tuple[Figures, int]:
    """The one standard deviation behind several, each with n - 1, and its degrees of freedom."""
    freedom = sum(n - 1 for n in counts)
    squares = sum((n - 1) * sd * sd for sd, n in zip(deviations, counts, strict=True))
    return (squares / freedom) ** 0.5, freedom


def bound(mean: Figures, sd: Figures, n: int, freedom: int) -> Figures:
    """The lower prediction bound for one new run: see `factor`."""
    return mean - factor(n, freedom) * sd


def near(accuracy: Figures, threshold: Figures, sd: Figures) -> "bool | NDArray[np.bool_]":
    """Whether one training does not tell on which side of the threshold a network is."""
    return abs(accuracy - threshold) <= sd


def decisive(accuracies: ArrayLike) -> NDArray[np.intp]:
    """The position of the accuracy that decides: the median of an odd number, along the first axis."""
    order = np.argsort(accuracies, axis=0, kind="stable")
    return np.asarray(order[len(order) // 2])


def fraction(accuracy: float, threshold: float, chance: float) -> float:
    """The part of the points an accuracy earns: 1 from the threshold on, 0 up to chance, then a ramp."""
    if accuracy >= threshold:
        return 1.0
    return max(0.0, (accuracy - chance) / (threshold - chance))


def compute(runs: Runs) -> Thresholds:
    """Thresholds from reference runs.

    Raises:
        ManifestError: runs are too few, or no better than chance; it says which trainings are missing.
    """
    groups = runs.groups()
    by_check: dict[tuple[str, LabelSet], list[Group]] = {}
    for group in groups:
        by_check.setdefault(group[:2], []).append(group)
    found = []
    for (task, labels), variants in by_check.items():
        for group in variants:
            _check_enough(group, groups[group])
        sizes = [len(groups[group]) for group in variants]
        sd, freedom = pooled([statistics.stdev(_accuracies(groups[group])) for group in variants], sizes)
        bounds = [_bound(group, groups[group], sd, freedom) for group in variants]
        counts, *others = sorted(bounds, key=lambda one: one.bound)
        found.append(
            Threshold(
                task=task,
                labels=labels,
                threshold=counts.bound,
                chance=1 / CLASSES[labels],
                calibrated=True,
                sd=round(sd, 6),
                trainings=sum(sizes),
                rate=RATE,
                runs=tuple(run.result.digest for run in groups[task, labels, counts.variant]),
                others=tuple(others),
                **counts.model_dump(exclude={"bound"}),
            )
        )
    return Thresholds(
        profile=runs.profile,
        calibrated=True,
        provisional=any(threshold.provisional for threshold in found),
        rule=f"mean - t({1 - RATE:g}, f) * sd * sqrt(1 + 1/n) over n seeds of the weakest variant; "
        "sd with f degrees of freedom, of all variants together",
        conditions=runs.conditions,
        builders=runs.builders,
        thresholds=tuple(found),
    )


def load(folder: Path) -> Thresholds:
    """Reads reference/<profile>/thresholds.json; ManifestError names the file and the fault."""
    path = folder / "thresholds.json"
    if not path.exists():
        reason = f"profile {folder.name} has no thresholds: there is no {path}"
        raise ManifestError(reason, fix=rerun(folder.name))
    return read(Thresholds, path, folder)


def save(runs: Runs, folder: Path) -> Thresholds:
    """Writes the thresholds that follow from reference runs to reference/<profile>/thresholds.json."""
    thresholds = compute(runs)
    write(folder / "thresholds.json", thresholds)
    return thresholds


def _check_enough(group: Group, runs: Sequence[ReferenceRun]) -> None:
    if len(runs) < MIN_RUNS:
        raise ManifestError(
            f"{name_of(group)} has {len(runs)} reference runs; a threshold needs {MIN_RUNS}",
            fix=f"Train it under {MIN_RUNS - len(runs)} more seeds (params.yaml, reference_seeds).",
        )


def _accuracies(runs: Sequence[ReferenceRun]) -> list[float]:
    return [run.result.accuracy for run in runs]


def _bound(group: Group, runs: Sequence[ReferenceRun], sd: float, freedom: int) -> Bound:
    n, mean = len(runs), statistics.mean(_accuracies(runs))
    lower = math.floor(bound(mean, sd, n, freedom) * 10_000) / 10_000
    chance = 1 / CLASSES[group[1]]
    if lower <= 2 * chance:
        raise ManifestError(
            f"{name_of(group)} reaches {mean:.1%}, standard deviation {sd:.1%} over {n} runs: a threshold of "
            f"{lower:.1%}, and chance is {chance:.0%}",
            fix="The recipe cannot tell a network that learns from one that does not: train longer.",
        )
    return Bound(
        variant=group[2],
        blueprint=runs[0].blueprint,
        n=n,
        mean=round(mean, 6),
        k=round(factor(n, freedom), 6),
        bound=lower,
    )
