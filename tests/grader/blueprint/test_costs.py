"""What a network costs beside the one that was asked for: each kind of cost has its own limit."""

from typing import Any, ClassVar

import pytest

from grader.blueprint import ACTIVATIONS, Blueprint, Budget, excess, read
from grader.blueprint.allowlist import OPS

ROOMY = Budget(parameters=10**8, flops=10**10, activations=10**8, nodes=800)
CONV = ("Conv2D", {"filters": 8, "kernel_size": 3, "padding": "same", "use_bias": False})
NORM = ("BatchNormalization", {})
RELU = ("Activation", {"activation": "relu"})
END = [("GlobalAveragePooling2D", {}), ("Dense", {"units": 20, "activation": "softmax"})]
PLAIN = [CONV, NORM, RELU, CONV, NORM, RELU, CONV, NORM, RELU, ("MaxPooling2D", {}), *END]


def network(*nodes: tuple[str, dict[str, Any]]) -> Blueprint:
    listed: list[dict[str, Any]] = [{"op": "Input", "settings": {}, "inputs": []}]
    for op, settings in nodes:
        listed.append({"op": op, "settings": settings, "inputs": [len(listed) - 1]})
    return read({"format": 1, "input_shape": [32, 32, 3], "nodes": listed, "output": len(listed) - 1}, ROOMY)


def what(*nodes: tuple[str, dict[str, Any]]) -> str:
    """Of what these are too much, beside PLAIN; empty if they are not."""
    over = excess(network(*nodes), network(*PLAIN))
    return over.what if over else ""


class TestExcess:
    def test_itself(self) -> None:
        assert what(*PLAIN) == ""

    def test_a_little_more(self) -> None:
        """Biases, and a padding that is written out, are no other network."""
        padded = [
            ("Pad", {"widths": [[1, 1], [1, 1], [0, 0]]}),
            ("Conv2D", {"filters": 8, "kernel_size": 3}),
        ]
        assert what(*padded, NORM, RELU, *padded, NORM, RELU, *padded, *PLAIN[7:]) == ""

    @pytest.mark.parametrize(
        ("extra", "too_many"),
        [
            ([CONV, NORM, RELU], "parameters"),
            (
                [("MaxPooling2D", {"pool_size": 4, "strides": 1, "padding": "same"})],
                "operations for one image outside convolutions and dense layers",
            ),
            (
                [RELU, ("Activation", {"activation": "tanh"})] * 6,
                "operations for one image outside convolutions and dense layers",
            ),
            ([("Pad", {"widths": [[0, 0], [0, 0], [0, 200]]})], "values in explicitly padded images"),
        ],
    )
    def test_too_much(self, extra: list[tuple[str, dict[str, Any]]], too_many: str) -> None:
        """Room in one kind of cost buys nothing in another."""
        at = len(PLAIN) - 3
        assert what(*PLAIN[:at], *extra, *PLAIN[at:]) in (too_many, "parameters")

    def test_more_operations_with_the_same_weights(self) -> None:
        """A pooling that comes late makes every layer before it work on a larger image."""
        early = [CONV, ("MaxPooling2D", {}), CONV, CONV, *END]
        late = [CONV, CONV, CONV, ("MaxPooling2D", {}), *END]
        over = excess(network(*late), network(*early))
        assert over is not None
        assert over.what == "operations for one image"
        assert excess(network(*early), network(*late)) is None

    def test_nodes_that_cost_nothing(self) -> None:
        """What has next to no operations cannot be there a hundred times."""
        soft = [("Activation", {"activation": name}) for name in ("tanh", "softmax")]
        assert what(*PLAIN, *soft, *soft, *soft) == "layers and operations"

    def test_paddings_that_cost_nothing(self) -> None:
        """Explicit paddings are not counted with the layers, and are not free either."""
        pad = ("Pad", {"widths": [[0, 1]]})
        nodes = [*PLAIN]
        for _ in range(20):
            nodes += [pad, RELU]
        assert what(*nodes)


class TestEveryOperationCosts:
    """No operation of the allowlist is free."""

    SETTINGS: ClassVar[dict[str, dict[str, Any]]] = {
        "Conv2D": {"filters": 4, "kernel_size": 3},
        "Dense": {"units": 4},
        "Dropout": {"rate": 0.5},
        "Pad": {"widths": [[0, 1], [0, 0], [0, 0]]},
        "Unknown": {"shape": [32, 32, 8]},
    }

    @pytest.mark.parametrize("op", [op for op in OPS if op not in ("Add", "Concatenate")])
    def test_one_input(self, op: str) -> None:
        names = ACTIVATIONS if op == "Activation" else ("",)
        for name in names:
            settings = {"activation": name} if name else self.SETTINGS.get(op, {})
            last = network(CONV, (op, settings)).output
            assert last.flops >= max(1, min(32 * 32 * 8, len(last.shape)))
            assert last.op == op

    @pytest.mark.parametrize("op", ["Add", "Concatenate"])
    def test_several_inputs(self, op: str) -> None:
        nodes = [
            {"op": "Input", "settings": {}, "inputs": []},
            {"op": "Dense", "settings": {"units": 3}, "inputs": [0]},
            {"op": op, "settings": {}, "inputs": [0, 1, 1]},
        ]
        made = read({"format": 1, "input_shape": [8, 8, 3], "nodes": nodes, "output": 2}, ROOMY)
        assert made.output.flops >= 8 * 8 * 3
        assert made.flops == sum(node.flops for node in made)
