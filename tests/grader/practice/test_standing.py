"""What is different since the last check, and what is open in all tasks."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.config import manifest
from grader.practice.memory import Memory
from grader.practice.standing import Checked, Standing, digest
from grader.results.record import Status

ROOT = Path(__file__).parents[3]
MANIFEST = manifest.load(ROOT / "solutions" / "tasks.toml")
PASSED, FAILED, TO_WRITE = Status.PASSED, Status.FAILED, Status.NOT_ATTEMPTED


def standing(statuses: Mapping[str, Status], rest: Status = PASSED, file: str = "") -> Standing:
    """Of preprocessing: these checks, and all others alike."""
    checks = [c.id for c in MANIFEST.task("preprocessing").checks if not c.train]
    return Standing({"preprocessing": Checked(file, {c: statuses.get(c, rest) for c in checks})})


class TestSince:
    """What is different."""

    def test_fixed(self) -> None:
        before = standing({"split.size": FAILED, "split.seeded": FAILED})
        assert standing({}).since(before, MANIFEST) == [
            "split_indices: fixed since last time",
            "2 more checks pass",
        ]

    def test_worse_comes_last(self) -> None:
        before = standing({"one_hot.values": FAILED})
        said = standing({"split.size": FAILED}).since(before, MANIFEST)
        assert said == [
            "one_hot: fixed since last time",
            "split_indices: 1 of its checks passed last time and fails now",
        ]

    def test_written(self) -> None:
        said = standing({}, TO_WRITE).since(standing({}, TO_WRITE), MANIFEST)
        assert said == []
        said = standing({"split.size": FAILED}, PASSED).since(standing({}, TO_WRITE), MANIFEST)
        assert said[0].startswith("split_indices, channel_statistics")
        assert "written since last time" in said[0]

    def test_a_broken_file_is_one_thing(self) -> None:
        broken = Standing({"preprocessing": Checked("", {"split.form": FAILED}, broken=True)})
        assert broken.since(standing({}), MANIFEST) == [
            "preprocessing.py: none of its functions can be called any more"
        ]

    def test_nothing_is_known_of_before(self) -> None:
        assert standing({}).since(Standing(), MANIFEST) == []


class TestOpen:
    """What is to be done in all tasks, whichever were checked."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        shutil.copytree(ROOT / "assignment", tmp_path / "work")
        shutil.copy(ROOT / "solutions" / "preprocessing.py", tmp_path / "work")
        shutil.copy(ROOT / "solutions" / "resnet.py", tmp_path / "work")
        return tmp_path / "work"

    def test_counts(self, folder: Path) -> None:
        known = standing({"split.size": FAILED}, file=digest(folder / "preprocessing.py"))
        said = known.open(MANIFEST, folder).in_words()
        # Untouched: alexnet 1, wide_resnet 1, evaluation 3.
        assert said == (
            "Open in all tasks: 5 functions to write, 1 check to fix; changed since the last check: resnet.py"
        )

    def test_a_changed_file_is_not_known(self, folder: Path) -> None:
        known = standing({}, file="another")
        assert "preprocessing.py" in known.open(MANIFEST, folder).unknown
        assert not known.open(MANIFEST, folder).nothing


class TestKept:
    """What is remembered."""

    def test_read_back(self, tmp_path: Path) -> None:
        memory = Memory(tmp_path, tmp_path / "work")
        known = standing({"split.size": FAILED}, file="abc")
        known.write(memory)
        assert Standing.read(memory) == known
        assert Standing.read(Memory(tmp_path, tmp_path / "other")) == Standing()

    @pytest.mark.parametrize(
        "content", ["", "[]", "{", '{"resnet": 3}', '{"resnet": {"checks": {"a": "b"}}}']
    )
    def test_whatever_lies_there(self, tmp_path: Path, content: str) -> None:
        memory = Memory(tmp_path, tmp_path / "work")
        standing({}).write(memory)
        (written,) = (tmp_path / ".kit" / "practice").glob("*/checks.json")
        written.write_text(content)
        assert not any(one.statuses for one in Standing.read(memory).tasks.values())
