"""The list of a class, as platforms and registrars export it: names for who handed in, and who did not."""

import csv
import io
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import UsageError
from grader.intake.model import HandedIn, Student
from grader.text import plain

_MOST = 16 * 1024 * 1024
# What columns are called, in lower case and without signs between words.
_COLUMNS = {
    "name": ("name", "full name", "student", "student name", "display name", "user full name"),
    "first": ("first name", "firstname", "given name", "first"),
    "last": ("last name", "lastname", "surname", "family name", "last"),
    "email": ("email", "email address", "e mail", "mail", "student email"),
    "login": (
        "login",
        "username",
        "user name",
        "sis login id",
        "login id",
        "user id",
        "github username",
        "account",
    ),
    "sis": ("sis user id", "sis id", "orgdefinedid", "org defined id"),
    "sid": ("sid", "student id", "id number", "student number", "matriculation number", "matrikelnummer"),
    "canvas": ("canvas id", "canvas user id"),
    "moodle": ("identifier", "moodle id", "participant"),
    "id": ("id", "key"),
    "section": ("section", "sections", "group", "section name"),
    "role": ("role", "roles"),
}
_KINDS = ("canvas", "moodle", "sid", "sis", "login", "email", "id")
# Which id a platform's own keys are.
_KEYS = {
    "canvas": "canvas",
    "moodle": "moodle",
    "gradescope": "sid",
    "blackboard": "login",
    "repositories": "login",
}


@dataclass(frozen=True)
class _Row:
    name: str
    ids: Mapping[str, str]
    section: str


def read(path: Path) -> list[_Row]:
    """The students of a roster.

    Raises:
        UsageError: it cannot be read, or no column says who somebody is.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
    except OSError as error:
        raise UsageError(f"the roster {plain(path)} cannot be read: {error.strerror or error}") from error
    if len(content) > _MOST:
        raise UsageError(
            f"the roster {plain(path)} is over {_MOST // 2**20} MiB", fix="Name the CSV of the class"
        )
    lines = _table(_decoded(content))
    columns = _columns(lines[0]) if lines else {}
    if not _KINDS_OF_NAMES & set(columns):
        found = plain(", ".join(cell for cell in lines[0] if cell), 200) if lines else "nothing"
        raise UsageError(
            f"the roster {plain(path)} has no column that says who somebody is; its first line has: {found}",
            fix="Give it a first line with names of columns, such as: name,email,login,sid,section",
        )
    if "canvas" not in columns and "id" in columns and "sis" in columns:
        columns["canvas"] = columns.pop("id")  # as Canvas exports a gradebook
    return [row for line in lines[1:] if (row := _row(line, columns)) is not None]


_KINDS_OF_NAMES = {"name", "first", "last", *_KINDS}


def matched(
    handed_in: Sequence[HandedIn], rows: Sequence[_Row], layout: str
) -> tuple[list[HandedIn], list[Student]]:
    """Gives students what the roster knows of them, and returns who of it handed in nothing.

    A row is somebody's by an id, an e-mail or its part before the @, else by the name, where only one has it.
    """
    by_id: dict[str, set[int]] = defaultdict(set)
    by_name: dict[str, set[int]] = defaultdict(set)
    for number, row in enumerate(rows):
        for kind, value in row.ids.items():
            by_id[value.casefold()].add(number)
            if kind == "email":
                by_id[value.casefold().partition("@")[0]].add(number)
        for form in _forms(row.name):
            by_name[form].add(number)
    used: Counter[int] = Counter()
    found = []
    for one in handed_in:
        students, notes = [], list(one.notes)
        for student in one.students:
            which = _number(student, one, by_id, by_name)
            if which is None:
                notes.append(f"{student.name or student.key} is not in the roster.")
                students.append(student)
                continue
            used[which] += 1
            row = rows[which]
            if used[which] > 1:
                notes.append(f"Another submission is {row.name or student.key}'s as well, by the roster.")
            students.append(
                replace(
                    student,
                    name=row.name or student.name,
                    ids={**row.ids, **student.ids},
                    section=student.section or row.section,
                )
            )
        found.append(replace(one, students=tuple(students), notes=tuple(notes)))
    keys = {student.key for one in found for student in one.students}
    absent = []
    for at, row in enumerate(rows):
        if not used[at]:
            student = _student(row, layout, keys)
            keys.add(student.key)
            absent.append(student)
    return found, absent


def _number(
    student: Student, one: HandedIn, by_id: Mapping[str, set[int]], by_name: Mapping[str, set[int]]
) -> int | None:
    ids = [*student.ids.values(), student.key, student.key.rpartition("/")[2]]
    labels = [one.name] if len(one.students) == 1 else []
    for candidates in (
        [by_id.get(value.casefold(), set()) for value in ids],
        [by_name.get(form, set()) for name in (student.name, student.key, *labels) for form in _forms(name)],
        [by_id.get(label.casefold(), set()) for label in labels],
    ):
        for numbers in candidates:
            if len(numbers) == 1:
                return next(iter(numbers))
    return None


def _student(row: _Row, layout: str, taken: set[str]) -> Student:
    kinds = (_KEYS.get(layout, "id"), "id", "sid", "sis", "login", "email")
    base = next((row.ids[kind] for kind in kinds if kind in row.ids), row.name)
    key, count = base, 1
    while key in taken:
        count += 1
        key = f"{base} ({count})"
    return Student(key, row.name, row.ids, row.section)


def _forms(name: str) -> set[str]:
    """A name's letters alone, in both orders: "Doe, Jane", "Jane Doe" and "doejane" have one in common."""
    folded = "".join(
        c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c)
    )
    last, comma, first = folded.partition(",")
    words = re.findall(r"[^\W_]+", f"{first} {last}" if comma else folded)
    if not words:
        return set()
    return {"".join(words), "".join([*words[1:], words[0]]), "".join([words[-1], *words[:-1]])}


def _decoded(content: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
    return content.decode("cp1252", "replace")


def _table(text: str) -> list[list[str]]:
    first = text.lstrip().partition("\n")[0]
    try:
        delimiter = csv.Sniffer().sniff(first, ",;\t|").delimiter
    except csv.Error:
        delimiter = max(",;\t|", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UsageError(f"the roster is no CSV: {error}", fix="Export it as CSV") from error
    return [[plain(cell, 200) for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _columns(header: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, cell in enumerate(header):
        word = " ".join(re.findall(r"[a-z0-9]+", cell.casefold()))
        for kind, names in _COLUMNS.items():
            if word in names:
                found.setdefault(kind, number)
    return found


def _row(line: Sequence[str], columns: Mapping[str, int]) -> _Row | None:
    def cell(kind: str) -> str:
        at = columns.get(kind, len(line))
        return line[at].strip().removeprefix("#") if at < len(line) else ""

    role = cell("role").casefold()
    if role and not re.search(r"student|learner|participant", role):
        return None  # the course's own people
    name = cell("name") or " ".join(part for part in (cell("first"), cell("last")) if part)
    if name.strip().casefold() in ("points possible", "student, test", "test student"):
        return None  # lines that Canvas adds
    last, comma, first = name.partition(",")
    if comma and first.strip():
        name = f"{first.strip()} {last.strip()}"
    ids = {kind: cell(kind) for kind in _KINDS if cell(kind)}
    if "moodle" in ids:
        number = re.search(r"(\d+)$", ids["moodle"])
        ids["moodle"] = number[1] if number else ids["moodle"]
    return _Row(name, ids, cell("section")) if name or ids else None
