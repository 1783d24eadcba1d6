"""Which networks are trained: each that can be within its cost, whatever checks of the structure failed."""

from typing import Any

import pytest

from grader.blueprint import Blueprint
from grader.config.profiles import CLASSES
from grader.grading import judging, to_train
from grader.grading.evidence import Evidence
from grader.grading.judging import Case
from grader.results.record import Status
from grader.results.verdict import Verdict
from tests.grader.marks import earned
from tests.grader.tasks.test_described import PARAMS, TASKS

SEED = 5
OFFLINE = PARAMS.profile("offline")
BUILDERS = [task for task in TASKS.tasks if task.builder]

# By task: an edit of the solution, and the check that fails for it.
ANOTHER = {
    "alexnet": (("MaxPooling2D(2,", "AveragePooling2D(2,"), "pooling"),
    "resnet": (("if stage > 0 and block == 0 else 1", "if block == 0 else 1"), "strides"),
    "wide_resnet": (("AveragePooling2D(3, strides=2", "AveragePooling2D(2, strides=2"), "block.shortcut"),
}
SCORES = {
    "alexnet": ('Dense(num_classes, activation="softmax", name', "Dense(num_classes, name"),
    "resnet": ('Dense(num_classes, activation="softmax")', "Dense(num_classes)"),
    "wide_resnet": ("outputs = keras.layers.Softmax()(x)", "outputs = x"),
}
LARGER = {
    "alexnet": (("[1024, 1024, 512]", "[4096, 4096, 512]"), "dense"),
    "resnet": (("for block in range(count)", "for block in range(3 * count)"), "blocks"),
    "wide_resnet": (("range((depth - 2) // 6)", "range((depth - 2) // 6 + 1)"), "depth"),
}
ANOTHER_SHAPE = {
    "alexnet": (("keras.Input(shape=input_shape)", "keras.Input(shape=(28, 28, 3))"), "input_shape"),
    "resnet": (("keras.Input(shape=input_shape)", "keras.Input(shape=(28, 28, 3))"), "input_shape"),
    "wide_resnet": (("keras.Input(shape=input_shape)", "keras.Input(shape=(28, 28, 3))"), "input_shape"),
}


def examined(judge: Any, *edits: tuple[str, str]) -> tuple[dict[str, Verdict], Blueprint | Verdict]:
    """The verdicts on an edited solution, and what becomes of its network of coarse labels."""
    task = judge.task
    inputs = {**judge.probe.draw(SEED), "builder_arguments": OFFLINE.builders[task.id]}
    calls = judge.calls(judge.edited(*edits), inputs)
    case = Case(task, Evidence(True, True, None, "ok", None, calls), inputs)
    verdicts = judging.judge(case)
    check = next(check for check in task.checks if check.train == "coarse")
    described = to_train.described_network(task, CLASSES["coarse"], OFFLINE.builders[task.id])
    return verdicts, to_train.network(case, check, verdicts, OFFLINE.budget, described)


@pytest.mark.parametrize("task", ANOTHER)
class TestTrained:
    """What accuracy can be measured of, earns by it."""

    def test_another_network_of_the_size_that_was_asked_for(self, network_judge: Any, task: str) -> None:
        edit, check = ANOTHER[task]
        verdicts, network = examined(network_judge(task), edit)
        assert verdicts[check].status is Status.FAILED
        assert isinstance(network, Blueprint), network

    def test_scores_are_trained_as_probabilities(self, network_judge: Any, task: str) -> None:
        """To leave the softmax out is charged once, and not as a training that teaches nothing."""
        verdicts, network = examined(network_judge(task), SCORES[task])
        assert verdicts["softmax"].status is Status.FAILED
        assert isinstance(network, Blueprint)
        assert (network.output.op, network.output.settings["activation"]) == ("Activation", "softmax")


@pytest.mark.parametrize("wrong", [LARGER, ANOTHER_SHAPE], ids=["larger", "another shape"])
@pytest.mark.parametrize("task", ANOTHER)
def test_what_cannot_be_trained_earns_in_the_share_of_the_structure(
    network_judge: Any, task: str, wrong: Any
) -> None:
    """One that costs too much, or is not for these images, loses what its mistake costs, and no more."""
    edit, check = wrong[task]
    verdicts, network = examined(network_judge(task), edit)
    assert verdicts[check].status is Status.FAILED
    assert isinstance(network, Verdict)
    assert (network.status, network.in_share) == (Status.FAILED, True), network
    manifest_task = TASKS.task(task)
    trained = {one.id: network for one in manifest_task.checks if one.train}
    passed = {one.id: Verdict.passed() for one in manifest_task.checks if one.train}
    found = earned(TASKS, task, {**verdicts, **trained})
    assert 0 < found["learns.coarse"] < next(one.points for one in manifest_task.checks if one.train)
    # All of it has lost what the structure of a network that learns has.
    assert sum(found.values()) == sum(earned(TASKS, task, {**verdicts, **passed}).values())


@pytest.mark.parametrize("task", BUILDERS, ids=lambda task: task.id)
def test_a_training_is_earned_with_any_layer_that_is_right(task: Any) -> None:
    """So what is not substantial is not trained: test_next_to_nothing.py."""
    structure = {
        check.id
        for check in task.checks
        if task.builder in check.functions and not check.train and not check.earned_with
    }
    for check in task.checks:
        if check.train:
            assert set(check.earned_with) <= structure
            assert len(check.earned_with) >= len(structure) - 2
            assert not check.after


def test_tasks_with_a_builder_are_all_here() -> None:
    assert set(ANOTHER) == {task.id for task in BUILDERS}
