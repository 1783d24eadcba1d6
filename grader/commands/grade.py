"""`nox -s grade`: marks submissions, shows the marks and writes a folder of results for each."""

import math
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import exporters, sandbox, thresholds
from grader.blueprint import Blueprint
from grader.commands.place import is_own
from grader.config import manifest, profiles
from grader.errors import ManifestError, UsageError
from grader.exporters import terminal
from grader.grading import intake, judging
from grader.grading import run as grading
from grader.grading.intake import Source
from grader.grading.plan import Plan, Trainer, Training, changed
from grader.results.record import Run, SubmissionResult
from grader.sandbox import Engine
from grader.slots import Slots
from grader.text import plain
from grader.training import launchers, progress, trainer
from grader.training.pool import Pool
from lab import data
from lab.errors import DataError


@dataclass(frozen=True)
class Order:
    """What the command line asks for.

    Attributes:
        paths: folders and zips.
        profile: its name; None for the best that the data here allow.
        engine: its name, or `auto`.
        seed: of the probe inputs.
        out: the folder for results.
        trust: these submissions are the user's own, and may run without a sandbox.
        workers: how many probes and how many trainings at a time.
    """

    paths: Sequence[Path]
    profile: str | None
    engine: str
    seed: int
    out: Path
    trust: bool
    workers: int


def grade(root: Path, console: Console, order: Order) -> int:
    """Grades what the paths hold; 0 if every submission was graded, else 1.

    Raises:
        UsageError: a path, profile or engine that cannot be used.
        ManifestError, DataError: the course's own files are wrong or missing.
    """
    tasks = manifest.load(root / "assignment" / "tasks.toml")
    sources = intake.find(order.paths, [task.module for task in tasks.tasks])
    params = profiles.load(root / "params.yaml")
    profile = params.profile(order.profile or ("cpu" if data.available(root) else "offline"))
    _check_out(order.out)
    engine = sandbox.select(
        order.engine, own_code=order.trust or all(s.named and is_own(root, s.path) for s in sources)
    )
    pin = pin_of(root, profile)
    place = launchers.choose(engine.name, profile.device, profile.backend)
    conditions = trainer.Conditions.of(profile, pin, place.engine)
    wanted = thresholds.load(root / "reference" / profile.name)
    run = Run(
        profile=profile.name,
        data="the embedded set" if profile.data == "embedded" else "CIFAR-100",
        data_pin=pin,
        provisional_because=_provisional(profile, wanted, conditions),
        engine=engine.name,
        seed=order.seed,
        versions=versions(),
    )
    _check_hidden(engine, [*(source.path for source in sources), order.out])
    _announce(console, sources, run, engine)
    display = progress.Display(console, len(sources) * len(tasks.tasks))
    slots = Slots(order.workers)
    with (
        sandbox.interruptible(),
        display,
        Pool(store=store_of(root), slots=slots, watch=display, launcher=place.launcher) as pool,
    ):
        training = training_of(root, profile, pin, place, wanted, display, pool)
        plan = Plan(tasks, profile, engine, run, training, slots, display.probed)
        results = grading.grade(
            sources, plan, lambda result: exporters.registry.write_submission(result, order.out)
        )
    if len(results) > 1:
        exporters.registry.write_class(results, order.out)
    _show(console, results, order.out)
    return 0 if all(result.graded and not result.problem for result in results) else 1


def training_of(
    root: Path,
    profile: profiles.Profile,
    pin: str,
    place: launchers.Chosen,
    wanted: thresholds.Thresholds,
    display: progress.Display,
    pool: Trainer,
) -> Training:
    """How the networks of a run are trained: as the profile says, each once, what is stored not again."""
    store = store_of(root)
    tasks = manifest.load(root / "assignment" / "tasks.toml")
    reference = _reference_seconds(root / "reference" / profile.name)

    @cache
    def wanted_job(task: str, labels: profiles.LabelSet) -> trainer.Job:
        arguments = profile.builders.get(task, {})
        network = judging.described_network(tasks.task(task), profiles.CLASSES[labels], arguments)
        return trainer.Job.of(network, labels, profile.grading_seed, profile, pin, place.engine)

    def described(task: str, labels: profiles.LabelSet) -> trainer.Job:
        asked = wanted_job(task, labels)
        display.name(asked, f"the network that was asked for: {task}, {labels} labels")
        return asked

    @cache
    def limit(task: str, labels: profiles.LabelSet) -> float:
        """Twice what the described network took here at its slowest, or else in the reference runs."""
        seeds = (profile.grading_seed, *profile.extra_seeds)
        jobs = [changed(wanted_job(task, labels), seed=seed) for seed in seeds]
        here = [result.spent for one in jobs if (result := trainer.stored(one, store))]
        seconds = max(here, default=reference.get((task, labels), math.inf))
        return trainer.limit_seconds(seconds, profile.limit_seconds)

    def job(task: str, labels: profiles.LabelSet, network: Blueprint, owner: str) -> trainer.Job:
        made = trainer.Job.of(network, labels, profile.grading_seed, profile, pin, place.engine)
        limited = changed(made, limit_seconds=limit(task, labels))
        display.name(limited, f"{owner}: {task}, {labels} labels")
        return limited

    return Training(trainer=pool, job=job, threshold=wanted.get, on_close=display.close, described=described)


def store_of(root: Path) -> Path:
    """Where all trainings are kept."""
    return root / ".kit" / "trainings"


def _reference_seconds(folder: Path) -> dict[tuple[str, profiles.LabelSet], float]:
    """What trainings of the solutions took on the reference's machine, the mean; empty without such runs."""
    try:
        groups = thresholds.load_runs(folder).groups()
    except ManifestError:
        return {}
    return {
        (task, labels): statistics.mean(run.result.spent for run in runs)
        for (task, labels, variant), runs in groups.items()
        if variant == "as written"
    }


def pin_of(root: Path, profile: profiles.Profile) -> str:
    """The digest of the data that this profile trains and scores on; DataError if they are not here."""
    if profile.data == "cifar-100" and not data.available(root):
        raise DataError(
            f"profile {profile.name} needs CIFAR-100, which is not here",
            fix="Run: nox -s data (or grade with --profile offline)",
        )
    return trainer.pin(profile.data)


def versions() -> dict[str, str]:
    """Of what the grader itself runs on; a training keeps its own."""
    return {"python": platform.python_version(), "keras": version("keras"), "numpy": version("numpy")}


def _provisional(
    profile: profiles.Profile, wanted: thresholds.Thresholds, conditions: trainer.Conditions
) -> str:
    """Why the marks are not final, in a sentence; empty if they are."""
    reasons = []
    if profile.data == "embedded":
        reasons.append("networks were trained on the embedded set of drawn images, not on CIFAR-100")
    if reservation := wanted.reservation():
        reasons.append(reservation)
    if stale := wanted.stale(conditions, profile.builders):
        reasons.append(stale)
    return "; ".join(reasons)


def _announce(console: Console, sources: Sequence[Source], run: Run, engine: Engine) -> None:
    what = sources[0].name if len(sources) == 1 else f"{len(sources)} submissions"
    line = Text(f"Grading {what}", style="bold")
    line.append(
        f" · profile {run.profile} · {run.data}, pin {run.data_pin[:12]}"
        f" · engine {run.engine} · seed {run.seed}",
        style="not bold",
    )
    console.print(line)
    if not engine.isolates:
        console.print(Text("The engine none isolates nothing: this code runs as you do.", style="yellow"))
    if soft := engine.soft():
        console.print(Text(f"Limits are soft: {soft}.", style="yellow"))
    if run.provisional:
        console.print(Text(f"Marks are provisional: {run.provisional_because}.", style="yellow"))


def _show(console: Console, results: Sequence[SubmissionResult], out: Path) -> None:
    if len(results) == 1:
        console.print(terminal.submission(results[0]))
        drawn = any(check.drawing for task in results[0].tasks for check in task.checks)
        pictures = ", and pictures of what differs" if drawn else ""
        console.print(Text(f"\n{plain(out / results[0].name, 300)}/: results.json, report.txt{pictures}"))
        return
    console.print(terminal.summary(results))
    if any(result.run.provisional for result in results):
        console.print(Text(f"Marks are provisional: {results[0].run.provisional_because}.", style="yellow"))
    console.print(Text(f"{plain(out, 300)}/: marks.csv, and for each submission results.json and report.txt"))


def _check_hidden(engine: Engine, paths: Sequence[Path]) -> None:
    """UsageError if a path lies where every sandbox can read."""
    for path in paths:
        folder = engine.shows(path)
        if folder is not None:
            raise UsageError(
                f"{plain(path)} lies in {plain(folder)}, which every submission can read",
                fix="Move it out of there: sandboxes show that folder for its libraries",
            )


def _check_out(out: Path) -> None:
    """UsageError unless results can be written there."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {plain(out)} is a file", fix="Name a folder; it is made if need be")
