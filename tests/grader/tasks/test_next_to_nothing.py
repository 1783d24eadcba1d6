"""Networks that do next to nothing of what was asked for earn next to nothing: two points of a task's 35."""

from typing import Any

import pytest

from grader.config import manifest
from grader.config.profiles import CLASSES
from grader.grading import judging, to_train
from grader.grading.evidence import Evidence
from grader.grading.judging import Case
from grader.results.record import Status
from grader.results.verdict import Verdict
from tests.grader.marks import earned
from tests.grader.tasks.test_described import PARAMS, TASKS

MOST_POINTS = 2
SEED = 5
OFFLINE = PARAMS.profile("offline")

HEAD = "import keras\nL = keras.layers\n"
ALEXNET = HEAD + (
    "def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):\n"
    "    s = lambda n: max(1, round(width * n))\n"
    "    i = x = keras.Input(input_shape)\n"
    "    {}\n"
    "    return keras.Model(i, L.Dense(num_classes, activation='softmax')(x))\n"
)
RESNET = HEAD + (
    "def conv(x, f, k, s=1):\n"
    "    return L.BatchNormalization()(L.Conv2D(f, k, strides=s, padding='same')(x))\n"
    "def bottleneck_block(x, filters, *, stride=1):\n"
    "    {}\n"
    "def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):\n"
    "    i = keras.Input(input_shape)\n"
    "    x = L.ReLU()(conv(i, width, 3))\n"
    "    {}\n"
    "    x = L.GlobalAveragePooling2D()(x)\n"
    "    return keras.Model(i, L.Dense(num_classes, activation='softmax')(x))\n"
)
PROJECTED = "return L.ReLU()(L.Add()([conv(x, 4 * filters, 1, stride), conv(x, 4 * filters, 1, stride)]))"
WIDE = HEAD + (
    "N = lambda x: L.BatchNormalization(epsilon=1e-5, scale=False, center=False)(x)\n"
    "C = lambda x, f, k=3, s=1: L.Conv2D(f, k, strides=s, padding='same', use_bias=False)(x)\n"
    "def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):\n"
    "    i = keras.Input(input_shape)\n"
    "    x = C(L.BatchNormalization(epsilon=1e-5)(i), 16 * width)\n"
    "    {}\n"
    "    x = N(C(L.ReLU()(N(x)), num_classes, 1))\n"
    "    return keras.Model(i, L.Softmax()(L.GlobalAveragePooling2D()(x)))\n"
)
WIDE_BLOCK = "y = C(L.ReLU()(N(C(L.ReLU()(N(x)), 16 * width))), 16 * width); x = L.Add()([x, y])"

NOTHING = {
    "alexnet": {
        "one dense layer": ALEXNET.format("x = L.Flatten()(x)"),
        "global pooling and a dense layer": ALEXNET.format("x = L.GlobalAveragePooling2D()(x)"),
        "all but the layers with weights": ALEXNET.format(
            "for _ in range(3): x = L.MaxPooling2D()(L.ReLU()(L.BatchNormalization()(x)))\n"
            "    x = L.Flatten()(x)\n"
            "    for _ in range(3): x = L.Dropout(dropout)(L.ReLU()(L.BatchNormalization()(x)))"
        ),
        "one convolution": ALEXNET.format(
            "x = L.ReLU()(L.BatchNormalization()(L.Conv2D(s(96), 5, padding='same')(x)))\n"
            "    x = L.Flatten()(L.MaxPooling2D()(x))"
        ),
        "the dense layers alone": ALEXNET.format(
            "x = L.Flatten()(x)\n"
            "    for n in (1024, 1024, 512):\n"
            "        x = L.Dropout(dropout)(L.ReLU()(L.BatchNormalization()(L.Dense(s(n))(x))))"
        ),
        "two convolutions and a hidden dense layer": ALEXNET.format(
            "for n in (96, 256):\n"
            "        x = L.ReLU()(L.BatchNormalization()(L.Conv2D(s(n), 5, padding='same')(x)))\n"
            "        x = L.MaxPooling2D()(x)\n"
            "    x = L.ReLU()(L.BatchNormalization()(L.Dense(s(1024))(L.Flatten()(x))))\n"
            "    x = L.Dropout(dropout)(x)"
        ),
    },
    "resnet": {
        "no block, and a block of two projections": RESNET.format(PROJECTED, "pass"),
        "no block, and no block": RESNET.format("return x", "pass"),
        "a block of one convolution": RESNET.format("return conv(x, 4 * filters, 1, stride)", "pass"),
        "one block of two projections": RESNET.format(PROJECTED, "x = bottleneck_block(x, width)"),
        "blocks of two projections": RESNET.format(
            PROJECTED,
            "for n, count in enumerate(blocks):\n"
            "        for b in range(count):\n"
            "            x = bottleneck_block(x, width * 2**n, stride=2 if n and not b else 1)",
        ),
        "blocks that add their input to itself": RESNET.format(
            "return L.ReLU()(L.Add()([x, x]))", "for _ in range(sum(blocks)): x = bottleneck_block(x, width)"
        ),
        "a stem many times": RESNET.format("return x", "for _ in blocks: x = L.ReLU()(conv(x, width, 3))"),
    },
    "wide_resnet": {
        "one block in all": WIDE.format(WIDE_BLOCK),
        "no block": WIDE.format("pass"),
        "two convolutions without an addition": WIDE.format(
            "x = C(L.ReLU()(N(C(L.ReLU()(N(x)), 16 * width))), 16 * width)"
        ),
        "additions of the input to itself": WIDE.format("for _ in range(9): x = L.Add()([x, x])"),
        "normalisation and ReLU many times": WIDE.format("for _ in range(9): x = L.ReLU()(N(x))"),
        "poolings in place of stages": WIDE.format(
            "for n in range(2):\n"
            "        x = L.AveragePooling2D(3, strides=2, padding='same')(x)\n"
            "        x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, x.shape[-1])))"
        ),
    },
}


def points(judge: Any, source: str) -> dict[str, float]:
    """The lines of the mark by which a module earns something; none of its networks is trained."""
    task: manifest.Task = judge.task
    inputs = {**judge.probe.draw(SEED), "builder_arguments": OFFLINE.builders[task.id]}
    calls = judge.calls(source, inputs)
    case = Case(task, Evidence(True, True, None, "ok", None, calls), inputs)
    verdicts = judging.judge(case)
    for check in task.checks:
        if check.train:
            described = to_train.described_network(task, CLASSES[check.train], OFFLINE.builders[task.id])
            network = to_train.network(case, check, verdicts, OFFLINE.budget, described)
            assert isinstance(network, Verdict)
            verdicts[check.id] = network
    return earned(TASKS, task.id, verdicts)


@pytest.mark.parametrize(
    ("task", "name"), [(task, name) for task, named in NOTHING.items() for name in named]
)
def test_next_to_nothing(network_judge: Any, task: str, name: str) -> None:
    """No more than two points, and for none of what surrounds the missing layers."""
    found = points(network_judge(task), NOTHING[task][name])
    assert sum(found.values()) <= MOST_POINTS, found


@pytest.mark.parametrize("task", NOTHING)
def test_says_what_is_missing(network_judge: Any, task: str) -> None:
    """A check that is not looked at says how many layers there are and how many there should be."""
    judge = network_judge(task)
    verdicts = judge(next(iter(NOTHING[task].values())), judge.probe.draw(SEED))
    assert verdicts["softmax"].status is Status.BLOCKED
    assert "layers that it needs" in verdicts["softmax"].message


def test_tasks_with_a_builder_are_all_here() -> None:
    assert set(NOTHING) == {task.id for task in TASKS.tasks if task.builder}
