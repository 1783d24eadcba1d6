"""`grade --dry-run`: what would be done, with nothing run and nothing written."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox.bubblewrap import BubblewrapEngine

ROOT = Path(__file__).parents[3]
_bubblewrap = BubblewrapEngine().availability()
pytestmark = pytest.mark.skipif(not _bubblewrap.usable, reason=f"no bubblewrap: {_bubblewrap.reason}")


def grade(*arguments: object) -> str:
    """What it shows, on one line."""
    command = [sys.executable, "-m", "grader", "grade", "--profile", "offline", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return " ".join(done.stdout.split())


@pytest.fixture
def a_class(tmp_path: Path) -> Path:
    """One who has written something that nobody else has, one who has not, and one with nothing."""
    folder = tmp_path / "class"
    for name in ("jane", "omar", "zoe"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / "resnet.py", folder / "jane")
    with (folder / "jane" / "resnet.py").open("a", encoding="utf-8") as file:
        file.write(f"\n# {tmp_path}\n")
    shutil.copy(ROOT / "assignment" / "evaluation.py", folder / "omar")
    (folder / "zoe" / "notes.txt").write_text("later", encoding="utf-8")
    return folder


@pytest.mark.slow
def test_before_and_after(a_class: Path, tmp_path: Path) -> None:
    """Before: nothing is known of what is not probed. With the probe stored: its networks are looked up."""
    out = tmp_path / "out"
    before = grade(a_class, "--seed", 3, "--dry-run", "--out", out)
    assert "jane: to be graded: 1 of 5 tasks to be probed" in before
    assert "omar: to be graded: all probes are stored or not needed" in before
    assert "zoe: cannot be graded: no task file: there is notes.txt" in before
    assert "2 to be graded, 0 graded before, 1 that cannot be, of 3" in before
    assert "1 probe on" in before
    assert "what the probes find may have to be trained besides" in before
    assert not out.exists()

    assert "Needs a look: zoe: no task file" in grade(a_class, "--seed", 3, "--out", out)
    files = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    after = grade(a_class, "--dry-run", "--out", out)
    assert "0 to be graded, 2 graded before, 1 that cannot be, of 3" in after
    assert "a few seconds: nothing to probe and nothing to train" in after
    again = grade(a_class, "--dry-run", "--retrain", "--seed", 3, "--out", out)
    assert re.search(r"2 trainings (on \d+ places? \(10 probes|stored)", again), again
    known = grade(a_class, "--dry-run", "--seed", 3, "--out", tmp_path / "another")
    assert "nothing to train (10 probes stored or not needed, 2 trainings known)" in known
    assert {path: path.read_bytes() for path in files} == files  # SQLite may keep its own beside for readers
