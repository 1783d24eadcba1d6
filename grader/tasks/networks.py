"""The networks that a case's calls gave, and what all judges of networks ask of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from grader.blueprint import Blueprint, Budget
from grader.grading.judging import Case, NoNetwork, Unmet
from grader.results.verdict import Verdict
from grader.tasks.paths import Path, Tangled, path

# For networks that are only looked at: well above the assignment's largest, and above an AlexNet that forgot
# its pooling, so that this is what is reported.
BUDGET = Budget(parameters=400_000_000, flops=100_000_000_000, activations=200_000_000, nodes=600)


def read(case: Case, name: str) -> Blueprint:
    """The network that the call gave; Unmet if it gave none."""
    try:
        return case.blueprint(name, BUDGET)
    except Unmet as unmet:
        raise NoNetwork(unmet) from unmet


def readable(case: Case, names: Iterable[str]) -> list[str]:
    """The calls that gave a network."""

    def gave_network(name: str) -> bool:
        try:
            read(case, name)
        except Unmet:
            return False
        return True

    return [name for name in names if gave_network(name)]


def steps(case: Case, name: str) -> Path:
    """The network that the call gave, as a path; Unmet if it gave none, or one without clear paths."""
    try:
        return path(read(case, name))
    except Tangled as tangled:
        raise NoNetwork(Unmet(f"{case.call(name)}: {tangled}.")) from tangled


_FIXED = (
    "A pooling of a fixed size serves images of one size. GlobalAveragePooling2D() goes over the whole "
    "image, however large it is."
)


def _require_any_size(case: Case, name: str) -> None:
    """Raises Unmet with its own hint if a pooling that is all of the image by default is too large here."""
    call = case.evidence.calls.get(name)
    said = call.exception.message if call and call.exception else ""
    if name == "default" or "pool_size" not in said or not readable(case, ["default"]):
        return
    if read(case, "default").of("GlobalAveragePooling2D", "GlobalMaxPooling2D"):
        try:
            read(case, name)
        except Unmet as unmet:
            raise Unmet(str(unmet), hint=_FIXED, rule=unmet.verdict.rule) from unmet


def takes_input_shape(case: Case, arguments: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """Whether models take images of input_shape, (32, 32, 3) by default.

    Those of "default" and "shape" must be there, and what was built by the other calls has to agree.

    Args:
        case: with the networks.
        arguments: what the builder was called with, by call.
    """
    for name in dict.fromkeys(("default", "shape", *readable(case, arguments))):
        _require_any_size(case, name)
        came, expected = read(case, name).input_shape, arguments[name].get("input_shape", (32, 32, 3))
        if came != expected:
            case.fail(name, f"a model for inputs of shape {came}", f"one for {expected}")
    return Verdict.passed()
