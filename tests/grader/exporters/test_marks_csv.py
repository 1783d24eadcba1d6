"""marks.csv: a row a submission, safe to open in a spreadsheet."""

import csv

from grader.exporters.marks_csv import marks_csv
from grader.results.record import SubmissionResult


def rows(*results: SubmissionResult) -> list[dict[str, str]]:
    """The CSV as a spreadsheet reads it."""
    return list(csv.DictReader(marks_csv(results).splitlines()))


class TestMarks:
    def test_a_row_a_submission(self, graded: SubmissionResult) -> None:
        """Points by task, total, and whether they are final."""
        (row,) = rows(graded)
        assert row["student"] == "alice"
        assert row["alexnet"] == row["total"] == "5.5"
        assert row["status"] == "provisional"
        assert row["remark"] == "provisional: drawn images"

    def test_fault_has_no_number(self, let_down: SubmissionResult) -> None:
        """Not graded is an empty cell, never a zero."""
        (row,) = rows(let_down)
        assert row["alexnet"] == row["total"] == ""
        assert "SIGKILL" in row["remark"]

    def test_formula_is_text(self, graded: SubmissionResult) -> None:
        """A submission called like a formula does not become one."""
        (row,) = rows(graded.model_copy(update={"name": "=cmd|' /C calc'!A0"}))
        assert row["student"].startswith("'=")

    def test_formula_behind_a_semicolon_is_text(self, let_down: SubmissionResult) -> None:
        """Where the system's list separator is a semicolon, a spreadsheet would begin a cell there."""
        problem = "a;=cmd|' /C calc'!A0 is larger than the zip says"
        (row,) = rows(let_down.model_copy(update={"problem": problem}))
        assert row["remark"] == "a, =cmd|' /C calc'!A0 is larger than the zip says"
        assert ";" not in marks_csv([let_down])

    def test_full_width_formula_is_text(self, graded: SubmissionResult) -> None:
        """East Asian settings take a full-width equals sign for one."""
        (row,) = rows(graded.model_copy(update={"name": "\uff1d1+1"}))
        assert row["student"].startswith("'")
