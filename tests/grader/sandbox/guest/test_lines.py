"""Layers remember where in a submission they were made, and a message names that line."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.config import manifest
from grader.grading.evidence import Evidence, Network
from grader.grading.judging import Case, judge
from grader.tasks.alexnet import probe

ROOT = Path(__file__).parents[4]
HELPED = """\
import keras


def helper(x):
    return keras.layers.Conv2D(2, 3, name="conv")(x)


def build():
    x = keras.Input((8, 8, 3), name="image")
    y = helper(x)
    y = y + y
    inner = keras.Sequential([keras.layers.Flatten(name="flat")])
    return keras.Model(x, inner(y))
"""


def load(path: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Any]:
    """Watching tmp_path, and no longer after the test."""
    from keras.src.ops.operation import Operation

    made = Operation.__new__
    module = load(ROOT / "grader/sandbox/guest/lines.py", "kit_lines")
    watching = module.Lines()
    watching.watch(str(tmp_path))
    yield watching
    Operation.__new__ = made


class TestLines:
    """Lines.of."""

    def test_helper_operator_and_nested_model(self, tmp_path: Path, lines: Any) -> None:
        (tmp_path / "net.py").write_text(HELPED)
        model = load(tmp_path / "net.py", "net").build()
        places = {place["name"]: (place["file"], place["lines"]) for place in lines.of(model)}
        assert places["conv"] == ("net.py", [5, 10])
        assert places["flat"] == ("net.py", [12])
        assert ("net.py", [11]) in places.values()  # x + y is a layer of Keras's own making

    def test_what_is_made_elsewhere_has_no_line(self, lines: Any) -> None:
        import keras

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        assert lines.of(model) == []

    def test_a_model_that_nests_itself_by_name_ends(self, tmp_path: Path, lines: Any) -> None:
        """However often a model is part of others, it is looked at once."""
        text = "import keras\n\n\ndef build():\n    x = y = keras.Input((4,))\n"
        text += "    m = keras.Sequential([keras.layers.Dense(4)])\n"
        text += "    for _ in range(50):\n        y = m(y)\n    return keras.Model(x, y)\n"
        (tmp_path / "net.py").write_text(text)
        assert len(lines.of(load(tmp_path / "net.py", "net").build())) < 60


class TestMessages:
    """From the harness to the words for a student."""

    @pytest.mark.slow
    def test_alexnet(self, tmp_path: Path, processes: Any) -> None:
        solution = (ROOT / "solutions/alexnet.py").read_text()
        edited = solution.replace('padding="same"', 'padding="same" if number > 1 else "valid"')
        (tmp_path / "submission").mkdir()
        (tmp_path / "output").mkdir()
        (tmp_path / "submission" / "alexnet.py").write_text(edited)
        process, _ = processes["keras"]
        process.start(
            *(ROOT / "grader/sandbox/guest/harness.py", "--module", "alexnet.py"),
            *("--probe", ROOT / "grader/tasks/alexnet/probe.py", "--submission", tmp_path / "submission"),
            *("--output", tmp_path / "output", "--seed", 5, "--seconds", 120),
        )
        assert process.wait() == 0
        evidence = Evidence.read(tmp_path / "output")
        network = evidence.calls["default"].value
        assert isinstance(network, Network)
        line = 1 + edited[: edited.index("keras.layers.Conv2D(")].count("\n")
        assert network.made_at["conv1"] == f"alexnet.py, line {line}"
        task = manifest.load(ROOT / "solutions/tasks.toml").task("alexnet")
        verdict = judge(Case(task, evidence, probe.draw(5)))["convolutions"]
        assert verdict.message.endswith(f"has padding 'valid', expected 'same' (alexnet.py, line {line}).")
        assert verdict.drawing
        assert [row.differs for row in verdict.drawing.rows].count(True) == 1
        assert json.loads(verdict.model_dump_json())["drawing"]["cut"] == [False, True]
