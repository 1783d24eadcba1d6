"""What the judges of residual networks share: blocks, where two paths meet, and the stages that they form."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from grader.grading.judging import Case
from grader.grading.values import ordinal
from grader.results.verdict import Verdict
from grader.tasks.differences import Difference
from grader.tasks.networks import read
from grader.tasks.paths import Join, Path, Step, known
from grader.tasks.wanted import BEFORE_NORMALISATION, Want


@dataclass(frozen=True)
class Block:
    """Where two paths meet.

    Attributes:
        before: the steps before the paths part, as far as they are the block's.
        join: the paths and where they meet; None if there is one path only.
        after: the steps after that.
    """

    before: Path
    join: Join | None
    after: Path = ()

    @property
    def branches(self) -> list[Path]:
        """The paths, fewest convolutions first: the first is the shortcut, the last the main path."""
        return sorted(self.join.branches, key=_weight) if self.join else [()]

    @property
    def main(self) -> Path:
        """The main path from the block's input on."""
        return self.before + self.branches[-1]

    @property
    def convolutions(self) -> list[Step]:
        """Those of the main path."""
        return [step for step in self.main if isinstance(step, Step) and step.op == "Conv2D"]

    @property
    def filters(self) -> int:
        """Of the first convolution: the other sizes of the block follow from it."""
        return int(self.convolutions[0].node.settings["filters"]) if self.convolutions else 0

    @property
    def layer(self) -> str:
        """The name of its first convolution, or of where its paths meet."""
        first = self.convolutions[0] if self.convolutions else self.join
        return first.node.name if first else ""

    @property
    def stride(self) -> int:
        """Of the main path as a whole, along the height."""
        return math.prod(int(step.node.settings["strides"][0]) for step in self.convolutions)


def _weight(path: Path) -> tuple[int, int]:
    return sum(step.op == "Conv2D" for step in path), len(path)


def parting(block: Block) -> Iterator[tuple[str, str]]:
    """What is wrong with how the two paths of a block part and meet: the rule for it, and in words."""
    if block.join is None:
        yield "no_shortcut", "nothing is added: the block is one path, without a shortcut"
        return
    if block.join.op == "Unknown":
        joins = block.join.node.settings["joins"]
        if joins:  # else `builds` reports it: it may be an addition
            yield "not_residual", f"the paths are brought together by {joins}, expected an addition"
        return
    if block.join.op != "Add":
        yield "not_residual", f"the paths are brought together by {block.join}, expected an addition"
    if len(block.branches) != 2:
        text = f"{len(block.branches)} paths are brought together, expected the main path and the shortcut"
        yield "layers", text
    if before := known(block.before):
        count = len(before)
        layers = "1 layer" if count == 1 else f"{count} layers"
        which = ", ".join(str(step) for step in before[:3]) + (", …" if count > 3 else "")
        # Where all of the main path lies before the paths part, it is added to itself.
        rule = "identity" if any(step.op == "Conv2D" for step in block.branches[-1]) else "no_shortcut"
        if all(step.op == "relu" for step in before):  # that of the addition before it
            rule = "place"
        yield rule, f"the shortcut starts {layers} into the block, after {which}; expected the block's input"


def wrong_number(found: Sequence[Block], expected: Sequence[int]) -> str:
    """What is wrong with the number of blocks, in all or by stage; empty if nothing is.

    A stage is a run of blocks with the same filters. Where there are more or fewer runs than stages, it is
    the filters that are wrong, and not the number of blocks.
    """
    if len(found) != sum(expected):
        return f"it has {len(found)} blocks, expected {' + '.join(map(str, expected))} = {sum(expected)}"
    runs = [len(list(run)) for _, run in groupby(found, key=lambda block: block.filters)]
    if len(runs) == len(expected) and runs != list(expected):
        return f"its stages have {runs} blocks, expected {list(expected)}"
    return ""


def stages(
    found: Sequence[Block],
    expected: Sequence[int],
    width: int,
    inside: Callable[[Block], Iterator[Difference]],
) -> Iterator[Difference]:
    """What is wrong with the blocks of a network that has as many as expected.

    Args:
        found: all of its blocks.
        expected: how many each stage has.
        width: filters of stage 0; each stage has twice those of the one before.
        inside: what is wrong with a block for what it is, whatever its place.
    """
    blocks = iter(found)
    for stage, count in enumerate(expected):
        for number in range(count):
            block = next(blocks)
            place = f"the {ordinal(number + 1)} block of stage {stage} (counted from 0)"
            filters, stride = width * 2**stage, 2 if stage and not number else 1
            if block.filters != filters:
                text = f"{place} has {block.filters} filters in its first convolution, expected {filters}"
                yield Difference("width", text, block.layer)
            if block.stride != stride:
                text = f"{place} has stride {block.stride}, expected {stride}"
                yield Difference("strides", text, block.layer, resizes=True)
            for difference in inside(block):
                yield replace(difference, place=place)


def counts_parameters(case: Case, published: int, *, trainable: bool) -> Verdict:
    """Whether the defaults have the published number of parameters, biases of convolutions not counted: what
    a convolution puts out comes to a batch normalisation, which takes a bias away again.

    Args:
        case: with the network of the call "default".
        published: how many, without biases.
        trainable: whether moving statistics are left out of that number.
    """
    network = read(case, "default")
    biases = sum(n.settings["filters"] for n in network.of("Conv2D") if n.settings["use_bias"])
    counted = (network.trainable_parameters if trainable else network.parameters) - biases
    if counted == published:
        return Verdict.passed()
    what = "trainable parameters" if trainable else "parameters"
    without = f" (and {biases:,} biases of convolutions, which do not count)" if biases else ""
    return Verdict.failed(
        f"{case.call('default')}: the network has {counted:,} {what}{without}, expected {published:,}."
    )


def convolution(
    kind: str, place: str, filters: int, kernel: int, stride: int, kinds: dict[str, str] | None = None
) -> Want:
    """A convolution that keeps the size of what it reads but for its stride."""
    settings = {
        "filters": filters,
        "kernel_size": (kernel, kernel),
        "strides": (stride, stride),
        "padding": "same",
    }
    return Want("Conv2D", kind, place, settings, kinds or {}, BEFORE_NORMALISATION)
