"""Submissions that were read, kept while a class is graded: each is read once.

What is graded is then what its digest is over, whatever becomes of the class's folder meanwhile.
"""

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader import scratch
from grader.errors import SubmissionError
from grader.intake import taking
from grader.intake.assembling import all_files
from grader.intake.bounds import MIB
from grader.intake.model import Source, Submission

MOST_EACH = 4 * MIB  # of one submission, to be kept as a whole; of a larger one, the task files are kept
MOST_FILE = 1 * MIB  # of one such task file
MOST = 512 * MIB  # of all together


@dataclass(frozen=True)
class Read:
    """A submission that was read.

    Attributes:
        digest: over the files that are graded.
        notes: as of Submission.
        taken: its copy on the shelf.
        whole: whether all of its files are on the shelf.
    """

    digest: str
    notes: tuple[str, ...]
    taken: Submission
    whole: bool


class Shelf:
    """Reads submissions and keeps them. May be used from several threads.

    Args:
        folder: an empty one, to be removed by whoever made it.
        modules: the names of the task files.
        most: bytes of all that is kept as a whole.
        recognise: gives one more note on a folder that was taken in, such as by a record that came along;
            empty for none.
    """

    def __init__(
        self,
        folder: Path,
        modules: Sequence[str],
        most: int = MOST,
        recognise: Callable[[Path], str] = lambda folder: "",
    ) -> None:
        self._folder, self._modules, self._left = folder, modules, most
        self._recognise = recognise
        self._lock = threading.Lock()
        self._places = 0
        self._read: dict[str, Read] = {}

    def read(self, source: Source) -> Read:
        """Takes a submission in; SubmissionError as of `take_in`. No two may have one name."""
        with self._lock:
            self._places += 1
            place = self._folder / str(self._places)
        place.mkdir()
        try:
            taken = taking.take_in(source, self._modules, place)
            taking.remove(place / "raw")
            if note := self._recognise(taken.folder):
                taken = replace(taken, notes=(*taken.notes, note))
            found = Read(taking.digest(taken), taken.notes, taken, self._fits(taken))
        except BaseException:
            taking.remove(place)
            raise
        if not found.whole:
            _leave(taken.folder, self._modules)
        self._read[source.name] = found
        return found

    def take_in(self, source: Source, modules: Sequence[str], into: Path) -> Submission:
        """As intake.take_in, of what was read; what is not kept is taken in again.

        Raises:
            SubmissionError: also if it is not what it was when it was read.
            GraderFault: there is no room for the copy.
        """
        read = self._read.get(source.name)
        if read is None:
            return taking.take_in(source, modules, into)
        if not read.whole:
            again = taking.take_in(source, modules, into)
            if taking.digest(again) != read.digest:
                raise SubmissionError(
                    "its files changed while the class was graded", fix="Run the same command again"
                )
            return again
        folder = into / "files"
        with scratch.room():
            shutil.copytree(read.taken.folder, folder)
        return Submission(source.name, folder, read.notes, read.taken.missing)

    def files(self, name: str) -> Path | None:
        """The folder of what is kept of a submission; None if it was not read."""
        read = self._read.get(name)
        return None if read is None else read.taken.folder

    def _fits(self, taken: Submission) -> bool:
        """Whether there is room for all of it, which is then taken."""
        size = sum((taken.folder / file).stat().st_size for file in all_files(taken.folder))
        with self._lock:
            fits = size <= min(MOST_EACH, self._left)
            self._left -= size if fits else 0
        return fits


def _leave(folder: Path, modules: Sequence[str]) -> None:
    """Removes all but task files of a usual size."""
    for path in folder.iterdir():
        if path.is_dir():
            taking.remove(path)
        elif path.name not in modules or path.stat().st_size > MOST_FILE:
            path.unlink()
