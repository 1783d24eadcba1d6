"""From what was handed in to a clean folder of plain files.

Careless is forgiven: a folder inside a folder, an archive in an archive, what macOS and Windows add to a zip,
a file too many, a name that a browser changed. What could do harm (links, devices, paths that climb out,
bombs) is left behind and said. The copy that is graded holds regular files only, within bounds.
"""

import hashlib
import io
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from grader import scratch
from grader.errors import SubmissionError
from grader.intake import archives, bounds
from grader.intake.assembling import all_files, assemble
from grader.intake.bounds import MAX_INNER, MAX_LEVELS, MAX_NOTES, Taken
from grader.intake.copying import Needed, copy_in, unpack
from grader.intake.model import Source, Submission
from grader.intake.naming import is_task_like
from grader.intake.sources import to_utf8
from grader.text import plain


def take_in(source: Source, modules: Sequence[str], into: Path) -> Submission:
    """Copies a submission into the empty folder `into` and finds the task files in it.

    Raises:
        SubmissionError: it is a link or a bomb, cannot be read, breaks a bound or holds no task file: it
            cannot be graded.
        GraderFault: there is no room for the copy.
    """
    raw = into / "raw"
    raw.mkdir()
    notes: list[str] = []
    taken = Taken(notes, bounds.SUBMISSION)

    def needed(path: str) -> bool:
        name = path.rsplit("/", 1)[-1]
        return is_task_like(name, modules) or bool(archives.suffix(name))

    try:
        levels = _copy_parts(source, raw, taken, needed)
        _open_inner(raw, levels, modules, taken, needed)
    except OSError as error:
        if (fault := scratch.no_room(error)) is not None:
            raise fault from error
        what = error.filename or source.path.name
        raise SubmissionError(f"{plain(what, 80)} cannot be read: {error.strerror or error}") from error
    top, missing = assemble(raw, modules, notes)
    folder = into / "files"
    top.rename(folder)
    for file in all_files(folder):
        if file.suffix == ".py" and (said := to_utf8(folder, str(file))):
            notes.append(said)
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"{len(notes) - MAX_NOTES:,} more were left out or tidied."]
    return Submission(source.name, folder, tuple(notes), missing)


def digest(taken: Submission) -> str:
    """SHA-256 over the files that are graded, their names and bytes, hexadecimal."""
    whole = hashlib.sha256()
    for file in sorted(all_files(taken.folder)):
        content = (taken.folder / file).read_bytes()
        whole.update(f"{PurePosixPath(file)}\0{len(content)}\0".encode(errors="surrogateescape"))
        whole.update(content)
    return whole.hexdigest()


def remove(folder: Path) -> None:
    """Removes what was taken in, whatever modes it has."""
    shutil.rmtree(folder, ignore_errors=True)


def _copy_parts(source: Source, raw: Path, taken: Taken, needed: Needed) -> int:
    """Copies all that a submission consists of; returns how many levels of archives were opened for it."""
    if not source.parts:
        copy_in(source.path, raw, taken, needed, named=source.named)
        return 0 if source.path.is_dir() else 1
    failed: list[SubmissionError] = []
    for part in source.parts:
        under = part.under
        if under and (raw / under).exists():  # two files of one name: which is meant is for `assemble`
            under = f"{_free(raw, Path(under).stem).name}/{under}"
        try:
            copy_in(part.path, raw, taken, needed, named=False, under=under)
        except SubmissionError as error:
            # One of several files is not all of the work.
            failed.append(error)
            taken.notes.append(f"{plain(part.path.name, 80)} was left out: {error.message}.")
    if len(failed) == len(source.parts):
        raise failed[0]
    return 0


def _open_inner(raw: Path, levels: int, modules: Sequence[str], taken: Taken, needed: Needed) -> None:
    """Unpacks archives among the files, each into a folder beside it, while a task file is missing."""
    notes = taken.notes
    inner = {raw / file: levels for file in all_files(raw) if archives.suffix(file.name)}
    failed: list[SubmissionError] = []
    opened = 0
    while inner:
        if opened == MAX_INNER:
            notes.append(f"{len(inner):,} more archives were not opened.")
            break
        path, above = next(iter(inner.items()))
        del inner[path]
        shown = plain(path.relative_to(raw).as_posix(), 80)
        names = [file.name for file in all_files(raw)]
        if all(module in names for module in modules):
            notes.append(f"{shown} was not opened: every task file lies beside it.")
            continue
        if (what := archives.REFUSED.get(archives.suffix(path.name))) is not None:
            notes.append(archives.refusal(shown, what) + ".")
            continue
        if above >= MAX_LEVELS:
            notes.append(f"{shown} was not opened: it lies in an archive in an archive.")
            continue
        target = _free(path.parent, archives.stem(path.name) or path.name)
        target.mkdir()
        opened += 1
        try:
            with io.FileIO(path) as file, taken.trying():
                unpack(file, target, taken, needed)
        except SubmissionError as error:
            failed.append(error)
            shutil.rmtree(target)
            notes.append(f"{shown} was left out: {error.message}.")
            continue
        path.unlink()
        inner.update({target / f: above + 1 for f in all_files(target) if archives.suffix(f.name)})
    if failed and not any(needed(file.name) and not archives.suffix(file.name) for file in all_files(raw)):
        raise failed[0]


def _free(folder: Path, name: str) -> Path:
    """A path in a folder of the grader's own that nothing has yet."""
    path, count = folder / name, 1
    while path.exists():
        count += 1
        path = folder / f"{name} ({count})"
    return path
