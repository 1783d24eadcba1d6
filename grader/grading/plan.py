"""All that a grading run needs to know: what is asked, where it runs, and how networks are trained.

plan.py     what a run needs to know
examine.py  one submission: taken in, probed, judged, as far as it goes without a training
decide.py   what examined submissions and outcomes of trainings come to; pure
run.py      all submissions: who is examined, trained and handed on when
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from grader import intake
from grader.blueprint import Blueprint, Budget, outside, read, training_form
from grader.config.manifest import Manifest
from grader.config.profiles import LabelSet, Profile
from grader.errors import TrainerFault
from grader.grading import probing
from grader.grading.evidence import Evidence
from grader.grading.handing import Given
from grader.grading.probe_store import Probes
from grader.intake import Source, Submission
from grader.results.record import Run
from grader.sandbox import Engine, Limits
from grader.slots import Slots
from grader.thresholds import Known, Threshold
from grader.training.handed import Handed
from grader.training.job import Job, Result
from lab.strict import Strict

AT_A_TIME = 2  # submissions that are unpacked


class Trainer(Protocol):
    """Trains networks, in places that it shares with the probes."""

    def submit(
        self, job: Job, *, alone: bool = False, afresh: bool = False
    ) -> "Future[Result | TrainerFault]":
        """Asks for a training and returns at once.

        Args:
            job: what is trained; the future has its result, or what kept it from having one.
            alone: whether it is trained while nothing else runs, neither trainings nor probes.
            afresh: whether it is trained even if its result is stored.
        """
        ...


class Trainable(Strict):
    """A network on whose training a check waits, or of which that is known.

    Attributes:
        job: its training; None if that is known.
        known: what came of it in the reference runs; None if it has to be trained.
        blueprint: the digest of the network as it was written.
        parameters: all its weights.
        replaced: what is trained in the place of what was written: each has the fields of
            grader.blueprint.Replaced.
        outside: where it goes beyond what the brief leaves open, a sentence each; empty for what is known.
    """

    job: Job | None = None
    known: Known | None = None
    blueprint: str
    parameters: int
    replaced: tuple[dict[str, Any], ...] = ()
    outside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Training:
    """How the networks of a run are trained and what is asked of them.

    Attributes:
        trainer: trains jobs. None to train nothing: what is known is decided by that, and the check of any
            other network is left out, undecided.
        job: the training of a training form: (task, label set, training form, whose) -> Job.
        threshold: by task and label set.
        on_close: called before further trainings are asked for, with those that came close to a threshold,
            each with those that are to follow.
        described: the training of the network that a task asked for, under the profile's own limit: (task,
            label set) -> Job. None to take every overrun for a fault of the machine.
        known: what is known of a training form: (task, label set, training form) -> Known or None.
        backend: what computed the trainings that the thresholds were measured on; empty if there were none.
        given: the images that `prepare` is given where what it hands over is trained on.
        on_prepared: the training of the reference network on what was handed over: (arrays, whose) -> Job.
    """

    trainer: Trainer | None
    job: Callable[[str, LabelSet, Blueprint, str], Job]
    threshold: Callable[[str, LabelSet], Threshold]
    on_close: Callable[[Sequence[tuple[Job, Sequence[Job]]]], None] = lambda close: None
    described: Callable[[str, LabelSet], Job] | None = None
    known: Callable[[str, LabelSet, Blueprint], Known | None] = lambda task, labels, network: None
    backend: str = ""
    given: Callable[[], Given] | None = None
    on_prepared: Callable[[Handed, str], Job] | None = None

    def trainable_on(self, handed: Handed, owner: str) -> Trainable:
        """What is to be trained of the arrays that a submission handed over; for any thread."""
        assert self.on_prepared
        job = self.on_prepared(handed, owner)
        network = read(job.blueprint, job.budget)
        return Trainable(job=job, blueprint=network.digest, parameters=network.parameters)

    def trainable(
        self, task: str, labels: LabelSet, written: Blueprint, owner: str, budget: Budget
    ) -> Trainable | None:
        """What is to be trained of a submission's network, or is known of it; may be called from any thread.

        None where it is not known and nothing is trained.

        Args:
            task, labels: whose check waits for it.
            written: the network as the submission builds it.
            owner: the submission.
            budget: the most that a network may take.
        """
        form = training_form(written, budget)
        known = self.known(task, labels, form.network)
        if known is None and self.trainer is None:
            return None
        return Trainable(
            job=None if known else self.job(task, labels, form.network, owner),
            known=known,
            blueprint=written.digest,
            parameters=written.parameters,
            replaced=tuple(asdict(one) for one in form.replaced),
            outside=() if known else tuple(one.says for one in outside(written)),
        )


@dataclass(frozen=True)
class Plan:
    """All that a run needs to know.

    Attributes:
        manifest: the tasks.
        profile: how they are graded.
        engine: where probes run.
        run: what all results have in common.
        training: None to leave out the checks that train.
        slots: shared by the probes and the trainings of the run.
        on_probed: called with submission and task when a task is probed, from any thread.
        on_began: called with a submission when work on it begins, from any thread.
        take_in: gives a submission's files; from what was read before, where it was.
        on_evidence: called with a task and its evidence when that is judged, from any thread.
        limits: of all probes of one task of one submission together.
        probes: where probes are kept, so that none is made twice; None to make all of them.
        at_a_time: submissions that are unpacked; more where probes run on many machines.
    """

    manifest: Manifest
    profile: Profile
    engine: Engine
    run: Run
    training: Training | None
    slots: Slots = field(default_factory=lambda: Slots(2))
    on_probed: Callable[[str, str], None] = lambda submission, task: None
    on_evidence: Callable[[str, Evidence], None] = lambda task, evidence: None
    limits: Limits = probing.LIMITS
    probes: Probes | None = None
    on_began: Callable[[str], None] = lambda submission: None
    take_in: Callable[[Source, Sequence[str], Path], Submission] = intake.take_in
    at_a_time: int = AT_A_TIME


def changed(job: Job, **changes: Any) -> Job:
    """A job with some fields changed. Not model_copy: it would copy the digest that is cached in the job."""
    return Job(**{**{name: getattr(job, name) for name in Job.model_fields}, **changes})
