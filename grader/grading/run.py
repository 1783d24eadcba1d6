"""Grades submissions: each is handed on the moment it is decided, whatever the others still wait for.

A class costs as many trainings as it has different networks that are not known: each is trained once, and
once more under each of the extra seeds where it came out close to its threshold. Probes and trainings share
the places of the machine. All that changes here changes in the thread that called `grade`; examinations and
trainings come back to it as events.
Nothing here knows how a probe is isolated, how a check is decided or how a network is trained.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any, TypeVar

from grader.config.profiles import LabelSet
from grader.errors import TrainerFault
from grader.grading.decide import Rules, Wanted, decide, settle
from grader.grading.examine import Examined, examine, remove_arrays
from grader.grading.plan import Plan, Trainer, Training
from grader.intake import Source
from grader.results.record import SubmissionResult
from grader.training.job import Job, Overrun, Result

# Submissions that are asked for, for each that is examined: few lie in memory where recording takes longer.
AHEAD = 2
T = TypeVar("T")


def grade(
    sources: Sequence[Source],
    plan: Plan,
    on_decided: Callable[[SubmissionResult], object] = lambda result: None,
) -> list[SubmissionResult]:
    """Grades submissions, and keeps all results in memory; see `grade_each`.

    Returns:
        All results, in the order of the sources.
    """
    results: dict[int, SubmissionResult] = {}

    def decided(place: int, result: SubmissionResult) -> None:
        results[place] = result
        on_decided(result)

    _Grading(plan, _rules(plan), decided).run(sources)
    return [result for _, result in sorted(results.items())]


def grade_each(
    sources: Sequence[Source], plan: Plan, on_decided: Callable[[SubmissionResult], object]
) -> None:
    """Grades submissions, and keeps no result: a class may be of any size.

    Args:
        sources: what was handed in.
        plan: of the run. Its slots are closed if an error or Ctrl-C ends the run.
        on_decided: called with each result when it is decided, in that order, from the calling thread.

    Raises:
        ManifestError: a threshold was never measured; before anything is probed or trained.
    """
    _Grading(plan, _rules(plan), lambda _, result: on_decided(result)).run(sources)


def _rules(plan: Plan) -> Rules:
    thresholds = {}
    if plan.training:
        thresholds = {
            (task.id, check.labels): plan.training.threshold(task.id, check.labels)
            for task in plan.manifest.tasks
            for check in task.checks
            if check.train
        }
    backend = plan.training.backend if plan.training else ""
    return Rules(plan.manifest, plan.run, thresholds, plan.profile.extra_seeds, backend)


def _packed(examined: Examined) -> bytes:
    """A submission that waits: a twentieth of what it takes in memory, which a whole class may wait in."""
    return zlib.compress(examined.model_dump_json().encode())


def _unpacked(packed: bytes) -> Examined:
    return Examined.model_validate_json(zlib.decompress(packed))


class _Grading:
    """One run: who waits for what."""

    def __init__(
        self, plan: Plan, rules: Rules, on_decided: Callable[[int, SubmissionResult], object]
    ) -> None:
        self._plan = plan
        self._rules = rules
        self._on_decided = on_decided
        self._events: SimpleQueue[tuple[Future[Any], Callable[[Any], None]]] = SimpleQueue()
        self._pending: set[Future[Any]] = set()
        self._examined: dict[int, bytes] = {}  # those that wait, packed, by their place in the class
        self._outcomes: dict[str, Result | TrainerFault] = {}
        self._waiting: dict[str, set[int]] = {}  # by the digest of what was asked for, who waits for it
        self._close: set[str] = set()  # digests of what came close, once that was reported
        self._measured: dict[tuple[str, LabelSet], Result | TrainerFault] = {}  # described networks
        self._unsettled: dict[tuple[str, LabelSet], list[tuple[Wanted, Overrun]]] = {}  # wait for those

    def run(self, sources: Sequence[Source]) -> None:
        """Grades them; see `grade_each`."""
        workers = self._plan.slots.count
        # Tasks are probed side by side, and so are two submissions, for those that hold one task alone; no
        # more than two on one machine, so that few are unpacked at a time.
        with (
            ThreadPoolExecutor(workers, thread_name_prefix="probe") as probes,
            ThreadPoolExecutor(
                min(self._plan.at_a_time, workers), thread_name_prefix="submission"
            ) as submissions,
            ExitStack() as unless_done,
        ):
            unless_done.callback(self._give_up, [submissions, probes])
            queue = iter(enumerate(sources))

            def examine_next() -> None:
                following = next(queue, None)
                if following is not None:
                    place, source = following
                    future = submissions.submit(examine, source, self._plan, probes)
                    self._then(future, lambda examined: add(place, examined))

            def add(place: int, examined: Examined) -> None:
                examine_next()
                self._look_at([(place, examined)])

            for _ in range(AHEAD * self._plan.at_a_time):
                examine_next()
            while self._pending:
                future, then = self._events.get()
                self._pending.discard(future)
                then(future.result())
            unless_done.pop_all()

    def _give_up(self, pools: Sequence[ThreadPoolExecutor]) -> None:
        """After an error: starts nothing any more, so that the threads come to their end."""
        self._plan.slots.close()
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for future in self._pending:
            future.cancel()

    def _then(self, future: "Future[T]", then: Callable[[T], None]) -> None:
        """Has `then` called with what comes of a future, in the thread of this run."""
        self._pending.add(future)
        future.add_done_callback(lambda done: self._events.put((done, then)))

    def _settled(self, digest: str, outcome: Result | TrainerFault) -> None:
        """An outcome that counts, for all that wait for it."""
        self._outcomes[digest] = outcome
        places = sorted(self._waiting.pop(digest))
        self._look_at((place, _unpacked(self._examined.pop(place))) for place in places)

    def _look_at(self, those: Iterable[tuple[int, Examined]]) -> None:
        """Decides these submissions, or asks for the trainings that they want."""
        asked: list[Wanted] = []
        close: list[tuple[Job, Sequence[Job]]] = []
        for place, examined in those:
            decided = decide(examined, self._outcomes, self._rules)
            if isinstance(decided, SubmissionResult):
                remove_arrays(examined)
                self._on_decided(place, decided)
                continue
            self._examined[place] = _packed(examined)
            close += [one for one in decided.close if one[0].digest not in self._close]
            self._close |= {first.digest for first, _ in decided.close}
            for wanted in decided.wanted:
                if wanted.job.digest not in self._waiting:
                    asked.append(wanted)
                self._waiting.setdefault(wanted.job.digest, set()).add(place)
        if close:
            self._training.on_close(close)
        for wanted in asked:
            self._then(
                self._trainer.submit(wanted.job),
                lambda outcome, wanted=wanted: self._trained(wanted, outcome),  # type: ignore[misc]
            )

    # --- what passed a limit ------------------------------------------------------------------------------

    def _trained(self, wanted: Wanted, outcome: Result | TrainerFault) -> None:
        # On what `prepare` hands over it is the described network that is trained: no submission slows that.
        can_be_its_own = self._training.described is not None and not wanted.job.prepared
        if isinstance(outcome, Overrun) and can_be_its_own:
            self._settle(wanted, outcome)
        else:
            self._settled(wanted.job.digest, outcome)

    def _settle(self, wanted: Wanted, overrun: Overrun, again: Result | TrainerFault | None = None) -> None:
        """Settles an overrun, with as many trainings, alone and afresh, as that takes."""
        assert self._training.described
        key = wanted.task, wanted.job.labels
        described = self._training.described(*key)
        measured = self._measured.get(key)
        settled = settle(wanted.job, overrun, described, measured, again)
        if not isinstance(settled, Job):
            self._settled(wanted.job.digest, settled)
        elif measured is not None:
            self._alone(settled, lambda outcome: self._settle(wanted, overrun, outcome))
        elif key in self._unsettled:
            self._unsettled[key].append((wanted, overrun))
        else:
            self._unsettled[key] = [(wanted, overrun)]
            self._alone(settled, lambda outcome: self._measure(key, outcome))

    def _measure(self, key: tuple[str, LabelSet], outcome: Result | TrainerFault) -> None:
        """What the described network of a task came to, once for all that overran."""
        self._measured[key] = outcome
        for wanted, overrun in self._unsettled.pop(key):
            self._settle(wanted, overrun)

    def _alone(self, job: Job, then: Callable[[Result | TrainerFault], None]) -> None:
        self._then(self._trainer.submit(job, alone=True, afresh=True), then)

    @property
    def _training(self) -> Training:
        assert self._plan.training  # without it there is nothing to train
        return self._plan.training

    @property
    def _trainer(self) -> Trainer:
        assert self._training.trainer  # without it nothing is asked for
        return self._training.trainer
