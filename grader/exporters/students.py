"""A student's mark on its way to a platform: whose it is, what counts, and where it could not go."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.exporters.terminal import number
from grader.results.record import Status, SubmissionResult
from grader.text import plain, spreadsheet_cell


@dataclass(frozen=True)
class Student:
    """One student of the gradebook.

    Attributes:
        key: unique in the class.
        name: as a person writes it; may be empty.
        ids: by what they are of: "canvas", "moodle", "sid", "sis", "email", "login" and others.
        section: may be empty.
        result: with the mark, or with why there is none.
    """

    key: str
    name: str
    ids: Mapping[str, str]
    section: str
    result: SubmissionResult

    @property
    def shown(self) -> str:
        """Name and key, on one line."""
        return plain(f"{self.name} [{self.key}]" if self.name not in ("", self.key) else f"[{self.key}]", 100)

    def mark(self, out_of: float | None = None) -> float | None:
        """What counts, by the course's own choices; None without a mark, which is no zero.

        Args:
            out_of: what the platform counts; None to leave the points as they are.
        """
        if not self.result.has_mark:
            return None
        if out_of is None or not self.result.out_of:
            return self.result.score
        return self.result.score * out_of / self.result.out_of

    @property
    def why_not(self) -> str:
        """Why there is no mark; empty if there is one."""
        if self.result.has_mark:
            return ""
        faults = (c.message for t in self.result.tasks for c in t.checks if c.status is Status.FAULT)
        return plain(self.result.problem or next(filter(None, faults), "") or "it has not been graded")


@dataclass
class Written:
    """What an export came to.

    Attributes:
        text: of the file.
        exported: how many students have their mark in it.
        unmatched: why a student with a mark is not in it, by what to call them.
        remarks: what a person should know of it, sentences.
    """

    text: str = ""
    exported: int = 0
    unmatched: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def points(mark: float | None) -> str:
    """A mark as every importer reads it: a point before the decimals, two at most; empty without a mark."""
    return "" if mark is None else number(mark)


def cell(text: object, limit: int = 300) -> str:
    """A cell that no spreadsheet takes for a formula; a plain number stays one.

    >>> cell("=cmd()"), cell("-5"), cell("-5+cmd()")
    ("'=cmd()", '-5', "'-5+cmd()")
    """
    line = plain(text, limit)
    return line if _NUMBER.fullmatch(line) else spreadsheet_cell(line, limit)


def out_of(students: Sequence[Student]) -> float:
    """What marks are of: the most of any; 0 where nobody has one."""
    return max((one.result.out_of for one in students if one.result.has_mark), default=0.0)


def what_counts(students: Sequence[Student], scaled: float | None = None) -> str:
    """What an exported mark is, for the first line of an export."""
    most = out_of(students)
    if any(one.result.counts is not None for one in students):
        which = f"the points that count by course.toml (weights, attempt, lateness), of {number(most)}"
    else:
        which = f"plain points of {number(most)} (this class has no course.toml)"
    changed = any(task.override is not None for one in students for task in one.result.tasks)
    which += ", with changes by hand" if changed else ""
    return which + (f", scaled to {number(scaled)}" if scaled is not None else "")


_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?", re.ASCII)
