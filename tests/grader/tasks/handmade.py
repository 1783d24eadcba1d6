"""Networks written by hand, as descriptions and as paths: no Keras is needed for them."""

from typing import Any

from grader.blueprint import read
from grader.tasks.networks import BUDGET
from grader.tasks.paths import Path, path

CONV = ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"})
NORM = ("BatchNormalization", {})
RELU = ("Activation", {"activation": "relu"})
POOL = ("MaxPooling2D", {})
ADD = ("Add", {})


def described(*nodes: Any, size: int = 8) -> dict[str, Any]:
    """A description of nodes (op, settings) or (op, settings, inputs); by default each reads the last."""
    listed: list[dict[str, Any]] = [{"op": "Input", "settings": {}, "inputs": []}]
    for op, options, *inputs in nodes:
        listed.append({"op": op, "settings": options, "inputs": inputs[0] if inputs else [len(listed) - 1]})
    return {"format": 1, "input_shape": [size, size, 4], "nodes": listed, "output": len(listed) - 1}


def path_of(*nodes: Any) -> Path:
    return path(read(described(*nodes), BUDGET))
