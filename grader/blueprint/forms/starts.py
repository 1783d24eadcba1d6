"""Rules on first weights: how widely kernels are drawn, where biases, offsets and gammas start."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from grader.blueprint.allowlist import GLOROT_UNIFORM
from grader.blueprint.forms.bounds import (
    HE_NORMAL,
    LARGEST_BIAS,
    LARGEST_OFFSET,
    LARGEST_SPREAD,
    ONES,
    SMALLEST_SPREAD,
    ZEROS,
)
from grader.blueprint.forms.editing import Edit, Readers
from grader.blueprint.network import Blueprint, Node


def deviation(initialiser: Mapping[str, Any], shape: tuple[int, ...]) -> float:
    """The standard deviation of the numbers that an initialiser draws for weights of that shape.

    0 for constants. A kernel's shape is (..., inputs, outputs), as Keras has it.
    """
    field = math.prod(shape[:-2])
    inputs = shape[-2] * field if len(shape) > 1 else shape[0]
    outputs = shape[-1] * field
    match initialiser["name"]:
        case "RandomNormal":
            return float(initialiser["stddev"])
        case "TruncatedNormal":
            return float(initialiser["stddev"]) * _TRUNCATED
        case "RandomUniform":
            return float(initialiser["limit"]) / math.sqrt(3)
        case "Orthogonal":
            return float(initialiser["gain"]) / math.sqrt(max(math.prod(shape[:-1]), shape[-1]))
        case "VarianceScaling":
            fans = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}
            return math.sqrt(float(initialiser["scale"]) / fans[initialiser["mode"]])
        case _:
            return 0.0


_TRUNCATED = 0.87962566103423978  # the deviation of a normal distribution cut off at two of its own


def spread(network: Blueprint, node: Node) -> float:
    """The deviation of a layer's first kernel, divided by what he_normal draws for it.

    An initialiser that scales with the layer's outputs, or with inputs and outputs, is compared with a
    he_normal that does so too.
    """
    initialiser = node.settings["kernel_initializer"]
    shape = (network.nodes[node.inputs[0]].shape[-1], node.shape[-1])
    if node.op == "Conv2D":
        shape = (*node.settings["kernel_size"], *shape)
    normal = {**HE_NORMAL, "mode": initialiser.get("mode", HE_NORMAL["mode"])}
    return deviation(initialiser, shape) / deviation(normal, shape)


def _is_open(ratio: float) -> bool:
    """Whether a spread is within the bounds, to as many digits as anybody would write."""
    return SMALLEST_SPREAD * (1 - _ROUNDING) <= ratio <= LARGEST_SPREAD * (1 + _ROUNDING)


_ROUNDING = 1e-6


def _classifiers(network: Blueprint) -> set[int]:
    """Dense layers after which nothing has weights: what they put out are the classes."""
    readers = Readers(network)
    last: set[int] = set()  # nodes after which nothing has weights
    for node in reversed(network.nodes):
        if all(
            reader.index in last and reader.op not in ("Conv2D", "Dense", "BatchNormalization")
            for reader in readers[node]
        ):
            last.add(node.index)
    return {node.index for node in network.of("Dense") if node.index in last}


def he_normal(network: Blueprint) -> Edit:
    """With he_normal for kernels that are drawn about as widely; glorot_uniform for the last dense layer."""
    edit, classifiers = Edit(network), _classifiers(network)
    for node in network.of("Conv2D", "Dense"):
        if _is_open(spread(network, node)):
            choice = GLOROT_UNIFORM if node.index in classifiers else HE_NORMAL
            edit.set(node, kernel_initializer=dict(choice))
    return edit


def spread_too_far(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in network.of("Conv2D", "Dense"):
        ratio = spread(network, node)
        if not ratio:
            yield node, f"the kernel of {node} starts with the same number everywhere, which is not open"
        elif not _is_open(ratio):
            yield (
                node,
                f"the kernel of {node} starts with {ratio:.3g} times the deviation of he_normal; "
                f"{SMALLEST_SPREAD:g} to {LARGEST_SPREAD:g} times are open",
            )


def _starts_near_zero(node: Node, weight: str) -> bool:
    """Whether a bias ("bias") or an offset ("beta") starts where it may."""
    initialiser = node.settings[f"{weight}_initializer"]
    if initialiser["name"] == "Ones":
        return weight == "bias"
    most = LARGEST_BIAS if weight == "bias" else LARGEST_OFFSET
    return deviation(initialiser, node.shape[-1:]) <= most * (1 + _ROUNDING)


def _with(network: Blueprint, weight: str) -> Iterator[Node]:
    return (node for node in network if node.settings.get(f"{weight}_initializer") is not None)


def from_zeros(weight: str) -> Callable[[Blueprint], Edit]:
    """With zeros for biases or offsets that start near them."""

    def apply(network: Blueprint) -> Edit:
        edit = Edit(network)
        for node in _with(network, weight):
            if _starts_near_zero(node, weight):
                edit.set(node, **{f"{weight}_initializer": dict(ZEROS)})
        return edit

    return apply


def far_from_zeros(weight: str) -> Callable[[Blueprint], Iterator[tuple[Node, str]]]:
    most = LARGEST_BIAS if weight == "bias" else LARGEST_OFFSET

    def beyond(network: Blueprint) -> Iterator[tuple[Node, str]]:
        for node in _with(network, weight):
            if not _starts_near_zero(node, weight):
                yield node, f"the {weight} of {node} starts further from zeros than the deviation of {most:g}"

    return beyond


def _zero_gammas(network: Blueprint) -> list[Node]:
    """Normalisations that start by putting out nothing but their offset."""
    return [
        node
        for node in network.of("BatchNormalization")
        if (node.settings["gamma_initializer"] or ONES)["name"] == "Zeros"
    ]


def _closed_gammas(network: Blueprint) -> list[Node]:
    """Those of them that are not open: nothing else is added to what they put out."""
    zero = {node.index for node in _zero_gammas(network)}
    readers = Readers(network)
    closed = []
    for node in _zero_gammas(network):
        addition = readers.only(node)
        others = {*addition.inputs} - {node.index} if addition and addition.op == "Add" else set()
        if not others or others & zero:
            closed.append(node)
    return closed


def gammas_of_ones(network: Blueprint) -> Edit:
    """With ones for gammas that start at zeros."""
    edit = Edit(network)
    for node in _zero_gammas(network):
        edit.set(node, gamma_initializer=dict(ONES))
    return edit


def gammas_too_small(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in _closed_gammas(network):
        yield node, f"the gamma of {node} starts from zeros, and nothing is added to what it puts out"
    for node in _with(network, "gamma"):
        if node.settings["gamma_initializer"]["name"] not in ("Ones", "Zeros"):
            yield node, f"the gamma of {node} starts from numbers around 0, some of them below"


def with_scale(network: Blueprint) -> Edit:
    """With gammas where they were left out because a ReLU follows, and then a layer that scales as well.

    Only in a network that is one path: how many scales a residual network learns is part of its description.
    """
    if network.of("Add", "Concatenate"):
        return Edit(network)
    readers = Readers(network)
    scaled: dict[int, bool] = {}  # whether layers with kernels scale all that comes of a node
    for node in reversed(network.nodes):
        scaled[node.index] = not readers.is_output(node) and all(
            reader.op in ("Conv2D", "Dense")
            or ((reader.op in _SCALES or _is_relu(reader)) and scaled[reader.index])
            for reader in readers[node]
        )
    edit = Edit(network)
    for node in network.of("BatchNormalization"):
        center, scale = node.settings["center"], node.settings["scale"]
        if center and not scale and scaled[node.index] and all(map(_is_relu, readers[node])):
            edit.set(node, scale=True, gamma_initializer=dict(ONES))
    return edit


def _is_relu(node: Node) -> bool:
    return bool(node.settings.get("activation") == "relu")


_SCALES = (
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Flatten",
    "Dropout",
)
