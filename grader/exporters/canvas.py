"""Canvas: the gradebook that it exported, with one assignment's column filled in.

What its importer does is in lib/gradebook_importer.rb of instructure/canvas-lms. It finds a student by `ID`,
takes an empty cell where it has a score for the removal of that score, and compares every column of the file
with what it has by then. So the file keeps all rows, and of the columns those that say who a student is, and
the one that is filled in: others might bring back scores that were changed since.
"""

import re
from collections.abc import Sequence

from grader.errors import UsageError
from grader.exporters import templates
from grader.exporters.matching import Matches, Row, match
from grader.exporters.students import Student, Written, out_of, points
from grader.exporters.templates import Table
from grader.exporters.terminal import number
from grader.text import plain

WHAT = "Canvas's exported gradebook"
_IDS = {"ID": "canvas", "SIS User ID": "number", "SIS Login ID": "login"}
# Columns that Canvas computes, and never takes in; with "Unposted" before them as well.
_COMPUTED = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
_POINTS = "Points Possible"


def filled(
    students: Sequence[Student], table: Table, *, column: str = "", scale: float | None = None
) -> Written:
    """The template with the marks in it.

    Args:
        students: of the gradebook.
        table: as Canvas exported it.
        column: the assignment's title, with or without its id; empty where there is one only.
        scale: what the assignment counts there; None to leave points as they are.

    Raises:
        UsageError: it is not Canvas's, or it is not clear which column is meant, or Canvas would not take it.
    """
    last = _section(table)  # of the columns that say who a student is
    candidates = [
        n for n, title in enumerate(table.header) if n > last and title and not _COMPUTED.search(title)
    ]
    target = templates.column_of(table, column, candidates, "the assignment")
    written = Written()
    _check_points(table, target, scale or out_of(students), written)
    rows = [_row(table, place) for place in range(1, len(table.rows)) if _is_student(table, place)]
    matches = match(students, rows)
    values = _values(students, matches, table, target, scale, written)
    written.text = table.filled(target, values, keep={*range(last + 1), target})
    written.exported = len(values)
    unused = len(rows) - len(matches.rows)
    if unused:
        written.remarks.append(f"{unused} rows of the template are nobody's here, and stay as they are.")
    written.remarks.append(f"Column: {plain(table.header[target], 100)}.")
    return written


def _values(
    students: Sequence[Student],
    matches: Matches,
    table: Table,
    target: int,
    scale: float | None,
    written: Written,
) -> dict[int, str]:
    """Marks by row; who has a mark and no row is noted."""
    values: dict[int, str] = {}
    for student in students:
        mark = student.mark(scale)
        if mark is None:
            continue
        row = matches.rows.get(student.key)
        if row is None:
            written.unmatched[student.shown] = matches.why_not[student.key]
        elif _POINTS in row.name:
            written.unmatched[student.shown] = f"Canvas takes a name with {_POINTS!r} for its row of points"
        elif table.value(row.place, target).upper() == "EX":
            written.remarks.append(f"{student.shown} is excused in Canvas, which stays.")
        else:
            values[row.place] = points(mark)
    return values


def _section(table: Table) -> int:
    """The column `Section`; UsageError if this is not Canvas's header, by its own rule."""
    header = table.header
    plain_names = len(header) > 3 and "Student" in header[0] and "ID" in header[1]
    split_names = len(header) > 4 and header[:2] == ("LastName", "FirstName") and "ID" in header[2]
    if not (plain_names or split_names) or "Section" not in header:
        raise UsageError(
            f"this is not {WHAT}: its first line has {plain(', '.join(header), 200)}",
            fix="In Canvas: Grades, Export, Export Entire Gradebook",
        )
    return header.index("Section")


def _is_student(table: Table, place: int) -> bool:
    row = [field.value.strip() for field in table.rows[place]]
    if not any(row) or all(not cell or re.match(r"(Muted|Manual Posting.*)$", cell, re.I) for cell in row):
        return False
    return not _is_points(table, place)


def _is_points(table: Table, place: int) -> bool:
    """Whether it is the row of points: the first cell says so, and there is no id beside it."""
    return _POINTS in table.value(place, 0) and not table.value(place, _place_of(table, "ID"))


def _place_of(table: Table, title: str) -> int | None:
    return table.header.index(title) if title in table.header else None


def _row(table: Table, place: int) -> Row:
    if table.header[0] == "LastName":
        name = f"{table.value(place, 1)} {table.value(place, 0)}".strip()
    else:
        name = table.value(place, 0)
    ids = {kind: table.value(place, _place_of(table, title)) for title, kind in _IDS.items()}
    return Row(place, name, {kind: value for kind, value in ids.items() if value})


def _check_points(table: Table, target: int, worth: float, written: Written) -> None:
    """UsageError for a column that Canvas does not take in; a remark where its points are others."""
    for place in range(1, len(table.rows)):
        if not _is_points(table, place):
            continue
        said = table.value(place, target)
        if re.search(r"read\s+only", said):
            raise UsageError(
                f"{plain(table.header[target], 60)} is read only in Canvas",
                fix="Name another: --column TITLE",
            )
        try:
            possible = float(said.replace(",", "."))
        except ValueError:
            return
        if worth and abs(possible - worth) > 0.005:
            written.remarks.append(
                f"The assignment has {number(possible)} points in Canvas, and marks here are of "
                f"{number(worth)}: --out-of {number(possible)} scales them."
            )
        return
