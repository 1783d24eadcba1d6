"""What may be shown of a mark before the deadline: what needs no hidden data, and nothing that tells of it.

Whoever sees an accuracy and may hand in again can search for what the hidden images reward. So until the
deadline students get `checks_only`, and after it the whole result. Pure.

Held back: every check that a training decides, whatever came of it; the totals; what the mark counts; changes
by hand and the reasons for them, in tasks that train; the seeds. Points of the other checks depend on a
training too, since of what structure and training lose only the greater is charged: they are given anew, as
if every training had passed.
"""

from collections.abc import Iterator
from typing import Literal, get_args

from grader.config.manifest import Manifest, Task
from grader.grading import marking
from grader.results.record import WHOLE, CheckResult, Provenance, Status, SubmissionResult, TaskResult
from grader.results.verdict import Verdict

Release = Literal["checks", "all"]
RELEASES: tuple[Release, ...] = get_args(Release)

FOLLOWS = "Accuracy follows after the deadline."
FOLLOWS_PASSED = "Public checks passed; accuracy follows after the deadline."
_NOTHING_TRAINED = (Status.NOT_ATTEMPTED, Status.BLOCKED)


def released(result: SubmissionResult, release: Release, tasks: Manifest) -> SubmissionResult:
    """The part of a result that is released: all of it, or `checks_only`."""
    return result if release == "all" else checks_only(result, tasks)


def checks_only(result: SubmissionResult, tasks: Manifest) -> SubmissionResult:
    """The result without anything that hidden images decide; states what is held back.

    The total is over what is shown. A check that is held back has the status HELD, no points, no data, no
    hint and none of its message. A training on which the machine failed is held back as well.

    Args:
        result: a student's whole result; it is not changed.
        tasks: of the course: which checks train, and what the others are worth.

    Returns:
        the result to show. Its seed is 0 and its provenance None: a note has the attempt and the digest.
    """
    known = {task.id: task for task in tasks.tasks}
    shown = tuple(_task(known[one.task], one, tasks) for one in result.tasks if one.task in known)
    held = [task.title for task in shown if any(check.status is Status.HELD for check in task.checks)]
    held += [one.title for one in result.tasks if one.task not in known]
    notes = [*result.notes, *_handed_in(result.provenance)]
    if held:
        notes.append(f"Held back until after the deadline: what hidden images decide in {', '.join(held)}.")
    if result.tasks:
        notes.append("The total is over what is shown. It is not the final mark.")
    return result.model_copy(
        update={
            "tasks": shown,
            "notes": tuple(notes),
            "counts": None,
            "provenance": None,
            "run": result.run.model_copy(update={"seed": 0}),
        }
    )


def _task(task: Task, result: TaskResult, tasks: Manifest) -> TaskResult:
    train = {check.id for check in task.checks if check.train}
    if train and result.override is not None:
        result = result.model_copy(update={"override": None})
        if [line.check for line in result.checks] == [WHOLE]:  # that was all the mark there is
            whole = _held(result.checks[0], passed=False)
            return result.model_copy(update={"checks": (whole,)})
    held = {line.check for line in result.checks if line.check in train and not _untrained(line)}
    if not held:
        return result
    as_if = tuple(
        line.model_copy(update=_PASSED) if line.check in held else line
        for line in result.checks
        if line.check in {check.id for check in task.checks} or line.check == WHOLE
    )
    lines = marking.again(task, result.model_copy(update={"checks": as_if}), tasks).checks
    public = [line for line in lines if line.check not in held]
    passed = all(line.status is Status.PASSED for line in public)
    shown = tuple(_held(line, passed) if line.check in held else line for line in lines)
    return result.model_copy(update={"checks": shown})


def _untrained(line: CheckResult) -> bool:
    """Whether nothing was trained for it, so that no hidden image has a part in it."""
    return line.status in _NOTHING_TRAINED or (line.status is Status.FAILED and line.in_share)


def _held(line: CheckResult, passed: bool) -> CheckResult:
    return CheckResult(
        check=line.check,
        title=line.title,
        status=Status.HELD,
        points=0.0,
        max_points=0.0,
        message=FOLLOWS_PASSED if passed else FOLLOWS,
    )


def _handed_in(provenance: Provenance | None) -> Iterator[str]:
    """What was graded, so that a student sees whether it is what they meant."""
    if provenance is not None:
        at = f", handed in {provenance.handed_in}" if provenance.handed_in else ""
        late = " (late)" if provenance.late else ""
        yield f"Attempt {provenance.attempt}{at}{late}, files {provenance.files}"


_PASSED = Verdict.passed().model_dump()
