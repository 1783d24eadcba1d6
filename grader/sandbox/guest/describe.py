"""Writes a Keras model down as plain data: its layers and operations, their settings, how they connect.

This runs in the sandbox, next to the student's code, and nothing that it returns is believed: the trusted
side reads it again (grader/blueprint). So this module decides only what can be said at all. What has no
word in a blueprint is Refused here, with a reason for the student; whether a value is allowed, whether shapes
fit and what the whole may cost is the reader's business.

Types are compared, not asked with isinstance: a subclass may compute anything.

Imports the standard library, Keras and NumPy alone.
"""

import importlib.util
import inspect
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import keras
import numpy as np

# Not in Keras's public names, which have functions only: the classes that calls such as `x + y` leave behind.
from keras.src.activations import activations as _activations
from keras.src.models.functional import Functional
from keras.src.ops import core as _core
from keras.src.ops import nn as _nn
from keras.src.ops import numpy as _numpy

Settings = dict[str, Any]
# From an operation, its call and what messages call it, to what it is in a blueprint.
Word = Callable[[Any, Any, str], tuple[str, Settings]]

MAX_NODES = 4000  # a small model can call itself up into billions
MAX_NAME = 64
MOST_REASONS = 6  # of why a model cannot be used that are shown

_SAY = (
    "Use keras.layers (Conv2D, Dense, BatchNormalization, ReLU, Softmax, Activation, Flatten, "
    "MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, Dropout, ZeroPadding2D, Add, Concatenate), "
    "`x + y`, or keras.ops (relu, softmax, pad, concatenate, zeros_like, mean)"
)


class Refused(Exception):
    """The model cannot be written down as a blueprint; the message tells the student why and what to do."""


class Flaw(NamedTuple):
    """What keeps a model from being trained and not from being looked at.

    Attributes:
        reason: for the student: why, and what to do.
        fixed: whether a layer is frozen or fixed to one mode, so that it does not train with the rest.
    """

    reason: str
    fixed: bool = False


def describe(
    model: Any,
    more: Mapping[type, Word] | None = None,
    flaws: list[Flaw] | None = None,
    open_as: tuple[int, ...] = (),
) -> dict[str, Any]:
    """The model as data: {"format": 1, "input_shape": [...], "nodes": [...], "output": place}.

    A node is {"op": "Dense", "settings": {...}, "inputs": [places], "name": "for messages"}. Nodes come in
    topological order, the input first; `inputs` are places in that list. Nested models are laid out flat.
    A setting that is left out has Keras's default.

    Args:
        model: what a student's builder returned.
        more: words for layers of the probe's own, by type.
        flaws: takes what keeps a model from being trained and not from being looked at: layers that are
            shared, frozen or fixed to one mode. Without it such a model is refused.
        open_as: with `flaws`, the sizes of an image that stand for those that a model leaves open.

    Raises:
        Refused: it is not a functional or sequential model of built-in layers, or has a part or a setting
            that a blueprint has no word for.
    """
    if type(model) is keras.Sequential and not model.built:
        raise Refused(
            f"the Sequential model '{_name(model)}' does not know the shape of its input yet, so it has no "
            "weights. Begin it with keras.Input(shape=input_shape)"
        )
    if type(model) not in (Functional, keras.Sequential):
        if isinstance(model, keras.Model):
            raise Refused(_has_code(f"the model, a {type(model).__name__},"))
        raise Refused(f"it is not a keras.Model. Received: {_kind(model)}")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        found = f"{len(model.inputs)} inputs and {len(model.outputs)} outputs"
        raise Refused(f"the model has {found}; one of each is needed")
    entry = model.inputs[0]
    batch, *sizes = entry.shape
    shape = tuple(sizes)
    _soft[:] = [] if flaws is None else [flaws]
    if None in shape:
        reason = f"the input has the shape {shape}: every size must be known. Pass on input_shape"
        if flaws is None or len(shape) != len(open_as):
            raise Refused(reason)
        flaws.append(Flaw(reason))
        shape = tuple(size or known for size, known in zip(shape, open_as, strict=True))
    _only("the input", "batch_size", batch, None)
    if entry.dtype != "float32" or entry.sparse or entry.ragged:
        raise Refused(f"the input has the type {entry.dtype}; dense float32 is needed, Keras's default")
    walk = _Walk({**_WORDS, **(more or {})}, flaws)
    source = walk.write("Input", {}, [], _name(entry._keras_history.operation), (None, *shape))
    (last,) = walk.model(model, [source])
    nodes, output = walk.tidied(last)
    return {"format": 1, "input_shape": list(shape), "nodes": nodes, "output": output}


class _Walk:
    """Collects nodes while it follows a model from its outputs back to its inputs."""

    def __init__(self, words: Mapping[type, Word], flaws: list[Flaw] | None) -> None:
        self._words = words
        self._flaws = flaws
        self.nodes: list[dict[str, Any]] = []
        self._shapes: list[tuple[int | None, ...]] = []  # of what each node puts out
        self._weights: set[int] = set()  # ids of the layers with weights that were met

    def write(
        self, op: str, settings: Settings, inputs: Sequence[int], name: str, shape: tuple[int | None, ...]
    ) -> int:
        """Adds a node; its place."""
        if len(self.nodes) >= MAX_NODES:
            raise Refused(f"the model has more than {MAX_NODES} layers and operations")
        self.nodes.append({"op": op, "settings": settings, "inputs": list(inputs), "name": name})
        self._shapes.append(shape)
        return len(self.nodes) - 1

    def tidied(self, output: int) -> tuple[list[dict[str, Any]], int]:
        """The nodes and the output's place, with zeros made like a node that leads to the output.

        Of zeros only the shape matters. Where they were made like something that nothing else needs, such as
        a pooling of their own, that is left out; unless it has weights, which the reader then refuses.
        """
        needed = self._needed(output)
        for place, node in enumerate(self.nodes):
            if node["op"] == "ZerosLike" and node["inputs"][0] not in needed:
                # None that reads the zeros, or they would be made like themselves.
                for other in sorted(needed - self._readers(place)):
                    alike = self._shapes[other] == self._shapes[place]
                    if alike and self.nodes[other]["op"] != "ZerosLike":
                        node["inputs"] = [other]
                        break
        kept = needed | {source for place in needed for source in self.nodes[place]["inputs"]}
        kept |= {place for place, node in enumerate(self.nodes) if node["op"] in _WITH_WEIGHTS}
        for place in range(len(self.nodes) - 1, -1, -1):
            if place in kept:
                kept.update(self.nodes[place]["inputs"])
        # In an order in which what a node reads comes before it: zeros may be like what came later.
        number: dict[int, int] = {}
        waiting = [*sorted(kept, reverse=True)]
        while waiting:
            place = waiting[-1]
            missing = [source for source in self.nodes[place]["inputs"] if source not in number]
            if place in number or not missing:
                waiting.pop()
                number.setdefault(place, len(number))
            else:
                waiting.extend(missing)
        nodes = [
            {**self.nodes[place], "inputs": [number[source] for source in self.nodes[place]["inputs"]]}
            for place in number
        ]
        return nodes, number[output]

    def _readers(self, place: int) -> set[int]:
        """A node and all that depends on it, by way of whatever zeros are made like as well."""
        readers = {place}
        grown = True
        while grown:
            more = {
                number for number, node in enumerate(self.nodes) if not readers.isdisjoint(node["inputs"])
            }
            grown = not more <= readers
            readers |= more
        return readers

    def _needed(self, output: int) -> set[int]:
        """What the output depends on; on zeros, but not on what they were made like."""
        needed = {output}
        for place in range(output, -1, -1):
            if place in needed and self.nodes[place]["op"] != "ZerosLike":
                needed.update(self.nodes[place]["inputs"])
        return needed

    def model(self, model: Any, sources: Sequence[int]) -> list[int]:
        """Writes down a model that reads `sources`; the places of its outputs.

        A stack instead of recursion: a chain of layers may be longer than Python's.
        """
        done = {id(tensor): source for tensor, source in zip(model.inputs, sources, strict=True)}
        stack = list(reversed(model.outputs))
        while stack:
            tensor = stack[-1]
            if id(tensor) in done:
                stack.pop()
                continue
            history = tensor._keras_history
            call = history.operation._inbound_nodes[history.node_index]
            waiting = [before for before in call.input_tensors if id(before) not in done]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            made = self._call(history.operation, call, [done[id(before)] for before in call.input_tensors])
            done.update(zip(map(id, call.outputs), made, strict=True))
        return [done[id(tensor)] for tensor in model.outputs]

    def _call(self, operation: Any, call: Any, sources: list[int]) -> list[int]:
        """One call of a layer, an operation or a nested model."""
        kind = type(operation)
        name = _name(operation)
        if kind in (Functional, keras.Sequential):
            self._check_mode(operation, call, f"the nested model '{name}'")
            if len(operation.inputs) != len(sources):
                raise Refused(f"the nested model '{name}' is called with {len(sources)} inputs")
            return self.model(operation, sources)
        who = f"{kind.__name__} '{name}'"
        try:
            op, settings = self._described(kind, operation, call, who)
        except Refused as refused:
            return [self._without_a_word(str(refused), kind, call, sources, name)]
        shape = tuple(call.outputs[0].shape)
        if settings.get("activation") == _NO_WORD:
            last = self.write(op, {**settings, "activation": "linear"}, sources, name, shape)
            return [self.write("Unknown", {"shape": list(shape[1:])}, [last], name, shape)]
        if op == "ZerosLike":
            return [self.write(op, settings, sources[:1], name, shape)]
        if op in _KEEP_ZEROS and self.nodes[sources[0]]["op"] == "ZerosLike":
            # Zeros that are pooled or padded are zeros: those of what the zeros were made like, done so.
            like = self.write(op, settings, self.nodes[sources[0]]["inputs"], name, shape)
            return [self.write("ZerosLike", {}, [like], name, shape)]
        return [self.write(op, settings, sources, name, shape)]

    def _described(self, kind: type, operation: Any, call: Any, who: str) -> tuple[str, Settings]:
        """What a call is in a blueprint; Refused if there is no word for it."""
        if kind not in self._words:
            raise Refused(_no_word(kind, who, operation))
        if isinstance(operation, keras.layers.Layer):
            self._check_layer(operation, who)
            self._check_mode(operation, call, who)
        if any(tensor.dtype != "float32" for tensor in call.outputs):
            raise Refused(f"{who} puts out {call.outputs[0].dtype}; float32 is needed, Keras's default")
        _check_arguments(operation, call, who)
        return self._words[kind](operation, call, who)

    def _without_a_word(self, reason: str, kind: type, call: Any, sources: Sequence[int], name: str) -> int:
        """What no blueprint has a word for leaves a gap that is as large as what it puts out; its place."""
        shapes = [tuple(tensor.shape)[1:] for tensor in call.outputs]
        if len(shapes) != 1 or not sources or None in shapes[0]:
            raise Refused(reason)
        self._flaw(reason)
        joins = kind.__name__ if len(sources) > 1 and kind.__name__ in _JOINS else ""
        settings = {"shape": list(shapes[0]), "joins": joins}
        return self.write("Unknown", settings, sources, name, (None, *shapes[0]))

    def _check_layer(self, layer: Any, who: str) -> None:
        if layer.dtype_policy.name != "float32":
            raise Refused(
                f"{who} has dtype={layer.dtype_policy.name}; only float32 is allowed, Keras's default"
            )
        _only(who, "activity_regularizer", layer.activity_regularizer, None)
        _only(who, "data_format", getattr(layer, "data_format", "channels_last"), "channels_last")
        if not layer.weights:
            return
        if id(layer) in self._weights:
            self._flaw(
                f"{who} has weights and is called more than once, so that two places share them. "
                "Make a new layer for each place"
            )
        self._weights.add(id(layer))
        if len(layer.trainable_weights) != _TRAINABLE[type(layer)](layer):
            self._flaw(
                f"{who} is frozen or was changed after it was built: all its weights must be trainable",
                fixed=True,
            )

    def _check_mode(self, layer: Any, call: Any, who: str) -> None:
        """Refuses a call that settles whether it trains: training decides that, for the whole network.

        A layer whose own default is not None, as a Dropout's, records it as if it had been asked for.
        """
        asked = call.arguments.kwargs.get("training")
        parameter = inspect.signature(type(layer).call).parameters.get("training")
        if asked is not None and (parameter is None or asked is not parameter.default):
            self._flaw(
                f"{who} is called with training={asked is True}, which fixes its mode: the whole network "
                "must be free to train or to be evaluated. Leave out training=",
                fixed=True,
            )

    def _flaw(self, reason: str, *, fixed: bool = False) -> None:
        """What keeps the model from being trained, though the layer is there to be looked at."""
        if self._flaws is None:
            raise Refused(reason)
        self._flaws.append(Flaw(reason, fixed))


def _check_arguments(operation: Any, call: Any, who: str) -> None:
    """Refuses calls with anything but symbolic tensors: an array would smuggle in numbers."""
    given = [(None, value) for value in keras.tree.flatten(call.arguments.args)]
    for key, value in call.arguments.kwargs.items():
        given += [(key, part) for part in keras.tree.flatten(value)]
    for key, value in given:
        meant = key == "training" or value is None or (key == "constant_values" and value == 0)
        # Which numbers these may be given is for their words to say.
        meant = meant or (type(operation) in _WITH_NUMBERS and _is_number(value))
        if not meant and not isinstance(value, keras.KerasTensor):
            raise Refused(f"{who} is called with {_kind(value)}, not only with the outputs of other layers")


# --- Layers ------------------------------------------------------------------------------------------------


def _weights(layer: Any, who: str) -> Settings:
    """What Conv2D and Dense have in common."""
    _only(who, "kernel_constraint", layer.kernel_constraint, None)
    _only(who, "bias_constraint", layer.bias_constraint, None)
    settings = {
        "activation": _of_a_layer(layer.activation, who),
        "use_bias": bool(layer.use_bias),
        "kernel_initializer": _initialiser(layer.kernel_initializer, who, "kernel_initializer"),
        "kernel_l2": _l2(layer.kernel_regularizer, who, "kernel_regularizer"),
    }
    if layer.use_bias:
        settings["bias_initializer"] = _initialiser(layer.bias_initializer, who, "bias_initializer")
        settings["bias_l2"] = _l2(layer.bias_regularizer, who, "bias_regularizer")
    return settings


def _conv2d(layer: Any, _call: Any, who: str) -> tuple[str, Settings]:
    _only(who, "dilation_rate", tuple(layer.dilation_rate), (1, 1))
    _only(who, "groups", layer.groups, 1)
    return "Conv2D", {
        "filters": int(layer.filters),
        "kernel_size": _sizes(layer.kernel_size),
        "strides": _sizes(layer.strides),
        "padding": str(layer.padding).lower(),
        **_weights(layer, who),
    }


def _dense(layer: Any, _call: Any, who: str) -> tuple[str, Settings]:
    return "Dense", {"units": int(layer.units), **_weights(layer, who)}


def _batch_normalization(layer: Any, call: Any, who: str) -> tuple[str, Settings]:
    rank = len(call.input_tensors[0].shape)
    _only(who, "axis", layer.axis % rank, rank - 1)
    _only(who, "synchronized", bool(layer.synchronized), False)
    _only(who, "renorm", bool(layer.renorm), False)
    _only(who, "gamma_constraint", layer.gamma_constraint, None)
    _only(who, "beta_constraint", layer.beta_constraint, None)
    for setting, start in (("moving_mean_initializer", "Zeros"), ("moving_variance_initializer", "Ones")):
        _only(who, setting, _initialiser(getattr(layer, setting), who, setting)["name"], start)
    settings: Settings = {
        "momentum": float(layer.momentum),
        "epsilon": float(layer.epsilon),
        "center": bool(layer.center),
        "scale": bool(layer.scale),
    }
    for used, weight in ((layer.center, "beta"), (layer.scale, "gamma")):
        if used:
            start, penalty = f"{weight}_initializer", f"{weight}_regularizer"
            settings[start] = _initialiser(getattr(layer, start), who, start)
            settings[f"{weight}_l2"] = _l2(getattr(layer, penalty), who, penalty)
    return "BatchNormalization", settings


def _relu(layer: Any, _call: Any, who: str) -> tuple[str, Settings]:
    _only(who, "max_value", layer.max_value, None)
    _only(who, "negative_slope", layer.negative_slope, 0.0)
    _only(who, "threshold", layer.threshold, 0.0)
    return "Activation", {"activation": "relu"}


def _softmax(layer: Any, call: Any, who: str) -> tuple[str, Settings]:
    rank = len(call.input_tensors[0].shape)
    axes = _axes(layer.axis, rank)
    _only(who, "axis", axes, [rank - 1], fixed=0 in axes)  # over the batch: images are no longer apart
    return "Activation", {"activation": "softmax"}


def _dropout(layer: Any, _call: Any, who: str) -> tuple[str, Settings]:
    _only(who, "noise_shape", layer.noise_shape, None)
    return "Dropout", {"rate": float(layer.rate)}  # its seed is left out: seeds are the grader's


def _concatenate(operation: Any, call: Any, who: str) -> tuple[str, Settings]:
    rank = len(call.input_tensors[0].shape)
    _only(who, "axis", operation.axis % rank, rank - 1)
    return "Concatenate", {}


def _zero_padding(layer: Any, _call: Any, _who: str) -> tuple[str, Settings]:
    return "Pad", {"widths": [*map(_sizes, layer.padding), [0, 0]]}


# --- Operations: keras.ops and the operators of symbolic tensors -------------------------------------------


def _pooling(op: str) -> Callable[[Any, Any, str], tuple[str, Settings]]:
    """Layers and operations have the same attributes; an operation's may be numbers or None."""

    def word(operation: Any, _call: Any, who: str) -> tuple[str, Settings]:
        form = operation.data_format or keras.config.image_data_format()
        _only(who, "data_format", form, "channels_last")
        strides = operation.pool_size if operation.strides is None else operation.strides
        padding = str(operation.padding).lower()
        return op, {"pool_size": _sizes(operation.pool_size), "strides": _sizes(strides), "padding": padding}

    return word


def _global_pooling(op: str) -> Callable[[Any, Any, str], tuple[str, Settings]]:
    return lambda layer, _call, _who: (op, {"keepdims": bool(layer.keepdims)})


def _reduction(op: str) -> Callable[[Any, Any, str], tuple[str, Settings]]:
    """keras.ops.mean or max over the rows and columns of an image: global pooling."""

    def word(operation: Any, call: Any, who: str) -> tuple[str, Settings]:
        rank = len(call.input_tensors[0].shape)
        _only(who, "initial", getattr(operation, "initial", None), None)
        if rank != 4 or _axes(operation.axis, rank) != [1, 2]:
            raise Refused(
                f"{who} goes over the axes {operation.axis}; only (1, 2), height and width of an image, is "
                f"allowed, as a {op}"
            )
        return op, {"keepdims": bool(operation.keepdims)}

    return word


def _pad(operation: Any, call: Any, who: str) -> tuple[str, Settings]:
    _only(who, "mode", operation.mode, "constant")
    widths = [[int(before), int(after)] for before, after in operation.pad_width]
    if len(widths) == 1:
        widths *= len(call.input_tensors[0].shape)
    if widths[0] != [0, 0]:
        raise Refused(f"{who} pads the batch: its first pair must be (0, 0)")
    return "Pad", {"widths": widths[1:]}


def _reshape(_operation: Any, call: Any, who: str) -> tuple[str, Settings]:
    """Every way to flatten an image into a vector, and those that change nothing."""
    before, after = (tuple(tensors[0].shape) for tensors in (call.input_tensors, call.outputs))
    if after == before:
        return "Identity", {}
    if after == (None, math.prod(before[1:])):
        return "Flatten", {}
    raise Refused(f"{who} makes {after} out of {before}; only flattening, to (None, n), is allowed")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) or (isinstance(value, np.generic) and value.dtype.kind in "iuf")


def _numbers(call: Any) -> list[float]:
    """The numbers among what an operation was called with."""
    given = [*call.arguments.args, *call.arguments.kwargs.values()]
    return [float(value) for value in given if _is_number(value)]


def _multiply(_operation: Any, call: Any, who: str) -> tuple[str, Settings]:
    """x * 0 makes zeros like x, for a concatenation; no other product has a word."""
    if 0.0 in _numbers(call):
        return "ZerosLike", {}
    raise Refused(f"{who}, unless by 0, is not among the operations of this assignment. {_SAY}")


def _add(_operation: Any, call: Any, who: str) -> tuple[str, Settings]:
    """x + y; and x + 0, with which Python's sum() begins."""
    numbers = _numbers(call)
    if not numbers:
        return "Add", {}
    if numbers == [0.0]:
        return "Identity", {}
    raise Refused(f"{who} of a number other than 0 is not among the operations of this assignment. {_SAY}")


def _subtract(_operation: Any, call: Any, who: str) -> tuple[str, Settings]:
    """x - x makes zeros like x; no other difference has a word."""
    first, *rest = call.input_tensors
    if len(rest) == 1 and rest[0] is first:
        return "ZerosLike", {}
    raise Refused(
        f"{who}, unless of a tensor from itself, is not among the operations of this assignment. {_SAY}"
    )


def _full_like(_operation: Any, call: Any, who: str) -> tuple[str, Settings]:
    if _numbers(call) == [0.0]:
        return "ZerosLike", {}
    raise Refused(f"{who}, unless with 0, is not among the operations of this assignment. {_SAY}")


def _maximum(_operation: Any, call: Any, who: str) -> tuple[str, Settings]:
    """The larger of x and 0 is a ReLU."""
    if _numbers(call) == [0.0]:
        return "Activation", {"activation": "relu"}
    raise Refused(f"{who}, unless with 0, is not among the operations of this assignment. {_SAY}")


def _word(op: str, **settings: Any) -> Callable[[Any, Any, str], tuple[str, Settings]]:
    """An operation with nothing to be read from it."""
    return lambda _operation, _call, _who: (op, settings)


_WORDS: dict[type, Word] = {
    keras.layers.Conv2D: _conv2d,
    keras.layers.Dense: _dense,
    keras.layers.BatchNormalization: _batch_normalization,
    keras.layers.Activation: lambda layer, _call, who: (
        "Activation",
        {"activation": _activation(layer.activation, who)},
    ),
    keras.layers.ReLU: _relu,
    keras.layers.Softmax: _softmax,
    keras.layers.MaxPooling2D: _pooling("MaxPooling2D"),
    keras.layers.AveragePooling2D: _pooling("AveragePooling2D"),
    keras.layers.GlobalAveragePooling2D: _global_pooling("GlobalAveragePooling2D"),
    keras.layers.GlobalMaxPooling2D: _global_pooling("GlobalMaxPooling2D"),
    keras.layers.Flatten: _word("Flatten"),
    keras.layers.Reshape: _reshape,
    keras.layers.Dropout: _dropout,
    keras.layers.ZeroPadding2D: _zero_padding,
    keras.layers.Add: _word("Add"),
    keras.layers.Concatenate: _concatenate,
    keras.layers.Identity: _word("Identity"),
    _activations.ReLU: _relu,
    _nn.Relu: _word("Activation", activation="relu"),
    _nn.Sigmoid: _word("Activation", activation="sigmoid"),
    _nn.Softmax: _softmax,
    _nn.MaxPool: _pooling("MaxPooling2D"),
    _nn.AveragePool: _pooling("AveragePooling2D"),
    _numpy.Tanh: _word("Activation", activation="tanh"),
    _numpy.Add: _add,
    _numpy.Subtract: _subtract,
    _numpy.FullLike: _full_like,
    _numpy.Maximum: _maximum,
    _numpy.Concatenate: _concatenate,
    _numpy.Mean: _reduction("GlobalAveragePooling2D"),
    _numpy.Max: _reduction("GlobalMaxPooling2D"),
    _numpy.Pad: _pad,
    _numpy.Reshape: _reshape,
    _numpy.Squeeze: _reshape,
    _numpy.ZerosLike: _word("ZerosLike"),
    _numpy.Multiply: _multiply,
    _core.Cast: _word("Identity"),  # to float32: what a node puts out has been checked
}

# Of what has no word, that brings paths together and adds nothing up.
_JOINS = ("Multiply", "Subtract", "Maximum", "Minimum", "Dot")

_WITH_WEIGHTS = ("Conv2D", "Dense", "BatchNormalization")
# What makes zeros of zeros.
_KEEP_ZEROS = ("MaxPooling2D", "AveragePooling2D", "Pad", "Identity")

# Operations that numbers may be among the arguments of.
_WITH_NUMBERS = (_numpy.Add, _numpy.FullLike, _numpy.Maximum, _numpy.Multiply)

# How many of a layer's weights train, by its settings.
_TRAINABLE: dict[type, Callable[[Any], int]] = {
    keras.layers.Conv2D: lambda layer: 1 + bool(layer.use_bias),
    keras.layers.Dense: lambda layer: 1 + bool(layer.use_bias),
    keras.layers.BatchNormalization: lambda layer: bool(layer.center) + bool(layer.scale),
}


# --- Values ------------------------------------------------------------------------------------------------


def _sizes(value: Any) -> list[int]:
    return [int(size) for size in value] if isinstance(value, tuple | list) else [int(value)] * 2


def _axes(axis: Any, rank: int) -> list[int]:
    """Axes counted from the front, in order; none for None."""
    if axis is None:
        return []
    return sorted(int(one) % rank for one in (axis if isinstance(axis, list | tuple) else [axis]))


_ACTIVATIONS = ("relu", "sigmoid", "softmax", "tanh", "linear")  # that a blueprint has
_NO_WORD = "another"  # in the place of an activation that it has not
_FUNCTIONS: dict[Any, str] = {
    **{function: name for name, function in vars(keras.activations).items() if inspect.isfunction(function)},
    keras.ops.relu: "relu",
    keras.ops.softmax: "softmax",
    keras.ops.sigmoid: "sigmoid",
    keras.ops.tanh: "tanh",
}


def _activation(value: Any, who: str) -> str:
    """The name of a built-in activation; which of them are allowed, the reader says."""
    if type(value) is keras.layers.ReLU:
        _relu(value, None, who)
        return "relu"
    if inspect.isfunction(value) and value in _FUNCTIONS:
        known = _FUNCTIONS[value]
        if _soft and known not in _ACTIVATIONS:
            raise Refused(f"the activation of {who} is {known}; one of {', '.join(_ACTIVATIONS)} is allowed")
        return known
    if (name := _of_tensorflow(value)) is not None:
        return name
    raise Refused(
        f"the activation of {who} is {_kind(value)}, which is code, so it cannot be rebuilt. "
        'Name a built-in one, such as activation="relu"'
    )


def _of_a_layer(value: Any, who: str) -> str:
    """The activation that a layer with weights ends in; _NO_WORD where it may be looked around."""
    try:
        return _activation(value, who)
    except Refused as refused:
        if not _soft:
            raise
        _soft[0].append(Flaw(str(refused)))
        return _NO_WORD


def _of_tensorflow(value: Any) -> str | None:
    """tf.nn.relu and its like, where TensorFlow was imported: they do what Keras's own of that name do."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return None
    names = ("relu", "softmax", "sigmoid", "tanh")
    return next((name for name in names if value is getattr(tensorflow.nn, name, None)), None)


_SCALED = (
    keras.initializers.VarianceScaling,
    keras.initializers.GlorotNormal,
    keras.initializers.GlorotUniform,
    keras.initializers.HeNormal,
    keras.initializers.HeUniform,
    keras.initializers.LecunNormal,
    keras.initializers.LecunUniform,
)


def _initialiser(value: Any, who: str, setting: str) -> Settings:
    if value is None:  # Keras then takes this one, for a bias too
        value = keras.initializers.GlorotUniform()
    kind = type(value)
    if kind in _SCALED:
        _only(who, f"{setting} input_axes", value.input_axes, None)
        _only(who, f"{setting} output_axes", value.output_axes, None)
        scaling = {"scale": float(value.scale), "mode": value.mode, "distribution": value.distribution}
        return {"name": "VarianceScaling", **scaling}
    if kind in (keras.initializers.RandomNormal, keras.initializers.TruncatedNormal):
        _only(who, f"{setting} mean", value.mean, 0.0)
        return {"name": kind.__name__, "stddev": float(value.stddev)}
    if kind is keras.initializers.RandomUniform:
        _only(who, f"{setting} minval", value.minval, -value.maxval)
        return {"name": "RandomUniform", "limit": float(value.maxval)}
    if kind is keras.initializers.Orthogonal:
        return {"name": "Orthogonal", "gain": float(value.gain)}
    constant = value.value if kind is keras.initializers.Constant else None
    constant = constant if isinstance(constant, int | float) else None  # an array would be weights
    if kind is keras.initializers.Zeros or constant == 0:
        return {"name": "Zeros"}
    if kind is keras.initializers.Ones or constant == 1:
        return {"name": "Ones"}
    _refuse(
        f"{setting} of {who} is {_kind(value)}. Weights start from zeros, ones or one of Keras's random "
        'initialisers, such as "he_normal"; your own values and code cannot be rebuilt'
    )
    return {"name": "Zeros"}


def _l2(value: Any, who: str, setting: str) -> float:
    if value is None:
        return 0.0
    if type(value) is keras.regularizers.L2:
        return float(value.l2)
    if type(value) is keras.regularizers.L1L2:
        _only(who, f"l1 of {setting}", float(value.l1), 0.0)
        return float(value.l2)
    _refuse(f"{setting} of {who} is {_kind(value)}; only keras.regularizers.L2 is allowed")
    return 0.0


_soft: list[list[Flaw]] = []  # takes what can be looked at and not be trained, of the model at hand


def _only(who: str, setting: str, found: Any, allowed: Any, *, fixed: bool = False) -> None:
    if found is not allowed and found != allowed:
        plain = found is None or isinstance(found, int | float | str | tuple | list)
        shown = repr(found)[:60] if plain else _kind(found)
        _refuse(f"{setting} of {who} is {shown}; only {allowed!r} is allowed", fixed=fixed)


def _refuse(reason: str, *, fixed: bool = False) -> None:
    """Refuses the model, or takes down why it cannot be trained, where it may be looked at all the same."""
    if not _soft:
        raise Refused(reason)
    _soft[0].append(Flaw(reason, fixed))


# --- Words for people --------------------------------------------------------------------------------------


def _name(operation: Any) -> str:
    return str(getattr(operation, "name", ""))[:MAX_NAME]


def _kind(value: Any) -> str:
    """What something is, without asking it: its own repr may be anything."""
    if value is None:
        return "None"
    if inspect.isfunction(value):
        return f"the function {value.__module__}.{value.__name__}"[:100]
    return f"a value of the type {type(value).__name__}"[:100]


def _has_code(what: str, instead: str = "") -> str:
    return (
        f"{what} is your own code, so it cannot be rebuilt: the grader trains a network that it makes "
        f"from a description of the layers. {instead or _SAY}"
    )


def _no_word(kind: type, who: str, operation: Any) -> str:
    """Why a kind of layer or operation is not in `_WORDS`, and what to write in its place."""
    module = kind.__module__
    if kind is keras.layers.Lambda or not module.startswith("keras.src."):
        return _has_code(who, _of_function(getattr(operation, "function", None)))
    if module.startswith("keras.src.layers.preprocessing"):
        return f"{who} prepares images: the trainer standardises and augments them itself. Leave it out"
    if issubclass(kind, keras.layers.Layer):
        layer = _INSTEAD_OF.get(kind.__name__)
        return f"{who} is not among the layers of this assignment. {f'Write {layer}' if layer else _SAY}"
    return f"{who}, an operation on a symbolic tensor, is not among those of this assignment. {_SAY}"


_INSTEAD_OF = {
    **dict.fromkeys(("LeakyReLU", "PReLU", "ELU"), "keras.layers.ReLU()"),
    **dict.fromkeys(
        ("LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization"),
        "keras.layers.BatchNormalization()",
    ),
    **dict.fromkeys(("SeparableConv2D", "DepthwiseConv2D", "Conv1D", "Conv2DTranspose"), "Conv2D(...)"),
    **dict.fromkeys(("SpatialDropout2D", "GaussianDropout", "AlphaDropout"), "keras.layers.Dropout(rate)"),
    **dict.fromkeys(("Average", "Maximum", "Minimum", "Multiply", "Subtract"), "keras.layers.Add()([x, y])"),
}


def _of_function(function: Any) -> str:
    """What to write in place of a Lambda's function; empty where it is not known."""
    path = Path(__file__).with_name("wording.py")
    spec = importlib.util.spec_from_file_location("_kit_wording", path)
    assert spec
    assert spec.loader
    wording = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(wording)
    code = getattr(function, "__code__", None)
    names = [getattr(function, "__name__", ""), *(code.co_names if isinstance(code, CodeType) else ())]
    known = [wording.INSTEAD[name] for name in names if isinstance(name, str) and name in wording.INSTEAD]
    return f"Write {known[0]} in its place" if known else ""


def together(flaws: Sequence[Flaw], places: Sequence[Mapping[str, Any]]) -> str:
    """All that keeps a model from being used, each with its line, what is alike once.

    Args:
        flaws: at least one.
        places: where layers were made: name, file and lines of each, see lines.py.
    """
    made = {place["name"]: f"{place['file']}, line {place['lines'][0]}" for place in places}
    alike: dict[str, list[str]] = {}
    for flaw in flaws:
        quoted = next((name for name in re.findall(r"'([^']{1,64})'", flaw.reason) if name in made), None)
        reason = flaw.reason.removesuffix(_SAY).rstrip(" .")
        if quoted:
            reason = reason.replace(f"'{quoted}'", f"'{quoted}' ({made[quoted]})", 1)
        alike.setdefault(re.sub(r"(?<=')\w+(?=')", "", reason), []).append(reason)
    said = []
    for reasons in list(alike.values())[:MOST_REASONS]:
        distinct = len(set(reasons)) - 1
        said.append(reasons[0] + (f". The same goes for {distinct} more" if distinct else ""))
    if len(alike) > MOST_REASONS:
        said.append(f"and {len(alike) - MOST_REASONS} more")
    if any(flaw.reason.endswith(_SAY) for flaw in flaws):
        said.append(_SAY)
    return ". ".join(said)
