"""A figure before it is measured: which sides it has, how often each runs, what is aimed at."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.benchmark.measuring import Sample
from grader.benchmark.record import OWN, Figure, Goal, Side, Unit
from lab.errors import KitError


@dataclass(frozen=True)
class Measured:
    """One run of a side.

    Attributes:
        value: in the figure's unit.
        samples: the commands that were run for it; none where it was counted.
    """

    value: float
    samples: tuple[Sample, ...] = ()

    @classmethod
    def wall(cls, sample: Sample) -> "Measured":
        """A command's seconds by the clock."""
        return cls(sample.wall_seconds, (sample,))


@dataclass(frozen=True)
class Contender:
    """A side to be measured.

    Attributes:
        name: `this kit`, or another tool with its version.
        command: as it is typed, for the record.
        measure: runs it once, in an empty folder of its own.
        at_most: runs of it, however often the others run.
        warms: whether it runs once beforehand, unmeasured, so that what it reads is in the disk's cache.
    """

    name: str
    command: str
    measure: Callable[[Path], Measured]
    at_most: int = 99
    warms: bool = True


@dataclass(frozen=True)
class Subject:
    """A figure to be measured.

    Attributes:
        name: as on the command line.
        title: what it is about.
        unit: of its values.
        goals: what is aimed at.
        contenders: its sides, this kit first; called when its turn has come.
        repeats: runs of each side; one in a quick run.
        remark: what a reader has to know besides.
    """

    name: str
    title: str
    unit: Unit
    goals: tuple[Goal, ...]
    contenders: Callable[[], Sequence[Contender]]
    repeats: int = 3
    remark: str = ""


@dataclass
class _Runs:
    """What came of the runs of one side."""

    contender: Contender
    measured: list[Measured] = field(default_factory=list)
    problem: str = ""


def measure(
    subject: Subject,
    *,
    quick: bool,
    now: Callable[[], str],
    on_run: Callable[[str, int, int], None] = lambda side, done, of: None,
) -> Figure:
    """Runs all sides in turns, so that what else the machine does meets all of them alike.

    A side that cannot be measured is left out, and said in the figure's `problem`.

    Args:
        subject: what.
        quick: each side once.
        now: the time, as it is recorded.
        on_run: called before each run with the side, how many runs are over and how many there are.
    """
    repeats = 1 if quick else subject.repeats
    try:
        sides = [_Runs(contender) for contender in subject.contenders()]
    except KitError as error:
        return Figure.of(
            subject.name, subject.title, subject.unit, (), subject.goals, when=now(), problem=str(error)
        )
    rounds = [[one for one in sides if one.contender.warms and repeats > 1]]
    rounds += [[one for one in sides if turn < one.contender.at_most] for turn in range(repeats)]
    total, done = sum(map(len, rounds)), 0
    for turn, row in enumerate(rounds):
        for one in row:
            on_run(one.contender.name, done, total)
            done += 1
            if one.problem:
                continue
            try:
                with tempfile.TemporaryDirectory(prefix="kit-bench-", ignore_cleanup_errors=True) as folder:
                    measured = one.contender.measure(Path(folder))
            except KitError as error:
                one.problem = f"{one.contender.name}: {error}"
                continue
            if turn:
                one.measured.append(measured)
    return Figure.of(
        subject.name,
        subject.title,
        subject.unit,
        [_side(one) for one in sides if one.measured],
        subject.goals,
        when=now(),
        problem="; ".join(one.problem for one in sides if one.problem),
        remark=subject.remark,
    )


def _side(runs: _Runs) -> Side:
    samples = [one.samples for one in runs.measured if one.samples]
    return Side.of(
        runs.contender.name,
        runs.contender.command,
        [one.value for one in runs.measured],
        wall_seconds=[sum(s.wall_seconds for s in several) for several in samples],
        cpu_seconds=[sum(s.cpu_seconds for s in several) for several in samples],
        others=[sample.others for several in samples for sample in several],
    )


def own(
    command: str, measure: Callable[[Path], Measured], *, at_most: int = 99, warms: bool = True
) -> Contender:
    """This kit's side."""
    return Contender(OWN, command, measure, at_most, warms)
