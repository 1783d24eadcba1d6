"""What grading one submission came to: plain, frozen, serialisable fields, and nothing that decides.

A passed check, a failed one and one that could not be decided are three different things: a fault of the
machine is never written down as a zero.
"""

from collections.abc import Mapping
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
    HELD = "held back"  # decided, and not shown before the deadline; never recorded


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


class Override(Strict):
    """Points of a task that a person gave: by whom, why, and when (ISO 8601, UTC)."""

    points: float
    who: str
    why: str
    at: str


class TaskResult(Strict):
    """One task of one submission; with an override, its points are those and the checks stay as they were."""

    task: str
    title: str
    checks: tuple[CheckResult, ...]
    seconds: float = 0.0
    override: Override | None = None

    @property
    def points(self) -> float:
        """Points that count."""
        return self.earned if self.override is None else self.override.points

    @property
    def earned(self) -> float:
        """Points earned by the checks."""
        return sum(check.points for check in self.checks)

    @property
    def decided(self) -> bool:
        """Whether there are points that count: no check ended in a grader fault, or a person gave them."""
        return self.override is not None or not any(c.status is Status.FAULT for c in self.checks)

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


class Provenance(Strict):
    """What ties a mark to what was handed in and to the gradebook.

    Attributes:
        files: the digest over the files that were graded.
        graded: when, ISO 8601, UTC.
        kit: the version of the grader.
        seed: of the probe inputs.
        run: the id of the grading run in the gradebook.
        head: of the gradebook's chain of hashes when this was written.
        attempt: which was graded, from 1.
        handed_in: when, ISO 8601, as the platform has it; empty if it does not say.
        late: as the platform has it; None if it does not say.
    """

    files: str
    graded: str
    kit: str
    seed: int
    run: str
    head: str
    attempt: int = 1
    handed_in: str = ""
    late: bool | None = None

    def in_words(self) -> str:
        """All of it on one line."""
        late = " (late)" if self.late else ""
        handed_in = f", handed in {self.handed_in}{late}" if self.handed_in else ""
        return (
            f"Graded {self.graded}: files {self.files}{handed_in}, kit {self.kit}, seed {self.seed}, "
            f"run {self.run}; gradebook {self.head}"
        )


class Counts(Strict):
    """What a mark counts in the end, by the course's own choices: weights, lateness, which attempt.

    Attributes:
        tasks: what each task counts.
        points: all of it, less what is deducted; None where nothing is decided.
        out_of: all there is.
        rule: both numbers and what is between them, in words.
        look: what a person should look at, sentences.
    """

    tasks: Mapping[str, float]
    points: float | None
    out_of: float
    rule: str
    look: tuple[str, ...] = ()


class SubmissionResult(Strict):
    """One submission, graded or not.

    Attributes:
        name: the folder that results are filed under.
        run: what all of one run have in common.
        tasks: in the order of the manifest; empty if it could not be taken in.
        seconds: that it took.
        problem: why it could not be taken in or graded; its checks are then empty or FAULT.
        notes: what intake remarked.
        student: the name as a person writes it, or else the key; empty if `name` is all there is.
        key: of the student, unique in the class.
        counts: what the mark counts in the end; None where the course makes no choices of its own.
        not_renewed: why this is an earlier mark than it should be; empty if it is not.
        provenance: what ties it to the gradebook; None where there is none.
    """

    name: str
    run: Run
    tasks: tuple[TaskResult, ...]
    seconds: float
    problem: str = ""
    notes: tuple[str, ...] = ()
    student: str = ""
    key: str = ""
    counts: Counts | None = None
    not_renewed: str = ""
    provenance: Provenance | None = None

    @property
    def shown(self) -> str:
        """Whose it is, as a person reads it."""
        return self.student or self.name

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
    def score(self) -> float:
        """What goes into a gradebook: what the points count, or the points where nothing else is chosen."""
        return self.points if self.counts is None or self.counts.points is None else self.counts.points

    @property
    def out_of(self) -> float:
        """What `score` is of."""
        return self.max_points if self.counts is None else self.counts.out_of

    @property
    def graded(self) -> bool:
        """Whether every task was decided: no check ended in a grader fault, or a person gave the points."""
        return all(task.decided for task in self.tasks)
