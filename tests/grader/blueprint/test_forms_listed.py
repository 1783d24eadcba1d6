"""What the rules say is what the brief and docs/training-form.md say."""

import importlib.util
import json
import math
from pathlib import Path
from types import ModuleType

import pytest

from grader.blueprint import RULES
from grader.blueprint.forms import bounds
from grader.config import manifest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """docs/training_form.py, which writes both lists."""
    spec = importlib.util.spec_from_file_location("training_form_writer", ROOT / "docs" / "training_form.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_as_the_rules_say(writer: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither list has gone its own way."""
    assert writer.main(["--check"]) == 0, capsys.readouterr().out


def test_the_brief_lists_every_rule(writer: ModuleType) -> None:
    """With its bounds: what a student may choose is in one list."""
    listed = " ".join(writer.brief().split())
    for rule in RULES:
        assert rule.open in listed
    for bound in ("0.001 to 15 times", "0.001", "0.99", "1e-08 to 0.01", "up to 0.1", "up to 1"):
        assert bound in listed


def test_the_hints_have_the_bounds() -> None:
    """Where a network does not learn, the hint names what is beyond them."""
    tasks = manifest.load(ROOT / "solutions" / "tasks.toml")
    hints = [check.hint for task in tasks.tasks if task.builder for check in task.checks if check.train]
    assert len(hints) == 6
    for hint in hints:
        assert f"{bounds.SMALLEST_SPREAD:g} to {bounds.LARGEST_SPREAD:g} times he_normal's" in hint
        assert f"kernel_regularizer above 1e{math.log10(bounds.LARGEST_L2):.0f}" in hint


def test_ids_are_unique() -> None:
    """Results name a rule by its id."""
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_measured_effects(writer: ModuleType, tmp_path: Path) -> None:
    """What was measured is in points of accuracy beside the course's own choice, with its trainings."""
    record = {
        "rule": "L2",
        "variant": "L2 of 0.001",
        "inside": True,
        "task": "alexnet",
        "labels": "coarse",
        "mean": 0.285,
        "sd": 0.006,
        "n": 8,
        "mean_of_solution": 0.29,
    }
    other = {**record, "task": "resnet", "mean": 0.294}
    beyond = {**record, "variant": "L2 of 0.1", "inside": False, "mean": 0.05}
    path = tmp_path / "decrees.json"
    path.write_text(json.dumps({"effects": [record, other, beyond]}))
    effects = writer.measured(path)
    assert "-0.5 to +0.4 points" in writer.rules(effects)
    table = writer.variants(effects)
    assert "| L2 | L2 of 0.001 | yes | -0.5 | – | +0.4 | – | – | – |" in table
    assert "| L2 | L2 of 0.1 | no | -24.0 |" in table
    assert "Means of 8 trainings each." in table


def test_nothing_measured(writer: ModuleType, tmp_path: Path) -> None:
    """It says so."""
    assert writer.measured(tmp_path / "none.json") == []
    assert "not measured yet" in writer.rules([])
    assert writer.variants([]) == "Nothing has been measured yet."
