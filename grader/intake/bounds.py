"""How much is taken in, of a submission and of a class's archive, and what is no part of anybody's work."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from grader.errors import SubmissionError
from grader.text import plain

MIB = 1024 * 1024
CHUNK = 256 * 1024
MAX_DEPTH = 8
MAX_NOTES = 20
MAX_LEVELS = 2  # of archives one in the other
MAX_INNER = 20  # archives among the files of a submission that are opened
ALONE = "Hand in the assignment's folder alone, without environments and data"


@dataclass(frozen=True)
class Bounds:
    """What may be taken.

    Attributes:
        entries: looked at.
        files: taken.
        file_bytes: of one file.
        total_bytes: of all files together, but for archives that may be opened.
        packed_bytes: of those together.
        directory_bytes: of a zip's list of entries, which is read as a whole.
        stream_bytes: that a packed tar unpacks to, what is not taken included.
    """

    entries: int
    files: int
    file_bytes: int
    total_bytes: int
    packed_bytes: int
    directory_bytes: int
    stream_bytes: int


SUBMISSION = Bounds(10_000, 1_000, 16 * MIB, 64 * MIB, 128 * MIB, 8 * MIB, 512 * MIB)
# The archive that a platform gives: the students' archives in it are as large as they are.
CLASS = Bounds(50_000, 50_000, 512 * MIB, 8192 * MIB, 8192 * MIB, 32 * MIB, 2048 * MIB)

# What editors, systems and tools leave behind: never part of the work.
LITTER = {"__MACOSX", "__pycache__", ".git", "node_modules", ".ipynb_checkpoints", ".nox"}
_FILES_OF_SYSTEMS = {".DS_Store", "Thumbs.db", "desktop.ini"}
# A Python environment is known by one of these beside its own folders, whatever it is called.
MARKS = {"pyvenv.cfg", "conda-meta"}
_OF_AN_ENVIRONMENT = {
    *(
        "bin",
        "lib",
        "lib64",
        "include",
        "share",
        "etc",
        "ssl",
        "man",
        "conda-meta",
        "pkgs",
        "compiler_compat",
    ),
    *("Scripts", "Lib", "Include", "Library", "DLLs"),  # on Windows
    "pyvenv.cfg",
}
_PACKAGES = "site-packages"


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name is left by a system, an editor or a tool."""
    return name in LITTER or name.startswith("._") or name in _FILES_OF_SYSTEMS


def is_environment(names: Iterable[str]) -> bool:
    """Whether a folder that holds these names is a Python environment."""
    return not MARKS.isdisjoint(names)


def is_of_environment(name: str, *, inside: bool) -> bool:
    """Whether an entry is an environment's own: what else lies in one may be somebody's work.

    Args:
        name: of the entry.
        inside: whether it lies at the top of an environment.
    """
    return name == _PACKAGES or (inside and name in _OF_AN_ENVIRONMENT)


def is_usable(name: str) -> bool:
    """Whether a path can be written on any disk and shown in one line."""
    return all(len(part.encode()) <= 200 for part in name.split("/")) and plain(name, 2000) == name


class Taken:
    """Counts what has been taken and says when there is no more room.

    Archives among the files have a room of their own: they may be opened, and are no files of the copy then.
    """

    def __init__(self, notes: list[str], bounds: Bounds) -> None:
        self.notes, self.bounds, self.files, self.bytes, self.packed_bytes = notes, bounds, 0, 0, 0

    def has_room(self, shown: str, size: int, *, packed: bool = False) -> bool:
        """Whether a file of this size is taken; a note says so if not."""
        most = self.bounds.packed_bytes if packed else self.bounds.file_bytes
        if size > most:
            self.notes.append(f"{plain(shown, 80)} is over {most // MIB} MiB and was left out.")
            return False
        self.files += 1
        if self.files > self.bounds.files:
            raise SubmissionError(
                f"more than {self.bounds.files:,} files", fix="Hand in the assignment's folder alone"
            )
        return True

    def copy(self, chunk: bytes, target: BinaryIO, *, packed: bool = False) -> None:
        """Writes a piece of a file."""
        self.bytes += 0 if packed else len(chunk)
        self.packed_bytes += len(chunk) if packed else 0
        for taken, most in (
            (self.bytes, self.bounds.total_bytes),
            (self.packed_bytes, self.bounds.packed_bytes),
        ):
            if taken > most:
                raise SubmissionError(
                    f"more than {most // MIB} MiB in all", fix="Hand in the assignment's folder alone"
                )
        target.write(chunk)

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Forgets what was counted in the body where that fails: what it wrote is then removed."""
        before = self.files, self.bytes, self.packed_bytes
        try:
            yield
        except SubmissionError:
            self.files, self.bytes, self.packed_bytes = before
            raise


@dataclass(frozen=True)
class Listed:
    """A file that may be taken: its path from the top, with `/` between folders, and its size as claimed."""

    path: str
    size: int


def fitting(files: Sequence[Listed], needed: Sequence[bool], taken: Taken) -> set[str]:
    """The paths of the files to take: folders that hold none that is needed go where not all has room.

    Pictures or an environment beside the work shall not cost anybody the work. What lies at the top stays:
    where that is too much, taking it says so.
    """
    left_out: set[str] = set()
    room = taken.bounds
    small = [(file, need) for file, need in zip(files, needed, strict=True) if file.size <= room.file_bytes]
    count = taken.files + len(small)
    total = taken.bytes + sum(file.size for file, _ in small)
    if count > room.files or total > room.total_bytes:
        keep = {folder for file, need in small if need for folder in _folders(file.path)}
        sizes: dict[str, tuple[int, int]] = {}
        for file, _ in small:
            folder = next((f for f in _folders(file.path) if f not in keep), None)
            if folder is not None:
                files_in, bytes_in = sizes.get(folder, (0, 0))
                sizes[folder] = (files_in + 1, bytes_in + file.size)
        by_share = sorted(sizes, key=lambda f: -max(sizes[f][0] / room.files, sizes[f][1] / room.total_bytes))
        for folder in by_share:
            if count <= room.files and total <= room.total_bytes:
                break
            files_in, bytes_in = sizes[folder]
            count, total = count - files_in, total - bytes_in
            left_out.add(folder)
            taken.notes.append(
                f"{plain(folder, 80)} ({files_in:,} files, {bytes_in / MIB:.1f} MiB) holds no task file and "
                f"was left out: at most {room.files:,} files and {room.total_bytes // MIB} MiB are taken."
            )
    return {file.path for file in files if left_out.isdisjoint(_folders(file.path))}


def _folders(path: str) -> list[str]:
    """The folders that a file lies in, the uppermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:i]) for i in range(1, len(parts) + 1)]
