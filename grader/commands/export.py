"""`nox -s export`: marks of the gradebook in the files that platforms take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.progress import track
from rich.text import Text

from grader import choices, gradebook
from grader.config import manifest
from grader.config.manifest import Manifest
from grader.errors import GradebookError
from grader.exporters import canvas as to_canvas
from grader.exporters import everything, templates
from grader.exporters import junit as to_junit
from grader.exporters import moodle as to_moodle
from grader.exporters.gradescope import Gradescope
from grader.exporters.students import Student, Written, what_counts
from grader.exporters.terminal import TextReport
from grader.gradebook import derive
from grader.grading.release import Release, released
from grader.paths import from_here
from grader.text import plain
from lab.files import write_atomically

FOLDER = "exports"  # in the folder of results


@dataclass(frozen=True)
class Order:
    """What every export is asked.

    Attributes:
        out: the folder of results.
        to: where the export goes; None for its place in that folder.
        out_of: what the platform counts; None to leave points as they are.
    """

    out: Path
    to: Path | None = None
    out_of: float | None = None


def canvas(root: Path, console: Console, order: Order, *, template: Path, column: str) -> int:
    """Fills one column of Canvas's exported gradebook.

    Returns:
        0 if everyone who has a mark is in it, else 1.

    Raises:
        UsageError: the template is not Canvas's, or the column is not clear.
        GradebookError: there is no gradebook, or the file cannot be written.
    """

    def make(students: Sequence[Student], tasks: Manifest) -> Written:
        table = templates.read(template, to_canvas.WHAT)
        return to_canvas.filled(students, table, column=column, scale=order.out_of)

    return _file(root, console, order, "canvas.csv", "Canvas", make)


def moodle(root: Path, console: Console, order: Order, *, by: str, sheet: Path | None, column: str) -> int:
    """Writes grades for Moodle's import, or fills its offline worksheet if there is one; else as `canvas`."""

    def make(students: Sequence[Student], tasks: Manifest) -> Written:
        if sheet is None:
            return to_moodle.grades(students, column or tasks.title, by=by, scale=order.out_of)
        table = templates.read(sheet, to_moodle.WHAT)
        return to_moodle.worksheet(students, table, column=column, scale=order.out_of)

    name = "moodle.csv" if sheet is None else "moodle-worksheet.csv"
    return _file(root, console, order, name, "Moodle", make)


def everything_csv(root: Path, console: Console, order: Order) -> int:
    """Writes one table with all that there is of each student."""

    def make(students: Sequence[Student], tasks: Manifest) -> Written:
        return Written(everything.table(students), sum(one.result.has_mark for one in students))

    return _file(root, console, order, "everything.csv", "a spreadsheet", make)


def junit(root: Path, console: Console, order: Order) -> int:
    """Writes the checks of all students as JUnit XML."""

    def make(students: Sequence[Student], tasks: Manifest) -> Written:
        return Written(to_junit.suites(students), sum(one.result.has_mark for one in students))

    return _file(root, console, order, "junit.xml", "readers of JUnit XML", make)


def gradescope(root: Path, console: Console, order: Order, *, release: Release) -> int:
    """Writes results.json and report.txt of each submission, as students may see them.

    Returns:
        0 if everyone who has a mark is in it, else 1: members of a group whose marks differ share one file.

    Raises:
        GradebookError: there is no gradebook, or a file cannot be written.
    """
    tasks = _tasks(root)
    students = _students(order.out, tasks)
    folder = order.to or order.out / FOLDER / "gradescope"
    what = {
        "all": what_counts(students),
        "checks": "public checks only; what hidden images decide is held back (--release all hands it out)",
    }
    console.print(Text(f"For Gradescope and students: {what[release]}.", style="bold"), soft_wrap=True)
    by_name: dict[str, list[Student]] = {}
    for one in students:
        by_name.setdefault(one.result.name, []).append(one)
    written = Written()
    try:
        shown = track(by_name.items(), "Writing", console=console, transient=True)
        for name, members in shown:
            first = released(members[0].result, release, tasks)
            for member in members[1:]:
                if released(member.result, release, tasks).score != first.score:
                    written.unmatched[member.shown] = (
                        f"the mark differs from that of {members[0].shown}, and Gradescope has one a group"
                    )
            if len(members) > 1:
                first = first.model_copy(update={"student": "", "key": ""})
            target = folder / name
            for old in ("results.json", "report.txt", "not-graded.json"):
                (target / old).unlink(missing_ok=True)
            if first.has_mark:
                Gradescope().write_submission(first, target)
                TextReport().write_submission(first, target)
                written.exported += len(members)
    except OSError as error:
        raise _unwritten(folder, error) from error
    written.exported -= len(written.unmatched)
    return _show(console, students, written, folder)


def _file(
    root: Path,
    console: Console,
    order: Order,
    name: str,
    whose: str,
    make: Callable[[Sequence[Student], Manifest], Written],
) -> int:
    """One export that is one file: says what goes where, writes it, and lists who is not in it."""
    tasks = _tasks(root)
    students = _students(order.out, tasks)
    line = f"For {whose}: {what_counts(students, order.out_of)}."
    console.print(Text(line, style="bold"), soft_wrap=True)
    written = make(students, tasks)
    path = order.to or order.out / FOLDER / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, written.text)
    except OSError as error:
        raise _unwritten(path, error) from error
    return _show(console, students, written, path)


def _students(out: Path, tasks: Manifest) -> list[Student]:
    """The class as it counts now."""
    with gradebook.read(out) as book, book.unchanging():
        rules = choices.rules(book.course(), tasks)
        return [
            Student(
                standing.student.key,
                standing.student.name,
                dict(standing.student.ids),
                standing.student.section,
                result,
            )
            for standing, result in derive.results(book, rules)
        ]


def _tasks(root: Path) -> Manifest:
    return manifest.load(root / "assignment" / "tasks.toml")


def _show(console: Console, students: Sequence[Student], written: Written, path: Path) -> int:
    """Says what was written, and who is not in it and why."""
    said = f"{written.exported} of {len(students)} students: {plain(from_here(path))}"
    console.print(Text(said), soft_wrap=True)
    for remark in written.remarks:
        console.print(Text(remark), soft_wrap=True)
    provisional = next((one for one in students if one.result.has_mark and one.result.run.provisional), None)
    if provisional is not None:
        because = plain(provisional.result.run.provisional_because)
        console.print(Text(f"Marks are provisional: {because}.", style="yellow"), soft_wrap=True)
    stale = {one.shown: one.result.not_renewed for one in students if one.result.not_renewed}
    _list(console, "An earlier mark, not renewed", stale, "yellow")
    _list(
        console,
        "No mark, so none was exported",
        {s.shown: s.why_not for s in students if s.why_not},
        "yellow",
    )
    _list(console, "Has a mark and was NOT exported", written.unmatched, "red")
    return 1 if written.unmatched else 0


def _list(console: Console, heading: str, why: dict[str, str], style: str) -> None:
    if why:
        console.print(Text(f"{heading} ({len(why)}):", style=f"bold {style}"))
    for who, because in why.items():
        console.print(Padding(Text(f"{who}: {plain(because)}", style=style), (0, 0, 0, 2)))


def _unwritten(path: Path, error: OSError) -> GradebookError:
    return GradebookError(
        f"{plain(path)} cannot be written: {error.strerror or error}", fix="Name another place: --to PATH"
    )
