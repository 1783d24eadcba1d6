"""Reads assignment/marking.toml: what tasks, functions and mistakes are worth.

The manifest says what there is to do; this says what it is worth. How points follow from the two is in
grader/grading/marking.py.
"""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from grader.errors import ManifestError
from lab.strict import Strict, explained

FILE = "marking.toml"
STEP = 0.5  # points are whole or half


def rounded(points: float) -> float:
    """Points as whole or half ones; halves between two steps go up."""
    return int(points / STEP + 0.5) * STEP


class Rule(Strict):
    """What a kind of mistake costs, and why.

    Attributes:
        id: by which checks and verdicts name it.
        level: one of Marking.levels.
        once: whether several checks of one function that fail by it have one cause.
        effect: whether it is what other mistakes of its function do, where there are any: the greater of
            the two is charged.
        says: what the mistake does to whoever uses the code: it follows a colon.
    """

    id: str = Field(pattern=r"^[a-z][a-z_]*$")
    level: str
    once: bool = False
    effect: bool = False
    says: str = Field(min_length=10)


class Worth(Strict):
    """What one task is worth, in points.

    Attributes:
        points: all of it.
        training: earned by accuracy, the same for each check that trains.
        functions: what each function is worth, of what is not earned by training.
    """

    points: float = Field(gt=0, multiple_of=STEP)
    training: float = Field(ge=0, multiple_of=STEP, default=0)
    functions: dict[str, Annotated[float, Field(gt=0, multiple_of=STEP)]] = Field(min_length=1)

    @model_validator(mode="after")
    def _adds_up(self) -> "Worth":
        total = self.training + sum(self.functions.values())
        if total != self.points:
            raise ValueError(
                f"training and functions add up to {total:g} points, and the task has {self.points:g}"
            )
        return self

    @property
    def structure(self) -> float:
        """What is not earned by training."""
        return self.points - self.training


class Marking(Strict):
    """Weights and rules.

    Attributes:
        format: of the file.
        each_check: points that a check earns by itself.
        levels: what one mistake costs, as a share of its task's points, by name.
        tasks: by id.
        rules: what mistakes cost, each at one of the levels.
    """

    format: int = Field(ge=1, le=1)
    each_check: float = Field(ge=0, multiple_of=STEP)
    levels: dict[str, float] = Field(min_length=1)
    tasks: dict[str, Worth] = Field(min_length=1)
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "Marking":
        for name, share in self.levels.items():
            if not 0 <= share <= 1:
                raise ValueError(f"the level {name!r} must be a share from 0 to 1, and is {share:g}")
        seen: set[str] = set()
        for rule in self.rules:
            if rule.id in seen:
                raise ValueError(f"the rule {rule.id!r} is there twice")
            if rule.level not in self.levels:
                known = ", ".join(self.levels)
                raise ValueError(
                    f"the rule {rule.id!r} has the level {rule.level!r}; the levels are: {known}"
                )
            seen.add(rule.id)
        return self

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id; ManifestError if there is none."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise ManifestError(
            f"{FILE} has no rule {rule_id!r}", fix=f"The rules are: {', '.join(r.id for r in self.rules)}"
        )

    def cost(self, task_id: str, rule_id: str) -> float:
        """What a mistake of that kind costs in that task, in whole or half points, and at least one step."""
        return max(STEP, rounded(self.levels[self.rule(rule_id).level] * self.tasks[task_id].points))


def load(path: Path) -> Marking:
    """Reads weights and rules; ManifestError names the file, the place and the fault."""
    try:
        return Marking.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}", fix="Run: nox -s stubs") from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}") from error
