"""Results as a person reads them in a terminal, or in a text file beside the JSON."""

from collections.abc import Iterable, Mapping, Sequence
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


def summary(
    results: Sequence[SubmissionResult], look: Mapping[str, Sequence[str]] | None = None, *, width: int = 80
) -> RenderableType:
    """A class: one row a submission, one column a task. Rows that need a look come last, and why below them.

    Args:
        results: in the order in which they are shown, as far as nothing is to be looked at.
        look: by submission what a person should look at, a sentence each, besides what has no mark.
        width: of the terminal, in cells: where it is narrow, titles break earlier and leave names some room.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    most = 10 if width >= _NARROW else 7
    # Nothing is cut: long names and titles take several lines, and titles give way to names.
    table.add_column(f"{len(results)} submissions", overflow="fold", vertical="bottom")
    tasks = next((result.tasks for result in results if result.tasks), ())
    for task in tasks:
        table.add_column(
            f"{task.title}\n/{number(task.max_points)}", justify="right", overflow="fold", max_width=most
        )
    table.add_column(
        "Total" if not tasks else f"Total\n/{number(sum(t.max_points for t in tasks))}", justify="right"
    )
    sentences: list[RenderableType] = []
    for result, why in sorted(
        ((result, _look(result, (look or {}).get(result.name, ()))) for result in results),
        key=lambda one: bool(one[1]),
    ):
        if not result.tasks:
            cells = ["–"] * (len(tasks) + 1)
        else:
            cells = [number(t.points) if t.decided else "!" for t in result.tasks]
            cells.append(number(result.points) if result.graded else "!")
        table.add_row(Text(_called(result)), *cells, style="magenta" if why else "")
        sentences += [Text(f"{_called(result)}: {sentence}", style="magenta") for sentence in why]
    if not sentences:
        return table
    return Group(
        table, Text("Needs a look:", style="bold"), *(Padding(one, (0, 0, 0, 2)) for one in sentences)
    )


def _called(result: SubmissionResult) -> str:
    """The student's name."""
    return plain(result.shown)


def _look(result: SubmissionResult, besides: Sequence[str]) -> list[str]:
    """Why a person should look at a submission; nothing for most."""
    own = result.problem or ("" if result.graded else "not graded: the grader failed on the checks marked !")
    return [plain(one) for one in (own, *besides) if one]


def in_words(task: TaskResult) -> str:
    """The override of a task; empty without one."""
    one = task.override
    if one is None:
        return ""
    earned = "not graded" if any(c.status is Status.FAULT for c in task.checks) else number(task.earned)
    return f"Set to {number(one.points)} by {one.who}, {one.at[:10]}: {one.why} (before: {earned})"


def trainings(results: Sequence[SubmissionResult]) -> str:
    """How many trainings of a class were known and how many were done here, each distinct one once; empty if
    none was wanted.
    """
    decided: dict[str, bool] = {}
    for result in results:
        for task in result.tasks:
            for check in task.checks:
                decided |= dict.fromkeys(check.data.get("trainings", ()), bool(check.data.get("known")))
    known = sum(decided.values())
    here = len(decided) - known
    if not decided:
        return ""
    return f"Trainings behind these marks: {known} known from the reference runs, {here} run here."


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
