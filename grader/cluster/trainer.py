"""A pool whose trainings are on other machines. Results are kept here, by digest, as of any training.

Trainings on what a submission's `prepare` handed over stay on this machine, in a pool of its own: the arrays
may hold images that nobody is to see.
"""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.cluster import messages
from grader.cluster.client import Cluster, TryElsewhere, Work
from grader.errors import GraderFault, TrainerFault
from grader.training.job import Job, Outcome, Result
from grader.training.pool import Listener, Pool
from grader.training.store import find, keep, prepare
from lab.errors import KitError

# A worker ends a training that takes ten times its limit by the clock (training/running.py). What it still
# has after that, it will have for ever.
_HUNG_TIMES, _HUNG_SECONDS = 12.0, 120.0


class RemotePool:
    """Trains on a cluster; as of grader.training.pool.Pool. To be used as a context.

    Args:
        cluster: whose workers train.
        store: a folder of results, made if need be.
        listener: called with the progress of all.
        here: opens a pool on this machine, when that is needed first.
    """

    def __init__(
        self,
        cluster: Cluster,
        store: Path,
        *,
        listener: Listener,
        here: Callable[[], AbstractContextManager[Pool]],
    ) -> None:
        self._cluster, self._store, self._listener, self._open_here = cluster, store, listener, here
        self._listening = threading.RLock()
        self._submitting = threading.Lock()
        self._futures: dict[str, Future[Outcome]] = {}  # by digest
        self._here: Pool | None = None
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._cleanup.__exit__(kind, error, tb)

    def submit(self, job: Job, *, alone: bool = False, afresh: bool = False) -> "Future[Outcome]":
        """See Pool.submit. `alone` is alone on a worker."""
        if job.prepared:
            return self._submit_here(job, alone=alone, afresh=afresh)
        with self._submitting:
            known = self._futures.get(job.digest)
            if known is not None and not afresh:
                return known
            future: Future[Outcome] = Future()
            result = None if afresh else find(job, self._store)
            if result is None:
                prepare(self._store)
            else:
                future.set_result(result)
            self._futures[job.digest] = future
        if result is not None:
            with self._listening:
                self._listener.stored(job, result)
            return future
        with self._listening:
            self._listener.queued(job)
        done = self._cluster.submit(
            Work(
                kind="train",
                data=messages.train_request(job, alone=alone, afresh=afresh),
                able=lambda machine: machine.backend == job.conditions.backend,
                lacking=f"that trains with {job.conditions.backend}",
                seconds=_HUNG_TIMES * job.limit_seconds + _HUNG_SECONDS,
                read=lambda answer: self._read(answer, job),
                alone=alone,
                started=lambda: self._heard(self._listener.started, job),
            )
        )
        done.add_done_callback(lambda done: self._ended(job, future, done))
        return future

    def _read(self, answer: object, job: Job) -> Outcome:
        outcome = messages.read_train_reply(answer, job)
        if isinstance(outcome, str):
            raise TryElsewhere(outcome)
        return outcome

    def _ended(self, job: Job, future: "Future[Outcome]", done: "Future[Outcome]") -> None:
        """Keeps what came of a job, and hands it on: here alone, once for each job that was submitted."""
        outcome: Outcome
        try:
            outcome = done.result()
            if isinstance(outcome, Result):
                keep(job, outcome, self._store)
        except CancelledError:
            future.cancel()
            return
        except TrainerFault as fault:
            outcome = fault
        except GraderFault as fault:
            outcome = TrainerFault(fault.message, fix=fault.fix)
        self._heard(self._listener.ended, job, outcome)
        if not future.cancelled():
            future.set_result(outcome)

    def _submit_here(self, job: Job, *, alone: bool, afresh: bool) -> "Future[Outcome]":
        with self._submitting:
            try:
                if self._here is None:
                    self._here = self._cleanup.enter_context(self._open_here())
            except KitError as error:  # no device, no image: other trainings go on
                fault: Future[Outcome] = Future()
                fault.set_result(TrainerFault(f"on this machine: {error.message}", fix=error.fix))
                return fault
        return self._here.submit(job, alone=alone, afresh=afresh)

    def _heard(self, listener: Callable[..., None], *arguments: object) -> None:
        with self._listening:
            listener(*arguments)
