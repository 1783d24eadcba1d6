"""What a builder built, whether or not it handed it over: the networks that its checks look at.

One slip must not hide a whole network. A call that returned no model has often made one, a call that raised
has got somewhere, or comes to an end where the layer that raises is passed over, and a builder whose blocks
are another function's, which is missing or raises, can be called with a stand-in for it. That a call hands
over a network is a check of its own, `builds`, and fails as it would without this.

All of it is what a sandbox described: it is read, judged and rebuilt like a network that was handed over.
"""

import importlib
from dataclasses import replace
from typing import Any

from grader.config.manifest import Task
from grader.grading.evidence import ALONE, Call, Evidence, Network

BUILDS = "builds"  # the check that a builder hands over a network
DEFAULT = "default"  # the call of a builder with its defaults, which is how it is used


def handed_over(task: Task, evidence: Evidence) -> Evidence:
    """The evidence for `builds`: where no call gave a network, those with a stand-in take their place."""
    builder = task.builder
    if builder is None or not any(name.startswith(ALONE) for name in evidence.calls):
        return evidence
    own = [
        call
        for name, call in evidence.calls.items()
        if call.function == builder and not name.startswith(ALONE)
    ]
    if any(_is_whole(call) for call in own):
        return evidence
    alone = {
        name.removeprefix(ALONE): _expanded(call, task)
        for name, call in evidence.calls.items()
        if name.startswith(ALONE) and call.function == builder
    }
    return replace(evidence, calls={**evidence.calls, **alone})


def as_built(task: Task, evidence: Evidence) -> Evidence:
    """The evidence for all other checks of networks: what a call has made is as good as returned.

    What was made by a call that raised counts where no call of its function came to its end with a network.
    """
    evidence = looked_at(handed_over(task, evidence))
    for function in task.functions:
        evidence = _as_built_by(function, evidence)
    return evidence


def _as_built_by(function: str, evidence: Evidence) -> Evidence:
    own = {
        name: call
        for name, call in evidence.calls.items()
        if call.function == function and not name.startswith(ALONE)
    }
    if any(call.aside for call in own.values()):  # then what they made without the stand-in has no part in it
        own = {name: call for name, call in own.items() if call.aside}
    whole = any(_is_whole(call) for call in own.values())
    made = {
        name: replace(call, status="returned", value=call.made)
        for name, call in own.items()
        if call.made is not None
        and not isinstance(call.value, Network)
        and (call.status == "returned" or (call.status == "raised" and not whole))
    }
    return replace(evidence, calls={**evidence.calls, **made}) if made else evidence


def looked_at(evidence: Evidence) -> Evidence:
    """The evidence with networks that were described though they cannot be trained: they can be looked at."""
    calls = {
        name: replace(call, value=_with_flaw(call.value), made=_with_flaw(call.made))
        for name, call in evidence.calls.items()
    }
    return replace(evidence, calls=calls)


def _with_flaw(value: Any) -> Any:
    if isinstance(value, Network) and value.refused and value.description is not None:
        return replace(value, refused="", flaw=value.refused)
    return value


def is_partial(call: Call) -> bool:
    """Whether what counts as returned is what a call had made until it raised, and not all of it."""
    return call.status == "returned" and call.exception is not None and not call.completed


def gave_network(function: str, evidence: Evidence) -> bool:
    """Whether a call of a function came to its end with a network, handed over or not."""
    return any(call.function == function and call.network is not None for call in evidence.calls.values())


def _is_whole(call: Call) -> bool:
    return call.network is not None and not call.network.refused


def _expanded(call: Call, task: Task) -> Call:
    """A call with a stand-in, with what it stands for in its place."""
    expand = importlib.import_module(f"grader.tasks.{task.id}.judge").expanded

    def opened(network: Any) -> Any:
        if not isinstance(network, Network):
            return network
        return replace(network, description=expand(network.description))

    other = next(name for name in task.functions if name != task.builder)
    aside = f" with a right {other} in place of yours"
    return replace(call, value=opened(call.value), made=opened(call.made), aside=aside)
