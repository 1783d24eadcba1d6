"""The class that is graded overnight: the same each time, and read as what it was written as."""

import hashlib
from pathlib import Path

from grader import intake
from grader.config import manifest
from tests.overnight import a_class

ROOT = Path(__file__).parents[2]
MODULES = [task.module for task in manifest.load(ROOT / "solutions" / "tasks.toml").tasks]


def digest(folder: Path) -> str:
    """Of all names and bytes."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        a_class.write(tmp_path / name, students=24, seed=seed)
    assert digest(tmp_path / "one") == digest(tmp_path / "again") != digest(tmp_path / "other")


def test_every_kind_is_there_and_canvas_has_them_all(tmp_path: Path) -> None:
    made = a_class.write(tmp_path / "class", students=60, seed=1)
    assert set(made.kinds.values()) == {"right", *a_class.SHARES}
    (tmp_path / "scratch").mkdir()
    read = intake.read([tmp_path / "class"], MODULES, scratch=tmp_path / "scratch")
    assert read.layout == "canvas"
    keys = [student.key for one in read.handed_in for student in one.students]
    assert sorted(keys) == sorted(made.kinds)
    for one in read.handed_in:
        (student,) = one.students
        assert (len(one.attempts) == 2) == (made.kinds[student.key] == "handed in twice")


def test_only_copies_are_equal(tmp_path: Path) -> None:
    made = a_class.write(tmp_path / "class", students=30, seed=1, distinct=10)
    assert made.counts["copy"] == 20 + max(1, round(a_class.SHARES["copy"] * 10))
    seen: dict[bytes, str] = {}
    for path in sorted((tmp_path / "class").iterdir()):
        key = path.name.split("_")[-3 if "text" not in path.name else -2]
        if made.kinds.get(key, "copy") not in ("copy", "empty") and path.suffix == ".py":
            assert seen.setdefault(path.read_bytes(), key) == key
