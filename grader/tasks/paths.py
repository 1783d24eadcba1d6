"""A network as a path of steps.

Most networks are one path (an AlexNet, one branch of a block). Where paths part and meet again, `path` puts
everything between into one Join, with a path for each branch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from grader.blueprint import Blueprint, Node
from grader.tasks.wording import in_words

MOST_NESTED = 200  # paths within paths: far beyond any block, and within what Python recurses


class Tangled(Exception):
    """Paths part and meet in a way that has no blocks in it; the message is for the student."""


@dataclass(frozen=True)
class Step:
    """One layer on a path.

    Attributes:
        node: the layer.
        size: what it reads, (H, W, channels) or (units,); where it is padded explicitly, before the padding.
        padding: zeros that an explicit padding puts around the image first: ((top, bottom), (left, right)).
    """

    node: Node
    size: tuple[int, ...]
    padding: tuple[tuple[int, int], ...] = ()

    @property
    def op(self) -> str:
        """The operation, with the function of an activation in its place: "Conv2D", "relu"."""
        return str(self.node.settings["activation"]) if self.node.op == "Activation" else self.node.op

    @property
    def shape(self) -> tuple[int, ...]:
        """What it puts out, without the batch."""
        return self.node.shape

    def __str__(self) -> str:
        return in_words(self.op, self.node.settings)


@dataclass(frozen=True)
class Join:
    """Paths that part at one place and meet at another.

    Attributes:
        node: where they meet: an Add or a Concatenate.
        size: the shape at the place where they part.
        branches: what lies between, for each path.
    """

    node: Node
    size: tuple[int, ...]
    branches: tuple["Path", ...]

    @property
    def op(self) -> str:
        """The operation that brings the paths together."""
        return self.node.op

    @property
    def shape(self) -> tuple[int, ...]:
        """What it puts out, without the batch."""
        return self.node.shape

    def __str__(self) -> str:
        return in_words(self.op, {})


Path = tuple[Step | Join, ...]


def known(steps: Path) -> Path:
    """A path without what has no word, which `builds` reports: what is around it is judged without."""
    return tuple(step for step in steps if step.op != "Unknown")


def path(blueprint: Blueprint) -> Path:
    """The network from its input to its output, parallel paths folded into a Join; raises Tangled."""
    return _Paths(blueprint).between(0, blueprint.output.index)


class _Paths:
    """Walks a blueprint backwards, along the nodes that every path to a node goes through."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._nodes = blueprint.nodes
        self._seen: set[int] = set()
        self._depth = [0]
        self._gate = [0]  # for each node, the last one before it that no path can avoid
        for node in blueprint.nodes[1:]:
            gate = node.inputs[0]
            for other in node.inputs[1:]:
                gate = self._common(gate, other)
            self._gate.append(gate)
            self._depth.append(self._depth[gate] + 1)

    def _common(self, one: int, other: int) -> int:
        while one != other:
            if self._depth[one] < self._depth[other]:
                one, other = other, one
            one = self._gate[one]
        return one

    def between(self, start: int, end: int, nested: int = 0) -> Path:
        """Everything after `start`, up to and with `end`."""
        if nested > MOST_NESTED:
            raise Tangled(f"more than {MOST_NESTED} paths are nested in each other")
        reversed_path: list[Step | Join] = []
        while end != start:
            # Blocks lie side by side or inside one another, so that every node is in one place only. This
            # also bounds the work: without it, hostile connections would take exponential time.
            if end in self._seen:
                raise Tangled(f"{self._nodes[end]} is part of two paths that do not meet in the same place")
            self._seen.add(end)
            node, gate = self._nodes[end], self._gate[end]
            size = self._nodes[gate].shape
            if len(node.inputs) == 1:
                reversed_path.append(Step(node, size))
            else:
                branches = tuple(self.between(gate, index, nested + 1) for index in node.inputs)
                reversed_path.append(Join(node, size, branches))
            end = gate
        return _tidy(reversed_path[::-1])


def _tidy(steps: Iterable[Step | Join]) -> Path:
    """Puts an explicit padding into the convolution or average pooling that follows it.

    Paddings in a row are one. One that pads channels as well is two, of which the second may come after
    a pooling: pooled channels of zeros are zeros.
    """
    tidy: list[Step | Join] = []
    for step in steps:
        last = tidy[-1] if tidy else None
        if isinstance(last, Step) and isinstance(step, Step) and last.op == step.op == "Pad":
            tidy[-1] = _padded_at_once(last, step)
        elif isinstance(last, Step) and isinstance(step, Step) and _is_padded_by(step, last):
            widths = last.node.settings["widths"]
            tidy[-1] = Step(step.node, last.size, padding=tuple(widths[:2]))
            if any(widths[2]):
                node = replace(last.node, settings={"widths": ((0, 0), (0, 0), widths[2])}, shape=step.shape)
                tidy.append(Step(node, step.shape[:2] + last.size[2:]))
        else:
            tidy.append(step)
    return tuple(tidy)


def _padded_at_once(first: Step, second: Step) -> Step:
    """Two paddings as one."""
    pairs = zip(first.node.settings["widths"], second.node.settings["widths"], strict=True)
    widths = tuple((one[0] + other[0], one[1] + other[1]) for one, other in pairs)
    return Step(replace(second.node, settings={"widths": widths}), first.size)


def _is_padded_by(step: Step, pad: Step) -> bool:
    """Whether a step may take up the padding before it; one of channels too, if it is a pooling."""
    if pad.op != "Pad" or len(pad.size) != 3 or step.node.settings.get("padding") != "valid":
        return False
    rows, columns, channels = pad.node.settings["widths"]
    takes = ("AveragePooling2D",) if any(channels) else ("Conv2D", "AveragePooling2D")
    return (any(rows) or any(columns)) and step.op in takes
