"""What importers do with a file, by their own published rules: each function names its source.

Written from the sources' rules and not copied. Their parts that read CSV were run once on these exports,
under Ruby and PHP: docs/exports.md says with what.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """The importer does not take the file."""


@dataclass
class CanvasImport:
    """What Canvas would do: scores by student id, students it does not know, points it would set."""

    scores: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    points: str = ""


def canvas(content: bytes, students: Mapping[str, str]) -> CanvasImport:
    """lib/gradebook_importer.rb of instructure/canvas-lms: csv_stream, row_has_student_headers?, header?,
    check_for_non_student_row, process_student, process_submissions; for a file with one assignment.

    Args:
        content: of the file.
        students: that the course has: names by id.
    """
    text = content.decode()
    lines = text.splitlines(keepends=True)[:3]
    counts = {}
    for separator in ";,":  # identify_delimiter
        sizes = {len(next(csv.reader([line], delimiter=separator), [])) for line in lines}
        counts[separator] = sizes.pop() if len(sizes) == 1 else 0
    rows = list(
        csv.reader(io.StringIO(text, newline=""), delimiter=";" if counts[";"] > counts[","] else ",")
    )
    header, *rest = rows
    if not (len(header) > 3 and "Student" in header[0] and "ID" in header[1]):
        raise Refused("Invalid header row")
    student_columns = 3
    if re.search(r"SIS\s+Login\s+ID", header[2]):
        student_columns = 4
    elif re.search(r"SIS\s+User\s+ID", header[2]) and re.search(r"SIS\s+Login\s+ID", header[3]):
        integration = bool(re.search(r"Integration\s+ID", header[4]))
        student_columns = 5 + integration
        student_columns += bool(re.search(r"Root\s+Account", header[4 + integration]))
    if "Section" not in header[student_columns - 1]:
        raise Refused("Invalid header row")
    assignments = header[student_columns:]
    if len(assignments) != 1:
        raise Refused(f"{len(assignments)} assignments: any of them might be changed")
    found = CanvasImport()
    for row in rest:
        if not row or re.fullmatch(r"[;, ]*", ",".join(row)):  # skip_lines
            continue
        score = _decimal(row[student_columns].strip()) if len(row) > student_columns else ""
        if "Points Possible" in row[0]:
            found.points = score
        elif all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", one, re.I) for one in row):
            continue
        elif row[1] in students:
            found.scores[row[1]] = score
        else:
            named = [key for key, name in students.items() if name == row[0]]
            found.unknown += [] if named else [row[0]]
            found.scores |= {named[0]: score} if named else {}
    return found


def _decimal(cell: str) -> str:
    """The converter decimal_comma_to_period."""
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *whole, last = re.split(r"[,.]", cell)
    return f"{''.join(whole)}.{last}" if whole else last


def moodle_table(content: bytes) -> list[list[str]]:
    """lib/csvlib.class.php of moodle/moodle, csv_import_reader::load_csv_content with comma and UTF-8: PHP's
    fgetcsv, where a quote after a backslash does not end a cell; as many cells in each line as in the first.
    """
    text = re.sub(r"\r\n?", "\n", content.decode().removeprefix("\ufeff")).strip()
    rows = [row for row in _fgetcsv(text) if row != [""]]
    if not rows:
        raise Refused("csvemptyfile")
    if {len(row) for row in rows} != {len(rows[0])}:
        raise Refused("csvweirdcolumns")
    return rows


def _fgetcsv(text: str) -> list[list[str]]:
    rows, row, at = [], [], 0
    while at <= len(text):
        if text[at : at + 1] == '"':
            value, at = "", at + 1
            while at < len(text):
                if text[at] == "\\" and at + 1 < len(text):
                    value, at = value + text[at : at + 2], at + 2
                elif text[at : at + 2] == '""':
                    value, at = value + '"', at + 2
                elif text[at] == '"':
                    at += 1
                    break
                else:
                    value, at = value + text[at], at + 1
            rest = re.compile(r"[^,\n]*").match(text, at)
        else:
            value, rest = "", re.compile(r"[^,\n]*").match(text, at)
        assert rest is not None
        row.append(value + rest.group())
        at = rest.end() + 1
        if text[at - 1 : at] != ",":
            rows.append(row)
            row = []
    return rows


def moodle_grades(content: bytes, users: Mapping[str, Mapping[str, str]], maximum: float) -> dict[str, str]:
    """grade/import/csv/classes/load_data.php of moodle/moodle: prepare_import_grade_data with the
    first column mapped to the user's field of that title and the last to a grade item: one unknown user, a
    grade that is no number or one that is too high aborts all of it; an empty grade removes what is there.

    Args:
        content: of the file.
        users: of the course: fields by name of the user.
        maximum: that the site allows.
    """
    fields = {"ID number": "idnumber", "Email address": "email", "Username": "username"}
    header, *rows = moodle_table(content)
    kind = fields[header[0]]
    grades = {}
    for row in rows:
        who = [name for name, one in users.items() if one.get(kind) == row[0].strip()]
        if len(who) != 1 or not row[0].strip():
            raise Refused(f"usermappingerror: {row[0]}")
        value = row[-1].strip()
        if value in ("", "-"):
            raise Refused(f"the grade of {who[0]} would be removed")
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise Refused(f"badgrade: {value}")
        if float(value) > maximum:
            raise Refused(f"gradevaluetoobig: {value}")
        grades[who[0]] = value
    return grades


def moodle_worksheet(content: bytes, users: Mapping[str, str], maximum: float) -> dict[str, str]:
    """mod/assign/feedback/offline of moodle/moodle: importgradeslib.php (init, next) and locallib.php
    (process_import_grades): titles must be exact, the id is what follows "Participant ", and a grade that is
    empty, below 0 or above the maximum is left out.

    Args:
        content: of the file.
        users: names by the number of the participant.
        maximum: of the assignment.
    """
    header, *rows = moodle_table(content)
    for title in ("Identifier", "Grade", "Last modified (grade)"):
        if title not in header:
            raise Refused("invalidgradeimport")
    grades = {}
    for row in rows:
        number = row[header.index("Identifier")][len("Participant ") :]
        grade = row[header.index("Grade")].strip()
        if number in users and grade and 0 <= float(grade) <= maximum:
            grades[users[number]] = grade
    return grades


def _enum(*values: str) -> dict[str, Any]:
    return {"enum": list(values)}


_VISIBILITY = _enum("hidden", "after_due_date", "after_published", "visible")
_FORMAT = _enum("text", "html", "simple_format", "md", "ansi")
# gradescope-autograders.readthedocs.io, "Autograder Specifications", "Output format". Whether other
# keys are ignored is not documented: none are written.
GRADESCOPE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [
        {"required": ["score"]},
        {"required": ["tests"], "properties": {"tests": {"items": {"required": ["score"]}}}},
    ],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": _FORMAT,
        "test_output_format": _FORMAT,
        "test_name_format": _FORMAT,
        "visibility": _VISIBILITY,
        "stdout_visibility": _VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": _enum("passed", "failed"),
                    "name": {"type": "string"},
                    "name_format": _FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": _FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": _VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {"type": "array"},
    },
}
