"""A class whose grading is killed again and again comes to the gradebook of one that was left alone."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader import gradebook, scratch
from grader.sandbox.bubblewrap import BubblewrapEngine

ROOT = Path(__file__).parents[3]
KILLS = int(os.environ.get("KIT_KILLS", "4"))
SUBMISSION = "def confusion_matrix(labels, predictions, num_classes):\n    return {value}\n"

_bubblewrap = BubblewrapEngine().availability()


def command(folder: Path, out: Path) -> list[str]:
    grade = [sys.executable, "-m", "grader", "grade", str(folder), "--profile", "offline", "--seed", "11"]
    return [*grade, "--out", str(out)]


def started(folder: Path, out: Path, tmp: Path) -> "subprocess.Popen[bytes]":
    """In a session of its own, so that all of the tree can be killed at once."""
    return subprocess.Popen(
        command(folder, out),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp)},
        start_new_session=True,
    )


@pytest.fixture
def a_class(tmp_path: Path) -> Path:
    """Eight students, none like another, so that nothing of one is known from another."""
    folder = tmp_path / "class"
    for number in range(8):
        own = folder / f"student{number}"
        own.mkdir(parents=True)
        (own / "evaluation.py").write_text(SUBMISSION.format(value=number), encoding="utf-8")
        solution = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
        (own / "preprocessing.py").write_text(f"{solution}\n# student {number}, of {tmp_path}\n")
    return folder


def recorded(out: Path) -> dict[str, dict[str, float]]:
    """The points of each student; the chain is unbroken, and no mark stands there twice."""
    with gradebook.read(out) as book:
        assert book.verify() is None
        marks = [(entry.name, entry.body["key"]["files"]) for entry in book.entries(kind="mark")]
        assert len(marks) == len(set(marks))
        return {key: standing.points for key, standing in book.current().items()}


@pytest.mark.slow
@pytest.mark.skipif(not _bubblewrap.usable, reason=f"no bubblewrap: {_bubblewrap.reason}")
def test_killed_at_random_moments(a_class: Path, tmp_path: Path) -> None:
    draw = random.Random(5)
    (tmp_path / "tmp").mkdir()
    for _ in range(KILLS):
        process = started(a_class, tmp_path / "killed", tmp_path / "tmp")
        time.sleep(draw.uniform(0.5, 12))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if (tmp_path / "killed" / gradebook.FILE).is_file():
            with gradebook.read(tmp_path / "killed") as book:
                assert book.verify() is None
    for out in ("killed", "alone"):
        assert started(a_class, tmp_path / out, tmp_path / "tmp").wait(timeout=300) == 0
    killed, alone = recorded(tmp_path / "killed"), recorded(tmp_path / "alone")
    assert killed == alone
    assert len(alone) == 8
    for student in alone:
        one, other = ((tmp_path / out / student / "report.txt").read_text() for out in ("killed", "alone"))
        assert one.splitlines()[:-1] == other.splitlines()[:-1]  # the last line says when
        for name in ("evaluation.py", "preprocessing.py"):
            kept = tmp_path / "killed" / student / "submission" / name
            assert kept.read_bytes() == (a_class / student / name).read_bytes()
    assert not list((tmp_path / "tmp").glob(f"{scratch.PREFIX}*"))  # of the killed, the last run removed all
