"""What a run would do, and how long that would take: from what is stored, with nothing run and nothing kept.

    found = forecast.look(session, sources, seed=7, take_in=shelf.take_in)
    print(estimate.sentence(found.work, forecast.pace(session)))

A submission is examined as in a run, but for its sandboxes: where a probe is stored, what it left is judged
and its networks are looked up; where it is not, nobody knows yet what has to be trained.
"""

import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from grader.errors import GraderFault, TrainerFault
from grader.estimate import Pace, Work
from grader.grading.examine import Examined, examine
from grader.grading.handing import Given
from grader.grading.plan import Plan
from grader.grading.probe_store import Probes
from grader.intake import Source, Submission
from grader.results.record import Status
from grader.sandbox import Availability, Engine, Outcome, Program
from grader.session import Session
from grader.training import store
from grader.training.job import Job, Result
from grader.training.progress import Display

_NOT_RUN = "nothing is run in a dry run"


@dataclass(frozen=True)
class Forecast:
    """What is known beforehand.

    Attributes:
        work: all of it.
        to_probe: by submission, how many of its tasks are to be probed.
    """

    work: Work
    to_probe: dict[str, int]


def look(
    session: Session,
    sources: Sequence[Source],
    *,
    seed: int,
    take_in: Callable[[Source, Sequence[str], Path], Submission],
    retrain: bool = False,
    on_seen: Callable[[int, int], object] = lambda seen, of: None,
) -> Forecast:
    """What grading these would take.

    Args:
        session: of the run.
        sources: what is to be graded.
        seed: of the probe inputs.
        take_in: gives a submission's files.
        retrain: whether known networks would be trained all the same.
        on_seen: called with how many were looked at, and of how many.
    """
    training = session.training(_NoTrainer(), Display(Console(quiet=True), 0), retrain=retrain)
    plan = Plan(
        session.manifest,
        session.profile,
        _NoEngine(session.engine),
        session.run(seed),
        replace(training, given=_not_run),
        probes=Probes(session.root / ".kit" / "probes", read_only=True),
        take_in=take_in,
    )
    to_probe: dict[str, int] = {}
    known: set[str] = set()
    stored: set[str] = set()
    new: set[str] = set()
    with ThreadPoolExecutor(session.workers) as pool:
        for place, source in enumerate(sources, 1):
            examined = examine(source, plan, pool)
            to_probe[source.name] = _not_made(examined)
            for trainable in (one for task in examined.tasks for one in task.trainable.values()):
                if trainable.known is not None:
                    known.add(trainable.known.result.digest)
                elif trainable.job is not None:
                    is_there = store.find(trainable.job, session.store) is not None
                    (stored if is_there else new).add(trainable.job.digest)
            on_seen(place, len(sources))
    probes = sum(to_probe.values())
    tasks = len(session.manifest.tasks)
    work = Work(
        students=len(sources),
        tasks=tasks,
        probes_stored=len(sources) * tasks - probes,
        trainings_known=len(known),
        trainings_stored=len(stored),
        trainings=len(new),
        may_grow=bool(probes),
    )
    return Forecast(work, to_probe)


def pace(session: Session) -> Pace:
    """What a probe and a training take: by the last that were made here, else by the reference runs."""
    probes = Probes(session.root / ".kit" / "probes", read_only=True).seconds()
    trainings = store.seconds(session.store, session.pin)
    if not trainings and session.reference_runs is not None:
        trainings = [run.result.seconds for run in session.reference_runs.runs]
    return Pace(
        statistics.mean(probes) if probes else None,
        statistics.mean(trainings) if trainings else None,
        session.workers,
    )


def _not_made(examined: Examined) -> int:
    """How many tasks would have to be probed."""
    return sum(
        any(one.status is Status.FAULT and one.message == _NOT_RUN for one in task.verdicts.values())
        for task in examined.tasks
    )


def _not_run() -> Given:
    raise GraderFault(_NOT_RUN)


class _NoEngine(Engine):
    """An engine that runs nothing, and is another's in all else."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.isolates = engine.name, engine.isolates

    def availability(self) -> Availability:
        return self._engine.availability()

    def soft(self) -> str:
        return self._engine.soft()

    def shows(self, path: Path) -> Path | None:
        return self._engine.shows(path)

    def run(self, program: Program) -> Outcome:
        raise GraderFault(_NOT_RUN)


class _NoTrainer:
    """Trains nothing; it is never asked to."""

    def submit(
        self, job: Job, *, alone: bool = False, afresh: bool = False
    ) -> "Future[Result | TrainerFault]":
        raise GraderFault(_NOT_RUN)
