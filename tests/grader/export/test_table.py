"""marks.csv: a row a submission, safe to open in a spreadsheet."""

import csv

from grader.export.table import marks_csv
from grader.record import SubmissionResult


def rows(*results: SubmissionResult) -> list[dict[str, str]]:
    """The CSV as a spreadsheet reads it."""
    return list(csv.DictReader(marks_csv(results).splitlines()))


class TestMarks:
    def test_a_row_a_submission(self, graded: SubmissionResult) -> None:
        """Points by task, total, and whether they are final."""
        (row,) = rows(graded)
        assert row["submission"] == "alice"
        assert row["alexnet"] == row["total"] == "5.5"
        assert row["status"] == "provisional"

    def test_fault_has_no_number(self, let_down: SubmissionResult) -> None:
        """Not graded is an empty cell, never a zero."""
        (row,) = rows(let_down)
        assert row["alexnet"] == row["total"] == ""
        assert "SIGKILL" in row["remark"]

    def test_formula_is_text(self, graded: SubmissionResult) -> None:
        """A submission called like a formula does not become one."""
        (row,) = rows(graded.model_copy(update={"name": "=cmd|' /C calc'!A0"}))
        assert row["submission"].startswith("'=")
