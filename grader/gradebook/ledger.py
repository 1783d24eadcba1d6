"""The gradebook of a folder of results, opened for reading by anybody and for appending by one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import GradebookError
from grader.gradebook import opening
from grader.gradebook.lock import WriterLock
from grader.gradebook.reading import Gradebook
from grader.gradebook.schema import FILE, LATEST, LOCK
from grader.gradebook.writing import Writer
from grader.text import plain

WAIT = 10.0  # seconds that a second writer waits


@contextmanager
def read(folder: Path) -> Iterator[Gradebook]:
    """Opens the gradebook of a results folder for reading; an older one is brought to today's tables first.

    Raises:
        GradebookError: there is none, or it cannot be read.
    """
    path = folder / FILE
    if not path.is_file() or not opening.version(path):
        raise GradebookError(
            f"there is no gradebook in {plain(folder)}",
            fix="Grade first, or name the folder of results: --out PATH",
        )
    if opening.version(path) != LATEST:
        with write(folder, command="reading an older gradebook"):
            pass
    with opening.in_words(path), opening.engine(path, "ro").connect() as connection:
        yield Gradebook(path, connection)


@contextmanager
def write(folder: Path, *, command: str, wait: float = WAIT) -> Iterator[Writer]:
    """Opens, or makes, the gradebook of a results folder for appending.

    Args:
        folder: made if need be.
        command: what another process is shown, should it want to write as well.
        wait: how many seconds to wait for another writer.

    Raises:
        GradebookError: another process writes, naming it; or the folder or the file cannot be used.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GradebookError(f"{plain(folder)} cannot be made: {error.strerror or error}") from error
    lock = WriterLock.acquire(folder / LOCK, wait=wait, command=command)
    try:
        upgraded = opening.upgrade(path)
        with opening.in_words(path), opening.engine(path, "rw").connect() as connection:
            yield Writer(path, connection, upgraded)
    finally:
        lock.release()
