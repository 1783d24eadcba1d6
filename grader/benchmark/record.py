"""What was measured, as reference/bench.json has it."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from grader.errors import ManifestError
from lab.files import write_atomically
from lab.strict import Strict, explained

FORMAT: Literal[1] = 1
OWN = "this kit"

Unit = Literal["s", "MiB", "images/s", "trainings"]


class Side(Strict):
    """One of those that a figure compares.

    Attributes:
        name: this kit, another tool with its version, or this kit at an earlier commit.
        command: what was run, as it is typed; paths of the run itself are left out.
        values: in the figure's unit, one a run.
        value: their median.
        low, high: the smallest and the largest.
        wall_seconds, cpu_seconds: medians of whole runs; none where no command was run.
        others: the largest share of the machine's processors that other processes used during a run, 0 to 1;
            None where the system does not tell.
    """

    name: str
    command: str
    values: tuple[float, ...] = Field(min_length=1)
    value: float
    low: float
    high: float
    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    others: float | None = None

    @classmethod
    def of(
        cls,
        name: str,
        command: str,
        values: Sequence[float],
        *,
        wall_seconds: Sequence[float] = (),
        cpu_seconds: Sequence[float] = (),
        others: Sequence[float | None] = (),
    ) -> Self:
        """From the runs' own numbers."""
        known = [share for share in others if share is not None]
        kept = tuple(_rounded(value) for value in values)
        return cls(
            name=name,
            command=command,
            values=kept,
            value=_rounded(statistics.median(kept)),
            low=min(kept),
            high=max(kept),
            wall_seconds=_rounded(statistics.median(wall_seconds)) if wall_seconds else None,
            cpu_seconds=_rounded(statistics.median(cpu_seconds)) if cpu_seconds else None,
            others=round(max(known), 3) if known else None,
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.low, self.high) != (min(self.values), max(self.values)):
            raise ValueError("low and high are not those of the values")
        if abs(self.value - statistics.median(self.values)) > 1e-3 * abs(self.value):
            raise ValueError("value is not the median of the values")
        return self


class Goal(Strict):
    """What is aimed at.

    Attributes:
        against: the side that this kit's value is divided by; empty if the goal is for the value itself.
        most, least: bounds of the value or the ratio; one of the two.
        met: whether it is; None where the side is missing.
    """

    against: str = ""
    most: float | None = None
    least: float | None = None
    met: bool | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.most is None) == (self.least is None):
            raise ValueError("a goal has one of `most` and `least`")
        return self

    def compared(self, value: float | None) -> Self:
        """The goal with whether a value, or a ratio, meets it."""
        if value is None:
            return self.model_copy(update={"met": None})
        met = value <= self.most if self.most is not None else value >= (self.least or 0.0)
        return self.model_copy(update={"met": met})


class Figure(Strict):
    """What came of one figure.

    Attributes:
        name: as on the command line.
        title: what it is about.
        unit: of all values.
        sides: this kit first; none if nothing could be measured.
        ratios: this kit's value divided by another side's, by that side's name.
        goals: with whether they are met.
        problem: what could not be measured, and why; empty if all was.
        remark: what a reader has to know besides.
        when: when it was measured, UTC, to the second.
    """

    name: str
    title: str
    unit: Unit
    sides: tuple[Side, ...] = ()
    ratios: dict[str, float] = Field(default_factory=dict)
    goals: tuple[Goal, ...] = ()
    problem: str = ""
    remark: str = ""
    when: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    @classmethod
    def of(
        cls,
        name: str,
        title: str,
        unit: Unit,
        sides: Sequence[Side],
        goals: Sequence[Goal],
        *,
        when: str,
        problem: str = "",
        remark: str = "",
    ) -> Self:
        """With its ratios, and whether its goals are met. A goal's `against` is the beginning of a name."""
        ratios: dict[str, float] = {}
        own = sides[0].value if sides and sides[0].name == OWN else None
        if own is not None:
            ratios = {side.name: _rounded(own / side.value) for side in sides[1:] if side.value}
        judged = []
        for goal in goals:
            of_side = [ratio for side, ratio in ratios.items() if side.startswith(goal.against)]
            judged.append(goal.compared((of_side[0] if of_side else None) if goal.against else own))
        return cls(
            name=name,
            title=title,
            unit=unit,
            sides=tuple(sides),
            ratios=ratios,
            goals=tuple(judged),
            problem=problem,
            remark=remark,
            when=when,
        )


class Machine(Strict):
    """Where it was measured.

    Attributes:
        processor: its model.
        cores: as many as this process may use.
        memory_gib: of the machine.
        system: the operating system with its version.
    """

    processor: str
    cores: int
    memory_gib: float
    system: str


class Bench(Strict):
    """All of a run.

    Attributes:
        format: of this file.
        machine: where.
        versions: of Python and the packages that compute.
        code: a digest of the kit's own code, its networks and its parameters.
        commit: the checkout's, `-dirty` if files differ from it; empty outside of git.
        quick: whether every side was run as few times as possible.
        began: when the run began, UTC.
        complete: whether all its figures are here.
        figures: by name.
    """

    format: Literal[1] = FORMAT
    machine: Machine
    versions: dict[str, str]
    code: str
    commit: str
    quick: bool
    began: str
    complete: bool = False
    figures: dict[str, Figure] = Field(default_factory=dict)

    def same_run(self, other: "Bench") -> bool:
        """Whether figures of both can stand side by side: one machine, one code, as many runs a side."""
        mine, theirs = ((b.machine, b.versions, b.code, b.quick) for b in (self, other))
        return mine == theirs


def load(path: Path) -> Bench | None:
    """What a file has; None if it is not there.

    Raises:
        ManifestError: it is something else.
    """
    try:
        return Bench.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        raise ManifestError(
            f"{path}: {explained(error)}", fix="Remove it, or name another with --out"
        ) from error


def save(bench: Bench, path: Path) -> None:
    """Writes it; a file that is there is replaced as a whole."""
    write_atomically(path, bench.model_dump_json(indent=1) + "\n")


def _rounded(value: float) -> float:
    """To four significant digits: more is noise."""
    return float(f"{value:.4g}")
