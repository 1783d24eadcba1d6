"""Judges build_wide_resnet on the networks that it built.

Stem, blocks and tail of every network are lined up with what they should be, and a check reports the first
difference of its own kind. A block is judged for what it is (how it is put together) and for its place (how
many there are, how wide, which stride); the first goes on where the second has failed.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from grader.blueprint import Blueprint
from grader.grading.judging import Case, Judge
from grader.grading.values import ordinal
from grader.results.verdict import Verdict
from grader.tasks import networks, residual
from grader.tasks.differences import Difference, absent, compare
from grader.tasks.networks import read, readable, steps
from grader.tasks.paths import Join, Path, known
from grader.tasks.reporting import first_reported
from grader.tasks.residual import Block, convolution, parting, stages, wrong_number
from grader.tasks.substance import substantial
from grader.tasks.wanted import LARGEST_MOMENTUM, Fork, Want, network_of
from grader.tasks.wide_resnet import probe

_DEFAULTS: dict[str, Any] = {"input_shape": (32, 32, 3), "depth": 20, "width": 10}
_PARAMETERS = 26_808_692  # of the defaults with 100 classes, moving statistics included, without biases
_STAGES = 3


def builds(case: Case) -> Verdict:
    """The defaults give a model."""
    _parts(case, "default")
    return Verdict.passed()


def takes_input_shape(case: Case) -> Verdict:
    """The model takes images of input_shape, which is (32, 32, 3) by default."""
    return networks.takes_input_shape(case, probe.arguments(case.inputs))


def has_classes(case: Case) -> Verdict:
    """The model gives as many numbers as there are classes."""
    for name in _readable(case):
        came, expected = read(case, name).output_shape, (_arguments(case, name)["num_classes"],)
        if came != expected:
            case.fail(name, f"a model with outputs of shape {came}", f"{expected}")
    return Verdict.passed()


def normalises_images(case: Case) -> Verdict:
    """A batch normalisation of the image comes first, and learns scale and offset."""
    return _verdict(case, "image")


def has_stem(case: Case) -> Verdict:
    """One 3x3 convolution with stride 1, without ReLU, comes before the first block."""
    return _verdict(case, "stem")


def has_convolutions(case: Case) -> Verdict:
    """Two 3x3 convolutions are on the main path of a block."""
    return _block_verdict(case, "convolution")


def preactivates(case: Case) -> Verdict:
    """In a block, batch normalisation and ReLU come before each convolution."""
    return _block_verdict(case, "order", "momentum")


def adds(case: Case) -> Verdict:
    """The shortcut starts at the block's input, is added to the main path, and nothing follows."""
    return _block_verdict(case, "addition")


def has_shortcuts(case: Case) -> Verdict:
    """Identity where the shape is kept; where it is not, average pooling and channels of zeros."""
    return _block_verdict(case, "shortcut")


def has_depth(case: Case) -> Verdict:
    """Three stages of (depth - 2) / 6 blocks, and no convolution besides those of blocks, stem and tail."""
    read(case, "small")
    return _verdict(case, "depth")


def scales(case: Case) -> Verdict:
    """The stem has 16 * width channels and the blocks of stage i have 16 * width * 2**i."""
    return _verdict(case, "width", charged="argument")


def strides(case: Case) -> Verdict:
    """The first block of every stage but the first has stride 2, on its first convolution."""
    return _verdict(case, "strides", "stride")


def has_tail(case: Case) -> Verdict:
    """Batch normalisation, ReLU, 1x1 convolution, batch normalisation, global average pooling."""
    return _verdict(case, "tail")


def ends_in_softmax(case: Case) -> Verdict:
    """Softmax, once and last."""
    return _verdict(case, "softmax", charged="output")


def counts_parameters(case: Case) -> Verdict:
    """Only the first batch normalisation learns, and the defaults have the published number of parameters."""
    verdict = _verdict(case, "learned")
    return residual.counts_parameters(case, _PARAMETERS, trainable=False) if verdict.fraction else verdict


@cache
def described(
    num_classes: int,
    *,
    input_shape: tuple[int, ...] = _DEFAULTS["input_shape"],
    depth: int = _DEFAULTS["depth"],
    width: int = _DEFAULTS["width"],
) -> Blueprint:
    """The network that build_wide_resnet should build for these arguments."""
    return network_of(input_shape, _network(num_classes, _blocks({"depth": depth}), width))


CHECKS: dict[str, Judge] = {
    "builds": builds,
    **substantial(
        {
            "input_shape": takes_input_shape,
            "classes": has_classes,
            "image": normalises_images,
            "stem": has_stem,
            "block.convolutions": has_convolutions,
            "block.order": preactivates,
            "block.addition": adds,
            "block.shortcut": has_shortcuts,
            "depth": has_depth,
            "width": scales,
            "strides": strides,
            "tail": has_tail,
            "softmax": ends_in_softmax,
            "parameters": counts_parameters,
        },
        probe.arguments,
        described,
    ),
}


# ---------------------------------------------------------------- a network and its differences


@dataclass(frozen=True)
class _Parts:
    """A network cut into what comes before its blocks, the blocks, and what comes after them.

    Where nothing is added there are no blocks, and `plain` is what lies between stem and tail instead.
    """

    stem: Path
    blocks: list[Block]
    tail: Path
    plain: Path = ()


def _parts(case: Case, name: str) -> _Parts:
    trunk = steps(case, name)
    joins = [index for index, step in enumerate(trunk) if isinstance(step, Join)]
    convolutions = [index for index, step in enumerate(trunk) if step.op == "Conv2D"]
    if not joins:
        first = convolutions[0] + 1 if convolutions else 0
        last = convolutions[-1] if convolutions[1:] else first
        while last > first and trunk[last - 1].op in ("BatchNormalization", "relu"):
            last -= 1
        return _Parts(trunk[:first], [], trunk[last:], plain=trunk[first:last])
    blocks, start = [], 0
    for index in joins:
        met = trunk[index]
        assert isinstance(met, Join)
        blocks.append(Block(trunk[start:index], met))
        start = index + 1
    stem, tail = blocks[0].before, trunk[start:]
    # What is between stem and first addition is the block's if the next one begins like that too.
    own: Path = ()
    if blocks[1:] and (common := blocks[1].before) and _ops(stem[-len(common) :]) == _ops(common):
        stem, own = stem[: -len(common)], stem[-len(common) :]
    blocks[0] = Block(own, blocks[0].join)
    return _Parts(stem, blocks, tail)


def _ops(path: Path) -> list[str]:
    return [step.op for step in path]


def _readable(case: Case) -> list[str]:
    return readable(case, probe.arguments(case.inputs))


def _arguments(case: Case, name: str) -> dict[str, Any]:
    return {**_DEFAULTS, **probe.arguments(case.inputs)[name]}


def _verdict(case: Case, *kinds: str, charged: str = "") -> Verdict:
    """Fails with the first difference of these kinds, or if most of what is of these kinds is not there."""
    if failed := _first_reported(case, kinds, charged):
        return failed
    for name in _readable(case):
        parts, asked = _parts(case, name), _arguments(case, name)
        wanted = [*_stem(asked["width"]), *_tail(asked["num_classes"])]
        if lacking := absent([*parts.stem, *parts.tail], wanted, kinds):
            return Verdict.failed(f"{case.call(name)}: {lacking}.", rule="missing")
    return Verdict.passed()


def _block_verdict(case: Case, *kinds: str) -> Verdict:
    """Like _verdict, of what is to be seen in blocks."""
    if failed := _first_reported(case, kinds):
        return failed
    for name in _readable(case):
        call, parts = case.call(name), _parts(case, name)
        if not parts.blocks and (lacking := absent(parts.plain, list(_plain(_arguments(case, name))), kinds)):
            return Verdict.failed(f"{call}: {lacking}.", rule="missing")
        for number, block in enumerate(parts.blocks, start=1):
            if lacking := absent(block.main, list(_main_path(block.filters, block.stride)), kinds):
                return Verdict.failed(f"{call}: in the {ordinal(number)} block, {lacking}.", rule="missing")
    return Verdict.passed()


def _first_reported(case: Case, kinds: Collection[str], charged: str = "") -> Verdict | None:
    """The first difference of these kinds in any network that could be read."""
    return first_reported(
        case,
        _readable(case),
        partial(_differences, case),
        kinds,
        of_defaults={"depth", "width"},
        wanted=partial(_all_wanted, case),
        charged=charged,
    )


def _all_wanted(case: Case, name: str) -> Iterator[Want | Fork]:
    """All that a call should have built."""
    asked = _arguments(case, name)
    return _network(asked["num_classes"], _blocks(asked), asked["width"])


def _differences(case: Case, name: str) -> Iterator[Difference]:
    """All that is wrong with a network, by what it is about."""
    parts, asked = _parts(case, name), _arguments(case, name)
    stem = list(_stem(asked["width"]))
    yield from compare(parts.stem, stem, extra={"Conv2D": "depth", "": "stem"})

    expected = [_blocks(asked)] * _STAGES
    wrong = wrong_number(parts.blocks, expected)
    if not parts.blocks:
        yield Difference("depth", wrong, rule="argument")
        text = "nothing is added to anything: it is one path, without shortcuts"
        yield Difference("addition", text, rule="no_shortcut")
        yield from compare(parts.plain, list(_plain(asked)), extra=_IN_BLOCKS, start="the first convolution")
    elif not wrong:
        yield from stages(parts.blocks, expected, 16 * asked["width"], _block_differences)
    else:
        yield Difference("depth", wrong, rule="argument")
        for number, block in enumerate(parts.blocks, start=1):
            for difference in _block_differences(block):
                yield replace(difference, place=f"the {ordinal(number)} block")

    start = "the last block" if parts.blocks else "the last convolution"
    tail = list(_tail(asked["num_classes"]))
    extra = {"softmax": "softmax", "Conv2D": "depth", "": "tail"}
    # What follows the addition of every block is reported of the blocks.
    common = len(parts.blocks[-1].before) if parts.blocks else 0
    ways = [compare(path, tail, extra=extra, start=start) for path in (parts.tail, parts.tail[common:])]
    yield from min(ways, key=len)


def _blocks(asked: Mapping[str, Any]) -> int:
    """How many blocks a stage has."""
    return int((asked["depth"] - 2) // 6)


def _plain(asked: Mapping[str, Any]) -> Iterator[Want]:
    """The main paths of all blocks, one after the other."""
    for stage in range(_STAGES):
        for block in range(_blocks(asked)):
            yield from _main_path(16 * asked["width"] * 2**stage, 2 if stage and not block else 1)


def _network(num_classes: int, blocks: int, width: int) -> Iterator[Want | Fork]:
    """All of a network, in order."""
    yield from _stem(width)
    for stage in range(_STAGES):
        for block in range(blocks):
            filters, stride = 16 * width * 2**stage, 2 if stage and not block else 1
            shortcut = tuple(_shortcut((stride, stride), filters // 2)) if stride > 1 else ()
            yield Fork((tuple(_main_path(filters, stride)), shortcut))
    yield from _tail(num_classes)


def _stem(width: int) -> Iterator[Want]:
    yield _normalisation("image", "the image", learned=True)
    yield convolution("stem", "the first convolution", 16 * width, 3, 1, kinds={"filters": "width"})


def _tail(num_classes: int) -> Iterator[Want]:
    yield _normalisation("tail", "the last block")
    yield Want("relu", "tail", "the ReLU after the last block")
    place = "the 1x1 convolution"
    yield convolution("tail", place, num_classes, 1, 1, kinds={"filters": "classes"})
    yield _normalisation("tail", place)
    yield Want("GlobalAveragePooling2D", "tail", "the pooling at the end", {"keepdims": False})
    yield Want("softmax", "softmax", "the softmax at the end")


def _normalisation(kind: str, place: str, *, learned: bool = False) -> Want:
    """Scale and offset that are wrong are of a kind of their own, and so is the momentum: see the checks."""
    settings = {"scale": learned, "center": learned, "momentum": LARGEST_MOMENTUM}
    weights = kind if learned else "learned"
    kinds = {"scale": weights, "center": weights, "momentum": "momentum"}
    place = f"the batch normalisation of {place}"
    return Want("BatchNormalization", kind, place, settings, kinds, chosen={"epsilon": 1e-5})


# ---------------------------------------------------------------- a block and its differences


_IN_BLOCKS = {  # the kind of the difference where there is a step too many
    **dict.fromkeys(("BatchNormalization", "relu", "sigmoid", "tanh", "softmax"), "order"),
    **dict.fromkeys(("Add", "Concatenate"), "addition"),
    "": "convolution",
}


def _block_differences(block: Block) -> Iterator[Difference]:
    """All that is wrong with a block, given its own filters and stride, by what it is about."""
    meeting = block.join.node.name if block.join else block.layer
    for rule, text in parting(block):
        yield Difference("addition", text, meeting, rule=rule)
    wanted = list(_main_path(block.filters, block.stride))
    # Layers before the paths part are reported already: they may be the main path's first, or too many.
    ways = [compare(main, wanted, extra=_IN_BLOCKS, start="the block's input") for main in _main_paths(block)]
    for difference in min(ways, key=len):
        # What comes before a convolution that is missing or too many is no fault of its own.
        if (
            difference.kind == "stride"
        ):  # a block that halves the image elsewhere; one that does not has "strides"
            yield replace(difference, resizes=False)
        elif difference.kind != "order" or len(block.convolutions) == 2:
            yield difference
    if block.join:
        yield from _shortcut_differences(block.branches[0], block.join.size, block.branches[-1])


def _main_paths(block: Block) -> list[Path]:
    return [block.main, block.branches[-1]] if block.before else [block.main]


def _main_path(filters: int, stride: int) -> Iterator[Want]:
    for number, strides in ((1, stride), (2, 1)):
        place = f"the {ordinal(number)} convolution"
        yield _normalisation("order", f"the input of {place}")
        yield Want("relu", "order", f"the ReLU before {place}")
        yield convolution("convolution", place, filters, 3, strides, kinds={"strides": "stride"})


def _shortcut_differences(shortcut: Path, before: tuple[int, ...], main: Path) -> list[Difference]:
    """The shortcut follows from what the main path does to the shape: a wrong stride is reported once."""
    after = main[-1].shape if main else before
    strides = (-(-before[0] // after[0]),) * 2 if before[:2] != after[:2] else None
    # An addition of two shapes is refused, so that the number of channels is right.
    wanted = list(_shortcut(strides, after[-1] - before[-1]))
    known_steps = known(shortcut)
    if strides is None and known_steps and all(step.op != "Pad" for step in known_steps):
        # Also where the channels are others: only with the size they change, and it is the stem that is off.
        first, kept = known_steps[0], "shape" if before == after else "size"
        text = f"the {kept} is kept, yet the shortcut has {first}, expected the block's input as it is"
        rule = "identity" if before == after else ""
        return [Difference("shortcut", text, first.node.name, rule=rule)]
    if _has_gap(shortcut):  # perhaps it is channels of zeros: why it has no word is reported by `builds`
        shortcut = tuple(step for step in shortcut if not isinstance(step, Join))
        wanted = [want for want in wanted if want.op != "Pad"]
    # Pooling channels of zeros gives zeros: it comes to the same in either order.
    if [step.op for step in shortcut] == ["Pad", "AveragePooling2D"]:
        shortcut = shortcut[::-1]
    return compare(shortcut, wanted, extra={"": "shortcut"}, start="the block's input on the shortcut")


def _has_gap(shortcut: Path) -> bool:
    """Whether something without a word is joined to what the shortcut carries."""
    return any(
        isinstance(step, Join)
        and step.op == "Concatenate"
        and any(inner.op == "Unknown" for branch in step.branches for inner in branch)
        for step in shortcut
    )


def _shortcut(strides: tuple[int, int] | None, channels: int) -> Iterator[Want]:
    """What is wanted on a shortcut that halves the image, or adds channels of zeros."""
    if strides:
        window = {"pool_size": (3, 3), "strides": strides, "padding": "same"}
        yield Want("AveragePooling2D", "shortcut", "the pooling on the shortcut", window)
    if channels:
        widths = {"widths": ((0, 0), (0, 0), (0, channels))}
        yield Want("Pad", "shortcut", "the zero padding of the shortcut", chosen=widths)
