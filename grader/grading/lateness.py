"""How late an attempt is, by a course's due date, extensions and late policy. Pure.

A day is one by the clock of the course's time zone: it ends at the hour of the due date, so that it has 23 or
25 hours where clocks are put forward or back. Without a time zone a day has 24 hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import NamedTuple, Protocol

from grader.config.course import Course, same
from grader.config.course_values import YEARS, Duration, in_words


class HandedIn(Protocol):
    """One attempt, as the platform has it."""

    @property
    def number(self) -> int:
        """From 1, in the order in which they were handed in."""

    @property
    def handed_in(self) -> datetime | None:
        """When; without offset it is by the course's clock. None if the platform did not say."""

    @property
    def late(self) -> bool | None:
        """What the platform calls it; None if it did not say."""


class Attempt(NamedTuple):
    """A HandedIn of its own."""

    number: int
    handed_in: datetime | None = None
    late: bool | None = None


@dataclass(frozen=True)
class Due:
    """When one student has to hand in.

    Attributes:
        at: until then nothing is late; UTC.
        free: until then, at + grace, nothing is deducted.
        cut_off: after it nothing counts; None for never.
        extended: whether the student has an extension.
    """

    at: datetime
    free: datetime
    cut_off: datetime | None
    extended: bool


@dataclass(frozen=True)
class Lateness:
    """Of one attempt.

    Attributes:
        days: whole days by the clock after the due date.
        rest: after those.
        part: how much of the day that is not over it is, 0 to 1.
        deducted: the days that are deducted for.
        in_time: whether it came until the due date, or within the grace.
        accepted: whether it counts at all.
        known: whether it is known if it was late.
        says: as a part of a sentence; "" where the course has no due date.
        look: what a person should look at; "" for nothing.
    """

    days: int = 0
    rest: timedelta = timedelta()
    part: Fraction = Fraction(0)
    deducted: Fraction = Fraction(0)
    in_time: bool = True
    accepted: bool = True
    known: bool = True
    says: str = ""
    look: str = ""

    @property
    def late(self) -> bool:
        """Whether it came after the due date."""
        return bool(self.days or self.rest)


def due(course: Course, student: Iterable[str]) -> Due | None:
    """When a student has to hand in; None if the course has no due date.

    Args:
        student: all that the student goes by: key, ids, e-mail.
    """
    if course.due_at is None:
        return None
    names = {same(name) for name in student if name}
    extensions = [course.extended(until) for name, until in course.extensions.items() if same(name) in names]
    at = max([course.due_at, *extensions])
    cut_off = course.late.cut_off
    if isinstance(cut_off, Duration):
        cut_off = cut_off.after(at, course.zone)
    elif cut_off is not None:
        cut_off = course.moment(cut_off)
    free = course.late.grace.after(at, course.zone)
    if cut_off is not None:
        cut_off = max(cut_off, free)
    return Due(at, free, cut_off, extended=at > course.due_at)


def unmatched(course: Course, students: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Extensions that are nobody's, or of several students: a sentence each."""
    held = {same(name): 0 for name in course.extensions}
    for student in students:
        for name in {same(name) for name in student if name} & held.keys():
            held[name] += 1
    return tuple(
        f"the extension of {name!r} is nobody's: no key, id or e-mail is that"
        if not held[same(name)]
        else f"the extension of {name!r} is of {held[same(name)]} students"
        for name in course.extensions
        if held[same(name)] != 1
    )


def lateness(course: Course, student: Iterable[str], attempt: HandedIn) -> Lateness:
    """How late an attempt of a student is, and what that means."""
    until = due(course, student)
    if until is None:
        return Lateness()
    at = _known(attempt.handed_in, course.zone)
    by_extension = f" (extension until {_shown(until.at, course.zone)})" if until.extended else ""
    if at is None:
        look = (
            f"the platform calls attempt {attempt.number} late, and not by how much" if attempt.late else ""
        )
        says = "it is not known when it was handed in, nothing is deducted"
        return Lateness(known=False, in_time=not attempt.late, says=says, look=look)
    if at <= until.at:
        look = ""
        if attempt.late and not until.extended:
            look = f"the platform calls attempt {attempt.number} late, and by the due date here it is not"
        return Lateness(says=f"on time{by_extension}", look=look)
    days, rest, part = _since(until.at, at, course.zone)
    says = f"{in_words(days, rest)} late{by_extension}"
    if at <= until.free:
        return Lateness(days, rest, part, says=f"{says}, within the {course.late.grace} of grace")
    if until.cut_off is not None and at > until.cut_off:
        says = f"{says}, after the cut-off ({_shown(until.cut_off, course.zone)})"
        return Lateness(days, rest, part, in_time=False, accepted=False, says=says)
    begun = {"whole": Fraction(part > 0), "in proportion": part, "nothing": Fraction(0)}
    deducted = days + begun[course.late.begun_day]
    return Lateness(days, rest, part, deducted, in_time=False, says=says)


def _since(start: datetime, end: datetime, zone: tzinfo) -> tuple[int, timedelta, Fraction]:
    """Whole days by the clock between two moments in UTC, what is left, and what part of its day that is.

    Of a day of 23 hours, an hour is a larger part than of others.
    """
    days = max(0, (end - start).days - 1)
    while (turn := Duration(days + 1).after(start, zone)) <= end:
        days += 1
    last = Duration(days).after(start, zone)
    tick = timedelta(microseconds=1)
    return days, end - last, Fraction((end - last) // tick, (turn - last) // tick)


def _known(at: datetime | None, zone: tzinfo) -> datetime | None:
    """A time in UTC; of two that can be meant, the first. None for none, such as one of 1970."""
    if at is None or at.year not in YEARS:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=zone, fold=0)).astimezone(UTC)


def _shown(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
