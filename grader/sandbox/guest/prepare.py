"""The probe of `nox -s inspect`: calls `prepare` on real images, which lie beside this file.

It goes the way of the graded probes, through harness.py in a process of its own, so that whatever `prepare`
does (raises, never ends, ends Python) is reported in the same words.
"""

from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent


def draw(seed: int) -> dict[str, Any]:
    """The images and labels to prepare, and the seed to do it with."""
    return {
        "images": np.load(HERE / "images.npy", allow_pickle=False),
        "labels": np.load(HERE / "labels.npy", allow_pickle=False),
        "seed": seed,
    }


def probe(calls: Any, inputs: dict[str, Any]) -> None:
    """Calls `prepare` once; `calls` is the harness's Calls."""
    num_classes = inputs["builder_arguments"]["num_classes"]
    arguments = (inputs["images"], inputs["labels"], num_classes)
    calls.call("prepare", "prepare", *arguments, test_fraction=0.2, seed=inputs["seed"])
