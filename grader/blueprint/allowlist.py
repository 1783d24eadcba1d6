"""The operations a blueprint may have: their settings and bounds, the shapes they give, what they cost.

Settings are there only where the tasks have a use for them: what has no word here cannot be asked for.
A parser is given anything at all, and raises nothing but NotAllowed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]
Settings = dict[str, Any]
Shapes = tuple[Shape, ...]

ACTIVATIONS = ("relu", "softmax", "sigmoid", "tanh")
LINEAR = "linear"
UNKNOWN = "Unknown"
JOINS = ("Multiply", "Subtract", "Maximum", "Minimum", "Dot")  # of what has no word: it adds nothing up
_MOST_INPUTS = 8  # of a layer that has no word


class NotAllowed(Exception):
    """Something an operation cannot have, without the name of the node: the reader knows that."""


def items(value: object) -> Sequence[object] | None:
    """The items of a list or tuple; None of anything else.

    Here and below types are compared, not asked with isinstance: True is an int to isinstance, and a subclass
    can do as it likes when it is compared or printed.
    """
    return value if type(value) is list or type(value) is tuple else None


def fields(value: object) -> dict[str, object] | None:
    """A dictionary, if all its keys are strings and they are not many; None of anything else."""
    if type(value) is dict and len(value) <= 32 and all(type(key) is str for key in value):
        return value
    return None


def show(value: object) -> str:
    """A value from outside, for a message: short, printable, and quick to make however large it is."""
    if type(value) is str:
        return repr(value if len(value) <= 40 else value[:40] + "…")
    if type(value) is int and abs(value) >= 10**12:
        return "a number of more than 12 digits"
    if value is None or type(value) is bool or type(value) is int or type(value) is float:
        return repr(value)
    parts = items(value)
    if parts is None:
        return "a dictionary" if type(value) is dict else "something that is not plain data"
    if not parts:
        return "an empty list"
    if len(parts) <= 4 and all(items(part) is None for part in parts):
        return f"({', '.join(map(show, parts))})"
    return f"a list of {len(parts)}"


# --- Settings ----------------------------------------------------------------------------------------------


class _Required:
    """The default of a setting that has to be given."""


@dataclass(frozen=True)
class Setting:
    """One setting: what it is if left out, and how a value from outside becomes one of ours."""

    parse: Callable[[object], Any]
    default: object = _Required

    def read(self, given: Mapping[str, object], name: str) -> Any:
        """The setting called `name` out of those given."""
        if name not in given and self.default is _Required:
            raise NotAllowed(f"{name} is missing")
        try:
            return self.parse(given.get(name, self.default))
        except NotAllowed as error:
            raise NotAllowed(f"{name} is {show(given.get(name))}; {error}") from None


def _whole(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if type(value) is int and low <= value <= high:
            return value
        raise NotAllowed(f"a whole number from {low} to {high} is allowed")

    return parse


def _real(low: float, high: float, *, below: bool = False) -> Callable[[object], float]:
    def parse(value: object) -> float:
        # Compared before it is converted: float() of a huge int raises. A NaN fails every comparison.
        number = value if type(value) is int or type(value) is float else math.nan
        if low <= number <= high and not (below and number == high):
            return float(number) + 0.0  # -0.0 becomes 0.0
        raise NotAllowed(f"a number from {low:g} to {'below ' if below else ''}{high:g} is allowed")

    return parse


def _flag(value: object) -> bool:
    if type(value) is bool:
        return value
    raise NotAllowed("True or False is allowed")


def _word(*words: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if type(value) is str and value in words:
            return value
        raise NotAllowed(f"allowed: {', '.join(words)}")

    return parse


def _pair(low: int, high: int) -> Callable[[object], tuple[int, int]]:
    number = _whole(low, high)

    def parse(value: object) -> tuple[int, int]:
        pair = items([value, value] if type(value) is int else value)
        if pair is None or len(pair) != 2:
            raise NotAllowed(f"one or two whole numbers from {low} to {high} are allowed")
        return number(pair[0]), number(pair[1])

    return parse


def _optional(parse: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if value is None else parse(value)


def _widths(value: object) -> tuple[tuple[int, int], ...]:
    axes = items(value)
    if axes is None or not 1 <= len(axes) <= 3:
        raise NotAllowed("a pair of whole numbers for each axis is allowed")
    return tuple(_pair(0, MOST_CHANNELS)(axis) for axis in axes)


# Bounds wide enough for any network of the assignment and narrow enough that nothing overflows or
# degenerates; what a network costs in the end is the budget's business.
MOST_CHANNELS = 16_384
MOST_PIXELS = 512
_CHANNELS = _whole(1, MOST_CHANNELS)
_WINDOW = _pair(1, 64)
_PADDING = Setting(_word("valid", "same"), "valid")
_L2 = Setting(_real(0.0, 1.0), 0.0)

_SPREAD = _real(1e-6, 1.0)
_VECTOR_INITIALISERS: dict[str, dict[str, Setting]] = {
    "Zeros": {},
    "Ones": {},
    "RandomNormal": {"stddev": Setting(_SPREAD, 0.05)},
    "TruncatedNormal": {"stddev": Setting(_SPREAD, 0.05)},
    "RandomUniform": {"limit": Setting(_SPREAD, 0.05)},  # from -limit to limit
    "VarianceScaling": {  # he_normal, glorot_uniform and their kin are names for settings of this one
        "scale": Setting(_real(1e-6, 100.0), 1.0),
        "mode": Setting(_word("fan_in", "fan_out", "fan_avg"), "fan_in"),
        "distribution": Setting(
            _word("truncated_normal", "untruncated_normal", "uniform"), "truncated_normal"
        ),
    },
}
_KERNEL_INITIALISERS = {**_VECTOR_INITIALISERS, "Orthogonal": {"gain": Setting(_real(1e-6, 10.0), 1.0)}}
GLOROT_UNIFORM = {"name": "VarianceScaling", "scale": 1.0, "mode": "fan_avg", "distribution": "uniform"}


def _initialiser(known: dict[str, dict[str, Setting]]) -> Callable[[object], dict[str, Any]]:
    def parse(value: object) -> dict[str, Any]:
        given = dict(fields(value) or {})
        name = given.pop("name", None)
        if type(name) is str and name in known:
            return {"name": name, **settings_of(known[name], given)}
        raise NotAllowed(f"allowed initialisers: {', '.join(known)}")

    return parse


def settings_of(known: Mapping[str, Setting], given: Mapping[str, object]) -> Settings:
    """Every known setting, as it was given or by default; NotAllowed if there is any other."""
    for name in given:
        if name not in known:
            raise NotAllowed(f"it has a setting {show(name)}; known: {', '.join(known) or 'none'}")
    return {name: setting.read(given, name) for name, setting in known.items()}


# --- Shapes and costs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What a node adds to the budget; its activations are the size of its shape."""

    parameters: int = 0
    trainable_parameters: int = 0
    flops: int = 0


def _image(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise NotAllowed(f"it needs an image (height, width, channels), its input has the shape {shape}")
    height, width, channels = shape
    return height, width, channels


def _windows(size: int, window: int, stride: int, padding: str) -> int:
    """How many windows fit along one axis."""
    if padding == "same":
        return -(-size // stride)
    if window > size:
        raise NotAllowed(f"its window of {window} does not fit its input of {size} pixels")
    return (size - window) // stride + 1


def padded(size: int, window: int, stride: int) -> int:
    """How many pixels 'same' adds along one axis."""
    return max(0, (-(-size // stride) - 1) * stride + window - size)


def _conv_shape(settings: Settings, inputs: Shapes) -> Shape:
    return *_pool_shape({**settings, "pool_size": settings["kernel_size"]}, inputs)[:2], settings["filters"]


def _conv_cost(settings: Settings, inputs: Shapes, output: Shape) -> Cost:
    height, width = settings["kernel_size"]
    kernel = height * width * inputs[0][-1] * settings["filters"]
    weights = kernel + (settings["filters"] if settings["use_bias"] else 0)
    return Cost(weights, weights, 2 * kernel * output[0] * output[1])


def _dense_shape(settings: Settings, inputs: Shapes) -> Shape:
    return *inputs[0][:-1], settings["units"]


def _dense_cost(settings: Settings, inputs: Shapes, output: Shape) -> Cost:
    weights = inputs[0][-1] * settings["units"] + (settings["units"] if settings["use_bias"] else 0)
    return Cost(weights, weights, 2 * inputs[0][-1] * math.prod(output))


def _normalisation_cost(settings: Settings, _inputs: Shapes, output: Shape) -> Cost:
    trainable = output[-1] * (settings["center"] + settings["scale"])
    return Cost(trainable + 2 * output[-1], trainable, 2 * math.prod(output))


def _pool_shape(settings: Settings, inputs: Shapes) -> Shape:
    *sizes, channels = _image(inputs[0])
    windows = zip(sizes, settings["pool_size"], settings["strides"], strict=True)
    height, width = (_windows(size, window, stride, settings["padding"]) for size, window, stride in windows)
    return height, width, channels


def _pool_cost(settings: Settings, _inputs: Shapes, output: Shape) -> Cost:
    return Cost(flops=math.prod(settings["pool_size"]) * math.prod(output))


def _global_shape(settings: Settings, inputs: Shapes) -> Shape:
    channels = _image(inputs[0])[-1]
    return (1, 1, channels) if settings["keepdims"] else (channels,)


def _pad_shape(settings: Settings, inputs: Shapes) -> Shape:
    widths, shape = settings["widths"], inputs[0]
    if len(widths) != len(shape):
        raise NotAllowed(f"it pads {len(widths)} axes, its input has the shape {shape}")
    return tuple(size + before + after for size, (before, after) in zip(shape, widths, strict=True))


def _add_shape(_settings: Settings, inputs: Shapes) -> Shape:
    for shape in inputs:
        if shape != inputs[0]:  # Keras would stretch an axis of 1 to fit
            raise NotAllowed(f"it adds the shapes {inputs[0]} and {shape}, which have to be the same")
    return inputs[0]


def concatenated(inputs: Shapes) -> Shape:
    """The shape of the concatenation along the last axis."""
    for shape in inputs:
        if shape[:-1] != inputs[0][:-1]:
            raise NotAllowed(
                f"it joins the shapes {inputs[0]} and {shape}, which differ before the last axis"
            )
    return *inputs[0][:-1], sum(shape[-1] for shape in inputs)


# --- Operations --------------------------------------------------------------------------------------------


def _as_it_is(settings: Settings) -> Settings:
    return settings


def _elementwise(_settings: Settings, inputs: Shapes) -> Shape:
    return inputs[0]


def _one_each(_settings: Settings, inputs: Shapes, output: Shape) -> Cost:
    return Cost(flops=max(math.prod(output), math.prod(inputs[0])))


@dataclass(frozen=True)
class Op:
    """One allowed operation.

    Attributes:
        settings: those it may have.
        shape: of its output, from its settings and the shapes of its inputs.
        cost: from its settings, the shapes of its inputs and that of its output.
        complete: brings settings that depend on each other into their one form.
        most_inputs: how many inputs it may have.
        own: whether two of them with the same settings and input are two all the same, because they have
            weights or draw random numbers.
    """

    settings: Mapping[str, Setting] = field(default_factory=dict)
    shape: Callable[[Settings, Shapes], Shape] = _elementwise
    cost: Callable[[Settings, Shapes, Shape], Cost] = _one_each
    complete: Callable[[Settings], Settings] = _as_it_is
    most_inputs: int = 1
    own: bool = False


def _only_if_used(used: str, initialiser: str, l2: str) -> Callable[[Settings], Settings]:
    """A weight that is not there has neither initialiser nor penalty, whatever was asked for."""

    def complete(settings: Settings) -> Settings:
        if settings[used]:
            if settings[initialiser] is None:
                raise NotAllowed(f"{initialiser} is missing")
            return settings
        return {**settings, initialiser: None, l2: 0.0}

    return complete


_with_bias = _only_if_used("use_bias", "bias_initializer", "bias_l2")
_with_center = _only_if_used("center", "beta_initializer", "beta_l2")
_with_scale = _only_if_used("scale", "gamma_initializer", "gamma_l2")
_WEIGHTS = {
    "use_bias": Setting(_flag, True),
    "kernel_initializer": Setting(_initialiser(_KERNEL_INITIALISERS), GLOROT_UNIFORM),
    "bias_initializer": Setting(_optional(_initialiser(_VECTOR_INITIALISERS)), {"name": "Zeros"}),
    "kernel_l2": _L2,
    "bias_l2": _L2,
}
_POOLING = Op(
    {"pool_size": Setting(_WINDOW, 2), "strides": Setting(_optional(_WINDOW), None), "padding": _PADDING},
    _pool_shape,
    _pool_cost,
    complete=lambda settings: {**settings, "strides": settings["strides"] or settings["pool_size"]},
)
_GLOBAL_POOLING = Op({"keepdims": Setting(_flag, False)}, _global_shape)


def _shape(value: object) -> Shape:
    """Of an image or of a list of numbers, without the batch."""
    sizes = items(value)
    if sizes is None or len(sizes) not in (1, 3):
        raise NotAllowed("a shape (height, width, channels) or (units,) is needed")
    return tuple(_whole(1, 10**5)(size) for size in sizes)


OPS: Mapping[str, Op] = {
    "Conv2D": Op(
        {
            "filters": Setting(_CHANNELS),
            "kernel_size": Setting(_WINDOW),
            "strides": Setting(_WINDOW, 1),
            "padding": _PADDING,
            **_WEIGHTS,
        },
        _conv_shape,
        _conv_cost,
        complete=_with_bias,
        own=True,
    ),
    "Dense": Op(
        {"units": Setting(_CHANNELS), **_WEIGHTS}, _dense_shape, _dense_cost, complete=_with_bias, own=True
    ),
    "BatchNormalization": Op(
        {
            "momentum": Setting(_real(0.0, 1.0, below=True), 0.99),
            "epsilon": Setting(_real(1e-8, 0.1), 1e-3),
            "center": Setting(_flag, True),
            "scale": Setting(_flag, True),
            "beta_initializer": Setting(_optional(_initialiser(_VECTOR_INITIALISERS)), {"name": "Zeros"}),
            "gamma_initializer": Setting(_optional(_initialiser(_VECTOR_INITIALISERS)), {"name": "Ones"}),
            "beta_l2": _L2,
            "gamma_l2": _L2,
        },
        cost=_normalisation_cost,
        complete=lambda settings: _with_scale(_with_center(settings)),
        own=True,
    ),
    "Activation": Op({"activation": Setting(_word(*ACTIVATIONS, LINEAR))}),
    "MaxPooling2D": _POOLING,
    "AveragePooling2D": _POOLING,
    "GlobalAveragePooling2D": _GLOBAL_POOLING,
    "GlobalMaxPooling2D": _GLOBAL_POOLING,
    "Flatten": Op(shape=lambda _settings, inputs: (math.prod(inputs[0]),)),
    "Dropout": Op({"rate": Setting(_real(0.0, 1.0, below=True))}, own=True),
    "Pad": Op({"widths": Setting(_widths)}, _pad_shape),
    # What has no word: it is looked around, and a network that has one is never trained.
    UNKNOWN: Op(
        {"shape": Setting(_shape), "joins": Setting(_word(*JOINS, ""), "")},
        lambda settings, _inputs: settings["shape"],
        most_inputs=_MOST_INPUTS,
        own=True,
    ),
    "Add": Op(
        shape=_add_shape,
        cost=lambda _settings, inputs, output: Cost(flops=(len(inputs) - 1) * math.prod(output)),
        most_inputs=16,
    ),
    "Concatenate": Op(shape=lambda _settings, inputs: concatenated(inputs), most_inputs=16),
}

# Only descriptions have these; the canonical form says the same without them.
FUSED = {"activation": Setting(_word(*ACTIVATIONS, LINEAR), LINEAR)}  # of a Conv2D or a Dense
IDENTITY = "Identity"
ZEROS = "ZerosLike"  # zeros of its input's shape, to be joined to something by a Concatenate
