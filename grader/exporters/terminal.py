"""Results as a person reads them in a terminal, or in a text file beside the JSON."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.exporters import drawing
from grader.exporters.base import Exporter
from grader.results import hints
from grader.results.record import WHOLE, CheckResult, Status, SubmissionResult, TaskResult
from grader.text import plain
from lab.files import write_atomically

_NARROW = 75  # cells
# A sign and a colour for each status: the sign alone must do where there is no colour.
_SIGNS = {
    Status.PASSED: ("✔", "green"),
    Status.FAILED: ("✘", "red"),
    Status.NOT_ATTEMPTED: ("○", "yellow"),
    Status.BLOCKED: ("⊘", "bright_black"),
    Status.FAULT: ("!", "magenta"),
    Status.HELD: ("…", "bright_black"),
}


class TextReport(Exporter):
    """report.txt: what the terminal shows of one submission, without colours."""

    name = "text"
    files = ("report.txt",)

    def write_submission(self, result: SubmissionResult, folder: Path) -> list[Path]:
        """Writes the text; its last line says what the mark is tied to."""
        path = folder / "report.txt"
        text = as_text([submission(result)])
        if result.provenance is not None:
            text += f"\n{result.provenance.in_words()}\n"
        write_atomically(path, text)
        return [path]


def number(points: float) -> str:
    """Points with as many decimals as they need, two at the most: 3, 2.5, 1.25."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def submission(result: SubmissionResult, *, total: bool = True) -> RenderableType:
    """One submission: tasks and checks with marks, messages and hints; the total unless it is not wanted."""
    parts: list[RenderableType] = [Text(f"\n{plain(result.shown)}", style="bold")]
    parts += [Text(f"  {note}", style="bright_black") for note in result.notes]
    if result.problem:
        parts.append(Text(f"  Not graded: {result.problem}", style="magenta"))
    if result.not_renewed:
        parts.append(
            Text(f"  This is an earlier mark. It was not renewed: {result.not_renewed}", style="magenta")
        )
    parts += [_task(task) for task in result.tasks]
    if result.tasks and total:
        parts.append(_total(result))
    return Group(*parts)


class Summary:
    """A class: one row a submission, one column a task. Rows that need a look come last, and why below them.

    Results are added one after the other, and none is kept: a class may be of any size.

    Attributes:
        count: submissions that were added.
        provisional: why marks are provisional: each reason once, in the order in which they came.
    """

    def __init__(self) -> None:
        self.count = 0
        self.provisional: dict[str, None] = {}
        self._tasks: list[tuple[str, float]] = []  # titles and points, of the first with marks
        self._rows: list[tuple[str, list[str], list[str]]] = []  # name, cells, what to look at
        self._trainings: dict[str, bool] = {}  # by digest, whether it was known

    def add(self, result: SubmissionResult, look: Sequence[str] = ()) -> None:
        """Adds a row.

        Args:
            result: of the submission.
            look: what a person should look at, a sentence each, besides what has no mark.
        """
        self.count += 1
        if not self._tasks:
            self._tasks = [(task.title, task.max_points) for task in result.tasks]
        cells = [number(task.points) if task.decided else "!" for task in result.tasks]
        if result.tasks:
            cells.append(number(result.points) if result.graded else "!")
        own = result.problem or (
            "" if result.graded else "not graded: the grader failed on the checks marked !"
        )
        why = [plain(one) for one in (own, *look) if one]
        self._rows.append((plain(result.shown), cells, why))
        if result.run.provisional:
            self.provisional[result.run.provisional_because] = None
        for check in (check for task in result.tasks for check in task.checks):
            known = bool(check.data.get("known"))
            self._trainings |= dict.fromkeys(check.data.get("trainings", ()), known)

    def table(self, width: int = 80) -> RenderableType:
        """All rows, in the order in which they were added, as far as nothing is to be looked at.

        Args:
            width: of the terminal, in cells: where it is narrow, titles break earlier and leave names room.
        """
        table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
        most = 10 if width >= _NARROW else 7
        # Nothing is cut: long names and titles take several lines, and titles give way to names.
        table.add_column(f"{self.count} submissions", overflow="fold", vertical="bottom")
        for title, points in self._tasks:
            table.add_column(f"{title}\n/{number(points)}", justify="right", overflow="fold", max_width=most)
        total = f"Total\n/{number(sum(points for _, points in self._tasks))}" if self._tasks else "Total"
        table.add_column(total, justify="right")
        sentences: list[RenderableType] = []
        for name, cells, why in sorted(self._rows, key=lambda row: bool(row[2])):
            cells = cells or ["–"] * (len(self._tasks) + 1)
            table.add_row(Text(name), *cells, style="magenta" if why else "")
            sentences += [Text(f"{name}: {sentence}", style="magenta") for sentence in why]
        if not sentences:
            return table
        look = (Padding(one, (0, 0, 0, 2)) for one in sentences)
        return Group(table, Text("Needs a look:", style="bold"), *look)

    def trainings(self) -> str:
        """How many trainings were known and how many were done here, each distinct one once; empty if none
        was wanted.
        """
        if not self._trainings:
            return ""
        known = sum(self._trainings.values())
        here = len(self._trainings) - known
        return f"Trainings behind these marks: {known} known from the reference runs, {here} run here."


def in_words(task: TaskResult) -> str:
    """The override of a task; empty without one."""
    one = task.override
    if one is None:
        return ""
    earned = "not graded" if any(c.status is Status.FAULT for c in task.checks) else number(task.earned)
    return f"Set to {number(one.points)} by {one.who}, {one.at[:10]}: {one.why} (before: {earned})"


def as_text(parts: Iterable[RenderableType]) -> str:
    """The same without colours, 100 columns wide."""
    console = Console(width=100, color_system=None, force_terminal=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()


def _task(task: TaskResult) -> RenderableType:
    heading = Table.grid(expand=True)
    heading.add_column()
    heading.add_column(justify="right")
    points = f"{number(task.points)} / {number(task.max_points)}" if task.decided else "not graded"
    heading.add_row(Text(task.title, style="bold"), Text(points, style="bold"))
    if changed := in_words(task):
        heading.add_row(Padding(Text(changed, style="yellow"), (0, 0, 0, 2)), "")
    first = task.checks[0]
    alike = all(
        (c.status, c.message) == (first.status, first.message) for c in task.checks if c.check != WHOLE
    )
    untouched = all(check.status is Status.NOT_ATTEMPTED for check in task.checks)
    if untouched or (alike and first.status is not Status.PASSED):
        # One cause for all of it, such as an import that failed, is shown once.
        sign, colour = _SIGNS[first.status]
        only = Text(f"{sign} {first.status.value}. {first.message}", style=colour)
        if hint := hints.to_show(first):
            only.append(f"\nHint: {hint}", style="cyan")
        return Group("", heading, Padding(only, (0, 0, 0, 2)))
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(width=3, justify="right")
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    explained: set[str] = set()
    for check in task.checks:
        sign, colour = _SIGNS[check.status]
        unknown = check.status in (Status.FAULT, Status.HELD)
        points = "–" if unknown else f"{number(check.points)} / {number(check.max_points)}"
        grid.add_row(Text(sign, style=colour), _title(check), Text(points))
        for line, style in _explanation(check, explained):
            grid.add_row("", Padding(Text(line, style=style), (0, 0, 0, 2)), "")
        if check.drawing and check.status is Status.FAILED:
            grid.add_row("", Padding(drawing.table(check.drawing), (0, 0, 0, 4)), "")
    return Group("", heading, grid)


def _title(check: CheckResult) -> Text:
    title = Text(check.title)
    if check.status not in (Status.PASSED, Status.FAILED):
        title.append(f"  ({check.status.value})", style=_SIGNS[check.status][1])
    return title


def _explanation(check: CheckResult, explained: set[str]) -> list[tuple[str, str]]:
    lines = []
    # The same cause is shown once: the checks below it only repeat it.
    if check.message and check.message not in explained:
        lines.append((check.message, "" if check.status is not Status.PASSED else "bright_black"))
        explained.add(check.message)
        if cost := _cost(check):
            lines.append((cost, "yellow"))
        if hint := hints.to_show(check):
            lines.append((f"Hint: {hint}", "cyan"))
    return lines


def _cost(check: CheckResult) -> str:
    """What a mistake costs, and why; empty for what costs nothing of its own."""
    if not check.deduction:
        return ""
    points = "1 point" if check.deduction == 1 else f"{number(check.deduction)} points"
    return f"Costs {points}: {check.consequence}."


def _total(result: SubmissionResult) -> RenderableType:
    if not result.graded:
        return Text(
            "\nNot graded: the grader failed on the checks marked !. There is no mark.", style="magenta bold"
        )
    total = f"\nTotal {number(result.points)} / {number(result.max_points)}"
    if result.counts is not None:
        total += f"\nCounts {number(result.score)} / {number(result.out_of)}: {result.counts.rule}"
    if result.run.provisional:
        return Text.assemble((total, "bold"), (f"  provisional: {result.run.provisional_because}", "yellow"))
    return Text(total, style="bold")
