"""What examined submissions and outcomes of trainings come to: marks, or the trainings that are still wanted.

Pure: nothing here probes, trains, reads or writes, and the order in which outcomes came to be known changes
nothing. A network that is known is decided by its run in the reference, which is final. A training whose
accuracy came out close to its threshold is followed by two under the extra seeds of the profile, and the
median of the three decides: three trainings for a builder and a label set at the most.
A training that overran its limits is settled: the described network is trained, alone and afresh, and shows
whether the network or the machine was too slow. So no submission can choose not to be graded, and a slow
machine costs nobody a mark.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.config.manifest import Check, Manifest, Task
from grader.config.profiles import LabelSet
from grader.errors import TrainerFault
from grader.grading import marking
from grader.grading.examine import Examined, ExaminedTask
from grader.grading.plan import Trainable, changed
from grader.results.record import Run, Status, SubmissionResult, TaskResult
from grader.results.verdict import Verdict
from grader.thresholds import Threshold, decisive, fraction
from grader.training.job import Job, Overrun, Result, limit_seconds

# For each digest of a job its result or what went wrong with the machine; an overrun is settled.
Outcomes = Mapping[str, Result | TrainerFault]


@dataclass(frozen=True)
class Rules:
    """What marks are decided by.

    Attributes:
        manifest: the tasks in their order, with weights and rules.
        run: what all results have in common.
        thresholds: by task and label set.
        extra_seeds: of the trainings that follow where one came close.
        backend: what computed the trainings that the thresholds were measured on; empty if there were none.
    """

    manifest: Manifest
    run: Run
    thresholds: Mapping[tuple[str, LabelSet], Threshold]
    extra_seeds: tuple[int, ...]
    backend: str = ""


@dataclass(frozen=True)
class Wanted:
    """A training whose outcome is not known.

    Attributes:
        job: which.
        task: whose network it trains.
    """

    job: Job
    task: str


@dataclass(frozen=True)
class Undecided:
    """What a submission waits for.

    Attributes:
        wanted: trainings whose outcome is not known; at least one.
        close: trainings that came close to their threshold, each with those that follow it.
    """

    wanted: tuple[Wanted, ...]
    close: tuple[tuple[Job, tuple[Job, ...]], ...]


def decide(examined: Examined, outcomes: Outcomes, rules: Rules) -> Undecided | SubmissionResult:
    """The marks of a submission, or the trainings they wait for."""
    wanted: list[Wanted] = []
    close: list[tuple[Job, tuple[Job, ...]]] = []
    for task in examined.tasks:
        for trainable in task.trainable.values():
            if trainable.job is None:
                continue  # known
            first, *further = jobs = _jobs(trainable.job, task.task, outcomes, rules)
            wanted += [Wanted(job, task.task) for job in jobs if job.digest not in outcomes]
            if further:
                close.append((first, tuple(further)))
    if wanted:
        return Undecided(tuple(wanted), tuple(close))
    return _result(examined, outcomes, rules)


def settle(
    job: Job,
    overrun: Overrun,
    described: Job,
    measured: Result | TrainerFault | None,
    again: Result | TrainerFault | None = None,
) -> Result | TrainerFault | Job:
    """Whose fault it was that a training overran: its outcome, or what has to be trained to tell.

    Args:
        job: what overran.
        overrun: how.
        described: the training of the described network.
        measured: what came of that, alone and afresh; None if it was not trained yet.
        again: what came of the job that this asked for once more, likewise.

    Returns:
        An Overrun that has `described` if it is the network's fault; a Job is to be trained alone and afresh.
    """
    if measured is None:
        return described
    if isinstance(measured, TrainerFault):
        return TrainerFault(
            f"{overrun.message}, and the same happened to the network that was asked for: {measured.message}"
        )
    if job.digest == described.digest:
        return measured
    enough = limit_seconds(measured.spent)
    right = job.blueprint == described.blueprint
    if right or (overrun.what == "time" and job.limit_seconds < enough):
        # It was given too little, or is the described network under another seed.
        if again is None:
            return changed(job, limit_seconds=max(enough, job.limit_seconds))
        if right or not isinstance(again, Overrun):
            return again
        overrun = again
    return Overrun(overrun.what, overrun.given, measured.spent)


def _jobs(first: Job, task: str, outcomes: Outcomes, rules: Rules) -> list[Job]:
    """The trainings that a check is decided by, as far as it is known: one, or three if it came close."""
    outcome = outcomes.get(first.digest)
    # What was not trained is no result to add to.
    if isinstance(outcome, Result) and rules.thresholds[task, first.labels].close(outcome.accuracy):
        return [first, *(changed(first, seed=seed) for seed in rules.extra_seeds)]
    return [first]


def _result(examined: Examined, outcomes: Outcomes, rules: Rules) -> SubmissionResult:
    found = {task.task: task for task in examined.tasks}
    tasks = tuple(
        _task(task, found[task.id], outcomes, rules) for task in rules.manifest.tasks if task.id in found
    )
    return SubmissionResult(
        name=examined.name,
        run=_run(tasks, rules),
        tasks=tasks,
        seconds=sum(task.seconds for task in examined.tasks),
        problem=examined.problem,
        notes=examined.notes,
    )


def _run(tasks: Sequence[TaskResult], rules: Rules) -> Run:
    """The run; provisional for one more reason if something was trained with other libraries than thresholds.

    Before anything is trained nobody knows which these are: where all is known, none are needed.
    """
    here = {
        check.data["backend"]
        for task in tasks
        for check in task.checks
        if "backend" in check.data and not check.data.get("known")
    }
    others = sorted(here - {rules.backend}) if rules.backend else []
    if not others:
        return rules.run
    reason = f"thresholds were measured with {rules.backend}, networks trained with {', '.join(others)}"
    because = "; ".join(filter(None, (rules.run.provisional_because, reason)))
    return rules.run.model_copy(update={"provisional_because": because})


def _task(task: Task, examined: ExaminedTask, outcomes: Outcomes, rules: Rules) -> TaskResult:
    verdicts = dict(examined.verdicts)
    for check in task.checks:
        if check.id in examined.trainable:
            verdicts[check.id] = _learned(examined, check, outcomes, rules)
    lines = marking.mark(task, verdicts, rules.manifest)
    return TaskResult(task=task.id, title=task.title, checks=lines, seconds=examined.seconds)


def _learned(task: ExaminedTask, check: Check, outcomes: Outcomes, rules: Rules) -> Verdict:
    """Decides by what is known; else by one training, or the median of three where the first came close."""
    assert check.train
    labels = check.labels
    network = task.trainable[check.id]
    threshold = rules.thresholds[task.task, labels]
    if network.known is not None:
        return _verdict([network.known.result], network, labels, threshold)
    assert network.job is not None
    jobs = _jobs(network.job, task.task, outcomes, rules)
    results: list[Result] = []
    for job in jobs:
        outcome = outcomes[job.digest]
        if isinstance(outcome, Overrun) and outcome.described is not None:
            return _overran(outcome, job)
        if isinstance(outcome, TrainerFault):
            return Verdict(
                status=Status.FAULT,
                message=outcome.message,
                data={"training": job.digest, "seed": job.seed},
            )
        results.append(outcome)
    return _verdict(results, network, labels, threshold)


def _verdict(
    results: Sequence[Result], network: Trainable, labels: LabelSet, threshold: Threshold
) -> Verdict:
    """What results come to: one, or three of which the median decides."""
    result = results[int(decisive([result.accuracy for result in results]))]
    known, ways = network.known, {1: "one training", 3: "the median of three trainings"}
    data: dict[str, Any] = {
        "accuracy": result.accuracy,
        "accuracies": [result.accuracy for result in results],
        "seeds": [result.seed for result in results],
        "trainings": [result.digest for result in results],
        "decided_by": "a run of the reference network" if known else ways[len(results)],
        "known": known is not None,
        "threshold": threshold.threshold,
        "threshold_calibrated": threshold.calibrated,
        "threshold_source": threshold.source,
        "threshold_runs": threshold.n,
        "threshold_mean": threshold.mean,
        "threshold_sd": threshold.sd,
        "threshold_rate": threshold.rate,
        "chance": threshold.chance,
        "label_set": labels,
        "prepared": network.job.prepared if network.job else "",
        "blueprint": network.blueprint,
        "parameters": network.parameters,
        "replaced": [dict(one) for one in network.replaced],
        # of the training that decided
        "training": result.digest,
        "seed": result.seed,
        "train_accuracy": result.train_accuracy,
        "loss": result.loss,
        "seconds": result.seconds,
        "backend": result.backend,
        "machine": result.machine,
        "when": result.when,
        "versions": result.versions,
    }
    message = _in_words(results, result, threshold, network)
    earned = fraction(result.accuracy, threshold.threshold, threshold.chance)
    if earned >= 1:
        return Verdict.passed(message, **data)
    return Verdict.failed(" ".join(filter(None, (message, _beyond(network)))), fraction=earned, **data)


def _overran(overrun: Overrun, job: Job) -> Verdict:
    """The verdict on a training that took too much, where the described network's does not."""
    if overrun.what == "time":
        message = (
            f"Training took more than {overrun.given:.0f} s of processor time and was stopped. The network "
            f"that was asked for takes {overrun.described:.0f} s here, and the limit is twice that."
        )
    else:
        message = (
            f"Training took more than {overrun.given / 1024**3:.1f} GiB of memory and was stopped. The "
            "network that was asked for needs less."
        )
    return Verdict.failed(
        message,
        hint="Fix the failed checks above first: a layer that should not be there takes so much.",
        training=job.digest,
        seed=job.seed,
        limit=overrun.given,
    )


def _in_words(results: Sequence[Result], decided: Result, threshold: Threshold, network: Trainable) -> str:
    """What a network reached, what earns full marks and what stands behind that, for a student."""
    # Two that differ must not look alike.
    digits = 2 if len(results) > 1 or abs(decided.accuracy - threshold.threshold) < 0.001 else 1
    replaced = _replaced(network)
    if network.known is not None:
        wanted = f"Full marks from {threshold.threshold:.{digits}%}; chance is {threshold.chance:.0%}."
        return " ".join(filter(None, (network.known.in_words(digits), wanted, replaced)))
    prepared = network.job is not None and bool(network.job.prepared)
    which = "the test part" if prepared else "hidden images"
    full = f"full marks from {threshold.threshold:.{digits}%}"
    said = [f"Accuracy {decided.accuracy:.{digits}%} on {which}; {full}."]
    if prepared:
        said.append("It is the course's ResNet, trained on the arrays that prepare returned.")
    if len(results) > 1:
        each = ", ".join(f"{result.accuracy:.{digits}%}" for result in results)
        said.append(f"Close: decided by the median of three trainings: {each}.")
    said += [threshold.in_words(digits), f"Chance is {threshold.chance:.0%}.", f"Trained on {decided.where}."]
    return " ".join(filter(None, (*said, replaced)))


def _beyond(network: Trainable) -> str:
    """What may have kept a network from learning: where it goes beyond what the brief leaves open."""
    if not network.outside:
        return ""
    first, *more = network.outside
    return f"Beyond what the brief leaves open: {first}" + (f" (and {len(more)} more)." if more else ".")


def _replaced(network: Trainable) -> str:
    """What was trained in the place of what was written, in short; empty if nothing was replaced."""
    if not network.replaced:
        return ""
    each = ", ".join(f"{one['rule']} ({one['nodes']})" for one in network.replaced)
    return f"Trained with the course's own choice of: {each}."
