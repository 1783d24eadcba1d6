"""What build_alexnet is called with. Runs in the sandbox; the judge draws the same from the same seed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

_UNITS = (96, 256, 384, 1024, 512)  # of the hidden layers at width 1
_TRAINED = {"train.coarse": 20, "train.fine": 100}


def draw(seed: int) -> dict[str, Any]:
    """The arguments of each call, small and different in everything, so that nothing can be written in fixed.

    "default" leaves all options at their defaults, and is the one network of full size. The widths of
    "small" and "shape" give whole numbers of units, so that a wrong rounding shows in the last two alone.
    """
    generator = np.random.default_rng(seed)
    classes = [int(n) for n in generator.choice(np.arange(5, 14), size=5, replace=False)]
    wide, narrow = (int(n) / 32 for n in generator.choice(np.arange(2, 7), size=2, replace=False))
    # Large enough for the original's first convolution, 11x11 with stride 4, so that this is what is shown.
    height, width = (8 * int(n) for n in generator.choice(np.arange(4, 8), size=2, replace=False))
    low, high = float(generator.integers(10, 40)) / 100, float(generator.integers(55, 80)) / 100
    return {
        "default": {"num_classes": classes[0]},
        "small": {"num_classes": classes[1], "width": wide, "dropout": low},
        "shape": {
            "num_classes": classes[2],
            "input_shape": (height, width, int(generator.choice([1, 2, 4]))),
            "width": narrow,
            "dropout": high,
        },
        "rounding": {"num_classes": classes[3], "width": _uneven_width(generator)},
        "tiny": {"num_classes": classes[4], "width": int(generator.integers(1, 4)) / 1000},
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
        calls.call(name, "build_alexnet", kwargs["num_classes"], builds=True, **options)


def _uneven_width(generator: np.random.Generator) -> float:
    """A width at which cutting off, rounding and rounding up differ, and nothing is near a half."""
    while True:
        width = int(generator.integers(31, 120)) / 1000
        parts = [width * units % 1 for units in _UNITS]
        if all(abs(part - 0.5) > 0.05 for part in parts) and min(parts) < 0.45 and max(parts) > 0.55:
            return width
