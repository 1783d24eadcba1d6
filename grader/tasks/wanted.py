"""What a network should be: the steps that are wanted on its path, and the network that has just these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader import blueprint
from grader.blueprint import FORMAT, Blueprint
from grader.tasks.networks import BUDGET
from grader.tasks.wording import in_words

# Batch statistics move by 1 - momentum a step: with 0.99 they have caught up after some hundred steps, which
# is what a short training has.
LARGEST_MOMENTUM = blueprint.LARGEST_MOMENTUM

# What the course chooses where the brief leaves it open: no bias before a batch normalisation, and weights
# that keep the variance from ReLU to ReLU.
BEFORE_NORMALISATION: Mapping[str, Any] = {"use_bias": False, "kernel_initializer": blueprint.HE_NORMAL}


@dataclass(frozen=True)
class Want:
    """One step that should be there.

    Attributes:
        op: as in Step.op.
        kind: of the difference, where it is missing or another stands in its place.
        place: what messages call it: "the 2nd convolution".
        settings: those that matter, with the values they must have.
        kinds: for single settings, the kind of the difference where it is not `kind`.
        chosen: settings that are not compared, as the course has them, for the described network.
    """

    op: str
    kind: str
    place: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return in_words(self.op, self.settings)


@dataclass(frozen=True)
class Fork:
    """Paths that should part here and be added up: what is wanted on each, nothing for an identity."""

    branches: tuple[Sequence["Want | Fork"], ...]


def network_of(input_shape: Sequence[int], wanted: Iterable[Want | Fork]) -> Blueprint:
    """The network that has everything that is wanted, and nothing else."""
    nodes: list[dict[str, Any]] = [{"op": "Input", "settings": {}, "inputs": []}]
    output = write(nodes, wanted, 0)
    description = {"format": FORMAT, "input_shape": list(input_shape), "nodes": nodes, "output": output}
    return blueprint.read(description, BUDGET)


def write(nodes: list[dict[str, Any]], wanted: Iterable[Want | Fork], last: int) -> int:
    """Adds everything that is wanted to the nodes of a description, from the node `last` on.

    Returns:
        the place of the last one.
    """

    def add(op: str, settings: Mapping[str, Any], inputs: list[int]) -> int:
        nodes.append({"op": op, "settings": dict(settings), "inputs": inputs})
        return len(nodes) - 1

    for step in wanted:
        if isinstance(step, Fork):
            last = add("Add", {}, [write(nodes, branch, last) for branch in step.branches])
        elif step.op in blueprint.ACTIVATIONS:
            last = add("Activation", {"activation": step.op}, [last])
        else:
            last = add(step.op, {**step.settings, **step.chosen}, [last])
    return last
