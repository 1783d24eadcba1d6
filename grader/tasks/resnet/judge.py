"""Judges bottleneck_block on single blocks, and build_resnet on the networks that it built.

A block is where two paths meet. What lies on them is lined up with what should be there, and a check reports
the first difference of its own kind. Blocks inside a network are judged for what they are in the network (how
many, how wide, which stride) and for how they are built. Where they have just the faults that
bottleneck_block has on its own, nothing is reported twice: the check is blocked. Any other fault fails it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from typing import Any

from grader.blueprint import Blueprint
from grader.grading import values
from grader.grading.evidence import Network, Other
from grader.grading.judging import Blocked, Case, Judge, Unmet
from grader.grading.values import ordinal
from grader.results.record import Status
from grader.results.verdict import Verdict
from grader.tasks import networks, residual, standing_in
from grader.tasks.differences import Difference, absent, compare, places
from grader.tasks.networks import read, readable, steps
from grader.tasks.paths import Join, Path, known
from grader.tasks.reporting import charge, first_reported, reported
from grader.tasks.residual import Block, convolution, parting, stages, wrong_number
from grader.tasks.resnet import probe
from grader.tasks.substance import substantial
from grader.tasks.wanted import LARGEST_MOMENTUM, Fork, Want, network_of

_DEFAULTS: dict[str, Any] = {"input_shape": (32, 32, 3), "blocks": (3, 4, 6, 3), "width": 64}
_TRAINABLE_PARAMETERS = 23_705_252  # of the defaults with 100 classes, convolutions without biases


# ---------------------------------------------------------------- the block


def block_builds(case: Case) -> Verdict:
    """A block that keeps its input's shape gives a tensor that depends on it."""
    _block(case, "block.same")
    return Verdict.passed()


def block_convolutions(case: Case) -> Verdict:
    """1x1, 3x3 and 1x1 convolutions to filters, filters and 4 * filters."""
    return _block_verdict(case, "convolution")


def block_normalisation(case: Case) -> Verdict:
    """A batch normalisation after each convolution of the main path."""
    return _block_verdict(case, "normalisation", "momentum")


def block_activation(case: Case) -> Verdict:
    """A ReLU after the first two convolutions, and no other activation on the main path."""
    return _block_verdict(case, "activation")


def block_addition(case: Case) -> Verdict:
    """The block's input, or its projection, is added to the main path; a ReLU follows."""
    _require_main_path(case)
    return _block_verdict(case, "addition")


def block_shortcut(case: Case) -> Verdict:
    """Identity where the shape is kept, a 1x1 convolution with batch normalisation where it is not."""
    names = case.inputs["blocks"]
    raised = [name for name in names if name not in readable(case, names)]
    for name in raised:
        try:
            _block(case, name)
        except Unmet as unmet:
            # The one call that no network of the task needs keeps the channels and changes the size.
            rule = "special_case" if raised == ["block.size"] else "raises"
            return unmet.verdict.model_copy(update={"rule": rule})
    _require_main_path(case)
    return _block_verdict(case, "shortcut")


def block_stride(case: Case) -> Verdict:
    """The stride is that of the 3x3 convolution."""
    _require_main_path(case)
    return _block_verdict(case, "stride")


# ---------------------------------------------------------------- the network


def builds(case: Case) -> Verdict:
    """The defaults give a model."""
    _parts(case, "default")
    return Verdict.passed()


def takes_input_shape(case: Case) -> Verdict:
    """The model takes images of input_shape, which is (32, 32, 3) by default."""
    return networks.takes_input_shape(case, probe.arguments(case.inputs))


def has_classes(case: Case) -> Verdict:
    """The dense layer has num_classes units."""
    return _verdict(case, "classes", charged="output_size")


def has_stem(case: Case) -> Verdict:
    """A 3x3 convolution with stride 1, batch normalisation and ReLU come before the first block."""
    return _verdict(case, "stem", "stem.momentum")


def has_blocks(case: Case) -> Verdict:
    """Stage i has blocks[i] blocks."""
    read(case, "small")
    return _verdict(case, "blocks")


def scales(case: Case) -> Verdict:
    """The stem has width filters and the blocks of stage i have width * 2**i."""
    return _verdict(case, "width", charged="argument")


def strides(case: Case) -> Verdict:
    """The first block of every stage but the first has stride 2, and no other."""
    return _verdict(case, "strides")


def has_bottlenecks(case: Case) -> Verdict:
    """The blocks of the network are bottlenecks, and nothing else is between them."""
    return _verdict(case, *(f"block.{kind}" for kind in _BLOCK_KINDS))


def has_head(case: Case) -> Verdict:
    """Global average pooling and one dense layer come after the last block."""
    return _verdict(case, "head")


def ends_in_softmax(case: Case) -> Verdict:
    """Softmax, once and last."""
    return _verdict(case, "softmax", charged="output")


def counts_parameters(case: Case) -> Verdict:
    """The defaults have the published number of trainable parameters."""
    return residual.counts_parameters(case, _TRAINABLE_PARAMETERS, trainable=True)


@cache
def described(
    num_classes: int,
    *,
    input_shape: tuple[int, ...] = _DEFAULTS["input_shape"],
    blocks: tuple[int, ...] = _DEFAULTS["blocks"],
    width: int = _DEFAULTS["width"],
) -> Blueprint:
    """The network that build_resnet should build for these arguments."""
    return network_of(input_shape, _network(num_classes, blocks, width))


def expanded(description: Any) -> Any:
    """A network that was described with stand-ins for its blocks, with the blocks in their places."""
    return standing_in.expanded(description, _block_of)


CHECKS: dict[str, Judge] = {
    "block.builds": block_builds,
    "block.convolutions": block_convolutions,
    "block.normalisation": block_normalisation,
    "block.activation": block_activation,
    "block.addition": block_addition,
    "block.shortcut": block_shortcut,
    "block.stride": block_stride,
    "builds": builds,
    **substantial(
        {
            "input_shape": takes_input_shape,
            "classes": has_classes,
            "stem": has_stem,
            "blocks": has_blocks,
            "width": scales,
            "bottlenecks": has_bottlenecks,
            "strides": strides,
            "head": has_head,
            "softmax": ends_in_softmax,
            "parameters": counts_parameters,
        },
        probe.arguments,
        described,
    ),
}


# ---------------------------------------------------------------- a block and its differences


def _block(case: Case, name: str) -> Block:
    """The block that a call of bottleneck_block built; Unmet if it built none."""
    value = case.value(name)
    if not isinstance(value, Network):  # the probe makes a model of what came back, where it can
        # Why Keras made none is worth a word for a tensor only; of anything else it is plain.
        plain = isinstance(value, Other) and value.type != "KerasTensor"
        came = values.described(Other(value.type) if plain else value)
        case.fail(name, came, "a tensor that layers have made from x")
    trunk = steps(case, name)
    joins = [index for index, step in enumerate(trunk) if isinstance(step, Join)]
    if not joins:
        return Block(trunk, None, ())
    join = trunk[joins[-1]]
    assert isinstance(join, Join)
    return Block(trunk[: joins[-1]], join, trunk[joins[-1] + 1 :])


def _block_verdict(case: Case, *kinds: str) -> Verdict:
    """Fails with the first difference of these kinds in any block that could be built.

    A block that could not is reported by `block.shortcut`, or by `block.builds`, and by no other check.
    """
    names = readable(case, case.inputs["blocks"])
    if not names:
        raise Blocked("block.builds")
    for name in names:
        found = [one for one in _single_block_differences(case, name) if one.kind in kinds]
        if found:
            asked = case.inputs["blocks"][name]
            whole = [*_main_path(asked["filters"], asked["stride"]), *_projection(1, 1), _AFTER_ADDITION]
            rule = charge(found, places(whole, kinds))
            if rule in ("size", "sizes"):  # of the block as a whole, wherever in it the stride is
                rule = "setting" if _block(case, name).stride == asked["stride"] else "sizes"
            return reported(case, name, found[0], rule=rule)
    # A block that could be built has a main path, of which every kind but these is a part.
    for name in names:
        asked = case.inputs["blocks"][name]
        wanted = list(_main_path(asked["filters"], asked["stride"]))
        lacking = absent(_block(case, name).main, wanted, kinds)
        if lacking:
            return Verdict.failed(f"{case.call(name)}: {lacking}.", rule="missing")
    return Verdict.passed()


def _single_block_differences(case: Case, name: str) -> list[Difference]:
    asked = case.inputs["blocks"][name]
    return _block_differences(_block(case, name), asked["filters"], asked["stride"])


def _require_main_path(case: Case) -> None:
    """Blocked where no block has two of the three convolutions: there is nothing to add a shortcut to."""
    most = max(
        (len(_block(case, name).convolutions) for name in readable(case, case.inputs["blocks"])), default=3
    )
    if most < 2:
        there = "no convolution" if not most else "1 convolution"
        raise Blocked(message=f"The main path of the block has {there} of the 3 that it needs.")


def _faults(case: Case) -> set[tuple[str, str]]:
    """What is wrong with single blocks, and was reported of them."""
    return {
        _fault(difference)
        for name in readable(case, case.inputs["blocks"])
        for difference in _single_block_differences(case, name)
    }


def _fault(difference: Difference) -> tuple[str, str]:
    """What a difference is about: the same of a block on its own and in a network, and of no other fault.

    Blocks differ in how many filters they have, and in nothing else that should be in a text. The momentum is
    one fault wherever it is.
    """
    kind = difference.kind.removeprefix("block.").removeprefix("stem.")
    if kind == "momentum":
        return kind, difference.text.partition(" has ")[2]
    return kind, re.sub(r"\b\d+(?= (?:filters|units))|(?<=expected )\d+$", "N", difference.text)


_BLOCK_KINDS = {"convolution", "normalisation", "momentum", "activation", "addition", "shortcut", "stride"}


def _block_differences(block: Block, filters: int, stride: int) -> list[Difference]:
    """All that is wrong with a block, by what it is about."""
    main = block.main
    ends_in_relu = bool(main) and main[-1].op == "relu"
    meeting = block.join.node.name if block.join else block.layer
    differences = [Difference("addition", text, meeting, rule=rule) for rule, text in parting(block)]
    if ends_in_relu:
        main = main[:-1]
        if block.join:
            text = "there is a ReLU between the 3rd convolution and the addition, expected after it only"
            differences.append(Difference("addition", text, meeting, rule="place"))
    extra = {
        "BatchNormalization": "normalisation",
        **dict.fromkeys(("relu", "sigmoid", "tanh", "softmax"), "activation"),
        **dict.fromkeys(("Add", "Concatenate"), "addition"),
        "": "convolution",
    }
    differences += compare(main, list(_main_path(filters, stride)), extra=extra, start="the block's input")
    if block.join and not known(block.before):
        differences += _shortcut_differences(block)
    if block.join and not ends_in_relu:
        after = compare(block.after, [_AFTER_ADDITION], extra={"": "addition"}, start="the addition")
        differences += [replace(difference, rule="place") for difference in after]
    return differences


def _main_path(filters: int, stride: int) -> Iterator[Want]:
    convolutions = ((1, filters, 1), (3, filters, stride), (1, 4 * filters, 1))
    for number, (kernel, count, strides) in enumerate(convolutions, start=1):
        place = f"the {ordinal(number)} convolution"
        yield convolution("convolution", place, count, kernel, strides, kinds={"strides": "stride"})
        yield _normalisation("normalisation", place)
        if number < len(convolutions):
            yield Want("relu", "activation", f"the ReLU of {place}")


def _shortcut_differences(block: Block) -> list[Difference]:
    """The shortcut follows from what the main path does to the shape: a wrong stride is reported once."""
    assert block.join
    shortcut, main, before = block.branches[0], block.branches[-1], block.join.size
    after = main[-1].shape if main else before
    # An image of one pixel is made smaller by no stride; a projection has the main path's all the same.
    stride = max(-(-before[0] // after[0]), block.stride)
    if before == after:
        if not known(shortcut):
            return []
        if stride == 1:
            first = known(shortcut)[0]
            text = f"the shape is kept, yet the shortcut has {first}, expected the block's input as it is"
            return [Difference("shortcut", text, first.node.name, rule="identity")]
    wanted = list(_projection(after[-1], stride))
    return compare(shortcut, wanted, extra={"": "shortcut"}, start="the block's input on the shortcut")


def _projection(channels: int, stride: int) -> Iterator[Want]:
    place = "the convolution on the shortcut"
    yield convolution("shortcut", place, channels, 1, stride)
    yield _normalisation("shortcut", place)


def _normalisation(kind: str, place: str) -> Want:
    # The momentum is a kind of its own: whoever sets it sets it in one place, for blocks and stem alike.
    settings = {"momentum": LARGEST_MOMENTUM}
    kinds = {"momentum": "stem.momentum" if kind == "stem" else "momentum"}
    return Want("BatchNormalization", kind, f"the batch normalisation of {place}", settings, kinds)


# ---------------------------------------------------------------- a network and its differences


@dataclass(frozen=True)
class _Parts:
    """A network cut into what comes before its blocks, the blocks, and what comes after them."""

    stem: Path
    blocks: list[Block]
    head: Path


_HEAD = {
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "AveragePooling2D",
    "MaxPooling2D",
    "Flatten",
    "Dense",
    "softmax",
    "sigmoid",
}


def _parts(case: Case, name: str) -> _Parts:
    trunk = steps(case, name)
    joins = [index for index, step in enumerate(trunk) if isinstance(step, Join)]
    convolutions = [index for index, step in enumerate(trunk) if step.op == "Conv2D"]
    # Without any addition there is no first block: there the stem ends where a second convolution begins.
    stem_end = min([*joins[:1], *convolutions[1:2], len(trunk)])
    last = max([*joins, *convolutions], default=-1)
    head = next((index for index in range(last + 1, len(trunk)) if trunk[index].op in _HEAD), len(trunk))
    blocks = []
    # What lies between stem and first addition belongs to the first block, as what follows one does to it.
    before = trunk[stem_end : joins[0]] if joins else ()
    for join, end in pairwise([*joins, head]):
        met = trunk[join]
        assert isinstance(met, Join)
        blocks.append(Block(before, met, trunk[join + 1 : end]))
        before = ()
    return _Parts(trunk[: min(stem_end, head)], blocks, trunk[head:])


def _arguments(case: Case, name: str) -> dict[str, Any]:
    return {**_DEFAULTS, **probe.arguments(case.inputs)[name]}


def _verdict(case: Case, *kinds: str, charged: str = "") -> Verdict:
    """Fails with the first difference of these kinds in any network that could be read."""
    names = readable(case, probe.arguments(case.inputs))
    known = _faults(case)
    first = first_reported(
        case,
        names,
        partial(_network_differences, case),
        kinds,
        of_defaults={"blocks", "width"},
        wanted=lambda name: _network(**_sizes(_arguments(case, name))),
        charged=charged,
        repeats=lambda difference: "." in difference.kind and _fault(difference) in known,
    )
    if first and first.status is not Status.BLOCKED:
        return first
    for name in names:
        parts, asked = _parts(case, name), _arguments(case, name)
        wanted = [*_stem(asked["width"]), *_head(asked["num_classes"])]
        if lacking := absent([*parts.stem, *parts.head], wanted, kinds):
            return Verdict.failed(f"{case.call(name)}: {lacking}.", rule="missing")
    return first or Verdict.passed()


def _network_differences(case: Case, name: str) -> Iterator[Difference]:
    """All that is wrong with a network, by what it is about."""
    parts, asked = _parts(case, name), _arguments(case, name)
    yield from compare(parts.stem, list(_stem(asked["width"])), extra={"": "stem"})
    wrong = wrong_number(parts.blocks, asked["blocks"])
    if wrong:
        yield Difference("blocks", wrong, rule="argument")
    else:
        yield from stages(parts.blocks, asked["blocks"], asked["width"], _inside)

    start = "the last block" if parts.blocks else "the last convolution"
    wanted = list(_head(asked["num_classes"]))
    yield from compare(parts.head, wanted, extra={"softmax": "softmax", "": "head"}, start=start)


def _inside(block: Block) -> Iterator[Difference]:
    for difference in _block_differences(block, block.filters, block.stride):
        yield replace(difference, kind=f"block.{difference.kind}")


def _sizes(asked: dict[str, Any]) -> dict[str, Any]:
    return {key: asked[key] for key in ("num_classes", "blocks", "width")}


def _network(num_classes: int, blocks: tuple[int, ...], width: int) -> Iterator[Want | Fork]:
    """All of a network, in order."""
    yield from _stem(width)
    channels = width
    for stage, count in enumerate(blocks):
        for number in range(count):
            filters, stride = width * 2**stage, 2 if stage and not number else 1
            yield from _block_of(channels, filters, stride)
            channels = 4 * filters
    yield from _head(num_classes)


def _block_of(channels: int, filters: int, stride: int) -> Iterator[Want | Fork]:
    """A block that reads this many channels."""
    kept = stride == 1 and channels == 4 * filters
    shortcut = () if kept else tuple(_projection(4 * filters, stride))
    yield Fork((tuple(_main_path(filters, stride)), shortcut))
    yield _AFTER_ADDITION


_AFTER_ADDITION = Want("relu", "addition", "the ReLU after the addition")


def _stem(width: int) -> Iterator[Want]:
    place = "the first convolution"
    yield convolution("stem", place, width, 3, 1, kinds={"filters": "width"})
    yield _normalisation("stem", place)
    yield Want("relu", "stem", f"the ReLU of {place}")


def _head(num_classes: int) -> Iterator[Want]:
    yield Want("GlobalAveragePooling2D", "head", "the pooling after the last block", {"keepdims": False})
    yield Want("Dense", "head", "the dense layer", {"units": num_classes}, kinds={"units": "classes"})
    yield Want("softmax", "softmax", "the activation of the dense layer")
