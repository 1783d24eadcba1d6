"""The stages of dvc.yaml, each a function of files to files in reference/<profile>/.

Each can be called by hand as well, `python -m grader.reference STAGE --profile P [--task T]`; `dvc repro`
calls those whose inputs have changed, in the right order.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import sandbox, thresholds
from grader.config.manifest import Task
from grader.config.profiles import LabelSet, Profile
from grader.errors import ManifestError, UsageError
from grader.reference import candidates, confirm, matrix, metrics, solutions
from grader.reference.matrix import Cells, Share
from grader.reference.prepared import measure as measure_prepared
from grader.reference.study import cells as study_cells
from grader.reference.study import results as study_results
from grader.session import Session
from grader.thresholds import KnownNetworks, calibration
from grader.training import pool, progress
from grader.training.executors import Executor
from grader.training.job import Job, Result
from lab import data
from lab.errors import DataError
from lab.files import write_atomically


@dataclass(frozen=True)
class Place:
    """What every stage is about.

    Attributes:
        session: opens the rest.
        console: where to say how it goes.
    """

    session: Session
    console: Console

    @classmethod
    def of(cls, root: Path, profile: str, console: Console, workers: int) -> "Place":
        """Where a profile of a checkout is measured, with so many trainings at a time, without a sandbox."""
        session = Session(
            root, profile=profile, engine="none", own_code=True, workers=workers, course="solutions"
        )
        return cls(session, console)

    @property
    def root(self) -> Path:
        """The checkout."""
        return self.session.root

    @property
    def profile(self) -> Profile:
        """Which one."""
        return self.session.profile

    @property
    def workers(self) -> int:
        """Trainings at a time."""
        return self.session.workers

    @property
    def folder(self) -> Path:
        """reference/<profile>/."""
        return self.session.reference

    @property
    def store(self) -> Path:
        """Where all trainings are kept."""
        return self.session.store

    @property
    def solutions(self) -> Path:
        """Where the solutions are."""
        return self.root / "solutions"

    def tasks(self) -> list[Task]:
        """Those that train, in the manifest's order."""
        return [task for task in self.session.manifest.tasks if task.builder]

    def task(self, task_id: str) -> Task:
        """One of them; UsageError names those there are."""
        for task in self.tasks():
            if task.id == task_id:
                return task
        names = ", ".join(task.id for task in self.tasks())
        raise UsageError(f"there is no task {task_id!r} that trains", fix=f"Those that do are: {names}")

    def task_ids(self) -> list[str]:
        """Their names."""
        return [task.id for task in self.tasks()]

    def say(self, line: str, style: str = "") -> None:
        """A line for people."""
        self.console.print(Text(line, style=style))


def images(place: Place) -> None:
    """images.json: the pin of the data, once every byte of it is known to be as pinned.

    Trainings depend on this and not on the files, so that new code that draws or packs the same images has
    nothing trained again.

    Raises:
        DataError: the data are missing or not as pinned.
    """
    profile = place.profile
    if profile.data == "cifar-100":
        require_data(place.root, profile)
        for pinned in (data.course_pin(place.root), data.hidden_pin(place.root)):
            data.read(pinned)
        expected = place.session.params.pins.get(profile.data)
        if expected != place.session.pin:
            raise ManifestError(
                f"params.yaml: pins.{profile.data} is {expected}; data.dvc and grader/hidden.dvc pin "
                f"{place.session.pin}",
                fix="Write that into params.yaml: the stages of dvc.yaml depend on it.",
            )
    content = {"data": profile.data, "pin": place.session.pin}
    write_atomically(place.folder / "images.json", json.dumps(content, indent=1) + "\n")
    place.say(f"{profile.data}, pin {content['pin']}")


def describe(place: Place, task_id: str) -> solutions.Networks:
    """networks/<task>.json: the training form of what the task's solution builds.

    Raises:
        ManifestError: it builds nothing that can be trained.
    """
    with sandbox.interruptible():
        described = solutions.networks(place.task(task_id), place.solutions, place.profile)
    solutions.save(described, place.folder)
    for one in described.networks:
        place.say(
            f"{task_id}, {one.labels} labels: {one.parameters:,} parameters, {one.flops / 1e6:,.1f} MFLOP, "
            f"training form {one.digest[:12]} of {one.written[:12]}"
        )
        for replaced in one.replaced:
            place.say(f"  {replaced.says}")
    return described


def train(place: Place, task_id: str) -> None:
    """runs/<task>.json: the task's networks trained on both label sets under the grading and reference seeds.

    What the solution builds is described again first: called by hand, this trains no network of yesterday's.

    Raises:
        DataError: the data are not here.
        GraderFault: some trainings could not be done; the others are kept.
    """
    require_data(place.root, place.profile)
    executor, pin = place.session.executor, place.session.pin
    cells = _cells(place, describe(place, task_id), pin, executor)
    shares = survey(place, pin, executor)
    place.say(announcement(place, task_id, shares, cells), style="bold")
    with sandbox.interruptible(), matrix.Progress(place.console, cells, shares, place.workers) as display:
        runs = matrix.measure(
            cells, store=place.store, workers=place.workers, display=display, executor=executor
        )
    thresholds.save_runs(runs, place.folder)
    place.say(f"Written: reference/{place.profile.name}/runs/{task_id}.json. {display.summary()}.")


def compare_candidates(
    place: Place,
    task_ids: Sequence[str] | None,
    label_sets: Sequence[LabelSet],
    seeds: int,
    only: Sequence[str] | None,
) -> None:
    """reference/recipes.json: how the profile's recipe compares with its candidates.

    Raises:
        UsageError: there is no such task or candidate.
        ManifestError: a candidate is to be trained on another device or backend than the profile.
        DataError: the data are not here.
        GraderFault: some trainings could not be done; the others are kept.
    """
    require_data(place.root, place.profile)
    known = place.session.params.candidates_of(place.profile.name)
    for name in only or ():
        if name not in known:
            raise UsageError(
                f"profile {place.profile.name} has no candidate {name!r}",
                fix=f"Its candidates are: {', '.join(known)}",
            )
    chosen = {name: one for name, one in known.items() if not only or name in only}
    where = place.profile.device, place.profile.backend
    for name, one in chosen.items():
        if (one.device, one.backend) != where:
            raise ManifestError(
                f"params.yaml: candidates.{place.profile.name}.{name}: trains on {one.device} with "
                f"{one.backend}, its profile on {where[0]} with {where[1]}",
                fix="Make a profile of it: candidates are compared in one place.",
            )
    compared = candidates.compare(
        chosen,
        [place.task(task_id) for task_id in task_ids or place.task_ids()],
        label_sets,
        place.solutions,
        seeds=place.profile.reference_seeds[:seeds],
        executor=place.session.executor,
        store=place.store,
        workers=place.workers,
        console=place.console,
    )
    candidates.save(compared, place.root / "reference" / "recipes.json")
    place.console.print(candidates.table(compared))


def confirm_thresholds(place: Place, seeds: int, tasks: Sequence[str] | None = None) -> None:
    """confirmation.json: the solutions graded under so many new seeds; of these tasks, or of all.

    Raises:
        UsageError: a task is none that trains.
        ManifestError: there are no reference runs.
        DataError: the data are not here.
        GraderFault: some trainings could not be done; the others are kept.
    """
    require_data(place.root, place.profile)
    executor, pin = place.session.executor, place.session.pin
    for task_id in tasks or ():
        if task_id not in place.task_ids():
            raise UsageError(
                f"no task that trains is called {task_id!r}", fix=f"One of: {', '.join(place.task_ids())}"
            )
    described = [solutions.load(place.folder, task_id) for task_id in tasks or place.task_ids()]
    fresh = confirm.fresh(place.profile, seeds)
    place.say(
        f"Grading the solutions under {seeds} new seeds · profile {place.profile.name} · {executor.backend}, "
        f"{place.workers} at a time",
        style="bold",
    )

    def train(jobs: Mapping[str, Job]) -> Mapping[str, Result]:
        names = {job.digest: name for name, job in jobs.items()}
        with progress.Display(place.console, 0, names) as display:
            outcomes = pool.run(
                jobs.values(),
                store=place.store,
                workers=place.workers,
                listener=display,
                executor=executor,
            )
        return matrix.all_trained(outcomes, names)

    with sandbox.interruptible():
        confirmed = confirm.confirm(
            confirm.blueprints(described, place.profile),
            place.session.thresholds,
            fresh,
            job=lambda network, labels, seed: Job.of(
                network, labels, seed, place.profile, pin, executor.backend
            ),
            train=train,
        )
    confirm.save(confirmed, place.folder)
    place.console.print(confirm.table(confirmed))


def calibrate(place: Place) -> None:
    """thresholds.json, calibration.json and metrics/, from the runs of all tasks.

    Raises:
        ManifestError: runs are missing or of other conditions than the profile's, or allow no threshold, or
            those under the grading seed would not pass.
    """
    for task in place.tasks():  # not only those whose runs are there
        if not (place.folder / "runs" / f"{task.id}.json").is_file():
            raise ManifestError(
                f"{task.id} has no reference runs under profile {place.profile.name}",
                fix=f"Run: python -m grader.reference train --profile {place.profile.name} --task {task.id}",
            )
    runs = thresholds.load_runs(place.folder)
    known = KnownNetworks.of(runs, place.profile, runs.conditions.pin)
    if known.why:
        raise ManifestError(known.why, fix=f"Run: nox -s reference -- --profile {place.profile.name}")
    written = thresholds.save(runs, place.folder)
    calibration.save(runs, place.folder)
    measured = metrics.of(written, runs)
    metrics.save(measured, place.folder)
    place.console.print(metrics.table(written.profile, measured))
    if reservation := written.reservation():
        place.say(f"Provisional: {reservation}.", style="yellow")


def figures(place: Place) -> None:
    """figures/ and plots/: what the profile measured, as pictures without photographs and as curves."""
    from grader.reference import report  # matplotlib

    for path in report.figures(place.profile.name, root=place.root):
        place.say(f"wrote {path.relative_to(place.root)}")


def study(place: Place, names: Sequence[str] = ()) -> None:
    """reference/study/cells/<cell>.json: these trainings of the study, or all of them.

    Raises:
        UsageError: there is no such cell, or the profile is not the study's.
        ManifestError: a network was not described yet.
        DataError: the data are not here.
        GraderFault: some trainings could not be done; what was done is kept.
    """
    require_data(place.root, place.profile)
    wanted = study_cells.cells(place.session, names)
    profile = place.profile
    place.say(
        f"The study's table · {len(wanted)} trainings · CIFAR-100: {profile.train:,} images trained on, "
        f"{profile.validation:,} held back · {place.session.executor.backend}, {place.workers} at a time",
        style="bold",
    )
    with sandbox.interruptible():
        trained = study_cells.train(
            wanted, place.session, workers=place.workers, console=place.console, store=place.store
        )
    held_back = place.session.course.following(profile.train, profile.validation)
    for cell in wanted:
        measured = study_results.of(cell, trained[cell.name], held_back)
        written = study_results.save(measured, place.root)
        place.say(
            f"{cell.name}: {measured.result.accuracy:.2%} of the held-back images, "
            f"{measured.result.cpu_seconds / 60:.0f} minutes of the processor. "
            f"Written: {written.relative_to(place.root)}"
        )


def failure(root: Path, console: Console) -> None:
    """reference/failure.json and its figures: the ResNet that would not learn."""
    from grader.reference import failure as study  # Keras

    study.run(root, console=console)


def prepared(place: Place) -> None:
    """prepared.json: what the reference network reaches on what the solution's `prepare` hands over."""
    require_data(place.root, place.profile)
    with progress.Display(place.console, 0) as display:
        found = measure_prepared(place.session, display)
    asked = found.threshold
    place.say(
        f"{asked.n} trainings on what prepare hands over: {asked.mean:.2%}, standard deviation "
        f"{asked.sd:.2%}; threshold {asked.threshold:.2%}"
    )


def survey(place: Place, pin: str, executor: Executor) -> dict[str, Share]:
    """How far every task of the profile is; those that are not described yet count as wholly undone."""
    shares: dict[str, Share] = {}
    for task in place.tasks():
        try:
            networks = solutions.load(place.folder, task.id)
        except ManifestError:
            shares[task.id] = matrix.unknown(place.profile)
        else:
            shares[task.id] = matrix.survey(_cells(place, networks, pin, executor), place.store)
    return shares


def announcement(place: Place, task_id: str, shares: dict[str, Share], cells: Cells) -> str:
    """What runs on what, how much of it is stored, and the time left, before anything is trained."""
    own = shares[task_id]
    wanted, done = sum(one.wanted for one in shares.values()), sum(one.done for one in shares.values())
    left = matrix.remaining(shares, place.workers)
    return (
        f"Training {task_id} · profile {place.profile.name} · {place.profile.data}, pin {cells.pin[:12]}"
        f" · {cells.backend}, {place.workers} at a time\n"
        f"{task_id}: {own.wanted} trainings, {own.done} stored, {own.wanted - own.done} to do; "
        f"all tasks: {wanted}, {done} stored, "
        + (f"{wanted - done} to do" if left is None else f"about {matrix.clock(left)} left")
    )


def require_data(root: Path, profile: Profile) -> None:
    """DataError unless the files that a profile trains on are here."""
    if profile.data == "cifar-100" and not data.available(root):
        raise DataError(
            f"profile {profile.name} needs CIFAR-100, which is not here",
            fix="Run: nox -s data (or measure --profile offline)",
        )


def _cells(place: Place, networks: solutions.Networks, pin: str, executor: Executor) -> Cells:
    return Cells(networks, place.profile, pin, executor.backend)
