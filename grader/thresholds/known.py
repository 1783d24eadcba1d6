"""Known networks: what a right submission comes to, trained beforehand.

    known = KnownNetworks.of(load_runs(Path("reference/cpu")), profile, pin)
    known.find("alexnet", "coarse", network)        # Known, or None: that has to be trained

The reference pipeline trains the solutions' training forms under the grading seed too, and every right
submission has the same training form as the solution. So its result is there before it is handed in:
grading it costs no training, and comes to the same on every machine. It is found by the digest of the
training that would be done here, but for what computes: libraries and machine are those of the reference
runs, and are stated with the result.
"""

import statistics
from collections.abc import Mapping

from grader.blueprint import Blueprint
from grader.config.profiles import LabelSet, Profile
from grader.thresholds.runs import Runs, changes
from grader.training.job import Conditions, Job, Result
from lab.strict import Strict


class Known(Strict):
    """What is known of a network.

    Attributes:
        task: whose solution has this training form.
        result: of the training under the grading seed.
        n, mean: of the trainings under the reference seeds: how many, and their mean accuracy.
    """

    task: str
    result: Result
    n: int
    mean: float

    def in_words(self, digits: int = 1) -> str:
        """Which network it is and where its result comes from; percentages have so many decimals."""
        result = self.result
        return (
            f"The reference network; trained {self.n} times, {self.mean:.{digits}%} on average; run of seed "
            f"{result.seed}: {result.accuracy:.{digits}%}, {result.where}."
        )


class KnownNetworks:
    """The networks that a profile's reference runs know; none, where these are not of the profile as it is.

    Attributes:
        why: why nothing is known, as a sentence for people; empty if something is.
    """

    def __init__(self, profile: Profile, pin: str, runs: Runs | None, why: str = "") -> None:
        """Of reference runs; None if there are none, which `why` explains."""
        self.why = why
        self._profile, self._pin = profile, pin
        self._backend = runs.conditions.backend if runs else ""
        self._known = _known(runs) if runs else {}

    @classmethod
    def of(cls, runs: Runs | None, profile: Profile, pin: str) -> "KnownNetworks":
        """Those of reference/<profile>/runs/.

        Args:
            runs: as they were read; None if there are none.
            profile: as it is now.
            pin: of its data, as they are here.
        """
        if runs is None:
            return cls(profile, pin, None, f"profile {profile.name} has no reference runs")
        now = Conditions.of(profile, pin, runs.conditions.backend)
        builders = {task: profile.builders.get(task) for task in runs.builders}
        changed = changes(
            {"grading_seed": runs.grading_seed, "builders": runs.builders, **runs.conditions.model_dump()},
            {"grading_seed": profile.grading_seed, "builders": builders, **now.model_dump()},
        )
        if changed:
            return cls(profile, pin, None, f"the reference runs were made under other conditions ({changed})")
        return cls(profile, pin, runs)

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self._known)

    def find(self, task: str, labels: LabelSet, network: Blueprint) -> Known | None:
        """What is known of a training form that a submission has for a task; None if nothing is."""
        if not self._known:
            return None
        job = Job.of(network, labels, self._profile.grading_seed, self._profile, self._pin, self._backend)
        found = self._known.get(job.digest)
        return found if found is not None and found.task == task else None


def _known(runs: Runs) -> Mapping[str, Known]:
    """By the digest of the training."""
    groups = runs.groups()
    return {
        run.result.digest: Known(
            task=run.task,
            result=run.result,
            n=len(groups[group]),
            mean=statistics.mean(one.result.accuracy for one in groups[group]) if groups[group] else 0.0,
        )
        for group, run in runs.graded().items()
    }
