"""Reads what stands in for a block: in a description, each such node becomes the block that was asked for.

See grader/sandbox/guest/standing_in.py. A description is raw data that may be anything: what is not as the
probe writes it stays as it is, and is refused by grader.blueprint, which knows no such layer.
"""

from collections.abc import Callable, Iterable
from typing import Any

from grader.tasks.wanted import Fork, Want, write

BLOCK = "Block"
_MOST_NODES = 600  # of a description, before anything is put in
_MOST_CHANNELS = 100_000

# From the channels of its input, its filters and its stride, what a block should be.
Wanted = Callable[[int, int, int], Iterable[Want | Fork]]


def expanded(description: Any, wanted: Wanted) -> Any:
    """The description with every stand-in replaced by the block that it stands for."""
    nodes = description.get("nodes") if type(description) is dict else None
    if type(nodes) is not list or len(nodes) > _MOST_NODES or not all(type(node) is dict for node in nodes):
        return description
    if not any(node.get("op") == BLOCK for node in nodes):
        return description
    made: list[dict[str, Any]] = []
    place: list[int] = []  # for each node of before, where what it puts out is now

    for node in nodes:
        inputs = node.get("inputs")
        if type(inputs) is not list or not all(type(i) is int and 0 <= i < len(place) for i in inputs):
            return description
        now = [place[i] for i in inputs]
        if node.get("op") == BLOCK:
            sizes = _sizes(node.get("settings"))
            if sizes is None or len(now) != 1:
                return description
            place.append(write(made, wanted(*sizes), now[0]))
        else:
            made.append({**node, "inputs": now})
            place.append(len(made) - 1)
    output = description.get("output")
    if type(output) is not int or not 0 <= output < len(place):
        return description
    return {**description, "nodes": made, "output": place[output]}


def _sizes(settings: Any) -> tuple[int, int, int] | None:
    """Channels, filters and stride; None if they are not what the probe writes."""
    if type(settings) is not dict or settings.keys() != {"channels", "filters", "stride"}:
        return None
    sizes = settings["channels"], settings["filters"], settings["stride"]
    return sizes if all(type(size) is int and 1 <= size <= _MOST_CHANNELS for size in sizes) else None
