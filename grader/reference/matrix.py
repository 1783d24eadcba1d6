"""Which trainings a profile's reference runs consist of, which are stored, and how long the rest will take.

For each task and label set the training form of what the solution builds is trained under the grading seed,
which is the mark of every submission with that training form, and under every reference seed, which set the
threshold.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from grader import blueprint
from grader.config.profiles import CLASSES, LabelSet, Profile
from grader.errors import GraderFault, TrainerFault
from grader.reference.solutions import Described, Networks
from grader.thresholds import ReferenceRun, Runs
from grader.training import pool, progress
from grader.training.executors import Executor
from grader.training.job import Conditions, Job, Outcome, Result
from grader.training.store import find

VERSION = 2  # of which trainings there are and what is kept of them: see grader/reference/versions.py

_START_SECONDS = 10.0  # of a child, before it trains: importing Keras, reading the images


class Key(NamedTuple):
    """One training of a task."""

    labels: LabelSet
    seed: int


def seeds(profile: Profile) -> tuple[int, ...]:
    """Those under which every network is trained: the grading seed comes first."""
    return profile.grading_seed, *profile.reference_seeds


@dataclass(frozen=True)
class Cells:
    """The trainings of one task under one profile.

    Attributes:
        networks: what is trained.
        profile: how.
        pin: of the data.
        backend: what computes, as in Conditions.
    """

    networks: Networks
    profile: Profile
    pin: str
    backend: str

    @cached_property
    def jobs(self) -> dict[Key, Job]:
        """Every training, in the order of label set, seed."""
        return {
            Key(one.labels, seed): self.job(one, seed)
            for one in self.networks.networks
            for seed in seeds(self.profile)
        }

    def job(self, described: Described, seed: int) -> Job:
        """The training of one of the networks."""
        network = blueprint.read(described.network, self.profile.budget)
        return Job.of(network, described.labels, seed, self.profile, self.pin, self.backend)

    def ready(self, results: Mapping[str, Result]) -> list[Key]:
        """Those that have no result, seed by seed: a run cut short has seen all networks."""
        order = seeds(self.profile)
        keys = [key for key, job in self.jobs.items() if job.digest not in results]
        return sorted(keys, key=lambda key: order.index(key.seed))

    def stored(self, store: Path) -> dict[str, Result]:
        """The results that are there, by digest."""
        found = {job.digest: find(job, store) for job in self.jobs.values()}
        return {digest: result for digest, result in found.items() if result is not None}

    def name(self, key: Key) -> str:
        """What to call a training."""
        return f"{self.networks.task}, {key.labels} labels, seed {key.seed}"


@dataclass
class Share:
    """How far one task is.

    Attributes:
        wanted: its trainings.
        done: of these.
        seconds: what those that are done took, each.
    """

    wanted: int
    done: int = 0
    seconds: list[float] = field(default_factory=list)


def survey(cells: Cells, store: Path) -> Share:
    """How far a task is by what is stored."""
    done = cells.stored(store).values()
    return Share(len(cells.jobs), len(done), [result.seconds + _START_SECONDS for result in done])


def unknown(profile: Profile) -> Share:
    """A task whose networks are not described yet."""
    return Share(len(CLASSES) * len(seeds(profile)))


class Progress(progress.Display):
    """Shows each training, and over all tasks of the profile how many are done and the time left.

    Args:
        console: where to.
        cells: those being trained.
        shares: of every task of the profile, the trained one included.
        workers: how many train at a time.
    """

    def __init__(self, console: Console, cells: Cells, shares: dict[str, Share], workers: int) -> None:
        super().__init__(console, 0, {job.digest: cells.name(key) for key, job in cells.jobs.items()})
        self._cells, self._shares, self._workers = cells, shares, workers
        self._share = shares[cells.networks.task]
        self._results: dict[str, Result] = {}
        self._began: dict[str, float] = {}
        self._measured: list[float] = []

    def found(self, results: Mapping[str, Result]) -> None:
        """These were stored before."""
        self._results |= results
        self._count()

    def started(self, job: Job) -> None:
        """See Listener."""
        with self._lock:
            self._began[job.digest] = time.monotonic()
            super().started(job)

    def ended(self, job: Job, outcome: Outcome) -> None:
        """See Listener."""
        with self._lock:
            began = self._began.pop(job.digest, None)
            super().ended(job, outcome)
            if isinstance(outcome, TrainerFault):
                return
            self._results[job.digest] = outcome
            if began is not None:
                # By the clock: what a training takes beside its neighbours, its start included.
                self._measured.append(time.monotonic() - began)
                self._share.seconds = self._measured
            self._count()
            self._log(f"  {self.summary()}")

    def left(self) -> str:
        """Of the whole profile."""
        return f"profile {self._cells.profile.name}: {self.summary()}"

    def summary(self) -> str:
        """Such as `34 of 150 trainings done, 3:12:00 left`."""
        wanted, done = (
            sum(getattr(share, name) for share in self._shares.values()) for name in ("wanted", "done")
        )
        left = remaining(self._shares, self._workers)
        if left is None:
            return f"{done} of {wanted} trainings done"
        running = sum(time.monotonic() - began for began in self._began.values())
        return f"{done} of {wanted} trainings done, {clock(left - running / self._workers)} left"

    def _count(self) -> None:
        self._share.done = sum(job.digest in self._results for job in self._cells.jobs.values())


def remaining(shares: Mapping[str, Share], workers: int) -> float | None:
    """Seconds until everything is trained; None where nothing is known of any of it.

    A task of which nothing is trained is taken to be like the others.
    """
    means = {task: statistics.mean(share.seconds) for task, share in shares.items() if share.seconds}
    if all(share.done >= share.wanted for share in shares.values()):
        return 0.0
    if not means:
        return None
    usual = statistics.mean(means.values())
    return sum((share.wanted - share.done) * means.get(task, usual) for task, share in shares.items()) / max(
        1, workers
    )


def measure(cells: Cells, *, store: Path, workers: int, display: Progress, executor: Executor) -> Runs:
    """Trains what is wanted of one task and not stored.

    Raises:
        GraderFault: some trainings could not be done; what was done is in the store.
    """
    results = cells.stored(store)
    display.found(results)
    if ready := cells.ready(results):
        results |= _train(cells, ready, store, workers, display, executor)
    return Runs(
        profile=cells.profile.name,
        conditions=Conditions.of(cells.profile, cells.pin, cells.backend),
        grading_seed=cells.profile.grading_seed,
        builders={cells.networks.task: cells.networks.arguments},
        runs=tuple(
            ReferenceRun(
                task=cells.networks.task,
                blueprint=_digest(cells.networks, key.labels),
                result=results[cells.jobs[key].digest],
            )
            for key in cells.jobs
        ),
    )


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _train(
    cells: Cells,
    keys: Sequence[Key],
    store: Path,
    workers: int,
    display: Progress,
    executor: Executor,
) -> dict[str, Result]:
    names = {cells.jobs[key].digest: cells.name(key) for key in keys}
    outcomes = pool.run(
        [cells.jobs[key] for key in keys],
        executor=executor,
        store=store,
        workers=workers,
        listener=display,
        checkpoints=checkpoints(cells.profile, store),
    )
    return all_trained(outcomes, names)


def checkpoints(profile: Profile, store: Path) -> Path | None:
    """Where trainings of a profile keep where they stand, beside the store; None if they do not."""
    return store.parent / "checkpoints" if profile.checkpoints else None


def all_trained(outcomes: Mapping[str, Outcome], names: Mapping[str, str]) -> dict[str, Result]:
    """The results, by digest; a GraderFault says by their names which trainings have none, and why."""
    results = {digest: one for digest, one in outcomes.items() if isinstance(one, Result)}
    faults = [f"{names[digest]}: {one}" for digest, one in outcomes.items() if digest not in results]
    if faults:
        raise GraderFault("\n".join(faults), fix="The others are kept: the same command goes on from there.")
    return results


def _digest(networks: Networks, labels: LabelSet) -> str:
    (digest,) = (one.digest for one in networks.networks if one.labels == labels)
    return digest
