"""Trainings of the solutions: reference/<profile>/runs/<task>.json.

Thresholds are computed from those under the reference seeds. Those under the grading seed are what `grade`
knows beforehand of a right network (known.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from grader.config.profiles import Argument, LabelSet
from grader.errors import ManifestError
from grader.thresholds.files import read, rerun, write
from grader.training.job import Conditions, Result
from lab.strict import Strict

Group = tuple[str, LabelSet]


class ReferenceRun(Strict):
    """One training of one solution.

    Attributes:
        task: whose builder.
        blueprint: the digest of what was trained: the training form of the network that it built.
        result: what came of it.
    """

    task: str
    blueprint: str
    result: Result

    @property
    def group(self) -> Group:
        """What it shares with the same network's trainings under other seeds."""
        return self.task, self.result.labels


class Runs(Strict):
    """Trainings of the solutions under one profile; runs/<task>.json holds those of one task.

    Attributes:
        profile: which one.
        conditions: what they have in common.
        grading_seed: of the runs that set no threshold.
        builders: what each task's builder was called with.
        runs: in the order of task, label set, seed.
    """

    format: Literal[2] = 2
    profile: str
    conditions: Conditions
    grading_seed: int
    builders: dict[str, dict[str, Argument]]
    runs: tuple[ReferenceRun, ...]

    def groups(self) -> dict[Group, list[ReferenceRun]]:
        """The runs of each network on each label set under the reference seeds.

        Raises:
            ManifestError: they are not one network under different seeds.
        """
        groups: dict[Group, list[ReferenceRun]] = {}
        for run in self.runs:
            groups.setdefault(run.group, []).append(run)
        for group, runs in groups.items():
            seeds, networks = {run.result.seed for run in runs}, {run.blueprint for run in runs}
            if len(seeds) != len(runs) or len(networks) != 1:
                raise ManifestError(
                    f"the reference runs of {name_of(group)} are not one network under different seeds"
                )
        return {
            group: [run for run in runs if run.result.seed != self.grading_seed]
            for group, runs in groups.items()
        }

    def graded(self) -> dict[Group, ReferenceRun]:
        """The run of each network on each label set under the grading seed."""
        return {run.group: run for run in self.runs if run.result.seed == self.grading_seed}

    @classmethod
    def merge(cls, parts: Sequence["Runs"]) -> "Runs":
        """All runs of several files; ManifestError unless they were trained under the same conditions.

        Args:
            parts: of one profile, each with other tasks; at least one.
        """
        first = parts[0]
        builders: dict[str, dict[str, Argument]] = {}
        for part in parts:
            shared = builders.keys() & part.builders.keys()
            before, now = (
                {
                    "profile": one.profile,
                    "grading_seed": one.grading_seed,
                    "builders": {name: called[name] for name in shared},
                    **one.conditions.model_dump(),
                }
                for one, called in ((first, builders), (part, part.builders))
            )
            if changed := changes(before, now):
                tasks = ", ".join(dict.fromkeys(run.task for run in part.runs))
                raise ManifestError(
                    f"the reference runs of {tasks} were trained under other conditions ({changed})",
                    fix=rerun(first.profile),
                )
            builders |= part.builders
        runs = tuple(run for part in parts for run in part.runs)
        return first.model_copy(update={"builders": builders, "runs": runs})


def load_runs(folder: Path) -> Runs:
    """Reads reference/<profile>/runs/*.json, in the order of their names.

    Raises:
        ManifestError: there are none, or one cannot be read, was damaged or edited.
    """
    paths = sorted((folder / "runs").glob("*.json"))
    if not paths:
        raise ManifestError(f"{folder / 'runs'} holds no trainings of the solutions", fix=rerun(folder.name))
    return Runs.merge([_load(path, folder) for path in paths])


def find_runs(folder: Path) -> Runs | None:
    """Reads reference/<profile>/runs/*.json if there are any; ManifestError if one cannot be read."""
    return load_runs(folder) if any((folder / "runs").glob("*.json")) else None


def save_runs(runs: Runs, folder: Path) -> None:
    """Writes reference/<profile>/runs/<task>.json for each task that was trained; others stay."""
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    for task in dict.fromkeys(run.task for run in runs.runs):
        builders = {name: called for name, called in runs.builders.items() if name == task}
        own = tuple(run for run in runs.runs if run.task == task)
        write(folder / "runs" / f"{task}.json", runs.model_copy(update={"builders": builders, "runs": own}))


def name_of(group: Group) -> str:
    """What to call a group in a sentence."""
    task, labels = group
    return f"{task} on {labels} labels"


def changes(before: Mapping[str, object], now: Mapping[str, object]) -> str:
    """Where two nested dictionaries differ, for people: each difference with what was and what is."""
    return "; ".join(f"{name} was {old!r}, is {new!r}" for name, old, new in _differences(before, now))


def _load(path: Path, folder: Path) -> Runs:
    runs = read(Runs, path, folder)
    for run in runs.runs:
        if not run.result.intact:
            raise ManifestError(
                f"{path}: the run of {name_of(run.group)} under seed {run.result.seed} is not as it was "
                "written: its content has another digest",
                fix=f"Restore the file (git checkout), or measure it again: {rerun(folder.name)[5:]}",
            )
    return runs


def _differences(before: object, now: object, name: str = "") -> Iterator[tuple[str, object, object]]:
    """Where two nested dictionaries differ, by dotted name."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*before, *now)):
            yield from _differences(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))
    elif before != now:
        yield name, before, now
