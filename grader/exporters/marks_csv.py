"""A class as CSV: a row a submission, a column a task, and what an instructor should know of the row."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from grader.exporters.base import Exporter
from grader.exporters.terminal import number
from grader.results.record import Status, SubmissionResult
from grader.text import spreadsheet_cell
from lab.files import write_atomically


class MarksCsv(Exporter):
    """marks.csv."""

    name = "marks"

    def write_class(self, results: Sequence[SubmissionResult], folder: Path) -> list[Path]:
        """Writes the table."""
        path = folder / "marks.csv"
        write_atomically(path, marks_csv(results))
        return [path]


def marks_csv(results: Sequence[SubmissionResult]) -> str:
    """The marks; a submission that was not graded has empty cells and says why, never a zero."""
    tasks = next((result.tasks for result in results if result.tasks), ())
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["submission", *(task.task for task in tasks), "total", "out of", "status", "remark"])
    for result in results:
        row: list[str] = [spreadsheet_cell(result.name)]
        if not result.has_mark:
            faults = (c.message for t in result.tasks for c in t.checks if c.status is Status.FAULT)
            row += [""] * (len(tasks) + 2) + [
                "not graded",
                spreadsheet_cell(result.problem or next(faults, "")),
            ]
        else:
            row += [number(task.points) for task in result.tasks]
            row += [number(result.points), number(result.max_points)]
            row += ["provisional" if result.run.provisional else "graded", spreadsheet_cell(_remark(result))]
        writer.writerow(row)
    return out.getvalue()


def _remark(result: SubmissionResult) -> str:
    """Which marks one training did not decide, and why all of them are provisional if they are."""
    close = [
        f"{task.task} {check.check}"
        for task in result.tasks
        for check in task.checks
        if len(check.data.get("accuracies", ())) > 1
    ]
    remarks = [f"close, decided by three trainings: {', '.join(close)}"] if close else []
    if result.run.provisional:
        remarks.append(f"provisional: {result.run.provisional_because}")
    return ". ".join(remarks)
