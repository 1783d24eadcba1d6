"""A class as CSV: a row a student, a column a task, and what an instructor should know of the row."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from grader.exporters.base import Exporter
from grader.exporters.terminal import in_words, number
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
    heads = ("total", "out of", "status", "remark", "key", "folder")
    writer.writerow(["student", *(task.task for task in tasks), *heads])
    for result in results:
        row: list[str] = [spreadsheet_cell(result.shown)]
        if not result.has_mark:
            faults = (c.message for t in result.tasks for c in t.checks if c.status is Status.FAULT)
            row += [""] * (len(tasks) + 2) + ["not graded"]
            row.append(spreadsheet_cell(". ".join([result.problem or next(faults, ""), *result.notes])))
        else:
            counts = result.counts.tasks if result.counts else {}
            row += [number(counts.get(task.task, task.points)) for task in result.tasks]
            row += [number(result.score), number(result.out_of)]
            row += [_status(result), spreadsheet_cell(_remark(result))]
        row += [spreadsheet_cell(result.key or result.name), spreadsheet_cell(result.name)]
        writer.writerow(row)
    return out.getvalue()


def _status(result: SubmissionResult) -> str:
    if result.not_renewed:
        return "not renewed"
    return "provisional" if result.run.provisional else "graded"


def _remark(result: SubmissionResult) -> str:
    """Why a mark is an earlier one, what a person changed, which marks one training did not decide, and why
    all of them are provisional if they are.
    """
    close = [
        f"{task.task} {check.check}"
        for task in result.tasks
        for check in task.checks
        if len(check.data.get("accuracies", ())) > 1
    ]
    remarks = [f"an earlier mark, not renewed: {result.not_renewed}"] if result.not_renewed else []
    if result.counts is not None:
        remarks += [result.counts.rule, *result.counts.look]
    elif result.provenance is not None and result.provenance.late:
        remarks.append("handed in late")
    remarks += result.notes
    remarks += [f"{task.task}: {said}" for task in result.tasks if (said := in_words(task))]
    remarks += [f"close, decided by three trainings: {', '.join(close)}"] if close else []
    if result.run.provisional:
        remarks.append(f"provisional: {result.run.provisional_because}")
    return ". ".join(remarks)
