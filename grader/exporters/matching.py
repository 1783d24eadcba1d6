"""Which row of a platform's file is which student: never a guess.

A row is a student's by an id, then by e-mail, then by login, then by the key that they are filed under,
then by a name that only one row has. Who may be several rows, or shares one with somebody else, has none.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.exporters.students import Student
from grader.text import plain

NUMBERS = ("sid", "sis", "id")  # the number that a university gives a student; platforms call it differently
IDS = ("canvas", "moodle", "brightspace", "number")


@dataclass(frozen=True)
class Row:
    """A student as a platform's file has them.

    Attributes:
        place: of the row in its table.
        name: may be empty.
        ids: by kind: of IDS, "email" or "login"; empty ones left out.
    """

    place: int
    name: str
    ids: Mapping[str, str]


@dataclass
class Matches:
    """Whose rows are whose.

    Attributes:
        rows: by the student's key.
        why_not: by the key of each student who is in none.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    why_not: dict[str, str] = field(default_factory=dict)


def match(students: Sequence[Student], rows: Sequence[Row]) -> Matches:
    """Finds the row of each student, or says why there is none."""
    finder = _Finder(rows)
    found = Matches()
    claims: dict[int, list[tuple[int, Student]]] = defaultdict(list)
    by_place = {row.place: row for row in rows}
    for student in students:
        try:
            strength, row = finder.find(student)
        except _Unmatched as why:
            found.why_not[student.key] = str(why)
        else:
            claims[row.place].append((strength, student))
    for place, who in claims.items():
        strongest = min(strength for strength, _ in who)
        first = [student for strength, student in who if strength == strongest]
        for _, student in who:
            if len(first) == 1 and student is first[0]:
                found.rows[student.key] = by_place[place]
            else:
                others = ", ".join(other.shown for _, other in who if other is not student)
                found.why_not[student.key] = (
                    f"the row of {_row(by_place[place])} may be that of {others} as well"
                )
    return found


class _Unmatched(Exception):
    """Why a student has no row."""


class _Finder:
    def __init__(self, rows: Sequence[Row]) -> None:
        self._by_id: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self._by_name: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            for kind, value in row.ids.items():
                self._by_id[kind, _same(value)].append(row)
            if form := name_form(row.name):
                self._by_name[form].append(row)

    def find(self, student: Student) -> tuple[int, Row]:
        """The row, and the number of the way in which it was found."""
        ways: list[tuple[str, Callable[[Student], list[Row]]]] = [
            ("id", self._of_ids),
            ("e-mail", self._of_email),
            ("login", self._of_login),
            ("key", self._of_key),
            ("name", self._of_name),
        ]
        found: tuple[int, Row] | None = None
        for number, (called, way) in enumerate(ways):
            rows = way(student)
            if not rows:
                continue
            if len(rows) > 1:
                if found is None or called in ("id", "e-mail"):
                    raise _Unmatched(f"{len(rows)} rows have this {called}: {_listed(rows)}")
            elif found is None:
                if called in ("login", "key") and _another_name(student, rows[0]):
                    raise _Unmatched(f"the row with this {called} has another name: {_row(rows[0])}")
                found = number, rows[0]
            elif called == "e-mail" and rows[0].place != found[1].place:
                raise _Unmatched(f"the id is in the row of {_row(found[1])}, the e-mail in {_row(rows[0])}")
        if found is None:
            raise _Unmatched("no row has this id, e-mail, login or name")
        return found

    def _of_ids(self, student: Student) -> list[Row]:
        ids = [(("number" if kind in NUMBERS else kind), value) for kind, value in student.ids.items()]
        return self._with((kind, value) for kind, value in ids if kind in IDS)

    def _of_email(self, student: Student) -> list[Row]:
        return self._with([("email", student.ids.get("email", ""))])

    def _of_login(self, student: Student) -> list[Row]:
        login, email = student.ids.get("login", ""), student.ids.get("email", "")
        return self._with([("login", login), ("login", email), ("email", login)])

    def _of_key(self, student: Student) -> list[Row]:
        if student.key in student.ids.values():
            return []  # what that is an id of is known
        return self._with((kind, student.key) for kind in (*IDS, "email", "login"))

    def _of_name(self, student: Student) -> list[Row]:
        return self._by_name.get(name_form(student.name or student.key), [])

    def _with(self, ids: Iterable[tuple[str, str]]) -> list[Row]:
        places = {
            row.place: row
            for kind, value in ids
            if value.strip()
            for row in self._by_id.get((kind, _same(value)), ())
        }
        return list(places.values())


def name_form(name: str) -> str:
    """The words of a name in one order, without accents, signs and case; the name itself if it has no words.

    >>> name_form("Doe, Jané") == name_form("jane  DOE")
    True
    """
    folded = unicodedata.normalize("NFKD", name.casefold())
    words = re.findall(r"[^\W_]+", "".join(c for c in folded if not unicodedata.combining(c)))
    return " ".join(sorted(words)) or plain(name).casefold()


def _another_name(student: Student, row: Row) -> bool:
    return bool(student.name and row.name and name_form(student.name) != name_form(row.name))


def _same(value: str) -> str:
    return unicodedata.normalize("NFC", value.strip().casefold())


def _row(row: Row) -> str:
    ids = ", ".join(plain(value, 60) for value in row.ids.values())
    return f"{plain(row.name, 60)} ({ids})" if ids else plain(row.name, 60)


def _listed(rows: Sequence[Row]) -> str:
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    return "; ".join(_row(row) for row in rows[:3]) + more
