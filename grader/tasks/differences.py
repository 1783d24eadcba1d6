"""A path compared with the path that is wanted.

The two are lined up the way `diff` lines up two files: one missing layer is then one difference, and what
follows it still matches. Every difference has a kind, and a check reports those of its own kinds; that keeps
a missing batch normalisation out of the verdict on convolutions.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from grader.tasks.paths import Join, Step
from grader.tasks.wanted import Fork, Want
from grader.tasks.wording import expected, setting

How = Literal["setting", "other", "missing", "extra"]


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be.

    Attributes:
        kind: what it is about, to find the check that reports it.
        text: in words.
        layer: the name of the layer in whose place it is; empty where it is none's.
        beside: found and wanted steps side by side, from which it comes; None where one has nothing.
        row: which of them differs.
        place: the part of the network that the text is about, such as a block; empty for all of it.
        how: what is different: a setting, the layer itself, or that it is missing or too many.
        resizes: whether feature maps have another height and width for it.
        rule: of marking.toml, by which it is charged; empty where that follows from how many there are.
    """

    kind: str
    text: str
    layer: str = ""
    beside: Sequence[tuple[Step | Join | None, Want | None]] = field(default=(), repr=False, compare=False)
    row: int = 0
    place: str = ""
    how: How = "setting"
    resizes: bool = False
    rule: str = ""

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
    beside = _without_words(_line_up(found, wanted))
    place, position = start, 0
    # A layer that is missing takes along what belongs to it, and so does one that is too many: that is one
    # difference, and not three.
    missing = surplus = False
    for row, (step, want) in enumerate(beside):
        if step is not None:
            position += 1
        if step is not None and step.op == "Unknown" and not isinstance(step, Join):
            place = want.place if want else place  # `builds` reports it
        elif step is not None and want is not None:
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
                resizes = _shrinks(want.settings)
                differences.append(
                    Difference(want.kind, text, layer, beside, row, how="missing", resizes=resizes)
                )
            missing = missing or want.op in _WEIGHTS
        elif step is not None:
            if step.op in _WEIGHTS or not surplus:
                text = f"after {place} comes {step}, which should not be there"
                kind = extra.get(step.op, extra[""])
                resizes = isinstance(step, Step) and _shrinks(step.node.settings)
                differences.append(
                    Difference(kind, text, step.node.name, beside, row, how="extra", resizes=resizes)
                )
            surplus = surplus or step.op in _WEIGHTS
    return differences


def _without_words(
    beside: Sequence[tuple[Step | Join | None, Want | None]],
) -> list[tuple[Step | Join | None, Want | None]]:
    """What has no word stands for what is wanted of one kind, as one mistake would; not for all there is."""
    kinds = Counter(want.kind for step, want in beside if step and want and step.op == "Unknown")
    kind = max(kinds, key=lambda one: kinds[one], default="")
    apart: list[tuple[Step | Join | None, Want | None]] = []
    for step, want in beside:
        if step and want and step.op == "Unknown" and want.kind != kind:
            apart += [(step, None), (None, want)]
        else:
            apart.append((step, want))
    return apart


def absent(found: Sequence[Step | Join], wanted: Sequence[Want], kinds: Collection[str]) -> str:
    """What is missing, where most of the wanted steps of these kinds are; empty if they are there.

    A missing layer takes along what belongs to it, so `compare` finds little to say of a network that has
    next to nothing in it. It must not pass for having no faults: where nothing is, nothing is right.
    """
    if any(want.op == "Conv2D" for want in wanted) and all(step.op != "Conv2D" for step in found):
        return "there is no convolution in it"
    asked = [
        (step, want)
        for step, want in _without_words(_line_up(found, wanted))
        if want is not None and not {want.kind, *want.kinds.values()}.isdisjoint(kinds)
    ]
    missing = [want for step, want in asked if step is None]
    if 2 * len(missing) <= len(asked):
        return ""
    return f"{missing[0].place} is missing" + (
        f", and so are {len(missing) - 1} more of {len(asked)}" if len(missing) > 1 else ""
    )


def rule_of(differences: Sequence[Difference], wanted: int) -> str:
    """By which rule of marking.toml differences of one kind in one network are charged, as one mistake.

    What is wrong in most of the places where it is wanted is another design; in one place it is a slip.

    Args:
        differences: at least one.
        wanted: in how many places a network has something of that kind.
    """
    first, count = differences[0], len(differences)
    most = count > 1 and 2 * count > wanted
    if ruled := [difference.rule for difference in differences if difference.rule]:
        return first.rule or ("sizes" if "sizes" in ruled else ruled[0])
    if any(difference.resizes for difference in differences):
        return "sizes" if most and first.how != "extra" else "size"
    if first.how == "setting":
        return "setting"
    # What is missing in one place and too many in another has only changed places.
    missing = sum((one.how == "missing") - (one.how == "extra") for one in differences)
    weighs = any(_weighs(difference) for difference in differences)
    if (missing > 1 or weighs) and 2 * missing >= wanted > 1:
        return "missing"
    return "layers" if count > 1 or weighs else "layer"


def _weighs(difference: Difference) -> bool:
    """Whether a layer with weights is missing or too many."""
    if difference.how not in ("missing", "extra") or not difference.beside:
        return False
    step, want = difference.beside[difference.row]
    return (step or want).op in _WEIGHTS  # type: ignore[union-attr]


def places(wanted: Iterable["Want | Fork"], kinds: Collection[str]) -> int:
    """In how many places of a network something of these kinds is wanted."""
    count = 0
    for want in wanted:
        if isinstance(want, Fork):
            count += sum(places(branch, kinds) for branch in want.branches)
        else:
            count += not {want.kind, *want.kinds.values()}.isdisjoint(kinds)
    return count


def blocks(wanted: Iterable["Want | Fork"]) -> int:
    """How many blocks with a shortcut a network should have."""
    return sum(isinstance(want, Fork) for want in wanted)


def _shrinks(settings: Mapping[str, Any]) -> bool:
    return tuple(settings.get("strides", (1, 1))) != (1, 1)


def holds(step: Step, name: str, value: Any) -> bool:
    """Whether a step has the wanted value of a setting, or one that is as good."""
    if name == "padding":
        return _keeps_size(step)
    if name == "momentum":
        return bool(step.node.settings["momentum"] <= value)
    if isinstance(value, float):
        return math.isclose(step.node.settings[name], value, abs_tol=1e-6)
    return bool(step.node.settings[name] == value)


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
# batch normalisation and a ReLU have changed places, it is the normalisation that is reported.
_LEFT_OUT = {"Conv2D": 3.0, "Dense": 3.0, "BatchNormalization": 0.9, "Unknown": 0.1}
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
    if step.op == "Unknown" and not isinstance(step, Join):
        # It may be what is wanted, in other words; layers with weights there are words for.
        return None if want.op in _WEIGHTS else _WRONG_OP
    if isinstance(step, Join) or _FAMILY.get(step.op, step.op) != _FAMILY.get(want.op, want.op):
        return None
    if step.op != want.op:
        return _WRONG_OP
    return _WRONG_SETTING * sum(not holds(step, name, value) for name, value in want.settings.items())


def _settings(step: Step | Join, want: Want) -> list[Difference]:
    """The differences between a step and the wanted one it was lined up with."""
    assert isinstance(step, Step)  # _pair takes nothing else
    if step.op != want.op:
        return [Difference(want.kind, f"{want.place} is {step}, expected {want}", how="other")]
    return [
        Difference(
            want.kinds.get(name, want.kind),
            f"{want.place} has {setting(name, step.node.settings[name])}, expected {expected(name, value)}",
            resizes=name in ("strides", "padding"),
            rule=_own_rule(name, step.node.settings[name], value),
        )
        for name, value in want.settings.items()
        if not holds(step, name, value)
    ]


def _own_rule(name: str, found: Any, wanted: Any) -> str:
    """The rule of a setting that is not charged by how many places have it; empty for all others."""
    if name in ("scale", "center", "use_bias"):
        return "weights"
    if name == "keepdims":
        return "form"
    # A stride of four in one place leaves a sixteenth of an image.
    return "sizes" if name == "strides" and max(found) >= 4 * max(wanted) else ""


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
