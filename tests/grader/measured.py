"""Reference runs that nobody trained for, of the networks that the course asks for."""

from pathlib import Path

from grader import thresholds
from grader.blueprint import training_form
from grader.config import manifest, profiles
from grader.config.profiles import CLASSES, Profile
from grader.grading import to_train
from grader.thresholds import ReferenceRun, Runs, prepared
from grader.thresholds.prepared import PreparedRuns, save_prepared
from grader.training import backends
from grader.training.job import Conditions, Job, pin
from tests.grader.training import tiny

ROOT = Path(__file__).resolve().parents[2]
MACHINE = "a machine elsewhere, 64 cores"


def save(root: Path, profile_name: str = "offline", backend: str = "", seeds: int = 5) -> Runs:
    """Writes runs/ and thresholds.json to reference/<profile>/ of a checkout; all accuracies are made up.

    Args:
        root: its params.yaml and solutions/ are read.
        profile_name: one that trains on the embedded set.
        backend: what they state as having computed; what would compute here if it is left out.
        seeds: how many of the reference seeds.
    """
    profile = profiles.load(root / "params.yaml").profile(profile_name)
    backend, images = backend or backends.name(), pin(profile.data)
    made = []
    for task in manifest.load(root / "solutions" / "tasks.toml").tasks:
        for labels, classes in CLASSES.items() if task.builder else ():
            asked = to_train.described_network(task, classes, profile.builders[task.id])
            form = training_form(asked, profile.budget).network
            for seed in (profile.grading_seed, *profile.reference_seeds[:seeds]):
                job = Job.of(form, labels, seed, profile, images, backend)
                accuracy = 0.6 + 0.02 * (seed % 2)
                run = tiny.result(job, accuracy=accuracy, cpu_seconds=20.0 + seed, machine=MACHINE)
                made.append(ReferenceRun(task=task.id, blueprint=form.digest, result=run))
    runs = Runs(
        profile=profile_name,
        conditions=Conditions.of(profile, images, backend),
        grading_seed=profile.grading_seed,
        builders={task: dict(arguments) for task, arguments in profile.builders.items()},
        runs=tuple(made),
    )
    folder = root / "reference" / profile_name
    thresholds.save_runs(runs, folder)
    thresholds.save(runs, folder)
    _save_prepared(runs, profile, folder)
    return runs


def _save_prepared(runs: Runs, profile: Profile, folder: Path) -> None:
    """What the solution's prepare hands over is as good here as the images themselves."""
    own = [run for run in runs.runs if (run.task, run.result.labels) == ("resnet", prepared.LABELS)]
    results = tuple(run.result for run in own)
    save_prepared(
        PreparedRuns(
            profile=runs.profile,
            conditions=runs.conditions,
            builder=dict(profile.builders["resnet"]),
            grading_seed=runs.grading_seed,
            given=5000,
            blueprint=own[0].blueprint,
            threshold=prepared.of_runs(results, runs.grading_seed, own[0].blueprint),
            runs=results,
        ),
        folder,
    )
