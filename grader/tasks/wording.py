"""How messages about networks are worded: steps, settings and what was expected of them."""

from collections.abc import Mapping
from typing import Any

_NAMES = {
    "BatchNormalization": "batch normalisation",
    "relu": "ReLU",
    "GlobalAveragePooling2D": "global average pooling",
    "GlobalMaxPooling2D": "global max pooling",
    "Flatten": "flatten",
    "Pad": "zero padding",
    "Add": "an addition",
    "Concatenate": "a concatenation",
    "Unknown": "a layer of another kind",
}


def in_words(op: str, settings: Mapping[str, Any]) -> str:
    """A step as a student would say it: "a 5x5 convolution with 96 filters"."""
    if op == "Conv2D":
        kernel = f"{_value('kernel_size', settings['kernel_size'])} " if "kernel_size" in settings else ""
        filters = f" with {settings['filters']} filters" if "filters" in settings else ""
        strides = settings.get("strides", (1, 1))
        stride = "" if strides == (1, 1) else f", stride {_value('strides', strides)}"
        return f"a {kernel}convolution{filters}{stride}"
    if op == "Dense":
        return "a dense layer" + (f" of {settings['units']} units" if "units" in settings else "")
    if op in ("MaxPooling2D", "AveragePooling2D"):
        name = "max pooling" if op == "MaxPooling2D" else "average pooling"
        size, strides = (_value(key, settings[key]) for key in ("pool_size", "strides"))
        return f"{size} {name} with stride {strides}"
    if op == "Dropout":
        return f"dropout of {settings['rate']:g}"
    return _NAMES.get(op, op)


def setting(name: str, value: Any) -> str:
    """A setting with its value: "96 filters", "kernel size 5x5"."""
    if name in ("filters", "units"):
        return f"{value} {name}"
    words = {"kernel_size": "kernel size", "strides": "stride", "pool_size": "pool size"}
    return f"{words.get(name, name)} {_value(name, value)}"


def expected(name: str, value: Any) -> str:
    """The value that a setting should have, with the reason where it is not plain."""
    if name == "momentum":
        return (
            f"at most {value}: its averages move by 1 - momentum a step, and have not caught up "
            "when a short training ends"
        )
    return _value(name, value)


def _value(name: str, value: Any) -> str:
    """(5, 5) as "5x5", a stride of (2, 2) as "2"."""
    if name == "strides" and len(set(value)) == 1:
        return str(value[0])
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return repr(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
