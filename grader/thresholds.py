"""How accurate a network has to be, computed from trainings of the solutions, and what less accuracy earns.

reference/<profile>/runs.json has every training of the solutions; thresholds.json is computed from it alone:

    threshold = mean - K * standard deviation of the hidden accuracy over at least MIN_RUNS seeds

for the solution as it is written, and again with Keras's default initialisers; the lower one counts. The
brief leaves initialisers open, and they can cost more than any seed: AlexNet on the fine labels of profile
cpu lost 1.8 points to the defaults, five times its deviation from seed to seed.

The rule is provisional: with the deviation itself estimated from five runs, a correct network falls below the
threshold with a probability of about 0.7% (Student t, 4 degrees of freedom), if accuracies are normal.

A threshold holds for the conditions it was measured under. Under others (a changed recipe, other data, other
libraries) it is stale: `Thresholds.stale` says what has changed; marks are given, as provisional ones.
"""

import json
import math
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.errors import ManifestError
from grader.recipes import CLASSES, Argument, LabelSet
from grader.trainer import Conditions, Result
from lab.files import write_atomically

Variant = Literal["as written", "default initialisers"]

K = 4.5
MIN_RUNS = 5


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ReferenceRun(_Strict):
    """One training of one solution.

    Attributes:
        task: whose builder.
        variant: the network it built, or one that the brief allows as well.
        blueprint: the digest of that network.
        result: what came of it.
    """

    task: str
    variant: Variant
    blueprint: str
    result: Result


class Runs(_Strict):
    """runs.json: all trainings of the solutions under one profile.

    Attributes:
        profile: which one.
        conditions: what they have in common.
        builders: what each task's builder was called with.
        runs: in the order of task, label set, variant, seed.
    """

    format: Literal[1] = 1
    profile: str
    conditions: Conditions
    builders: dict[str, dict[str, Argument]]
    runs: tuple[ReferenceRun, ...]


class Threshold(_Strict):
    """What one check of one task asks for.

    Attributes:
        task, labels: which check.
        threshold: full marks from this hidden accuracy on.
        chance: no marks at this accuracy or below.
        n, mean, sd, k: threshold = mean - k * sd over n runs; sd with n - 1.
        variant: the variant of the solution whose threshold was the lower one.
        blueprint: the digest of its network.
        runs: the digests of its trainings.
    """

    task: str
    labels: LabelSet
    threshold: float = Field(gt=0, lt=1)
    chance: float = Field(gt=0, lt=1)
    n: int = Field(ge=MIN_RUNS)
    mean: float
    sd: float = Field(ge=0)
    k: float
    variant: Variant
    blueprint: str
    runs: tuple[str, ...]


class Thresholds(_Strict):
    """thresholds.json: every threshold of one profile.

    Attributes:
        profile: which one.
        provisional: whether the rule behind them is still to be replaced by a calibrated one.
        rule: in words.
        conditions, builders: as in Runs.
        thresholds: one for each task and label set.
    """

    format: Literal[1] = 1
    profile: str
    provisional: bool
    rule: str
    conditions: Conditions
    builders: dict[str, dict[str, Argument]]
    thresholds: tuple[Threshold, ...]

    def get(self, task: str, labels: LabelSet) -> Threshold:
        """The threshold of a task's network on a label set; ManifestError if it was never measured."""
        for threshold in self.thresholds:
            if (threshold.task, threshold.labels) == (task, labels):
                return threshold
        raise ManifestError(
            f"there is no threshold for {task} on {labels} labels under profile {self.profile}",
            mend=f"Run: nox -s reference -- --profile {self.profile}",
        )

    def stale(self, conditions: Conditions, builders: dict[str, dict[str, Argument]]) -> str:
        """What has changed since they were measured, as a sentence for people; empty if nothing has."""
        before = {"builders": self.builders, **self.conditions.model_dump()}
        now = {"builders": builders, **conditions.model_dump()}
        changes = "; ".join(f"{name} was {old!r}, is {new!r}" for name, old, new in _differences(before, now))
        return changes and f"thresholds were measured under other conditions ({changes})"


def compute(runs: Runs) -> Thresholds:
    """Thresholds from reference runs; ManifestError where they are too few or no better than chance."""
    groups: dict[tuple[str, LabelSet, Variant], list[ReferenceRun]] = {}
    for run in runs.runs:
        groups.setdefault((run.task, run.result.labels, run.variant), []).append(run)
    lowest: dict[tuple[str, LabelSet], Threshold] = {}
    for (task, labels, variant), group in groups.items():
        threshold = _threshold(task, labels, variant, group)
        if (task, labels) not in lowest or threshold.threshold < lowest[task, labels].threshold:
            lowest[task, labels] = threshold
    return Thresholds(
        profile=runs.profile,
        provisional=True,
        rule=f"mean - {K} * standard deviation over seeds, of the solution's weakest variant",
        conditions=runs.conditions,
        builders=runs.builders,
        thresholds=tuple(lowest.values()),
    )


def fraction(accuracy: float, threshold: float, chance: float) -> float:
    """The part of the points an accuracy earns: 1 from the threshold on, 0 up to chance, then a ramp."""
    if accuracy >= threshold:
        return 1.0
    return max(0.0, (accuracy - chance) / (threshold - chance))


def load(folder: Path) -> Thresholds:
    """Reads reference/<profile>/thresholds.json; ManifestError names the file and the fault."""
    path = folder / "thresholds.json"
    mend = f"Run: nox -s reference -- --profile {folder.name}"
    try:
        thresholds = Thresholds.model_validate_json(path.read_bytes())
    except OSError as error:
        reason = f"profile {folder.name} has no thresholds: {path} cannot be read: {error.strerror}"
        raise ManifestError(reason, mend=mend) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ManifestError(f"{path}: {where}: {first['msg']}", mend=mend) from error
    if thresholds.profile != folder.name:
        raise ManifestError(f"{path} is of profile {thresholds.profile}", mend=mend)
    return thresholds


def save(runs: Runs, folder: Path) -> Thresholds:
    """Writes runs.json and the thresholds that follow from it into reference/<profile>/."""
    thresholds = compute(runs)
    for name, content in (("runs.json", runs), ("thresholds.json", thresholds)):
        data = content.model_dump(mode="json")
        write_atomically(folder / name, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return thresholds


def _threshold(task: str, labels: LabelSet, variant: Variant, group: list[ReferenceRun]) -> Threshold:
    accuracies = [run.result.accuracy for run in group]
    name = f"{task} on {labels} labels, {variant},"
    if len({run.result.seed for run in group}) != len(group) or len({run.blueprint for run in group}) != 1:
        raise ManifestError(f"the reference runs of {name} are not one network under different seeds")
    if len(group) < MIN_RUNS:
        raise ManifestError(f"{name} has {len(group)} reference runs; a threshold needs {MIN_RUNS}")
    mean, sd = statistics.mean(accuracies), statistics.stdev(accuracies)
    chance = 1 / CLASSES[labels]
    # Rounded down to what a person can read: a threshold is shown next to the accuracy it decides on.
    threshold = math.floor((mean - K * sd) * 10_000) / 10_000
    if threshold <= 2 * chance:
        raise ManifestError(
            f"{name} reaches {mean:.1%}, standard deviation {sd:.1%}; chance is {chance:.0%}",
            mend="The recipe cannot tell a network that learns from one that does not: train longer.",
        )
    return Threshold(
        task=task,
        labels=labels,
        threshold=threshold,
        chance=chance,
        n=len(group),
        mean=round(mean, 6),
        sd=round(sd, 6),
        k=K,
        variant=variant,
        blueprint=group[0].blueprint,
        runs=tuple(run.result.digest for run in group),
    )


def _differences(before: object, now: object, name: str = "") -> Iterator[tuple[str, object, object]]:
    """Where two nested dictionaries differ, by dotted name."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*before, *now)):
            yield from _differences(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))
    elif before != now:
        yield name, before, now
