"""Zip and tar files: what is in them, and their contents piece by piece, within bounds.

Both are looked at twice: their entries first, then the contents of those that are taken.
"""

import errno
import io
import stat
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from grader.errors import SubmissionError
from grader.intake import tars
from grader.intake.bounds import (
    CHUNK,
    MARKS,
    MAX_DEPTH,
    MIB,
    SUBMISSION,
    Bounds,
    is_environment,
    is_litter,
    is_of_environment,
    is_usable,
)
from grader.text import plain

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
REFUSED = {".rar": "RAR", ".7z": "7-Zip"}
_MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "tar",
    b"\xfd7zXZ\0": "tar",
    b"BZh": "tar",
    b"Rar!\x1a\x07": "RAR",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
}


def suffix(name: str) -> str:
    """The suffix by which a name says that it is an archive, a refused one too; empty if it does not."""
    folded = name.lower()
    every = (*sorted(SUFFIXES, key=len, reverse=True), *REFUSED)
    return next((s for s in every if folded.endswith(s) and len(folded) > len(s)), "")


def stem(name: str) -> str:
    """A name without the suffix of an archive."""
    return name[: len(name) - len(suffix(name))]


def kind(file: io.FileIO) -> str:
    """What the first bytes say: "zip", "tar", "RAR", "7-Zip" or nothing; the file is at its start again."""
    file.seek(0)
    start = file.read(512)
    file.seek(0)
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            return what
    if start[257:262] == b"ustar":
        return "tar"
    found = zipfile.is_zipfile(_Directory(file, SUBMISSION))
    file.seek(0)
    return "zip" if found else ""


def refusal(name: str, what: str) -> str:
    """Why an archive of a kind that is not read cannot be graded, and what to ask for."""
    return f"{plain(name, 80)} is {what}, which is not read: ask for a zip"


@dataclass(frozen=True)
class Entry:
    """A file in an archive.

    Attributes:
        number: its place in the archive.
        path: from the top, with `/` between folders, safe to be joined to a folder.
        size: as the archive says, which may lie.
    """

    number: int
    path: str
    size: int


class Archive(Protocol):
    """An open archive.

    Attributes:
        kind: as the words for its author have it: "zip" or "tar".
        entries: its files that may be taken, in its order.
        notes: what else is not among them.
        litter: what systems and tools left.
    """

    kind: str
    entries: list[Entry]
    notes: list[str]
    litter: list[str]

    def contents(self, numbers: Collection[int]) -> Iterator[tuple[int, BinaryIO]]:
        """Of these entries, in order, the content, to be read before the next is asked for."""
        ...


@contextmanager
def opened(file: io.FileIO, bounds: Bounds) -> Iterator[Archive]:
    """An archive, read from an open file.

    Raises:
        SubmissionError: it is none, of a kind that is not read, damaged, encrypted or out of bounds; reading
            its contents within this raises the same.
    """
    what = kind(file)
    if what in REFUSED.values():
        raise SubmissionError(f"it is {what}, which is not read", fix="Hand in a zip instead")
    word = what or "zip"
    try:
        yield _Tar(file, bounds) if what == "tar" else _Zip(file, bounds)
    except SubmissionError:
        raise
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError),
        *(tars.Malformed, LZMAError),
    ) as error:
        raise _unreadable(word, error) from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):
            raise
        # As gzip and bz2 say that something is damaged; a zip may name a place before its beginning.
        raise _unreadable(word, Exception(error.strerror or error)) from error


def _unreadable(word: str, error: Exception) -> SubmissionError:
    said = plain(error, 120)
    if said == "File is not a zip file":  # zipfile looks for the end, where the list of entries is
        said = "it is none, or its end is missing"
    return SubmissionError(
        f"the {word} cannot be read: {said}",
        fix=f"Make a new {word} and try to open it yourself",
    )


class _Zip:
    kind = "zip"

    def __init__(self, file: io.FileIO, bounds: Bounds) -> None:
        self._zip = zipfile.ZipFile(_Directory(file, bounds))
        self._infos = self._zip.infolist()
        listed = [
            (info.filename, info.file_size, _kind_in_zip(info), self._why_not(info)) for info in self._infos
        ]
        self.entries, self.notes, self.litter = _usable(listed, bounds, self.kind)

    @staticmethod
    def _why_not(info: zipfile.ZipInfo) -> SubmissionError | None:
        if info.flag_bits & 0x1:
            return SubmissionError("the zip is encrypted", fix="Make a zip without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Others that zipfile knows cannot be unpacked piece by piece: a few bytes may fill the memory.
            return SubmissionError(
                "the zip is compressed in an unusual way",
                fix="Make it with the system's own tools, or `zip -r`",
            )
        return None

    def contents(self, numbers: Collection[int]) -> Iterator[tuple[int, BinaryIO]]:
        for number in sorted(numbers):
            with self._zip.open(self._infos[number]) as data:
                yield number, data  # type: ignore[misc]  # a BinaryIO in all that is read of it


def _kind_in_zip(info: zipfile.ZipInfo) -> str:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if info.filename.endswith(("/", "\\")):
        return "folder"
    return "file" if mode in (0, stat.S_IFREG) else "link"


class _Tar:
    kind = "tar"

    def __init__(self, file: io.FileIO, bounds: Bounds) -> None:
        self._file, self._bounds = file, bounds
        listed = [(header.name, header.size, header.kind, None) for header in self._stream().members()]
        self.entries, self.notes, self.litter = _usable(listed, bounds, self.kind)

    def _stream(self) -> tars.Stream:
        self._file.seek(0)
        return tars.Stream(self._file, self._bounds)

    def contents(self, numbers: Collection[int]) -> Iterator[tuple[int, BinaryIO]]:
        stream, last = self._stream(), max(numbers, default=-1)
        for number, header in enumerate(stream.members()):
            if number in numbers:
                yield number, _Content(stream, header.size)  # type: ignore[misc]
            if number >= last:
                return


class _Content:
    """A member's bytes, and not the next one's."""

    def __init__(self, stream: tars.Stream, size: int) -> None:
        self._stream, self._left = stream, size

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left))
        if not data and self._left and size:
            raise tars.Malformed("it ends early")
        self._left -= len(data)
        return data


def _usable(
    listed: Sequence[tuple[str, int, str, SubmissionError | None]], bounds: Bounds, word: str
) -> tuple[list[Entry], list[str], list[str]]:
    """What may be taken, notes on the rest, and what systems and tools left.

    Args:
        listed: of each entry the name, the size, its kind (as in tars.Header), and why it cannot be read.
        bounds: for the number of entries, without those of environments.
        word: what the archive is called.
    """
    entries, notes, litter = [], [], []
    names = [name.replace("\\", "/") for name, *_ in listed]  # as some Windows tools write them
    environments = _environments(names)
    looked_at = 0
    for number, (name, (_, size, what, why_not)) in enumerate(zip(names, listed, strict=True)):
        parts = PurePosixPath(name).parts
        if _of_environment(parts, environments):
            continue
        looked_at += 1
        if looked_at > bounds.entries:
            raise SubmissionError(
                f"the {word} has {len(listed):,} entries, more than {bounds.entries:,}",
                fix="Hand in the assignment's folder alone, without environments and data",
            )
        if what == "folder":
            continue
        if any(is_litter(part) for part in parts):
            litter.append(plain(name, 80))
        elif not parts:
            notes.append(f"An entry called {plain(name, 80)!r} was left out.")
        elif parts[0] in ("/", "//") or ".." in parts or ":" in parts[0]:
            notes.append(f"{plain(name, 80)} points outside the {word} and was left out.")
        elif what != "file":
            notes.append(
                f"{plain(name, 80)} is a link or a device and was left out: hand in the file itself."
            )
        elif len(parts) > MAX_DEPTH or not is_usable(name):
            notes.append(f"{plain(name, 80)} has an unusable name and was left out.")
        elif why_not is not None:
            raise why_not
        else:
            entries.append(Entry(number, "/".join(parts), size))
    notes.extend(
        f"{plain('/'.join(found), 80) or 'This folder'} is a Python environment: its own files were left out."
        for found in sorted(environments)
    )
    return entries, notes, litter


def _environments(names: list[str]) -> set[tuple[str, ...]]:
    """The folders that are Python environments."""
    found = set()
    for name in names:
        if not any(mark in name for mark in MARKS):
            continue
        parts = PurePosixPath(name).parts
        for at, part in enumerate(parts):
            if is_environment((part,)):
                found.add(parts[:at])
                break
    return found


def _of_environment(parts: tuple[str, ...], environments: set[tuple[str, ...]]) -> bool:
    return any(
        is_of_environment(part, inside=bool(environments) and parts[:at] in environments)
        for at, part in enumerate(parts)
    )


class _Directory(io.BufferedReader):
    """A zip's bytes, of which zipfile reads one part as a whole: its list of entries, here within bounds."""

    def __init__(self, file: io.FileIO, bounds: Bounds) -> None:
        super().__init__(io.FileIO(file.fileno(), closefd=False))
        self.seek(0)
        self._bounds = bounds

    def read(self, size: int | None = -1, /) -> bytes:
        """As any file's; without a size, what is left: zipfile asks for that within 64 KiB of the end."""
        if size is None or size < 0:
            size = CHUNK
        if size > self._bounds.directory_bytes:
            raise SubmissionError(
                f"the zip's list of entries has more than {self._bounds.directory_bytes // MIB} MiB",
                fix="Hand in the assignment's folder alone, without environments and data",
            )
        return super().read(size)


def places(archive: Archive, entries: Sequence[Entry], target: Path, notes: list[str]) -> dict[int, Path]:
    """By number, where each entry goes below a folder; a second one of the same name goes nowhere."""
    wanted: dict[int, Path] = {}
    files: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        above = {str(parent) for parent in PurePosixPath(entry.path).parents}
        if entry.path in files or entry.path in folders or not files.isdisjoint(above):
            notes.append(
                f"{plain(entry.path, 80)} is in the {archive.kind} more than once; the first was taken."
            )
        else:
            wanted[entry.number] = target / entry.path
            files.add(entry.path)
            folders |= above
    return wanted


def copy_out(archive: Archive, wanted: dict[int, Path], write: "Write") -> None:
    """Writes entries to files, each with what `write` counts of it.

    Args:
        archive: an open one.
        wanted: by number, where each goes.
        write: called with each piece and the file that it goes to.
    """
    sizes = {entry.number: entry.path for entry in archive.entries if entry.number in wanted}
    for number, data in archive.contents(wanted.keys()):
        destination = wanted[number]
        destination.parent.mkdir(parents=True, exist_ok=True)
        with destination.open("wb") as copy:
            write(sizes[number], data, copy)


class Write(Protocol):
    """Copies one file's bytes within bounds."""

    def __call__(self, shown: str, data: BinaryIO, copy: BinaryIO, /) -> None:
        """Reads `data` to its end."""
        ...
