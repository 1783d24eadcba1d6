"""Trainings of the solutions, from which thresholds are computed: reference/<profile>/runs/<task>.json."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from grader.config.profiles import Argument, LabelSet
from grader.errors import ManifestError
from grader.thresholds.files import read, rerun, write
from grader.training.job import Conditions, Result
from lab.strict import Strict

Variant = Literal["as written", "default initialisers"]
Group = tuple[str, LabelSet, Variant]


class ReferenceRun(Strict):
    """One training of one solution.

    Attributes:
        task: whose builder.
        variant: the network it built, or one that the brief allows as well.
        blueprint: the digest of that network.
        result: what came of it.
    """

    task: str
    variant: Variant
    blueprint: str
    result: Result

    @property
    def group(self) -> Group:
        """What it shares with the same network's trainings under other seeds."""
        return self.task, self.result.labels, self.variant


class Runs(Strict):
    """Trainings of the solutions under one profile; runs/<task>.json holds those of one task.

    Attributes:
        profile: which one.
        conditions: what they have in common.
        builders: what each task's builder was called with.
        runs: in the order of task, label set, variant, seed.
    """

    format: Literal[1] = 1
    profile: str
    conditions: Conditions
    builders: dict[str, dict[str, Argument]]
    runs: tuple[ReferenceRun, ...]

    def groups(self) -> dict[Group, list[ReferenceRun]]:
        """The runs of each network on each label set; ManifestError where they are not that."""
        groups: dict[Group, list[ReferenceRun]] = {}
        for run in self.runs:
            groups.setdefault(run.group, []).append(run)
        for group, runs in groups.items():
            seeds, networks = {run.result.seed for run in runs}, {run.blueprint for run in runs}
            if len(seeds) != len(runs) or len(networks) != 1:
                raise ManifestError(
                    f"the reference runs of {name_of(group)} are not one network under different seeds"
                )
        return groups

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
        return cls(profile=first.profile, conditions=first.conditions, builders=builders, runs=runs)


def load_runs(folder: Path) -> Runs:
    """Reads reference/<profile>/runs/*.json, in the order of their names; ManifestError if not."""
    paths = sorted((folder / "runs").glob("*.json"))
    if not paths:
        raise ManifestError(f"{folder / 'runs'} holds no trainings of the solutions", fix=rerun(folder.name))
    return Runs.merge([read(Runs, path, folder) for path in paths])


def save_runs(runs: Runs, folder: Path) -> None:
    """Writes reference/<profile>/runs/<task>.json for each task that was trained; others stay."""
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    for task in dict.fromkeys(run.task for run in runs.runs):
        builders = {name: called for name, called in runs.builders.items() if name == task}
        own = tuple(run for run in runs.runs if run.task == task)
        write(folder / "runs" / f"{task}.json", runs.model_copy(update={"builders": builders, "runs": own}))


def name_of(group: Group) -> str:
    """What to call a group in a sentence."""
    task, labels, variant = group
    return f"{task} on {labels} labels, {variant},"


def changes(before: Mapping[str, object], now: Mapping[str, object]) -> str:
    """Where two nested dictionaries differ, for people: each difference with what was and what is."""
    return "; ".join(f"{name} was {old!r}, is {new!r}" for name, old, new in _differences(before, now))


def _differences(before: object, now: object, name: str = "") -> Iterator[tuple[str, object, object]]:
    """Where two nested dictionaries differ, by dotted name."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*before, *now)):
            yield from _differences(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))
    elif before != now:
        yield name, before, now
