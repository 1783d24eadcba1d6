"""`nox -s export -- html`: the class as web pages, from the gradebook."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from grader import choices, gradebook
from grader.config import manifest
from grader.errors import GradebookError, UsageError
from grader.gradebook.derive import Rules
from grader.grading.release import Release, checks_only
from grader.pages import Site, Written
from grader.pages.site import FOLDER
from grader.text import plain

HELD_BACK = (
    "Only checks that need no hidden images are shown. Accuracies, and the marks that depend on them, follow "
    "after the deadline."
)
MOST_COMPARED = 300  # students; above that, similar sources are looked for when asked to


def html(
    root: Path,
    console: Console,
    out: Path,
    *,
    to: Path | None = None,
    similar: bool | None = None,
    release: Release = "all",
) -> int:
    """Writes the pages; 0.

    Args:
        root: of the checkout.
        out: the folder of results.
        to: the folder for the pages; None for `pages` in the folder of results.
        similar: whether to look for similar sources; None for a class of at most MOST_COMPARED students.
        release: what students' pages show; the class's page has all of it.

    Raises:
        UsageError: nobody is in the gradebook, or the folder for the pages is no folder.
        GradebookError: there is no gradebook, or it or the pages cannot be read or written.
    """
    target = to or out / FOLDER
    if target.exists() and not target.is_dir():
        raise UsageError(
            f"{plain(target)} is a file, and a folder is expected", fix="Name another: --to FOLDER"
        )
    with gradebook.read(out) as book, book.unchanging():
        text, tasks = book.course(), manifest.load(root / "assignment" / "tasks.toml")
        rules = choices.rules(text, tasks) if text else Rules()
        students = len(book.current())
        if not students:
            raise UsageError(
                f"the gradebook in {plain(out)} has no students", fix="Grade first: nox -s grade -- CLASS"
            )
        if similar is None:
            similar = students <= MOST_COMPARED
            why = (
                ""
                if similar
                else f"with more than {MOST_COMPARED} students, they are compared with --similar"
            )
        else:
            why = "" if similar else "they were not compared (--no-similar)"
        console.print(Text(f"Pages of {students} students, from {plain(out)} to {plain(target)}"))
        site = Site(root, out, target, rules, not_compared=why)
        if release == "checks":
            site = replace(site, release=lambda result: checks_only(result, tasks), held_back=HELD_BACK)
        try:
            with _bar(console) as progress:
                task = progress.add_task("Students", total=students)

                def step(_: str) -> None:
                    progress.advance(task)
                    if similar and progress.tasks[task].finished:
                        progress.update(task, description="Comparing sources")

                written = site.write(book, step=step)
        except OSError as error:
            raise GradebookError(
                f"{plain(target)} cannot be written: {error.strerror or error}",
                fix="Free some space or name another folder: --to FOLDER",
            ) from error
    _report(console, written)
    return 0


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _report(console: Console, written: Written) -> None:
    """What there is now, and what there is not, and why."""
    size = written.start.stat().st_size / 1000
    console.print(Text(f"{plain(written.start)} ({size:.0f} kB), and {written.students} pages of students"))
    if written.why_not_similar:
        console.print(Text(f"Similar sources: none shown, {written.why_not_similar}", style="yellow"))
    else:
        console.print(Text(f"Similar sources: {written.pairs} pairs to look at"))
    console.print(
        "The start page names everybody. Hand out the files in students/, each to its student alone."
    )
