"""The rule on channels of zeros: they come behind the others, wherever that is the same network."""

from typing import Any

from grader.blueprint.forms.editing import Edit
from grader.blueprint.network import Blueprint

# What treats every channel alike: in another order of channels it gives the same in that order.
_CHANNEL_BY_CHANNEL = (
    "BatchNormalization",
    "Activation",
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Dropout",
    "Add",
)


class _Orders:
    """In which order each node has its channels once all zeros are behind the others, if there is one.

    Nodes whose channels are tied to each other (what is added up, normalised, pooled) are one group. A group
    has an order of its own where a padding gives it one, the original where the input or the output has it,
    and may have any where only layers with weights read and write it: they are as likely to start with
    their weights in that order.
    """

    def __init__(self, network: Blueprint) -> None:
        self._network = network
        self._group = list(range(len(network.nodes)))

    def agree(self) -> bool:
        """Whether there is such an order for every node."""
        nodes = self._network.nodes
        for node in nodes:
            if node.op in _CHANNEL_BY_CHANNEL:
                for index in node.inputs:
                    self._tie(node.index, index)
        asked: dict[int, Any] = {}  # by group: the order, written as what made it

        def ask(index: int, order: Any) -> bool:
            return bool(asked.setdefault(self._of(index), order) == order)

        original = ("original",)
        for node in nodes:
            fixed = [node.index] if node.index in (0, nodes[-1].index) else []
            if node.op in ("Concatenate", "Flatten"):
                fixed += [node.index, *node.inputs]
            if not all(ask(index, original) for index in fixed):
                return False
        # A padding has more channels than it reads, so that no group waits for itself.
        for node in sorted(self._network.of("Pad"), key=lambda node: node.shape[-1]):
            source = asked.setdefault(self._of(node.inputs[0]), original)
            before, after = node.settings["widths"][-1]
            if before or after:
                moved = before or source != original
                order = ("padded", before, after, source) if moved else original
            else:
                order = source
            if not ask(node.index, order):
                return False
        return True

    def _of(self, index: int) -> int:
        while self._group[index] != index:
            index = self._group[index]
        return index

    def _tie(self, one: int, other: int) -> None:
        self._group[self._of(one)] = self._of(other)


def zeros_behind(network: Blueprint) -> Edit:
    """With channels of zeros behind the others, wherever they were."""
    edit = Edit(network)
    moved = [node for node in network.of("Pad") if node.settings["widths"][-1][0]]
    if moved and _Orders(network).agree():
        for node in moved:
            *others, (before, after) = node.settings["widths"]
            edit.set(node, widths=(*others, (0, before + after)))
    return edit
