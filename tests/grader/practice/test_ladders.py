"""Help in steps: the course's file, how it is read, and that it gives no line of the solution away."""

import ast
from pathlib import Path

import pytest

from grader.config import manifest
from grader.errors import ManifestError
from grader.practice.ladders import Progress, load
from grader.practice.memory import Memory

ROOT = Path(__file__).parents[3]
MANIFEST = manifest.load(ROOT / "solutions" / "tasks.toml")
WRITTEN = (ROOT / "solutions" / "hints.toml").read_text(encoding="utf-8")


class TestTheCoursesOwn:
    """solutions/hints.toml."""

    def test_every_function_has_three_steps_at_least(self) -> None:
        found = load(ROOT / "solutions" / "hints.toml", MANIFEST)
        assert set(found) == {function for task in MANIFEST.tasks for function in task.functions}
        assert min(len(ladder.steps) for ladder in found.values()) >= 3

    def test_no_step_is_a_line_of_the_solution(self) -> None:
        said = " ".join(WRITTEN.split())
        given_away = [line for line in solution_lines() if line in said]
        assert given_away == []

    def test_the_comparison_can_fail(self) -> None:
        line = "order = np.random.default_rng(seed).permutation(num_examples)"
        assert line in solution_lines()


class TestLoad:
    """What is wrong with a file is named."""

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("[resnet.build_resnet]", "[resnet.build_resnets]", r"\[resnet.build_resnet\] is missing"),
            ("[evaluation.top_k_accuracy]", "[evaluation.top_k]", r"\[evaluation.top_k\] is of no function"),
            ("steps = [", "steps = 3 #", "is not TOML"),
        ],
    )
    def test_refused(self, tmp_path: Path, old: str, new: str, says: str) -> None:
        path = tmp_path / "hints.toml"
        path.write_text(WRITTEN.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ManifestError, match=says):
            load(path, MANIFEST)

    def test_too_few_steps(self, tmp_path: Path) -> None:
        path = tmp_path / "hints.toml"
        path.write_text('[alexnet.build_alexnet]\nsteps = ["only one, of some length"]\n')
        with pytest.raises(ManifestError, match="alexnet"):
            load(path, MANIFEST)


class TestProgress:
    """How far a student went."""

    def test_one_more_each_time_and_the_last_again(self, tmp_path: Path) -> None:
        progress = Progress(Memory(tmp_path, tmp_path / "assignment"))
        parts = [("check", 1), ("function", 2)]
        assert [progress.next(parts, again=False) for _ in range(4)] == [(0, 0), (1, 0), (1, 1), (1, 1)]
        assert progress.next(parts, again=True) == (0, 0)

    def test_another_failure_is_shown_first(self, tmp_path: Path) -> None:
        progress = Progress(Memory(tmp_path, tmp_path / "assignment"))
        for _ in range(2):
            progress.next([("function", 3)], again=False)
        assert progress.next([("a new failure", 1), ("function", 3)], again=False) == (0, 0)
        assert progress.next([("a new failure", 1), ("function", 3)], again=False) == (1, 2)

    def test_what_cannot_be_read_or_written_is_not_in_the_way(self, tmp_path: Path) -> None:
        (tmp_path / ".kit").write_text("a file where a folder should be")
        progress = Progress(Memory(tmp_path, tmp_path / "assignment"))
        assert progress.next([("function", 3)], again=False) == (0, 0)


def solution_lines() -> set[str]:
    """Every line of code of more than 25 characters that a solution has and a stub has not."""
    lines: set[str] = set()
    for task in MANIFEST.tasks:
        source = (ROOT / "solutions" / task.module).read_text(encoding="utf-8")
        whole = source.splitlines()
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                for line in whole[body[0].lineno - 1 : node.end_lineno]:
                    lines.add(" ".join(line.split()))
    return {line for line in lines if len(line) > 25}
