"""The grader's end of a cluster: a queue of its own, who does what, what is tried again, what is given up.

    with Cluster(address, certificates, passport, say=console.print) as cluster:
        future = cluster.submit(work)       # work.read's value, or a GraderFault

Nothing waits in Dask. A task is sent only when a worker that can do it has a place free, to that worker; so
whoever joins late gets what still waits, and nothing waits for what nobody has without a line that says so.
A worker that leaves, dies or is not heard of any more is gone from the scheduler's list: what it was doing is
given to another, a counted number of times. The first answer to a task counts; one that comes after it was
given up is dropped.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from distributed import Client
from distributed import Future as DaskFuture

from grader.cluster import host, settings
from grader.cluster.certificates import Certificates
from grader.cluster.passport import Passport, difference
from grader.errors import GraderFault, MessageRefused, UsageError
from grader.sandbox.supervision import refuse_when_stopping
from grader.text import plain

LOST_TRIES = 4  # how many workers may be lost over a task, before that is called a fault of the machine
FAULT_TRIES = 2  # how often a fault of a worker's machine is tried elsewhere
_LOOK_SECONDS = 0.5  # between two looks at who is there
_CONNECT_SECONDS = 15.0
_UNREACHABLE_SECONDS = 60.0  # without the scheduler, before all that waits is a fault
_ANSWER_SECONDS = 60.0  # for an answer to be fetched
_SAY_FIRST, _SAY_AGAIN = 3.0, 60.0  # without a worker that can do what waits, until that is shown

T = TypeVar("T")


class TryElsewhere(Exception):
    """What a worker answered is a fault of its machine: another may do better."""


@dataclass
class Work(Generic[T]):
    """Something to be done.

    Attributes:
        kind: which function of host.py.
        data: its message.
        able: whether a machine can do it.
        lacking: what a machine needs for it, in words: "that runs probes in bubblewrap".
        seconds: after which a worker that still has it has hung.
        read: its value, from the answer; raises TryElsewhere or MessageRefused.
        alone: whether its worker does nothing else meanwhile.
        started: called when it is given to a worker the first time.
    """

    kind: str
    data: bytes
    able: Callable[[Passport], bool]
    lacking: str
    seconds: float
    read: Callable[[object], T]
    alone: bool = False
    started: Callable[[], None] = lambda: None
    future: "Future[T]" = field(default_factory=Future)
    lost: int = 0
    faults: int = 0
    since: float = field(default_factory=time.monotonic)
    avoid: set[str] = field(default_factory=set)


@dataclass(eq=False)
class _Try:
    """A task that a worker has."""

    work: Work[Any]
    address: str
    began: float
    dask: DaskFuture[Any] | None = None


class Cluster:
    """Workers behind a scheduler. Its methods may be called from any thread.

    To be used as a context; on leaving, what waits is cancelled, and what workers have is forgotten.

    Args:
        address: the scheduler's, of settings.address.
        certificates: of the cluster.
        passport: of this machine.
        say: called with a line that people should see.

    Raises:
        UsageError: nobody answers there, or this grader is not of the same kit, lock, profile and data.
    """

    def __init__(
        self,
        address: str,
        certificates: Certificates,
        passport: Passport,
        *,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.address, self._passport, self._say = address, passport, say
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._closed = False
        self._queue: list[Work[Any]] = []
        self._running: set[_Try] = set()
        self._members: dict[str, Passport] = {}
        self._ignored: dict[str, str] = {}  # why, by address
        self._hung: set[str] = set()
        self._said: dict[str, float] = {}
        self._seen = time.monotonic()  # when the scheduler answered last
        settings.apply()
        security = settings.security(certificates)
        try:
            self._client = Client(
                address,
                security=security,
                timeout=_CONNECT_SECONDS,
                set_as_default=False,
                direct_to_workers=False,  # the scheduler alone has to be reachable from here
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise UsageError(
                f"no scheduler of this kit lets this machine in at {address}: {plain(error, 200)}",
                fix="Is it running (nox -s scheduler), reachable from here, and of the same certificates?",
            ) from error
        try:
            reason = self._asked("kit_refusal", passport=passport.written())
            if reason:
                raise UsageError(f"the scheduler at {address} is not for this grader: {plain(reason, 500)}")
            self._refresh()
        except BaseException:
            self._client.close(timeout=5)
            raise
        self._collecting = ThreadPoolExecutor(2, thread_name_prefix="collect")
        self._thread = threading.Thread(target=self._dispatch, name="cluster", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            waiting = [*self._queue, *(one.work for one in self._running)]
            self._queue.clear()
            for one in self._running:
                self._forget(one)
            self._running.clear()
        self._wake.set()
        for work in waiting:
            work.future.cancel()
        self._thread.join(timeout=15)
        self._collecting.shutdown(wait=False, cancel_futures=True)
        with suppress(Exception):  # whatever Dask thinks of it, it is left
            self._client.close(timeout=5)

    def submit(self, work: Work[T]) -> "Future[T]":
        """Has something done when a worker that can do it has a place; else a GraderFault."""
        with self._lock:
            if self._closed:
                work.future.cancel()
            else:
                self._queue.append(work)
        self._wake.set()
        return work.future

    @property
    def places(self) -> int:
        """Of all workers that are there, together."""
        with self._lock:
            return sum(member.places for member in self._members.values())

    @property
    def members(self) -> list[Passport]:
        """All workers that are there."""
        with self._lock:
            return list(self._members.values())

    @property
    def has(self) -> str:
        """What is there, in words."""
        count = len(self.members)
        places = f"{self.places} place{'' if self.places == 1 else 's'}"
        return f"{count} worker{'' if count == 1 else 's'}, {places}" if count else "no worker yet"

    def first(self, able: Callable[[Passport], bool], lacking: str) -> Passport:
        """A worker that can do something; waits for one, and says so.

        Raises:
            GraderFault: the grader is being stopped, or the scheduler is gone.
        """
        while True:
            found = next((member for member in self.members if able(member)), None)
            if found is not None:
                return found
            refuse_when_stopping()
            if self._closed or time.monotonic() - self._seen > _UNREACHABLE_SECONDS:
                raise GraderFault(self._gone)
            self._say_once(lacking)
            time.sleep(0.2)

    # --- the thread of the queue --------------------------------------------------------------------------

    def _dispatch(self) -> None:
        looked = 0.0
        while not self._closed:
            if time.monotonic() - looked >= _LOOK_SECONDS:
                try:
                    self._refresh()
                except Exception:  # of any kind: Dask's, of the network, of TLS
                    self._unreachable()
                looked = time.monotonic()
            with self._lock:
                self._give_up_lost()
                self._assign()
            self._wake.wait(_LOOK_SECONDS)
            self._wake.clear()

    def _asked(self, handler: str, **arguments: Any) -> Any:
        """What the scheduler answers."""
        return self._client.sync(
            getattr(self._client.scheduler, handler), callback_timeout=_CONNECT_SECONDS, **arguments
        )

    def _refresh(self) -> None:
        """Looks who is there; whoever is not of this kit is left alone."""
        found = self._asked("identity", n_workers=-1)["workers"]
        members = {}
        for address, said in found.items():
            try:
                member = Passport.read(said.get("kit"))
                reason = difference(self._passport, member)
            except MessageRefused as error:
                reason = error.message
            if reason and self._ignored.get(address) != reason:
                self._ignored[address] = reason
                self._say(f"left aside: the worker at {plain(address)}: {plain(reason, 300)}")
            if not reason and said.get("status") == "running":
                members[address] = member
        with self._lock:
            self._members = members
            self._hung &= members.keys()
        self._seen = time.monotonic()

    def _unreachable(self) -> None:
        """After a while without the scheduler, all that waits is a fault of the machine."""
        if time.monotonic() - self._seen < _UNREACHABLE_SECONDS:
            return
        with self._lock:
            self._members = {}
            works = [*self._queue, *(one.work for one in self._running)]
            self._queue.clear()
            self._running.clear()
        for work in works:
            _fail(work, self._gone)

    @property
    def _gone(self) -> str:
        return f"the scheduler at {self.address} does not answer any more"

    def _give_up_lost(self) -> None:
        now = time.monotonic()
        for one in [one for one in self._running if one.address not in self._members]:
            self._again(one, lost=True)
        for one in [one for one in self._running if now - one.began > one.work.seconds]:
            self._hung.add(one.address)
            self._again(one, lost=True)

    def _assign(self) -> None:
        """Gives what waits, in its order, to workers that can do it and have a place."""
        load = dict.fromkeys(self._members, 0)
        for one in self._running:
            load[one.address] += self._members[one.address].places if one.work.alone else 1
        reserved: set[str] = set()
        for work in list(self._queue):
            able = [
                address
                for address, member in self._members.items()
                if address not in self._hung and work.able(member)
            ]
            if not able:
                if time.monotonic() - work.since > _SAY_FIRST:
                    self._say_once(work.lacking)
                continue
            able = [address for address in able if address not in work.avoid] or able
            free = {address: self._members[address].places - load[address] for address in able}
            if work.alone:
                # A worker is kept free for it, or those that need less would always be first.
                address = min(able, key=lambda one: (one in reserved, load[one]))
                reserved.add(address)
                if load[address]:
                    continue
            else:
                able = [one for one in able if free[one] > 0 and one not in reserved]
                if not able:
                    continue
                address = max(able, key=lambda one: free[one])
            load[address] += self._members[address].places if work.alone else 1
            self._queue.remove(work)
            self._give(work, address)

    def _give(self, work: Work[Any], address: str) -> None:
        if not (work.lost or work.faults):
            if not work.future.set_running_or_notify_cancel():
                return
            work.started()
        one = _Try(work, address, time.monotonic())
        self._running.add(one)
        one.dask = self._client.submit(
            getattr(host, work.kind),
            work.data,
            workers=[address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        one.dask.add_done_callback(lambda _: self._collecting.submit(self._collect, one))

    # --- answers ------------------------------------------------------------------------------------------

    def _collect(self, one: _Try) -> None:
        """Takes an answer, in a thread of its own; the first one to a task counts."""
        answer: object = None
        dask = one.dask
        if dask is None or one not in self._running:
            return
        if dask.status == "finished":
            with suppress(Exception):  # the worker has gone with it: `_give_up_lost` sees that
                answer = dask.result(timeout=_ANSWER_SECONDS)
        with self._lock:
            if one not in self._running:
                return  # it was given up, and perhaps done by another
            if answer is None:
                self._again(one, lost=True)
                return
            self._running.discard(one)  # from here on nobody gives it up
            self._forget(one)
        work = one.work
        try:
            value = work.read(answer)
        except (TryElsewhere, MessageRefused) as fault:
            with self._lock:
                self._again(one, lost=False, why=str(fault))
            return
        except GraderFault as fault:
            _fail(work, fault.message)
        except OSError as error:
            _fail(work, f"what a worker left behind cannot be kept: {error}")
        else:
            with suppress(InvalidStateError):  # cancelled meanwhile
                work.future.set_result(value)
        self._wake.set()

    def _again(self, one: _Try, *, lost: bool, why: str = "") -> None:
        """Lets another worker try, or gives up."""
        self._running.discard(one)
        self._forget(one)
        work = one.work
        work.avoid.add(one.address)
        work.lost, work.faults = work.lost + lost, work.faults + (not lost)
        if self._closed:
            work.future.cancel()
        elif work.lost >= LOST_TRIES:
            _fail(work, f"{work.lost} workers were lost over it")
        elif work.faults >= FAULT_TRIES:
            _fail(work, why)
        else:
            self._queue.insert(0, work)
            self._wake.set()

    def _forget(self, one: _Try) -> None:
        if one.dask is not None:
            with suppress(Exception):  # the scheduler may be gone
                one.dask.cancel()

    def _say_once(self, lacking: str) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._said.get(lacking, -_SAY_AGAIN) < _SAY_AGAIN:
                return
            self._said[lacking] = now
            count = len(self._members)
        have = "has" if count == 1 else "have"
        why = f"{count} {have} joined, none {lacking}" if count else "no worker has joined yet"
        self._say(f"waiting: {why}; start one: nox -s worker -- {self.address}")


def _fail(work: Work[Any], why: str) -> None:
    with suppress(InvalidStateError):  # cancelled meanwhile
        work.future.set_exception(GraderFault(why))
