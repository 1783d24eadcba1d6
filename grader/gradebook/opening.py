"""The file of a gradebook: how it is opened, brought to today's tables, copied, and what its errors mean.

WAL lets others read while a run appends, and `synchronous = FULL` has a record on the disk before it counts.
The sqlite3 module's own transactions are switched off, since they begin late and end early: one that may
write begins with BEGIN IMMEDIATE, so that it waits at its start or not at all, and a change of tables can be
rolled back. SQLAlchemy's pages on SQLite describe it.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from grader.errors import GradebookError
from grader.gradebook.schema import LATEST
from grader.text import plain

Access = Literal["ro", "rw", "rwc"]
_BUSY_SECONDS = 10  # how long SQLite waits for another connection's transaction, which is a few milliseconds


def engine(path: Path, access: Access) -> Engine:
    """An engine whose every connection is a new one.

    Args:
        path: of the gradebook.
        access: "ro" for reading, "rw" for appending, "rwc" to make it as well.
    """
    address = f"file:{quote(str(path.absolute()))}?mode={access}"
    if access == "ro" and _never_written(path):
        address += "&immutable=1"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        if access != "ro":
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        return connection

    made = sa.create_engine("sqlite://", creator=connect, poolclass=NullPool)
    begin = "BEGIN" if access == "ro" else "BEGIN IMMEDIATE"
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
    return made


def version(path: Path) -> str:
    """The version of its tables; empty if there are none yet.

    Raises:
        GradebookError: it is no gradebook, or one of a newer kit.
    """
    if not path.exists() or path.stat().st_size == 0:
        return ""
    with in_words(path), engine(path, "ro").connect() as connection:
        tables = set(connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'table'")))
        if not tables:
            return ""
        if "alembic_version" not in tables:
            raise GradebookError(
                f"{plain(path)} is no gradebook of this kit", fix="Name the folder of results"
            )
        found = str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))
    if found > LATEST:
        raise GradebookError(
            f"{plain(path)} has tables of version {found}, and this kit knows those up to {LATEST}",
            fix="Use the newer kit that wrote it",
        )
    return found


def upgrade(path: Path) -> Path | None:
    """Brings a gradebook to today's tables, or makes it: in one transaction. The caller has the lock.

    Returns:
        the copy of the older file that was made beside it; None if there was nothing to copy.
    """
    found = version(path)
    if found == LATEST:
        return None
    copy = None
    if found:
        copy = path.with_name(f"{path.name}.before-{LATEST}")
        backup(path, copy)
    from alembic import command  # takes long to import, and is needed once in the life of a file
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "grader.gradebook:migrations")
    config.set_main_option("path_separator", "os")
    with in_words(path), engine(path, "rwc").connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, LATEST)
    return copy


def backup(path: Path, to: Path) -> None:
    """Copies a gradebook, in one consistent state also while a run appends to it; replaces `to` at once."""
    half = to.with_name(f".{to.name}.half")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        half.unlink(missing_ok=True)  # of one that was killed
        with in_words(path), engine(path, "ro").connect() as connection:
            source = connection.connection.dbapi_connection
            assert isinstance(source, sqlite3.Connection)
            with in_words(to), closing(sqlite3.connect(half)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")  # one file, to be carried elsewhere
        with half.open("rb") as file:
            os.fsync(file.fileno())
        half.replace(to)
    except OSError as error:
        raise GradebookError(f"{plain(to)} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            half.unlink()


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into a GradebookError that says what to do."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        original = str(error.orig if isinstance(error, DBAPIError) else error)
        for sign, (what, fix) in _MEANINGS.items():
            if sign in original:
                raise GradebookError(f"{plain(path)} {what}", fix=fix) from error
        raise GradebookError(f"{plain(path)}: {original}") from error


_MEANINGS = {
    "disk is full": (
        "could not be written: the disk is full. What was recorded before is safe",
        "Free some space and run the same command again: it goes on from there",
    ),
    "disk I/O error": (
        "could not be read or written: the disk failed or is full. What was recorded before is safe",
        "Check the disk and run the same command again",
    ),
    "readonly": ("cannot be written", "Make it and its folder writable, or name another with --out"),
    "unable to open": (
        "cannot be opened, or its folder cannot be written",
        "Make the folder writable, or name another with --out",
    ),
    "locked": ("is in use by another program", "Close what has it open, such as a database browser"),
    "not a database": ("is no gradebook", "Name the folder of results, or put it aside"),
    "malformed": ("is damaged", "Restore a backup; put this file aside and keep it"),
}


def _never_written(path: Path) -> bool:
    """Whether nobody here can write beside the file, so that it cannot have the shared memory of WAL."""
    wal = path.with_name(f"{path.name}-wal")
    return not os.access(path.parent, os.W_OK) and not (wal.exists() and wal.stat().st_size)
