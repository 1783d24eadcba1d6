"""How far a run is: students, trainings, and the time left for all of it. Pure: it is given events and times.

    tally = Tally(students=["jane", "omar"], probes=10, places=2, now=time.monotonic())
    tally.probed("jane", "resnet", now)
    tally.queued(job.digest)
    tally.left(now)     # seconds, or None

What counts as done never stands below its total at the end: a student who is decided is done, whatever was
probed of it, and a training that could not be done has ended.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from grader import estimate
from grader.estimate import UNKNOWN, Pace


@dataclass(frozen=True)
class Running:
    """A training that runs.

    Attributes:
        digest: of its job.
        since: when it was started, in seconds of the clock that events are given.
        epoch: which one it is at, from 1; 0 before the first.
        accuracy: so far, on the images it trains on.
        done: how much of it, 0 to 1.
        left: seconds left at its own pace; None if nobody knows yet.
    """

    digest: str
    since: float
    epoch: int = 0
    accuracy: float = 0.0
    done: float = 0.0
    left: float | None = None


@dataclass
class Tally:
    """Counts what happened.

    Attributes:
        students: all that are to be graded, by name; empty where trainings alone are shown.
        probes: tasks of submissions that are to be probed, all together.
        places: probes and trainings at a time.
        now: when it began.
        pace: what is known beforehand; as soon as something was seen here, that counts.
    """

    students: Collection[str] = ()
    probes: int = 0
    places: int = 1
    now: float = 0.0
    pace: Pace = UNKNOWN
    running: dict[str, Running] = field(default_factory=dict)  # by digest, in the order in which they started
    ended: int = 0
    faults: int = 0
    stored: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    _begun: set[str] = field(default_factory=set)
    _decided: set[str] = field(default_factory=set)
    _probed: dict[str, int] = field(default_factory=dict)  # by student
    _waiting: dict[str, int] = field(
        default_factory=dict
    )  # how often each digest is asked for and not started
    _took: list[float] = field(default_factory=list)  # seconds of trainings that have a result

    # --- events -------------------------------------------------------------------------------------------

    def began(self, student: str) -> None:
        """Work on a student has begun."""
        self._begun.add(student)

    def probed(self, student: str) -> None:
        """One task of a student is probed."""
        self.began(student)
        self._probed[student] = self._probed.get(student, 0) + 1

    def decided(self, student: str) -> None:
        """A student has marks, or never will."""
        self.began(student)
        self._decided.add(student)

    def queued(self, digest: str) -> None:
        """A training was asked for that is not stored."""
        self._waiting[digest] = self._waiting.get(digest, 0) + 1

    def started(self, digest: str, now: float) -> None:
        """It runs."""
        self._no_longer_waits(digest)
        self.running[digest] = Running(digest, now)

    def step(self, digest: str, epoch: int, done: float, accuracy: float, left: float) -> None:
        """How far it is; for the fields see Running, but epochs are from 0."""
        if digest in self.running:
            self.running[digest] = replace(
                self.running[digest], epoch=epoch + 1, done=done, accuracy=accuracy, left=left
            )

    def finished(self, digest: str, now: float, *, fault: bool = False) -> None:
        """It has a result, or could not be done."""
        if (was := self.running.pop(digest, None)) is None:
            self._no_longer_waits(digest)
        elif not fault:
            self._took.append(now - was.since)
        self.ended += 1
        self.faults += fault

    def _no_longer_waits(self, digest: str) -> None:
        left = self._waiting.pop(digest, 0) - 1
        if left > 0:
            self._waiting[digest] = left

    # --- counts -------------------------------------------------------------------------------------------

    @property
    def students_done(self) -> int:
        """Those that are decided."""
        return len(self._decided)

    @property
    def students_running(self) -> int:
        """Those that are begun, and not decided."""
        return len(self._begun - self._decided)

    @property
    def students_queued(self) -> int:
        """Those that are not begun."""
        return max(0, len(self.students) - len(self._begun))

    @property
    def probes_done(self) -> int:
        """Those made, and those of students that are decided without them."""
        each = self._each
        made = sum(
            max(count, each if student in self._decided else 0) for student, count in self._probed.items()
        )
        return min(self.probes, made + each * len(self._decided - self._probed.keys()))

    @property
    def waiting(self) -> int:
        """Trainings to come that do not run yet."""
        return sum(self._waiting.values())

    def waits(self, digest: str) -> bool:
        """Whether a training is to come and does not run yet."""
        return digest in self._waiting

    @property
    def trainings(self) -> int:
        """All that were asked for here: ended, running and to come."""
        return self.ended + len(self.running) + self.waiting

    @property
    def _made(self) -> int:
        """Probes that were made."""
        return sum(self._probed.values())

    @property
    def _each(self) -> int:
        """Tasks of a student."""
        return self.probes // len(self.students) if self.students else 0

    # --- time ---------------------------------------------------------------------------------------------

    def left(self, now: float) -> float | None:
        """Seconds until all is done; None if that is not known yet.

        Students who are not probed yet are expected to need as many new trainings as the others did.
        """
        probes = self.probes - self.probes_done
        running = [self._left_of(one, now) for one in self.running.values()]
        trainings = self.waiting + self._expected()
        pace = Pace(self._probe(now), self._training(now), self.places)
        rest = estimate.seconds(probes, trainings, pace)
        if rest is None or None in running:
            return None
        known = [one for one in running if one is not None]
        return max(rest + sum(known) / self.places, *known, 0.0)

    def _expected(self) -> float:
        """How many trainings those will need who are not wholly probed."""
        return self.trainings / self._made * (self.probes - self.probes_done) if self._made else 0.0

    def _left_of(self, one: Running, now: float) -> float | None:
        if one.left is not None:
            return one.left
        training = self._training(now)
        return None if training is None else max(0.0, training - (now - one.since))

    def _training(self, now: float) -> float | None:
        """Seconds of a training: of those that ended here, or else of those that run."""
        if self._took:
            return sum(self._took) / len(self._took)
        running = [now - one.since + one.left for one in self.running.values() if one.left is not None]
        return sum(running) / len(running) if running else self.pace.training

    def _probe(self, now: float) -> float | None:
        """Seconds of a probe, by those that were made: all places, less what trainings had of them."""
        if not self._made:
            return self.pace.probe
        trained = sum(self._took) + sum(now - one.since for one in self.running.values())
        return max(0.0, (now - self.now) * self.places - trained) / self._made
