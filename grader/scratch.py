"""Scratch folders, which the next run removes if the one that made them was killed.

    with scratch.Folder("probe") as name:
        ...

Whoever has made one holds a lock on it (flock) for as long as it lives: the system lets go of it however a
process ends, SIGKILL too. `sweep` removes those that nobody holds. A process in another container that
shares the disk holds its lock as well, which a process number in the name could not say.
"""

import errno
import os
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.errors import GraderFault

try:
    import fcntl
except ImportError:  # Windows has none: nothing is swept there
    fcntl = None  # type: ignore[assignment]

PREFIX = "kit-scratch-"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Folder(tempfile.TemporaryDirectory[str]):
    """A folder that is removed in the end, whatever modes what is in it has; as a context, its path.

    Args:
        what: it is for; a part of its name.
        within: the folder that it is made in; None for the system's own.
    """

    def __init__(self, what: str, within: Path | None = None) -> None:
        while True:
            super().__init__(prefix=f"{PREFIX}{what}-", dir=within, ignore_cleanup_errors=True)
            if fcntl is None:
                return
            try:
                handle = os.open(self.name, os.O_RDONLY)
            except FileNotFoundError:  # swept before it was locked
                super().cleanup()
                continue
            weakref.finalize(self, os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if Path(self.name).exists():
                return
            super().cleanup()


def sweep(within: Path | None = None) -> int:
    """Removes the scratch folders of this user's that no living process holds; returns how many.

    Args:
        within: where; None for the system's folder of temporary files.
    """
    if fcntl is None:
        return 0
    removed = 0
    with suppress(OSError), os.scandir(within or tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with suppress(OSError), _held(entry.path) as is_dead:
                    if is_dead:
                        remove(Path(entry.path))
                        removed += 1
    return removed


@contextmanager
def room() -> Iterator[None]:
    """Says in words that there is no room for temporary files: a fault of the machine, and nobody's work.

    Raises:
        GraderFault: the disk is full, or has no folder for them; other errors as they are.
    """
    try:
        yield
    except OSError as error:
        if (fault := no_room(error)) is None:
            raise
        raise fault from error


def no_room(error: OSError) -> GraderFault | None:
    """The fault where there is no room for temporary files; None where an error says another thing."""
    if isinstance(error, shutil.Error):  # of many files: each with its own reason, in words
        if os.strerror(errno.ENOSPC) not in str(error) and os.strerror(errno.EDQUOT) not in str(error):
            return None
        why = os.strerror(errno.ENOSPC)
    elif error.errno in _FULL:
        why = error.strerror or os.strerror(errno.ENOSPC)
    elif error.errno == errno.ENOENT and "temporary" in str(error):  # as tempfile says it
        return GraderFault(f"{error.strerror}", fix=_FIX)
    else:
        return None
    return GraderFault(f"{why}; temporary files lie in {tempfile.gettempdir()}", fix=_FIX)


def why(error: OSError) -> str:
    """An error in words, with the place where there is no room."""
    fault = no_room(error)
    return fault.message if fault else str(error)


_FIX = (
    "Free some space there, or name another folder in the environment variable TMPDIR, and run the same "
    "command again: it goes on from there"
)


def remove(folder: Path) -> None:
    """Removes a folder, whatever modes what is in it has."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for where, _, _ in os.walk(folder):  # top down: what is made readable here is looked into next
            with suppress(OSError), os.scandir(where) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        Path(entry.path).chmod(stat.S_IRWXU)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(path: str) -> Iterator[bool]:
    """Holds a folder if nobody else does; others' folders, and links, are left alone."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(handle).st_uid != os.geteuid():
            yield False
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)
