"""A network's description while rules change it, and who reads which node."""

from collections.abc import Mapping
from typing import Any

from grader.blueprint.network import FORMAT, Blueprint, Budget, Node


def roomy(network: Blueprint) -> Budget:
    """What a network takes, and the little more that a rule may add."""
    nodes = len(network.nodes)
    return Budget(2 * network.parameters, 2 * network.flops, 2 * network.activations, nodes)


def described(network: Blueprint) -> dict[str, Any]:
    return Edit(network).description()


class Edit:
    """A network's description while it is changed."""

    def __init__(self, network: Blueprint) -> None:
        self.network = network
        self.changed = 0
        self._nodes: list[dict[str, Any]] = [
            {
                "op": node.op,
                "settings": {
                    key: dict(value) if isinstance(value, Mapping) else value
                    for key, value in node.settings.items()
                },
                "inputs": list(node.inputs),
                "name": node.name,
            }
            for node in network
        ]
        self._instead = list(range(len(self._nodes)))

    def set(self, node: Node, **settings: Any) -> None:
        """Gives a node other settings, if they are other ones."""
        own = self._nodes[node.index]["settings"]
        if any(own[key] != value for key, value in settings.items()):
            own.update(settings)
            self.changed += 1

    def swap(self, pad: Node, pool: Node, widths: tuple[Any, ...], **settings: Any) -> None:
        """Lets a pooling come before the padding that it reads: the two change places."""
        own = {"op": pool.op, "settings": {**pool.settings, **settings}, "name": pool.name}
        self._nodes[pad.index].update(own)
        self._nodes[pool.index].update(op="Pad", settings={"widths": widths}, name=pad.name)
        self.changed += 1

    def read_before(self, node: Node, pad: Node, **settings: Any) -> None:
        """Lets a node read what a node before it reads."""
        own = self._nodes[node.index]
        own["settings"].update(settings)
        own["inputs"] = [pad.inputs[0] if index == pad.index else index for index in own["inputs"]]
        self.changed += 1

    def leave_out(self, node: Node) -> None:
        """Lets everything that reads a node read its only input instead."""
        self._instead[node.index] = self._instead[node.inputs[0]]
        self.changed += 1

    def description(self) -> dict[str, Any]:
        """What `read` reads: without the nodes that nothing leads on from any more."""
        output = self._instead[-1]
        inputs = [[self._instead[index] for index in node["inputs"]] for node in self._nodes]
        needed = {output}
        for index in range(len(self._nodes) - 1, -1, -1):
            if index in needed:
                needed.update(inputs[index])
        number = {index: place for place, index in enumerate(sorted(needed))}
        nodes = [{**self._nodes[i], "inputs": [number[j] for j in inputs[i]]} for i in number]
        shape = list(self.network.input_shape)
        return {"format": FORMAT, "input_shape": shape, "nodes": nodes, "output": number[output]}


class Readers:
    """Who reads a node."""

    def __init__(self, network: Blueprint) -> None:
        self._of: list[list[Node]] = [[] for _ in network.nodes]
        for node in network:
            for index in set(node.inputs):
                self._of[index].append(node)
        self._network = network

    def __getitem__(self, node: Node) -> list[Node]:
        return self._of[node.index]

    def is_output(self, node: Node) -> bool:
        return node.index == self._network.output.index

    def only(self, node: Node) -> Node | None:
        """The one node that reads it; None if there are others, or if it is the output."""
        readers = self[node]
        return readers[0] if len(readers) == 1 and not self.is_output(node) else None
