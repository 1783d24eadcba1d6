"""`nox -s collect`: brings students' repositories into a folder, to be graded."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from grader.collecting import collect as collecting
from grader.collecting import git, listing
from grader.collecting.collect import Collected
from grader.errors import UsageError
from grader.paths import from_here
from grader.text import plain, spreadsheet_cell
from lab.files import write_atomically

_MOST_LINES = 5  # of what was left out of one repository


def collect(console: Console, *, source: Path, to: Path) -> int:
    """Collects the repositories of a list or a folder; 0 if all are there, 1 if one could not be fetched.

    Raises:
        UsageError: no list or folder, a line that is no address, no git.
    """
    if to.exists() and not to.is_dir():
        raise UsageError(f"--to {plain(to)} is a file", fix="Name a folder; it is made if need be")
    if source.is_dir() and to.resolve().is_relative_to(source.resolve()):
        raise UsageError(
            f"--to {plain(to)} lies in {plain(source)}", fix="Name a folder beside it or elsewhere"
        )
    repositories = listing.read(source)
    console.print(
        Text(f"Collecting {len(repositories)} repositories into {plain(from_here(to))}", style="bold"),
        Text(git.version()),
        sep=" · ",
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("fetched", total=len(repositories))

        def done(one: Collected) -> None:
            progress.advance(bar)
            for line in _lines(one):
                progress.console.print(line)

        found = collecting.collect(repositories, to, done)
    table = to.with_name(f"{to.name}-collected.csv")
    write_atomically(table, _table(found))
    failed = [one for one in found if one.problem]
    unchanged = sum(one.unchanged for one in found)
    console.print(
        f"{len(found) - len(failed)} of {len(found)} are there, {unchanged} of them as before. "
        f"Commits and times: {plain(from_here(table), 300)}"
    )
    console.print("A commit's date is its author's own choice; what was pushed when, only the server knows.")
    if len(failed) < len(found):
        console.print(Text(f"Next: nox -s grade -- {plain(from_here(to), 300)} --layout repositories"))
    return int(bool(failed))


def _lines(one: Collected) -> list[Text]:
    """What a person has to know of one."""
    if one.problem:
        kept = " What was collected before is kept." if one.kept else ""
        return [Text(f"  {one.name}: {plain(one.problem, 300)}.{kept}", style="red")]
    left = one.record.left_out if one.record and not one.unchanged else ()
    lines = [Text(f"  {one.name}: left out: {line}", style="yellow") for line in left[:_MOST_LINES]]
    if len(left) > _MOST_LINES:
        lines.append(Text(f"  {one.name}: and {len(left) - _MOST_LINES} more lines", style="yellow"))
    return lines


def _table(found: Sequence[Collected]) -> str:
    """All of it as CSV."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["name", "repository", "commit", "branch", "commit's own date", "collected", "problem"])
    for one in found:
        kept = one.record
        about = (
            [kept.repository, kept.commit, kept.branch, kept.committed, kept.collected] if kept else [""] * 5
        )
        table.writerow([spreadsheet_cell(text) for text in (one.name, *about, one.problem)])
    return out.getvalue()
