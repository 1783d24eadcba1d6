"""`nox -s marking`: what other weights and rules would do to marks that were given."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.config import manifest, marking
from grader.config.manifest import Manifest
from grader.errors import UsageError
from grader.exporters.terminal import number
from grader.grading import marking as marks
from grader.results.record import WHOLE, SubmissionResult
from grader.text import spreadsheet_cell
from lab.files import write_atomically
from lab.strict import explained

_LARGEST_SHOWN = 20


@dataclass(frozen=True)
class Order:
    """What the command line asks for.

    Attributes:
        weights: the marking.toml to try.
        results: folders that `grade` wrote, or a folder of them.
        table: a CSV file for all of it; None for none.
    """

    weights: Path
    results: Sequence[Path]
    table: Path | None = None


@dataclass(frozen=True)
class Change:
    """One submission's mark before and after, in points.

    Attributes:
        name: of the submission.
        before, after: by task.
        causes: the checks whose mistakes cost something else now.
    """

    name: str
    before: dict[str, float]
    after: dict[str, float]
    causes: tuple[str, ...]

    @property
    def difference(self) -> float:
        """By how much the whole mark changes."""
        return sum(self.after.values()) - sum(self.before.values())


def try_marking(root: Path, console: Console, order: Order) -> int:
    """Shows what marks would be by other weights; 0 if all results could be read, else 1.

    Raises:
        UsageError: there are no results, or the weights are no marking.toml.
        ManifestError: the weights do not fit the manifest.
    """
    if not order.weights.is_file():
        raise UsageError(
            f"{order.weights} is not there", fix="Copy solutions/marking.toml and change the copy"
        )
    tasks = manifest.with_marking(root / "solutions" / "tasks.toml", marking.load(order.weights))
    files = _files(order.results)
    changes, unread = [], []
    for file in files:
        try:
            changes.append(change(_read(file), tasks))
        except (OSError, ValueError) as error:
            unread.append(f"{file}: {error}")
    console.print(Text(f"Marks of {len(changes)} submissions by {order.weights}, nothing graded again"))
    _show(console, changes, tasks)
    if order.table is not None:
        write_atomically(order.table, as_csv(changes))
        console.print(Text(f"{order.table} has all of it."))
    for line in unread:
        console.print(Text(f"Left out: {line}", style="magenta"))
    return 1 if unread else 0


def change(result: SubmissionResult, tasks: Manifest) -> Change:
    """What a submission's marks would be.

    Raises:
        ValueError: it was not graded, or by checks that this manifest does not have.
    """
    if not result.has_mark:
        raise ValueError("it has no mark")
    before, after, causes = {}, {}, []
    for was in result.tasks:
        task = tasks.task(was.task)
        if unknown := {line.check for line in was.checks} - {check.id for check in task.checks} - {WHOLE}:
            raise ValueError(f"it has checks that the manifest does not know: {', '.join(sorted(unknown))}")
        now = marks.again(task, was, tasks)  # an override stays what it is
        before[was.task], after[was.task] = was.points, now.points
        costs = {line.check: line.deduction for line in was.checks}
        causes += [line.check for line in now.checks if line.deduction != costs.get(line.check, 0.0)]
    return Change(result.name, before, after, tuple(causes))


def as_csv(changes: Sequence[Change]) -> str:
    """One row a submission: marks before and after, for each task and in all."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = list(dict.fromkeys(task for one in changes for task in one.before))
    heads = [f"{task} {when}" for task in [*names, "total"] for when in ("before", "after")]
    writer.writerow(["submission", *heads, "difference"])
    for one in changes:
        row = [spreadsheet_cell(one.name)]
        for task in names:
            row += [number(one.before.get(task, 0.0)), number(one.after.get(task, 0.0))]
        row += [number(sum(one.before.values())), number(sum(one.after.values())), number(one.difference)]
        writer.writerow(row)
    return out.getvalue()


def _files(paths: Sequence[Path]) -> list[Path]:
    """The results.json in or below the paths."""
    found = sorted(
        {file for path in paths for file in ([path] if path.is_file() else path.rglob("results.json"))}
    )
    if not found:
        shown = ", ".join(map(str, paths))
        raise UsageError(f"there is no results.json in {shown}", fix="Grade first: nox -s grade -- CLASS")
    return found


def _read(file: Path) -> SubmissionResult:
    """A result as `grade` recorded it; ValueError if it is none of this kit's."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))["extra_data"]
        return SubmissionResult.model_validate({k: v for k, v in record.items() if k != "provisional"})
    except ValidationError as error:
        raise ValueError(f"not a result of this kit: {explained(error)}") from error
    except (KeyError, TypeError) as error:
        raise ValueError("not a result of this kit") from error


def _show(console: Console, changes: Sequence[Change], tasks: Manifest) -> None:
    moved = sorted((one for one in changes if one.difference), key=lambda one: -abs(one.difference))
    if not changes:
        return
    table = Table(title="The class", title_justify="left", title_style="bold")
    for head in ("", "mean", "median", "lowest", "highest"):
        table.add_column(head, justify="left" if not head else "right")
    for label, totals in (
        ("before", [sum(one.before.values()) for one in changes]),
        ("after", [sum(one.after.values()) for one in changes]),
    ):
        row = (mean(totals), median(totals), min(totals), max(totals))
        table.add_row(label, *(number(round(value, 2)) for value in row))
    console.print(table)
    if not moved:
        console.print("No mark changes.")
        return
    table = Table(
        title=f"{len(moved)} of {len(changes)} marks change", title_justify="left", title_style="bold"
    )
    for head in ("submission", "before", "after", "difference", "tasks", "mistakes that cost something else"):
        table.add_column(head, justify="right" if head in ("before", "after", "difference") else "left")
    for one in moved[:_LARGEST_SHOWN]:
        where = [task for task, points in one.after.items() if points != one.before[task]]
        table.add_row(
            Text(one.name),
            number(sum(one.before.values())),
            number(sum(one.after.values())),
            f"{one.difference:+g}",
            ", ".join(where),
            ", ".join(one.causes),
        )
    console.print(table)
    if len(moved) > _LARGEST_SHOWN:
        console.print(f"and {len(moved) - _LARGEST_SHOWN} smaller ones; --table FILE writes all of them.")
