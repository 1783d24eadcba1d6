"""Appending to a gradebook: each append is one transaction.

What an append returned from is on the disk, and what was killed half-way is not there.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import sqlalchemy as sa
from sqlalchemy import Connection

from grader.errors import UsageError
from grader.gradebook import chain, opening
from grader.gradebook.reading import Gradebook
from grader.gradebook.records import (
    ContentKey,
    Faulted,
    Forgotten,
    Kind,
    Marked,
    Overridden,
    RunEnded,
    RunStarted,
    Submitted,
)
from grader.gradebook.schema import chain as chain_table
from grader.gradebook.schema import entries as table
from grader.results.record import Run, SubmissionResult
from grader.text import plain
from lab.strict import Strict


class Writer(Gradebook):
    """Reads and appends. May be used from several threads.

    Attributes:
        upgraded: the copy that was made of an older file before its tables were changed; None if it was not
            older.
    """

    def __init__(self, path: Path, connection: Connection, upgraded: Path | None = None) -> None:
        super().__init__(path, connection)
        self.upgraded = upgraded

    @contextmanager
    def together(self) -> Iterator[Self]:
        """Makes all appends within it one transaction: all are there or none."""
        with self._transaction():
            yield self

    def begin_run(
        self,
        *,
        command: str,
        kit: str,
        about: Run,
        pins: Mapping[str, str] | None = None,
        new_seed: bool = False,
        course: str = "",
    ) -> str:
        """Records that a run begins; returns its id: "1" for the first, and so on."""
        with self._transaction() as connection:
            count = sa.select(sa.func.count(sa.distinct(table.c.run))).where(table.c.kind == "run")
            run = str(1 + (connection.scalar(count) or 0))
            body = RunStarted(
                command=command, kit=kit, pins=pins or {}, new_seed=new_seed, course=course, about=about
            )
            self._append("run", body, run=run)
        return run

    def end_run(self, run: str, how: str) -> None:
        """Records how a run ended: "finished", "stopped by Ctrl-C", or what failed."""
        self._append("run", RunEnded(how=how), run=run)

    def submitted(self, run: str, attempts: Sequence[Submitted]) -> None:
        """Records what was handed in: one a student and attempt, all in one transaction."""
        with self._transaction():
            for one in attempts:
                self._append("submission", one, run=run, student=one.student.key, name=one.name)

    def marked(self, run: str, name: str, *, attempt: int, key: ContentKey, result: SubmissionResult) -> bool:
        """Records a mark, unless the last record of that submission is this mark.

        Args:
            run: its id.
            name: that the submission is filed under.
            attempt: its number.
            key: all that the mark depends on.
            result: with a mark, named `name`.

        Returns:
            whether there was something to record.

        Raises:
            ValueError: the result has no mark; `failed` is for those.
        """
        if not result.has_mark or not result.tasks:
            raise ValueError(f"{name} has no mark")
        said = Marked(
            attempt=attempt,
            key=key,
            points={task.task: (task.points, task.max_points) for task in result.tasks},
            result=result.model_dump(mode="json"),
        )
        last = (
            sa.select(table.c.kind, table.c.content)
            .where(table.c.name == name, table.c.kind.in_(("mark", "fault")))
            .order_by(table.c.number.desc())
        )
        with self._transaction() as connection:
            row = connection.execute(last.limit(1)).first()
            if row is not None and (row.kind, row.content) == ("mark", key.digest):
                return False
            self._append("mark", said, run=run, name=name, content=key.digest)
        return True

    def failed(
        self,
        run: str,
        name: str,
        *,
        attempt: int,
        files: str,
        message: str,
        result: SubmissionResult | None = None,
    ) -> None:
        """Records that the machine failed on a submission: an earlier mark stays, marked as not renewed."""
        dumped = None if result is None else result.model_dump(mode="json")
        said = Faulted(attempt=attempt, files=files, message=message, result=dumped)
        self._append("fault", said, run=run, name=name)

    def override(self, student: str, task: str, points: float | None, *, who: str, why: str) -> None:
        """Records that a person changes the points of a task; None takes that back. student: the key."""
        self._append("override", Overridden(task=task, points=points, who=who, why=why), student=student)

    def forget(self, student: str, *, who: str) -> list[str]:
        """Erases what was recorded of a student, and records that; the chain stays unbroken.

        What a group has in common stays for its other members.

        Args:
            student: the key.
            who: did it.

        Returns:
            the names under which nobody's results are filed any more.

        Raises:
            UsageError: nothing was recorded of such a student.
        """
        with self._transaction() as connection:
            own = sa.select(table.c.number, table.c.name).where(table.c.student == student)
            rows = connection.execute(own).all()
            if not rows:
                raise UsageError(f"there is nothing of {student!r} in {plain(self.path)}")
            others = sa.select(table.c.name).where(table.c.student != student, table.c.kind == "submission")
            left = {row.name for row in rows if row.name} - set(connection.scalars(others))
            of_names = sa.select(table.c.number).where(table.c.name.in_(left))
            numbers = sorted({row.number for row in rows} | set(connection.scalars(of_names)))
            connection.execute(
                sa.update(table)
                .where(table.c.number.in_(numbers))
                .values(student="", name="", salt=None, body=None, content=None)
            )
            self._append("forgotten", Forgotten(entries=tuple(numbers), who=who))
        self._overwrite()
        return sorted(left)

    def _append(
        self,
        kind: Kind,
        said: Strict,
        *,
        run: str = "",
        student: str = "",
        name: str = "",
        content: str | None = None,
    ) -> None:
        body = json.loads(said.model_dump_json())
        salt = secrets.token_hex(16)
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        digest = chain.digest(student, name, salt, body)
        with self._transaction() as connection:
            state = connection.execute(sa.select(chain_table.c.entries, chain_table.c.head)).one()
            number, linked = state.entries + 1, chain.link(state.head, kind, at, run, digest)
            connection.execute(
                sa.insert(table).values(
                    number=number,
                    kind=kind,
                    at=at,
                    run=run,
                    student=student,
                    name=name,
                    salt=salt,
                    body=chain.canonical(body),
                    digest=digest,
                    hash=linked,
                    content=content,
                )
            )
            connection.execute(sa.update(chain_table).values(entries=number, head=linked))

    def _overwrite(self) -> None:
        """Leaves nothing of what was erased in the file or its WAL."""
        with self._one_at_a_time, opening.in_words(self.path):
            raw = self._connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                raw.execute(statement).fetchall()
