"""Copies of the files that a mark is for, in <out>/<name>/submission/: what pages and comparisons show.

Nobody has to go back to what was handed in, which may be another by then. The digest of the mark is over
these very files, except where they were so many that the task files alone are kept.
"""

import filecmp
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "submission"
STAGING = ".deriving-"  # what begins so in a folder of results is swept by the next writer


def place(out: Path, name: str, files: Path) -> None:
    """Puts copies of all files below a folder into <out>/<name>/submission/, in place of what was there.

    They are copied beside it first and then moved: whoever reads finds the files of one mark, or none.

    Raises:
        OSError: they cannot be written; what was there is left.
    """
    target = out / name / FOLDER
    if _alike(files, target):
        return
    (out / name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=STAGING, dir=out) as staged:
        made, old = Path(staged, FOLDER), Path(staged, "old")
        shutil.copytree(files, made, copy_function=shutil.copyfile)
        if os.path.lexists(target):
            target.rename(old)
        made.rename(target)


def remove(folder: Path) -> None:
    """Removes them from <out>/<name>/; OSError if that cannot be."""
    target = folder / FOLDER
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)


def _alike(files: Path, target: Path) -> bool:
    """Whether the very same files are there."""
    if target.is_symlink() or not target.is_dir():
        return False
    wanted, there = _below(files), _below(target)
    return wanted == there and filecmp.cmpfiles(files, target, wanted, shallow=False)[0] == wanted


def _below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
