"""`nox -s grade`: marks one submission or a class, and records each mark the moment it is decided."""

import os
import secrets
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import choices, estimate, forecast, gradebook, intake, memory, sandbox, scratch
from grader.config import course as courses
from grader.config.course import Course
from grader.errors import UsageError
from grader.exporters import terminal
from grader.gradebook import Gradebook, Standing, changes, derive, people, shown
from grader.grading import run
from grader.grading.lateness import unmatched
from grader.grading.plan import Plan
from grader.handout import submitting
from grader.intake import Class, Shelf
from grader.recording import Entry, Recorder, content_key, read_in, stored_marks
from grader.results.record import Run, Status, SubmissionResult
from grader.sandbox import Engine
from grader.session import Session, is_own
from grader.text import plain
from grader.training import progress

MAX_SEED = 2**31 - 1
_MOST_LINES = 20  # of what was left out, of notes, and of marks that changed


@dataclass(frozen=True)
class Order:
    """What the command line asks for.

    Attributes:
        paths: folders and archives.
        profile: its name; None for the best that the data here allow.
        engine: its name, or `auto`.
        seed: of the probe inputs; None for the class's own, or a fresh one where it has none.
        out: the folder for results.
        trust: these submissions are the user's own, and may run without a sandbox.
        workers: how many probes and how many trainings at a time.
        retrain: whether to train known networks, and grade what was graded before, all the same.
        layout: of what was handed in, to insist; None to tell by its form.
        roster: a CSV of the class.
        course: the course's own choices; None for course.toml of the checkout, if there is one.
        new_seed: whether the class gets another seed from here on.
        dry_run: whether to say what would be done, and do nothing.
        scheduler: the address of a cluster that probes and trains; None for this machine.
        certificates: the folder of the cluster's certificates; None for .kit/cluster.
    """

    paths: Sequence[Path]
    profile: str | None
    engine: str
    seed: int | None
    out: Path
    trust: bool
    workers: int
    retrain: bool = False
    layout: str | None = None
    roster: Path | None = None
    course: Path | None = None
    new_seed: bool = False
    dry_run: bool = False
    scheduler: str | None = None
    certificates: Path | None = None


def grade(root: Path, console: Console, order: Order) -> int:
    """Grades what the paths hold; 0 if every submission was graded, else 1.

    Raises:
        UsageError: a path, profile, engine, roster or course.toml that cannot be used.
        ManifestError, DataError: the course's own files are wrong or missing.
        GradebookError: the gradebook is in use, damaged, or cannot be written.
    """
    memory.give_back()
    session = Session(
        root,
        profile=order.profile,
        engine=order.engine,
        workers=order.workers,
        scheduler=order.scheduler,
        certificates=order.certificates,
        say=lambda line: console.print(Text(line, style="yellow")),
    )
    with closing(session):
        return _grade(session, console, order)


def _grade(session: Session, console: Console, order: Order) -> int:
    root = session.root
    modules = [task.module for task in session.manifest.tasks]
    where = order.course or courses.find(root)
    text = courses.read(where) if where else ""
    course = courses.load(where, [task.id for task in session.manifest.tasks]) if where else Course()
    _check_out(order.out, writes=not order.dry_run)
    for place in (None, root / ".kit"):  # of runs that were killed
        scratch.sweep(place)
    with scratch.room(), ExitStack() as held:
        unpacked = held.enter_context(scratch.Folder("class"))
        handed_in = intake.read(
            order.paths, modules, layout=order.layout, roster=order.roster, scratch=Path(unpacked)
        )
        sources = [attempt.source for one in handed_in.handed_in for attempt in one.attempts]
        session.own_code = order.trust or (
            bool(sources) and all(one.named and is_own(root, one.path) for one in sources)
        )
        _check_apart(order.out, order.paths, [path for one in sources for path in one.paths])
        _check_hidden(session.engine, [*(path for one in sources for path in one.paths), order.out])
        _show_class(console, handed_in)
        place = Path(held.enter_context(scratch.Folder("files")))
        shelf = Shelf(place, modules, recognise=submitting.recognise)
        with progress.Reading(console) as reading:
            entries = read_in(handed_in, course, shelf, workers=order.workers, on_read=reading.read)
        if _count(handed_in) > 1:
            _show_notes(console, entries)
        if order.dry_run:
            _dry_run(session, console, order, entries, shelf)
            return 0
        with gradebook.write(order.out, command=_command()) as book:
            seed = _seed(order, book)
            rules = choices.rules(text, session.manifest)
            recorder = Recorder(
                book, order.out, rules, content_key(session, seed), {one.job: one for one in entries}, shelf
            )
            return _graded(session, console, order, handed_in, recorder, text)


def _graded(
    session: Session, console: Console, order: Order, handed_in: Class, recorder: Recorder, text: str
) -> int:
    book, rules, entries = recorder.book, recorder.rules, list(recorder.entries.values())
    about = session.run(recorder.key.seed)
    if order.retrain or not session.known:
        _ = session.backend  # something will be trained: what is missing for that is an error now
    _announce(console, entries, about, session.engine)
    if order.scheduler:
        console.print(Text(f"On the cluster at {order.scheduler}: {session.cluster.has}."))
    if order.retrain:
        console.print("Known networks are trained here all the same.")
    elif session.known.why:
        console.print(Text(f"No network is known beforehand, so that all are trained: {session.known.why}."))
    stored = {} if order.retrain else recorder.stored()
    to_do = [one for one in entries if one.files and one.job not in stored]
    if stored:
        console.print(f"{_submissions(len(stored))} graded before, of the same files, seed and grader.")
    before = book.current(choose=rules.choose)
    with recorder.run(_command(), about, handed_in, new_seed=order.new_seed, course=text):
        for job, number in stored.items():
            recorder.take_over(job, number)
        if to_do:
            _run(session, console, order, about, to_do, recorder)
    after = book.current(choose=rules.choose)
    here = {student.key for one in handed_in.handed_in for student in one.students}
    here |= {student.key for student in handed_in.absent}
    results = (result for standing, result in derive.results(book, rules) if standing.student.key in here)
    _show_changes(console, before, after, here)
    graded = _show(console, results, order.out, recorder.unwritten)
    _show_unmatched(console, choices.course(text, session.manifest), handed_in)
    return 0 if graded and not recorder.unwritten else 1


def _dry_run(
    session: Session, console: Console, order: Order, entries: Sequence[Entry], shelf: Shelf
) -> None:
    """Shows what would be done, and how long that takes; writes nothing, the gradebook neither."""
    with ExitStack() as opened:
        is_there = (order.out / gradebook.FILE).is_file()
        book = opened.enter_context(gradebook.read(order.out)) if is_there else None
        seed = _seed(order, book)
        key = content_key(session, seed)
        stored = {} if order.retrain or book is None else stored_marks(book, key, entries)
    _announce(console, entries, session.run(seed), session.engine, "Dry run:")
    to_do = [one for one in entries if one.files and one.job not in stored]
    with progress.Reading(console, "Looking at what is stored") as reading:
        found = forecast.look(
            session,
            [one.source for one in to_do],
            seed=seed,
            take_in=shelf.take_in,
            retrain=order.retrain,
            on_seen=reading.read,
        )
    of = len(session.manifest.tasks)
    for one in sorted(entries, key=lambda one: bool(one.problem)):
        if one.problem:
            what = f"cannot be graded: {one.problem}"
        elif one.job in stored:
            what = "graded before, of the same files"
        elif count := found.to_probe[one.job]:
            what = f"to be graded: {count} of {of} tasks to be probed"
        else:
            what = "to be graded: all probes are stored or not needed"
        console.print(Text(f"  {plain(one.job)}: {plain(what, 300)}", style="magenta" if one.problem else ""))
    problems = sum(bool(one.problem) for one in entries)
    counts = f"{len(to_do)} to be graded, {len(stored)} graded before, {problems} that cannot be"
    console.print(f"{counts}, of {len(entries)}.")
    console.print(Text(f"It takes {estimate.sentence(found.work, forecast.pace(session))}."))
    console.print("Nothing was run, and nothing was written.")


def _run(
    session: Session,
    console: Console,
    order: Order,
    about: Run,
    to_do: Sequence[Entry],
    recorder: Recorder,
) -> None:
    """Grades what has no mark yet, and records each the moment it is decided."""
    tasks = session.manifest
    display = progress.Display(
        console,
        len(to_do) * len(tasks.tasks),
        students=[one.job for one in to_do] if len(to_do) > 1 else (),
        places=session.places,
        pace=forecast.pace(session),
    )

    def decided(result: SubmissionResult) -> None:
        recorder.decided(result)
        display.decided(result.name, result.problem or _fault(result))

    with sandbox.interruptible(), display, session.pool(display) as pool:
        training = session.training(pool, display, retrain=order.retrain)
        plan = Plan(
            tasks,
            session.profile,
            session.engine,
            about,
            training,
            session.slots,
            display.probed,
            probes=session.probes,
            on_began=display.began,
            take_in=recorder.shelf.take_in,
            at_a_time=session.at_a_time,
        )
        run.grade_each([one.source for one in to_do], plan, decided)
    if why := session.probes.unkept:
        console.print(Text(f"  {plain(why, 300)}; a later run makes them again", style="yellow"))


def _fault(result: SubmissionResult) -> str:
    checks = (check for task in result.tasks for check in task.checks)
    return next((check.message for check in checks if check.status is Status.FAULT), "")


def _seed(order: Order, book: Gradebook | None) -> int:
    """That of the command line, else the class's own, else a fresh one."""
    if order.seed is not None:
        return order.seed
    kept = None if order.new_seed or book is None else book.seed()
    return secrets.randbelow(MAX_SEED + 1) if kept is None else kept


def _command() -> str:
    """The command that repeats this one."""
    return "nox -s grade -- " + shlex.join(argument for argument in sys.argv[1:] if argument != "grade")


def _count(handed_in: Class) -> int:
    """How many rows there will be; one is shown with all its checks instead."""
    return sum(len(one.students) for one in handed_in.handed_in) + len(handed_in.absent)


def _submissions(count: int) -> str:
    return "1 submission was" if count == 1 else f"{count:,} submissions were"


# --- what is shown ----------------------------------------------------------------------------------------


def _show_class(console: Console, handed_in: Class) -> None:
    """How it was read, and what belongs to nobody; one submission has no more than caches to leave out."""
    if handed_in.layout == "single":
        return
    console.print(Text(f"{handed_in.said}.", style="bold"))
    for line in handed_in.left_out[:_MOST_LINES]:
        console.print(Text(f"  left out: {plain(line, 300)}"))
    if len(handed_in.left_out) > _MOST_LINES:
        console.print(Text(f"  and {len(handed_in.left_out) - _MOST_LINES} more were left out"))


def _show_notes(console: Console, entries: Sequence[Entry]) -> None:
    """What was not plain of how it was read, by whose it is; one submission has it above its marks."""
    lines = list(
        dict.fromkeys(  # a note on all attempts stands once
            f"{plain(_called(one))}: {plain(note, 300)}"
            for one in entries
            for note in (*one.handed_in.notes, *one.notes)
            if not note.startswith(submitting.MATCHES)
        )
    )
    for line in lines[:_MOST_LINES]:
        console.print(Text(f"  {line}"))
    if len(lines) > _MOST_LINES:
        console.print(Text(f"  and {len(lines) - _MOST_LINES} more notes, in each report.txt"))


def _called(entry: Entry) -> str:
    """As the table has it: by the students' names, else by the folder."""
    return ", ".join(one.name for one in entry.handed_in.students if one.name) or entry.name


def _announce(
    console: Console, entries: Sequence[Entry], run: Run, engine: Engine, what_for: str = "Grading"
) -> None:
    what = entries[0].name if len(entries) == 1 else f"{len(entries)} submissions"
    line = Text(f"{what_for} {what}", style="bold")
    line.append(
        f" · profile {run.profile} · {run.data}, pin {run.data_pin[:12]}"
        f" · engine {run.engine} · seed {run.seed}",
        style="not bold",
    )
    console.print(line)
    if not engine.isolates:
        console.print(Text("The engine none isolates nothing: this code runs as you do.", style="yellow"))
    if soft := engine.soft():
        console.print(Text(f"Limits are soft: {soft}.", style="yellow"))
    if run.provisional:
        console.print(Text(f"Marks are provisional: {run.provisional_because}.", style="yellow"))


def _show_changes(
    console: Console, before: Mapping[str, Standing], after: Mapping[str, Standing], here: set[str]
) -> None:
    """Marks that are not what they were; first marks are in the table."""
    found = [one for one in changes(before, after) if one.student.key in here and one.student.key in before]
    labels = people.labels(after.values())
    for one in found[:_MOST_LINES]:
        console.print(Text(f"  changed: {shown.change(one, labels[one.student.key])}", style="yellow"))
    if len(found) > _MOST_LINES:
        console.print(f"  and {len(found) - _MOST_LINES} more: nox -s gradebook -- diff")


def _show(
    console: Console, results: Iterable[SubmissionResult], out: Path, unwritten: Mapping[str, str]
) -> bool:
    """What came of them, each looked at once and let go; returns whether all have a mark that is new."""
    for line in unwritten.values():
        console.print(Text(f"{line}. The mark is in the gradebook.", style="magenta"))
    summary = terminal.Summary()
    only: SubmissionResult | None = None
    graded = True
    for result in results:
        only = result if not summary.count else None
        graded = graded and result.has_mark and not result.not_renewed
        summary.add(result, _look(result))
    if only is not None:
        console.print(terminal.submission(only))
        drawn = any(check.drawing for task in only.tasks for check in task.checks)
        pictures = ", and pictures of what differs" if drawn else ""
        console.print(Text(f"\n{plain(out / only.name, 300)}/: results.json, report.txt{pictures}"))
        return graded
    console.print(summary.table(console.width))
    if behind := summary.trainings():
        console.print(Text(behind))
    if summary.provisional:
        because = max(summary.provisional, key=len)  # one may have a reason more than the others
        console.print(Text(f"Marks are provisional: {because}.", style="yellow"))
    files = "marks.csv, gradebook.db, and for each submission results.json and report.txt"
    console.print(Text(f"{plain(out, 300)}/: {files}"))
    return graded


def _look(result: SubmissionResult) -> list[str]:
    """What a person should look at, besides what has no mark."""
    not_renewed = [f"not renewed: {result.not_renewed}"] if result.not_renewed else []
    return [*not_renewed, *(result.counts.look if result.counts else ())]


def _show_unmatched(console: Console, course: Course, handed_in: Class) -> None:
    students = [
        (student.key, *student.ids.values())
        for student in (*(s for one in handed_in.handed_in for s in one.students), *handed_in.absent)
    ]
    for line in unmatched(course, students):
        console.print(Text(f"course.toml: {line}.", style="yellow"))


def _check_hidden(engine: Engine, paths: Sequence[Path]) -> None:
    """UsageError if a path lies where every sandbox can read."""
    for path in paths:
        folder = engine.shows(path)
        if folder is not None:
            raise UsageError(
                f"{plain(path)} lies in {plain(folder)}, which every submission can read",
                fix="Move it out of there: sandboxes show that folder for its libraries",
            )


def _check_apart(out: Path, named: Sequence[Path], work: Sequence[Path]) -> None:
    """UsageError if results would lie among what was handed in, and be a part of it the next time."""
    place = out.resolve()
    inside = {path.resolve() for path in work if path.is_dir()}
    if place in {path.resolve() for path in named} or inside & {place, *place.parents}:
        raise UsageError(
            f"--out {plain(out)} lies in what was handed in",
            fix="Name a folder beside it or elsewhere, such as --out results",
        )


def _check_out(out: Path, *, writes: bool) -> None:
    """UsageError unless results can be written there."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {plain(out)} is a file", fix="Name a folder; it is made if need be")
    place = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if writes and not os.access(place, os.W_OK):
        raise UsageError(
            f"--out {plain(out)}: nothing can be written in {plain(place)}",
            fix="Make that folder writable, or name another, such as --out results",
        )
