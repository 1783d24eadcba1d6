"""What a network costs to train, compared with the network that was described.

    over = excess(found, described)     # None, or what there is too much of

What is trained must not cost more than what was asked for: a larger network may reach more, or take more
time and memory than there is. Each kind of cost is compared on its own, so that room in one buys nothing in
another: a max pooling takes many times as long as a convolution of as many operations.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from grader.blueprint.network import Blueprint

FACTOR = (
    1.25  # right networks differ in biases, in where they normalise and in how they pad: by a few per cent
)


@dataclass(frozen=True)
class Excess:
    """One kind of cost of which a network has more than it may.

    Attributes:
        what: in words that follow a number: "parameters".
        found: how much the network has.
        described: how much the described network has.
        most: how much there may be.
    """

    what: str
    found: int
    described: int
    most: int


def excess(found: Blueprint, described: Blueprint) -> Excess | None:
    """The first kind of cost that is above its limit; None if the network is within all of them."""
    for what, has, wanted, most in _limits(found, described):
        if has > most:
            return Excess(what, has, wanted, most)
    return None


def _limits(found: Blueprint, described: Blueprint) -> Iterator[tuple[str, int, int, int]]:
    """Each kind of cost: its name, what the network has, what the described one has, and the most."""
    for what, has, wanted in (
        ("parameters", found.parameters, described.parameters),
        ("operations for one image", found.flops, described.flops),
        ("operations for one image outside convolutions and dense layers", _light(found), _light(described)),
        ("values between its layers for one image", _values(found), _values(described)),
        ("layers and operations", _nodes(found), _nodes(described)),
    ):
        yield what, has, wanted, math.floor(FACTOR * wanted)
    # Padding that is written out is a way to say padding="same", and no cost; but zeros take memory as well.
    values, nodes = _values(described), _nodes(described)
    yield (
        "values in explicitly padded images",
        sum(math.prod(n.shape) for n in found.of("Pad")),
        values,
        values,
    )
    yield "explicit paddings", len(found.of("Pad")), nodes, nodes


def _light(blueprint: Blueprint) -> int:
    """Operations of all that has no kernel; padding not counted."""
    return sum(node.flops for node in blueprint if node.op not in ("Conv2D", "Dense", "Pad"))


def _values(blueprint: Blueprint) -> int:
    """Activations of all nodes but paddings."""
    return sum(math.prod(node.shape) for node in blueprint if node.op != "Pad")


def _nodes(blueprint: Blueprint) -> int:
    return sum(node.op != "Pad" for node in blueprint)
