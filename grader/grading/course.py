"""What a mark counts by the course's own choices (course.toml): attempts, weights, lateness. Pure.

    course = config.course.load(path, tasks)
    to_grade(course, student, attempts)                     # which attempts need marks at all
    counted = what_counts(course, tasks, student, attempts, marks)
    counted.rule    # "131 of 150; 1 day 3 h late, 10% for each day or part of a day: -26.2; ..."

How points are rounded: what each task counts is rounded to the nearest half point, halves between two up, so
that the mark is the sum of its tasks; what then is left of it after the deduction is rounded likewise, and
what is deducted is the difference. So all that is shown is whole or half points, and adds up.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from grader.config.course import Course
from grader.config.marking import rounded
from grader.grading.lateness import HandedIn, Lateness, lateness

# Of one attempt, by task: points, and of how many. The order is that of the manifest.
Mark = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Counted:
    """What counts for one student.

    Attributes:
        attempt: the number of that which counts; None if none does.
        why: why that one, a sentence without its full stop; "" if there is one only.
        tasks: what each task counts, in whole or half points, before lateness.
        mark: the sum of the tasks; None if the attempt has no mark (not graded), which is no zero.
        out_of: all points there are.
        deducted: for lateness.
        counts: mark less deducted, in the end; None as for mark, or if nothing was handed in.
        rule: both numbers and what is between them, in one line.
        look: what a person should look at, sentences.
    """

    attempt: int | None
    why: str
    tasks: Mapping[str, float]
    mark: float | None
    out_of: float
    deducted: float
    counts: float | None
    rule: str
    look: tuple[str, ...] = ()


def to_grade(course: Course, student: Collection[str], attempts: Sequence[HandedIn]) -> tuple[int, ...]:
    """The numbers of the attempts of which marks are needed; with none, nothing counts."""
    return tuple(attempt.number for attempt in _candidates(course, student, attempts)[0])


def _candidates(
    course: Course, student: Collection[str], attempts: Sequence[HandedIn]
) -> tuple[list[HandedIn], str]:
    """The attempts of which one counts, and why those."""
    ordered = sorted(attempts, key=lambda one: one.number)
    late = {one.number: lateness(course, student, one) for one in ordered}
    accepted = [one for one in ordered if late[one.number].accepted]
    out = len(ordered) - len(accepted)
    so = f" ({out} after the cut-off)" if out else ""
    if not accepted:
        return [], ""
    if course.attempt == "best":
        return accepted, f"the best{so}"
    if course.attempt == "first":
        return accepted[:1], f"the first{so}"
    if course.attempt == "last":
        return accepted[-1:], f"the last{so}"
    # A time that is not known is taken for one before the due date, unless the platform calls it late.
    before = [one for one in accepted if late[one.number].in_time]
    if before:
        return before[-1:], f"the last before the due date{so}"
    return accepted[:1], f"the first, because none was before the due date{so}"


def what_counts(
    course: Course,
    tasks: Mapping[str, float],
    student: Collection[str],
    attempts: Sequence[HandedIn],
    marks: Mapping[int, Mark],
    earlier: Mapping[int, Mark] | None = None,
) -> Counted:
    """What counts for one student in the end.

    Args:
        tasks: all in the order of the manifest, with the points they are marked with.
        student: all that the student goes by: key, ids, e-mail.
        attempts: all that the student, or the student's group, handed in, in any order.
        marks: by the number of the attempt, as far as `to_grade` names it; of its tasks those that were
            decided. Without one of the tasks that count, the attempt has no mark.
        earlier: marks that the same files had before a correction of the grader, where there were others.
    """
    candidates, why = _candidates(course, student, attempts)
    if not candidates:
        return _nothing(course, tasks, student, attempts)
    counted = [
        _one(course, tasks, lateness(course, student, one), one.number, marks, earlier or {})
        for one in candidates
    ]
    # Of equal ones, the first.
    best = max(counted, key=lambda one: (-1.0 if one.counts is None else one.counts, -(one.attempt or 0)))
    look = list(best.look)
    if best.counts is not None:
        look += [
            f"attempt {one.attempt} is not graded, and could count more"
            for one in counted
            if one.counts is None
        ]
    why = f"attempt {best.attempt} of {len(attempts)}: {why}" if len(attempts) > 1 else ""
    return replace(best, why=why, look=tuple(look))


def weighed(course: Course, tasks: Mapping[str, float], mark: Mark) -> dict[str, float] | None:
    """What each task counts, in whole or half points; None if one of them was not decided."""
    worth = course.worth(tasks)
    if not worth.keys() <= mark.keys():
        return None
    return {task: _scaled(*mark[task], counts) for task, counts in worth.items()}


def _scaled(points: float, of: float, counts: float) -> float:
    return rounded(float(Fraction(points) / Fraction(of) * Fraction(counts))) if of else 0.0


def _one(
    course: Course,
    tasks: Mapping[str, float],
    late: Lateness,
    number: int,
    marks: Mapping[int, Mark],
    earlier: Mapping[int, Mark],
) -> Counted:
    """What one attempt would count."""
    out_of = sum(course.worth(tasks).values())
    look = (late.look,) if late.look else ()
    points = weighed(course, tasks, marks.get(number, {}))
    if points is None:
        return Counted(number, "", {}, None, out_of, 0.0, None, "not graded", look)
    said = [f"{_number(sum(points.values()))} of {_number(out_of)}"]
    if number in earlier:
        # A task that was not there then had no points.
        then = weighed(course, tasks, dict.fromkeys(tasks, (0.0, 1.0)) | dict(earlier[number])) or {}
        if (before := sum(then.values())) != sum(points.values()):
            said[0] += f" now, {_number(before)} before a correction of the grader ({course.regrade})"
            if course.regrade == "never lower" and before > sum(points.values()):
                points = then
    mark = sum(points.values())
    whole, of = (mark, "") if course.late.of == "mark" else (out_of, f" of {_number(out_of)}")
    share = min(Fraction(course.late.share_a_day) * late.deducted, Fraction(course.late.at_most))
    exact = min(Fraction(mark), share * Fraction(whole))
    counts = rounded(float(Fraction(mark) - exact))
    if late.says:
        said.append(late.says)
    if exact:
        said[-1] += (
            f", {_rule(course, of, at_most=share == Fraction(course.late.at_most))}: -{_number(exact)}"
        )
        if exact != Fraction(mark - counts):
            said[-1] += f", in half points -{_number(mark - counts)}"
    if len(said) > 1 or counts != sum(points.values()) or number in earlier:
        said.append(f"counts: {_number(counts)}")
    return Counted(number, "", points, mark, out_of, mark - counts, counts, "; ".join(said), look)


def _rule(course: Course, of: str, *, at_most: bool) -> str:
    share = f"{_number(course.late.share_a_day * 100)}%{of}"
    day = {
        "whole": "for each day or part of a day",
        "in proportion": "a day, in proportion",
        "nothing": "for each full day",
    }
    most = f", at most {_number(course.late.at_most * 100)}%" if at_most and course.late.at_most < 1 else ""
    return f"{share} {day[course.late.begun_day]}{most}"


def _nothing(
    course: Course, tasks: Mapping[str, float], student: Collection[str], attempts: Sequence[HandedIn]
) -> Counted:
    """Nothing was handed in, or nothing before the cut-off."""
    out_of = sum(course.worth(tasks).values())
    if not attempts:
        return Counted(None, "", {}, None, out_of, 0.0, None, "nothing was handed in")
    first = min(attempts, key=lambda one: one.number)
    rule = f"{lateness(course, student, first).says}; counts: 0"
    why = "no attempt was before the cut-off" if len(attempts) > 1 else ""
    return Counted(None, why, {}, None, out_of, 0.0, 0.0, rule)


def _number(points: float | Fraction | Decimal) -> str:
    """With two decimals at most: 26, 26.2, 26.25."""
    return f"{float(points):.2f}".rstrip("0").rstrip(".")
