"""`nox -s gradebook`: marks so far, where they come from, what changed, and changes by hand."""

import getpass
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from grader import choices, gradebook
from grader.config import manifest
from grader.errors import GradebookError, UsageError
from grader.exporters.terminal import number
from grader.gradebook import Gradebook, derive, people, shown
from grader.gradebook.standings import Standing, changes
from grader.text import plain

ROOT = Path(__file__).resolve().parents[2]
_NOW = "now"


def show(console: Console, out: Path) -> None:
    """Shows the class; students who need a look come last, each with a sentence.

    Raises:
        GradebookError: there is no gradebook, or it cannot be read.
    """
    with gradebook.read(out) as book, book.unchanging():
        rules = _rules(book)
        standings = list(book.current(choose=rules.choose).values())
        runs, head = book.runs(), book.head()
        titles = _titles(book, standings)
    shown.the_class(console, standings, titles, runs, rules)
    console.print(Text(f"\nGradebook {head[:16]}", style="dim"))


def explain(console: Console, out: Path, typed: str) -> None:
    """Shows all that stands behind a student's mark.

    Raises:
        UsageError: no student is meant, or several are.
        GradebookError: there is no gradebook, or it cannot be read.
    """
    with gradebook.read(out) as book, book.unchanging():
        rules = _rules(book)
        key = people.find(book.current(), typed).student.key
        standing, result = next(pair for pair in derive.results(book, rules) if pair[0].student.key == key)
        runs = {run.id: run for run in book.runs()}
        records = [one for one in book.entries() if one.kind == "override" and one.student == key]
    shown.one_student(console, standing, result, runs, records)


def override(
    console: Console, out: Path, typed: str, task: str, given: float | None, *, why: str, who: str | None
) -> None:
    """Records a change by hand, or that it is taken back with None, and writes the files anew.

    Raises:
        UsageError: the student, the task or the points cannot be; or there is nothing to take back.
        GradebookError: there is no gradebook, or another process writes it.
    """
    if not why.strip():
        raise UsageError("--why is empty", fix="Write a reason: the record and the student's report show it")
    with gradebook.read(out):
        pass  # no gradebook is made here
    with gradebook.write(out, command="gradebook override") as book:
        rules = _rules(book)
        before = people.find(book.current(choose=rules.choose), typed)
        _check(book, before, task, given)
        book.override(before.student.key, task, given, who=who or _login(), why=" ".join(why.split()))
        after = book.current(choose=rules.choose)[before.student.key]
        derived = derive.everything(book, out, rules=rules, names=[after.attempt.said.name])
    was, now = before.points.get(task), after.points.get(task)
    line = f"{people.described(after)}: {task} {shown.points(was)} -> {shown.points(now)}"
    console.print(Text(f"{line}, total {shown.points(before.total)} -> {shown.points(after.total)}"))
    _show_unwritten(console, derived)


def diff(console: Console, out: Path, first: str = "", second: str = "") -> None:
    """Shows which marks changed between the ends of two runs; empty for the last two.

    Raises:
        UsageError: there is no such run, or there are not two.
        GradebookError: there is no gradebook, or it cannot be read.
    """
    with gradebook.read(out) as book, book.unchanging():
        runs = [run.id for run in book.runs()]
        if not first and len(runs) < 2:
            raise UsageError(
                f"there is one run, and nothing to compare it with ({len(runs)} in all)",
                fix="nox -s gradebook -- diff 1 now shows what was changed by hand since",
            )
        pair = (first, second) if first else (runs[-2], runs[-1])
        choose = _rules(book).choose
        before, after = (
            book.current(upto=None if run == _NOW else book.end_of(run), choose=choose) for run in pair
        )
    found = changes(before, after)
    console.print(
        Text(f"From run {pair[0]} to {_run(pair[1])}: {len(found)} of {len(after)} changed", style="bold")
    )
    labels = people.labels(after.values())
    for one in found:
        console.print(Padding(Text(shown.change(one, labels[one.student.key])), (0, 0, 0, 2)))


def verify(console: Console, out: Path) -> int:
    """Says in the last line whether the chain is unbroken; 0 if it is, else 1.

    Raises:
        GradebookError: there is no gradebook, or it cannot be read.
    """
    with gradebook.read(out) as book, book.unchanging():
        fault, hashes, head = book.verify(), book.hashes(), book.head()
    if fault is not None:
        console.print(Text(f"Broken: {fault}.", style="red"), soft_wrap=True)
        return 1
    strange = [path for path, named in _heads(out) if named not in hashes]
    for path in strange:
        console.print(Text(f"{plain(path)} was written from other records than these", style="red"))
    if strange:
        line = f"Unbroken: {len(hashes)} records, but {len(strange)} reports were written from others."
        console.print(Text(line, style="red"), soft_wrap=True)
        return 1
    console.print(Text(f"Unbroken: {len(hashes)} records, the last is {head}."), soft_wrap=True)
    return 0


def backup(console: Console, out: Path, file: Path) -> None:
    """Copies the gradebook to a file that is not there yet, and checks the copy.

    Raises:
        UsageError: the file is there.
        GradebookError: there is no gradebook, or the copy cannot be written, or its chain is broken.
    """
    if file.exists():
        raise UsageError(f"{plain(file)} is there already", fix="Name another, or move it away")
    with gradebook.read(out) as book:
        head, fault = book.backup(file)
    if fault is not None:
        raise GradebookError(f"{plain(file)} is a copy, but its chain is broken: {fault}", fix="See verify")
    console.print(Text(f"{plain(file)}: a copy, unbroken, the last record is {head[:16]}"))


def forget(console: Console, out: Path, typed: str, *, who: str | None, ask: bool) -> None:
    """Erases a student from the gradebook and from the folder of results.

    Raises:
        UsageError: no student is meant, or several are.
        GradebookError: there is no gradebook, or another process writes it.
    """
    from grader.pages import site  # here, since it brings what draws

    with gradebook.read(out) as book:
        student = people.find(book.current(), typed)
    question = f"Erase all that is recorded of {people.described(student)}, for good? [y/N] "
    if ask and sys.stdin.isatty() and not console.input(Text(question)).strip().casefold().startswith("y"):
        console.print("Nothing was erased.")
        return
    with gradebook.write(out, command="gradebook forget") as book:
        names = book.forget(student.student.key, who=who or _login())
        left = derive.remove(out, names)
        for copy in out.glob(f"{gradebook.FILE}.before-*"):  # of an older kit's tables: they have it too
            copy.unlink()
        derived = derive.everything(book, out, rules=_rules(book), names=[student.attempt.said.name])
        naming = _still_naming(book, student)
    # Of the whole class, and soon made again.
    pages = site.remove(out / site.FOLDER)
    if (out / "exports").is_dir():
        shutil.rmtree(out / "exports")
        pages += 1
    console.print(Text(f"Forgotten: {people.described(student)}."))
    if pages:
        console.print("Pages and exports of the class were removed: nox -s export makes them again.")
    for record in naming:
        console.print(Text(f"Record {record} still names them, as a part of something else", style="yellow"))
    for name in left:
        console.print(Text(f"{plain(out / name)} has other files, which are left", style="yellow"))
    console.print(
        "Copies that backup made, and pages and exports that were written elsewhere, still have it; what was "
        "handed in is where it was. Remove those too."
    )
    _show_unwritten(console, derived)


def _rules(book: Gradebook) -> derive.Rules:
    """The course's own choices, as they were in the last run."""
    text = book.course()
    return choices.rules(text, manifest.load(ROOT / "assignment" / "tasks.toml")) if text else derive.Rules()


# --- parts ------------------------------------------------------------------------------------------------


def _titles(book: Gradebook, standings: Sequence[Standing]) -> dict[str, tuple[str, float]]:
    """Title and points of each task, by the newest mark."""
    marks = [one.mark for one in standings if one.mark]
    result = book.result(max(marks, key=lambda mark: mark.entry).entry) if marks else None
    return {task.task: (task.title, task.max_points) for task in result.tasks} if result else {}


def _check(book: Gradebook, standing: Standing, task: str, wanted: float | None) -> None:
    """UsageError unless these points can be given, or taken back, for that task."""
    if wanted is None:
        if task not in standing.overrides:
            changed = ", ".join(standing.overrides) or "none"
            raise UsageError(f"{task} was not changed by hand", fix=f"Tasks that were: {changed}")
        return
    titles = _titles(book, [standing] if standing.mark else list(book.current().values()))
    if task not in titles:
        raise UsageError(
            f"there is no task {plain(task, 80)!r} in this mark",
            fix=f"The tasks are: {', '.join(titles) or 'none'}",
        )
    most = titles[task][1]
    if wanted > most:
        raise UsageError(f"{task} has {number(most)} points, not {number(wanted)}", fix="Name at most these")


def _still_naming(book: Gradebook, standing: Standing) -> list[str]:
    """Records that are not a student's own and have the name, such as a run's command line."""
    names = [name.casefold() for name in (standing.student.key, standing.student.name) if len(name) > 2]
    return [
        f"{one.number} ({one.kind} {one.run})".replace(" )", ")")
        for one in book.entries()
        if any(name in json.dumps(one.body, ensure_ascii=False).casefold() for name in names)
    ]


def _show_unwritten(console: Console, derived: derive.Derived) -> None:
    for why in derived.unwritten.values():
        console.print(Text(f"Not written: {why}", style="yellow"))


# --- words ------------------------------------------------------------------------------------------------


def _run(name: str) -> str:
    return _NOW if name == _NOW else f"run {name}"


def _heads(out: Path) -> Iterable[tuple[Path, str]]:
    """The heads that stand in reports."""
    for path in sorted(out.glob("*/results.json")):
        try:
            named = json.loads(path.read_text(encoding="utf-8"))["extra_data"]["provenance"]["head"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of an older kit, or somebody else's
        yield path, str(named)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
