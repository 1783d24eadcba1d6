"""The training form: what is open becomes the course's own choice, what is not stays as it was written."""

import copy
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.blueprint import (
    RULES,
    Blueprint,
    Budget,
    Replaced,
    Rule,
    outside,
    read,
    training_form,
)
from grader.blueprint.forms import deviation
from grader.config import manifest, profiles
from grader.errors import BlueprintRefused
from grader.grading import judging
from tests.grader.blueprint.test_blueprint import BUDGET, mutated
from tests.grader.blueprint.test_blueprint import networks as random_networks

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
PARAMS = profiles.load(ROOT / "params.yaml")
ROOMY = Budget(parameters=10**9, flops=10**13, activations=10**9, nodes=800)
BY_ID = {rule.id: rule for rule in RULES}
SMALL: dict[str, dict[str, Any]] = {
    "alexnet": {"width": 0.03, "dropout": 0.2, "input_shape": (16, 16, 3)},
    "resnet": {"blocks": (2, 1, 1), "width": 3, "input_shape": (10, 9, 3)},
    "wide_resnet": {"depth": 14, "width": 1, "input_shape": (12, 12, 3)},
}

Data = dict[str, Any]
Node = tuple[Any, ...]


def examples(count: int) -> settings:
    """How many examples of a property are tried; a busy machine is no failure."""
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def described(*nodes: Node, shape: tuple[int, ...] = (6, 6, 3)) -> Data:
    """A description of nodes (op, settings) or (op, settings, inputs); by default each reads the last."""
    listed: list[Data] = [{"op": "Input", "settings": {}, "inputs": []}]
    for op, given_settings, *inputs in nodes:
        place = len(listed)
        listed.append(
            {"op": op, "settings": given_settings, "inputs": inputs[0] if inputs else [place - 1], "name": f"n{place}"}
        )
    return {"format": 1, "input_shape": list(shape), "nodes": listed, "output": len(listed) - 1}


def ended(*nodes: Node, shape: tuple[int, ...] = (6, 6, 3)) -> Data:
    """A description that goes on to a layer with weights and ends in classes."""
    end = [("GlobalAveragePooling2D", {}), ("Dense", {"units": 2}), SOFTMAX]
    return described(*nodes, *end, shape=shape)


def applied(rule: Rule, network: Blueprint) -> tuple[Blueprint, int]:
    """What one rule alone makes of a network, and how many nodes it changed."""
    edit = rule.apply(network)
    return read(edit.description(), ROOMY), edit.changed


def form(data: Data) -> Blueprint:
    return training_form(read(data, ROOMY), ROOMY).network


def solution(task: str, classes: int = 7) -> Blueprint:
    """The network of a task, small."""
    return judging.described_network(TASKS.task(task), classes, SMALL[task])


CONV = ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"})
BARE = ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "use_bias": False})
VALID = ("Conv2D", {"filters": 4, "kernel_size": 3, "use_bias": False})
HALF = ("Conv2D", {"filters": 4, "kernel_size": 3, "strides": 2, "use_bias": False})
NORM = ("BatchNormalization", {})
RELU = ("Activation", {"activation": "relu"})
TANH = ("Activation", {"activation": "tanh"})
SOFTMAX = ("Activation", {"activation": "softmax"})
POOL = ("MaxPooling2D", {})
HALF_SAME = ("Conv2D", {**HALF[1], "padding": "same"})
MEAN = ("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"})
MEAN_VALID = ("AveragePooling2D", {"pool_size": 3, "strides": 2})
ONE = ("MaxPooling2D", {"pool_size": 1, "strides": 1})
DENSE = ("Dense", {"units": 5})


def pad(before: int, after: int, channels: tuple[int, int] = (0, 0)) -> Node:
    return "Pad", {"widths": [[before, after], [before, after], list(channels)]}


# Where the rules that change no function have something to do, and where they must not.
HOLDS: dict[str, list[Data]] = {
    "paddings in a row": [
        ended(pad(1, 0), pad(0, 1), VALID),
        ended(pad(0, 0, (1, 0)), pad(0, 0, (0, 2)), pad(1, 1), CONV),
    ],
    "ReLU twice": [
        ended(CONV, RELU, RELU),
        ended(CONV, RELU, POOL, RELU, DENSE, TANH),
        ended(CONV, RELU, MEAN, pad(1, 0, (1, 1)), RELU),
        ended(CONV, ("Activation", {"activation": "sigmoid"}), RELU),
        ended(CONV, RELU, (*BARE, [1]), (*RELU, [3]), ("Add", {}, [2, 4]), RELU),
        described(CONV, RELU, ("Concatenate", {}, [2, 2]), RELU, ("Flatten", {}), RELU, DENSE),
    ],
    "pooling by one": [
        ended(CONV, ONE, RELU),
        ended(CONV, ("AveragePooling2D", {"pool_size": 1, "strides": 1, "padding": "same"}), NORM),
    ],
    "padding like same": [
        ended(pad(1, 1), VALID, RELU),
        ended(pad(2, 2), ("Conv2D", {"filters": 2, "kernel_size": 5})),
        ended(pad(0, 1), ("Conv2D", {"filters": 2, "kernel_size": 2})),
        ended(pad(0, 1), HALF),  # 6 pixels
        ended(pad(1, 1), HALF, shape=(7, 7, 2)),
        ended(pad(1, 1), VALID, (*VALID, [1]), ("Add", {}, [2, 3])),
    ],
    "zeros after pooling": [
        ended(CONV, pad(0, 0, (1, 2)), MEAN, CONV),
        ended(CONV, pad(0, 0, (0, 2)), MEAN_VALID),
    ],
    "zeros behind": [
        ended(CONV, pad(0, 0, (2, 0)), NORM, RELU, CONV),
        ended(CONV, pad(0, 0, (1, 2)), NORM, RELU, (*CONV[:1], {**CONV[1], "filters": 7}), ("Add", {}, [2, 5]), NORM),
        # Two stages, each with its zeros: the second moves what the first has moved.
        ended(
            CONV,
            pad(0, 0, (4, 0)),
            ("Conv2D", {"filters": 8, "kernel_size": 3, "padding": "same"}, [1]),
            ("Add", {}, [2, 3]),
            NORM,
            MEAN,
            pad(0, 0, (3, 5)),
            ("Conv2D", {"filters": 16, "kernel_size": 3, "padding": "same", "strides": 2}, [5]),
            ("Add", {}, [7, 8]),
            NORM,
            RELU,
        ),
        described(CONV, pad(0, 0, (2, 1)), ("GlobalMaxPooling2D", {}), RELU, DENSE),
    ],
    "bias before normalisation": [
        ended(CONV, NORM, RELU, CONV, NORM),
        ended(CONV, POOL, NORM, RELU),
        ended(CONV, MEAN, NORM),
        ended(CONV, MEAN_VALID, NORM, TANH),
        described(CONV, ("Flatten", {}), DENSE, NORM, RELU, DENSE),
        # A stream that is added to, and normalised by all that reads it.
        ended(CONV, NORM, RELU, CONV, ("Add", {}, [1, 4]), NORM, RELU, CONV, ("Add", {}, [5, 8]), NORM, RELU),
        ended(CONV, pad(0, 0, (2, 1)), NORM, RELU),
    ],
}  # fmt: skip

KEPT: dict[str, dict[str, Data]] = {
    "paddings in a row": {
        "the first is read elsewhere": ended(pad(1, 0), pad(0, 1), HALF, (*HALF, [1]), ("Add", {}, [3, 4])),
        "a pooling between": ended(pad(1, 0), POOL, pad(0, 1), VALID),
    },
    "ReLU twice": {
        "of a normalisation": ended(CONV, NORM, RELU),
        "of a convolution": ended(CONV, RELU, CONV, RELU),
        "of a sum that may be negative": ended(CONV, RELU, (*CONV, [2]), ("Add", {}, [2, 3]), RELU),
        "of a tanh": ended(CONV, TANH, RELU),
        "of the image": ended(RELU, CONV),
        "before a pooling that follows": ended(CONV, POOL, RELU),
    },
    "pooling by one": {
        "stride 2": ended(CONV, ("MaxPooling2D", {"pool_size": 1, "strides": 2})),
        "one way": ended(CONV, ("MaxPooling2D", {"pool_size": [1, 2], "strides": 1})),
        "a window of 2": ended(CONV, ("AveragePooling2D", {"pool_size": 2, "strides": 1, "padding": "same"})),
    },
    "padding like same": {
        "too little": ended(pad(1, 0), VALID),
        "too much": ended(pad(2, 2), VALID),
        "one way": ended(("Pad", {"widths": [[1, 1], [0, 0], [0, 0]]}), VALID),
        "channels as well": ended(pad(1, 1, (0, 1)), VALID),
        "padded twice": ended(pad(1, 1), BARE),
        "on the other side of stride 2": ended(pad(1, 0), HALF),
        "before a pooling": ended(CONV, pad(1, 1), ("MaxPooling2D", {"pool_size": 3, "strides": 1})),
    },
    "zeros after pooling": {
        "read elsewhere": ended(CONV, pad(0, 0, (1, 2)), MEAN, (*HALF_SAME, [2]), ("Concatenate", {}, [3, 4])),
        "rows as well": ended(CONV, pad(1, 0, (1, 2)), MEAN),
    },
    "zeros behind": {
        "the classes themselves": described(CONV, ("GlobalAveragePooling2D", {}), DENSE, ("Pad", {"widths": [[1, 0]]})),
        "added to the image": ended(
            ("Conv2D", {"filters": 2, "kernel_size": 1}), pad(0, 0, (1, 0)), ("Add", {}, [0, 2])
        ),
        "beside other channels": ended(CONV, pad(0, 0, (2, 0)), ("Concatenate", {}, [1, 2]), CONV),
        "laid out flat": described(CONV, pad(0, 0, (2, 0)), ("Flatten", {}), DENSE),
        "added to zeros in another place": ended(
            CONV, pad(0, 0, (2, 0)), (*pad(0, 0, (1, 1)), [1]), ("Add", {}, [2, 3]), NORM
        ),
    },
    "bias before normalisation": {
        "a ReLU between": ended(CONV, RELU, NORM),
        "zeros around the image between": ended(CONV, pad(1, 1), NORM, RELU),
        "read elsewhere": ended(CONV, NORM, (*TANH, [1]), ("Concatenate", {}, [2, 3])),
        "a stream that ends without": ended(CONV, NORM, RELU, CONV, ("Add", {}, [1, 4]), RELU),
        "the last": ended(NORM, CONV),
        "pooled to a vector, which would do": described(CONV, ("GlobalAveragePooling2D", {}), NORM, DENSE),
        "another convolution between": ended(CONV, BARE, NORM),
    },
}  # fmt: skip


class TestExactly:
    """Rules that say what they do; tests/grader/blueprint/test_forms_exact.py shows that it is no change."""

    @pytest.mark.parametrize(
        ("rule", "data"),
        [pytest.param(rule, data, id=f"{rule}-{n}") for rule, all_ in HOLDS.items() for n, data in enumerate(all_)],
    )
    def test_replaced(self, rule: str, data: Data) -> None:
        """Where they hold, they replace."""
        written = read(data, ROOMY)
        changed, count = applied(BY_ID[rule], written)
        assert count > 0
        assert changed.digest != written.digest
        assert changed.parameters <= written.parameters
        assert changed.flops <= written.flops

    @pytest.mark.parametrize(
        ("rule", "data"),
        [pytest.param(rule, data, id=f"{rule}-{why}") for rule, all_ in KEPT.items() for why, data in all_.items()],
    )
    def test_kept(self, rule: str, data: Data) -> None:
        """Where they would not, nothing is replaced."""
        written = read(data, ROOMY)
        changed, count = applied(BY_ID[rule], written)
        assert count == 0
        assert changed.digest == written.digest
