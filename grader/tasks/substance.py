"""A network is judged only where there is something to judge: at least half of what makes it up."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from grader.blueprint import Blueprint
from grader.grading.built import BUILDS
from grader.grading.judging import Blocked, Case, Judge
from grader.results.verdict import Verdict
from grader.tasks.networks import read, readable


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
    """Blocked if no call gave half of what its network should have; one that did is enough to go on.

    Where none gave a network at all, that is what the check `builds` reports, and nothing else does.
    """
    names = readable(case, arguments)
    if not names:
        raise Blocked(BUILDS)
    lacking = ""
    for name in names:
        few = _few(read(case, name), described(**arguments[name]))
        if not few:
            return
        lacking = lacking or f"{case.call(name)}: {few} The rest is checked when half of them are there."
    if lacking:
        raise Blocked(message=lacking)


def _few(network: Blueprint, wanted: Blueprint) -> str:
    """What makes up a network and is less than half there, as a sentence; empty if nothing is."""
    asked = _substance(wanted)
    there, needed = (_substance(network) & asked).total(), asked.total()
    if 2 * there < needed:
        return (
            f"the network has {there} of the {needed} layers that it needs (convolutions of the right "
            "kernel size, dense layers, additions)."
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
