"""From what was handed in, a folder or a zip, to a clean folder of plain files.

Careless is forgiven: a folder inside a folder, what macOS and Windows add to a zip, a file too many. What
could do harm (links, devices, paths that climb out, bombs) is left behind and said. The copy that is
graded holds regular files only, within bounds, under the names they had.
"""

import difflib
import errno
import io
import itertools
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from grader.errors import SubmissionError, UsageError
from grader.sandbox.files import opened
from grader.text import plain

MIB = 1024 * 1024
MAX_ENTRIES = 10_000  # looked at in one submission
MAX_FILES = 1_000  # taken
MAX_FILE_BYTES = 16 * MIB
MAX_TOTAL_BYTES = 64 * MIB
MAX_DEPTH = 8
MAX_DIRECTORY_BYTES = 8 * MIB  # of a zip's list of entries, which is read as a whole
MAX_NOTES = 20
_CHUNK = 256 * 1024

# What editors, systems and tools leave behind: never part of the work.
_LITTER = {"__MACOSX", "__pycache__", ".git", ".venv", "venv", "node_modules", ".ipynb_checkpoints", ".nox"}
# Names that say nothing about whose work it is.
_GENERIC = {"assignment", "submission", "src", "work"}
# What lies beside the submissions' folders in results/: the files of a class that exporters write.
RESERVED = {"marks.csv"}

# Folders are opened one below the other, each by its name in the one before and none through a link: whoever
# swaps a folder for a link meanwhile gains nothing. Windows has no such calls: there paths are used, and a
# swap between listing and reading is not noticed.
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.scandir in os.supports_fd and hasattr(os, "O_NOFOLLOW")
_Folder = int | Path  # a descriptor, or a path where there are none for folders
# What opening something gives when it is no longer what it was: gone, a link, a file for a folder, a socket.
_CHANGED = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO}


@dataclass(frozen=True)
class Source:
    """One submission as it was handed in.

    Attributes:
        name: what it is shown and filed under.
        path: a folder or a zip.
        named: whether somebody named this very path: it may then be a link. An entry of a class may not.
    """

    name: str
    path: Path
    named: bool = True


@dataclass(frozen=True)
class Submission:
    """One submission, taken in.

    Attributes:
        name: for tables and file names: one plain line.
        folder: a copy with the task files at its top, regular files only.
        notes: what was tidied or left behind, each a sentence for its author.
        missing: for each task file that is not there, a sentence that says so.
    """

    name: str
    folder: Path
    notes: tuple[str, ...]
    missing: dict[str, str]


def find(paths: Sequence[Path], modules: Sequence[str]) -> list[Source]:
    """The submissions that the given paths hold, in order of name within each path.

    A zip is one submission, and so is a folder with a task file at its top or in a single folder below
    it. Any other folder is a class: each folder and zip in it is one submission, an empty one too. An entry
    that is a link to either, or to nothing, has its place in the list, so that it can be refused by name.

    Raises:
        UsageError: a path does not exist, is neither folder nor zip, or holds nothing that could be graded.
    """
    found: list[Source] = []
    for path in paths:
        if not path.exists():
            raise UsageError(
                f"there is no {plain(path)}",
                fix="Name a folder or a zip, such as: nox -s grade -- solutions",
            )
        found.extend(_find_in(path, modules))
    return _with_distinct_names(found)


def take_in(source: Source, modules: Sequence[str], into: Path) -> Submission:
    """Copies a submission into the empty folder `into` and finds the task files in it.

    Raises:
        SubmissionError: it is a link or a bomb, cannot be read or breaks a bound: it cannot be graded.
    """
    raw = into / "raw"
    raw.mkdir()
    try:
        notes = _read_in(source, raw)
    except OSError as error:
        what = error.filename or source.path.name
        raise SubmissionError(f"{plain(what, 80)} cannot be read: {error.strerror or error}") from error
    top = _task_folder(raw, modules, notes)
    folder = into / "files"
    top.rename(folder)
    missing = {}
    others = sorted(entry.name for entry in folder.iterdir() if entry.name not in modules)
    for module in modules:
        if not (folder / module).is_file():
            near = difflib.get_close_matches(module, others, n=1, cutoff=0.6)
            also = f" There is {plain(near[0], 60)!r}: rename it." if near else ""
            missing[module] = f"The file {module} is missing.{also}"
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"{len(notes) - MAX_NOTES:,} more were left out or tidied."]
    return Submission(source.name, folder, tuple(notes), missing)


def _find_in(path: Path, modules: Sequence[str]) -> list[Source]:
    if path.is_file():
        if not zipfile.is_zipfile(path):
            raise UsageError(
                f"{plain(path)} is neither a folder nor a zip",
                fix="Name the folder that holds " + ", ".join(modules),
            )
        return [Source(plain(path.stem, 80), path)]
    if _holds_a_task(path, modules):
        return [Source(_shown(path), path)]
    children = [
        child
        for child in sorted(path.iterdir())
        if child.name not in _LITTER and not child.name.startswith(".") and _is_handed_in(child)
    ]
    if len(children) == 1 and children[0].is_dir() and children[0].name in _GENERIC:
        # The only way in may itself be a link: that is then what is refused.
        link = children[0].is_symlink()
        return [Source(_shown(path), children[0] if link else path, named=not link)]
    if not children:
        raise UsageError(
            f"{plain(path)} holds no submission: none of {', '.join(modules)}, no folder and no zip",
            fix="Name a submission's folder or zip, or a folder that holds those of a class",
        )
    return [Source(_entry_name(child), child, named=False) for child in children]


def _is_handed_in(entry: Path) -> bool:
    """Whether an entry of a class is a submission: a folder, a zip, or a link but for one to another file."""
    if entry.suffix.lower() == ".zip" or entry.is_dir():
        return True
    return entry.is_symlink() and not entry.is_file()


def _entry_name(entry: Path) -> str:
    is_folder = entry.is_dir() and not entry.is_symlink()
    return plain(entry.stem if entry.suffix.lower() == ".zip" and not is_folder else entry.name, 80)


def _shown(path: Path) -> str:
    resolved = path.resolve()
    return plain(resolved.parent.name if resolved.name in _GENERIC - {"assignment"} else resolved.name, 80)


def _with_distinct_names(found: list[Source]) -> list[Source]:
    """Results are filed under these names, so no two may be alike, on a disk that folds case either."""
    seen = set(RESERVED)
    distinct = []
    for source in found:
        # Nothing that climbs out, hides or means something to a shell.
        base = (
            "".join(c if c.isalnum() or c in " ._-()" else "_" for c in source.name).strip(" .") or "unnamed"
        )
        base = base.encode()[:200].decode(errors="ignore")  # a disk takes 255 bytes, the number included
        name, count = base, 1
        while name.casefold() in seen:
            count += 1
            name = f"{base} ({count})"
        seen.add(name.casefold())
        distinct.append(replace(source, name=name))
    return distinct


def _holds_a_task(folder: Path, modules: Sequence[str]) -> bool:
    return any((folder / module).is_file() for module in modules)


def _read_in(source: Source, target: Path) -> list[str]:
    """Copies or unpacks a submission into the empty folder `target`; returns the notes."""
    is_link = SubmissionError(
        f"{plain(source.path.name, 80)} is a link, and links are not followed",
        fix="Hand in the folder or the zip itself",
    )
    if not _BY_DESCRIPTOR:
        if source.path.is_symlink() and not source.named:
            raise is_link
        return _copy_folder(source.path, target) if source.path.is_dir() else _unpack(source.path, target)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe does not hold the grader up
    try:
        handle = os.open(source.path, flags | (0 if source.named else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK) and not source.named:
            raise is_link from None
        raise
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            return _copy_folder(handle, target)
        if stat.S_ISREG(kind):
            return _unpack(handle, target)
    finally:
        os.close(handle)
    raise SubmissionError(
        f"{plain(source.path.name, 80)} is neither a folder nor a zip",
        fix="Hand in the assignment's folder, or a zip of it",
    )


def _copy_folder(source: _Folder, target: Path) -> list[str]:
    notes: list[str] = []
    taken = _Taken(notes)
    for folder, entry, relative in _walk(source, notes):
        if entry.is_symlink():
            notes.append(f"{plain(relative, 80)} is a link and was left out: hand in the file itself.")
        elif not entry.is_file(follow_symlinks=False):
            notes.append(f"{plain(relative, 80)} is not a regular file and was left out.")
        else:
            _copy_file(entry.name, folder, relative, target, taken)
    return notes


def _copy_file(name: str, folder: _Folder, relative: str, target: Path, taken: "_Taken") -> None:
    with ExitStack() as open_files:
        try:
            handle = open_files.enter_context(_opened_file(name, folder))
        except OSError as error:
            if error.errno not in _CHANGED:
                raise
            taken.notes.append(_changed(relative))
            return
        found = os.fstat(handle)  # what was listed may be something else by now
        if not stat.S_ISREG(found.st_mode):
            taken.notes.append(_changed(relative))
        elif taken.has_room(relative, found.st_size):
            destination = target / relative
            destination.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(handle, "rb", closefd=False) as data, destination.open("wb") as copy:
                taken.copy(data.read(MAX_FILE_BYTES), copy)


def _changed(relative: str) -> str:
    return f"{plain(relative, 80)} changed while it was read and was left out."


@contextmanager
def _opened_file(name: str, folder: _Folder) -> Iterator[int]:
    if isinstance(folder, int):
        with opened(name, os.O_RDONLY | os.O_NONBLOCK, folder) as handle:
            yield handle
    else:
        with io.FileIO(folder / name) as file:
            yield file.fileno()


@contextmanager
def _opened_folder(source: _Folder, parts: Sequence[str]) -> Iterator[_Folder]:
    """A folder some levels below an open one; as many descriptors as levels, and no more, are open for it."""
    if isinstance(source, Path):
        yield source.joinpath(*parts)
        return
    with ExitStack() as open_folders:
        for part in parts:
            source = open_folders.enter_context(opened(part, os.O_RDONLY | os.O_DIRECTORY, source))
        yield source


def _walk(source: _Folder, notes: list[str]) -> Iterator[tuple[_Folder, os.DirEntry[str], str]]:
    """Every entry that is no folder, with the folder it is in and its path from the top.

    Breadth first, so that what lies deep is what a bound leaves out.
    """
    looked_at = 0
    folders: list[tuple[str, ...]] = [()]
    while folders:
        parts = folders.pop(0)
        with ExitStack() as open_folders:
            try:
                folder = open_folders.enter_context(_opened_folder(source, parts))
                listed = open_folders.enter_context(os.scandir(folder))
            except OSError as error:
                if error.errno not in _CHANGED or not parts:
                    raise
                notes.append(_changed("/".join(parts)))
                continue
            # One more than may be looked at is enough to say that there are too many.
            for entry in sorted(itertools.islice(listed, MAX_ENTRIES + 1), key=lambda e: e.name):
                looked_at += 1
                if looked_at > MAX_ENTRIES:
                    raise SubmissionError(
                        f"more than {MAX_ENTRIES:,} files and folders",
                        fix="Hand in the assignment's folder alone, without environments and data",
                    )
                relative = "/".join((*parts, entry.name))
                if _is_litter(entry.name):
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    yield folder, entry, relative
                elif len(parts) < MAX_DEPTH:
                    folders.append((*parts, entry.name))
                else:
                    notes.append(f"{plain(relative, 80)} lies too deep and was left out.")


def _unpack(source: int | Path, target: Path) -> list[str]:
    notes: list[str] = []
    taken = _Taken(notes)
    try:
        with _ZipBytes(source) as data, zipfile.ZipFile(data) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise SubmissionError(
                    f"the zip has {len(entries):,} entries, more than {MAX_ENTRIES:,}",
                    fix="Hand in the assignment's folder alone, without environments and data",
                )
            for entry in entries:
                _unpack_one(archive, entry, target, taken, notes)
    except SubmissionError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise SubmissionError(
            f"the zip cannot be read: {plain(error, 120)}", fix="Make a new zip and try to open it yourself"
        ) from error
    return notes


def _unpack_one(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, taken: "_Taken", notes: list[str]
) -> None:
    name = entry.filename.replace("\\", "/")  # as some Windows tools write them
    path = PurePosixPath(name)
    shown = plain(name, 80)
    if name.endswith("/") or any(_is_litter(part) for part in path.parts):
        return
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if not path.parts:
        notes.append(f"An entry called {shown!r} was left out.")
    elif path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        notes.append(f"{shown} points outside the zip and was left out.")
    elif kind not in (0, stat.S_IFREG):
        notes.append(f"{shown} is a link or a device and was left out: hand in the file itself.")
    elif len(path.parts) > MAX_DEPTH or not _is_usable(name):
        notes.append(f"{shown} has an unusable name and was left out.")
    elif entry.flag_bits & 0x1:
        raise SubmissionError("the zip is encrypted", fix="Make a zip without a password")
    elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Those that zipfile knows besides cannot be unpacked piece by piece: a few bytes may fill the memory.
        raise SubmissionError(
            "the zip is compressed in an unusual way", fix="Make it with the system's own tools, or `zip -r`"
        )
    elif taken.has_room(shown, entry.file_size):
        destination = target / path
        if destination.exists() or any((target / parent).is_file() for parent in path.parents):
            notes.append(f"{shown} is in the zip more than once; the first was taken.")
            return
        destination.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as data, destination.open("wb") as copy:
            # A header may lie about the size: what is read is counted, not what is claimed.
            left = MAX_FILE_BYTES
            while chunk := data.read(min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise SubmissionError(f"{shown} is larger than the zip says")
                taken.copy(chunk, copy)


class _ZipBytes(io.BufferedReader):
    """A zip's bytes, of which zipfile reads one part as a whole: its list of entries, here within bounds."""

    def __init__(self, source: int | Path) -> None:
        super().__init__(io.FileIO(source, closefd=isinstance(source, Path)))

    def read(self, size: int | None = -1, /) -> bytes:
        """As any file's; without a size, what is left: zipfile asks for that within 64 KiB of the end."""
        if size is None or size < 0:
            size = _CHUNK
        if size > MAX_DIRECTORY_BYTES:
            raise SubmissionError(
                f"the zip's list of entries has more than {MAX_DIRECTORY_BYTES // MIB} MiB",
                fix="Hand in the assignment's folder alone, without environments and data",
            )
        return super().read(size)


class _Taken:
    """Counts what has been taken and says when there is no more room."""

    def __init__(self, notes: list[str]) -> None:
        self.notes, self.files, self.bytes = notes, 0, 0

    def has_room(self, shown: str, size: int) -> bool:
        if size > MAX_FILE_BYTES:
            self.notes.append(f"{plain(shown, 80)} is over {MAX_FILE_BYTES // MIB} MiB and was left out.")
            return False
        self.files += 1
        if self.files > MAX_FILES:
            raise SubmissionError(
                f"more than {MAX_FILES:,} files", fix="Hand in the assignment's folder alone"
            )
        return True

    def copy(self, chunk: bytes, target: BinaryIO) -> None:
        self.bytes += len(chunk)
        if self.bytes > MAX_TOTAL_BYTES:
            raise SubmissionError(
                f"more than {MAX_TOTAL_BYTES // MIB} MiB in all", fix="Hand in the assignment's folder alone"
            )
        target.write(chunk)


def _is_litter(name: str) -> bool:
    return name in _LITTER or name.startswith("._") or name in {".DS_Store", "Thumbs.db", "desktop.ini"}


def _is_usable(name: str) -> bool:
    return all(len(part.encode()) <= 200 for part in name.split("/")) and plain(name, 2000) == name


def _task_folder(raw: Path, modules: Sequence[str], notes: list[str]) -> Path:
    """The shallowest folder with a task file; the one with most of them where several are as shallow."""
    level = [raw]
    for _ in range(MAX_DEPTH + 1):
        ranked = sorted(
            (folder for folder in level if _holds_a_task(folder, modules)),
            key=lambda folder: (-sum((folder / m).is_file() for m in modules), str(folder)),
        )
        if ranked:
            if len(ranked) > 1:
                notes.append(
                    f"Several folders hold task files; {plain(ranked[0].relative_to(raw), 80)!r} was graded."
                )
            return ranked[0]
        level = [child for folder in level for child in sorted(folder.iterdir()) if child.is_dir()]
    return raw


def remove(folder: Path) -> None:
    """Removes what was taken in, whatever modes it has."""
    shutil.rmtree(folder, ignore_errors=True)
