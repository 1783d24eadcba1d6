"""Grades submissions: probes and judges all of them, trains each distinct network once, gives the marks.

Training comes after all probing, so that a class costs as many trainings as it has different networks. Where
a network came out close to its threshold, a second round trains it under both extra seeds of the profile, and
the median of the three accuracies decides: three trainings for a builder and a label set at the most.
After each round, what overran is settled: the described network is trained, alone and afresh, and shows
whether the network or the machine was too slow. So no submission can choose not to be graded, and a slow
machine costs nobody a mark.
Nothing here knows how a probe is isolated, how a check is decided or how a network is trained.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.blueprint import Blueprint
from grader.config.manifest import Check, Manifest, Task
from grader.config.profiles import CLASSES, LabelSet, Profile
from grader.errors import GraderFault, SubmissionError, TrainerFault
from grader.grading import intake, judging, probing
from grader.grading.intake import Source, Submission
from grader.results import hints
from grader.results.record import CheckResult, Run, Status, SubmissionResult, TaskResult
from grader.results.verdict import Verdict
from grader.sandbox import Engine, Limits
from grader.slots import Slots
from grader.thresholds import Threshold, decisive, fraction
from grader.training.trainer import Job, Overrun, Result, limit_seconds

# For each digest of a job its result or what went wrong with the machine.
Outcomes = Mapping[str, Result | TrainerFault]
Train = Callable[[Sequence[Job]], Outcomes]  # trains jobs, each once


@dataclass(frozen=True)
class Training:
    """How the networks of a run are trained and what is asked of them.

    Attributes:
        job: the training of a network: (task, label set, blueprint, whose) -> Job.
        threshold: by task and label set.
        train: runs the jobs.
        on_close: told before the second round, if there is one, which trainings came close to a threshold,
            each with those that are to follow.
        described: the training of the network that a task asked for, under the profile's own limit: (task,
            label set) -> Job. None to take every overrun for a fault of the machine.
        afresh: runs one job alone, whatever is stored. Needed where `described` is given.
    """

    job: Callable[[str, LabelSet, Blueprint, str], Job]
    threshold: Callable[[str, LabelSet], Threshold]
    train: Train
    on_close: Callable[[Sequence[tuple[Job, Sequence[Job]]]], None] = lambda close: None
    described: Callable[[str, LabelSet], Job] | None = None
    afresh: Callable[[Job], Result | TrainerFault] | None = None


@dataclass(frozen=True)
class Plan:
    """All that a run needs to know. Without `training` the checks that train are left out."""

    manifest: Manifest
    profile: Profile
    engine: Engine
    run: Run
    training: Training | None
    slots: Slots = field(default_factory=lambda: Slots(2))  # of the probes of this run
    on_probed: Callable[[str, str], None] = lambda submission, task: None
    limits: Limits = probing.LIMITS  # of all probes of one task of one submission together


@dataclass
class _Examined:
    """A submission after probing: what is decided, and the networks that still have to be trained."""

    name: str
    notes: tuple[str, ...] = ()
    problem: str = ""
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)  # by task, by check
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)  # by task and check
    networks: dict[tuple[str, str], Blueprint] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # by task


def grade(sources: Sequence[Source], plan: Plan) -> Iterator[SubmissionResult]:
    """Grades submissions and yields a result for each, in order, when all networks are trained."""
    # Tasks are probed side by side, and so are two submissions, for those that hold one task alone; no more
    # than two, so that few are unpacked at a time.
    with (
        ThreadPoolExecutor(plan.slots.count, thread_name_prefix="probe") as probes,
        ThreadPoolExecutor(min(2, plan.slots.count), thread_name_prefix="submission") as submissions,
    ):
        examined = list(submissions.map(lambda source: _examine(source, plan, probes), sources))
    trained = _train(examined, plan.training, plan) if plan.training else {}
    for one in examined:
        yield _result(one, trained, plan)


def _train(examined: Sequence[_Examined], training: Training, plan: Plan) -> Outcomes:
    """The outcomes of both rounds: all networks once, then those that came close under the extra seeds."""
    jobs = {job.digest: job for one in examined for job in one.jobs.values()}
    if not jobs:
        return {}
    # Before hours of training: a threshold that was never measured is an error.
    wanted = {
        (task, job.labels): training.threshold(task, job.labels)
        for one in examined
        for (task, _), job in one.jobs.items()
    }
    tasks = {job.digest: task for one in examined for (task, _), job in one.jobs.items()}
    settling = _Settling(training)
    trained = settling.settled(list(jobs.values()), tasks)
    close: dict[str, tuple[Job, Sequence[Job]]] = {}
    for one in examined:
        for (task, _), job in one.jobs.items():
            if _is_close(trained[job.digest], wanted[task, job.labels]):
                close[job.digest] = job, _further(job, plan.profile)
    if not close:
        return trained
    training.on_close(list(close.values()))
    further = [again for _, jobs in close.values() for again in jobs]
    tasks |= {again.digest: tasks[digest] for digest, (_, jobs) in close.items() for again in jobs}
    return {**trained, **settling.settled(further, tasks)}


class _Settling:
    """Trains, and finds out whose fault it was where a training passed a limit."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._measured: dict[tuple[str, LabelSet], Result | TrainerFault] = {}  # described networks

    def settled(self, jobs: Sequence[Job], tasks: Mapping[str, str]) -> Outcomes:
        """The outcomes of jobs; an Overrun among them is the network's fault if it has `described`.

        Args:
            jobs: to be trained.
            tasks: for each digest, the task whose network it is.
        """
        outcomes = dict(self._training.train(jobs))
        for job in jobs:
            outcome = outcomes[job.digest]
            if isinstance(outcome, Overrun):
                outcomes[job.digest] = self._settle(job, tasks[job.digest], outcome)
        return outcomes

    def _settle(self, job: Job, task: str, overrun: Overrun) -> Result | TrainerFault:
        described, afresh = self._training.described, self._training.afresh
        if described is None or afresh is None:
            return overrun
        wanted = described(task, job.labels)
        if (task, job.labels) not in self._measured:
            self._measured[task, job.labels] = afresh(wanted)
        measured = self._measured[task, job.labels]
        if isinstance(measured, TrainerFault):
            return TrainerFault(
                f"{overrun.message}, and so it was with the network that was asked for: {measured.message}"
            )
        if job.digest == wanted.digest:
            return measured
        enough = limit_seconds(measured.spent)
        right = job.blueprint == wanted.blueprint
        if right or (overrun.what == "time" and job.limit_seconds < enough):
            # It was given too little, or is the described network under another seed.
            again = afresh(changed(job, limit_seconds=max(enough, job.limit_seconds)))
            if right or not isinstance(again, Overrun):
                return again
            overrun = again
        return Overrun(overrun.what, overrun.given, measured.spent)


def _is_close(first: Result | TrainerFault, threshold: Threshold) -> bool:
    """Whether one training does not tell; what was not trained is no result to add to."""
    return isinstance(first, Result) and threshold.close(first.accuracy)


def _further(job: Job, profile: Profile) -> Sequence[Job]:
    """The same training under each of the extra seeds."""
    return [changed(job, seed=seed) for seed in profile.extra_seeds]


def changed(job: Job, **changes: Any) -> Job:
    """A job with some fields changed. Not model_copy: it would copy the digest that is cached in the job."""
    return Job(**{**{name: getattr(job, name) for name in Job.model_fields}, **changes})


def _examine(source: Source, plan: Plan, pool: ThreadPoolExecutor) -> _Examined:
    one = _Examined(source.name)
    modules = [task.module for task in plan.manifest.tasks]
    with tempfile.TemporaryDirectory(prefix="kit-submission-") as folder:
        try:
            taken = intake.take_in(source, modules, Path(folder))
        except SubmissionError as error:
            one.problem = str(error)
            return one
        one.notes = taken.notes
        pending = [pool.submit(_examine_task, one, task, taken, plan) for task in plan.manifest.tasks]
        for future in pending:
            future.result()
    return one


def _examine_task(one: _Examined, task: Task, taken: Submission, plan: Plan) -> None:
    started = time.monotonic()
    try:
        if task.module in taken.missing:
            message = taken.missing[task.module]
            verdicts = {c.id: Verdict(status=Status.NOT_ATTEMPTED, message=message) for c in task.checks}
        else:
            verdicts = _probe_and_judge(one, task, taken, plan)
    except GraderFault as fault:
        verdicts = {c.id: Verdict(status=Status.FAULT, message=fault.message) for c in task.checks}
    one.verdicts[task.id] = verdicts
    one.seconds[task.id] = time.monotonic() - started
    plan.on_probed(one.name, task.id)


def _probe_and_judge(one: _Examined, task: Task, taken: Submission, plan: Plan) -> dict[str, Verdict]:
    seed, builder_arguments = plan.run.seed, plan.profile.builders.get(task.id, {})
    probed = probing.probe(
        plan.engine,
        task,
        taken.folder,
        seed=seed,
        builder_arguments=builder_arguments,
        limits=plan.limits,
        slots=plan.slots,
    )
    drawn = judging.inputs(task, seed, builder_arguments)
    case = judging.Case(task, probed.evidence, drawn, probed.ended, probed.refused)
    verdicts = judging.judge(case)
    if plan.training is None:
        return verdicts
    for check in task.checks:
        if check.train is None:
            continue
        described = judging.described_network(task, CLASSES[check.train], builder_arguments)
        network = judging.network(case, check, verdicts, plan.profile.budget, described)
        if isinstance(network, Verdict):
            verdicts[check.id] = network
        else:
            one.networks[task.id, check.id] = network
            one.jobs[task.id, check.id] = plan.training.job(task.id, check.train, network, one.name)
    return verdicts


def _result(one: _Examined, trained: Outcomes, plan: Plan) -> SubmissionResult:
    tasks = []
    for task in plan.manifest.tasks:
        if task.id not in one.verdicts:
            continue
        verdicts = dict(one.verdicts[task.id])
        for check in task.checks:
            if (task.id, check.id) in one.jobs:
                verdicts[check.id] = _learned(one, task, check, trained, plan)
        checks = tuple(_check(check, verdicts[check.id]) for check in task.checks if check.id in verdicts)
        tasks.append(TaskResult(task=task.id, title=task.title, checks=checks, seconds=one.seconds[task.id]))
    return SubmissionResult(
        name=one.name,
        run=plan.run,
        tasks=tuple(tasks),
        seconds=sum(one.seconds.values()),
        problem=one.problem,
        notes=one.notes,
    )


def _learned(one: _Examined, task: Task, check: Check, trained: Outcomes, plan: Plan) -> Verdict:
    """Decides by one training, or by the median of three where the first came close to the threshold."""
    assert plan.training
    assert check.train
    first = one.jobs[task.id, check.id]
    network = one.networks[task.id, check.id]
    threshold = plan.training.threshold(task.id, check.train)
    jobs = [first]
    if _is_close(trained[first.digest], threshold):
        jobs += _further(first, plan.profile)
    results: list[Result] = []
    for job in jobs:
        outcome = trained[job.digest]
        if isinstance(outcome, Overrun) and outcome.described is not None:
            return _overran(outcome, job)
        if isinstance(outcome, TrainerFault):
            return Verdict(
                status=Status.FAULT,
                message=outcome.message,
                data={"training": job.digest, "seed": job.seed},
            )
        results.append(outcome)
    result = results[int(decisive([result.accuracy for result in results]))]
    data: dict[str, Any] = {
        "accuracy": result.accuracy,
        "accuracies": [result.accuracy for result in results],
        "seeds": [job.seed for job in jobs],
        "trainings": [job.digest for job in jobs],
        "decided_by": "one training" if len(jobs) == 1 else "the median of three trainings",
        "threshold": threshold.threshold,
        "threshold_calibrated": threshold.calibrated,
        "threshold_source": threshold.source,
        "threshold_runs": threshold.trainings,
        "threshold_mean": threshold.mean,
        "threshold_sd": threshold.sd,
        "threshold_rate": threshold.rate,
        "chance": threshold.chance,
        "label_set": check.train,
        "blueprint": network.digest,
        "parameters": network.parameters,
        # of the training that decided
        "training": result.digest,
        "seed": result.seed,
        "train_accuracy": result.train_accuracy,
        "loss": result.loss,
        "seconds": result.seconds,
        "engine": result.engine,
        "machine": result.machine,
        "versions": result.versions,
    }
    message = _in_words(results, result, threshold)
    earned = fraction(result.accuracy, threshold.threshold, threshold.chance)
    if earned >= 1:
        return Verdict.passed(message, **data)
    return Verdict.failed(message, fraction=earned, **data)


def _overran(overrun: Overrun, job: Job) -> Verdict:
    """The verdict on a training that took too much, where the described network's does not."""
    if overrun.what == "time":
        message = (
            f"Training took more than {overrun.given:.0f} s of processor time and was stopped. The network "
            f"that was asked for takes {overrun.described:.0f} s here, and twice that is what there is."
        )
    else:
        message = (
            f"Training took more than {overrun.given / 1024**3:.1f} GiB of memory and was stopped. The "
            "network that was asked for keeps within that."
        )
    return Verdict.failed(
        message,
        hint="Fix the failed checks above first: a layer that should not be there is what takes so much.",
        training=job.digest,
        seed=job.seed,
        limit=overrun.given,
    )


def _in_words(results: Sequence[Result], decided: Result, threshold: Threshold) -> str:
    """What a network reached, what was wanted and what stands behind that, for a student."""
    # Two that differ must not look alike.
    digits = 2 if len(results) > 1 or abs(decided.accuracy - threshold.threshold) < 0.001 else 1
    said = [f"{decided.accuracy:.{digits}%} of hidden images right, {threshold.threshold:.{digits}%} wanted."]
    if len(results) > 1:
        each = ", ".join(f"{result.accuracy:.{digits}%}" for result in results)
        said.append(f"Close: decided by the median of three trainings: {each}.")
    said += [threshold.in_words(digits), f"Chance is {threshold.chance:.0%}."]
    return " ".join(said)


def _check(check: Check, verdict: Verdict) -> CheckResult:
    return CheckResult(
        check=check.id,
        title=check.title,
        status=verdict.status,
        points=round(check.points * verdict.fraction, 2),
        max_points=check.points,
        message=verdict.message,
        hint=hints.of_check(verdict.hint, check.hint),
        data=verdict.data,
        drawing=verdict.drawing,
    )
