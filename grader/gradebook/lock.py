"""One writer at a time, and the next one learns who it is.

The lock is SQLite's own, on a small file beside the gradebook: the holder keeps a write transaction open
there, in which nothing is written. The operating system ends it with the process, however that ends, so that
no lock is ever left over; the file itself means nothing. Others can still read who holds it.
"""

import os
import secrets
import socket
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from grader.errors import GradebookError
from grader.text import plain

_RETRY = 0.1  # seconds


class WriterLock:
    """The right to append to one gradebook, until it is released or this process ends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def acquire(cls, path: Path, *, wait: float, command: str) -> Self:
        """Takes the lock.

        Args:
            path: of the lock's file, which is made if need be.
            wait: how many seconds to wait for another writer.
            command: what others are shown as the holder's.

        Raises:
            GradebookError: another process has it, or the file cannot be written.
        """
        until = time.monotonic() + wait
        try:
            # Other threads of this process may release it.
            connection = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        try:
            while not _taken(connection, path, command):
                if time.monotonic() >= until:
                    raise GradebookError(
                        f"{plain(path.parent)} is in use by another process, {_holder(path)}",
                        fix="Wait until it has ended, or stop it; gradebook -- show works all the time",
                    )
                time.sleep(_RETRY)
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def release(self) -> None:
        """Lets the next one in; may be called twice."""
        self._connection.close()


def _taken(connection: sqlite3.Connection, path: Path, command: str) -> bool:
    """Whether the lock could be taken: signs in, then keeps a transaction open if nobody came between."""
    token = secrets.token_hex(8)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS holder (token, pid, host, since, command)")
        connection.execute("DELETE FROM holder")
        connection.execute(
            "INSERT INTO holder VALUES (?, ?, ?, ?, ?)",
            (token, os.getpid(), socket.gethostname(), since, plain(command)),
        )
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT token FROM holder").fetchone() == (token,):
            return True
    except sqlite3.Error as error:
        if not _busy(error):
            raise _unusable(path, error) from error
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    return False


def _holder(path: Path) -> str:
    """Who has the lock, in words."""
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            pid, host, since, command = connection.execute(
                "SELECT pid, host, since, command FROM holder"
            ).fetchone()
    except (sqlite3.Error, TypeError):
        return "which has just begun"
    where = "" if host == socket.gethostname() else f" on {host}"
    return f"{pid}{where}, since {since.replace('T', ' ').replace('+00:00', ' UTC')}: {command}"


def _busy(error: sqlite3.Error) -> bool:
    return "locked" in str(error)


def _unusable(path: Path, error: sqlite3.Error) -> GradebookError:
    if "full" in str(error):
        return GradebookError(f"{plain(path)} cannot be written: the disk is full", fix="Free some space")
    return GradebookError(
        f"{plain(path)} cannot be used as a lock: {error}",
        fix="Results need a folder that can be written, on a file system with locks; the file may be deleted",
    )
