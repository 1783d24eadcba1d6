"""Keeps hold of what a builder makes, so that one slip at its end does not hide all of a network.

A builder that forgets its `return`, returns a tensor in place of a model, or raises on its last line has made
layers all the same: those are what a judge looks at. Runs in the sandbox, next to the student's code. What it
finds is described and read like any other network, so that nothing is gained by handing one over this way.

The standard library and Keras alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.ops.node import Node
from keras.src.ops.operation import Operation

MOST = 20_000  # models and calls of layers that are remembered of one call of a builder
MOST_ITEMS = 16  # that are looked at of a tuple in what was returned
MOST_DEPTH = 2  # of tuples in there


class Made:
    """The models that come to be during a call, and the layers that are applied."""

    def __init__(self) -> None:
        self._made: list[Any] | None = None  # models, and nodes: calls of layers; None between the calls
        make, apply = Operation.__new__, Node.__init__

        def remembering(cls: Any, *args: Any, **kwargs: Any) -> Any:
            operation = make(cls, *args, **kwargs)
            if isinstance(operation, keras.Model):
                self._remember(operation)
            return operation

        def applied(node: Any, *args: Any, **kwargs: Any) -> None:
            apply(node, *args, **kwargs)
            if not node.is_input:
                self._remember(node)

        Operation.__new__ = remembering  # a model's own __new__ comes to it as well
        Node.__init__ = applied

    @contextmanager
    def during(self) -> Iterator[None]:
        """Remembers what is made in the body, in place of what was made before."""
        self._made = []
        yield

    def forget(self) -> None:
        """Remembers nothing any more, so that the memory is free for the next call."""
        self._made = None

    def network(self, returned: Any) -> Any:
        """The network that a call has made and not returned as a model; None if there is none.

        It is a model inside what was returned, or what leads to the tensor that was returned, the last one if
        there are several. Where there is neither, it is the model that was made last, or what leads to
        the tensor that was made last, whichever came later.
        """
        inside = list(_flat(returned))
        for part in inside:
            if _is_model(part):
                return part
        for part in reversed(inside):
            if isinstance(part, keras.KerasTensor) and not _node(part).is_input:
                return _leading_to(part)
        for part in reversed(self._made or ()):
            if _is_model(part):
                return part
            if isinstance(part, Node):
                return _leading_to(part.outputs[0])
        return None

    def layers(self) -> int:
        """How many layers and operations have been applied during the call."""
        nodes = [part for part in self._made or () if isinstance(part, Node)]
        return sum(not isinstance(node.operation, keras.Model) for node in nodes)

    def _remember(self, part: Any) -> None:
        if self._made is not None and len(self._made) < MOST:
            self._made.append(part)


def _flat(value: Any, depth: int = 0) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple) and depth < MOST_DEPTH:
        for part in value[:MOST_ITEMS]:
            yield from _flat(part, depth + 1)
    else:
        yield value


def _is_model(value: Any) -> bool:
    """Whether it is a model whose making has come to its end."""
    return isinstance(value, keras.Model) and bool(getattr(value, "outputs", None))


def _node(tensor: Any) -> Any:
    """The call that put out a symbolic tensor."""
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def _leading_to(tensor: Any) -> Any:
    """The model from the inputs that a tensor was made from to that tensor."""
    inputs: list[Any] = []
    waiting, seen = [tensor], {id(tensor)}
    while waiting:
        node = _node(waiting.pop())
        inputs += node.outputs if node.is_input else ()
        for before in node.input_tensors:
            if id(before) not in seen:
                seen.add(id(before))
                waiting.append(before)
    return keras.Model(inputs[0] if len(inputs) == 1 else inputs, tensor)
