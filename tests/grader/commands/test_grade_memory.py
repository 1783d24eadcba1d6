"""What `grade` holds in memory does not grow with the class; `nox -s overnight` measures a whole one."""

import tracemalloc
from pathlib import Path

import pytest
from rich.console import Console

from grader import gradebook
from grader.commands import grade
from grader.sandbox.bubblewrap import BubblewrapEngine

ROOT = Path(__file__).parents[3]
FEW, MANY = 4, 20

_bubblewrap = BubblewrapEngine().availability()


def graded(folder: Path, students: int, out: Path) -> int:
    """Grades a class of copies; returns the most that was allocated at once, in bytes."""
    for number in range(students):
        own = folder / str(students) / f"student{number}"
        own.mkdir(parents=True)
        for module in ("preprocessing.py", "evaluation.py"):
            (own / module).write_bytes((ROOT / "solutions" / module).read_bytes())
    order = grade.Order(
        paths=[folder / str(students)],
        profile="offline",
        engine="auto",
        seed=11,
        out=out,
        trust=True,
        workers=2,
    )
    tracemalloc.start()
    try:
        grade.grade(ROOT, Console(quiet=True), order)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.skipif(not _bubblewrap.usable, reason=f"no bubblewrap: {_bubblewrap.reason}")
def test_no_result_is_kept(tmp_path: Path) -> None:
    """Of many students, whose marks are all taken over from one, not half a result each."""
    graded(tmp_path, 2, tmp_path / "results")
    few, many = (graded(tmp_path, students, tmp_path / "results") for students in (FEW, MANY))
    with gradebook.read(tmp_path / "results") as book:
        marks = book.entries(kind="mark")
        assert len({entry.name for entry in marks}) == MANY
        tracemalloc.start()
        result = book.result(marks[-1].number)
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert result is not None
    assert (many - few) / (MANY - FEW) < size / 2
