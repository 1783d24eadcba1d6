"""Lets a builder go on where a layer cannot be made or applied, so that one slip does not hide a network.

A shortcut of another shape than the main path, a pooling of an image that is too small already, an option
that does not exist: Keras raises, and of all that would have come after it nothing is there to be looked at.
So a builder that has raised is called once more with this: the layer is recorded, another takes its place
that computes nothing, and the call goes on. That it raised stays a mistake; what comes of the second call is
described and read like any other network, and is never trained.

Keras alone.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
from keras.src.layers.layer import Layer
from keras.src.ops.operation import Operation

MOST = 300  # layers of one call that another takes the place of
_UNMADE = "_kit_unmade"  # the attribute of a layer whose constructor has raised


class Misfit(keras.layers.Layer):  # type: ignore[misc]
    """In the place of a layer that could not be made or applied: the shape of what it might have put out."""

    def __init__(self, shape: tuple[int | None, ...]) -> None:
        super().__init__()
        self._puts_out = shape
        self.built = True

    def compute_output_spec(self, *_args: Any, **_kwargs: Any) -> Any:
        """Of that shape, whatever it is given."""
        return keras.KerasTensor(self._puts_out, dtype="float32")

    def call(self, *_args: Any, **_kwargs: Any) -> Any:
        """Nothing is ever computed with it."""
        raise NotImplementedError("this layer stands in for one that cannot be applied, and computes nothing")


def described(_layer: Any, call: Any, _who: str) -> tuple[str, dict[str, Any]]:
    """Its word in a description; see describe.py."""
    return "Unknown", {"shape": list(call.outputs[0].shape)[1:]}


WORDS = {Misfit: described}


@contextmanager
def passed_over(more: Iterable[type] = ()) -> Iterator[list[str]]:
    """Within it, Misfits take the places of layers and operations that raise; yields why each did.

    `more` are kinds of layers that are not Keras's own and whose constructors may raise as well.
    """
    reasons: list[str] = []
    make, apply, operate = Misfit.__init__, Layer.__call__, Operation.symbolic_call

    def in_place_of(operation: Any, error: Exception, given: Any) -> Any:
        tensors = [part for part in keras.tree.flatten(given) if isinstance(part, keras.KerasTensor)]
        if not tensors or len(reasons) >= MOST:
            raise error
        reasons.append(f"{type(operation).__name__}: {type(error).__name__}: {error}")
        stand_in = Misfit.__new__(Misfit)
        make(stand_in, _shape(operation, tensors))
        return apply(stand_in, tensors[0] if len(tensors) == 1 else tensors)

    def applied(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if error := vars(layer).get(_UNMADE):
            return in_place_of(layer, error, (args, kwargs))
        try:
            return apply(layer, *args, **kwargs)
        except Exception as error:
            return in_place_of(layer, error, (args, kwargs))

    def operated(operation: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return operate(operation, *args, **kwargs)
        except Exception as error:
            return in_place_of(operation, error, (args, kwargs))

    with ExitStack() as undone:
        _put(undone, Layer, "__call__", applied)
        _put(undone, Operation, "symbolic_call", operated)
        for kind in {kind for kind in (*vars(keras.layers).values(), *more) if _is_layer(kind)}:
            _put(undone, kind, "__init__", _made(vars(kind)["__init__"]))
        yield reasons


def _is_layer(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Layer) and "__init__" in vars(kind)


def _put(undone: ExitStack, owner: Any, name: str, value: Any) -> None:
    undone.callback(setattr, owner, name, vars(owner)[name])
    setattr(owner, name, value)


def _made(make: Any) -> Any:
    """A constructor that does not raise: the layer is marked, and what it would have been never applied."""

    def making(layer: Any, *args: Any, **kwargs: Any) -> None:
        try:
            make(layer, *args, **kwargs)
        except Exception as error:
            object.__setattr__(layer, _UNMADE, error)

    return making


def _shape(operation: Any, tensors: list[Any]) -> tuple[int | None, ...]:
    """The shape that a layer might have put out: what paths meet in has that of the longest one."""
    if len(tensors) > 1:
        return tuple(max(tensors, key=_depth).shape)
    batch, *sizes, channels = tensors[0].shape
    stride = getattr(operation, "strides", None)
    strides = stride if isinstance(stride, tuple | list) else [stride] * len(sizes)
    if len(strides) == len(sizes) and all(type(step) is int and step > 0 for step in strides):
        sizes = [size and -(-size // step) for size, step in zip(sizes, strides, strict=True)]
    for name in ("filters", "units"):
        asked = getattr(operation, name, None)
        if isinstance(asked, int) and asked > 0:
            channels = asked
    return (batch, *sizes, channels)


def _depth(tensor: Any) -> int:
    """How many layers and operations lead to a tensor along the longest path."""
    depths: dict[int, int] = {}
    waiting = [tensor]
    while waiting:
        history = waiting[-1]._keras_history
        before = history.operation._inbound_nodes[history.node_index].input_tensors
        missing = [other for other in before if id(other) not in depths]
        if missing:
            waiting += missing
        else:
            depths[id(waiting.pop())] = 1 + max((depths[id(other)] for other in before), default=0)
    return depths[id(tensor)]
