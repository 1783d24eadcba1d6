"""What verdicts come to, and what holds of every mark."""

from collections.abc import Mapping, Sequence

from grader.config.manifest import Manifest
from grader.grading import marking
from grader.results.record import WHOLE, CheckResult, Status
from grader.results.verdict import Verdict


def sound(lines: Sequence[CheckResult]) -> Sequence[CheckResult]:
    """The lines themselves: whole or half points, none below 0 or above what there is, `whole` last."""
    assert [line.check for line in lines].index(WHOLE) == len(lines) - 1
    for line in lines:
        assert line.points % 0.5 == 0, line
        assert 0 <= line.points <= line.max_points, line
        assert bool(line.deduction) == bool(line.consequence), line
        assert not line.deduction or line.status is Status.FAILED, line
    return lines


def earned(manifest: Manifest, task: str, verdicts: Mapping[str, Verdict]) -> dict[str, float]:
    """The lines of a task's mark that earn something, with their points."""
    lines = sound(marking.mark(manifest.task(task), verdicts, manifest))
    return {line.check: line.points for line in lines if line.points}


def to_earn(manifest: Manifest, task: str, verdicts: Mapping[str, Verdict]) -> float:
    """The points of a task for these checks: without those for trainings that did not take place."""
    found = manifest.task(task)
    return found.worth.structure + sum(
        check.points for check in found.checks if check.train and check.id in verdicts
    )
