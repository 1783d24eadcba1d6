"""The measuring of reference runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader import blueprint, manifest, recipes, reference, thresholds, trainer
from grader.errors import GraderFault, TrainerFault
from grader.recipes import CLASSES
from grader.trainer import Job, Result

ROOT = Path(__file__).resolve().parents[2]
PROFILE = recipes.load(ROOT / "params.yaml").profile("offline")
TASKS = [task for task in manifest.load(ROOT / "solutions" / "tasks.toml").tasks if task.builder]


def result(job: Job) -> Result:
    """A training's result that nobody had to wait for."""
    return Result(
        digest=job.digest,
        accuracy=0.5 + job.seed / 100,
        loss=1.0,
        train_accuracy=(0.5,),
        train_loss=(1.0,),
        parameters=1,
        seconds=1.0,
        labels=job.labels,
        seed=job.seed,
        pin=job.conditions.pin,
        engine=job.conditions.engine,
        versions={},
        machine="",
    )


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solutions that need no process to be described."""
    nodes = [
        {"op": "Input", "settings": {}, "inputs": []},
        {"op": "Flatten", "settings": {}, "inputs": [0]},
    ]

    def describe(task: Any, *_: object) -> dict[str, Any]:
        found = {}
        for labels, classes in CLASSES.items():
            units: dict[str, Any] = {"units": classes + len(task.id), "activation": "softmax"}
            if task.id == "alexnet":  # the other one is written with the defaults as it is
                units["kernel_initializer"] = {"name": "Orthogonal"}
            last = {"op": "Dense", "settings": units, "inputs": [1]}
            network = {"format": 1, "input_shape": [32, 32, 3], "output": 2, "nodes": [*nodes, last]}
            found[labels] = blueprint.read(network, PROFILE.budget)
        return found

    monkeypatch.setattr(reference, "describe", describe)


def measure(tmp_path: Path) -> thresholds.Runs:
    return reference.measure(
        PROFILE, TASKS, ROOT / "solutions", store=tmp_path, workers=1, console=Console(quiet=True)
    )


@pytest.mark.usefixtures("described")
class TestMeasure:
    """measure."""

    def test_every_task_label_set_and_seed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The runs are in the order of task, label set, variant and seed, and set every threshold."""
        asked: list[int] = []

        def run(jobs: Iterable[Job], **_: object) -> dict[str, Result]:
            jobs = list(jobs)
            asked.extend(job.seed for job in jobs)
            return {job.digest: result(job) for job in jobs}

        monkeypatch.setattr(trainer, "run", run)
        runs = measure(tmp_path)
        variants = {"alexnet": ("as written", "default initialisers"), "resnet": ("as written",)}
        assert [(one.task, one.result.labels, one.variant, one.result.seed) for one in runs.runs] == [
            (task.id, labels, variant, seed)
            for task in TASKS
            for labels in CLASSES
            for variant in variants[task.id]
            for seed in PROFILE.reference_seeds
        ]
        assert asked == sorted(asked, key=PROFILE.reference_seeds.index)  # all networks under one seed first
        assert len(thresholds.compute(runs).thresholds) == len(TASKS) * len(CLASSES)

    def test_a_fault_writes_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where a training could not be done there is no threshold; the error says which one it was."""

        def run(jobs: Iterable[Job], **_: object) -> dict[str, Result | TrainerFault]:
            outcomes: dict[str, Result | TrainerFault] = {job.digest: result(job) for job in jobs}
            outcomes[list(outcomes)[-1]] = TrainerFault("a training was ended by SIGKILL")
            return outcomes

        monkeypatch.setattr(trainer, "run", run)
        with pytest.raises(
            GraderFault, match=r"resnet as written, fine labels, seed 5: a training was ended by"
        ):
            measure(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["offline", "cpu"])
def test_solutions_are_those_that_were_measured(name: str) -> None:
    """The solutions still build the networks on which the committed thresholds rest."""
    profile = recipes.load(ROOT / "params.yaml").profile(name)
    written = thresholds.load(ROOT / "reference" / name)
    for task in TASKS:
        for labels, network in reference.describe(task, ROOT / "solutions", profile).items():
            threshold = written.get(task.id, labels)
            assert reference.variants(network, profile)[threshold.variant].digest == threshold.blueprint
