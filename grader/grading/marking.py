"""From verdicts to points: what each cause costs, by the rules of marking.toml. Pure.

1. Each mistake is charged once, by its rule. What is blocked by it, or follows from it, costs nothing more.
2. In one function mistakes together cost no more than the function is worth, or than the gravest of them.
   None costs more than to leave the function unwritten, with all the training that needs it.
   A call that raises does so for the other mistakes of its function, where there are any: no cause is charged
   for its effect as well.
3. A function in which nothing is right loses all that it is worth.
4. What structure and training lose are not added up: the greater of the two is charged. But what is not done
   at all is never made up for by that, nor is anything where more is wrong than right.

Each check is worth a little by itself; the rest of a task's points is its last line, `whole`, from which
mistakes take what they cost beyond that. So all lines of a task add up to its mark.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.config.manifest import Check, Manifest, Task
from grader.config.marking import STEP, rounded
from grader.results import hints
from grader.results.record import WHOLE, CheckResult, Status, TaskResult
from grader.results.verdict import Verdict

_DECIDED = (Status.PASSED, Status.FAILED)


@dataclass(frozen=True)
class Charge:
    """What one mistake costs.

    Attributes:
        check: that failed; empty for a function in which nothing is right.
        function: whose mistake it is; empty if several share it.
        rule: by which it is charged.
        points: what it costs by that rule, alone.
        says: what it does to whoever uses the code.
        effect: whether it comes of the other mistakes of its function, where there are any.
    """

    check: str
    function: str
    rule: str
    points: float
    says: str
    effect: bool = False


def mark(task: Task, verdicts: Mapping[str, Verdict], tasks: Manifest) -> tuple[CheckResult, ...]:
    """The lines of a task's mark: one for each check that has a verdict, then `whole`.

    Args:
        task: whose.
        verdicts: by check; without those that train, if nothing was trained.
        tasks: with the weights and rules.
    """
    checks = [check for check in task.checks if check.id in verdicts]
    if any(verdicts[check.id].status is Status.FAULT for check in checks):
        return _undecided(task, checks, verdicts)
    charges = _charges(task, verdicts, tasks)
    empty = _empty_functions(task, verdicts)
    unseen = [function for function in empty if _follows(task, function, verdicts, charges)]
    empty = [function for function in empty if function not in unseen]
    undone = sum(task.worth.functions[function] for function in empty)
    lost = min(_lost(task, charges, empty, unseen), task.worth.structure)
    trained = _trained(task, checks, verdicts, lost)
    # One cause, charged once: what training has lost is not lost again. But what is not done at all was never
    # earned, whatever a network without it learns.
    elsewhere = sum(check.points - trained[check.id] for check in checks if check.train)
    covered = min(elsewhere, lost - undone) if _more_right_than_wrong(checks, verdicts, charges) else 0.0
    alone = {charge.check: charge for charge in charges if charge.check}
    points: dict[str, float] = {}
    for check in checks:
        earns = check.points if _earns(check, verdicts[check.id], alone, empty) else 0.0
        points[check.id] = trained[check.id] if check.train else earns
    structural = sum(points[check.id] for check in checks if not check.train)
    whole = min(task.whole, max(0.0, task.worth.structure - (lost - covered) - structural))
    # Where that is not enough, what nobody has seen to be right goes first.
    more = structural + whole - (task.worth.structure - (lost - covered))
    for check in reversed(checks):
        if more > 0 and not check.train and verdicts[check.id].status is not Status.PASSED:
            more -= points[check.id]
            points[check.id] = 0.0
    lines = [_line(check, verdicts[check.id], points[check.id], alone.get(check.id)) for check in checks]
    said = _because(task, charges, empty, unseen, lost=lost, covered=covered)
    decided = [verdicts[check.id] for check in checks]
    return (*lines, _whole(task, whole, decided, lost - covered, said))


def _charges(task: Task, verdicts: Mapping[str, Verdict], tasks: Manifest) -> list[Charge]:
    """What each mistake costs by itself."""
    charges: list[Charge] = []
    seen = [c for c in task.checks if c.id in verdicts and verdicts[c.id].status is Status.PASSED]
    most = task.worth.structure - sum(check.points for check in seen if not check.train)
    for check in task.checks:
        verdict = verdicts.get(check.id)
        if verdict is None or check.train or verdict.status is not Status.FAILED:
            continue
        if any(cause in verdicts and verdicts[cause].status is Status.FAILED for cause in check.follows):
            continue
        rule = tasks.marking.rule(verdict.rule or check.rule)
        if rule.once and (_owner(check), rule.id) in {(other.function, other.rule) for other in charges}:
            continue
        # What was seen to be right stays earned, and nobody does better to leave a function unwritten.
        unwritten = task.worth.functions.get(_owner(check), task.worth.structure) + task.worth.training
        cost = min(tasks.marking.cost(task.id, rule.id), most, unwritten)
        charges.append(Charge(check.id, _owner(check), rule.id, cost, rule.says, rule.effect))
    return charges


def _owner(check: Check) -> str:
    """The function whose mistake a failed check is: the last that it names; none if it is about several."""
    return check.functions[-1] if len(check.functions) <= 2 else ""


def _more_right_than_wrong(
    checks: Sequence[Check], verdicts: Mapping[str, Verdict], charges: Sequence[Charge]
) -> bool:
    """Whether it can be for a mistake that a network does not learn, and not for all that is missing."""
    holds = sum(not check.train and verdicts[check.id].status is Status.PASSED for check in checks)
    return holds > len(charges)


def _empty_functions(task: Task, verdicts: Mapping[str, Verdict]) -> list[str]:
    """The functions in which nothing is right: neither is any of their checks but those of form."""
    empty = []
    for function in task.functions:
        own = _own(task, function, verdicts)
        some = any(
            verdicts[c.id].partly
            for c in task.checks
            if c.id in verdicts and _owner(c) == function and not c.train
        )
        if own and not some and not any(_right(verdicts[check.id]) for check in own):
            empty.append(function)
    return empty


def _follows(task: Task, function: str, verdicts: Mapping[str, Verdict], charges: Sequence[Charge]) -> bool:
    """Whether nothing can be seen of a function for a mistake that is charged to another one."""
    if any(charge.function == function for charge in charges):
        return False
    own = [
        verdicts[check.id].status
        for check in task.checks
        if check.id in verdicts and _owner(check) == function and not check.train
    ]
    return Status.FAILED in own


def _right(verdict: Verdict) -> bool:
    return verdict.status is Status.PASSED or verdict.partly


def _own(task: Task, function: str, verdicts: Mapping[str, Verdict]) -> list[Check]:
    """The checks of a function but those of form."""
    return [
        check
        for check in task.checks
        if check.id in verdicts and _owner(check) == function and not check.train and not check.earned_with
    ]


def _lost(task: Task, charges: Sequence[Charge], empty: Sequence[str], unseen: Sequence[str]) -> float:
    """What the structure loses, over all functions."""
    lost, seen = 0.0, 0.0
    for function, worth in task.worth.functions.items():
        if function in unseen:
            continue
        own = [charge for charge in charges if charge.function == function]
        gravest = max((charge.points for charge in own), default=0.0)
        lost += max(worth, gravest) if function in empty else min(_together(own), max(gravest, worth))
        seen += worth
    # What nobody could look at is taken to be as right as the rest.
    lost *= task.worth.structure / seen if seen else 1.0
    return rounded(lost + sum(charge.points for charge in charges if not charge.function))


def _together(charges: Sequence[Charge]) -> float:
    """What mistakes of one function cost together, each cause once."""
    causes = sum(charge.points for charge in charges if not charge.effect)
    return max([causes, *(charge.points for charge in charges if charge.effect)])


def _trained(
    task: Task, checks: Sequence[Check], verdicts: Mapping[str, Verdict], lost: float
) -> dict[str, float]:
    """What each check that trains earns: by accuracy, or in the structure's share where it cannot be."""
    # Where nothing else is wrong, what keeps the network from being trained is all there is to charge.
    share = 1 - lost / task.worth.structure if lost else 0.0
    earned = {}
    for check in checks:
        if check.train:
            verdict = verdicts[check.id]
            points = rounded(check.points * (share if verdict.in_share else verdict.fraction))
            # All of it is for those that learn enough, however close the others come.
            most = (
                check.points - STEP
                if verdict.status is Status.FAILED and not verdict.in_share
                else check.points
            )
            earned[check.id] = max(0.0, min(points, most))
    return earned


def _earns(check: Check, verdict: Verdict, charged: Mapping[str, Charge], empty: Sequence[str]) -> bool:
    """Whether a check earns what it is worth by itself: it holds, or what keeps it from that is charged."""
    if verdict.status is Status.NOT_ATTEMPTED or _owner(check) in empty or check.id in charged:
        return False
    return verdict.status is Status.PASSED or bool(charged)


def _line(check: Check, verdict: Verdict, points: float, charge: Charge | None) -> CheckResult:
    return CheckResult(
        check=check.id,
        title=check.title,
        status=verdict.status,
        points=points,
        max_points=check.points,
        deduction=charge.points if charge else 0.0,
        consequence=charge.says if charge else "",
        rule=(verdict.rule or check.rule) if verdict.status is Status.FAILED else "",
        fraction=verdict.fraction,
        partly=verdict.partly,
        in_share=verdict.in_share,
        message=verdict.message,
        hint=hints.of_check(verdict.hint, check.hint),
        data=verdict.data,
        drawing=verdict.drawing,
    )


def again(task: Task, result: TaskResult, tasks: Manifest) -> TaskResult:
    """The mark of a task made again from its lines, by the weights and rules of a manifest.

    Args:
        task: of that manifest.
        result: as it was recorded.
        tasks: the manifest.
    """
    verdicts = {
        line.check: Verdict(**{name: getattr(line, name) for name in Verdict.model_fields})
        for line in result.checks
        if line.check != WHOLE
    }
    return result.model_copy(update={"checks": mark(task, verdicts, tasks)})


def _whole(task: Task, points: float, verdicts: Iterable[Verdict], lost: float, said: str) -> CheckResult:
    """The line of what belongs to no single check."""
    if all(verdict.status is Status.NOT_ATTEMPTED for verdict in verdicts):
        status = Status.NOT_ATTEMPTED
    else:
        status = Status.FAILED if lost else Status.PASSED
    return CheckResult(
        check=WHOLE,
        title="The task as a whole",
        status=status,
        points=points,
        max_points=task.whole,
        message=said,
    )


def _because(
    task: Task,
    charges: Sequence[Charge],
    empty: Sequence[str],
    unseen: Sequence[str],
    *,
    lost: float,
    covered: float,
) -> str:
    """What mistakes cost, a line each, and what all of it comes to; empty if there are none.

    Args:
        task: whose.
        charges: of all mistakes.
        empty: functions in which nothing is right.
        unseen: functions that nobody can look at for a mistake in another one.
        lost: what all of it costs.
        covered: how much of that training has lost already.
    """
    titles = {check.id: check.title for check in task.checks}
    costs = [
        (
            max([task.worth.functions[name], *(one.points for one in charges if one.function == name)]),
            f"nothing is right in {name} yet",
        )
        for name in empty
    ]
    costs += [
        (charge.points, f"{titles[charge.check]}: {charge.says}")
        for charge in charges
        if charge.function not in empty
    ]
    said = [f"-{points:g}: {why}." for points, why in costs]
    said += [f"{name} cannot be looked at for this: it counts as the rest does." for name in unseen]
    alone = sum(points for points, _ in costs)
    if len(said) > 1 or lost != alone:
        most = (
            ": each cause once, and in one function no more than it is worth, or than its gravest mistake"
            if lost < alone
            else ""
        )
        said.append(f"Together: {lost:g} of {task.worth.structure:g} points{most}.")
    if covered:
        said.append(f"{covered:g} of this is lost in training already, and is not charged again.")
    return "\n".join(said)


def _undecided(
    task: Task, checks: Sequence[Check], verdicts: Mapping[str, Verdict]
) -> tuple[CheckResult, ...]:
    """Lines without a mark: the machine failed, and nothing of it is a zero."""
    lines = [
        _line(
            check,
            verdicts[check.id],
            check.points if verdicts[check.id].status is Status.PASSED else 0.0,
            None,
        )
        for check in checks
    ]
    whole = CheckResult(
        check=WHOLE, title="The task as a whole", status=Status.FAULT, points=0.0, max_points=task.whole
    )
    return (*lines, whole)
