"""The weights and rules that ship are sound, and a fault in such a file is named with its place."""

import re
from pathlib import Path

import pytest

from grader.config import manifest, marking
from grader.config.marking import Marking
from grader.errors import ManifestError

ROOT = Path(__file__).parents[3]
SHIPPED = manifest.load(ROOT / "solutions" / "tasks.toml")
WEIGHTS = SHIPPED.marking

TOML = """
format = 1
each_check = 0.5
[levels]
small = 0.1
large = 0.4
[tasks.sums]
points = 10
training = 4
functions = { add = 2.5, subtract = 3.5 }
[[rules]]
id = "values"
level = "large"
says = "values are wrong"
[[rules]]
id = "detail"
level = "small"
says = "a small thing is wrong"
"""
TASKS = """
title = "One task"
[[tasks]]
id = "sums"
title = "Sums"
module = "sums.py"
functions = ["add", "subtract"]
builder = "add"
[[tasks.checks]]
id = "adds"
title = "It adds"
rule = "values"
functions = ["add"]
hint = "Use the plus sign."
[[tasks.checks]]
id = "subtracts"
title = "It subtracts"
rule = "values"
functions = ["subtract"]
hint = "Use the minus sign."
[[tasks.checks]]
id = "learns.coarse"
title = "It learns"
functions = ["add"]
earned_with = ["adds"]
train = "coarse"
hint = "Use the plus sign."
[[tasks.checks]]
id = "learns.fine"
title = "It learns more"
functions = ["add"]
earned_with = ["adds"]
train = "fine"
hint = "Use the plus sign."
"""


def written(folder: Path, weights: str = TOML, tasks: str = TASKS) -> Path:
    """The manifest of a folder with both files."""
    (folder / "marking.toml").write_text(weights)
    (folder / "tasks.toml").write_text(tasks)
    return folder / "tasks.toml"


class TestShipped:
    def test_both_folders_have_the_same(self) -> None:
        assert marking.load(ROOT / "assignment" / "marking.toml") == WEIGHTS

    def test_every_rule_is_used(self) -> None:
        """By a check, or by name in a judge: a rule that nothing names would only be read."""
        sources = [*(ROOT / "grader" / "tasks").rglob("*.py"), ROOT / "grader/grading/judging.py"]
        named = set(re.findall(r'"([a-z_]+)"', "".join(path.read_text("utf-8") for path in sources)))
        used = {check.rule for task in SHIPPED.tasks for check in task.checks} | named
        assert {rule.id for rule in WEIGHTS.rules} <= used

    def test_every_level_is_used_and_they_rise(self) -> None:
        assert {rule.level for rule in WEIGHTS.rules} == set(WEIGHTS.levels)
        assert list(WEIGHTS.levels.values()) == sorted(set(WEIGHTS.levels.values()))

    def test_a_consequence_can_follow_a_colon(self) -> None:
        for rule in WEIGHTS.rules:
            assert rule.says == rule.says.strip().rstrip("."), rule
            assert not rule.says[0].isupper(), rule

    @pytest.mark.parametrize("task", SHIPPED.tasks, ids=lambda task: task.id)
    def test_no_mistake_costs_more_than_the_structure_is_worth(self, task: manifest.Task) -> None:
        for rule in WEIGHTS.rules:
            cost = WEIGHTS.cost(task.id, rule.id)
            assert cost % marking.STEP == 0
            assert 0 < cost <= task.worth.structure

    @pytest.mark.parametrize("task", SHIPPED.tasks, ids=lambda task: task.id)
    def test_points_add_up(self, task: manifest.Task) -> None:
        worth = task.worth
        assert sum(worth.functions.values()) + worth.training == worth.points == task.points
        own = sum(check.points for check in task.checks if not check.train)
        assert own + task.whole == worth.structure
        assert all(check.points % marking.STEP == 0 for check in task.checks)


class TestCost:
    @pytest.mark.parametrize(
        ("points", "expected"), [(0, 0), (0.24, 0), (0.25, 0.5), (0.74, 0.5), (0.75, 1), (3.9, 4), (12, 12)]
    )
    def test_rounded(self, points: float, expected: float) -> None:
        assert marking.rounded(points) == expected

    def test_a_share_of_the_tasks_points_and_never_nothing(self, tmp_path: Path) -> None:
        weights = manifest.load(written(tmp_path)).marking
        assert (weights.cost("sums", "values"), weights.cost("sums", "detail")) == (4, 1)
        free = weights.model_copy(update={"levels": {"small": 0.0, "large": 0.4}})
        assert free.cost("sums", "detail") == marking.STEP

    def test_an_unknown_rule(self) -> None:
        with pytest.raises(ManifestError, match="has no rule 'vanity'") as caught:
            WEIGHTS.rule("vanity")
        assert "The rules are: dtype" in str(caught.value.fix)


class TestFaults:
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            (
                'level = "large"',
                'level = "huge"',
                "'values' has the level 'huge'; the levels are: small, large",
            ),
            ('id = "detail"', 'id = "values"', "the rule 'values' is there twice"),
            ("small = 0.1", "small = 1.5", "the level 'small' must be a share from 0 to 1, and is 1.5"),
            (
                "points = 10",
                "points = 11",
                "tasks.sums: training and functions add up to 10 points, and the task",
            ),
            ("points = 10", "points = 10.25", "tasks.sums.points: Input should be a multiple of 0.5"),
            ("training = 4", "training = 4.1", "tasks.sums.training: Input should be a multiple of 0.5"),
            (
                "add = 2.5, subtract = 3.5",
                "add = 2.25, subtract = 3.75",
                "tasks.sums.functions.add: Input should be",
            ),
            (
                "add = 2.5, subtract = 3.5",
                "add = -1, subtract = 7",
                "tasks.sums.functions.add: Input should be",
            ),
            ("each_check = 0.5", "each_check = 0.3", "each_check: Input should be a multiple of 0.5"),
            ("format = 1", "format = 2", "format: Input should be less than or equal to 1"),
            ('says = "values are wrong"', 'says = ""', "rules.0.says: String should have at least"),
            ('id = "values"', 'id = "Values"', "rules.0.id: String should match"),
            ("points = 10", "points = inf", "tasks.sums.points: Input should be a finite number"),
            ("[levels]", "[level]", "levels: Field required"),
            ("[[rules]]", "[[rules", "is not TOML"),
        ],
    )
    def test_a_fault_is_refused_with_its_place(
        self, tmp_path: Path, old: str, new: str, message: str
    ) -> None:
        assert old in TOML
        path = written(tmp_path, TOML.replace(old, new, 1))
        with pytest.raises(ManifestError) as caught:
            manifest.load(path)
        assert message in str(caught.value)
        assert "marking.toml" in str(caught.value)

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            (
                "add = 2.5, subtract = 3.5",
                "add = 2.5, divide = 3.5",
                "gives points to other functions of 'sums' than the manifest lists",
            ),
            ("add = 2.5, subtract = 3.5", "add = 6", "gives points to other functions of 'sums'"),
            ("[tasks.sums]", "[tasks.products]", "does not say what the task 'sums' is worth"),
            (
                'id = "values"',
                'id = "value"',
                "check 'adds' of 'sums' has the rule 'values', which is not in",
            ),
            (
                "points = 10\ntraining = 4",
                "points = 7.5\ntraining = 1.5",
                "2 checks of 'sums' share its 1.5 points for training",
            ),
            (
                "each_check = 0.5",
                "each_check = 4",
                "the checks of 'sums' earn more by themselves than the task",
            ),
        ],
    )
    def test_what_does_not_fit_the_manifest_is_refused(
        self, tmp_path: Path, old: str, new: str, message: str
    ) -> None:
        assert old in TOML
        path = written(tmp_path, TOML.replace(old, new, 1))
        with pytest.raises(ManifestError) as caught:
            manifest.load(path)
        assert message in str(caught.value)
        assert str(path) in str(caught.value)

    def test_training_points_need_a_check_that_trains(self, tmp_path: Path) -> None:
        path = written(tmp_path, tasks=TASKS.split('[[tasks.checks]]\nid = "learns')[0])
        with pytest.raises(ManifestError, match="for training in 'sums', in which no check trains"):
            manifest.load(path)

    def test_points_of_a_check_belong_in_the_other_file(self, tmp_path: Path) -> None:
        path = written(tmp_path, tasks=TASKS.replace('rule = "values"', 'rule = "values"\npoints = 2', 1))
        with pytest.raises(ManifestError, match=r"'adds' has points: they belong in marking\.toml"):
            manifest.load(path)


class TestWeighed:
    def test_a_check_gets_its_points_and_its_rule(self, tmp_path: Path) -> None:
        task = manifest.load(written(tmp_path)).task("sums")
        assert [(check.points, check.rule) for check in task.checks] == [
            (0.5, "values"),
            (0.5, "values"),
            (2, ""),
            (2, ""),
        ]
        assert (task.points, task.whole) == (10, 5)

    def test_other_weights_for_the_same_tasks(self, tmp_path: Path) -> None:
        path = written(tmp_path)
        other = tmp_path / "other.toml"
        other.write_text(
            TOML.replace("large = 0.4", "large = 0.2").replace("each_check = 0.5", "each_check = 0")
        )
        tasks = manifest.with_marking(path, marking.load(other))
        assert tasks.marking.cost("sums", "values") == 2
        assert tasks.task("sums").whole == 6
        assert isinstance(tasks.marking, Marking)
