"""What the judges of networks share: a blueprint as a path of steps, compared with the path it should be.

A network that is one path (an AlexNet, one branch of a block) is lined up with what is wanted, the way `diff`
lines up two files: one missing layer is then one difference, and what follows it still matches. Where paths
part and meet again, `path` puts everything between into one Join, with a path for each branch.

Every difference has a kind, and a check tells those of its own kinds; that keeps a missing batch
normalisation out of the verdict on convolutions.

What is wanted can also be built: `network_of` makes a blueprint of it, the described network.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

from grader import blueprint
from grader.blueprint import FORMAT, Blueprint, Budget, Node
from grader.grading.evidence import Network
from grader.grading.judging import Blocked, Case, Judge, Unmet
from grader.results.record import Drawing, DrawnRow, Status
from grader.results.verdict import Verdict

# For networks that are only looked at: well above the assignment's largest, and above an AlexNet that forgot
# its pooling, so that this is what it is told.
BUDGET = Budget(parameters=400_000_000, flops=100_000_000_000, activations=200_000_000, nodes=600)

# Batch statistics move by 1 - momentum a step: with 0.99 they have caught up after some hundred steps, which
# is what a short training has.
LARGEST_MOMENTUM = 0.99

MOST_NESTED = 200  # paths within paths: far beyond any block, and within what Python recurses


def read(case: Case, name: str) -> Blueprint:
    """The network that the call gave; Unmet if it gave none."""
    return case.blueprint(name, BUDGET)


def readable(case: Case, names: Iterable[str]) -> list[str]:
    """The calls that gave a network."""

    def gave_network(name: str) -> bool:
        try:
            read(case, name)
        except Unmet:
            return False
        return True

    return [name for name in names if gave_network(name)]


def takes_input_shape(case: Case, arguments: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """Whether models take images of input_shape, (32, 32, 3) by default.

    Those of "default" and "shape" must be there, and what was built by the other calls has to agree.

    Args:
        case: with the networks.
        arguments: what the builder was called with, by call.
    """
    for name in dict.fromkeys(("default", "shape", *readable(case, arguments))):
        came, expected = read(case, name).input_shape, arguments[name].get("input_shape", (32, 32, 3))
        if came != expected:
            case.fail(name, f"a model for inputs of shape {came}", f"one for {expected}")
    return Verdict.passed()


# ---------------------------------------------------------------- a network as a path


def steps(case: Case, name: str) -> "Path":
    """The network that the call gave, as a path; Unmet if it gave none, or one without clear paths."""
    try:
        return path(read(case, name))
    except Tangled as tangled:
        raise Unmet(f"{case.call(name)}: {tangled}.") from tangled


class Tangled(Exception):
    """Paths part and meet in a way that has no blocks in it; the message is for the student."""


@dataclass(frozen=True)
class Step:
    """One layer on a path.

    Attributes:
        node: the layer.
        size: what it reads, (H, W, channels) or (units,); where it is padded explicitly, before the padding.
        padding: zeros that an explicit padding puts around the image first: ((top, bottom), (left, right)).
    """

    node: Node
    size: tuple[int, ...]
    padding: tuple[tuple[int, int], ...] = ()

    @property
    def op(self) -> str:
        """The operation, with the function of an activation in its place: "Conv2D", "relu"."""
        return str(self.node.settings["activation"]) if self.node.op == "Activation" else self.node.op

    @property
    def shape(self) -> tuple[int, ...]:
        """What it puts out, without the batch."""
        return self.node.shape

    def __str__(self) -> str:
        return _in_words(self.op, self.node.settings)


@dataclass(frozen=True)
class Join:
    """Paths that part at one place and meet at another.

    Attributes:
        node: where they meet: an Add or a Concatenate.
        size: the shape at the place where they part.
        branches: what lies between, for each path.
    """

    node: Node
    size: tuple[int, ...]
    branches: tuple["Path", ...]

    @property
    def op(self) -> str:
        """The operation that brings the paths together."""
        return self.node.op

    @property
    def shape(self) -> tuple[int, ...]:
        """What it puts out, without the batch."""
        return self.node.shape

    def __str__(self) -> str:
        return _in_words(self.op, {})


Path = tuple[Step | Join, ...]


def path(blueprint: Blueprint) -> Path:
    """The network from its input to its output, parallel paths folded into a Join; raises Tangled."""
    return _Paths(blueprint).between(0, blueprint.output.index)


class _Paths:
    """Walks a blueprint backwards, along the nodes that every path to a node goes through."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._nodes = blueprint.nodes
        self._seen: set[int] = set()
        self._depth = [0]
        self._gate = [0]  # for each node, the last one before it that no path can avoid
        for node in blueprint.nodes[1:]:
            gate = node.inputs[0]
            for other in node.inputs[1:]:
                gate = self._common(gate, other)
            self._gate.append(gate)
            self._depth.append(self._depth[gate] + 1)

    def _common(self, one: int, other: int) -> int:
        while one != other:
            if self._depth[one] < self._depth[other]:
                one, other = other, one
            one = self._gate[one]
        return one

    def between(self, start: int, end: int, nested: int = 0) -> Path:
        """Everything after `start`, up to and with `end`."""
        if nested > MOST_NESTED:
            raise Tangled(f"there are more than {MOST_NESTED} paths within each other")
        reversed_path: list[Step | Join] = []
        while end != start:
            # Blocks lie side by side or inside one another, so that every node is in one place only. This
            # also bounds the work: without it, hostile connections would take exponential time.
            if end in self._seen:
                raise Tangled(f"{self._nodes[end]} is part of two paths that do not meet in the same place")
            self._seen.add(end)
            node, gate = self._nodes[end], self._gate[end]
            size = self._nodes[gate].shape
            if len(node.inputs) == 1:
                reversed_path.append(Step(node, size))
            else:
                branches = tuple(self.between(gate, index, nested + 1) for index in node.inputs)
                reversed_path.append(Join(node, size, branches))
            end = gate
        return _tidy(reversed_path[::-1])


def _tidy(steps: Iterable[Step | Join]) -> Path:
    """Puts an explicit padding into the convolution or average pooling that follows it.

    Paddings in a row are one. One that pads channels as well is two, of which the second may come after
    a pooling: pooled channels of zeros are zeros.
    """
    tidy: list[Step | Join] = []
    for step in steps:
        last = tidy[-1] if tidy else None
        if isinstance(last, Step) and isinstance(step, Step) and last.op == step.op == "Pad":
            tidy[-1] = _padded_at_once(last, step)
        elif isinstance(last, Step) and isinstance(step, Step) and _is_padded_by(step, last):
            widths = last.node.settings["widths"]
            tidy[-1] = Step(step.node, last.size, padding=tuple(widths[:2]))
            if any(widths[2]):
                node = replace(last.node, settings={"widths": ((0, 0), (0, 0), widths[2])}, shape=step.shape)
                tidy.append(Step(node, step.shape[:2] + last.size[2:]))
        else:
            tidy.append(step)
    return tuple(tidy)


def _padded_at_once(first: Step, second: Step) -> Step:
    """Two paddings as one."""
    pairs = zip(first.node.settings["widths"], second.node.settings["widths"], strict=True)
    widths = tuple((one[0] + other[0], one[1] + other[1]) for one, other in pairs)
    return Step(replace(second.node, settings={"widths": widths}), first.size)


def _is_padded_by(step: Step, pad: Step) -> bool:
    """Whether a step may take up the padding before it; one of channels too, if it is a pooling."""
    if pad.op != "Pad" or len(pad.size) != 3 or step.node.settings.get("padding") != "valid":
        return False
    rows, columns, channels = pad.node.settings["widths"]
    takes = ("AveragePooling2D",) if any(channels) else ("Conv2D", "AveragePooling2D")
    return (any(rows) or any(columns)) and step.op in takes


# ---------------------------------------------------------------- what is wanted, and what differs


@dataclass(frozen=True)
class Want:
    """One step that should be there.

    Attributes:
        op: as in Step.op.
        kind: of the difference, where it is missing or another stands in its place.
        place: what messages call it: "the 2nd convolution".
        settings: those that matter, with the values they must have.
        kinds: for single settings, the kind of the difference where it is not `kind`.
        chosen: settings that are not compared, as the course has them, for the described network.
    """

    op: str
    kind: str
    place: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return _in_words(self.op, self.settings)


@dataclass(frozen=True)
class Fork:
    """Paths that should part here and be added up: what is wanted on each, nothing for an identity."""

    branches: tuple[Sequence["Want | Fork"], ...]


# What the course chooses where the brief leaves it open: no bias before a batch normalisation, and weights
# that keep the variance from ReLU to ReLU.
BEFORE_NORMALISATION: Mapping[str, Any] = {
    "use_bias": False,
    "kernel_initializer": {
        "name": "VarianceScaling",
        "scale": 2.0,
        "mode": "fan_in",
        "distribution": "truncated_normal",
    },
}


def network_of(input_shape: Sequence[int], wanted: Iterable[Want | Fork]) -> Blueprint:
    """The network that has everything that is wanted, and nothing else."""
    nodes: list[dict[str, Any]] = [{"op": "Input", "settings": {}, "inputs": []}]

    def add(op: str, settings: Mapping[str, Any], inputs: list[int]) -> int:
        nodes.append({"op": op, "settings": dict(settings), "inputs": inputs})
        return len(nodes) - 1

    def follow(path: Iterable[Want | Fork], last: int) -> int:
        for step in path:
            if isinstance(step, Fork):
                last = add("Add", {}, [follow(branch, last) for branch in step.branches])
            elif step.op in blueprint.ACTIVATIONS:
                last = add("Activation", {"activation": step.op}, [last])
            else:
                last = add(step.op, {**step.settings, **step.chosen}, [last])
        return last

    output = follow(wanted, 0)
    description = {"format": FORMAT, "input_shape": list(input_shape), "nodes": nodes, "output": output}
    return blueprint.read(description, BUDGET)


def substantial(
    judges: Mapping[str, Judge],
    calls: Callable[[Mapping[str, Any]], Mapping[str, Mapping[str, Any]]],
    described: Callable[..., Blueprint],
) -> dict[str, Judge]:
    """Judges that look at a network only where at least half of the layers that make it up are there.

    What has next to nothing in it has few faults: it must not be praised for what is around nothing.

    Args:
        judges: by check.
        calls: from the inputs of a case, what the builder was called with in each call.
        described: the network that should have been built for such arguments.
    """

    def guarded(judge: Judge) -> Judge:
        @wraps(judge)
        def judged(case: Case) -> Verdict:
            _require_substance(case, calls(case.inputs), described)
            return judge(case)

        return judged

    return {check: guarded(judge) for check, judge in judges.items()}


def _require_substance(
    case: Case, arguments: Mapping[str, Mapping[str, Any]], described: Callable[..., Blueprint]
) -> None:
    """Blocked if no call gave half of what its network should have; one that did is enough to go on."""
    lacking = ""
    for name in readable(case, arguments):
        few = _few(read(case, name), described(**arguments[name]))
        if not few:
            return
        lacking = lacking or f"{case.call(name)}: {few} The rest is looked at when half of them are there."
    if lacking:
        raise Blocked(message=lacking)


def _few(network: Blueprint, wanted: Blueprint) -> str:
    """What makes up a network and is less than half there, as a sentence; empty if nothing is."""
    asked = _substance(wanted)
    there, needed = (_substance(network) & asked).total(), asked.total()
    if 2 * there < needed:
        return (
            f"the network has {there} of the {needed} layers that make it up "
            "(convolutions of the right kernel size, dense layers, additions)."
        )
    there, needed = _spatial(network), _spatial(wanted)
    if 2 * there < needed:
        return f"the network has {there} convolutions larger than 1x1, and should have {needed}."
    return ""


def _substance(network: Blueprint) -> "Counter[tuple[str, Any]]":
    nodes = network.of("Conv2D", "Dense", "Add")
    return Counter((node.op, node.settings.get("kernel_size")) for node in nodes)


def _spatial(network: Blueprint) -> int:
    """How many convolutions see more than one pixel at a time."""
    return sum(node.settings["kernel_size"] != (1, 1) for node in network.of("Conv2D"))


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be.

    Attributes:
        kind: what it is about, to find the check that tells it.
        text: in words.
        layer: the name of the layer in whose place it is; empty where it is none's.
        beside: found and wanted steps side by side, from which it comes; None where one has nothing.
        row: which of them differs.
        place: the part of the network that the text is about, such as a block; empty for all of it.
    """

    kind: str
    text: str
    layer: str = ""
    beside: Sequence[tuple["Step | Join | None", "Want | None"]] = field(
        default=(), repr=False, compare=False
    )
    row: int = 0
    place: str = ""

    def __str__(self) -> str:
        return f"in {self.place}, {self.text}" if self.place else self.text


def compare(
    found: Sequence[Step | Join],
    wanted: Sequence[Want],
    *,
    extra: Mapping[str, str],
    start: str = "the input",
) -> list[Difference]:
    """Every difference between a path and what it should be, in the order of the path.

    Args:
        found: the path.
        wanted: what it should be.
        extra: the kind of the difference where a step is too many, by its op; "" stands for any other op.
        start: what messages call the place before the first step.
    """
    differences: list[Difference] = []
    beside = _line_up(found, wanted)
    place, position = start, 0
    # A layer that is missing takes along what belongs to it, and so does one that is too many: that is one
    # difference, and not three.
    missing = surplus = False
    for row, (step, want) in enumerate(beside):
        if step is not None:
            position += 1
        if step is not None and want is not None:
            layer = step.node.name
            differences += [
                replace(one, layer=layer, beside=beside, row=row) for one in _settings(step, want)
            ]
            place, missing, surplus = want.place, False, False
        elif want is not None:
            if want.op in _WEIGHTS or not missing:
                following = str(found[position]) if position < len(found) else "the end"
                there = f"{want.place} is missing: " if want.op in _WEIGHTS else ""
                text = f"{there}after {place} comes {following}, expected {want}"
                # The line to look at is that of the layer which comes too early.
                layer = found[min(position, len(found) - 1)].node.name if found else ""
                differences.append(Difference(want.kind, text, layer, beside, row))
            missing = missing or want.op in _WEIGHTS
        elif step is not None:
            if step.op in _WEIGHTS or not surplus:
                text = f"after {place} comes {step}, which should not be there"
                kind = extra.get(step.op, extra[""])
                differences.append(Difference(kind, text, step.node.name, beside, row))
            surplus = surplus or step.op in _WEIGHTS
    return differences


_DEFAULT = " With arguments given it is right, so look at their default values."
_WHOLE = 12  # a path of so many steps is drawn whole
_AROUND = 3  # of longer ones, so many before and after the one that differs


def first_told(
    case: Case,
    names: Sequence[str],
    differences: Callable[[str], Iterable[Difference]],
    kinds: Collection[str],
    *,
    of_defaults: Collection[str],
    repeats: Callable[[Difference], bool] = lambda difference: False,
) -> Verdict | None:
    """The verdict on the first difference of these kinds in any of the networks; None if there is none.

    It is blocked, and no failure of its own, if all of them have been reported before.

    Args:
        case: with the networks.
        names: of the calls that gave them.
        differences: all of one network.
        kinds: those that are told.
        of_defaults: those that an argument decides: where the network of the defaults alone has one of these,
            it is a default value that is wrong.
        repeats: whether an earlier check has reported this difference.
    """
    repeated = False
    for name in names:
        for difference in differences(name):
            if difference.kind in kinds and repeats(difference):
                repeated = True
            elif difference.kind in kinds:
                others = [other for other in names if other != "default"]
                only_default = (
                    name == "default"
                    and difference.kind in of_defaults
                    and bool(others)
                    and not any(one.kind == difference.kind for other in others for one in differences(other))
                )
                return told(case, name, difference, only_default=only_default)
    return Verdict(status=Status.BLOCKED, message=_REPEATED, repeats=True) if repeated else None


_REPEATED = "The network has the same fault as a block on its own, which is reported above."


def told(case: Case, name: str, difference: Difference, *, only_default: bool = False) -> Verdict:
    """The verdict on a network with this difference: in words, with the student's own line and a drawing.

    Args:
        case: with the network.
        name: of the call that gave it.
        difference: the one that explains it.
        only_default: whether calls with arguments are right, so that a default value is to blame.
    """
    call = case.call(name)
    network = call.value
    made_at = network.made_at.get(difference.layer, "") if isinstance(network, Network) else ""
    where = f" ({made_at})" if made_at else ""
    beside = difference.beside
    first, last = max(0, difference.row - _AROUND), difference.row + _AROUND + 1
    if len(beside) <= _WHOLE:
        first, last = 0, len(beside)
    rows = tuple(_drawn(step, want) for step, want in beside[first:last])
    cut = (first > 0, last < len(beside))
    return Verdict(
        status=Status.FAILED,
        message=f"{call}: {difference}{where}.{_DEFAULT if only_default else ''}",
        drawing=Drawing(title=str(call), rows=rows, cut=cut) if rows else None,
    )


def _drawn(step: "Step | Join | None", want: "Want | None") -> DrawnRow:
    found, wanted = str(step or ""), str(want or "")
    if step is None or want is None or step.op != want.op:
        return DrawnRow(found=found, wanted=wanted, differs=True)
    wrong = [
        name
        for name, value in want.settings.items()
        if isinstance(step, Step) and not _holds(step, name, value)
    ]
    if found == wanted and isinstance(step, Step):  # what differs is none of what the words tell
        found += "".join(f", {_setting(name, step.node.settings[name])}" for name in wrong)
        wanted += "".join(f", {_setting(name, want.settings[name])}" for name in wrong)
    return DrawnRow(found=found, wanted=wanted, differs=bool(wrong))


def absent(found: Sequence[Step | Join], wanted: Sequence[Want], kinds: Collection[str]) -> str:
    """What is missing, where most of the wanted steps of these kinds are; empty if they are there.

    A missing layer takes along what belongs to it, so `compare` finds little to say of a network that has
    next to nothing in it. It must not pass for having no faults: where nothing is, nothing is right.
    """
    if any(want.op == "Conv2D" for want in wanted) and all(step.op != "Conv2D" for step in found):
        return "there is no convolution in it"
    asked = [
        (step, want)
        for step, want in _line_up(found, wanted)
        if want is not None and not {want.kind, *want.kinds.values()}.isdisjoint(kinds)
    ]
    missing = [want for step, want in asked if step is None]
    if 2 * len(missing) <= len(asked):
        return ""
    return f"{missing[0].place} is missing" + (
        f", and so are {len(missing) - 1} more of {len(asked)}" if len(missing) > 1 else ""
    )


# Steps that may stand in one another's place: then one layer is wrong, and not one missing and one too many.
_FAMILY = {
    "relu": "activation",
    "softmax": "activation",
    "sigmoid": "activation",
    "tanh": "activation",
    "MaxPooling2D": "pooling",
    "AveragePooling2D": "pooling",
    "GlobalAveragePooling2D": "to a vector",
    "GlobalMaxPooling2D": "to a vector",
    "Flatten": "to a vector",
}
_WEIGHTS = ("Conv2D", "Dense")

# What it costs to leave a step out when two paths are lined up. Layers with weights hold the line; where a
# batch normalisation and a ReLU have changed places, it is the normalisation that is told.
_LEFT_OUT = {"Conv2D": 3.0, "Dense": 3.0, "BatchNormalization": 0.9}
_WRONG_OP, _WRONG_SETTING = 0.5, 0.1  # always less than one missing and one too many


def _line_up(
    found: Sequence[Step | Join], wanted: Sequence[Want]
) -> list[tuple[Step | Join | None, Want | None]]:
    """The cheapest way to set two paths side by side; None where one of them has nothing."""
    if len(found) == len(wanted) and all(_pair(*both) == 0 for both in zip(found, wanted, strict=True)):
        return list(zip(found, wanted, strict=True))  # as almost always

    rows, columns = len(found), len(wanted)
    cost = [[0.0] * (columns + 1) for _ in range(rows + 1)]  # of found[i:] beside wanted[j:]
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            ways = []
            if i < rows:
                ways.append(cost[i + 1][j] + _LEFT_OUT.get(found[i].op, 1.0))
            if j < columns:
                ways.append(cost[i][j + 1] + _LEFT_OUT.get(wanted[j].op, 1.0))
            if i < rows and j < columns and (pair := _pair(found[i], wanted[j])) is not None:
                ways.append(cost[i + 1][j + 1] + pair)
            cost[i][j] = min(ways, default=0.0)

    lined_up: list[tuple[Step | Join | None, Want | None]] = []
    i = j = 0
    while i < rows or j < columns:
        pair = _pair(found[i], wanted[j]) if i < rows and j < columns else None
        if pair is not None and cost[i][j] == cost[i + 1][j + 1] + pair:
            lined_up.append((found[i], wanted[j]))
            i, j = i + 1, j + 1
        elif j < columns and cost[i][j] == cost[i][j + 1] + _LEFT_OUT.get(wanted[j].op, 1.0):
            lined_up.append((None, wanted[j]))
            j += 1
        else:
            lined_up.append((found[i], None))
            i += 1
    return lined_up


def _pair(step: Step | Join, want: Want) -> float | None:
    """What is lost by taking a step for a wanted one; None where it cannot be."""
    if isinstance(step, Join) or _FAMILY.get(step.op, step.op) != _FAMILY.get(want.op, want.op):
        return None
    if step.op != want.op:
        return _WRONG_OP
    return _WRONG_SETTING * sum(not _holds(step, name, value) for name, value in want.settings.items())


def _settings(step: Step | Join, want: Want) -> list[Difference]:
    """The differences between a step and the wanted one it was lined up with."""
    assert isinstance(step, Step)  # _pair takes nothing else
    if step.op != want.op:
        return [Difference(want.kind, f"{want.place} is {step}, expected {want}")]
    return [
        Difference(
            want.kinds.get(name, want.kind),
            f"{want.place} has {_setting(name, step.node.settings[name])}, expected {_expected(name, value)}",
        )
        for name, value in want.settings.items()
        if not _holds(step, name, value)
    ]


def _holds(step: Step, name: str, value: Any) -> bool:
    if name == "padding":
        return _keeps_size(step)
    if name == "momentum":
        return bool(step.node.settings["momentum"] <= value)
    if isinstance(value, float):
        return math.isclose(step.node.settings[name], value, abs_tol=1e-6)
    return bool(step.node.settings[name] == value)


def _keeps_size(step: Step) -> bool:
    """Whether a convolution or pooling is padded like 'same', by Keras or by an explicit padding before it.

    With stride 2 there are several ways to spread the zeros, and all of them are right.
    """
    settings = step.node.settings
    if settings["padding"] == "same":
        return True
    window = settings["kernel_size" if step.op == "Conv2D" else "pool_size"]
    for axis, (before, after) in enumerate(step.padding or ((0, 0), (0, 0))):
        kernel, stride = window[axis], settings["strides"][axis]
        if stride == 1 and (before, after) != ((kernel - 1) // 2, kernel // 2):
            return False
        if max(before, after) > kernel // 2 or step.shape[axis] != -(-step.size[axis] // stride):
            return False
    return True


# ---------------------------------------------------------------- words

_NAMES = {
    "BatchNormalization": "batch normalisation",
    "relu": "ReLU",
    "GlobalAveragePooling2D": "global average pooling",
    "GlobalMaxPooling2D": "global max pooling",
    "Flatten": "flatten",
    "Pad": "zero padding",
    "Add": "an addition",
    "Concatenate": "a concatenation",
}


def _in_words(op: str, settings: Mapping[str, Any]) -> str:
    """A step as a student would say it: "a 5x5 convolution with 96 filters"."""
    if op == "Conv2D":
        kernel = f"{_value('kernel_size', settings['kernel_size'])} " if "kernel_size" in settings else ""
        filters = f" with {settings['filters']} filters" if "filters" in settings else ""
        strides = settings.get("strides", (1, 1))
        stride = "" if strides == (1, 1) else f", stride {_value('strides', strides)}"
        return f"a {kernel}convolution{filters}{stride}"
    if op == "Dense":
        return "a dense layer" + (f" of {settings['units']} units" if "units" in settings else "")
    if op in ("MaxPooling2D", "AveragePooling2D"):
        name = "max pooling" if op == "MaxPooling2D" else "average pooling"
        size, strides = (_value(key, settings[key]) for key in ("pool_size", "strides"))
        return f"{size} {name} with stride {strides}"
    if op == "Dropout":
        return f"dropout of {settings['rate']:g}"
    return _NAMES.get(op, op)


def _setting(name: str, value: Any) -> str:
    if name in ("filters", "units"):
        return f"{value} {name}"
    words = {"kernel_size": "kernel size", "strides": "stride", "pool_size": "pool size"}
    return f"{words.get(name, name)} {_value(name, value)}"


def _expected(name: str, value: Any) -> str:
    if name == "momentum":
        return (
            f"at most {value}: its averages move by 1 - momentum a step, and have not caught up "
            "when a short training ends"
        )
    return _value(name, value)


def _value(name: str, value: Any) -> str:
    """(5, 5) as "5x5", a stride of (2, 2) as "2"."""
    if name == "strides" and len(set(value)) == 1:
        return str(value[0])
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return repr(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
