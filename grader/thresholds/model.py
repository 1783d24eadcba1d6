"""Thresholds: computed from trainings of the solutions, in thresholds.json, and how they decide."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from grader.config.profiles import CLASSES, Argument, LabelSet
from grader.errors import ManifestError
from grader.thresholds.files import read, rerun, write
from grader.thresholds.runs import Group, ReferenceRun, Runs, changes, name_of
from grader.training.job import Conditions
from lab.strict import Strict

Figures = TypeVar("Figures", float, NDArray[np.float64])  # one figure, or an array of them (calibration.py)

VERSION = 2  # of all that follows from the runs, calibration too: see grader/reference/versions.py
RATE = 0.001  # the chance that one new training of a correct network falls below its threshold
CALIBRATED_RUNS = 20
MIN_RUNS = 5


class Threshold(Strict):
    """What one check of one task asks for.

    Attributes:
        task, labels: which check.
        threshold: full marks from this hidden accuracy on.
        chance: no marks at this accuracy or below.
        calibrated: whether it was measured; if not it is an estimate, and the fields below are 0 or empty.
        source: where an estimate comes from, in words; empty if it was measured.
        n: trainings of the reference network, each under a seed of its own.
        mean, sd: of their accuracies; sd with n - 1.
        k: threshold = mean - k * sd, rounded down to what a person can read: it is shown next to the accuracy
            it decides on.
        rate: the chance that one new training of the same network falls below it.
        blueprint: the digest of the reference network: the training form of what the solution builds.
        runs: the digests of its n trainings.
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
    k: float = 0.0
    rate: float = Field(default=0.0, ge=0, lt=1)
    blueprint: str = ""
    runs: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Threshold":
        if self.calibrated and (self.n < MIN_RUNS or not self.blueprint or not self.rate):
            raise ValueError(f"measured, but not on {MIN_RUNS} runs or more")
        if not self.calibrated and (self.n or not self.source):
            raise ValueError("an estimate has a source and no runs")
        return self

    @property
    def provisional(self) -> bool:
        """Whether it rests on fewer runs than it should."""
        return self.n < CALIBRATED_RUNS

    def close(self, accuracy: float) -> bool:
        """Whether an accuracy is so near that further seeds have to decide; never for an estimate."""
        return self.calibrated and bool(near(accuracy, self.threshold, self.sd))

    def in_words(self, digits: int = 1) -> str:
        """What stands behind it, for a student; percentages have so many decimals."""
        figure = f"{self.threshold:.{digits}%}"
        if not self.calibrated:
            return f"{figure} is an estimate: no correct network was trained under this profile yet."
        many = round(1 / self.rate)
        measured = f"{self.n} were measured"
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

    format: Literal[3] = 3
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

    @property
    def backend(self) -> str:
        """What computed the trainings that they were measured on; empty if nothing was measured."""
        return self.conditions.backend if self.conditions else ""

    def reservation(self) -> str:
        """Why they are not the last word, as a sentence for people; empty if they are."""
        if not self.calibrated:
            return (
                f"the thresholds of profile {self.profile} are uncalibrated: estimates, "
                "measured on no training of a correct network"
            )
        if self.provisional:
            few = min(threshold.n for threshold in self.thresholds)
            return f"thresholds rest on {few} trainings of a correct network, not on {CALIBRATED_RUNS}"
        return ""


def factor(n: int, rate: float = RATE) -> float:
    """k: so many standard deviations below the mean of n runs a new one falls with probability `rate`."""
    from scipy import special  # here: it takes as long to import as the rest of this package

    return float(special.stdtrit(n - 1, 1 - rate)) * math.sqrt(1 + 1 / n)


def bound(mean: Figures, sd: Figures, n: int) -> Figures:
    """The lower prediction bound for one new run: see `factor`."""
    return mean - factor(n) * sd


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
        ManifestError: runs are too few, or no better than chance; or the run of a network under the grading
            seed, which is its mark, would not pass.
    """
    graded = runs.graded()
    found = [_threshold(group, own, graded.get(group), runs) for group, own in runs.groups().items()]
    return Thresholds(
        profile=runs.profile,
        calibrated=True,
        provisional=any(threshold.provisional for threshold in found),
        rule=f"mean - t({1 - RATE:g}, n - 1) * sd * sqrt(1 + 1/n) over n seeds of the reference network",
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


def _threshold(
    group: Group, runs: Sequence[ReferenceRun], graded: ReferenceRun | None, of: Runs
) -> Threshold:
    n = len(runs)
    if n < MIN_RUNS:
        raise ManifestError(
            f"{name_of(group)} has {n} reference runs; a threshold needs {MIN_RUNS}",
            fix=f"Train it under {MIN_RUNS - n} more seeds (params.yaml, reference_seeds).",
        )
    accuracies = [run.result.accuracy for run in runs]
    mean, sd = statistics.mean(accuracies), statistics.stdev(accuracies)
    threshold = math.floor(bound(mean, sd, n) * 10_000) / 10_000
    chance = 1 / CLASSES[group[1]]
    if threshold <= 2 * chance:
        raise ManifestError(
            f"{name_of(group)} reaches {mean:.1%}, standard deviation {sd:.1%} over {n} runs: a threshold of "
            f"{threshold:.1%}, and chance is {chance:.0%}",
            fix="The recipe cannot tell a network that learns from one that does not: train longer.",
        )
    if graded is None:
        raise ManifestError(
            f"{name_of(group)} has no run under the grading seed, {of.grading_seed}", fix=rerun(of.profile)
        )
    if graded.result.accuracy < threshold:
        raise ManifestError(
            f"{name_of(group)}: the run under the grading seed, {of.grading_seed}, reaches "
            f"{graded.result.accuracy:.2%}, and the threshold would be {threshold:.2%}: every right "
            "submission would be failed",
            fix=f"Choose another grading_seed for profile {of.profile} in params.yaml, one that is none of "
            f"its other seeds, and {rerun(of.profile)[0].lower()}{rerun(of.profile)[1:]}",
        )
    return Threshold(
        task=group[0],
        labels=group[1],
        threshold=threshold,
        chance=chance,
        calibrated=True,
        n=n,
        mean=round(mean, 6),
        sd=round(sd, 6),
        k=round(factor(n), 6),
        rate=RATE,
        blueprint=runs[0].blueprint,
        runs=tuple(run.result.digest for run in runs),
    )
