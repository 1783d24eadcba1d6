"""What bottleneck_block and build_resnet are called with. Runs in the sandbox; the judge draws the same."""

from collections.abc import Mapping
from typing import Any

import numpy as np

_TRAINED = {"train.coarse": 20, "train.fine": 100}


def draw(seed: int) -> dict[str, Any]:
    """The arguments of each call, small and different in everything, so that nothing can be written in fixed.

    "blocks" has every way in which a block may change its input: not at all, the channels, the size, both.
    "networks" has the defaults, whose parameters are counted, and two that differ from them in everything,
    one with more stages and one with fewer.
    """
    generator = np.random.default_rng(seed)
    filters = [int(n) for n in generator.choice(np.arange(2, 8), size=4, replace=False)]
    height, width = (2 * int(n) for n in generator.choice(np.arange(4, 9), size=2, replace=False))
    channels_and_strides = {
        "block.same": (4 * filters[0], 1),
        "block.channels": (filters[1], 1),  # as in the first block of the first stage
        "block.both": (2 * filters[2], 2),  # as in the first block of the others
        "block.size": (4 * filters[3], 2),
    }
    classes = [int(n) for n in generator.choice(np.arange(5, 14), size=2, replace=False)]
    widths = [int(n) for n in generator.choice(np.arange(2, 7), size=2, replace=False)]
    sides = [8 * int(n) for n in generator.choice(np.arange(2, 7), size=2, replace=False)]
    deep, shallow = int(generator.integers(2, 4)), int(generator.integers(2, 4))
    return {
        "blocks": {
            name: {"shape": (height, width, channels), "filters": count, "stride": stride}
            for (name, (channels, stride)), count in zip(channels_and_strides.items(), filters, strict=True)
        },
        "networks": {
            "default": {"num_classes": 100},
            "small": {"num_classes": classes[0], "blocks": (1, deep, 1, 1, 1), "width": widths[0]},
            "shape": {
                "num_classes": classes[1],
                "input_shape": (*sides, int(generator.choice([1, 2, 4]))),
                "blocks": (shallow, 1),
                "width": widths[1],
            },
        },
    }


def arguments(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What build_resnet is called with in each call; for training only with builder arguments."""
    calls = dict(inputs["networks"])
    if "builder_arguments" in inputs:
        # It has been through JSON, which has no tuples.
        builder_arguments = {
            key: tuple(v) if isinstance(v, list) else v for key, v in inputs["builder_arguments"].items()
        }
        calls |= {name: {"num_classes": classes, **builder_arguments} for name, classes in _TRAINED.items()}
    return calls


def probe(calls: Any, inputs: Mapping[str, Any]) -> None:
    """Has every block applied to an input of its own, and every network built.

    Where no network came of it, they are built once more with a stand-in for the blocks: so build_resnet can
    be looked at where bottleneck_block is not written yet, or raises.
    """
    import keras  # here, because the judge draws the inputs without it

    for name, block in inputs["blocks"].items():
        x = keras.Input(block["shape"])
        options = {} if block["stride"] == 1 else {"stride": block["stride"]}
        calls.call(
            name,
            "bottleneck_block",
            x,
            block["filters"],
            **options,
            then=lambda y, x=x: keras.Model(x, y),
            builds=True,
        )
    networks = arguments(inputs)
    for name, kwargs in networks.items():
        _build(calls, name, kwargs)
    if not any(map(calls.gave_network, networks)):
        for name, kwargs in inputs["networks"].items():
            _build(calls, f"alone.{name}", kwargs, without="bottleneck_block")


def _build(calls: Any, name: str, kwargs: Mapping[str, Any], **how: Any) -> None:
    options = {key: value for key, value in kwargs.items() if key != "num_classes"}
    calls.call(name, "build_resnet", kwargs["num_classes"], builds=True, **how, **options)
