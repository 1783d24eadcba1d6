"""What build_wide_resnet is called with. Runs in the sandbox; the judge draws the same from the same seed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

_TRAINED = {"train.coarse": 20, "train.fine": 100}


def draw(seed: int) -> dict[str, Any]:
    """The arguments of each call, small and different in everything, so that nothing can be written in fixed.

    "default" leaves all options at their defaults: it is the one network of full size, whose parameters are
    counted. The other two differ from it, and from each other, in everything.
    """
    generator = np.random.default_rng(seed)
    classes = [int(n) for n in generator.choice(np.arange(5, 14), size=2, replace=False)]
    depths = [int(n) for n in generator.choice([8, 14], size=2, replace=False)]
    widths = [int(n) for n in generator.choice(np.arange(1, 4), size=2, replace=False)]
    height, width = (4 * int(n) for n in generator.choice(np.arange(3, 11), size=2, replace=False))
    return {
        "default": {"num_classes": 100},
        "small": {"num_classes": classes[0], "depth": depths[0], "width": widths[0]},
        "shape": {
            "num_classes": classes[1],
            "input_shape": (height, width, int(generator.choice([1, 2, 4]))),
            "depth": depths[1],
            "width": widths[1],
        },
    }


def arguments(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the builder is called with in each call; for training only with builder arguments."""
    calls = {name: kwargs for name, kwargs in inputs.items() if name != "builder_arguments"}
    if "builder_arguments" in inputs:
        # It has been through JSON, which has no tuples.
        builder_arguments = {
            key: tuple(v) if isinstance(v, list) else v for key, v in inputs["builder_arguments"].items()
        }
        calls |= {name: {"num_classes": classes, **builder_arguments} for name, classes in _TRAINED.items()}
    return calls


def probe(calls: Any, inputs: Mapping[str, Any]) -> None:
    """Has every network built."""
    for name, kwargs in arguments(inputs).items():
        options = {key: value for key, value in kwargs.items() if key != "num_classes"}
        calls.call(name, "build_wide_resnet", kwargs["num_classes"], builds=True, **options)
