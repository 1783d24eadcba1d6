"""Reads what was kept of each student: <out>/<name>/submission/*.py, as text, within bounds."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from grader.similar.model import Work

FOLDER = "submission"
MOST_BYTES = 200_000  # of a file: a task file that somebody wrote has some 20,000
MOST_FILES = 40


def kept(out: Path, names: Iterable[str]) -> tuple[list[Work], list[str]]:
    """The kept files of students.

    Args:
        out: the folder of results.
        names: what results are filed under; a name that leads out of the folder has no files.

    Returns:
        those who have any; and a sentence for each file that was left out.
    """
    works, left_out = [], []
    for name in dict.fromkeys(names):
        folder = out / name / FOLDER
        if Path(name).name != name or folder.is_symlink() or not folder.is_dir():
            continue
        paths = sorted(folder.glob("*.py"))
        files = {}
        for path in paths[:MOST_FILES]:
            try:
                files[path.name] = _text(path)
            except (OSError, ValueError) as error:
                left_out.append(f"{name}, {path.name}: {_reason(error)}")
        if len(paths) > MOST_FILES:
            left_out.append(f"{name}: {len(paths)} files, of which {MOST_FILES} are compared")
        if files:
            works.append(Work(name=name, files=files))
    return works, left_out


def handed_out(folder: Path) -> dict[str, str]:
    """The text of the stubs, by name; what they have is nobody's copy."""
    return {path.name: _text(path) for path in sorted(folder.glob("*.py"))}


def _text(path: Path) -> str:
    """A regular file's text with one kind of line end; ValueError if it is too large or no plain file."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("not a plain file")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES // 1000} kB")
    text = content.decode("utf-8-sig", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or "it cannot be read"
