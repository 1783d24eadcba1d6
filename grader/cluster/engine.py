"""An engine whose sandboxes are on other machines; and turns that ask for a worker of one's own.

What comes back lies in the program's output folder as the worker's engine left it, and is read by the grader
through the same door as ever. A program that is shown what may not travel runs here.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as StillWaiting
from contextlib import contextmanager
from pathlib import Path

from grader import sandbox
from grader.cluster import messages
from grader.cluster.client import Cluster, TryElsewhere, Work
from grader.errors import GraderFault, SandboxFault, UsageError
from grader.sandbox import Availability, Engine, Outcome, Program
from grader.sandbox.supervision import refuse_when_stopping
from grader.slots import Slots

WAITING = 128  # probes that wait for a worker at a time: a thread and a folder each
_WAIT_SECONDS = 0.25  # between two looks whether the grader is being stopped
_HUNG = 60.0  # seconds beyond its limit by the clock, after which a probe's worker has hung


class Turns(Slots):
    """Turns that do not wait here: places are the workers'. Who asks for one alone gets a worker alone."""

    def __init__(self) -> None:
        super().__init__(WAITING)
        self._own = threading.local()
        self.stopped = False

    @property
    def alone(self) -> bool:
        """Whether this thread holds a turn alone."""
        return bool(getattr(self._own, "alone", False))

    def close(self) -> None:
        """See Slots."""
        self.stopped = True

    @contextmanager
    def turn(self, *, alone: bool = False, unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """See Slots."""
        if unless():
            raise CancelledError
        if self.stopped:
            raise GraderFault("the grader was stopped")
        self._own.alone = alone
        try:
            yield
        finally:
            self._own.alone = False


class RemoteEngine:
    """Runs programs in the sandboxes of a cluster's workers.

    Args:
        cluster: whose.
        name: of the engine that workers have to use.
        local: the same engine here, for programs that may not travel; None if there is none.
        turns: of this run.
        here: places on this machine.
        root: the checkout.
    """

    isolates = True

    def __init__(
        self, cluster: Cluster, name: str, local: Engine | None, *, turns: Turns, here: Slots, root: Path
    ) -> None:
        self.name = name
        self._cluster, self._local, self._turns, self._here = cluster, local, turns, here
        self._root = root

    def availability(self) -> Availability:
        """See Engine: a worker has tried it."""
        return Availability(True)

    def soft(self) -> str:
        """See Engine: what holds on workers, they say when they start."""
        return ""

    def shows(self, path: Path) -> Path | None:
        """See Engine: here."""
        return self._local.shows(path) if self._local else None

    def run(self, program: Program) -> Outcome:
        """See Engine."""
        alone = self._turns.alone
        if not messages.travels(program, self._root):
            return self._run_here(program, alone=alone)

        def read(answer: object) -> Outcome | None:
            outcome = messages.read_probe_reply(answer, program)
            if isinstance(outcome, str):
                raise TryElsewhere(outcome)
            return outcome

        work = Work(
            kind="probe",
            data=messages.probe_request(program, alone=alone),
            able=lambda machine: machine.engine == self.name,
            lacking=f"that runs probes in {self.name}",
            seconds=program.limits.wall_seconds + _HUNG,
            read=read,
            alone=alone,
        )
        future = self._cluster.submit(work)
        while True:
            try:
                outcome = future.result(timeout=_WAIT_SECONDS)
                return self._run_here(program, alone=alone) if outcome is None else outcome
            except StillWaiting:
                refuse_when_stopping()
                if self._turns.stopped:
                    raise SandboxFault("the grader was stopped") from None
            except CancelledError:
                raise SandboxFault("the grader was stopped") from None
            except GraderFault as fault:
                raise SandboxFault(fault.message, fix=fault.fix) from fault

    def _run_here(self, program: Program, *, alone: bool) -> Outcome:
        """A program that is shown what may not travel, or that leaves more than may."""
        if self._local is None:
            raise SandboxFault(
                f"this runs on the grader's own machine, and {self.name} does not work here",
                fix="Run: nox -s doctor",
            )
        with self._here.turn(alone=alone):
            return self._local.run(program)


def local_engine(name: str, cluster: Cluster) -> tuple[str, Engine | None]:
    """Which engine workers have to use, and the same one here if it works here.

    Args:
        name: an engine, or `auto` for the strongest that works here, or else the first worker's.
        cluster: whose workers are asked where nothing isolates here.

    Raises:
        UsageError: it does not isolate: other people's machines run nobody's code without.
    """
    if name == "none":
        raise UsageError(
            "the engine none runs on this machine alone", fix="Leave out --scheduler, or use --engine auto"
        )
    try:
        found = sandbox.select(name, own_code=False)
    except UsageError:
        if name != "auto":
            return name, None
        return cluster.first(lambda machine: bool(machine.engine), "that runs probes").engine, None
    return found.name, found
