"""Details of single layouts that decide whose work something is."""

from pathlib import Path

import pytest

from grader.intake import read
from grader.intake.layouts.base import after_shared
from tests.grader.intake.trees import MODULES, RIGHT, write


class TestSharedBeginning:
    """What all names have in common comes off, whole words of it alone."""

    @pytest.mark.parametrize(
        ("names", "found"),
        [
            (["lab-jane", "lab-john"], ["jane", "john"]),
            (["lab-3-ann", "lab-3-anna"], ["ann", "anna"]),
            (["jane", "john"], ["jane", "john"]),
            (["lab-", "lab-x"], ["lab-", "x"]),
            (["lab-jane"], ["lab-jane"]),
            ([], []),
        ],
    )
    def test_after_it(self, names: list[str], found: list[str]) -> None:
        assert [after_shared(names, "-_")[name] for name in names] == found


class TestOneStudentOfAPlatform:
    """A class of one is read like any."""

    @pytest.mark.parametrize(
        ("entry", "key"),
        [
            ("doejane_12345_1_evaluation.py", "12345"),
            ("doe_jane_LATE_12345_1_evaluation.py", "12345"),
            ("anon_aB3x9_LATE_77_evaluation.py", "aB3x9"),
            ("Lab 1_jdoe_attempt_2026-11-20-10-00-00_evaluation.py", "jdoe"),
            ("Jane Doe_12_assignsubmission_file_/evaluation.py", "12"),
            ("5-7 - Jane Doe - November 20, 2026 10:00 AM/evaluation.py".replace(":", ""), "5"),
        ],
    )
    def test_key(self, tmp_path: Path, entry: str, key: str) -> None:
        (one,) = read([write(tmp_path / "c", {entry: RIGHT})], MODULES).handed_in
        assert [student.key for student in one.students] == [key]
        assert not one.problem


class TestWhatIsNotNamedSo:
    """Beside a platform's files, work is somebody's and the rest is named."""

    def test_in_a_canvas_download(self, tmp_path: Path) -> None:
        files = {
            **{f"s{i}_{i}_1_evaluation.py": RIGHT for i in range(3)},
            "by mail/evaluation.py": RIGHT,
            "empty/notes.txt": "",
            "evaluation.py": RIGHT,
        }
        found = read([write(tmp_path / "c", files)], MODULES)
        assert found.layout == "canvas"
        mail = next(one for one in found.handed_in if one.name == "by mail")
        assert "not named as in a Canvas download" in mail.notes[0]
        assert [line.split(":")[0] for line in found.left_out] == ["empty", "evaluation.py"]
