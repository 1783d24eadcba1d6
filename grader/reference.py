"""`nox -s reference`: trains the solutions over several seeds and writes reference/<profile>/.

The solutions go the way of a submission: called in a process of their own, described, rebuilt, trained. What
is in the store is not trained again, so a run that was stopped goes on where it was.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grader import blueprint, manifest, probing, recipes, sandbox, thresholds, trainer
from grader.blueprint import Blueprint
from grader.commands import progress
from grader.errors import BlueprintRefused, GraderFault, ManifestError
from grader.evidence import Network
from grader.manifest import Task
from grader.recipes import CLASSES, LabelSet, Profile
from grader.thresholds import ReferenceRun, Runs, Thresholds, Variant
from grader.trainer import Job, Result

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures one profile; 0 if every training ended, 1 if some could not."""
    parser = argparse.ArgumentParser(prog="nox -s reference --", description=__doc__.split("\n\n")[0])
    parser.add_argument("--profile", default="offline", help="offline, cpu (default: offline)")
    parser.add_argument(
        "--workers", type=int, default=2, help="trainings at a time, one thread each (default: 2)"
    )
    parser.add_argument("--store", type=Path, default=ROOT / ".kit" / "trainings", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    profile = recipes.load(ROOT / "params.yaml").profile(options.profile)
    tasks = [task for task in manifest.load(ROOT / "solutions" / "tasks.toml").tasks if task.builder]
    console = Console()
    measured = measure(
        profile, tasks, ROOT / "solutions", store=options.store, workers=options.workers, console=console
    )
    written = thresholds.save(measured, ROOT / "reference" / profile.name)
    console.print(_table(written))
    console.print(f"Written: reference/{profile.name}/runs.json and thresholds.json", highlight=False)
    return 0


def measure(
    profile: Profile, tasks: Sequence[Task], solutions: Path, *, store: Path, workers: int, console: Console
) -> Runs:
    """Trains the variants of every task's solution on both label sets under all reference seeds.

    Raises:
        ManifestError: a solution cannot be called or described.
        GraderFault: some trainings could not be done; what was done is in the store.
    """
    pin = trainer.pin(profile.data)
    jobs: dict[tuple[str, LabelSet, Variant, int], Job] = {}
    digests: dict[str, str] = {}  # of the blueprints, by job
    names: dict[str, str] = {}
    with sandbox.interruptible():
        for task in tasks:
            for labels, written in describe(task, solutions, profile).items():
                for variant, network in variants(written, profile).items():
                    for seed in profile.reference_seeds:
                        job = Job.of(network, labels, seed, profile, pin)
                        jobs[task.id, labels, variant, seed] = job
                        digests[job.digest] = network.digest
                        names[job.digest] = f"{task.id} {variant}, {labels} labels, seed {seed}"
        # Seed by seed, so that a run that is stopped early has seen all of the networks.
        order = sorted(jobs, key=lambda key: profile.reference_seeds.index(key[3]))
        with progress.Display(console, 0, names) as display:
            outcomes = trainer.run([jobs[key] for key in order], store=store, workers=workers, watch=display)
    faults = [f"{names[digest]}: {one}" for digest, one in outcomes.items() if not isinstance(one, Result)]
    if faults:
        raise GraderFault("\n".join(faults), mend="The others are kept: the same command goes on from there.")
    runs = []
    for (task_id, _, variant, _), job in jobs.items():
        result = outcomes[job.digest]
        assert isinstance(result, Result)
        runs.append(ReferenceRun(task=task_id, variant=variant, blueprint=digests[job.digest], result=result))
    return Runs(
        profile=profile.name,
        conditions=trainer.Conditions.of(profile, pin),
        builders=profile.builders,
        runs=tuple(runs),
    )


def describe(task: Task, solutions: Path, profile: Profile) -> dict[LabelSet, Blueprint]:
    """The networks that a task's solution builds for a profile, one for each label set."""
    if task.id not in profile.builders:
        raise ManifestError(f"params.yaml: profiles.{profile.name}.builders has no {task.id!r}")
    engine = sandbox.select("none", own_code=True)
    probed = probing.probe(engine, task, solutions, seed=0, recipe=profile.builders[task.id])
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


def variants(written: Blueprint, profile: Profile) -> dict[Variant, Blueprint]:
    """The solution's network, and what the brief allows as well but may learn differently."""
    nodes = [
        {**node, "settings": {k: v for k, v in node["settings"].items() if k != "kernel_initializer"}}
        for node in written.canonical["nodes"]
    ]
    default = blueprint.read({**written.canonical, "nodes": nodes}, profile.budget)
    if default.digest == written.digest:
        return {"as written": written}
    return {"as written": written, "default initialisers": default}


def _table(written: Thresholds) -> Table:
    table = Table(
        "task",
        "labels",
        "n",
        "mean",
        "sd",
        "threshold",
        "chance",
        "variant",
        title=f"profile {written.profile}",
    )
    for one in written.thresholds:
        share = (f"{value:.2%}" for value in (one.mean, one.sd, one.threshold, one.chance))
        table.add_row(one.task, one.labels, str(one.n), *share, one.variant)
    return table


if __name__ == "__main__":
    sys.exit(main())
