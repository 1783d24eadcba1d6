"""Only what came out right is a figure."""

import json
from pathlib import Path

import pytest

from grader.benchmark.figures import commands
from grader.benchmark.measuring import CommandFailed, Sample


def write(folder: Path, *tests: tuple[str, float, float]) -> Path:
    listed = [{"tags": [task, "check"], "score": score, "max_score": most} for task, score, most in tests]
    (folder / "results.json").write_text(json.dumps({"tests": listed}))
    return folder


class TestMarked:
    """_marked."""

    def test_tasks_that_are_not_handed_in_do_not_count(self, tmp_path: Path) -> None:
        commands._marked(write(tmp_path, ("alexnet", 5, 5), ("resnet", 4, 4), ("evaluation", 0, 15)), 1.0)
        commands._marked(write(tmp_path, ("alexnet", 0, 5), ("resnet", 0, 4)), 0.0)

    @pytest.mark.parametrize("tests", [[("alexnet", 4, 5)], [("evaluation", 15, 15)], []])
    def test_wrong(self, tmp_path: Path, tests: list[tuple[str, float, float]]) -> None:
        """A point short, or nothing of the task at all."""
        with pytest.raises(CommandFailed, match="points where"):
            commands._marked(write(tmp_path, *tests), 1.0)

    def test_no_results(self, tmp_path: Path) -> None:
        with pytest.raises(CommandFailed, match="no marks"):
            commands._marked(tmp_path, 1.0)


class TestHolds:
    """_holds."""

    def test_right_and_wrong(self) -> None:
        right = Sample(1.0, 1.0, 1.0, printed="Next: nothing more in Preprocessing: every check passes.")
        assert commands._holds(right) is right
        with pytest.raises(CommandFailed, match="does not find the solutions right"):
            commands._holds(Sample(1.0, 1.0, 1.0, printed="Next: write top_k_accuracy"))
