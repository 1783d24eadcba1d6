"""A platform's own CSV, filled in: what is not filled in stays as it is, to the byte.

Importers find students by the cells that they wrote themselves, so these are never made anew.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.text import plain

_MOST = 16 * 1024 * 1024  # bytes
_BOM = "\ufeff"


@dataclass(frozen=True)
class Field:
    """One cell: as it is in the file, and what it says."""

    raw: str
    value: str


@dataclass(frozen=True)
class Table:
    """A CSV.

    Attributes:
        bom: whether it begins with a byte order mark.
        delimiter: between cells.
        header: what its first line says, without spaces around.
        rows: all lines, the header first.
        ends: of the lines, as they are in the file.
    """

    bom: bool
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[Field, ...], ...]
    ends: tuple[str, ...]

    def value(self, place: int, column: int | None) -> str:
        """What a cell says, without spaces around; empty where there is none."""
        row = self.rows[place]
        return row[column].value.strip() if column is not None and column < len(row) else ""

    def filled(self, column: int, values: Mapping[int, str], keep: Collection[int] | None = None) -> str:
        """The file with other values in one column.

        Args:
            column: whose cells are filled in.
            values: by the place of the row; plain numbers.
            keep: the columns that the file is to have; None for all.
        """
        parts = [_BOM] if self.bom else []
        for place, (row, end) in enumerate(zip(self.rows, self.ends, strict=True)):
            cells = [
                values[place] if number == column and place in values else field.raw
                for number, field in enumerate(row)
                if keep is None or number in keep
            ]
            parts += [self.delimiter.join(cells), end]
        return "".join(parts)


def read(path: Path, what: str) -> Table:
    """The table in a file.

    Args:
        path: of it.
        what: it is, for errors, such as "Canvas's gradebook".

    Raises:
        UsageError: it cannot be read, is no CSV in UTF-8, or a line has not as many cells as the first.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
    except OSError as error:
        raise UsageError(f"{what}, {plain(path)}, cannot be read: {error.strerror or error}") from error
    if len(content) > _MOST:
        raise UsageError(f"{what}, {plain(path)}, is over {_MOST // 2**20} MiB", fix="Name the CSV")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{plain(path)} is no text in UTF-8, so it is not {what} as it was downloaded",
            fix="Download it again and leave it as it is: a spreadsheet program may have changed it",
        ) from error
    table = _parsed(text.removeprefix(_BOM), bom=text.startswith(_BOM))
    if not table.rows or len(table.header) < 2:
        raise UsageError(f"{plain(path)} has no table in it: it is not {what}", fix="Name the CSV")
    for place, row in enumerate(table.rows):
        if len(row) != len(table.header) and any(field.value.strip() for field in row):
            raise UsageError(
                f"row {place + 1} of {plain(path)} has {len(row)} cells, the first has {len(table.header)}",
                fix="Download it again and leave it as it is",
            )
    return table


def column_of(table: Table, named: str, candidates: Sequence[int], what: str) -> int:
    """The column that is meant: by its whole title, else by a part that only one has.

    Raises:
        UsageError: none or several are meant; they are listed.
    """
    wanted = named.strip().casefold()
    titles = {number: table.header[number].casefold() for number in candidates}
    whole = [n for n, title in titles.items() if wanted in (title, re.sub(r" *\(\d+\)$", "", title))]
    found = whole or [number for number, title in titles.items() if wanted in title]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(plain(table.header[number], 60) for number in (found or candidates)[:10]) or "none"
    if not wanted:
        said = f"it is not clear which column is {what}"
    elif found:
        said = f"{plain(named, 60)!r} may be any of {len(found)} columns"
    else:
        said = f"there is no column {plain(named, 60)!r} for {what}"
    raise UsageError(said, fix=f"Name one of these: --column TITLE. There are: {listed}")


def _parsed(text: str, *, bom: bool) -> Table:
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    cell = re.compile(
        rf'("(?:[^"]|"")*+"(?=[{delimiter}\r\n]|\Z)|[^{delimiter}\r\n]*)({delimiter}|\r\n|\r|\n|\Z)'
    )
    rows: list[tuple[Field, ...]] = []
    ends: list[str] = []
    row: list[Field] = []
    at = 0
    while at < len(text) or row:
        found = cell.match(text, at)
        assert found is not None  # the second form matches anything, also nothing
        raw, end = found.groups()
        quoted = len(raw) > 1 and raw[0] == raw[-1] == '"'
        row.append(Field(raw, raw[1:-1].replace('""', '"') if quoted else raw))
        at = found.end()
        if end != delimiter:
            rows.append(tuple(row))
            ends.append(end)
            row = []
    header = tuple(field.value.strip() for field in rows[0]) if rows else ()
    return Table(bom, delimiter, header, tuple(rows), tuple(ends))
