"""The probe of what `prepare` hands over: calls it once, on a few thousand images that lie beside this file.

What it returns is written down as float32, which is what a network computes in, and in pieces: so an array of
any size that was asked for keeps within the caps of a file of evidence. As with every probe, nothing that is
done here is relied on; grader/grading/handing.py reads what is left behind.
"""

from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
PIECE = 2000  # rows: 24 MB of images
PIECES = 4


def draw(seed: int) -> dict[str, Any]:
    """The images and labels to prepare, and the seed to do it with."""
    return {
        "images": np.load(HERE / "images.npy", allow_pickle=False),
        "labels": np.load(HERE / "labels.npy", allow_pickle=False),
        "seed": seed,
    }


def probe(calls: Any, inputs: dict[str, Any]) -> None:
    """Calls `prepare` once, without `test_fraction`; `calls` is the harness's Calls."""
    num_classes = inputs["builder_arguments"]["num_classes"]
    calls.call(
        "prepare",
        "prepare",
        inputs["images"],
        inputs["labels"],
        num_classes,
        seed=inputs["seed"],
        then=lambda result: in_pieces(result, len(inputs["images"])),
    )


def in_pieces(result: Any, most: int) -> Any:
    """Each array of a tuple or list as a list of float32 arrays; what is none stays as it is.

    Of a part that has more images than there are, as with copies of them, and as many labels, the first
    `most`.
    """
    if not isinstance(result, tuple | list):
        return result
    items = list(result)
    for first in range(0, len(items) - 1, 2):
        x, y = items[first : first + 2]
        arrays = all(isinstance(item, np.ndarray) and item.ndim for item in (x, y))
        if arrays and len(x) == len(y) > most:
            items[first : first + 2] = x[:most], y[:most]
    return [_pieces(item) for item in items]


def _pieces(item: Any) -> Any:
    array = np.asarray(item)
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        return item
    if len(array) > PIECE * PIECES:
        raise ValueError(f"an array of shape {array.shape}")
    return [array[start : start + PIECE].astype(np.float32) for start in range(0, len(array), PIECE)]
