"""A layer in place of a block that is missing or broken, so that what is built of blocks can be looked at.

It computes nothing and has no weights: all that is known of it is what it was asked for and the shape that
comes of it. What a block is, only the judge knows, who reads one wherever this is described.

Keras alone.
"""

from typing import Any

import keras


class Block(keras.layers.Layer):  # type: ignore[misc]
    """One bottleneck, unopened: `filters`, `stride`, and the shape of what it puts out."""

    def __init__(self, filters: int, stride: int) -> None:
        super().__init__()
        if filters < 1 or stride < 1:
            raise ValueError(
                f"`filters` and `stride` must be above 0. Received: filters={filters}, stride={stride}"
            )
        self.filters, self.stride = filters, stride
        self.built = True

    def compute_output_shape(self, shape: Any) -> Any:
        """(batch, H / stride, W / stride, 4 * filters)."""
        batch, *sizes, _ = shape
        return (batch, *(size and -(-size // self.stride) for size in sizes), 4 * self.filters)

    def call(self, x: Any) -> Any:
        """Nothing is ever computed with it."""
        raise NotImplementedError("this layer stands in for a block, and computes nothing")


def block(x: Any, filters: Any, stride: Any = 1, **_: Any) -> Any:
    """What is called in place of the student's bottleneck_block, in whichever way theirs would be."""
    stride = stride[0] if isinstance(stride, list | tuple) else stride
    return Block(int(filters), int(stride))(x)


def described(layer: Any, call: Any, _who: str) -> tuple[str, dict[str, Any]]:
    """Its word in a description; see describe.py."""
    return "Block", {
        "filters": layer.filters,
        "stride": layer.stride,
        "channels": int(call.input_tensors[0].shape[-1]),
    }


WORDS = {Block: described}
