"""Trains jobs side by side, in processes that do one after another, and keeps their results.

    with Pool(executor, store, slots=slots, listener=listener) as pool:
        futures = [pool.submit(job) for job in jobs]        # more may follow while these train
    outcomes = run(jobs, executor=executor, store=Path(".kit/trainings"))     # all of them, by digest

The same work is never done twice: a job whose result is in the store is not trained, and equal jobs are
trained once. Whatever ends this process ends its children, SIGKILL too; results that were there are kept, and
with a folder of checkpoints so is what a training had done by the end of its last epoch. A store that cannot
be written costs no result: the run has it all the same, and a later one trains again.
"""

import os
import selectors
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from grader import scratch
from grader.errors import TrainerFault
from grader.slots import Slots
from grader.training.executors import Executor, Local
from grader.training.job import Job, Outcome, Overrun, Result, Step
from grader.training.running import Running, Worker
from grader.training.store import find, keep, prepare

_LOOK_SECONDS = 0.5  # between two looks at a child's limits
_MOST_JOBS = 100  # that one process does: nothing is known to pile up in it but what it wrote on stderr


class Listener:
    """Is called with the progress of trainings; override what is to be shown.

    The calls come from any thread, one at a time.
    """

    def stored(self, job: Job, result: Result) -> None:
        """The result was there already."""

    def queued(self, job: Job) -> None:
        """It is not there, and will be trained when its turn comes."""

    def started(self, job: Job) -> None:
        """A child was started for it."""

    def step(self, job: Job, step: Step) -> None:
        """About twice a second while it trains, or every few steps where those take longer."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """It is done, or could not be."""

    def unkept(self, why: str) -> None:
        """Results cannot be kept, and a later run trains again; said once."""


class Pool:
    """Trainings that run side by side; jobs can be submitted while others train.

    To be used as a context: on leaving, children that still run are stopped, and what waits is cancelled.
    Who holds a slot must not wait for a future: the training may be waiting for that slot.

    Args:
        executor: where children run.
        store: a folder of results, made if need be. Where it cannot be written, nothing is kept.
        slots: each training holds one while it runs; others' work may take its turn with them.
        listener: called with the progress of all.
        checkpoints: a folder where trainings keep where they stand, made if need be, for those that take
            long; None to keep nothing. Containers see no such folder, and keep nothing.
    """

    def __init__(
        self,
        executor: Executor,
        store: Path,
        *,
        slots: Slots,
        listener: Listener | None = None,
        checkpoints: Path | None = None,
    ) -> None:
        self._executor, self._store, self._slots = executor, store, slots
        self._checkpoints = checkpoints if isinstance(executor, Local) else None
        self._listener = listener or Listener()
        self._listening = threading.RLock()
        self._submitting = threading.Lock()
        self._futures: dict[str, Future[Outcome]] = {}  # by digest
        self._said_unkept = False
        self._stopped = threading.Event()
        self._idle: list[tuple[Worker, ExitStack]] = []  # and what ends and removes them
        self._threads = ThreadPoolExecutor(slots.count, thread_name_prefix="training")

    def __enter__(self) -> Self:
        # The reading end can be read from when the other is closed: so all threads wake up.
        self._stop_reader, self._stop_writer = os.pipe()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._slots.look_again()
        os.close(self._stop_writer)
        self._threads.shutdown(cancel_futures=True)
        while self._idle:
            self._idle.pop()[1].close()
        os.close(self._stop_reader)

    def submit(self, job: Job, *, afresh: bool = False, alone: bool = False) -> "Future[Outcome]":
        """Trains a job when its turn comes, in the order of submission; may be called from any thread.

        Args:
            job: one that equals an earlier one is not trained again, however that ended.
            afresh: whether to train it whatever is stored or was submitted, in a process that has done
                nothing else, and file the result in place of the old one: to see what it costs here and now.
            alone: whether nothing else may hold a slot meanwhile.

        Returns:
            its result, or what kept it from having one: an Overrun if it passed a limit. A fault of one job
            leaves the others alone.
        """
        with self._submitting:
            known = self._futures.get(job.digest)
            if known is not None and not afresh:
                return known
            result = None if afresh else find(job, self._store)
            future: Future[Outcome]
            if result is None:
                with self._or_said():  # before hours of work
                    prepare(self._store)
                with self._listening:  # before it can be started
                    self._listener.queued(job)
                future = self._threads.submit(self._train, job, afresh, alone)
            else:
                future = Future()
                future.set_result(result)
            self._futures[job.digest] = future
        if result is not None:
            with self._listening:
                self._listener.stored(job, result)
        return future

    def _train(self, job: Job, afresh: bool, alone: bool) -> Outcome:
        checkpoint = Path()
        if self._checkpoints is not None:
            checkpoint = self._checkpoints.absolute() / f"{job.digest}.npz"
            job = job.model_copy(update={"checkpoint": str(checkpoint)})
            if afresh:
                checkpoint.unlink(missing_ok=True)
        with self._slots.turn(alone=alone, unless=self._stopped.is_set):
            outcome = self._trained(job, afresh)
        if job.checkpoint and isinstance(outcome, Result):
            checkpoint.unlink(missing_ok=True)
        with self._listening:
            self._listener.ended(job, outcome)
        return outcome

    def _trained(self, job: Job, afresh: bool) -> Outcome:
        """What comes of a job; a result is in the store from then on, if it can be."""
        outcome = None if afresh else self._done_by_another(job)
        if outcome is None:
            with ExitStack() as cleanup:
                try:
                    folder = cleanup.enter_context(scratch.Folder("training"))
                    worker = Worker(job, Path(folder, "worker"), self._executor)
                except OSError as error:
                    return TrainerFault(f"a training could not be started: {scratch.why(error)}")
                cleanup.callback(worker.kill)
                with self._listening:
                    self._listener.started(job)
                outcome = self._done(Running(job, worker), cleanup)
        if isinstance(outcome, Result):
            with self._or_said():
                keep(job, outcome, self._store)
        return outcome

    @contextmanager
    def _or_said(self) -> Iterator[None]:
        """Does without the store where it cannot be written, and says so the first time."""
        try:
            yield
        except OSError as error:
            with self._listening:
                if not self._said_unkept:
                    self._said_unkept = True
                    why = error.strerror or error
                    self._listener.unkept(f"results of trainings cannot be kept in {self._store}: {why}")

    def _done_by_another(self, job: Job) -> Outcome | None:
        """What comes of a job in a process that did others before; None if there is none, or it failed there.

        A job that fails is tried in a process of its own before that is anybody's fault.
        """
        with self._submitting:
            if not self._idle:
                return None
            worker, ending = self._idle.pop()
        with ending as cleanup:
            before = worker.usage()
            try:
                worker.give(job)
            except OSError:
                return None
            with self._listening:
                self._listener.started(job)
            running = Running(job, worker, before)
            outcome = self._done(running, cleanup)
            failed = isinstance(outcome, TrainerFault) and not isinstance(outcome, Overrun)
            return None if failed and not running.stopped else outcome

    def _done(self, running: Running, cleanup: ExitStack) -> Outcome:
        """What comes of a job that runs. A process that can do more is kept, with what ends it."""
        self._follow(running)
        outcome = running.outcome()
        if isinstance(outcome, Result) and running.can_go_on and running.worker.jobs < _MOST_JOBS:
            with self._submitting:
                self._idle.append((running.worker, cleanup.pop_all()))
        return outcome

    def _follow(self, running: Running) -> None:
        """Waits until a child has ended or has passed a limit; CancelledError if the pool is left."""
        with selectors.DefaultSelector() as selector:
            selector.register(running.output, selectors.EVENT_READ)
            selector.register(self._stop_reader, selectors.EVENT_READ)
            due = time.monotonic() + _LOOK_SECONDS
            while not running.ended:
                ready = {key.fd for key, _ in selector.select(max(0.0, due - time.monotonic()))}
                if self._stop_reader in ready:
                    raise CancelledError
                if running.output.fileno() in ready:
                    for step in running.read():
                        with self._listening:
                            self._listener.step(running.job, step)
                if not running.ended and time.monotonic() >= due:
                    if not running.within_limits():
                        return
                    due = time.monotonic() + _LOOK_SECONDS


def run(
    jobs: Iterable[Job],
    *,
    executor: Executor,
    store: Path,
    workers: int = 2,
    listener: Listener | None = None,
    afresh: bool = False,
    checkpoints: Path | None = None,
) -> dict[str, Outcome]:
    """Trains what is not in the store yet, each distinct job once; a fault of one leaves the others alone.

    Args:
        jobs: in the order in which they are to start; equal ones count once.
        executor: where they run.
        store: a folder of results, made if need be. Where it cannot be written, nothing is kept.
        workers: how many train at a time, a thread each.
        listener: called with the progress of all.
        afresh: as in Pool.submit.
        checkpoints: as in Pool.

    Returns:
        for each job's digest its result, or what kept it from having one: an Overrun if it passed a limit.
    """
    distinct = {job.digest: job for job in jobs}
    slots = Slots(workers)
    with Pool(executor, store, slots=slots, listener=listener, checkpoints=checkpoints) as pool:
        futures = {digest: pool.submit(job, afresh=afresh) for digest, job in distinct.items()}
        wait(futures.values(), return_when=FIRST_EXCEPTION)  # only what is no fault of a job is raised
        for future in futures.values():
            if future.done():
                future.result()
        return {digest: future.result() for digest, future in futures.items()}
