"""Trainings side by side, each in a place of its own. STAND-IN: training's own Pool takes its place."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.errors import TrainerFault
from grader.slots import Slots
from grader.training import trainer
from grader.training.trainer import Job, Launcher, Result, Step, Watch


class Pool:
    """Trains jobs in places that it shares with the probes; on leaving it, nothing trains any more."""

    def __init__(self, *, store: Path, slots: Slots, watch: Watch, launcher: Launcher) -> None:
        self._store, self._slots, self._launcher = store, slots, launcher
        self._watch = _Serial(watch)
        self._threads = ThreadPoolExecutor(slots.count, thread_name_prefix="training")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._watch.stopped = kind is not None
        self._threads.shutdown(cancel_futures=kind is not None)

    def submit(
        self, job: Job, *, alone: bool = False, afresh: bool = False
    ) -> "Future[Result | TrainerFault]":
        """See grader.grading.plan.Trainer."""
        if not afresh and (result := trainer.stored(job, self._store)):
            self._watch.stored(job, result)
            done: Future[Result | TrainerFault] = Future()
            done.set_result(result)
            return done
        return self._threads.submit(self._train, job, alone, afresh)

    def _train(self, job: Job, alone: bool, afresh: bool) -> Result | TrainerFault:
        with self._slots.turn(alone=alone):
            return trainer.run(
                [job],
                store=self._store,
                workers=1,
                watch=self._watch,
                launcher=self._launcher,
                afresh=afresh,
            )[job.digest]


class _Serial(Watch):
    """Hands on what trainings of several threads report, one at a time; ends them when they are stopped."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        self.stopped = False

    def stored(self, job: Job, result: Result) -> None:
        self._serially(lambda: self._watch.stored(job, result))

    def started(self, job: Job) -> None:
        self._serially(lambda: self._watch.started(job))

    def step(self, job: Job, step: Step) -> None:
        if self.stopped:
            raise TrainerFault("the grader was stopped")
        self._serially(lambda: self._watch.step(job, step))

    def ended(self, job: Job, outcome: Result | TrainerFault) -> None:
        self._serially(lambda: self._watch.ended(job, outcome))

    def _serially(self, report: Callable[[], None]) -> None:
        with self._lock:
            report()
