"""A format that is registered is written with every run; nothing else has to know of it."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from grader import exporters, intake
from grader.commands import grade
from grader.exporters import Exporter, Registry
from grader.exporters.drawing import Drawings
from grader.exporters.gradescope import Gradescope
from grader.exporters.marks_csv import MarksCsv
from grader.exporters.terminal import TextReport
from grader.results.record import SubmissionResult

ROOT = Path(__file__).resolve().parents[3]


class Points(Exporter):
    """A format of somebody else: the points as plain text, for one submission and for a class."""

    name = "points"

    def write_submission(self, result: SubmissionResult, folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "points.txt").write_text(str(result.points) if result.has_mark else "none")
        return [folder / "points.txt"]

    def write_class(self, results: Sequence[SubmissionResult], folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "points-of-all.txt").write_text(" ".join(result.name for result in results))
        return [folder / "points-of-all.txt"]


class Nothing(Exporter):
    """A format that has no files."""

    name = "nothing"


class TestRegistry:
    """Registry."""

    def test_a_name_is_taken_once(self) -> None:
        """A second exporter of the same name would overwrite the first one's files."""
        with pytest.raises(ValueError, match="exporter 'points' already"):
            Registry([Points(), Points()])

    def test_what_is_not_registered_writes_nothing(self, graded: SubmissionResult, tmp_path: Path) -> None:
        empty = Registry()
        assert empty.write_submission(graded, tmp_path) == []
        assert empty.write_class([graded], tmp_path) == []
        assert list(tmp_path.iterdir()) == []

    def test_another_format_is_called(
        self, graded: SubmissionResult, let_down: SubmissionResult, tmp_path: Path
    ) -> None:
        """For each submission in a folder of its own, and for the class above them."""
        registry = Registry([Nothing()])
        registry.register(Points())
        assert registry.write_submission(graded, tmp_path) == [tmp_path / "alice" / "points.txt"]
        assert registry.write_submission(let_down, tmp_path) == [tmp_path / "bob" / "points.txt"]
        assert registry.write_class([graded, let_down], tmp_path) == [tmp_path / "points-of-all.txt"]
        assert (tmp_path / "alice" / "points.txt").read_text() == "5.5"
        assert (tmp_path / "bob" / "points.txt").read_text() == "none"
        assert (tmp_path / "points-of-all.txt").read_text() == "alice bob"

    def test_those_of_every_run(self) -> None:
        """The formats that are documented, in the order in which they are written."""
        kinds = [type(one) for one in exporters.registry]
        assert kinds == [Gradescope, TextReport, Drawings, MarksCsv]

    def test_no_submission_has_the_name_of_a_file(self, graded: SubmissionResult, tmp_path: Path) -> None:
        """What lies beside the submissions' folders is known to intake, which names folders otherwise."""
        written = {path.name for path in exporters.registry.write_class([graded], tmp_path)}
        assert written
        assert written <= intake.RESERVED


class TestWritten:
    """The files that every run leaves."""

    def test_a_submission(self, graded: SubmissionResult, tmp_path: Path) -> None:
        written = exporters.registry.write_submission(graded, tmp_path)
        assert [path.name for path in written] == ["results.json", "report.txt"]
        assert sorted(written) == sorted((tmp_path / "alice").iterdir())

    def test_a_class(self, graded: SubmissionResult, tmp_path: Path) -> None:
        assert exporters.registry.write_class([graded], tmp_path) == [tmp_path / "marks.csv"]

    def test_no_mark_no_results(
        self, graded: SubmissionResult, let_down: SubmissionResult, tmp_path: Path
    ) -> None:
        """results.json of an earlier run goes with the mark, and comes back with it."""
        exporters.registry.write_submission(graded.model_copy(update={"name": "bob"}), tmp_path)
        exporters.registry.write_submission(let_down, tmp_path)
        folder = tmp_path / "bob"
        assert not (folder / "results.json").exists()
        assert "score" not in json.loads((folder / "not-graded.json").read_text("utf-8"))
        exporters.registry.write_submission(graded.model_copy(update={"name": "bob"}), tmp_path)
        assert not (folder / "not-graded.json").exists()
        assert json.loads((folder / "results.json").read_text("utf-8"))["score"] == 5.5


class TestGrade:
    """grade.grade, with a format of somebody else."""

    def test_it_is_written_with_the_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two empty submissions: no probe runs and no network is trained, and every format is written."""
        monkeypatch.setattr(exporters, "registry", Registry([*exporters.registry, Points()]))
        for name in ("anna", "ben"):
            (tmp_path / "class" / name).mkdir(parents=True)
            (tmp_path / "class" / name / "notes.txt").write_text("nothing was written")
        order = grade.Order(
            [tmp_path / "class"], "offline", "none", seed=1, out=tmp_path / "out", trust=True, workers=1
        )
        grade.grade(ROOT, Console(quiet=True), order)
        out = tmp_path / "out"
        assert (out / "points-of-all.txt").read_text() == "anna ben"
        assert {path.parent.name for path in out.glob("*/points.txt")} == {"anna", "ben"}
        assert (out / "marks.csv").exists()
