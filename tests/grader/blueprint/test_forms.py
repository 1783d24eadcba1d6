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
from grader.grading import to_train
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
            {
                "op": op,
                "settings": given_settings,
                "inputs": inputs[0] if inputs else [place - 1],
                "name": f"n{place}",
            }
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
    return to_train.described_network(TASKS.task(task), classes, SMALL[task])


CONV = ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"})
BARE = ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "use_bias": False})
VALID = ("Conv2D", {"filters": 4, "kernel_size": 3, "use_bias": False})
HALF = ("Conv2D", {"filters": 4, "kernel_size": 3, "strides": 2, "use_bias": False})
NORM = ("BatchNormalization", {})
SEVEN = ("Conv2D", {**CONV[1], "filters": 7})
RELU = ("Activation", {"activation": "relu"})
TANH = ("Activation", {"activation": "tanh"})
SOFTMAX = ("Activation", {"activation": "softmax"})
POOL = ("MaxPooling2D", {})
HALF_SAME = ("Conv2D", {**HALF[1], "padding": "same"})
MEAN = ("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"})
MEAN_VALID = ("AveragePooling2D", {"pool_size": 3, "strides": 2})
PAIRS = ("AveragePooling2D", {"pool_size": 2, "strides": 1, "padding": "same"})
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
        ended(CONV, pad(0, 0, (1, 2)), NORM, RELU, SEVEN, ("Add", {}, [2, 5]), NORM),
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
        "a window of 2": ended(CONV, PAIRS),
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
        "read elsewhere": ended(
            CONV, pad(0, 0, (1, 2)), MEAN, (*HALF_SAME, [2]), ("Concatenate", {}, [3, 4])
        ),
        "rows as well": ended(CONV, pad(1, 0, (1, 2)), MEAN),
    },
    "zeros behind": {
        "the classes": described(CONV, ("GlobalMaxPooling2D", {}), DENSE, ("Pad", {"widths": [[1, 0]]})),
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
        [
            pytest.param(rule, data, id=f"{rule}-{n}")
            for rule, all_ in HOLDS.items()
            for n, data in enumerate(all_)
        ],
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
        [
            pytest.param(rule, data, id=f"{rule}-{why}")
            for rule, all_ in KEPT.items()
            for why, data in all_.items()
        ],
    )
    def test_kept(self, rule: str, data: Data) -> None:
        """Where they would not, nothing is replaced."""
        written = read(data, ROOMY)
        changed, count = applied(BY_ID[rule], written)
        assert count == 0
        assert changed.digest == written.digest


# --- Decrees -----------------------------------------------------------------------------------------------


def he(node: Data, network: Blueprint, index: int) -> float:
    """The deviation that he_normal draws for a layer's kernel."""
    read_node = network.nodes[index]
    inputs = network.nodes[read_node.inputs[0]].shape[-1]
    window = node["settings"].get("kernel_size", (1, 1))
    return math.sqrt(2 / (inputs * window[0] * window[1]))


def everywhere(op: str, **given_settings: Any) -> Callable[[Data], None]:
    """Gives every node of an operation other settings."""

    def change(data: Data) -> None:
        for node in data["nodes"]:
            if node["op"] == op and all(node["settings"].get(key) is not None for key in given_settings):
                node["settings"].update(copy.deepcopy(given_settings))

    return change


def spread(times: float) -> Callable[[Data], None]:
    """Gives every kernel a normal spread of so many times he_normal's."""

    def change(data: Data) -> None:
        network = read(data, ROOMY)
        for index, node in enumerate(data["nodes"]):
            if "kernel_initializer" in node["settings"]:
                deviation = times * he(node, network, index)
                node["settings"]["kernel_initializer"] = {"name": "RandomNormal", "stddev": deviation}

    return change


def spread_of_one(times: float) -> Callable[[Data], None]:
    """Gives a normal spread of so many times he_normal's to the kernel for which he_normal's is smallest.

    Only that of a layer with many inputs may be written so wide as to be outside: the others' initialisers
    would have numbers beyond the allowlist.
    """

    def change(data: Data) -> None:
        network = read(data, ROOMY)
        having = [
            index for index, node in enumerate(data["nodes"]) if "kernel_initializer" in node["settings"]
        ]
        smallest = min(having, key=lambda index: he(data["nodes"][index], network, index))
        deviation = times * he(data["nodes"][smallest], network, smallest)
        data["nodes"][smallest]["settings"]["kernel_initializer"] = {
            "name": "RandomNormal",
            "stddev": deviation,
        }

    return change


def kernels(name: str, **given_settings: Any) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        for op in ("Conv2D", "Dense"):
            everywhere(op, kernel_initializer={"name": name, **given_settings})(data)

    return change


def scaled(scale: float, mode: str, distribution: str = "truncated_normal") -> Callable[[Data], None]:
    return kernels("VarianceScaling", scale=scale, mode=mode, distribution=distribution)


def gammas(paths: int) -> Callable[[Data], None]:
    """Zeros for the gamma of normalisations that feed an addition, on one of its paths or on both."""

    def change(data: Data) -> None:
        nodes = data["nodes"]
        for addition in [node for node in nodes if node["op"] == "Add"]:
            # The canonical form has what was put in first at the end of the longer way.
            norms = [i for i in addition["inputs"] if nodes[i]["op"] == "BatchNormalization"]
            norms.sort(key=lambda i: nodes[nodes[i]["inputs"][0]]["settings"]["strides"] == (2, 2))
            for index in norms[:paths]:
                nodes[index]["settings"]["gamma_initializer"] = {"name": "Zeros"}

    return change


def padded_by_hand(before: int, after: int, ops: tuple[str, ...] = ("Conv2D",)) -> Callable[[Data], None]:
    """Puts zeros of its own before what has a 3x3 window with stride 2."""

    def change(data: Data) -> None:
        nodes: list[Data] = []
        place: dict[int, int] = {}
        for index, node in enumerate(data["nodes"]):
            node["inputs"] = [place[i] for i in node["inputs"]]
            settings = node["settings"]
            if node["op"] in ops and settings["padding"] == "same" and tuple(settings["strides"]) == (2, 2):
                widths = [[before, after], [before, after], [0, 0]]
                nodes.append({"op": "Pad", "settings": {"widths": widths}, "inputs": node["inputs"]})
                node["inputs"], settings["padding"] = [len(nodes) - 1], "valid"
            nodes.append(node)
            place[index] = len(nodes) - 1
        data.update(nodes=nodes, output=len(nodes) - 1)

    return change


def without_scale(after: str) -> Callable[[Data], None]:
    """Takes the gammas out of normalisations that something reads."""

    def change(data: Data) -> None:
        nodes = data["nodes"]
        for index, node in enumerate(nodes):
            readers = [other for other in nodes if index in other["inputs"]]
            alike = all(other["op"] == after for other in readers)
            if node["op"] == "BatchNormalization" and node["settings"]["center"] and alike:
                node["settings"].update(scale=False, gamma_initializer=None, gamma_l2=0.0)

    return change


def biases(name: str, **given_settings: Any) -> Callable[[Data], None]:
    return everywhere("Dense", bias_initializer={"name": name, **given_settings})


NORMS = ("alexnet", "resnet", "wide_resnet")
# For each decree what is just inside its bounds, and just outside, and in which networks.
INSIDE: dict[str, dict[str, tuple[Callable[[Data], None], tuple[str, ...]]]] = {
    "padding for stride 2": {
        "one pixel on each side": (padded_by_hand(1, 1), ("resnet", "wide_resnet")),
        "before a mean": (padded_by_hand(1, 1, ("AveragePooling2D",)), ("wide_resnet",)),
        "on the other side": (padded_by_hand(1, 0), ("wide_resnet",)),
    },
    "bias start": {
        "ones": (biases("Ones"), ("alexnet", "resnet")),
        "a spread of 1": (biases("RandomNormal", stddev=1.0), ("alexnet", "resnet")),
        "glorot": (
            biases("VarianceScaling", scale=1.0, mode="fan_avg", distribution="uniform"),
            ("alexnet", "resnet"),
        ),
    },
    "offset start": {
        "a spread of 0.1": (
            everywhere("BatchNormalization", beta_initializer={"name": "RandomNormal", "stddev": 0.1}),
            NORMS,
        ),
    },
    "kernel start": {
        "a thousandth": (spread(0.001), NORMS),
        "twice": (spread(2.0), ("alexnet",)),
        "as in 2012": (kernels("RandomNormal", stddev=0.01), NORMS),
        "normal by default": (kernels("RandomNormal"), NORMS),
        "uniform by default": (kernels("RandomUniform"), NORMS),
        "truncated by default": (kernels("TruncatedNormal"), NORMS),
        "glorot_uniform": (scaled(1.0, "fan_avg", "uniform"), NORMS),
        "glorot_normal": (scaled(1.0, "fan_avg"), NORMS),
        "lecun_normal": (scaled(1.0, "fan_in"), NORMS),
        "lecun_uniform": (scaled(1.0, "fan_in", "uniform"), NORMS),
        "he_uniform": (scaled(2.0, "fan_in", "uniform"), NORMS),
        "he_normal by outputs": (scaled(2.0, "fan_out", "untruncated_normal"), NORMS),
        "fifteen times, of one layer": (spread_of_one(15.0), ("wide_resnet",)),
        "seven times, as variance": (scaled(98.0, "fan_in"), NORMS),
        "a thousandth, as variance": (scaled(2e-6, "fan_in"), NORMS),
        "orthogonal": (kernels("Orthogonal"), NORMS),
        "orthogonal, many times": (kernels("Orthogonal", gain=10.0), NORMS),
    },
    "gamma start": {"the last of a block": (gammas(1), ("resnet",))},
    "scale left out": {"before a ReLU": (without_scale("Activation"), ("alexnet",))},
    "L2": {
        "of kernels": (everywhere("Conv2D", kernel_l2=1e-3), NORMS),
        "of the last bias": (everywhere("Dense", bias_l2=1e-3), ("alexnet", "resnet")),
        "of gammas and betas": (
            everywhere("BatchNormalization", gamma_l2=1e-3, beta_l2=1e-3),
            ("alexnet", "resnet"),
        ),
    },
    "epsilon": {
        "smallest": (everywhere("BatchNormalization", epsilon=1e-8), NORMS),
        "largest": (everywhere("BatchNormalization", epsilon=1e-2), NORMS),
    },
}
OUTSIDE: dict[str, dict[str, tuple[Callable[[Data], None], tuple[str, ...]]]] = {
    "padding for stride 2": {
        "two pixels before": (padded_by_hand(2, 0), ("resnet", "wide_resnet")),
        "two pixels behind": (padded_by_hand(0, 2), ("resnet", "wide_resnet")),
    },
    "bias start": {
        "more than a spread of 1": (
            biases("VarianceScaling", scale=8.0, mode="fan_in", distribution="uniform"),
            ("alexnet", "resnet"),
        ),
    },
    "offset start": {
        "a spread of 0.11": (
            everywhere("BatchNormalization", beta_initializer={"name": "RandomNormal", "stddev": 0.11}),
            NORMS,
        ),
        "ones": (everywhere("BatchNormalization", beta_initializer={"name": "Ones"}), NORMS),
    },
    "kernel start": {
        "less than a thousandth": (spread(0.00099), NORMS),
        "less than a thousandth, of one layer": (spread_of_one(0.00099), NORMS),
        "more than fifteen times, of one layer": (spread_of_one(15.1), ("wide_resnet",)),
        "less than a thousandth, as variance": (scaled(1.9e-6, "fan_avg"), NORMS),
        "a spread of 1": (kernels("RandomNormal", stddev=1.0), ("wide_resnet",)),
        "a spread of 0.0001": (kernels("RandomNormal", stddev=1e-4), NORMS),
        "zeros": (kernels("Zeros"), NORMS),
        "ones": (kernels("Ones"), NORMS),
    },
    "gamma start": {
        "both paths": (gammas(2), ("resnet",)),
        "every one": (everywhere("BatchNormalization", gamma_initializer={"name": "Zeros"}), NORMS),
        "drawn around zero": (
            everywhere("BatchNormalization", gamma_initializer={"name": "RandomNormal", "stddev": 0.05}),
            NORMS,
        ),
    },
    "scale left out": {
        "before a ReLU of a residual network": (without_scale("Activation"), ("resnet",)),
        "before an addition": (without_scale("Add"), ("resnet",)),
        "of the image": (without_scale("Conv2D"), ("wide_resnet",)),
    },
    "L2": {
        "0.0011": (everywhere("Conv2D", kernel_l2=1.1e-3), NORMS),
        "0.01": (everywhere("Conv2D", kernel_l2=0.01), NORMS),
        "0.1 in dense layers": (everywhere("Dense", kernel_l2=0.1), ("alexnet", "resnet")),
    },
    "epsilon": {"0.011": (everywhere("BatchNormalization", epsilon=0.011), NORMS)},
}


def cases(table: dict[str, dict[str, Any]]) -> Iterator[Any]:
    for rule, ways in table.items():
        for why, (change, tasks) in ways.items():
            for task in tasks:
                yield pytest.param(rule, task, change, id=f"{rule}: {why}, {task}")


class TestDecrees:
    """What the course decides, within bounds."""

    def test_each_has_both_sides(self) -> None:
        """No decree is without a case on either side of its bounds."""
        decrees = {rule.id for rule in RULES if rule.kind == "decree"}
        assert decrees == set(INSIDE) == set(OUTSIDE)

    @pytest.mark.parametrize(("rule", "task", "change"), [*cases(INSIDE)])
    def test_inside(self, rule: str, task: str, change: Callable[[Data], None]) -> None:
        """Just inside: the solution's digest, and it is listed what was replaced."""
        network = solution(task)
        data = copy.deepcopy(network.canonical)
        change(data)
        written = read(data, ROOMY)
        assert written.digest != network.digest
        found = training_form(written, ROOMY)
        assert found.network.digest == training_form(network, ROOMY).network.digest
        assert rule in {one.rule for one in found.replaced}
        assert not outside(written)

    @pytest.mark.parametrize(("rule", "task", "change"), [*cases(OUTSIDE)])
    def test_outside(self, rule: str, task: str, change: Callable[[Data], None]) -> None:
        """Just outside: it stays as it was written, in another digest, and most are named."""
        network = solution(task)
        data = copy.deepcopy(network.canonical)
        change(data)
        written = read(data, ROOMY)
        assert written.digest != network.digest
        found = training_form(written, ROOMY)
        assert found.network.digest != training_form(network, ROOMY).network.digest
        if rule not in ("padding for stride 2", "scale left out"):  # the judges of the structure name these
            assert rule in {one.rule for one in outside(written)}
            assert all(one.says for one in outside(written))

    def test_as_in_2012_everywhere(self) -> None:
        """RandomNormal(0.01) is inside for every layer of every task and profile, those for a GPU too."""
        for profile in PARAMS.profiles.values():
            for task, arguments in profile.builders.items():
                network = to_train.described_network(TASKS.task(task), 100, arguments)
                data = copy.deepcopy(network.canonical)
                kernels("RandomNormal", stddev=0.01)(data)
                written = read(data, ROOMY)
                assert not outside(written), (profile.name, task)
                assert (
                    training_form(written, ROOMY).network.digest
                    == training_form(network, ROOMY).network.digest
                )

    @pytest.mark.parametrize("task", NORMS)
    def test_widest_and_smallest_in_the_profile(self, task: str) -> None:
        """The network that is graded: 15 times is inside, more is not, nor is a normal of 1 or 0.0001."""
        network = to_train.described_network(TASKS.task(task), 100, PARAMS.profile("cpu").builders[task])
        right = training_form(network, ROOMY).network.digest
        for change, is_open in (
            (spread_of_one(15.0), True),
            (spread_of_one(15.1), False),
            (kernels("RandomNormal", stddev=1.0), False),
            (kernels("RandomNormal", stddev=1e-4), False),
        ):
            data = copy.deepcopy(network.canonical)
            change(data)
            written = read(data, ROOMY)
            assert (not outside(written)) == is_open
            assert (training_form(written, ROOMY).network.digest == right) == is_open

    @pytest.mark.parametrize(
        ("inside", "beyond"),
        [
            (kernels("Orthogonal"), {"kernel_initializer": {"name": "Zeros"}}),
            (everywhere("Conv2D", kernel_l2=1e-3), {"kernel_l2": 0.01}),
        ],
    )
    @pytest.mark.parametrize("task", NORMS)
    def test_one_beyond_keeps_all(
        self, task: str, inside: Callable[[Data], None], beyond: dict[str, Any]
    ) -> None:
        """Where one layer goes beyond a bound, the others stay too: a decree is of a whole network."""
        data = copy.deepcopy(solution(task).canonical)
        inside(data)
        next(node for node in data["nodes"] if node["op"] == "Conv2D")["settings"].update(beyond)
        setting = next(iter(beyond))
        written = [node.settings[setting] for node in read(data, ROOMY).of("Conv2D")]
        assert [node.settings[setting] for node in form(data).of("Conv2D")] == written

    def test_every_zero_gamma_stays(self) -> None:
        """Where one gamma starts from zeros that must not, no other is touched: the network is another."""
        data = copy.deepcopy(solution("resnet").canonical)
        everywhere("BatchNormalization", gamma_initializer={"name": "Zeros"})(data)
        found = form(data)
        assert {node.settings["gamma_initializer"]["name"] for node in found.of("BatchNormalization")} == {
            "Zeros"
        }

    def test_a_wide_resnet_has_no_scale(self) -> None:
        """Normalisations that learn nothing are the wide ResNet's own, and stay so."""
        found = training_form(solution("wide_resnet"), ROOMY).network
        assert [node.settings["scale"] for node in found.of("BatchNormalization")].count(True) == 1


class TestDeviation:
    """deviation."""

    @pytest.mark.parametrize("shape", [(3, 3, 16, 64), (5, 5, 48, 8), (400, 30), (30, 400)])
    @pytest.mark.parametrize(
        "initialiser",
        [
            {"name": "RandomNormal", "stddev": 0.2},
            {"name": "TruncatedNormal", "stddev": 0.2},
            {"name": "RandomUniform", "limit": 0.3},
            {"name": "Orthogonal", "gain": 1.5},
            *(
                {"name": "VarianceScaling", "scale": 1.3, "mode": mode, "distribution": distribution}
                for mode in ("fan_in", "fan_out", "fan_avg")
                for distribution in ("truncated_normal", "untruncated_normal", "uniform")
            ),
            {"name": "Zeros"},
            {"name": "Ones"},
        ],
        ids=lambda one: "-".join(map(str, one.values())),
    )
    def test_is_what_keras_draws(self, initialiser: Data, shape: tuple[int, ...]) -> None:
        """To a few per cent, for kernels of every form."""
        import keras

        from grader.blueprint.rebuilding import _initialiser

        keras.utils.set_random_seed(1)
        drawn = keras.ops.convert_to_numpy(_initialiser(keras, **initialiser)(shape))
        assert float(drawn.std()) == pytest.approx(deviation(initialiser, shape), rel=0.06, abs=1e-6)


# --- All of it ---------------------------------------------------------------------------------------------


@st.composite
def other_hands(draw: st.DrawFn) -> tuple[str, Data]:
    """A right network, in which every layer has its own choice of what is open."""
    task = draw(st.sampled_from(NORMS))
    network = solution(task)
    nodes: list[Data] = []
    place: dict[int, int] = {}

    def add(op: str, settings: Data, *inputs: int) -> int:
        nodes.append({"op": op, "settings": settings, "inputs": list(inputs)})
        return len(nodes) - 1

    both_paths: set[int] = set()  # additions one of whose paths starts from zeros
    for index, node in enumerate(copy.deepcopy(network.canonical)["nodes"]):
        op, own = node["op"], node["settings"]
        inputs = [place[i] for i in node["inputs"]]
        readers = [other for other in network if index in other.inputs]
        if "kernel_initializer" in own:
            own["kernel_initializer"] = draw(starts(he(node, network, index)))
            own["kernel_l2"] = draw(st.sampled_from([0.0, 1e-5, 1e-3]))
            if own["use_bias"] or draw(st.booleans()):
                start = draw(st.sampled_from([{"name": "Zeros"}, {"name": "Ones"}]))
                own.update(use_bias=True, bias_initializer=start, bias_l2=draw(st.sampled_from([0.0, 1e-3])))
        if op == "BatchNormalization":
            own["momentum"] = draw(st.sampled_from([0.9, 0.95, 0.99]))
            own["epsilon"] = draw(st.sampled_from([1e-8, 1e-5, 1.001e-5, 1e-3, 1e-2]))
            feeds = readers[0]
            if feeds.op == "Add" and own["scale"] and feeds.index not in both_paths and draw(st.booleans()):
                own["gamma_initializer"] = {"name": "Zeros"}
                both_paths.add(feeds.index)
            elif task == "alexnet" and draw(st.booleans()):
                own.update(scale=False, gamma_initializer=None)
        if own.get("padding") == "same" and tuple(own["strides"]) == (1, 1) and draw(st.booleans()):
            half = [[side // 2, side // 2] for side in own["kernel_size"]]
            inputs = [add("Pad", {"widths": [*half, [0, 0]]}, *inputs)]
            own["padding"] = "valid"
        elif own.get("padding") == "same" and tuple(own["strides"]) == (2, 2) and draw(st.booleans()):
            inputs = [add("Pad", {"widths": [[1, 1], [0, 0], [0, 0]]}, *inputs)]
            inputs = [add("Pad", {"widths": [[0, 0], [1, 1], [0, 0]]}, *inputs)]
            own["padding"] = "valid"
        if op == "Pad":
            before = draw(st.integers(0, own["widths"][2][1]))
            own["widths"] = [[0, 0], [0, 0], [before, own["widths"][2][1] - before]]
        place[index] = add(op, own, *inputs)
        if own.get("activation") == "relu" and draw(st.booleans()):
            image = len(network.nodes[index].shape) == 3
            nothing = ("MaxPooling2D", {"pool_size": 1, "strides": 1}) if image else RELU
            place[index] = add(*nothing, place[index])
    data = {"format": 1, "input_shape": list(network.input_shape), "nodes": nodes, "output": len(nodes) - 1}
    return task, data


def starts(he_normal: float) -> st.SearchStrategy[Data]:
    """Initialisers with a spread between the bounds."""
    times = st.floats(0.00101, min(7.0, 0.57 / he_normal))
    modes = st.sampled_from(["fan_in", "fan_out", "fan_avg"])
    kinds = st.sampled_from(["truncated_normal", "untruncated_normal", "uniform"])
    return st.one_of(
        times.map(lambda t: {"name": "RandomNormal", "stddev": t * he_normal}),
        times.map(lambda t: {"name": "TruncatedNormal", "stddev": t * he_normal / 0.8796}),
        times.map(lambda t: {"name": "RandomUniform", "limit": t * he_normal * math.sqrt(3)}),
        st.just({"name": "Orthogonal", "gain": 1.0}),
        st.builds(
            lambda t, mode, kind: {
                "name": "VarianceScaling",
                "scale": 2 * t * t,
                "mode": mode,
                "distribution": kind,
            },
            st.floats(0.0101, 2.99),
            modes,
            kinds,
        ),
    )


class TestTrainingForm:
    """training_form."""

    @examples(60)
    @given(other_hands())
    def test_right_by_any_hand(self, written: tuple[str, Data]) -> None:
        """Whatever a right network chooses of what is open, layer by layer: one digest, the solution's."""
        task, data = written
        assert form(data).digest == training_form(solution(task), ROOMY).network.digest
        assert not outside(read(data, ROOMY))

    @pytest.mark.parametrize("task", ["alexnet", "resnet"])
    def test_solutions_are_their_own(self, task: str) -> None:
        """What the course has written is what it trains."""
        found = training_form(solution(task), ROOMY)
        assert found.network.digest == solution(task).digest
        assert found.replaced == ()

    def test_the_wide_resnet_s_epsilon(self) -> None:
        """There is one epsilon for all, and McDonnell's is another."""
        assert [one.rule for one in training_form(solution("wide_resnet"), ROOMY).replaced] == ["epsilon"]

    @examples(150)
    @given(random_networks())
    def test_of_itself(self, data: Data) -> None:
        """A training form is its own, can be read again, and costs no more than what was written."""
        written = read(data, ROOMY)
        found = training_form(written, ROOMY).network
        again = training_form(found, ROOMY)
        assert again.network == found
        assert again.replaced == ()
        assert read(json.loads(json.dumps(found.canonical)), ROOMY) == found
        assert (found.input_shape, found.output_shape) == (written.input_shape, written.output_shape)
        assert found.flops <= written.flops
        assert found.activations <= written.activations
        assert len(found.nodes) <= len(written.nodes)
        gammas = sum(node.shape[-1] for node in found.of("BatchNormalization") if node.settings["scale"])
        were = sum(node.shape[-1] for node in written.of("BatchNormalization") if node.settings["scale"])
        assert found.parameters <= written.parameters + gammas - were

    @examples(300)
    @given(mutated())
    def test_hostile(self, data: Data) -> None:
        """It opens no door: what can be read has a training form within the budget, and nothing is raised."""
        try:
            written = read(data, BUDGET)
        except BlueprintRefused:
            return
        found = training_form(written, BUDGET).network
        assert found.parameters <= BUDGET.parameters
        assert len(found.nodes) <= BUDGET.nodes

    def test_over_budget(self) -> None:
        """A budget that what was written would not keep within is kept all the same."""
        network = solution("alexnet")
        small = Budget(parameters=100, flops=10**9, activations=10**9, nodes=100)
        with pytest.raises(BlueprintRefused, match=r"the limit is 100"):
            training_form(network, small)

    def test_no_scale_beyond_the_budget(self) -> None:
        """Gammas are given as far as the budget reaches: never does a form fail that was within it."""
        data = copy.deepcopy(solution("alexnet").canonical)
        without_scale("Activation")(data)
        written = read(data, ROOMY)
        tight = Budget(written.parameters, 10**12, 10**9, 200)
        found = training_form(written, tight)
        assert found.network.parameters == written.parameters
        assert "scale left out" not in {one.rule for one in found.replaced}

    def test_names_are_kept(self) -> None:
        """Layers keep what the student called them, for messages."""
        written = read(ended(CONV, NORM, RELU), ROOMY)
        assert [node.name for node in training_form(written, ROOMY).network.of("Conv2D")] == ["n1"]

    def test_what_was_replaced(self) -> None:
        """By rule, with how many nodes and a sentence."""
        data = copy.deepcopy(solution("resnet").canonical)
        everywhere("Conv2D", kernel_l2=1e-4)(data)
        everywhere("BatchNormalization", momentum=0.9)(data)
        network = read(data, ROOMY)
        found = {one.rule: one for one in training_form(network, ROOMY).replaced}
        assert set(found) == {"L2", "momentum"}
        assert found["L2"] == Replaced(
            "L2",
            "decree",
            len(network.of("Conv2D")),
            "There is no L2 regularisation; the recipe has a weight decay of its own.",
        )
        assert found["momentum"].kind == "exact"

    def test_both_in_one(self) -> None:
        """A padding of rows, columns and channels before a pooling comes to a pooling and zeros behind it."""
        one = ended(CONV, pad(1, 1, (0, 4)), MEAN_VALID, CONV)
        other = ended(CONV, MEAN, pad(0, 0, (0, 4)), CONV)
        assert form(one).digest == form(other).digest

    def test_biases_of_a_stream(self) -> None:
        """A padding that makes way lets biases go that came before it."""
        stream = ended(CONV, pad(1, 1), MEAN_VALID, NORM, RELU, CONV)
        assert not form(stream).of("Conv2D")[0].settings["use_bias"]
