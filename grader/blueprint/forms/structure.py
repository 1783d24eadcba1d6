"""Rules on nodes: those that do nothing, zeros around images, biases that a normalisation takes away."""

from typing import Any

from grader.blueprint.allowlist import padded
from grader.blueprint.forms.editing import Edit, Readers
from grader.blueprint.network import Blueprint, Node

_KEEPS_SIGN = (
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Flatten",
    "Dropout",
    "Pad",
    "Add",
    "Concatenate",
)


def rectified(network: Blueprint) -> Edit:
    """Without a ReLU of what is not negative anyway."""
    edit = Edit(network)
    positive: list[bool] = []
    for node in network:
        inputs = all(positive[index] for index in node.inputs) and bool(node.inputs)
        activation = node.settings.get("activation")
        if activation == "relu" and inputs:
            edit.leave_out(node)
        positive.append(activation in ("relu", "sigmoid", "softmax") or (node.op in _KEEPS_SIGN and inputs))
    return edit


def pooled_by_one(network: Blueprint) -> Edit:
    """Without a pooling over windows of one pixel that moves by one pixel."""
    edit = Edit(network)
    for node in network.of("MaxPooling2D", "AveragePooling2D"):
        if node.settings["pool_size"] == node.settings["strides"] == (1, 1):
            edit.leave_out(node)
    return edit


def padded_once(network: Blueprint) -> Edit:
    """With one padding where there are several in a row."""
    edit, readers = Edit(network), Readers(network)
    done: set[int] = set()
    for node in network.of("Pad"):
        first = network.nodes[node.inputs[0]]
        if first.op == "Pad" and first.index not in done and readers.only(first) is node:
            both = zip(first.settings["widths"], node.settings["widths"], strict=True)
            widths = tuple((one[0] + other[0], one[1] + other[1]) for one, other in both)
            edit.read_before(node, first, widths=widths)
            done.add(node.index)
    return edit


def _padding_before(network: Blueprint, node: Node) -> tuple[Node, Any, Any] | None:
    """The padding before a convolution or pooling without one: its node, and that of image and channels."""
    pad = network.nodes[node.inputs[0]]
    if pad.op != "Pad" or node.settings["padding"] != "valid" or len(pad.shape) != 3:
        return None
    *image, channels = pad.settings["widths"]
    return (pad, tuple(image), channels) if any(map(any, image)) else None


def _window(node: Node) -> tuple[int, int]:
    window: tuple[int, int] = node.settings["kernel_size" if node.op == "Conv2D" else "pool_size"]
    return window


def padded_alike(network: Blueprint) -> Edit:
    """With "same" for a convolution before which just the zeros of "same" are put around the image."""
    edit = Edit(network)
    for node in network.of("Conv2D"):
        found = _padding_before(network, node)
        if found is None or any(found[2]):
            continue
        pad, image, _ = found
        size, strides = network.nodes[pad.inputs[0]].shape, node.settings["strides"]
        added = [padded(*axis) for axis in zip(size, _window(node), strides, strict=False)]
        if image == tuple((zeros // 2, zeros - zeros // 2) for zeros in added):
            edit.read_before(node, pad, padding="same")
    return edit


def pooled_before_zeros(network: Blueprint) -> Edit:
    """With channels of zeros joined after a pooling: zeros that are pooled are zeros."""
    edit, readers = Edit(network), Readers(network)
    for pool in network.of("AveragePooling2D"):
        pad = network.nodes[pool.inputs[0]]
        if pad.op == "Pad" and not any(map(any, pad.settings["widths"][:2])) and readers.only(pad) is pool:
            edit.swap(pad, pool, pad.settings["widths"])
    return edit


def _halves(node: Node, size: tuple[int, ...], image: tuple[tuple[int, int], ...]) -> bool:
    """Whether a node with stride 2 and these zeros around its image puts out what "same" would, in size."""
    return node.settings["strides"] == (2, 2) and all(
        max(zeros) <= window // 2 and out == -(-before // 2)
        for zeros, window, before, out in zip(image, _window(node), size, node.shape, strict=False)
    )


def padded_for_stride(network: Blueprint) -> Edit:
    """With "same" where a stride of 2 has zeros of its own."""
    edit, readers = Edit(network), Readers(network)
    done: set[int] = set()
    for node in network.of("Conv2D", "AveragePooling2D"):
        found = _padding_before(network, node)
        if found is None or not _halves(node, network.nodes[found[0].inputs[0]].shape, found[1]):
            continue
        pad, _, channels = found
        if not any(channels):
            edit.read_before(node, pad, padding="same")
        elif node.op == "AveragePooling2D" and readers.only(pad) is node and pad.index not in done:
            done.add(pad.index)
            edit.swap(pad, node, ((0, 0), (0, 0), channels), padding="same")
    return edit


def without_bias(network: Blueprint) -> Edit:
    """Without the biases of layers whose output comes to batch normalisations alone.

    A bias adds one number to a channel, and a normalisation subtracts the channel's mean. On the way there
    may be whatever leaves a channel with one number more: pooling (Keras's "same" does not count its zeros),
    an addition, channels beside it.
    """
    readers = Readers(network)
    normalised: dict[int, bool] = {}  # whether a number more on each channel of a node changes nothing
    for node in reversed(network.nodes):
        normalised[node.index] = not readers.is_output(node) and all(
            reader.op == "BatchNormalization"
            or (
                (
                    reader.op in ("MaxPooling2D", "AveragePooling2D", "Add")
                    or (reader.op == "Pad" and not any(map(any, reader.settings["widths"][:-1])))
                )
                and normalised[reader.index]
            )
            for reader in readers[node]
        )
    edit = Edit(network)
    for node in network.of("Conv2D", "Dense"):
        if normalised[node.index]:
            edit.set(node, use_bias=False, bias_initializer=None, bias_l2=0.0)
    return edit
