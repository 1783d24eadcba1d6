"""What is asked of a network that is trained on what `prepare` hands over: reference/<profile>/prepared.json.

The rule is that of every other threshold (model.py): the lower prediction bound for one new training, from
trainings on what the solution's `prepare` hands over. Each has a seed of its own, of the split and of the
training, so that what chance does to either is in the deviation. Scored on fewer images than the hidden
set has, accuracies deviate more.
"""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from grader.config.profiles import CLASSES, Argument, LabelSet
from grader.errors import ManifestError
from grader.thresholds.files import read, write
from grader.thresholds.model import RATE, Threshold, bound, factor
from grader.thresholds.runs import changes
from grader.training.job import Conditions, Result
from lab.strict import Strict

TASK = "preprocessing"
LABELS: LabelSet = "coarse"
FILE = "prepared.json"


class PreparedRuns(Strict):
    """Trainings of the reference network on what the solution's `prepare` hands over.

    Attributes:
        profile: which one.
        conditions: what they have in common with each other and all trainings of the profile; the sizes in it
            are not those of the two parts.
        builder: what the reference network's builder is called with.
        grading_seed: of the run that sets no threshold.
        given: images that `prepare` was given.
        blueprint: the digest of the network.
        threshold: that follows.
        runs: by seed, that of grading first.
    """

    format: Literal[1] = 1
    profile: str
    conditions: Conditions
    builder: dict[str, Argument]
    grading_seed: int
    given: int
    blueprint: str
    threshold: Threshold
    runs: tuple[Result, ...]

    def stale(self, conditions: Conditions, builder: dict[str, Argument]) -> str:
        """What has changed since they were measured, as a sentence for people; empty if nothing has."""
        changed = changes(
            {"builder": self.builder, **self.conditions.model_dump()},
            {"builder": builder, **conditions.model_dump()},
        )
        return changed and f"what prepare hands over was trained on under other conditions ({changed})"


def of_runs(runs: Sequence[Result], grading_seed: int, blueprint: str) -> Threshold:
    """The threshold that follows from trainings; ManifestError where that under the grading seed fails it.

    Args:
        runs: one a seed, that of grading among them.
        grading_seed: of the run that sets none.
        blueprint: the digest of the network.
    """
    own = [run for run in runs if run.seed != grading_seed]
    mean, sd = statistics.mean(run.accuracy for run in own), statistics.stdev(run.accuracy for run in own)
    threshold = math.floor(bound(mean, sd, len(own)) * 10_000) / 10_000
    for run in runs:
        if run.seed == grading_seed and run.accuracy < threshold:
            raise ManifestError(
                f"what the solution's prepare hands over reaches {run.accuracy:.2%} under the grading seed, "
                f"and the threshold would be {threshold:.2%}"
            )
    return Threshold(
        task=TASK,
        labels=LABELS,
        threshold=threshold,
        chance=1 / CLASSES[LABELS],
        calibrated=True,
        n=len(own),
        mean=round(mean, 6),
        sd=round(sd, 6),
        k=round(factor(len(own)), 6),
        rate=RATE,
        blueprint=blueprint,
        runs=tuple(run.digest for run in own),
    )


def find_prepared(folder: Path) -> PreparedRuns | None:
    """Reads reference/<profile>/prepared.json if it is there.

    Raises:
        ManifestError: it cannot be read, or a run in it was damaged or edited.
    """
    path = folder / FILE
    if not path.exists():
        return None
    found = read(PreparedRuns, path, folder)
    if not all(run.intact for run in found.runs):
        raise ManifestError(f"{path}: a run is not as it was written", fix=f"Restore it: git checkout {path}")
    return found


def save_prepared(runs: PreparedRuns, folder: Path) -> None:
    """Writes reference/<profile>/prepared.json."""
    write(folder / FILE, runs)
