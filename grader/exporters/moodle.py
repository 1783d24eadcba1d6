"""Moodle: grades to import into its gradebook, or an assignment's offline grading worksheet, filled in.

What its importers do is in grade/import/csv/classes/load_data.php and in importgradeslib.php and
locallib.php of mod/assign/feedback/offline, in moodle/moodle. The gradebook's takes an empty grade for its
removal, and one row that it cannot place stops all of it: so only students who have a mark are in that file.
The worksheet's leaves out what is empty, and without a word what is above the maximum.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence

from grader.errors import UsageError
from grader.exporters import templates
from grader.exporters.matching import Row, match
from grader.exporters.students import Student, Written, cell, out_of, points
from grader.exporters.templates import Table
from grader.exporters.terminal import number
from grader.text import plain

WHAT = "Moodle's offline grading worksheet"
HIGHEST = 100.0  # of any grade in Moodle, unless its site allows more
# How students are named: what Moodle calls it, and which of our ids that is, the first that a student has.
WAYS = {
    "number": ("ID number", ("sid", "sis", "id")),
    "email": ("Email address", ("email",)),
    "username": ("Username", ("login",)),
}


def grades(students: Sequence[Student], title: str, *, by: str = "", scale: float | None = None) -> Written:
    """A CSV for the import of grades: who, name, grade; one row for each student who has a mark.

    Args:
        students: of the gradebook.
        title: of the column of grades.
        by: of WAYS; empty for the one that most students with a mark have.
        scale: what the grade item counts there; None to leave points as they are.
    """
    marked = [one for one in students if one.result.has_mark]
    by = by or max(WAYS, key=lambda way: sum(bool(_id(one, way)) for one in marked))
    written = Written()
    count = Counter(_id(one, by).casefold() for one in marked)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([WAYS[by][0], "Name", cell(title)])
    for one in marked:
        who = _id(one, by)
        if not who:
            written.unmatched[one.shown] = f"nothing is known of the {WAYS[by][0].lower()}"
        elif who != plain(who) or '"' in who or "\\" in who or cell(who) != who:
            written.unmatched[one.shown] = f"no importer takes this {WAYS[by][0].lower()}: {plain(who, 60)}"
        elif count[who.casefold()] > 1:
            written.unmatched[one.shown] = f"somebody else has the same {WAYS[by][0].lower()}: {who}"
        else:
            # PHP takes a backslash before a quote for something else than CSV does.
            name = cell(one.name or one.key).replace("\\", "/")
            writer.writerow([who, name, points(one.mark(scale))])
            written.exported += 1
    written.text = out.getvalue()
    written.remarks.append(f"Students are named by {WAYS[by][0].lower()}: map that column when you import.")
    if max((one.mark(scale) or 0.0 for one in marked), default=0.0) > HIGHEST:
        written.remarks.append(
            f"Moodle stops at grades over {number(HIGHEST)}, unless its site allows more, and at those over "
            f"the item's maximum: --out-of {number(HIGHEST)} scales them."
        )
    return written


def worksheet(
    students: Sequence[Student], table: Table, *, column: str = "", scale: float | None = None
) -> Written:
    """The worksheet with the marks in it; all else is as Moodle wrote it.

    Args:
        students: of the gradebook.
        table: as Moodle gave it.
        column: of the grades; empty for "Grade".
        scale: what the assignment counts there; None to leave points as they are.

    Raises:
        UsageError: it is not Moodle's worksheet, or Moodle would drop marks since they are above its maximum.
    """
    if "Identifier" not in table.header or "Last modified (grade)" not in table.header:
        raise UsageError(
            f"this is not {WHAT} in English: its first line has {plain(', '.join(table.header), 200)}",
            fix="In Moodle: the assignment, View all submissions, Download grading worksheet",
        )
    target = templates.column_of(table, column or "Grade", _grades(table, column), "the grade")
    written = Written()
    worth = scale or out_of(students)
    _check_maximum(table, worth, written)
    rows = [
        _row(table, place) for place in range(1, len(table.rows)) if any(f.value for f in table.rows[place])
    ]
    matches = match(students, rows)
    locked = _place_of(table, "Grade can be changed")
    values: dict[int, str] = {}
    for student in students:
        mark = student.mark(scale)
        if mark is None:
            continue
        row = matches.rows.get(student.key)
        if row is None:
            written.unmatched[student.shown] = matches.why_not[student.key]
        elif table.value(row.place, locked).casefold() == "no":
            written.unmatched[student.shown] = "the grade is locked in Moodle"
        else:
            values[row.place] = points(mark)
    written.text = table.filled(target, values)
    written.exported = len(values)
    unused = len(rows) - len(matches.rows)
    if unused:
        written.remarks.append(f"{unused} rows of the worksheet are nobody's here, and stay as they are.")
    return written


def _id(student: Student, by: str) -> str:
    return next((student.ids[kind] for kind in WAYS[by][1] if student.ids.get(kind)), "")


def _grades(table: Table, column: str) -> list[int]:
    """Columns that may be the one of grades."""
    if column:
        return list(range(len(table.header)))
    return [number for number, title in enumerate(table.header) if title == "Grade"]


def _row(table: Table, place: int) -> Row:
    def value(title: str) -> str:
        return table.value(place, _place_of(table, title))

    name = value("Full name") or f"{value('First name')} {value('Last name')}".strip()
    found = re.search(r"(\d+)$", value("Identifier"))  # such as "Participant 10011"
    ids = {
        "moodle": found[1] if found else "",
        "number": value("ID number"),
        "email": value("Email address"),
        "login": value("Username"),
    }
    return Row(place, name, {kind: one for kind, one in ids.items() if one})


def _place_of(table: Table, title: str) -> int | None:
    return table.header.index(title) if title in table.header else None


def _check_maximum(table: Table, worth: float, written: Written) -> None:
    column = _place_of(table, "Maximum grade")
    found = {table.value(place, column).replace(",", ".") for place in range(1, len(table.rows))} - {""}
    try:
        highest = min(float(one) for one in found)
    except ValueError:  # none, or a scale of words
        return
    if worth > highest + 0.005:
        raise UsageError(
            f"marks are of {number(worth)}, and Moodle drops grades above the assignment's {number(highest)}",
            fix=f"--out-of {number(highest)} scales them, or set the assignment to {number(worth)} points",
        )
    if worth and worth < highest - 0.005:
        written.remarks.append(
            f"The assignment has {number(highest)} points in Moodle, and marks here are of {number(worth)}: "
            f"--out-of {number(highest)} scales them."
        )
