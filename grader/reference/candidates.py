"""Which recipe tells right networks from wrong ones, and at what price: reference/recipes.json.

A grading recipe has to be cheap, since every submission pays for it, and sharp: the accuracies of right
networks must lie so close together, and so far above those of wrong ones, that one training decides. For each
candidate (`candidates` in params.yaml) the solutions' training form is trained under a few seeds, and each of
WRONG under the first of them;

    distance = (mean of the right ones - the best of the wrong ones) / standard deviation of the right ones

The wrong networks are made from the training form, as data. Those of the first kind differ in nothing that a
check of the structure would name, and only fail to learn: nothing but the threshold catches them. Those of
the second kind fail a check of the structure as well; here they show how fine a recipe tells.
"""

import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from grader import blueprint, sandbox
from grader.blueprint import Blueprint, training_form
from grader.config.manifest import Task
from grader.config.profiles import LabelSet, Profile
from grader.errors import ManifestError
from grader.reference import matrix
from grader.reference.solutions import describe
from grader.thresholds import bound
from grader.training import pool, progress
from grader.training.executors import Executor
from grader.training.job import Job, Result
from grader.training.job import pin as pin_of
from lab.files import write_atomically
from lab.strict import Strict, explained

Node = dict[str, Any]
Kind = Literal["only the threshold catches it", "the structure's checks catch it too"]

_CONVOLVES = ("Conv2D", "Dense")


class WrongRun(Strict):
    """One training of a wrong network."""

    name: str
    kind: Kind
    accuracy: float


class Cell(Strict):
    """One candidate on one task and label set.

    Attributes:
        candidate: its name in params.yaml; "as it is" for the profile itself.
        n: seeds of the right network.
        mean: of the hidden accuracy of the right network.
        sd: likewise.
        threshold: what n runs would set; 0 at the least.
        cpu_seconds: of one training, the median.
        wrong: what the wrong networks reached, one training each.
        open_distance: in sd, from the mean to the best of those that only the threshold catches.
        distance: likewise, to the best of all.
    """

    candidate: str
    task: str
    labels: LabelSet
    n: int
    mean: float
    sd: float
    threshold: float
    cpu_seconds: float
    wrong: tuple[WrongRun, ...]
    open_distance: float
    distance: float

    @property
    def best(self) -> WrongRun:
        """The wrong network that learned most."""
        return max(self.wrong, key=lambda run: run.accuracy)

    @property
    def best_open(self) -> WrongRun:
        """Likewise, of those that only the threshold catches."""
        return max((run for run in self.wrong if run.kind == _OPEN), key=lambda run: run.accuracy)


class Comparison(Strict):
    """reference/recipes.json, one profile of it.

    Attributes:
        profile: whose candidates these are.
        machine: where they were trained.
        cells: one for each candidate, task and label set.
    """

    profile: str
    machine: str
    cells: tuple[Cell, ...]


def compare(
    candidates: Mapping[str, Profile],
    tasks: Sequence[Task],
    label_sets: Sequence[LabelSet],
    solutions: Path,
    *,
    seeds: Sequence[int],
    executor: Executor,
    store: Path,
    workers: int,
    console: Console,
) -> Comparison:
    """Trains the solutions and the wrong networks under every candidate.

    Args:
        candidates: by what to call them.
        tasks: whose solutions are trained.
        label_sets: on which of them.
        solutions: the folder.
        seeds: of the right networks; the wrong ones are trained under the first.
        executor: where, for all candidates.
        store: of results.
        workers: trainings at a time.
        console: where to say how it goes.

    Raises:
        ManifestError: a solution cannot be called or described.
        GraderFault: some trainings could not be done; what was done is in the store.
    """
    right: dict[tuple[str, str, LabelSet], list[Job]] = {}
    wrong: dict[tuple[str, str, LabelSet], dict[str, Job]] = {}
    names: dict[str, str] = {}
    with sandbox.interruptible():
        for candidate, profile in candidates.items():
            pin = pin_of(profile.data)
            for task in tasks:
                for labels, written in describe(task, solutions, profile).items():
                    if labels not in label_sets:
                        continue
                    key = candidate, task.id, labels
                    network = training_form(written, profile.budget).network
                    right[key] = [
                        Job.of(network, labels, seed, profile, pin, executor.backend) for seed in seeds
                    ]
                    wrong[key] = {
                        name: Job.of(changed, labels, seeds[0], profile, pin, executor.backend)
                        for name, changed in wrong_networks(network, profile)
                    }
                    for job in right[key]:
                        names[job.digest] = f"{candidate}: {task.id}, {labels} labels, seed {job.seed}"
                    for name, job in wrong[key].items():
                        names[job.digest] = f"{candidate}: {task.id}, {labels} labels, {name}"
        jobs = [job for key in right for job in (*right[key], *wrong[key].values())]
        with progress.Display(console, 0, names) as display:
            outcomes = pool.run(jobs, executor=executor, store=store, workers=workers, listener=display)
    results = matrix.all_trained(outcomes, names)
    cells = [
        _cell(
            key,
            [results[job.digest] for job in right[key]],
            {n: results[j.digest] for n, j in wrong[key].items()},
        )
        for key in right
    ]
    return Comparison(
        profile=next(iter(candidates.values())).name,
        machine=next(iter(results.values())).machine,
        cells=tuple(cells),
    )


def _cell(key: tuple[str, str, LabelSet], right: Sequence[Result], wrong: Mapping[str, Result]) -> Cell:
    candidate, task, labels = key
    accuracies = [result.accuracy for result in right]
    n, mean, sd = len(accuracies), statistics.mean(accuracies), statistics.stdev(accuracies)
    runs = tuple(WrongRun(name=n, kind=WRONG[n][0], accuracy=r.accuracy) for n, r in wrong.items())
    best = max(run.accuracy for run in runs)
    best_open = max(run.accuracy for run in runs if run.kind == _OPEN)
    return Cell(
        candidate=candidate,
        task=task,
        labels=labels,
        n=n,
        mean=round(mean, 6),
        sd=round(sd, 6),
        threshold=round(max(0.0, float(bound(mean, sd, n))), 4),
        cpu_seconds=round(statistics.median(result.cpu_seconds for result in right), 1),
        wrong=runs,
        open_distance=round((mean - best_open) / sd, 1),
        distance=round((mean - best) / sd, 1),
    )


def load(path: Path, profile: str) -> Comparison | None:
    """One profile's comparison from reference/recipes.json; None if there is none.

    Raises:
        ManifestError: the file cannot be read.
    """
    try:
        held = dict[str, Any](json.loads(path.read_bytes()).items())
        return Comparison.model_validate(held[profile]) if profile in held else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError) as error:  # AttributeError: no object
        why = explained(error) if isinstance(error, ValidationError) else type(error).__name__
        raise ManifestError(
            f"{path.name} cannot be read: {why}",
            fix=f"Run: python -m grader.reference candidates --profile {profile}",
        ) from error


def save(comparison: Comparison, path: Path) -> None:
    """Puts one profile's comparison into reference/recipes.json, beside those of the others."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        held = {}
    held[comparison.profile] = comparison.model_dump(mode="json")
    write_atomically(path, json.dumps(held, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def table(comparison: Comparison) -> Table:
    """For the terminal: a row a candidate, task and label set, and what one submission's verdict takes."""
    shown = Table(
        *(
            "candidate",
            "task",
            "labels",
            "mean",
            "sd",
            "threshold",
            "cpu s",
            "best wrong",
            "sd away",
            "best open",
            "sd away",
        ),
        title=f"profile {comparison.profile}: which recipe tells right from wrong",
    )
    for cell in comparison.cells:
        shown.add_row(
            cell.candidate,
            cell.task,
            cell.labels,
            f"{cell.mean:.1%}",
            f"{cell.sd:.2%}",
            f"{cell.threshold:.1%}",
            f"{cell.cpu_seconds:.0f}",
            f"{cell.best.name} {cell.best.accuracy:.1%}",
            f"{cell.distance:.1f}",
            f"{cell.best_open.name} {cell.best_open.accuracy:.1%}",
            f"{cell.open_distance:.1f}",
        )
    return shown


# --- wrong networks ----------------------------------------------------------------------------------------


def wrong_networks(written: Blueprint, profile: Profile) -> Iterator[tuple[str, Blueprint]]:
    """Those of WRONG that this network can be turned into."""
    for name, (_, change) in WRONG.items():
        nodes = change([{**node, "settings": dict(node["settings"])} for node in written.canonical["nodes"]])
        if nodes is None:
            continue
        changed = blueprint.read(
            {**written.canonical, "nodes": nodes, "output": len(nodes) - 1}, profile.budget
        )
        if changed.digest != written.digest:
            yield name, changed


def _without(op: str, **settings: object) -> Callable[[list[Node]], list[Node] | None]:
    """Takes out all nodes of an operation with these settings: what read them reads their first input."""

    def change(nodes: list[Node]) -> list[Node] | None:
        return _taken_out(
            nodes,
            lambda node: node["op"] == op and settings.items() <= node["settings"].items(),
        )

    return change


def _taken_out(nodes: list[Node], chosen: Callable[[Node], bool]) -> list[Node] | None:
    kept: list[Node] = []
    place: dict[int, int] = {}  # where what a node gave is found now
    for index, node in enumerate(nodes):
        if chosen(node):
            place[index] = place[node["inputs"][0]]
            continue
        kept.append({**node, "inputs": [place[i] for i in node["inputs"]]})
        place[index] = len(kept) - 1
    return None if len(kept) == len(nodes) else _reaching(kept)


def _reaching(nodes: list[Node]) -> list[Node]:
    """Without those that no longer lead to the output, the last node."""
    wanted = {len(nodes) - 1}
    for index in range(len(nodes) - 1, -1, -1):
        if index in wanted:
            wanted |= set(nodes[index]["inputs"])
    order = sorted(wanted)
    return [{**nodes[i], "inputs": [order.index(j) for j in nodes[i]["inputs"]]} for i in order]


def _setting(ops: Sequence[str], **settings: object) -> Callable[[list[Node]], list[Node] | None]:
    """Gives other settings to all nodes of these operations that have such settings at all."""

    def change(nodes: list[Node]) -> list[Node] | None:
        hit = [
            node
            for node in nodes
            if node["op"] in ops and all(node["settings"].get(name) is not None for name in settings)
        ]
        for node in hit:
            node["settings"].update(settings)
        return nodes if hit else None

    return change


def _normal(deviation: float) -> Callable[[list[Node]], list[Node] | None]:
    """Draws all kernels from one normal distribution."""
    return _setting(_CONVOLVES, kernel_initializer={"name": "RandomNormal", "stddev": deviation})


def _vanishing(nodes: list[Node]) -> list[Node] | None:
    """Draws all kernels so small that nothing comes through them, where all ways lead through several.

    A normalisation divides by the root of the variance and epsilon, so that a kernel far below that puts out
    next to nothing, and lets next to no gradient through. The wide ResNet's shortcuts have no kernels: one
    way leads through its first and its last alone, which grow at once. On fine labels it learns nearly as
    well, 4 to 5 deviations below, however small the spread: no threshold could tell (reference/decrees.json).
    """
    return None if _fewest_kernels(nodes) < _SEVERAL else _normal(1e-5)(nodes)


_SEVERAL = 3


def _fewest_kernels(nodes: list[Node]) -> int:
    """Through how many layers with a kernel the way with the fewest of them leads."""
    fewest: list[int] = []
    for node in nodes:
        before = min((fewest[i] for i in node["inputs"]), default=0)
        fewest.append(before + (node["op"] in _CONVOLVES))
    return fewest[-1]


def _no_skip(nodes: list[Node]) -> list[Node] | None:
    """Every addition gives the one of its inputs that has come the longer way: that of the block's layers."""
    depth: list[int] = []
    for node in nodes:
        depth.append(1 + max((depth[i] for i in node["inputs"]), default=0))
    for node in nodes:
        node["inputs"] = (
            [max(node["inputs"], key=lambda i: depth[i])] if node["op"] == "Add" else node["inputs"]
        )
    return _taken_out(nodes, lambda node: node["op"] == "Add")


_OPEN: Kind = "only the threshold catches it"
_SHOWN: Kind = "the structure's checks catch it too"
WRONG: Mapping[str, tuple[Kind, Callable[[list[Node]], list[Node] | None]]] = {
    "L2 of 0.1": (_OPEN, _setting(_CONVOLVES, kernel_l2=0.1)),
    "L2 of 0.01": (_OPEN, _setting(_CONVOLVES, kernel_l2=0.01)),
    "gammas of 0": (_OPEN, _setting(("BatchNormalization",), gamma_initializer={"name": "Zeros"})),
    "RandomNormal of 1": (_OPEN, _normal(1.0)),
    "RandomNormal of 0.00001": (_OPEN, _vanishing),
    "no batch normalisation": (_SHOWN, _without("BatchNormalization")),
    "no ReLU": (_SHOWN, _without("Activation", activation="relu")),
    "no skip": (_SHOWN, _no_skip),
}
