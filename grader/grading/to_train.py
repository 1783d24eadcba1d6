"""Which network a check trains: a submission's, or the course's on what `prepare` returned; or why none."""

import importlib
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from grader import blueprint
from grader.config.manifest import Check, Task
from grader.config.profiles import CLASSES
from grader.grading import built
from grader.grading.evidence import Call, Network
from grader.grading.judging import Case, Unmet, as_built, blocked_on, closed, is_alone, sentence
from grader.results.record import Status
from grader.results.verdict import Verdict

IMAGE = (32, 32, 3)  # of either data set
REFERENCE = "resnet"  # the task whose described network is trained on what `prepare` returns


def network(
    case: Case,
    check: Check,
    verdicts: Mapping[str, Verdict],
    budget: blueprint.Budget,
    described: blueprint.Blueprint,
) -> blueprint.Blueprint | Verdict:
    """The network to be trained for a check, or the verdict where there is none that may be.

    Whether checks of the structure failed makes no difference: what can be trained is.

    Args:
        case: its evidence has the network under the name `train.<label set>`.
        check: one that a training decides.
        verdicts: of the other checks.
        budget: the most that any training may take.
        described: the network that should have been built; no other may cost much more than this one.
    """
    case = as_built(case)
    verdict = closed(check, case, verdicts)
    if verdict is not None:
        return verdict
    if check.earned_with and not any(verdicts[other].status is Status.PASSED for other in check.earned_with):
        return Verdict(status=Status.BLOCKED, message="It is trained once there is more that is right in it.")
    assert check.train
    name = f"train.{check.train}"
    try:
        found = case.blueprint(name, budget)
        value = case.call(name).value
        if case.call(name).completed:
            return blocked_on(built.BUILDS, case.task)  # nobody could build it, with the layer that raises
        if isinstance(value, Network) and (value.flaw or found.of("Unknown")):
            message = f"{case.call(name)} returned a model that cannot be trained: {sentence(value.flaw)}"
            return Verdict.failed(message, hint="", in_share=True)
        inputs, outputs = IMAGE, (CLASSES[check.labels],)
        # A training that could not start would look like a fault of the machine.
        whole = (found.input_shape, found.output_shape) == (inputs, outputs)
        if not whole and built.is_partial(case.call(name)):
            return blocked_on(built.BUILDS, case.task)
        if (found.input_shape, found.output_shape) != (inputs, outputs):
            # Another number of classes is one mistake, and so is a list of another shape; what is neither is
            # of no use to anybody.
            in_share = len(found.output_shape) == len(outputs) or math.prod(found.output_shape) == outputs[0]
            came = f"a network from {found.input_shape} to {found.output_shape}"
            expected = f"one from {inputs} to {outputs}"
            wrong = f"{case.call(name)} returned {came}; expected {expected}. It was not trained."
            return Verdict.failed(wrong, in_share=in_share)
    except Unmet as unmet:
        verdict = _not_built(case, verdicts) or unmet.verdict
        return verdict.model_copy(update={"in_share": _is_there(case, name)})
    over = blueprint.excess(found, described)
    if over is not None:
        return _too_costly(case.call(name), over)
    return blueprint.with_probabilities(found, budget)


def _is_there(case: Case, name: str) -> bool:
    """Whether there is a network whose structure is judged: only trained it cannot be.

    That is the one of this call, or, where this call raised, the one that another call has built.
    """
    call = case.evidence.calls.get(name)
    if call is None or isinstance(call.value, Network):
        return call is not None
    others = call.status == "raised" and not is_alone(case)
    return others and built.gave_network(call.function, case.evidence)


def _not_built(case: Case, verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """The verdict on a training without a network, where another check has reported why there is none."""
    for check in case.task.checks:
        others = is_alone(case) and case.task.builder not in check.functions
        failed = check.id in verdicts and verdicts[check.id].status is Status.FAILED
        if failed and (others or (check.id == built.BUILDS and case.task.builder)):
            return blocked_on(check.id, case.task)
    return None


def prepared(case: Case, check: Check, verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """The verdict on a check that trains on what `prepare` returns, if nothing has to be trained; else None.

    Args:
        case: of the task's probe.
        check: one with `train = "prepared"`.
        verdicts: of the other checks.
    """
    verdict = closed(check, case, verdicts)
    if verdict is not None:
        return verdict
    judge = importlib.import_module(f"grader.tasks.{case.task.id}.judge")
    decided: Verdict | None = judge.prepared(case, verdicts)
    return decided


def described_network(task: Task, num_classes: int, arguments: Mapping[str, Any]) -> blueprint.Blueprint:
    """The network that a task's builder should build for these arguments, as the course would build it."""
    return _described(task, num_classes, arguments)


def reference_network(num_classes: int, builders: Mapping[str, Mapping[str, Any]]) -> blueprint.Blueprint:
    """The network that is trained on what `prepare` returned: the described one of the task REFERENCE.

    Args:
        num_classes: that it tells apart.
        builders: of a profile: by task, what its builder is called with.
    """
    # Not out of a manifest: a run of one task alone has another's network all the same.
    return _described(_Named(REFERENCE), num_classes, builders.get(REFERENCE, {}))


class _Named(NamedTuple):
    """A task of which no more is wanted than its judge: modules are imported by the id of a task alone."""

    id: str


def _described(task: Task | _Named, num_classes: int, arguments: Mapping[str, Any]) -> blueprint.Blueprint:
    judge = importlib.import_module(f"grader.tasks.{task.id}.judge")
    network: blueprint.Blueprint = judge.described(num_classes, **arguments)
    return network


def _too_costly(call: Call, over: blueprint.Excess) -> Verdict:
    return Verdict.failed(
        f"{call}: the network has {over.found:,} {over.what}; the one that was asked for has "
        f"{over.described:,}, and no more than {over.most:,} are trained. It was not trained.",
        hint="Only a network of about the size that was asked for is trained. Look for layers that are too "
        "many or too large, and fix the failed checks above first: model.summary() shows yours.",
        found=over.found,
        described=over.described,
        most=over.most,
        in_share=True,
    )
