"""What grading one submission came to: plain, frozen, serialisable fields, and nothing that decides.

A passed check, a failed one and one that could not be decided are three different things: a fault of the
machine is never written down as a zero.
"""

from enum import StrEnum
from typing import Any

from pydantic import Field

from lab.strict import Strict

WHOLE = "whole"  # the line of a task's mark that belongs to no single check


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ATTEMPTED = "not attempted"  # the untouched stub
    BLOCKED = "blocked"  # an earlier check of the same task failed
    FAULT = "grader fault"  # the machine failed: no mark was given


class DrawnRow(Strict):
    """One step of a network beside the one that was expected; empty where there is none."""

    found: str
    wanted: str
    differs: bool


class Drawing(Strict):
    """A part of a network beside what was expected of it.

    Attributes:
        title: the call that gave it.
        rows: from the input on.
        cut: whether more comes before, and after.
    """

    title: str
    rows: tuple[DrawnRow, ...]
    cut: tuple[bool, bool]


class CheckResult(Strict):
    """One line of a task's mark: a check, or all of it together.

    Attributes:
        points: that it earns.
        max_points: that it can earn.
        deduction: what the mistake that failed it costs in all; 0 for what costs nothing of its own.
        consequence: what that mistake does to whoever uses the code.
        rule: of marking.toml, by which a failure is charged.
        fraction, partly, in_share: as in the verdict, so that a mark can be made again by other weights.
    """

    check: str
    title: str
    status: Status
    points: float
    max_points: float
    deduction: float = 0.0
    consequence: str = ""
    rule: str = ""
    fraction: float = 0.0
    partly: bool = False
    in_share: bool = False
    message: str = ""
    hint: str = ""
    data: dict[str, Any] = Field(default_factory=dict)
    drawing: Drawing | None = None


class TaskResult(Strict):
    """One task of one submission."""

    task: str
    title: str
    checks: tuple[CheckResult, ...]
    seconds: float = 0.0

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(check.points for check in self.checks)

    @property
    def max_points(self) -> float:
        """Points there are to earn."""
        return sum(check.max_points for check in self.checks)


class Run(Strict):
    """What every submission of one grading run has in common."""

    profile: str
    data: str  # "CIFAR-100" or "the embedded set"
    data_pin: str
    provisional_because: str  # empty when the marks are final
    engine: str
    seed: int
    versions: dict[str, str]

    @property
    def provisional(self) -> bool:
        """Whether the marks may still change: the data or the thresholds are not the real ones."""
        return bool(self.provisional_because)


class SubmissionResult(Strict):
    """One submission, graded or not.

    `problem` says why a submission could not be taken in or graded; its checks are then empty or FAULT.
    """

    name: str
    run: Run
    tasks: tuple[TaskResult, ...]
    seconds: float
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def has_mark(self) -> bool:
        """Whether it was taken in and every check was decided; what has no mark must not look like a zero."""
        return self.graded and not self.problem

    @property
    def points(self) -> float:
        """Points earned over all tasks."""
        return sum(task.points for task in self.tasks)

    @property
    def max_points(self) -> float:
        """Points there are to earn over all tasks."""
        return sum(task.max_points for task in self.tasks)

    @property
    def graded(self) -> bool:
        """Whether every check was decided: none ended in a grader fault."""
        return not any(c.status is Status.FAULT for t in self.tasks for c in t.checks)
