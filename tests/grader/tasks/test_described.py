"""The described network of each task is the solution's, and no right network costs much more than it.

Networks are built in the test's own process, in which Keras is imported once.
"""

import importlib
import itertools
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.blueprint import Blueprint, build, excess, read, training_form
from grader.config import manifest, profiles
from grader.errors import ManifestError
from grader.grading import judging, to_train
from grader.grading.evidence import Network
from grader.proof import bank
from grader.proof.bank import Entry
from grader.tasks.networks import BUDGET
from lab import training

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
BUILDERS = [task for task in TASKS.tasks if task.builder]
PARAMS = profiles.load(ROOT / "params.yaml")
RIGHT = [one for one in bank.entries(ROOT, TASKS) if one.task.builder and one.mutant is None]
# What is trained today for its accuracy alone must still be: the structure is right.
LEARNS = [one for one in bank.entries(ROOT, TASKS) if one.mutant and one.mutant.check.startswith("learns")]
DRAW = random.Random(11)
RANDOM: dict[str, list[dict[str, Any]]] = {
    "alexnet": [
        {"width": DRAW.uniform(0.02, 0.3), "dropout": DRAW.choice([0.0, 0.4]), "input_shape": (16, 40, 1)}
        for _ in range(3)
    ],
    "resnet": [
        {"blocks": tuple(DRAW.choices((1, 2, 3), k=depth)), "width": DRAW.randint(1, 7)}
        for depth in (1, 2, 3)
    ]
    + [{"blocks": (2, 1), "width": 3, "input_shape": (12, 20, 4)}],
    "wide_resnet": [
        {"depth": depth, "width": DRAW.randint(1, 3), "input_shape": (DRAW.randint(8, 30), 18, 2)}
        for depth in (8, 14)
    ],
}


def functions_of(path: Path) -> dict[str, Any]:
    functions: dict[str, Any] = {}
    exec(compile(path.read_text(encoding="utf-8-sig"), path.name, "exec"), functions)
    return functions


def builder_of(entry: Entry, folder: Path) -> Callable[..., Any]:
    """The builder of a submission that was written to a folder, which Python looks for modules in.

    A builder may import its own files when it is called: they stay until another's are wanted.
    """
    assert entry.task.builder
    for name, module in list(sys.modules.items()):
        place = str(getattr(module, "__file__", None) or "")
        if (folder / f"{name}.py").exists() and not place.startswith(str(folder)):
            del sys.modules[name]
    importlib.invalidate_caches()
    function: Callable[..., Any] = functions_of(folder / entry.task.module)[entry.task.builder]
    return function


@pytest.fixture(scope="session")
def built(network_recorder: Any) -> Callable[..., Blueprint]:
    """What a builder builds, by way of a description as the sandbox would give it."""

    def described(builder: Callable[..., Any], classes: int, arguments: Mapping[str, Any]) -> Blueprint:
        recorder = network_recorder({"build": builder})
        recorder.call("it", "build", classes, **arguments)
        value = recorder.calls["it"].value
        assert isinstance(value, Network), recorder.calls["it"]
        return read(value.description, BUDGET)

    return described


class TestDescribed:
    @pytest.mark.parametrize("task", BUILDERS, ids=lambda task: task.id)
    def test_is_the_solution_s(self, task: manifest.Task, built: Callable[..., Blueprint]) -> None:
        """To the last setting, for the arguments of every profile and for others."""
        assert task.builder
        builder = functions_of(ROOT / "solutions" / task.module)[task.builder]
        profiles = [profile.builders[task.id] for profile in PARAMS.profiles.values()]
        distinct = [one for one, _ in itertools.groupby(sorted(profiles, key=repr))]
        for arguments in [*distinct, *RANDOM[task.id]]:
            described = to_train.described_network(task, 20, arguments)
            assert described.digest == built(builder, 20, arguments).digest, arguments

    def test_a_task_without_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a builder's network may cost has to be known before anything is graded."""
        judge = importlib.import_module("grader.tasks.alexnet.judge")
        monkeypatch.delattr(judge, "described")
        with pytest.raises(ManifestError, match=r"task 'alexnet' has no function described\(num_classes"):
            judging.judges_of(TASKS.task("alexnet"))


class TestScoring:
    """How many images are scored at a time: 500 of what was asked for, fewer where a layer is large."""

    @pytest.mark.parametrize("task", BUILDERS, ids=lambda task: task.id)
    def test_as_ever(self, task: manifest.Task) -> None:
        """Another number could change the last digits of stored results."""
        for profile in ("offline", "cpu"):
            described = to_train.described_network(task, 100, PARAMS.profile(profile).builders[task.id])
            assert training._scored_at_once(build(described)) == 500

    def test_fewer_of_what_is_large(self) -> None:
        """A layer of 2 MB an image is scored at 128 a time, which is 256 MiB."""
        nodes = [
            {"op": "Input", "settings": {}, "inputs": []},
            {"op": "Pad", "settings": {"widths": [[0, 0], [0, 0], [0, 509]]}, "inputs": [0]},
            {"op": "GlobalMaxPooling2D", "settings": {}, "inputs": [1]},
            {"op": "Dense", "settings": {"units": 2}, "inputs": [2]},
        ]
        large = read({"format": 1, "input_shape": [32, 32, 3], "nodes": nodes, "output": 3}, BUDGET)
        assert training._scored_at_once(build(large)) == 128


class TestCost:
    """Every right network of the bank is trained, at the sizes of every profile for a CPU."""

    @pytest.mark.slow
    @pytest.mark.parametrize("entry", [*RIGHT, *LEARNS], ids=lambda one: one.folder)
    @pytest.mark.parametrize("profile", ["offline", "cpu"])
    def test_right(
        self,
        entry: Entry,
        profile: str,
        tmp_path: Path,
        built: Callable[..., Blueprint],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        bank.write(ROOT, entry, tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        arguments = PARAMS.profile(profile).builders[entry.task.id]
        network = built(builder_of(entry, tmp_path), 100, arguments)
        described = to_train.described_network(entry.task, 100, arguments)
        assert excess(network, described) is None


class TestTrainingForm:
    """What is trained of a submission: the solution's network wherever the submission is right."""

    @pytest.mark.slow
    @pytest.mark.parametrize("entry", [*RIGHT, *LEARNS], ids=lambda one: one.folder)
    def test_one_for_all(
        self,
        entry: Entry,
        tmp_path: Path,
        built: Callable[..., Blueprint],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Right ones have the solution's digest; what only training catches has another."""
        bank.write(ROOT, entry, tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        builder = builder_of(entry, tmp_path)
        for profile in ("offline", "cpu"):
            arguments = PARAMS.profile(profile).builders[entry.task.id]
            budget = PARAMS.profile(profile).budget
            for classes in (20, 100):
                network = training_form(built(builder, classes, arguments), budget).network
                described = to_train.described_network(entry.task, classes, arguments)
                same = network.digest == training_form(described, budget).network.digest
                assert same is (entry.mutant is None), (profile, classes)
