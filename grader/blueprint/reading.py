"""From anything at all to a Blueprint, or BlueprintRefused: the trusted side's door for networks.

Nothing here recurses, copies what it has not measured, or believes a type: what comes in is what a student's
process left behind. Time and memory are linear in the number of nodes, which is checked first.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from grader.blueprint.allowlist import (
    FUSED,
    IDENTITY,
    LINEAR,
    MOST_CHANNELS,
    MOST_PIXELS,
    OPS,
    UNKNOWN,
    ZEROS,
    Cost,
    NotAllowed,
    Settings,
    Shape,
    concatenated,
    fields,
    items,
    padded,
    settings_of,
    show,
)
from grader.blueprint.network import FORMAT, Blueprint, Budget, Node
from grader.errors import BlueprintRefused

# Keras walks a graph recursively, so that it could not build a much longer chain.
MOST_NODES = 800

_GLOBAL = {"AveragePooling2D": "GlobalAveragePooling2D", "MaxPooling2D": "GlobalMaxPooling2D"}


def read(data: object, budget: Budget) -> Blueprint:
    """Reads a description of a network, or a canonical form, and brings it into the canonical form.

    Args:
        data: what a sandbox left behind, parsed from JSON; anything at all is safe to pass.
        budget: the most the network may take.

    Raises:
        BlueprintRefused: it is malformed, not on the allowlist, or over budget. Nothing else is raised.
    """
    try:
        shape, nodes, output = _parse(data, min(budget.nodes, MOST_NODES))
        _check_all_lead_to(output, nodes)
    except NotAllowed as error:
        raise BlueprintRefused(f"the network's description is malformed: {error}") from None
    drafts = _Drafts(budget)
    made: list[_Made] = []
    for node in nodes:
        try:
            sources = [made[index] for index in node.inputs]
            made.append(drafts.add(node, sources) if sources else drafts.add_input(shape))
        except NotAllowed as error:
            raise BlueprintRefused(f"{node}: {error}") from None
    last = made[output]
    assert isinstance(last, int)  # zeros do not depend on the input, and were refused for that
    if not drafts.trainable_parameters:
        raise BlueprintRefused("the network has no weights: there is nothing to train")
    return drafts.blueprint(last)


# --- What is there: records, lists, indices ----------------------------------------------------------------


@dataclass(frozen=True)
class _Described:
    """One node as it was described, its settings yet unread."""

    index: int
    op: str
    settings: Mapping[str, object]
    inputs: tuple[int, ...]
    name: str

    def __str__(self) -> str:
        return f"{self.op} '{self.name}'" if self.name else f"{self.op} (node {self.index})"


def _parse(data: object, most_nodes: int) -> tuple[Shape, list[_Described], int]:
    top = _record(data, "it", ("format", "input_shape", "nodes", "output"))
    if _index(top["format"], FORMAT + 1) != FORMAT:
        raise NotAllowed(f"its format is {show(top['format'])}; this grader reads {FORMAT}")
    listed = items(top["nodes"])
    if not listed:
        raise NotAllowed(f"its nodes are {show(top['nodes'])} instead of a list of nodes")
    if len(listed) > most_nodes:
        raise BlueprintRefused(f"the network has {len(listed):,} nodes; the limit is {most_nodes:,}")
    nodes = [_described(node, index) for index, node in enumerate(listed)]
    if nodes[0].op != "Input":
        raise NotAllowed(f"its first node is {nodes[0]} instead of the Input")
    output = _index(top["output"], len(nodes))
    if output is None:
        raise NotAllowed(f"its output is {show(top['output'])}, which is not one of its {len(nodes)} nodes")
    return _input_shape(top["input_shape"]), nodes, output


def _input_shape(value: object) -> Shape:
    sizes = items(value) or ()
    most = (MOST_PIXELS, MOST_PIXELS, MOST_CHANNELS) if len(sizes) == 3 else (MOST_CHANNELS,)
    shape = tuple(
        size for size, high in zip(sizes, most, strict=False) if type(size) is int and 1 <= size <= high
    )
    if not sizes or len(shape) != len(sizes):
        raise NotAllowed(f"its input shape is {show(value)} instead of (height, width, channels)")
    return shape


def _described(value: object, index: int) -> _Described:
    record = _record(value, f"node {index}", ("op", "settings", "inputs"), optional=("name",))
    op = record["op"]
    if type(op) is not str or (op not in OPS and op not in (IDENTITY, ZEROS, "Input")):
        raise BlueprintRefused(
            f"the network has a {show(op)}; the layers of this assignment are "
            f"{', '.join(known for known in OPS if known != UNKNOWN)}"
        )
    name = record.get("name", "")
    if type(name) is not str:
        raise NotAllowed(f"the name of node {index} is {show(name)}")
    # A name is shown in terminals and tables: only what can be printed of it, and not too much.
    name = "".join(character if character.isprintable() else "?" for character in name[:40])
    settings = fields(record["settings"])
    if settings is None:
        raise NotAllowed(f"the settings of {op} (node {index}) are {show(record['settings'])}")
    if op == "Input":
        if index or settings or items(record["inputs"]) not in ((), []):
            raise NotAllowed("there is more than one Input, or one with settings or inputs")
        return _Described(index, op, {}, (), name)
    most = OPS[op].most_inputs if op in OPS else 1
    given = items(record["inputs"]) or ()
    if not 1 <= len(given) <= most:
        raise NotAllowed(f"the inputs of {op} (node {index}) are {show(given)}; 1 to {most} are allowed")
    # An input that comes earlier: so there is no cycle, and one pass in order meets everything it needs.
    inputs = [earlier for earlier in (_index(item, index) for item in given) if earlier is not None]
    if len(inputs) != len(given):
        raise NotAllowed(
            f"the inputs of {op} (node {index}) are {show(given)}, not all of them earlier nodes"
        )
    return _Described(index, op, settings, tuple(inputs), name)


def _record(
    value: object, what: str, required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, Any]:
    record = fields(value)
    if record is None:
        raise NotAllowed(f"{what} is {show(value)} instead of a record")
    for key in required:
        if key not in record:
            raise NotAllowed(f"{what} lacks {key!r}")
    for key in record:
        if key not in required and key not in optional:
            raise NotAllowed(f"{what} has {show(key)}, which nothing reads")
    return record


def _index(value: object, below: int) -> int | None:
    return value if type(value) is int and 0 <= value < below else None


def _check_all_lead_to(output: int, nodes: Sequence[_Described]) -> None:
    """Refuses what cannot change the output: weights nobody uses would only pad a parameter count."""
    reached = {output}
    for node in reversed(nodes):
        if node.index in reached and node.op != ZEROS:  # zeros tell nothing of what they were made like
            reached.update(node.inputs)
    if 0 not in reached:
        raise BlueprintRefused("the network's output does not depend on its input")
    for node in nodes:
        if node.index not in reached:
            raise BlueprintRefused(
                f"{node} does not lead to the network's output: leave it out or connect it"
            )


# --- What it comes to: the canonical form ------------------------------------------------------------------


@dataclass(frozen=True)
class _Zeros:
    """In the place of a node: zeros, of which only the shape matters."""

    shape: Shape


_Made = int | _Zeros  # what became of a described node: a draft's index, or zeros


@dataclass(frozen=True)
class _Draft:
    """A node of the canonical form before it has its place. `kind` is the hash of all that leads to it."""

    op: str
    settings: Settings
    inputs: tuple[int, ...]
    shape: Shape
    cost: Cost
    name: str
    kind: bytes


class _Drafts:
    """Collects nodes, each rewritten into the one form in which the same thing is always said."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._nodes: list[_Draft] = []
        self._known: dict[tuple[str, str, tuple[int, ...]], int] = {}
        self._totals = dict.fromkeys(("parameters", "flops", "activations"), 0)

    @property
    def trainable_parameters(self) -> int:
        return sum(node.cost.trainable_parameters for node in self._nodes)

    def add_input(self, shape: Shape) -> _Made:
        """Adds the input, once and first."""
        return self._append("Input", {}, (), shape, Cost(), "")

    def add(self, node: _Described, inputs: Sequence[_Made]) -> _Made:
        """Adds what the node comes to, which may be nothing new; NotAllowed says what is wrong with it."""
        if node.op == IDENTITY:
            settings_of({}, node.settings)
            return inputs[0]
        if node.op == ZEROS:
            settings_of({}, node.settings)
            return _Zeros(self._shape(inputs[0]))
        if node.op == "Concatenate":
            settings_of({}, node.settings)
            return self._concatenate(inputs, node.name)
        op = OPS[node.op]
        sources = tuple(made for made in inputs if not isinstance(made, _Zeros))
        if len(sources) != len(inputs):
            raise NotAllowed("zeros_like is understood inside a concatenation only, as padding with channels")
        fused = FUSED if node.op in ("Conv2D", "Dense") else {}
        given = settings_of({**op.settings, **fused}, node.settings)
        activation = given.pop("activation", LINEAR) if fused else LINEAR
        index = self._put(node.op, op.complete(given), sources, node.name)
        return self._put("Activation", {"activation": activation}, (index,), node.name)

    def _concatenate(self, inputs: Sequence[_Made], name: str) -> _Made:
        """Zeros among the inputs become padding of the input before them, or of the first one after."""
        whole = concatenated(tuple(self._shape(made) for made in inputs))
        parts: list[tuple[int, int, int]] = []  # a node, zeros before it, zeros after it
        leading = 0
        for made in inputs:
            if not isinstance(made, _Zeros):
                parts.append((made, leading, 0))
                leading = 0
            elif parts:
                source, before, after = parts[-1]
                parts[-1] = source, before, after + made.shape[-1]
            else:
                leading += made.shape[-1]
        if not parts:
            return _Zeros(whole)
        padded_parts = tuple(
            self._put("Pad", {"widths": ((0, 0),) * (len(whole) - 1) + ((before, after),)}, (source,), name)
            for source, before, after in parts
        )
        return self._put("Concatenate", {}, padded_parts, name)

    def _shape(self, made: _Made) -> Shape:
        return made.shape if isinstance(made, _Zeros) else self._nodes[made].shape

    def _put(self, op: str, settings: Settings, inputs: tuple[int, ...], name: str) -> int:
        """The node that does this: one there is already, or a new one."""
        shapes = tuple(self._shape(index) for index in inputs)
        shape = OPS[op].shape(settings, shapes)
        if _changes_nothing(op, settings, shapes):
            return inputs[0]
        if settings.get("padding") == "same" and not _pads(settings, shapes[0]):
            settings = {**settings, "padding": "valid"}
        if op in _GLOBAL and settings["padding"] == "valid" and settings["pool_size"] == shapes[0][:2]:
            op, settings = _GLOBAL[op], {"keepdims": True}
        source = self._nodes[inputs[0]]
        if op == "Flatten" and source.settings.get("keepdims"):
            return self._put(source.op, {"keepdims": False}, source.inputs, source.name)
        if op == "Add":  # the order of its inputs means nothing
            inputs = tuple(sorted(inputs, key=lambda index: (self._nodes[index].kind, index)))
        key = op, _compact(settings), inputs
        if key in self._known and not OPS[op].own:
            return self._known[key]
        self._known[key] = self._append(
            op, settings, inputs, shape, OPS[op].cost(settings, shapes, shape), name
        )
        return self._known[key]

    def _append(
        self, op: str, settings: Settings, inputs: tuple[int, ...], shape: Shape, cost: Cost, name: str
    ) -> int:
        self._totals["parameters"] += cost.parameters
        self._totals["flops"] += cost.flops
        self._totals["activations"] += math.prod(shape)
        for what, total in self._totals.items():
            most = getattr(self._budget, what)
            if total > most:
                raise NotAllowed(f"up to here the network has {total:,} {_WHAT[what]}; the limit is {most:,}")
        if len(self._nodes) >= self._budget.nodes:
            raise NotAllowed(f"up to here the network has more than {self._budget.nodes:,} nodes, the limit")
        kinds = b"".join(self._nodes[index].kind for index in inputs)
        kind = hashlib.sha256(f"{op}{_compact(settings)}".encode() + kinds).digest()
        self._nodes.append(_Draft(op, settings, inputs, shape, cost, name, kind))
        return len(self._nodes) - 1

    def blueprint(self, output: int) -> Blueprint:
        """The nodes that lead to the output, in the order in which the output asks for them.

        That order follows from the network alone, not from how it was written down, but for one case: where
        an Add joins two twins (other weights, otherwise alike down to the input) and just one of them is
        used elsewhere too, there may be two forms of one network. All it costs is a second training.
        """
        number: dict[int, int] = {}
        waiting = [output]
        while waiting:
            draft = waiting[-1]
            missing = [index for index in self._nodes[draft].inputs if index not in number]
            if missing:
                waiting.extend(reversed(missing))
                continue
            waiting.pop()
            number.setdefault(draft, len(number))
        nodes = tuple(self._node(draft, number) for draft in number)
        text = _compact(
            {
                "format": FORMAT,
                "input_shape": nodes[0].shape,
                "nodes": [
                    {"op": node.op, "settings": self._nodes[draft].settings, "inputs": node.inputs}
                    for draft, node in zip(number, nodes, strict=True)
                ],
                "output": len(nodes) - 1,
            }
        )
        drafts = [self._nodes[draft] for draft in number]
        return Blueprint(
            nodes,
            canonical=json.loads(text),
            digest=hashlib.sha256(text.encode()).hexdigest(),
            flops=sum(draft.cost.flops for draft in drafts),
            activations=sum(math.prod(draft.shape) for draft in drafts),
        )

    def _node(self, index: int, number: Mapping[int, int]) -> Node:
        draft = self._nodes[index]
        # The inputs of an Add are sorted again: twins that tied go by their place in the order.
        inputs = draft.inputs
        if draft.op == "Add":
            inputs = tuple(sorted(inputs, key=lambda other: (self._nodes[other].kind, number[other])))
        return Node(
            number[index],
            draft.op,
            _frozen(draft.settings),
            tuple(number[other] for other in inputs),
            draft.shape,
            draft.cost.parameters,
            draft.cost.trainable_parameters,
            draft.name,
            draft.cost.flops,
        )


_WHAT = {
    "parameters": "parameters",
    "flops": "operations for one image",
    "activations": "activations for one image",
}


def _changes_nothing(op: str, settings: Settings, shapes: Sequence[Shape]) -> bool:
    return (
        settings.get("activation") == LINEAR
        or settings.get("rate") == 0.0
        or (op == "Pad" and not any(map(any, settings["widths"])))
        or (op == "Flatten" and len(shapes[0]) == 1)
        or (op in ("Add", "Concatenate") and len(shapes) == 1)
    )


def _pads(settings: Settings, shape: Shape) -> bool:
    """Whether 'same' adds anything here; where it does not, it is the same as 'valid'."""
    windows: Iterable[int] = settings["kernel_size" if "kernel_size" in settings else "pool_size"]
    return any(map(padded, shape, windows, settings["strides"]))


def _compact(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _frozen(settings: Settings) -> Mapping[str, Any]:
    return MappingProxyType(
        {
            key: MappingProxyType(value) if isinstance(value, dict) else value
            for key, value in settings.items()
        }
    )
