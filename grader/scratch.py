"""Scratch folders, which the next run removes if the one that made them was killed.

    with scratch.Folder("probe") as name:
        ...

Whoever has made one holds a lock on it (flock) for as long as it lives: the system lets go of it however a
process ends, SIGKILL too. `sweep` removes those that nobody holds. A process in another container that
shares the disk holds its lock as well, which a process number in the name could not say.
"""

import os
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none: nothing is swept there
    fcntl = None  # type: ignore[assignment]

PREFIX = "kit-scratch-"


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
