"""Collects repositories side by side; each is there whole or not at all, whenever a run is stopped.

<to>/<name>/...                   the files of the newest commit
<to>/<name>/.git/collected.json   which commit that is, and when it was fetched: one `Record`
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from grader.collecting import git
from grader.collecting.listing import Repository
from grader.errors import SubmissionError
from grader.text import plain
from lab.files import write_atomically
from lab.strict import Strict

AT_A_TIME = 4
RECORD = Path(".git", "collected.json")
_MOST_NAMED = 20  # of what was left out


class Record(Strict):
    """What was collected of one repository.

    Attributes:
        name: of its folder.
        repository: its address, without a password.
        commit: hexadecimal.
        branch: whose newest commit that is.
        committed: what the commit says, ISO 8601. Whoever makes a commit chooses its date: it proves nothing.
        collected: when it was fetched, ISO 8601: it was pushed before that.
        left_out: what was not taken, a line each.
    """

    name: str
    repository: str
    commit: str
    branch: str
    committed: str
    collected: str
    left_out: tuple[str, ...] = ()


class Collected(Strict):
    """What came of one repository.

    Attributes:
        name: of its folder.
        record: None where it could not be collected.
        problem: why not; empty if it was.
        unchanged: whether what is there was fetched before, of the same commit.
        kept: whether there is an earlier one, in the place of one that could not be fetched now.
    """

    name: str
    record: Record | None = None
    problem: str = ""
    unchanged: bool = False
    kept: bool = False


def collect(
    repositories: Sequence[Repository], to: Path, on_done: Callable[[Collected], object]
) -> list[Collected]:
    """Collects all of them; what came of each, in their order.

    Args:
        repositories: which.
        to: the folder; what is there of others stays.
        on_done: called with each when it is there, from the calling thread.
    """
    to.mkdir(parents=True, exist_ok=True)
    found: dict[str, Collected] = {}
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="collect") as pool:
        try:
            futures = [pool.submit(_one, repository, to) for repository in repositories]
            for future in as_completed(futures):
                found[future.result().name] = future.result()
                on_done(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[repository.name] for repository in repositories]


def read(folder: Path) -> Record | None:
    """What is known of a folder that was collected; None if it was not."""
    try:
        return Record.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValueError):
        return None


def _one(repository: Repository, to: Path) -> Collected:
    folder = to / repository.name
    before = read(folder)
    try:
        if before is None and (folder.exists() or folder.is_symlink()):
            raise SubmissionError(f"{plain(folder)} is there, and was not collected: move it away")
        same = before is not None and before.repository == repository.shown
        if before is not None and same and git.newest(repository) == before.commit:
            return Collected(name=repository.name, record=before, unchanged=True)
        return Collected(name=repository.name, record=_fetch(repository, to, folder))
    except (SubmissionError, OSError) as error:
        said = error.message if isinstance(error, SubmissionError) else (error.strerror or str(error))
        return Collected(name=repository.name, problem=said, kept=before is not None)


def _fetch(repository: Repository, to: Path, folder: Path) -> Record:
    # Beside the others, so that it can be moved into its place; with a dot, as what is nobody's work.
    with tempfile.TemporaryDirectory(prefix=".collecting-", dir=to) as scratch:
        bare, made = Path(scratch, "bare"), Path(scratch, "made")
        made.mkdir()
        commit = git.fetch(repository, bare)
        left_out = git.write_files(bare, commit, made)
        if len(left_out) > _MOST_NAMED:
            left_out[_MOST_NAMED:] = [f"and {len(left_out) - _MOST_NAMED:,} more"]
        record = Record(
            name=repository.name,
            repository=repository.shown,
            commit=commit.digest,
            branch=commit.branch,
            committed=commit.committed.isoformat(),
            collected=datetime.now(UTC).isoformat(timespec="seconds"),
            left_out=tuple(left_out),
        )
        write_atomically(made / RECORD, record.model_dump_json(indent=1) + "\n")
        if folder.exists():
            shutil.move(folder, Path(scratch, "before"))
        made.rename(folder)
    return record
