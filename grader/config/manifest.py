"""Reads assignment/tasks.toml into typed objects, or says which line of it is wrong and how.

The manifest says what there is to do; what it is worth is in marking.toml beside it, which
grader/config/marking.py reads. How a check is decided is in grader/tasks/<task>/judge.py; a check that only
one of the two knows is an error at load time.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from grader.config import marking
from grader.config.marking import Marking, Worth
from grader.errors import ManifestError
from lab.strict import Strict, explained


class Check(Strict):
    """One thing that is marked.

    Attributes:
        id: unique within its task, `subject.property`.
        title: what must hold, as a short sentence.
        points: what it earns by itself: from marking.toml, never from the manifest.
        rule: of marking.toml, by which its failure is charged where the judge names no other; none for a
            check that trains, whose points are earned by accuracy.
        follows: checks of the same task: where one of them failed, this one failing is no mistake of its own.
        functions: the functions it needs; while any of them is the untouched stub, it is not attempted.
        after: checks of the same task that must have passed; otherwise this one is blocked.
        earned_with: checks of the same task of which at least one must pass for this one to earn its points:
            a form with nothing right in it earns nothing, and is not trained. None for a check that earns by
            itself.
        hint: what to look at when it fails.
        train: what a network is trained on for this check: a label set, for the network that the task's
            builder makes; or "prepared", what `prepare` returned, for the reference network
            (grader/grading/handing.py). None for all other checks.
    """

    id: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")
    title: str = Field(min_length=3)
    points: float = Field(ge=0)
    rule: str = ""
    follows: tuple[str, ...] = ()
    functions: tuple[str, ...] = Field(min_length=1)
    after: tuple[str, ...] = ()
    earned_with: tuple[str, ...] = ()
    hint: str = Field(min_length=10)
    train: Literal["coarse", "fine", "prepared"] | None = None

    @model_validator(mode="after")
    def _has_a_rule_unless_it_trains(self) -> "Check":
        if not self.rule and not self.train:
            raise ValueError("a check needs a rule of marking.toml unless it trains")
        return self

    @property
    def labels(self) -> Literal["coarse", "fine"]:
        """The label set of a check that a training decides; what was prepared has coarse labels."""
        return "fine" if self.train == "fine" else "coarse"


class Task(Strict):
    """One file a student edits.

    Attributes:
        id: the name of grader/tasks/<id>/.
        title: for tables.
        module: the file in assignment/, such as `alexnet.py`.
        functions: every public function of the file that is the student's to write.
        builder: the function whose network is trained; none for a task without training.
        checks: in the order in which they are shown.
        worth: in points, from marking.toml.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    module: str = Field(pattern=r"^[a-z][a-z0-9_]*\.py$")
    functions: tuple[str, ...] = Field(min_length=1)
    builder: str | None = None
    checks: tuple[Check, ...] = Field(min_length=1)
    worth: Worth

    @model_validator(mode="after")
    def _consistent(self) -> "Task":
        seen: set[str] = set()
        for check in self.checks:
            if check.id in seen:
                raise ValueError(f"check {check.id!r} is there twice")
            for name in check.functions:
                if name not in self.functions:
                    raise ValueError(f"check {check.id!r} needs {name!r}, which the task does not list")
            for earlier in check.after:
                if earlier not in seen:
                    raise ValueError(f"check {check.id!r} comes after {earlier!r}, which is not above it")
            for cause in check.follows:
                if cause not in seen:
                    raise ValueError(f"check {check.id!r} follows from {cause!r}, which is not above it")
            if check.train and check.train != "prepared" and self.builder is None:
                raise ValueError(f"check {check.id!r} trains, but the task names no builder")
            if check.train == "prepared" and (self.builder or "prepare" not in self.functions):
                raise ValueError(
                    f"check {check.id!r} trains on what prepare returns, and the task "
                    + ("names a builder of its own" if self.builder else "has no function prepare")
                )
            seen.add(check.id)
        # Whoever earns with others is not one of them, or two forms would earn each other's points.
        earns = {check.id for check in self.checks if not check.earned_with and not check.train}
        for check in self.checks:
            for other in check.earned_with:
                if other not in seen:
                    raise ValueError(f"check {check.id!r} is earned with {other!r}, which is not there")
                if other not in earns:
                    raise ValueError(
                        f"check {check.id!r} is earned with {other!r}, which must earn by itself, "
                        "and not by training"
                    )
        if self.builder is not None and self.builder not in self.functions:
            raise ValueError(f"the builder {self.builder!r} is not among the task's functions")
        return self

    @property
    def points(self) -> float:
        """What the task is worth."""
        return self.worth.points

    @property
    def whole(self) -> float:
        """What belongs to no single check, and is not earned by training."""
        return self.worth.structure - sum(check.points for check in self.checks if not check.train)


class Manifest(Strict):
    """Everything there is to do, in order.

    Attributes:
        title: of the assignment.
        tasks: in the order of the file.
        marking: weights and rules.
    """

    title: str
    tasks: tuple[Task, ...] = Field(min_length=1)
    marking: Marking

    @model_validator(mode="after")
    def _unique(self) -> "Manifest":
        ids = [task.id for task in self.tasks]
        if len(ids) != len(set(ids)):
            raise ValueError("a task is there twice")
        rules = {rule.id for rule in self.marking.rules}
        for task in self.tasks:
            if set(task.worth.functions) != set(task.functions):
                raise ValueError(
                    f"{marking.FILE} gives points to other functions of {task.id!r} than the manifest lists"
                )
            if task.whole < 0:
                raise ValueError(f"the checks of {task.id!r} earn more by themselves than the task is worth")
            for check in task.checks:
                if check.rule and check.rule not in rules:
                    raise ValueError(
                        f"check {check.id!r} of {task.id!r} has the rule {check.rule!r}, "
                        f"which is not in {marking.FILE}"
                    )
        return self

    @property
    def points(self) -> float:
        """What the whole assignment is worth."""
        return sum(task.points for task in self.tasks)

    def task(self, task_id: str) -> Task:
        """The task of that id; ManifestError names those there are."""
        for task in self.tasks:
            if task.id == task_id:
                return task
        known = ", ".join(task.id for task in self.tasks)
        raise ManifestError(f"there is no task {task_id!r}", fix=f"The tasks are: {known}")


def load(path: Path) -> Manifest:
    """Reads a manifest and the marking.toml beside it; ManifestError names file, place and fault."""
    return with_marking(path, marking.load(path.with_name(marking.FILE)))


def with_marking(path: Path, weights: Marking) -> Manifest:
    """Reads a manifest, with these weights and rules; ManifestError likewise."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return Manifest.model_validate(_weighed(raw, weights, path))
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}", fix="Run: nox -s stubs") from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}") from error


def _weighed(raw: dict[str, Any], weights: Marking, path: Path) -> dict[str, Any]:
    """The manifest with what everything is worth; a fault of it is left to the validation."""
    tasks = raw.get("tasks")
    if not isinstance(tasks, list):
        return {**raw, "marking": weights}
    return {**raw, "tasks": [_with_points(task, weights, path) for task in tasks], "marking": weights}


def _with_points(task: Any, weights: Marking, path: Path) -> Any:
    if not isinstance(task, dict) or not isinstance(task.get("checks"), list):
        return task
    task_id = task.get("id")
    if not isinstance(task_id, str):
        return task
    worth = weights.tasks.get(task_id)
    if worth is None:
        raise ManifestError(
            f"{path}: {marking.FILE} does not say what the task {task_id!r} is worth",
            fix=f"Add [tasks.{task_id}] with points and functions",
        )
    trained = sum("train" in check for check in task["checks"] if isinstance(check, dict))
    if worth.training and not trained:
        raise ManifestError(
            f"{path}: {marking.FILE} gives {worth.training:g} points for training in {task_id!r}, "
            "in which no check trains"
        )
    if trained and worth.training % (trained * marking.STEP):
        raise ManifestError(
            f"{path}: {trained} checks of {task_id!r} share its {worth.training:g} points for training, "
            f"and each must have whole or half points: change them in {marking.FILE}"
        )
    checks = []
    for check in task["checks"]:
        if isinstance(check, dict):
            points = worth.training / trained if "train" in check else weights.each_check
            if "points" in check:
                raise ManifestError(
                    f"{path}: the check {check.get('id')!r} has points: they belong in {marking.FILE}"
                )
            check = {**check, "points": points}
        checks.append(check)
    return {**task, "checks": checks, "worth": worth}
