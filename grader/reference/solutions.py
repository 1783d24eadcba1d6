"""The networks that the solutions build under a profile, as data.

The solutions go the way of a submission: called in a process of their own, described, validated, brought
into the training form. What is written to reference/<profile>/networks/<task>.json is all that a training
reads of a solution: one that is rewritten but has the same training form has nothing trained again.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from grader import blueprint, sandbox
from grader.blueprint import Blueprint, TrainingForm, training_form
from grader.config.manifest import Task
from grader.config.profiles import CLASSES, Argument, LabelSet, Profile
from grader.errors import BlueprintRefused, ManifestError
from grader.grading import probing
from grader.grading.evidence import Network
from lab.files import write_atomically
from lab.strict import Strict, explained

VERSION = 2  # of how solutions are described: see grader/reference/versions.py

# Our own code, perhaps beside trainings that take every core: a probe that is slow is not to be tried again.
_LIMITS = replace(probing.LIMITS, wall_seconds=900.0, cpu_seconds=450.0)


class Substitution(Strict):
    """What a training form has in the place of something that was written: see grader.blueprint.Replaced."""

    rule: str
    kind: str
    nodes: int
    says: str


class Described(Strict):
    """One network to be trained.

    Attributes:
        labels: what it learns to tell apart.
        written: the digest of the network as the solution builds it.
        digest: of its training form.
        parameters: all weights of the training form, moving statistics included.
        flops: for one example, forward; a multiply-add is two.
        replaced: how the training form differs from what was written.
        network: the canonical form of the training form.
    """

    labels: LabelSet
    written: str
    digest: str
    parameters: int
    flops: int
    replaced: tuple[Substitution, ...]
    network: dict[str, Any]


class Networks(Strict):
    """reference/<profile>/networks/<task>.json: what is trained for one task.

    Attributes:
        task, profile: whose.
        arguments: what the builder was called with besides `num_classes`.
        networks: one for each label set.
    """

    format: Literal[2] = 2
    task: str
    profile: str
    arguments: dict[str, Argument]
    networks: tuple[Described, ...]


def describe(task: Task, solutions: Path, profile: Profile) -> dict[LabelSet, Blueprint]:
    """The networks that a task's solution builds for a profile, one for each label set.

    Raises:
        ManifestError: the profile does not say what to build, or the solution builds nothing to be trained.
    """
    if task.id not in profile.builders:
        raise ManifestError(f"params.yaml: profiles.{profile.name}.builders has no {task.id!r}")
    engine = sandbox.select("none", own_code=True)
    probed = probing.probe(
        engine, task, solutions, seed=0, builder_arguments=profile.builders[task.id], limits=_LIMITS
    )
    networks: dict[LabelSet, Blueprint] = {}
    for labels in CLASSES:
        call = probed.evidence.calls.get(f"train.{labels}")
        if call is None or not isinstance(call.value, Network) or call.value.refused:
            raise ManifestError(
                f"solutions/{task.module}: {task.builder} gave no network for {labels} labels: {call}"
            )
        try:
            networks[labels] = blueprint.read(call.value.description, profile.budget)
        except BlueprintRefused as error:
            raise ManifestError(f"solutions/{task.module}: {error.message}") from error
    return networks


def formed(task: Task, solutions: Path, profile: Profile) -> dict[LabelSet, tuple[Blueprint, TrainingForm]]:
    """What a task's solution builds, as it is written and in its training form; errors as in `describe`."""
    return {
        labels: (written, training_form(written, profile.budget))
        for labels, written in describe(task, solutions, profile).items()
    }


def networks(task: Task, solutions: Path, profile: Profile) -> Networks:
    """All that is trained for a task; errors as in `describe`."""
    return Networks(
        task=task.id,
        profile=profile.name,
        arguments=profile.builders.get(task.id, {}),
        networks=tuple(
            Described(
                labels=labels,
                written=written.digest,
                digest=form.network.digest,
                parameters=form.network.parameters,
                flops=form.network.flops,
                replaced=tuple(Substitution(**asdict(one)) for one in form.replaced),
                network=form.network.canonical,
            )
            for labels, (written, form) in formed(task, solutions, profile).items()
        ),
    )


def path(folder: Path, task_id: str) -> Path:
    """Where the networks of a task lie in reference/<profile>/."""
    return folder / "networks" / f"{task_id}.json"


def save(described: Networks, folder: Path) -> None:
    """Writes them to reference/<profile>/networks/, a node a line, so that a change of one can be read."""
    data = described.model_dump(mode="json")
    entries = []
    for entry in data.pop("networks"):
        network = entry.pop("network")
        nodes = ",\n   ".join(json.dumps(node) for node in network.pop("nodes"))
        head = json.dumps({**entry, "network": network})
        entries.append(f'{head[:-2]}, "nodes": [\n   {nodes}]}}}}')
    head = json.dumps(data, indent=1)[:-2]
    text = f'{head},\n "networks": [\n  ' + ",\n  ".join(entries) + "\n ]\n}\n"
    write_atomically(path(folder, described.task), text)


def load(folder: Path, task_id: str) -> Networks:
    """Reads reference/<profile>/networks/<task>.json; ManifestError names the file and the fault."""
    file = path(folder, task_id)
    fix = f"Run: nox -s reference -- --profile {folder.name}"
    try:
        return Networks.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ManifestError(f"{file} cannot be read: {error.strerror}", fix=fix) from error
    except ValidationError as error:
        raise ManifestError(f"{file}: {explained(error)}", fix=fix) from error
