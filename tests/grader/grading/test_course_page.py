"""docs/course.md and docs/course.toml.example say what the code does: each example is computed here."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from grader.config import course as config
from grader.config import manifest
from grader.config.course import Course, Late
from grader.errors import UsageError
from grader.grading.course import Mark, what_counts
from grader.grading.lateness import Attempt

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "docs" / "course.toml.example"
MANIFEST = manifest.load(ROOT / "solutions" / "tasks.toml")
TASKS = {task.id: task.points for task in MANIFEST.tasks}
FILE = PAGE.split("```toml\n")[1].split("```")[0]
ROWS = [
    tuple(cell.strip() for cell in line.strip("|\n").split("|"))
    for line in PAGE.split("<!-- examples -->")[1].split("## ")[0].strip().splitlines()[2:]
]


def mark(points: float) -> Mark:
    """One of so many points in all, from the first task on."""
    found = {}
    for task, of in TASKS.items():
        found[task] = (min(points, of), of)
        points -= found[task][0]
    return found


def shown(course: Course, handed_in: str, marked: str) -> str:
    """The last cell of a row."""
    attempts = [
        Attempt(
            number, None if "platform" in at else datetime.strptime(f"2026 {at.strip()}", "%Y %d %b %H:%M:%S")
        )
        for number, at in enumerate(handed_in.split(","), 1)
    ]
    now, _, before = marked.partition(", before a correction ")
    marks = {number: mark(float(points)) for number, points in enumerate(now.split(","), 1)}
    counted = what_counts(
        course, TASKS, ["ada"], attempts, marks, {1: mark(float(before))} if before else None
    )
    return f"{counted.why}; {counted.rule}" if counted.why else counted.rule


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}".strip())
def test_row(row: tuple[str, ...], tmp_path: Path) -> None:
    change, handed_in, marked, expected = row
    # A dotted key of a table that is there already belongs in the table.
    text, change = FILE, change.strip("`")
    if change.startswith("late."):
        text += change.removeprefix("late.") + "\n"
    elif change.startswith("due"):
        text = re.sub("^due = .*", change, text)
    else:
        text = f"{change}\n{text}"
    path = tmp_path / "course.toml"
    path.write_text(text)
    assert shown(config.load(path, list(TASKS)), handed_in, marked) == expected


def test_the_assignment_has_as_many_points_as_the_page_says() -> None:
    assert f"assignment of {MANIFEST.points:g} points" in PAGE


def test_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("course.toml").write_text(FILE.replace('"10%"', "10"))
    with pytest.raises(UsageError) as caught:
        config.load(Path("course.toml"), list(TASKS))
    refusal = PAGE.split("<!-- a refusal -->")[1].split("A file")[0].strip("\n")
    assert str(caught.value) == re.sub("^    ", "", refusal, flags=re.MULTILINE).rstrip()


class TestExample:
    """course.toml.example."""

    def test_is_accepted(self) -> None:
        course = config.load(EXAMPLE, list(TASKS))
        assert sum(course.worth(TASKS).values()) == 100

    def test_has_every_field(self) -> None:
        course = config.load(EXAMPLE, list(TASKS))
        assert course.model_fields_set == set(Course.model_fields)
        assert course.late.model_fields_set == set(Late.model_fields)

    def test_explains_every_field(self) -> None:
        """A comment stands above each."""
        lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
        names = [*Course.model_fields, *Late.model_fields]
        for name in names:
            (place,) = [n for n, line in enumerate(lines) if re.match(rf"{name} =|\[{name}\]", line)]
            below = lines[place + 1] if lines[place].startswith("[") else ""
            assert "#" in (lines[place - 1] + below), name
