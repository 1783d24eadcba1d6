"""What stands in for a block becomes the block; anything else stays what it is."""

from typing import Any

import pytest

from grader.blueprint import read
from grader.tasks.networks import BUDGET
from grader.tasks.resnet.judge import described, expanded

CONV: dict[str, Any] = {"kernel_size": 3, "padding": "same", "use_bias": False}
BLOCK = {"channels": 4, "filters": 4, "stride": 1}


def network(*blocks: Any) -> dict[str, Any]:
    """A ResNet of width 4 as the probe describes it with stand-ins, for 3 classes."""
    nodes: list[Any] = [{"op": "Input", "settings": {}, "inputs": []}]

    def add(op: str, settings: Any) -> None:
        nodes.append({"op": op, "settings": settings, "inputs": [len(nodes) - 1], "name": op.lower()})

    add("Conv2D", {"filters": 4, **CONV, "kernel_initializer": HE})
    add("BatchNormalization", {})
    add("Activation", {"activation": "relu"})
    for settings in blocks:
        add("Block", settings)
    add("GlobalAveragePooling2D", {"keepdims": False})
    add("Dense", {"units": 3, "activation": "softmax"})
    return {"format": 1, "input_shape": [8, 8, 3], "nodes": nodes, "output": len(nodes) - 1}


HE = {"name": "VarianceScaling", "scale": 2.0, "mode": "fan_in", "distribution": "truncated_normal"}
RIGHT = (BLOCK, {"channels": 16, "filters": 4, "stride": 1}, {"channels": 16, "filters": 8, "stride": 2})


def test_becomes_the_described_network() -> None:
    found = read(expanded(network(*RIGHT)), BUDGET)
    assert found.digest == described(3, input_shape=(8, 8, 3), blocks=(2, 1), width=4).digest


def test_the_description_is_not_changed() -> None:
    whole = network(*RIGHT)
    expanded(whole)
    assert whole == network(*RIGHT)


@pytest.mark.parametrize(
    "settings",
    [
        None,
        {},
        {**BLOCK, "filters": 0},
        {**BLOCK, "filters": True},
        {**BLOCK, "filters": 10**9},
        {**BLOCK, "stride": "1"},
        {**BLOCK, "weights": 1},
    ],
)
def test_settings_that_no_probe_writes(settings: Any) -> None:
    whole = network(settings)
    assert expanded(whole) is whole


@pytest.mark.parametrize(
    "description",
    [
        None,
        [],
        {"nodes": 3},
        {"nodes": [3]},
        {"nodes": [{"op": "Block"}]},
        {"nodes": [{"op": "Block"}] * 1000},
    ],
)
def test_no_description(description: Any) -> None:
    assert expanded(description) is description


@pytest.mark.parametrize("inputs", [[9], [-1], [True], ["0"], None, [[]]])
def test_inputs_that_are_not_there(inputs: Any) -> None:
    whole = network(BLOCK)
    whole["nodes"][4]["inputs"] = inputs
    assert expanded(whole) is whole
