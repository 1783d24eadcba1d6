"""What came of one submission of the bank, beside what it deserves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.config.manifest import Task
from grader.proof.bank import Entry, Mutant
from grader.results import hints
from grader.results.record import WHOLE, CheckResult, Status, SubmissionResult, TaskResult


@dataclass(frozen=True)
class Proved:
    """What came of one submission of the bank.

    Attributes:
        entry: which.
        wrong: in which way it did not get what it deserves; empty if it did. Of an unseen mistake: why it
            has no mark.
        caught_by: the checks that failed, the first one first.
        hint: what the student is shown.
        open: nothing was shown yet: it passes every check of the structure, and was not trained.
        trainings: digests of the trainings that decided, with whether the check passed.
        networks: for each label set that was trained on, the digest of the training that decided: that of
            submissions with the same training form is the same.
        lost: the share of its task's points that a mutant or an unseen mistake loses, 0 to 1; None for a
            right one, and for one that has no mark.
        final: whether that is all it loses: no check of its task was left out.
        charges: what its mistake was charged with: check, rule and points of each.
        accuracies: of its network, by label set; "prepared" for what was trained on what `prepare` returned.
    """

    entry: Entry
    wrong: str
    caught_by: tuple[str, ...] = ()
    hint: str = ""
    open: bool = False
    trainings: tuple[tuple[str, bool], ...] = ()
    networks: tuple[tuple[str, str], ...] = ()
    lost: float | None = None
    final: bool = True
    charges: tuple[tuple[str, str, float], ...] = ()
    accuracies: tuple[tuple[str, float], ...] = ()


def judge(entry: Entry, result: SubmissionResult, *, trained: bool) -> Proved:
    """Compares what a submission of the bank got with what it deserves."""
    if result.problem:
        return Proved(entry, f"was not taken in: {result.problem}")
    (task,) = (one for one in result.tasks if one.task == entry.task.id)
    if faults := [check for check in task.checks if check.status is Status.FAULT]:
        return Proved(entry, f"was not graded: {faults[0].message}")
    failed = [one for one in task.checks if one.status is Status.FAILED and one.check != WHOLE]
    trains = {check.id for check in entry.task.checks if check.train}
    trainings = tuple(
        (str(digest), check.status is Status.PASSED)
        for check in task.checks
        for digest in check.data.get("trainings", ())
    )
    networks = tuple(
        (check.data["label_set"], check.data["training"])
        for check in task.checks
        if "label_set" in check.data
    )
    seen = tuple(check.check for check in failed)
    share, final = share_lost(task, entry.task)
    marked = Proved(
        entry,
        "",
        seen,
        trainings=trainings,
        networks=networks,
        lost=share,
        final=final,
        charges=tuple((check.check, check.rule, check.deduction) for check in failed if check.deduction),
        accuracies=tuple(
            ("prepared" if check.data.get("prepared") else check.data["label_set"], check.data["accuracy"])
            for check in task.checks
            if "accuracy" in check.data
        ),
    )
    if entry.unseen:
        return marked
    if entry.mutant is None:
        lost = [check for check in task.checks if check.status is not Status.PASSED]
        wrong = f"lost points: {lost[0].check}: {lost[0].message}" if lost else ""
        return Proved(entry, wrong, seen, trainings=trainings, networks=networks)
    mutant, structure = entry.mutant, [check for check in failed if check.check not in trains]
    only_trained = needs_training(entry)
    if only_trained and not trained and not structure:
        return Proved(entry, "", open=True, final=False)
    hint = hints.to_show(failed[0]) if failed else ""
    wrong = _wrong(mutant, failed if only_trained else structure, trains if not only_trained else set())
    return replace(marked, wrong=wrong, hint=hint)


def share_lost(result: TaskResult, task: Task) -> tuple[float, bool]:
    """The share of a task's points that a submission loses, 0 to 1, and whether all its checks were decided.

    Without trainings that is what the decided checks take: what a training would add is left out.
    """
    decided = {check.check for check in result.checks}
    whole = all(check.id in decided for check in task.checks)
    return (result.max_points - result.points) / task.points, whole


def _wrong(mutant: Mutant, failed: Sequence[CheckResult], left_out: set[str]) -> str:
    """In which way a mutant was not caught as it must be; empty if it was."""
    if not failed:
        return "survived: no check failed"
    first = failed[0]
    if first.check != mutant.check:
        return f"was caught by {first.check} and not by {mutant.check}: {first.message}"
    if mutant.says not in first.message:
        return f"does not say {mutant.says!r}: {first.message}"
    hint = hints.to_show(first)
    if mutant.hint not in f"{first.message} {hint}":
        return f"does not show the hint {mutant.hint!r}: {hint}"
    also = {check for check in mutant.also if check not in left_out}
    others = {check.check for check in failed[1:]}
    if others != also:
        extra, lacking = ", ".join(sorted(others - also)), ", ".join(sorted(also - others))
        return f"fails other checks than it says: too many: {extra or 'none'}; missing: {lacking or 'none'}"
    return ""


def needs_training(entry: Entry) -> bool:
    """Whether a submission is a mutant that passes every check but those that a training decides."""
    trains = {check.id for check in entry.task.checks if check.train}
    return bool(entry.mutant and entry.mutant.check in trains)
