"""`grade` where a disk is full or cannot be written: what is wrong is shown, and nothing is lost.

Each disk is a file system of its own in memory, so that these need the right to mount one.
"""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from grader import gradebook
from grader.commands.grade import Order
from grader.commands.grade import grade as graded
from grader.training import executors
from tests.grader import measured
from tests.grader.training.tiny import FINISH, Doing

ROOT = Path(__file__).parents[3]
TASK = "def confusion_matrix(labels, predictions, num_classes):\n    return {value}\n"
STUDENTS = 4
AGAIN = "it goes on from there"
pytestmark = pytest.mark.slow


class Disk:
    """A small disk that is mounted on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        done = _mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", folder)
        if done.returncode:
            folder.rmdir()
            pytest.skip(f"no disk can be mounted here: {done.stderr.decode().strip()}")

    def change(self, options: str) -> None:
        done = _mount("-o", f"remount,{options}", self.folder)
        assert done.returncode == 0, done.stderr

    def fill(self) -> None:
        """Leaves no room at all."""
        used = sum(path.stat().st_blocks * 512 for path in self.folder.rglob("*") if path.is_file())
        self.change(f"size={max(used, 4096)}")


def _mount(*arguments: object) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk")
    yield made
    subprocess.run(["umount", "--lazy", str(made.folder)], check=True)


@pytest.fixture
def a_class(tmp_path: Path) -> Path:
    """A few students with different work, each probed without TensorFlow."""
    for number in range(STUDENTS):
        own = tmp_path / "class" / f"student{number}"
        own.mkdir(parents=True)
        (own / "evaluation.py").write_text(TASK.format(value=number) + f"\n# {tmp_path}\n", encoding="utf-8")
    return tmp_path / "class"


def grade(folder: Path, out: Path, tmp: Path | None = None) -> tuple[int, str]:
    """Its exit code, and what it shows, on one line; never a traceback."""
    command = [sys.executable, "-m", "grader", "grade", "--profile", "offline", "--seed", "5"]
    done = subprocess.run(
        [*command, "--engine", "none", "--trust", str(folder), "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, **({"TMPDIR": str(tmp)} if tmp else {})},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def marks(out: Path) -> dict[str, str]:
    """By student the record of the mark that counts; the chain is unbroken."""
    with gradebook.read(out) as book:
        assert book.verify() is None
        return {key: one.mark.at for key, one in book.current().items() if one.mark}


class TestResults:
    """The folder of results."""

    @pytest.mark.parametrize("size", ["40k", "300k"])
    def test_full(self, size: str, disk: Disk, a_class: Path) -> None:
        """At the start, or on the way. What has a mark by then keeps it, and the next run does the rest."""
        out = disk.folder / "out"
        disk.change(f"size={size}")
        code, said = grade(a_class, out)
        assert code == 1
        assert f"{disk.folder.name}/out" in said
        assert "disk" in said or "No space left on device" in said
        assert "run the same command again" in said
        before = {} if size == "40k" else marks(out)
        assert len(before) < STUDENTS
        disk.change("size=64m")
        assert grade(a_class, out)[0] == 0
        after = marks(out)
        assert len(after) == STUDENTS
        assert before.items() <= after.items()
        assert sorted(path.name for path in out.iterdir() if not path.name.startswith("gradebook.")) == [
            "marks.csv",
            *(f"student{number}" for number in range(STUDENTS)),
        ]

    def test_cannot_be_written(self, disk: Disk, a_class: Path) -> None:
        """That is wrong usage, before anything is done; what is there stays as it is."""
        out = disk.folder / "out"
        assert grade(a_class, out)[0] == 0
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        disk.change("ro")
        for place in (out, disk.folder / "another" / "folder"):
            code, said = grade(a_class, place)
            assert code == 2
            assert "nothing can be written in" in said
            assert "Make that folder writable, or name another" in said
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


class TestTemporaryFiles:
    """The folder of temporary files."""

    def test_full(self, disk: Disk, a_class: Path, tmp_path: Path) -> None:
        """It is nobody's work that is at fault: nobody has a mark for it, and the next run grades."""
        disk.change("size=12k")
        code, said = grade(a_class, tmp_path / "out", tmp=disk.folder)
        assert code == 1
        assert f"No space left on device; temporary files lie in {disk.folder}" in said
        assert AGAIN in said
        assert list(disk.folder.iterdir()) == []
        disk.change("size=64m")
        assert grade(a_class, tmp_path / "out", tmp=disk.folder)[0] == 0
        assert len(marks(tmp_path / "out")) == STUDENTS


class TestStores:
    """`.kit`, where probes and trainings are kept."""

    @pytest.mark.parametrize("how", ["full", "cannot be written"])
    def test_costs_no_mark(self, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """All is probed and trained, each result counts, and one line for each store says what is wrong."""
        root = tmp_path / "kit"
        root.mkdir()
        for name in ("assignment", "solutions", "params.yaml", "pyproject.toml"):
            (root / name).symlink_to(ROOT / name)
        measured.save(root, backend="keras 9.9 tensorflow 9.9 cpu", seeds=20)
        (tmp_path / "mine").mkdir()
        source = (ROOT / "solutions" / "resnet.py").read_text(encoding="utf-8")
        (tmp_path / "mine" / "resnet.py").write_text(source.replace('"he_normal"', '"zeros"'))
        monkeypatch.setattr(executors, "choose", lambda *arguments: Doing(FINISH))
        disk = Disk(root / ".kit")
        try:
            (disk.folder / "something").write_bytes(bytes(4096))
            if how == "full":
                disk.fill()
            else:
                disk.change("ro")
            shown = io.StringIO()
            order = Order([tmp_path / "mine"], "offline", "none", 1, tmp_path / "out", True, 2)
            assert graded(root, Console(file=shown, width=200), order) == 0
        finally:
            shutil.rmtree(disk.folder, ignore_errors=True)
            subprocess.run(["umount", "--lazy", str(disk.folder)], check=True)
        said = " ".join(shown.getvalue().split())
        assert said.count("results of trainings cannot be kept in") == 1
        assert said.count("the run goes on, and a later one trains again") == 1
        assert said.count("probes cannot be kept in") == 1
        assert said.count("trained mine: resnet") == 2
        assert list(marks(tmp_path / "out")) == ["mine"]
