"""Rules on settings within bounds: L2 penalties, epsilon, momentum."""

from collections.abc import Iterator

from grader.blueprint.forms.bounds import (
    EPSILON,
    LARGEST_EPSILON,
    LARGEST_L2,
    LARGEST_MOMENTUM,
    SMALLEST_EPSILON,
)
from grader.blueprint.forms.editing import Edit
from grader.blueprint.network import Blueprint, Node

_PENALTIES = ("kernel_l2", "bias_l2", "gamma_l2", "beta_l2")


def without_l2(network: Blueprint) -> Edit:
    """Without penalties up to the bound; the recipe has its own."""
    edit = Edit(network)
    for node in network:
        small = {name: 0.0 for name in _PENALTIES if 0 < node.settings.get(name, 0.0) <= LARGEST_L2}
        edit.set(node, **small)
    return edit


def penalised_too_much(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in network:
        most = max((node.settings.get(name, 0.0) for name in _PENALTIES), default=0.0)
        if most > LARGEST_L2:
            yield node, f"{node} has an L2 of {most:g}; up to {LARGEST_L2:g} is open"


def one_epsilon(network: Blueprint) -> Edit:
    edit = Edit(network)
    for node in network.of("BatchNormalization"):
        if SMALLEST_EPSILON <= node.settings["epsilon"] <= LARGEST_EPSILON:
            edit.set(node, epsilon=EPSILON)
    return edit


def epsilon_too_large(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in network.of("BatchNormalization"):
        epsilon = node.settings["epsilon"]
        if not SMALLEST_EPSILON <= epsilon <= LARGEST_EPSILON:
            yield (
                node,
                f"{node} has epsilon {epsilon:g}; {SMALLEST_EPSILON:g} to {LARGEST_EPSILON:g} is open",
            )


def one_momentum(network: Blueprint) -> Edit:
    edit = Edit(network)
    for node in network.of("BatchNormalization"):
        if node.settings["momentum"] <= LARGEST_MOMENTUM:
            edit.set(node, momentum=LARGEST_MOMENTUM)
    return edit


def momentum_too_large(network: Blueprint) -> Iterator[tuple[Node, str]]:
    for node in network.of("BatchNormalization"):
        if node.settings["momentum"] > LARGEST_MOMENTUM:
            momentum = node.settings["momentum"]
            yield node, f"{node} has momentum {momentum:g}; up to {LARGEST_MOMENTUM:g} is open"
