"""A gradebook as a person reads it in a terminal: the class, and all that stands behind one mark."""

import shlex
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.exporters import terminal
from grader.exporters.terminal import number
from grader.gradebook import people
from grader.gradebook.derive import Rules
from grader.gradebook.standings import Change, Entry, Mark, RunSeen, Standing
from grader.results.record import SubmissionResult, TaskResult
from grader.text import plain

_RUNS_SHOWN = 5


def the_class(
    console: Console,
    standings: Sequence[Standing],
    titles: Mapping[str, tuple[str, float]],
    runs: Sequence[RunSeen],
    rules: Rules,
) -> None:
    """The table of a class, then the students who need a look, each with a sentence, then the runs.

    Args:
        standings: in the order of names.
        titles: title and points of each task.
        runs: oldest first.
        rules: the course's own.
    """
    looks = {one.student.key: _look(one, rules) for one in standings}
    calm = [one for one in standings if not looks[one.student.key]]
    look = [one for one in standings if looks[one.student.key]]
    console.print(_table([*calm, *look], titles, rules, {key for key, why in looks.items() if why}))
    if any(one.overrides for one in standings):
        console.print(Text("* changed by hand: gradebook -- explain STUDENT shows by whom and why", "dim"))
    if look:
        console.print(Text(f"\n{len(look)} of {len(standings)} need a look:", style="bold"))
        for one in look:
            line = f"{people.described(one)}: {'; '.join(looks[one.student.key])}"
            console.print(Padding(Text(line), (0, 0, 0, 2)))
    _show_runs(console, runs)


def one_student(
    console: Console,
    standing: Standing,
    result: SubmissionResult,
    runs: Mapping[str, RunSeen],
    overrides: Sequence[Entry],
) -> None:
    """All that stands behind a mark: what was handed in, each line, trainings, earlier marks, changes by
    hand, and the command that repeats it.

    Args:
        result: of derive.results.
        runs: all, by their ids.
        overrides: the student's records of that kind.
    """
    _show_submission(console, standing, result)
    console.print(terminal.submission(result))
    _show_accuracies(console, result.tasks)
    _show_history(console, standing.marks)
    _show_overrides(console, overrides)
    _show_command(console, standing, result, runs)


def points(value: float | None) -> str:
    """Points, or a dash where there are none."""
    return "–" if value is None else number(value)


# --- the class --------------------------------------------------------------------------------------------


def _table(
    standings: Sequence[Standing],
    titles: Mapping[str, tuple[str, float]],
    rules: Rules,
    look: Iterable[str],
) -> Table:
    counts = {one.student.key: rules.counts(one) for one in standings}
    out_of = next((one.out_of for one in counts.values() if one), sum(most for _, most in titles.values()))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left", title_style="bold")
    table.title = f"{len(standings)} students"
    table.add_column("Student", overflow="fold", ratio=1)
    for title, most in titles.values():
        table.add_column(f"{_short(title)}\n/{number(most)}", justify="right", vertical="top")
    table.add_column(f"{'Counts' if any(counts.values()) else 'Total'}\n/{number(out_of)}", justify="right")
    labels, look = people.labels(standings), set(look)
    for one in standings:
        key = one.student.key
        counted = counts[key]
        cells = [points(one.points.get(task)) + ("*" if task in one.overrides else "") for task in titles]
        total = points(one.total if counted is None else counted.points)
        table.add_row(Text(labels[key]), *cells, total + ("!" if key in look else ""))
    return table


def _short(title: str) -> str:
    """A title in a narrow column: a word a line, long ones cut."""
    return "\n".join(word if len(word) <= 8 else f"{word[:7]}." for word in title.split())


def _look(one: Standing, rules: Rules) -> list[str]:
    """Why an instructor should look at a student; empty if nothing is out of the ordinary."""
    counted = rules.counts(one)
    found = list(counted.look) if counted else []
    if one.mark is None:
        found.insert(0, f"not graded: {one.why_not}")
    elif one.not_renewed:
        found.insert(0, f"an earlier mark, not renewed: {one.not_renewed}")
    return found


def _show_runs(console: Console, runs: Sequence[RunSeen]) -> None:
    console.print(Text("\nRuns", style="bold"))
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    for run in runs[-_RUNS_SHOWN:]:
        about = run.about.about
        ended = run.how or "did not end, or goes on"
        said = f"profile {about.profile}, seed {about.seed}, kit {run.about.kit}: {ended}"
        table.add_row(run.id, _when(run.started), Text(said))
    console.print(Padding(table, (0, 0, 0, 2)))


# --- one student ------------------------------------------------------------------------------------------


def _show_submission(console: Console, standing: Standing, result: SubmissionResult) -> None:
    said = standing.attempt.said
    console.print(Text(people.described(standing), style="bold"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    rows = {
        "section": standing.student.section,
        "filed under": said.name if said.name != standing.student.key else "",
        "attempt": str(said.attempt) if said.attempt else "",
        "handed in": _handed_in(standing),
        "files": said.files[:16],
        "run": f"{result.provenance.run}, {_when(result.provenance.graded)}" if result.provenance else "",
        "engine, seed": f"{result.run.engine}, {result.run.seed}",
    }
    for label, text in rows.items():
        if text:
            grid.add_row(label, Text(text))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _handed_in(standing: Standing) -> str:
    said = standing.attempt.said
    when = said.handed_in.isoformat(" ", "minutes") if said.handed_in else ""
    return ", ".join(filter(None, (when, {True: "late", False: "in time", None: ""}[said.late])))


def _show_accuracies(console: Console, tasks: Iterable[TaskResult]) -> None:
    lines = []
    for task in tasks:
        for check in task.checks:
            data = check.data
            if "accuracies" not in data:
                continue
            each = zip(data["accuracies"], data["seeds"], data["trainings"], strict=True)
            runs = "; ".join(
                f"{accuracy:.2%} (seed {seed}, training {run[:12]})" for accuracy, seed, run in each
            )
            where = "known from the reference" if data.get("known") else f"on {data.get('machine') or 'here'}"
            wanted = f"{data['threshold']:.2%} wanted"
            lines.append(f"{task.title}, {check.check}: {runs}; {wanted}; {data['decided_by']}, {where}")
    if lines:
        console.print(Text("\nAccuracies and the trainings behind them", style="bold"))
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 2)))


def _show_history(console: Console, marks: Sequence[Mark]) -> None:
    if len(marks) < 2:
        return
    console.print(Text("\nMarks so far, without changes by hand", style="bold"))
    for mark in marks:
        total = number(sum(earned for earned, _ in mark.said.points.values()))
        key = mark.said.key
        about = f"files {key.files[:12]}, kit {key.kit}, seed {key.seed}, profile {key.profile}"
        console.print(Padding(Text(f"run {mark.run}, {_when(mark.at)}: {total} ({about})"), (0, 0, 0, 2)))


def _show_overrides(console: Console, records: Sequence[Entry]) -> None:
    if not records:
        return
    console.print(Text("\nChanged by hand", style="bold"))
    for one in records:
        points = one.body["points"]
        done = "taken back" if points is None else f"set to {number(points)}"
        line = f"{_when(one.at)} {one.body['task']} {done} by {one.body['who']}: {one.body['why']}"
        console.print(Padding(Text(plain(line, 500)), (0, 0, 0, 2)))


def _show_command(
    console: Console, standing: Standing, result: SubmissionResult, runs: Mapping[str, RunSeen]
) -> None:
    run = runs[result.provenance.run if result.provenance else standing.attempt.run]
    about = result.run
    source = standing.attempt.said.source or f"PATH-OF-{standing.attempt.said.name}"
    words = ["nox", "-s", "grade", "--", source, "--profile", about.profile, "--seed", str(about.seed)]
    console.print(Text("\nTo repeat it", style="bold"))
    console.print(
        Text(f"  {shlex.join([*words, '--engine', about.engine, '--out', 'FOLDER'])}"), soft_wrap=True
    )
    console.print(Text(f"  run {run.id} was: {plain(run.about.command)}", style="dim"), soft_wrap=True)


def _when(at: str) -> str:
    """A time to the minute, UTC."""
    return f"{at[:16].replace('T', ' ')} UTC"


def change(one: Change, label: str) -> str:
    """`dave 123 -> 148: new submission (alexnet 20 -> 45)`."""
    tasks = ", ".join(f"{task} {points(a)} -> {points(b)}" for task, (a, b) in one.tasks.items())
    what = f"{points(one.before)} -> {points(one.after)}" if one.tasks else points(one.after)
    few = f" ({tasks})" if one.before is not None and one.tasks else ""
    return f"{label} {what}: {', '.join(one.reasons) or 'override'}{few}"
