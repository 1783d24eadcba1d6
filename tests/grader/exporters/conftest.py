"""A graded submission and one that the machine let down, for every export format."""

import pytest

from grader.results.record import WHOLE, CheckResult, Run, Status, SubmissionResult, TaskResult

RUN = Run(
    profile="offline",
    data="the embedded set",
    data_pin="0" * 32,
    provisional_because="drawn images",
    engine="bubblewrap",
    seed=7,
    versions={"python": "3.11"},
)


def check(name: str, status: Status, points: float = 0.0, message: str = "", hint: str = "") -> CheckResult:
    """A check worth 4 points."""
    return CheckResult(
        check=name,
        title=f"{name} holds",
        status=status,
        points=points,
        max_points=4,
        message=message,
        hint=hint,
    )


@pytest.fixture
def graded() -> SubmissionResult:
    """One check of each kind but a fault: 5.5 of 16 points."""
    checks = (
        check("first", Status.PASSED, 4),
        check("second", Status.FAILED, 1.5, "f(3) returned 4; expected 5.", "Look at the +."),
        check("third", Status.BLOCKED, 0, "This check must pass first: second holds."),
        check("fourth", Status.NOT_ATTEMPTED, 0, "g is not written yet."),
    )
    task = TaskResult(task="alexnet", title="AlexNet", checks=checks)
    return SubmissionResult(name="alice", run=RUN, tasks=(task,), seconds=12.3)


@pytest.fixture
def charged(graded: SubmissionResult) -> SubmissionResult:
    """The failed check costs 7 points, as its consequence has it; the line of the whole has the sum."""
    (task,) = graded.tasks
    first, second, *others = task.checks
    second = second.model_copy(update={"deduction": 7.0, "consequence": "nobody can use it"})
    whole = CheckResult(
        check=WHOLE,
        title="The task as a whole",
        status=Status.FAILED,
        points=2,
        max_points=9,
        message="-7: it.",
    )
    task = task.model_copy(update={"checks": (first, second, *others, whole)})
    return graded.model_copy(update={"tasks": (task,)})


@pytest.fixture
def let_down(graded: SubmissionResult) -> SubmissionResult:
    """A submission with a check that the machine failed on."""
    checks = (
        check("first", Status.PASSED, 4),
        check("second", Status.FAULT, 0, "a training was ended by SIGKILL"),
    )
    task = TaskResult(task="alexnet", title="AlexNet", checks=checks)
    return graded.model_copy(update={"name": "bob", "tasks": (task,)})
