"""A drawing shows what differs, and text of a submission stays text."""

from pathlib import Path
from xml.etree import ElementTree

from grader.exporters import drawing, gradescope, terminal
from grader.results.record import Drawing, DrawnRow, Status, SubmissionResult

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = Drawing(
    title="build_alexnet(7)",
    rows=(
        DrawnRow(found="flatten", wanted="flatten", differs=False),
        DrawnRow(found="", wanted="batch normalisation", differs=True),
        DrawnRow(found="<script>alert(1)</script>\x1b[31m", wanted="ReLU", differs=False),
    ),
    cut=(True, False),
)


def with_drawing(result: SubmissionResult) -> SubmissionResult:
    """The failed check of a result with the drawing."""
    (task,) = result.tasks
    checks = tuple(
        one.model_copy(update={"drawing": DRAWN}) if one.status is Status.FAILED else one
        for one in task.checks
    )
    return result.model_copy(update={"tasks": (task.model_copy(update={"checks": checks}),)})


class TestTable:
    """For terminals and text files."""

    def test_the_difference_is_marked(self) -> None:
        lines = terminal.as_text([drawing.table(DRAWN)]).splitlines()
        (marked,) = [line for line in lines if "≠" in line]
        assert marked.split() == ["≠", "–", "batch", "normalisation"]
        assert sum("…" in line for line in lines) == 1  # cut before, not after

    def test_in_results(self, graded: SubmissionResult) -> None:
        result = with_drawing(graded)
        assert "≠" in terminal.as_text([terminal.submission(result)])
        outputs = [test["output"] for test in gradescope.results(result)["tests"]]
        assert sum("≠" in output for output in outputs) == 1
        assert not any("\x1b" in output for output in outputs)


class TestSvg:
    """For browsers."""

    def test_it_is_a_picture_of_both(self) -> None:
        picture = ElementTree.fromstring(drawing.svg(DRAWN))
        words = [text.text for text in picture.iter(f"{SVG}text")]
        assert words.count("flatten") == 2
        assert "nothing" in words
        assert "≠" in words
        assert len(list(picture.iter(f"{SVG}rect"))) == 1 + 2 * len(DRAWN.rows)

    def test_nothing_of_a_submission_becomes_markup(self) -> None:
        assert not list(ElementTree.fromstring(drawing.svg(DRAWN)).iter(f"{SVG}script"))

    def test_old_pictures_go(self, graded: SubmissionResult, tmp_path: Path) -> None:
        result = with_drawing(graded)
        (written,) = drawing.Drawings().write_submission(result, tmp_path)
        assert written.name == "drawing-alexnet-second.svg"
        assert drawing.Drawings().write_submission(graded, tmp_path) == []
        assert list(tmp_path.iterdir()) == []
