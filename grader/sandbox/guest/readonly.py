"""Refuses in every engine what a sandbox's file system refuses to write, in the same words.

For fidelity, not for security: a student's own files are checked without a sandbox, and code that writes
beside them would work there and fail where it is graded. A submission can undo it, and libraries that open
files in C (HDF5, SQLite) pass it by.
"""

import errno
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Change(NamedTuple):
    """An event of Python's audit that changes files.

    Attributes:
        changed: of each path that is changed, the position among the event's arguments, and that of the
            descriptor of the folder that the path is relative to, if there may be one.
        named: the positions of the paths that the system's message names.
        makes: whether it fails for another reason where something is there already.
    """

    changed: tuple[tuple[int, int | None], ...]
    named: tuple[int, ...] = (0,)
    makes: bool = False


CHANGES = {
    "open": Change(((0, None),)),
    "os.mkdir": Change(((0, 2),), makes=True),
    "os.rename": Change(((0, 2), (1, 3)), named=(0, 1)),
    "os.remove": Change(((0, 1),)),
    "os.rmdir": Change(((0, 1),)),
    "os.link": Change(((1, 3),), named=(0, 1), makes=True),
    "os.symlink": Change(((1, 2),), named=(0, 1), makes=True),
    "os.truncate": Change(((0, None),)),
    "os.chmod": Change(((0, 2),)),
    "os.utime": Change(((0, 3),)),
}


def refuse(submission: Path, output: Path) -> None:
    """From here on, nothing can be written but in temporary folders, the home folder and the output.

    Args:
        submission: nothing in this folder is writable, even where it lies in a temporary folder.
        output: the harness's own folder.
    """
    writable = [Path(tempfile.gettempdir()), Path("/tmp"), Path.home(), Path("/dev"), Path("/proc"), output]  # noqa: S108
    folders = [folder.resolve() for folder in writable]
    own = submission.resolve()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        # Called for every import and every look at a file: the cheap questions first.
        if event not in CHANGES or (event == "open" and not (arguments[2] or 0) & WRITING):
            return
        change = CHANGES[event]
        for position, relative in change.changed:
            path = _path(arguments[position], -1 if relative is None else arguments[relative])
            if path is None or _fails_anyway(event, path):
                continue
            if path.is_relative_to(own) or not any(path.is_relative_to(folder) for folder in folders):
                names = [arguments[position] for position in change.named]
                raise OSError(errno.EROFS, "Read-only file system", names[0], None, *names[1:])

    sys.addaudithook(hook)


def _path(named: Any, folder: int | None) -> Path | None:
    """What would be changed, links on the way to it resolved; None for a file that is open already."""
    if not isinstance(named, str | bytes | os.PathLike):
        return None
    path = Path(os.fsdecode(named))
    if folder not in (None, -1):
        path = Path("/proc/self/fd", str(folder), path)
    return path.parent.resolve() / path.name


def _fails_anyway(event: str, path: Path) -> bool:
    """Whether the system has another complaint, which comes first in a sandbox as well."""
    if not path.parent.is_dir() or (event == "open" and path.is_dir()):
        return True
    return CHANGES[event].makes and (path.exists() or path.is_symlink())
