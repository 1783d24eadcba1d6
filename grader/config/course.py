"""Reads course.toml: what a course decides itself. Optional; without it every task counts as it is marked.

docs/course.md explains it, docs/course.toml.example has every field. What follows from it for a student is in
grader/grading/course.py.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from grader.config import course_values as values
from grader.config.course_values import Duration, Weight
from grader.config.marking import STEP
from grader.config.toml_lines import line_of, line_of_fault
from grader.errors import UsageError
from grader.text import plain
from lab.strict import Strict, faults

FILE = "course.toml"

_MOST_POINTS = values.MOST_POINTS
_TIME = "a date with a time and its offset, such as 2026-11-20T23:59:00+01:00; or without one beside timezone"
_LENGTH = 'such as "15 min", "2 h", "3 days", "1 day 12 h"'
_SHARE = 'in quotes, from "0%" to "100%", such as "10%" or "12.5%"'

_TABLES = {
    "late": "what lateness costs",
    "tasks": "what each task counts",
    "extensions": "students, each with how much longer or until when",
}

# What stands after a fault as "Allowed: ..." is the description of the field.
Length = Annotated[Duration, PlainValidator(values.duration)]
Share = Annotated[Decimal, PlainValidator(values.share)]
Moment = Annotated[datetime, PlainValidator(values.moment)]
MomentOrLength = Annotated[datetime | Duration, PlainValidator(values.moment_or_duration)]
Zone = Annotated[str, PlainValidator(values.zone)]


class Late(Strict):
    """What lateness costs.

    Attributes:
        grace: for so long after the due date nothing is late. Whoever is later than that is late from the due
            date on.
        share_a_day: deducted for each day, 0 to 1.
        of: what the share is of: the mark, or the points that there are.
        begun_day: what a day that is not over counts: as a whole, in proportion, or nothing.
        at_most: the most that lateness costs, as a share likewise.
        cut_off: after it nothing counts: a moment, or how long after the student's due date; None for never.
    """

    grace: Length = Field(default=Duration(), description=f"a time, {_LENGTH}")
    share_a_day: Share = Field(default=Decimal(0), description=f"a share, {_SHARE}")
    of: Literal["mark", "maximum"] = Field(default="mark", description='"mark" or "maximum"')
    begun_day: Literal["whole", "in proportion", "nothing"] = Field(
        default="whole", description='"whole", "in proportion" or "nothing"'
    )
    at_most: Share = Field(default=Decimal(1), description=f"a share, {_SHARE}")
    cut_off: MomentOrLength | None = Field(
        default=None, description=f"how long after the due date, {_LENGTH}; or {_TIME}"
    )


class Course(Strict):
    """A course's own choices.

    Attributes:
        due: when all has to be handed in, as it is written; `due_at` is the moment.
        timezone: by whose clock times without an offset are read and days are counted.
        attempt: which one counts.
        regrade: which mark counts after a correction of the grader.
        late: what lateness costs.
        points: all that there are, where weights are in per cent.
        tasks: those that count, and how much; empty for all of them, as they are marked.
        extensions: of single students, by key, id or e-mail: until when, or how much longer.
    """

    due: Moment | None = Field(default=None, description=_TIME)
    timezone: Zone | None = Field(
        default=None, description='the name of a time zone, such as "Europe/Berlin" or "America/New_York"'
    )
    attempt: Literal["last", "first", "best", "last_before_due"] = Field(
        default="last", description='"last", "first", "best" or "last_before_due"'
    )
    regrade: Literal["never lower", "as corrected"] = Field(
        default="as corrected", description='"never lower" or "as corrected"'
    )
    late: Late = Late()
    points: Annotated[float, Field(gt=0, le=_MOST_POINTS, multiple_of=STEP, strict=True)] | None = Field(
        default=None, description="whole or half points above 0, where all tasks are in per cent"
    )
    tasks: dict[str, Annotated[Weight, PlainValidator(values.weight)]] = Field(
        default={},
        description="whole or half points above 0, such as 30; or for all tasks per cent that add up to 100, "
        'such as "20%"',
    )
    extensions: dict[str, MomentOrLength] = Field(
        default={}, description=f"how much longer, {_LENGTH}; or until when, {_TIME}"
    )

    @property
    def zone(self) -> tzinfo:
        """By whose clock days are counted: the time zone, or the offset of the due date, in which all days
        have 24 hours.
        """
        if self.timezone:
            return ZoneInfo(self.timezone)
        return (self.due.tzinfo if self.due else None) or UTC

    @property
    def due_at(self) -> datetime | None:
        """The due date of whoever has no extension, in UTC."""
        return None if self.due is None else self.moment(self.due)

    def moment(self, written: datetime) -> datetime:
        """A time of the file, in UTC."""
        return (written if written.tzinfo else written.replace(tzinfo=self.zone)).astimezone(UTC)

    def extended(self, extension: datetime | Duration) -> datetime:
        """Until when an extension lasts, in UTC."""
        if isinstance(extension, datetime):
            return self.moment(extension)
        assert self.due_at  # or the file is refused
        return extension.after(self.due_at, self.zone)

    def worth(self, marked: Mapping[str, float]) -> dict[str, float]:
        """The points that tasks count, by id.

        Args:
            marked: all tasks in order, with the points they are marked with.

        Returns:
            those that count, in that order.
        """
        if not self.tasks:
            return dict(marked)
        return {task: self._points(self.tasks[task]) for task in marked if task in self.tasks}

    def _points(self, weight: Weight) -> float:
        whole = Decimal(str(self.points or 100)) / 100 if weight.per_cent else 1
        return float(weight.amount * whole)

    # --- what does not fit together -----------------------------------------------------------------------

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_times()
        self._check_needs_due()
        self._check_weights()
        self._check_extensions()
        return self

    def _check_times(self) -> None:
        times = {("due",): self.due, ("late", "cut_off"): self.late.cut_off}
        for place, value in (
            times | {("extensions", name): value for name, value in self.extensions.items()}
        ).items():
            if not isinstance(value, datetime) or value.tzinfo:
                continue
            if not self.timezone:
                raise _fault(place, "has no offset, and the file no timezone", _TIME)
            first, second = (value.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
            if first.utcoffset() == second.utcoffset():
                continue
            if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None, fold=0) != value:
                raise _fault(place, f"does not exist in {self.timezone}: clocks skip it", _TIME)
            both = f"{first.isoformat()} or {second.isoformat()}"
            raise _fault(place, f"is twice in {self.timezone}: clocks go back", f"it with its offset, {both}")

    def _check_needs_due(self) -> None:
        if self.due is None:
            for place, there in {
                ("late",): self.late != Late(),
                ("extensions",): bool(self.extensions),
                ("attempt",): self.attempt == "last_before_due",
            }.items():
                if there:
                    raise _fault(place, "needs a due date, which the file has not", f"due = {_TIME}")
        cut_off = self.late.cut_off
        if isinstance(cut_off, datetime) and self.due_at and self.moment(cut_off) < self.due_at:
            raise _fault(("late", "cut_off"), "is before the due date", "a later time")
        if isinstance(cut_off, Duration) and self.due_at:
            ends = [duration.after(self.due_at, self.zone) for duration in (self.late.grace, cut_off)]
            if ends[0] > ends[1]:
                raise _fault(("late", "cut_off"), "is shorter than the grace period", "a longer time")

    def _check_weights(self) -> None:
        weights = self.tasks.values()
        per_cent = [weight.amount for weight in weights if weight.per_cent]
        allowed = str(Course.model_fields["tasks"].description)
        if "tasks" in self.model_fields_set and not weights:
            raise _fault(("tasks",), "is empty: no task would count", allowed)
        if self.points is not None and not per_cent:
            raise _fault(("points",), "is for tasks in per cent only", "to leave it out")
        if not per_cent:
            return
        if len(per_cent) < len(weights):
            raise _fault(("tasks",), "has points and per cent", "one of the two for all tasks")
        if sum(per_cent) != 100:
            raise _fault(
                ("tasks",),
                f"adds up to {sum(per_cent, Decimal(0)).normalize():f}%",
                "per cent that add up to 100",
            )
        for task, weight in self.tasks.items():
            if self._points(weight) % STEP:
                raise _fault(
                    ("tasks", task),
                    f"of {self.points or 100:g} points is {self._points(weight):g} points",
                    "per cent that make whole or half points, or other points for the whole",
                )

    def _check_extensions(self) -> None:
        seen: dict[str, str] = {}
        for name, extension in self.extensions.items():
            place = "extensions", name
            if not name.strip():
                raise _fault(place, "has no student", "a key, id or e-mail in quotes")
            if other := seen.get(same(name)):
                raise _fault(place, f"is the same student as {other!r}", "one line a student")
            seen[same(name)] = name
            if self.due_at and self.extended(extension) < self.due_at:
                raise _fault(place, "is before the due date", "a later time")


def same(name: str) -> str:
    """What a student goes by, in the form in which it is compared: letters' case and spaces around count
    nothing.
    """
    return name.strip().casefold()


# --- reading ----------------------------------------------------------------------------------------------


def find(root: Path) -> Path | None:
    """The course.toml of a checkout, beside assignment/ and solutions/; None if it has none."""
    return path if (path := root / FILE).is_file() else None


def load(path: Path, tasks: Sequence[str]) -> Course:
    """Reads the file.

    Args:
        path: of course.toml.
        tasks: the ids of all that there are.

    Raises:
        UsageError: it cannot be read, or something in it is not allowed: names the file, the line, the value,
            and what is allowed.
    """
    return parse(read(path), tasks, plain(path))


def read(path: Path) -> str:
    """The file's text; UsageError if it cannot be read."""
    shown = plain(path)
    try:
        # A BOM, as editors on Windows write one, is none of the file.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is not UTF-8", fix="Save it as UTF-8 in your editor") from error


def parse(text: str, tasks: Sequence[str], shown: str = FILE) -> Course:
    """What a text says; UsageError as of `load`. `shown` is what errors call the file."""
    try:
        raw = tomllib.loads(text)
    except ValueError as error:  # a TOMLDecodeError, or a whole number of thousands of digits
        line, what = line_of_fault(error, text)
        raise UsageError(
            f"{shown}, line {line}, is not TOML: {what}", fix="docs/course.toml.example shows every field"
        ) from error
    try:
        course = Course.model_validate(raw)
        for task in course.tasks:
            if task not in tasks:
                raise _located(
                    shown, text, raw, ("tasks", task), "is of no task", f"the tasks {', '.join(tasks)}"
                )
    except ValidationError as error:
        raise _as_usage_error(error, shown, text, raw) from error
    return course


def _fault(at: tuple[str, ...], what: str, allowed: str) -> PydanticCustomError:
    """What a validator of the whole raises, with the place of the value that it is about."""
    return PydanticCustomError("course", "{what}", {"at": at, "what": what, "allowed": allowed})


def _as_usage_error(error: ValidationError, shown: str, text: str, raw: Mapping[str, Any]) -> UsageError:
    """The first fault of the file, by lines."""
    first = min(faults(error), key=lambda one: line_of(_place(one), text))
    place = _place(first)
    fields, allowed = _fields(place)
    if first["type"] == "course":
        what, allowed = first["ctx"]["what"], first["ctx"]["allowed"]
    elif first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], fields, n=1)
        what = "is not a field" + (f"; did you mean {near[0]}?" if near else "")
        allowed = ", ".join(fields)
    elif first["type"] == "value_error":
        what = first["msg"].removeprefix("Value error, ")
    else:
        what = "is not allowed"
    return _located(shown, text, raw, place, what, allowed)


def _place(error: Any) -> tuple[str, ...]:
    found = error["ctx"]["at"] if error["type"] == "course" else error["loc"]
    return tuple(str(part) for part in found)


def _fields(place: Sequence[str]) -> tuple[list[str], str]:
    """The fields of the table that has the value, and what is allowed for it."""
    model: Any = Late if len(place) > 1 and place[0] == "late" else Course
    field = model.model_fields.get(place[-1] if model is Late else place[0])
    allowed = (field.description or "") if field else ""
    if place[:-1] == () and place[-1] in _TABLES:
        allowed = f"a table, [{place[-1]}], of {_TABLES[place[-1]]}"
    return list(model.model_fields), allowed


def _located(
    shown: str, text: str, raw: Mapping[str, Any], place: Sequence[str], what: str, allowed: str
) -> UsageError:
    value: Any = raw
    for part in place:
        value = value.get(part) if isinstance(value, Mapping) else None
    name = ".".join(part if re.fullmatch(r"[\w-]+", part) else json.dumps(part) for part in place)
    if not isinstance(value, Mapping):
        name += f" = {_as_toml(value)}"
    return UsageError(
        f"{shown}, line {line_of(place, text)}: {plain(name, 150)} {what}",
        fix=f"Allowed: {allowed}",
    )


def _as_toml(value: Any) -> str:
    if isinstance(value, datetime | time):
        return value.isoformat()
    if isinstance(value, str | bool | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
