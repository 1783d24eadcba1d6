"""Reading a gradebook, at any time, also while another process appends to it."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import Connection

from grader.errors import GradebookError, UsageError
from grader.gradebook import chain, opening, standings
from grader.gradebook.chain import Link
from grader.gradebook.records import ContentKey, Forgotten, Kind
from grader.gradebook.schema import chain as chain_table
from grader.gradebook.schema import entries as table
from grader.gradebook.standings import Choose, Entry, RunSeen, Standing
from grader.results.record import SubmissionResult
from grader.text import plain
from lab.strict import explained


class Gradebook:
    """Reads. May be used from several threads.

    Attributes:
        path: of the file.
    """

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self._connection = connection
        self._one_at_a_time = threading.RLock()

    @contextmanager
    def unchanging(self) -> Iterator[Self]:
        """Makes all that is read within it of one state, whatever is appended meanwhile."""
        with self._transaction():
            yield self

    def head(self) -> str:
        """The hash of the last record, 64 hex digits; zeros if there is none."""
        with self._transaction() as connection:
            return str(connection.scalar(sa.select(chain_table.c.head)))

    def verify(self) -> chain.Fault | None:
        """The first record that was changed, removed or put in; None if the chain is unbroken."""
        columns = [table.c[name] for name in Link.__dataclass_fields__]
        with self._transaction() as connection:
            state = connection.execute(sa.select(chain_table.c.entries, chain_table.c.head)).first()
            if state is None:
                return chain.Fault(1, "cannot be compared: the row of the chain's head was removed")
            erased = self._erased(connection)
            rows = connection.execute(sa.select(*columns).order_by(table.c.number))
            links = (Link(*row) for row in rows.yield_per(50))
            return chain.first_fault(links, erased, state.entries, state.head)

    def hashes(self) -> dict[str, int]:
        """The number of each record by its hash: to find a head that stands in a report."""
        with self._transaction() as connection:
            return {
                row.hash: row.number for row in connection.execute(sa.select(table.c.hash, table.c.number))
            }

    def entries(
        self, *, upto: int | None = None, kind: Kind | None = None, about: str | None = None
    ) -> list[Entry]:
        """Records that were not erased, oldest first; marks and faults without results.

        Args:
            upto: the number of the last one; None for all.
            kind: only of this kind.
            about: only those of whoever is filed under this name.
        """
        without_result = sa.case(
            (table.c.kind.in_(("mark", "fault")), sa.func.json_remove(table.c.body, "$.result")),
            else_=table.c.body,
        )
        columns = [table.c[name] for name in ("number", "kind", "at", "run", "student", "name")]
        query = sa.select(*columns, without_result.label("said")).where(table.c.body.is_not(None))
        if upto is not None:
            query = query.where(table.c.number <= upto)
        if kind is not None:
            query = query.where(table.c.kind == kind)
        if about is not None:
            students = sa.select(table.c.student).where(table.c.name == about, table.c.student != "")
            names = sa.select(table.c.name).where(table.c.student.in_(students), table.c.name != "")
            query = query.where(table.c.student.in_(students) | table.c.name.in_(names))
        with self._transaction() as connection:
            rows = connection.execute(query.order_by(table.c.number))
            return [
                Entry(row.number, row.kind, row.at, row.run, row.student, row.name, json.loads(row.said))
                for row in rows
            ]

    def current(
        self, *, upto: int | None = None, choose: Choose = standings.last, about: str | None = None
    ) -> dict[str, Standing]:
        """Where each student stands, by key in the order of names.

        Args:
            upto: the number of the last record that is looked at; None for all.
            choose: which attempt counts.
            about: only those who are filed under this name.
        """
        with self._as_it_was_written():
            return standings.current(self.entries(upto=upto, about=about), choose)

    def names(self) -> set[str]:
        """All names that something is or was filed under."""
        with self._transaction() as connection:
            return set(connection.scalars(sa.select(table.c.name).where(table.c.name != "").distinct()))

    def runs(self) -> list[RunSeen]:
        """All runs, oldest first."""
        with self._as_it_was_written():
            return standings.runs(self.entries(kind="run"))

    def end_of(self, run: str) -> int:
        """The number of the last record that belongs to what was known when a run ended.

        Raises:
            UsageError: there is no such run.
        """
        numbers = {one.number: one for one in self.entries(kind="run")}
        starts = [n for n, one in numbers.items() if one.run == run and one.body["event"] == "started"]
        if not starts:
            known = list(dict.fromkeys(one.run for one in numbers.values()))
            raise UsageError(f"there is no run {run!r}", fix=f"There are: {', '.join(known) or 'none'}")
        ends = [n for n, one in numbers.items() if one.run == run and one.body["event"] == "ended"]
        later = [n - 1 for n, one in numbers.items() if n > starts[0] and one.run != run]
        return (ends or later[:1] or [len(self.hashes())])[0]

    def seed(self) -> int | None:
        """The class's seed: that of the first run, or of the last that drew a new one; None before any."""
        found = None
        for run in self.runs():
            if found is None or run.about.new_seed:
                found = run.about.about.seed
        return found

    def course(self) -> str:
        """The text of the course's own choices in the last run; empty for none."""
        runs = self.runs()
        return runs[-1].about.course if runs else ""

    def stored(self, key: ContentKey) -> int | None:
        """The number of the latest mark that depends on the same things, to be used again; None without one.

        The name in its `result` may be another student's: whoever takes it puts in their own.
        """
        query = sa.select(table.c.number).where(
            table.c.content == key.digest, table.c.kind == "mark", table.c.body.is_not(None)
        )
        with self._transaction() as connection:
            return connection.scalar(query.order_by(table.c.number.desc()).limit(1))

    def result(self, entry: int) -> SubmissionResult | None:
        """The whole result of a mark or a fault; None if a fault has none, or it was erased."""
        with self._transaction() as connection:
            body = connection.scalar(sa.select(table.c.body).where(table.c.number == entry))
        return None if body is None else _result(json.loads(body))

    def backup(self, to: Path) -> tuple[str, chain.Fault | None]:
        """Copies the gradebook to one file, in one state also while another process appends.

        Returns:
            the copy's head, and where its chain is broken.

        Raises:
            GradebookError: the copy cannot be written.
        """
        opening.backup(self.path, to)
        with opening.in_words(to), opening.engine(to, "ro").connect() as connection:
            copy = Gradebook(to, connection)
            return copy.head(), copy.verify()

    def _erased(self, connection: Connection) -> set[int]:
        query = sa.select(table.c.body).where(table.c.kind == "forgotten", table.c.body.is_not(None))
        found: set[int] = set()
        for body in connection.scalars(query):
            with suppress(ValidationError):  # one that was changed is found by its digest
                found.update(Forgotten.model_validate_json(body).entries)
        return found

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One consistent state, or one change: all of it or nothing. Within another, it is that one."""
        with self._one_at_a_time, opening.in_words(self.path):
            if self._connection.in_transaction():
                yield self._connection
            else:
                with self._connection.begin():
                    yield self._connection

    @contextmanager
    def _as_it_was_written(self) -> Iterator[None]:
        """GradebookError where a body is not what its kind has."""
        try:
            yield
        except ValidationError as error:
            raise GradebookError(
                f"{plain(self.path)} has a record that is none of this kit's: {explained(error)}",
                fix="gradebook verify shows whether it was changed",
            ) from error


def _result(body: Mapping[str, Any]) -> SubmissionResult | None:
    try:
        return None if body.get("result") is None else SubmissionResult.model_validate(body["result"])
    except ValidationError as error:
        raise GradebookError(
            f"a result in the gradebook is none of this kit's: {explained(error)}"
        ) from error
