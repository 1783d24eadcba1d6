"""One submission, as far as it goes without a training: taken in, probed, judged.

What comes of it is data, frozen and serialisable: the folder and its code are gone by then.
"""

import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from pydantic import Field

from grader import scratch
from grader.config.manifest import Task
from grader.config.profiles import CLASSES
from grader.errors import GraderFault, SubmissionError
from grader.grading import handing, judging, probing, to_train, untouched
from grader.grading.plan import Plan, Trainable
from grader.grading.probing import Probed
from grader.intake import Source, Submission
from grader.results.record import Status
from grader.results.verdict import Verdict
from lab.strict import Strict


class ExaminedTask(Strict):
    """One task of a submission.

    Attributes:
        task: its id.
        verdicts: by check, of all that are decided.
        trainable: by check, what the others wait for, or what is known of it.
        seconds: by the clock.
    """

    task: str
    verdicts: dict[str, Verdict]
    trainable: dict[str, Trainable] = Field(default_factory=dict)
    seconds: float = 0.0


class Examined(Strict):
    """A submission after probing: what is decided, and the networks that still have to be trained.

    Attributes:
        name: what it is shown and filed under.
        tasks: in the order of the manifest; none if there is a problem.
        notes: what was tidied or left behind.
        problem: why it could not be taken in; empty if it was.
    """

    name: str
    tasks: tuple[ExaminedTask, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


def examine(source: Source, plan: Plan, pool: ThreadPoolExecutor) -> Examined:
    """Takes a submission in, and probes and judges its tasks side by side.

    Args:
        source: which.
        plan: of the run.
        pool: probes the tasks; not the one that this runs in, which could then wait for itself.
    """
    plan.on_began(source.name)
    modules = [task.module for task in plan.manifest.tasks]
    with scratch.Folder("submission") as folder:
        try:
            taken = plan.take_in(source, modules, Path(folder))
        except SubmissionError as error:
            return Examined(name=source.name, problem=str(error))
        pending = [pool.submit(_examine_task, source.name, task, taken, plan) for task in plan.manifest.tasks]
        for future in pending:  # all of them, whatever becomes of one: they use the folder
            # Not concurrent.futures.wait: it waits for ever for what a shutdown has cancelled.
            with suppress(CancelledError):
                future.exception()
    tasks = tuple(future.result() for future in pending)
    return Examined(name=source.name, tasks=tasks, notes=taken.notes)


def remove_arrays(examined: Examined) -> None:
    """Removes the files of arrays that were trained on, once a submission is decided; results are kept.

    Others that handed over the very same need them no more: they wait for the same trainings.
    """
    for task in examined.tasks:
        for trainable in task.trainable.values():
            if trainable.job is not None and trainable.job.arrays:
                Path(trainable.job.arrays).unlink(missing_ok=True)


def _examine_task(name: str, task: Task, taken: Submission, plan: Plan) -> ExaminedTask:
    started = time.monotonic()
    trainable: dict[str, Trainable] = {}
    try:
        if task.module in taken.missing:
            message = taken.missing[task.module]
            verdicts = {c.id: Verdict(status=Status.NOT_ATTEMPTED, message=message) for c in task.checks}
        else:
            with scratch.room():
                verdicts, trainable = _probe_and_judge(name, task, taken, plan)
    except GraderFault as fault:
        verdicts = {c.id: Verdict(status=Status.FAULT, message=fault.message) for c in task.checks}
    seconds = time.monotonic() - started
    plan.on_probed(name, task.id)
    return ExaminedTask(task=task.id, verdicts=verdicts, trainable=trainable, seconds=seconds)


def _probe_and_judge(
    name: str, task: Task, taken: Submission, plan: Plan
) -> tuple[dict[str, Verdict], dict[str, Trainable]]:
    """Verdicts by check, and what the checks without one wait for."""
    seed, builder_arguments = plan.run.seed, plan.profile.builders.get(task.id, {})
    drawn = judging.inputs(task, seed, builder_arguments)

    def judged(probed: Probed) -> tuple[judging.Case, dict[str, Verdict]]:
        case = judging.Case(task, probed.evidence, drawn, probed.ended, probed.refused)
        return case, judging.judge(case)

    nothing_written = untouched.evidence(task, taken.folder)
    if nothing_written is not None:
        case, verdicts = judged(Probed(nothing_written))
    else:
        probe = partial(
            probing.probe,
            plan.engine,
            task,
            taken.folder,
            seed=seed,
            builder_arguments=builder_arguments,
            limits=plan.limits,
            slots=plan.slots,
            probes=plan.probes,
        )
        probed = probe()
        case, verdicts = judged(probed)
        # Numbers that Keras computed may differ on TensorFlow; what a network is does not.
        if probed.backend == "numpy" and not task.builder and not _all_hold(verdicts):
            case, verdicts = judged(probe(before=probed))
    plan.on_evidence(task.id, case.evidence)
    trainable: dict[str, Trainable] = {}
    if plan.training is None:
        return verdicts, trainable
    for check in task.checks:
        if check.train is None:
            continue
        if check.train == "prepared":
            decided = to_train.prepared(case, check, verdicts)
            if decided is None and plan.training.trainer is None:
                continue
            handed = decided or _handed_over(name, task, taken, plan)
            if isinstance(handed, Verdict):
                verdicts[check.id] = handed
            else:
                trainable[check.id] = handed
            continue
        described = to_train.described_network(task, CLASSES[check.train], builder_arguments)
        network = to_train.network(case, check, verdicts, plan.profile.budget, described)
        if isinstance(network, Verdict):
            verdicts[check.id] = network
        else:
            found = plan.training.trainable(task.id, check.train, network, name, plan.profile.budget)
            if found is not None:
                trainable[check.id] = found
    return verdicts, trainable


def _handed_over(name: str, task: Task, taken: Submission, plan: Plan) -> Verdict | Trainable:
    """What is to be trained of what `prepare` hands over, or the verdict where that cannot be."""
    training = plan.training
    assert training is not None
    assert training.given is not None
    given = training.given()
    with given.turn:
        handed = handing.hand_over(
            plan.engine,
            task,
            taken.folder,
            given,
            seed=plan.profile.grading_seed,
            least=plan.profile.recipe.batch,
            slots=plan.slots,
        )
        return handed if isinstance(handed, Verdict) else training.trainable_on(handed, name)


def _all_hold(verdicts: Mapping[str, Verdict]) -> bool:
    return all(verdict.status in (Status.PASSED, Status.NOT_ATTEMPTED) for verdict in verdicts.values())
