"""`nox -s hint` and `nox -s submit`, as real commands."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader import intake
from grader.config import manifest
from grader.handout import submitting
from grader.intake import Source

ROOT = Path(__file__).parents[3]
MODULES = [task.module for task in manifest.load(ROOT / "assignment" / "tasks.toml").tasks]


def grader(*arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Stubs, and a preprocessing.py whose channel_statistics is wrong."""
    shutil.copytree(ROOT / "assignment", tmp_path / "work")
    source = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
    wrong = source.replace("std = images.std(axis=(0, 1, 2), dtype=np.float64) / 255", "std = mean")
    assert wrong != source
    (tmp_path / "work" / "preprocessing.py").write_text(wrong, encoding="utf-8")
    return tmp_path / "work"


class TestHint:
    """A step more each time."""

    def test_begins_with_what_the_check_says_and_goes_on(self, work: Path) -> None:
        call = ("hint", "preprocessing", "--folder", str(work), "--trust")
        first, second = grader(*call), grader(*call)
        assert first.returncode == 0, first.stdout + first.stderr
        assert "channel_statistics, step 1 of" in first.stdout
        assert "This check fails: " in first.stdout
        assert "channel_statistics, step 2 of" in second.stdout
        again = grader(*call, "--again")
        assert again.stdout == first.stdout

    def test_of_a_function_that_is_right(self, work: Path) -> None:
        done = grader("hint", "one_hot", "--folder", str(work), "--trust")
        assert done.stdout.strip() == "No hint is needed for one_hot: its checks pass."

    def test_unknown(self) -> None:
        done = grader("hint", "two_hot")
        assert done.returncode == 2
        assert "there is no task 'two_hot', and no function of that name" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr


class TestSubmit:
    """It writes a zip, whatever the files are."""

    def test_stubs_and_broken_files(self, work: Path, tmp_path: Path) -> None:
        (work / "alexnet.py").write_text("def build_alexnet(:\n")
        (work / "evaluation.py").unlink()
        done = grader("submit", "--folder", str(work), "--to", str(tmp_path / "mine.zip"), "--trust")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Missing: evaluation.py" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        assert files.pop(submitting.NAME)
        assert f"Digest: {submitting.digest(files)}" in done.stdout
        assert set(files) == set(MODULES) - {"evaluation.py"}

    def test_grade_takes_it(self, work: Path, tmp_path: Path) -> None:
        """Every task file is found in it, and the record recognises them."""
        (work / "helpers.py").write_text("NUMBER = 1\n")
        with (work / "alexnet.py").open("a") as file:
            file.write("\nfrom helpers import NUMBER\n")
        grader("submit", "--folder", str(work), "--to", str(tmp_path / "mine.zip"), "--trust")
        (tmp_path / "into").mkdir()
        taken = intake.take_in(Source("mine", tmp_path / "mine.zip"), MODULES, tmp_path / "into")
        assert not taken.missing
        there = {path.name: path.read_bytes() for path in taken.folder.iterdir()}
        assert "helpers.py" in there
        assert submitting.compare(there, there[submitting.NAME]).startswith("The digest")

    def test_twice_gives_the_same_bytes(self, work: Path, tmp_path: Path) -> None:
        written = []
        for name in ("a.zip", "b.zip"):
            grader("submit", "--folder", str(work), "--to", str(tmp_path / name), "--trust")
            written.append((tmp_path / name).read_bytes())
        assert written[0] == written[1]

    def test_no_task_file(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        done = grader("submit", "--folder", str(tmp_path / "empty"), "--trust")
        assert done.returncode == 2
        assert "there is no task file in" in done.stdout
