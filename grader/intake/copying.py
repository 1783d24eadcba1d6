"""Copies folders, archives and files of a submission: regular files within bounds, and no link followed."""

import errno
import io
import itertools
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from grader.errors import SubmissionError
from grader.intake import archives
from grader.intake.bounds import (
    ALONE,
    CHUNK,
    MAX_DEPTH,
    Listed,
    Taken,
    fitting,
    is_environment,
    is_litter,
    is_of_environment,
)
from grader.sandbox.files import opened
from grader.text import plain

# Folders are opened one below the other, each by its name in the one before and none through a link: whoever
# swaps a folder for a link meanwhile gains nothing. Windows has no such calls: there paths are used, and a
# swap between listing and reading is not noticed.
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.scandir in os.supports_fd and hasattr(os, "O_NOFOLLOW")
_Folder = int | Path  # a descriptor, or a path where there are none for folders
# What opening something gives when it is no longer what it was: gone, a link, a file for a folder, a socket.
_CHANGED = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO}
_FULL_FOLDERS = 20  # folders of more files than are taken, that are listed up to there

Needed = Callable[[str], bool]  # whether a file's path says that it may be needed


def copy_in(path: Path, target: Path, taken: Taken, needed: Needed, *, named: bool, under: str = "") -> None:
    """Copies or unpacks what lies at a path.

    Args:
        path: a folder, an archive or, with `under`, any file.
        target: the folder for it; parts of a submission share one.
        taken: counts, and gets the notes.
        needed: files that are kept where not all has room.
        named: the path may be a link.
        under: where in the target it goes. A file with it is copied, and not unpacked.

    Raises:
        SubmissionError: it is a link, nothing that is read, or breaks a bound.
        OSError: it cannot be read.
    """
    is_link = SubmissionError(
        f"{plain(path.name, 80)} is a link, and links are not followed",
        fix="Hand in the folder or the zip itself",
    )
    if not _BY_DESCRIPTOR:
        if path.is_symlink() and not named:
            raise is_link
        if path.is_dir():
            _copy_folder(path, target / under, taken, needed)
            return
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    try:  # a pipe does not hold the grader up
        handle = os.open(path, flags | (0 if named else getattr(os, "O_NOFOLLOW", 0)))
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK) and not named:
            raise is_link from None
        raise
    try:
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            _copy_folder(handle, target / under, taken, needed)
        elif not stat.S_ISREG(found.st_mode):
            raise SubmissionError(
                f"{plain(path.name, 80)} is neither a folder nor a zip",
                fix="Hand in the assignment's folder, or a zip of it",
            )
        elif under:
            packed = _is_packed(under)
            if taken.has_room(under, found.st_size, packed=packed):
                _write(handle, target / under, taken, packed=packed)
        else:
            with io.FileIO(handle, closefd=False) as file:
                if (what := archives.kind(file)) in archives.REFUSED.values():
                    raise SubmissionError(archives.refusal(path.name, what))
                unpack(file, target, taken, needed)
    finally:
        os.close(handle)


def unpack(file: io.FileIO, target: Path, taken: Taken, needed: Needed) -> None:
    """Unpacks an archive.

    Raises:
        SubmissionError: see `archives.opened`.
    """
    with archives.opened(file, taken.bounds) as archive:
        taken.notes.extend(archive.notes)
        chosen = fitting(
            [Listed(entry.path, entry.size) for entry in archive.entries],
            [needed(entry.path) for entry in archive.entries],
            taken,
        )
        entries = [
            entry
            for entry in archive.entries
            if entry.path in chosen and taken.has_room(entry.path, entry.size, packed=_is_packed(entry.path))
        ]
        wanted = archives.places(archive, entries, target, taken.notes)

        def write(shown: str, data: BinaryIO, copy: BinaryIO) -> None:
            # A header may lie about the size: what is read is counted, not what is claimed.
            packed = _is_packed(shown)
            left = taken.bounds.packed_bytes if packed else taken.bounds.file_bytes
            while chunk := data.read(min(CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise SubmissionError(f"{plain(shown, 80)} is larger than the {archive.kind} says")
                taken.copy(chunk, copy, packed=packed)

        archives.copy_out(archive, wanted, write)


def _copy_folder(source: _Folder, target: Path, taken: Taken, needed: Needed) -> None:
    found: list[tuple[tuple[str, ...], str, int]] = []  # the folder's parts, the file's name and its size
    for parts, entry in _walk(source, taken, needed):
        relative = "/".join((*parts, entry.name))
        if entry.is_symlink():
            taken.notes.append(f"{plain(relative, 80)} is a link and was left out: hand in the file itself.")
        elif not entry.is_file(follow_symlinks=False):
            taken.notes.append(f"{plain(relative, 80)} is not a regular file and was left out.")
        else:
            try:
                size = entry.stat(follow_symlinks=False).st_size
            except OSError:
                size = 0  # gone by now: opening it says so
            found.append((parts, entry.name, size))
    listed = [Listed("/".join((*parts, name)), size) for parts, name, size in found]
    chosen = fitting(listed, [needed(file.path) for file in listed], taken)
    for parts, in_folder in itertools.groupby(found, key=lambda one: one[0]):
        with ExitStack() as open_folders:
            try:
                folder = open_folders.enter_context(_opened_folder(source, parts))
            except OSError as error:
                if error.errno not in _CHANGED or not parts:
                    raise
                taken.notes.append(_changed("/".join(parts)))
                continue
            for _, name, _ in in_folder:
                relative = "/".join((*parts, name))
                if relative in chosen:
                    _copy_file(name, folder, relative, target, taken)


def _copy_file(name: str, folder: _Folder, relative: str, target: Path, taken: Taken) -> None:
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
        elif taken.has_room(relative, found.st_size, packed=_is_packed(name)):
            _write(handle, target / relative, taken, packed=_is_packed(name))


def _is_packed(name: str) -> bool:
    return archives.suffix(name) in archives.SUFFIXES


def _write(handle: int, destination: Path, taken: Taken, *, packed: bool) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    left = taken.bounds.packed_bytes if packed else taken.bounds.file_bytes
    with os.fdopen(handle, "rb", closefd=False) as data, destination.open("wb") as copy:
        while left > 0 and (chunk := data.read(min(CHUNK, left))):
            left -= len(chunk)
            taken.copy(chunk, copy, packed=packed)


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


def _walk(
    source: _Folder, taken: Taken, needed: Needed
) -> Iterator[tuple[tuple[str, ...], "os.DirEntry[str]"]]:
    """Every entry that is no folder, with the parts of the path of the folder it is in.

    Breadth first, so that what lies deep is what a bound leaves out.
    """
    most, notes = taken.bounds.entries, taken.notes
    looked_at = full = 0
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
            entries = sorted(itertools.islice(listed, most + 1), key=lambda e: e.name)
            shown = plain("/".join(parts), 80)
            if len(entries) > taken.bounds.files and parts and not any(needed(e.name) for e in entries):
                full += 1
                if full <= _FULL_FOLDERS:
                    notes.append(
                        f"{shown} has more than {taken.bounds.files:,} entries, none a task file: left out."
                    )
                    continue
            inside = is_environment(entry.name for entry in entries)
            if inside:
                notes.append(
                    f"{shown or 'This folder'} is a Python environment: its own files were left out."
                )
            for entry in entries:
                looked_at += 1
                if looked_at > most:
                    raise SubmissionError(f"more than {most:,} files and folders", fix=ALONE)
                if is_litter(entry.name) or is_of_environment(entry.name, inside=inside):
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    yield parts, entry
                elif len(parts) < MAX_DEPTH:
                    folders.append((*parts, entry.name))
                else:
                    notes.append(
                        f"{plain('/'.join((*parts, entry.name)), 80)} lies too deep and was left out."
                    )
