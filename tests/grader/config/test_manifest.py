"""The manifest that ships is sound, and one that is not says where and how."""

import re
from pathlib import Path

import pytest

from grader.config import manifest
from grader.errors import ManifestError
from grader.grading.judging import judges_of

ROOT = Path(__file__).parents[3]
SHIPPED = manifest.load(ROOT / "assignment" / "tasks.toml")

TOML = """
title = "One task"
[[tasks]]
id = "sums"
title = "Sums"
module = "sums.py"
functions = ["add"]
[[tasks.checks]]
id = "adds"
title = "It adds"
rule = "values"
functions = ["add"]
hint = "Use the plus sign."
"""
MARKING = """
format = 1
each_check = 0.5
levels = { small = 0.1 }
[tasks.sums]
points = 2
functions = { add = 2 }
[[rules]]
id = "values"
level = "small"
says = "values are wrong"
[[rules]]
id = "detail"
level = "small"
says = "it does not learn"
"""


RULE = 'rule = "values"\n'


class TestShipped:
    def test_the_brief_says_what_each_task_is_worth(self) -> None:
        brief = (ROOT / "assignment" / "README.md").read_text()
        rows = dict(re.findall(r"^\| `(\w+)\.py` \|.*\| (\d+) \|$", brief, re.MULTILINE))
        assert rows == {task.id: f"{task.points:.0f}" for task in SHIPPED.tasks}

    @pytest.mark.parametrize("task", SHIPPED.tasks, ids=lambda task: task.id)
    def test_every_check_has_a_judge_with_a_docstring_or_is_trained(self, task: manifest.Task) -> None:
        assert all(judge.__doc__ for judge in judges_of(task).values())

    @pytest.mark.parametrize("task", SHIPPED.tasks, ids=lambda task: task.id)
    def test_a_task_with_a_builder_is_trained_on_both_label_sets(self, task: manifest.Task) -> None:
        trained = [check.train for check in task.checks if check.train]
        others = ["prepared"] if "prepare" in task.functions else []
        assert trained == (["coarse", "fine"] if task.builder else others)

    def test_a_task_is_found_by_its_id(self) -> None:
        assert SHIPPED.task("resnet").module == "resnet.py"
        with pytest.raises(ManifestError, match="there is no task 'lenet'"):
            SHIPPED.task("lenet")


class TestFaults:
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('rule = "values"', "rule = 3", "tasks.0.checks.0.rule: Input should be a valid string"),
            ('rule = "values"\n', "", "tasks.0.checks.0: a check needs a rule of marking.toml"),
            (
                'rule = "values"',
                'rule = "valeus"',
                "check 'adds' of 'sums' has the rule 'valeus', which is not in",
            ),
            (
                'rule = "values"',
                'rule = "values"\npoints = 1',
                "'adds' has points: they belong in marking.toml",
            ),
            ('hint = "Use the plus sign."', 'hint = "+"', "tasks.0.checks.0.hint"),
            (RULE, f"{RULE}after = ['x']\n", "comes after 'x', which is not above"),
            (RULE, f"{RULE}follows = ['adds']\n", "follows from 'adds', which is not above"),
            (RULE, f"{RULE}earned_with = ['x']\n", "check 'adds' is earned with 'x', which is not there"),
            (
                RULE,
                f"{RULE}earned_with = ['adds']\n",
                "check 'adds' is earned with 'adds', which must earn by itself, and not by training",
            ),
            ("It adds", 'It adds"\ntrain = "coarse', "trains, but the task names no builder"),
            ("It adds", 'It adds"\ntrain = "prepared', "and the task has no function prepare"),
            ("sums.py", "../sums.py", "tasks.0.module: String should match pattern"),
            ('id = "sums"', "id = 3", "tasks.0.id: Input should be a valid string"),
            ("[[tasks]]", "[[tasks", "is not TOML"),
            (
                'functions = ["add"]\nhint',
                'functions = ["plus"]\nhint',
                "needs 'plus', which the task does not",
            ),
            ('module = "sums.py"', 'module = "sums.py"\nbuilder = "plus"', "the builder 'plus' is not among"),
            ('id = "sums"', 'id = "products"', "marking.toml does not say what the task 'products' is worth"),
            (
                'functions = ["add"]',
                'functions = ["add", "sub"]',
                "gives points to other functions of 'sums'",
            ),
        ],
    )
    def test_a_fault_is_refused_with_its_place(
        self, tmp_path: Path, old: str, new: str, message: str
    ) -> None:
        file = tmp_path / "tasks.toml"
        assert old in TOML
        file.write_text(TOML.replace(old, new, 1))
        (tmp_path / "marking.toml").write_text(MARKING)
        with pytest.raises(ManifestError) as caught:
            manifest.load(file)
        assert message in str(caught.value)
        assert str(file) in str(caught.value)

    @pytest.mark.parametrize("missing", ["tasks.toml", "marking.toml"])
    def test_a_missing_file_is_refused_with_what_fixes_it(self, tmp_path: Path, missing: str) -> None:
        (tmp_path / "tasks.toml").write_text(TOML)
        (tmp_path / "marking.toml").write_text(MARKING)
        (tmp_path / missing).unlink()
        with pytest.raises(ManifestError, match="Run: nox -s stubs") as caught:
            manifest.load(tmp_path / "tasks.toml")
        assert missing in str(caught.value)

    def test_a_check_that_only_the_manifest_knows_is_refused(self) -> None:
        task = SHIPPED.task("preprocessing")
        check = task.checks[0].model_copy(update={"id": "new.check"})
        with pytest.raises(
            ManifestError, match=r"'new\.check' of task 'preprocessing' is in its tasks\.toml but"
        ):
            judges_of(task.model_copy(update={"checks": (*task.checks, check)}))

    def test_a_check_that_only_the_judge_knows_is_refused(self) -> None:
        task = SHIPPED.task("preprocessing")
        with pytest.raises(
            ManifestError, match=r"'split.form' .* is in its judge.py but not in its tasks.toml"
        ):
            judges_of(task.model_copy(update={"checks": task.checks[1:]}))
