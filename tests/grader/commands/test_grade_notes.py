"""What was not plain when a class was read is listed after the first line, and stands in each report."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STUDENTS = 22


@pytest.fixture
def a_class(tmp_path: Path) -> Path:
    """Stubs as they were handed out, which need no probe, under another name; one with a text besides."""
    folder = tmp_path / "class"
    for number in range(STUDENTS):
        own = folder / f"Student {number:02d}_{number + 100}_assignsubmission_file_"
        own.mkdir(parents=True)
        shutil.copy(ROOT / "assignment" / "evaluation.py", own / "evaluation (1).py")
    (folder / "Student 00_100_assignsubmission_onlinetext_").mkdir()
    return folder


@pytest.mark.slow
def test_notes(a_class: Path, tmp_path: Path) -> None:
    """As many as fit on a screen, by the names that the table has; of one alone, above its marks only."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "grader", "grade", "--profile", "offline", "--engine", "none", "--trust"]
    done = subprocess.run(
        [*command, str(a_class), "--out", str(out)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == f"Moodle download: {STUDENTS} students."
    notes = lines[: lines.index(next(line for line in lines if line.startswith("Grading")))]
    whole = " ".join(" ".join(notes).split())
    assert (
        "Student 00: There is a text typed into Moodle as well: Student 00_100_assignsubmission_on" in whole
    )
    assert whole.count("evaluation (1).py was graded as evaluation.py.") == 19
    assert notes[-1] == "  and 3 more notes, in each report.txt"
    for number in range(STUDENTS):
        (report,) = out.glob(f"Student {number:02d}*/report.txt")
        text = report.read_text(encoding="utf-8")
        assert "evaluation (1).py was graded as evaluation.py." in text
        assert ("typed into Moodle" in text) == (number == 0)
