"""How many trainings a class costs, counted without any: its networks are built and read, and looked up.

A class of right students in so many styles, which are combinations of the bank's right submissions, and of
wrong ones, each with one of the bank's mutants in the place of one task.
"""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from grader import sandbox
from grader.benchmark.record import OWN
from grader.config.manifest import Manifest, Task
from grader.errors import GraderFault
from grader.grading.examine import examine
from grader.grading.plan import Plan
from grader.intake import Source
from grader.proof import bank
from grader.proof.bank import Entry
from grader.session import Session
from grader.training.job import Job
from grader.training.pool import Pool
from grader.training.progress import Display

WRONG_ALONE = "the wrong networks alone"
WITHOUT_FORM = "every network as written, none known"
_SEED = 1
# A training, None where what comes of it is known; and what it would be if networks were trained as written.
_Network = tuple[Job | None, tuple[str, str]]


def count_class(
    root: Path, folder: Path, students: int, right: int, styles: int, *, wrong: int | None = None
) -> dict[str, float]:
    """Counts the distinct trainings that a class needs.

    Args:
        root: the checkout.
        folder: an empty one, for what is handed in.
        students: in the class.
        right: how many of them have everything right.
        styles: how many different ways to be right there are.
        wrong: how many of the others' mutants are looked at; all of them if None. The count is then of a
            class with so many wrong students only.

    Returns:
        by side of the figure: trainings that are needed here; those of wrong networks among them; and how
        many there would be if every network were trained as it was written.

    Raises:
        GraderFault: a right submission of the bank could not be graded.
    """
    session = Session(root, profile="cpu", own_code=True, workers=2, course="solutions")
    tasks = [task for task in session.manifest.tasks if task.id in session.profile.builders]
    rng = random.Random(_SEED)  # noqa: S311
    entries = [entry for entry in bank.entries(root, session.manifest) if entry.task in tasks]
    good = {task.id: [e for e in entries if e.task is task and not e.mutant] for task in tasks}
    bad = [entry for entry in entries if entry.mutant]
    rng.shuffle(bad)
    bad = bad[: (students - right) if wrong is None else wrong]
    # Of these styles everyone has one; a wrong student is right in the other tasks.
    used = {
        task.id: {good[task.id][style % len(good[task.id])].name for style in range(styles)} for task in tasks
    }
    chosen = [entry for task in tasks for entry in good[task.id] if entry.name in used[task.id]]
    found = _needed(session, [*chosen, *bad], folder)
    of_right = {job.digest for entry in chosen for job, _ in found[entry.folder] if job}
    of_wrong = {job.digest for entry in bad for job, _ in found[entry.folder] if job}
    written = {network for entry in [*chosen, *bad] for _, network in found[entry.folder]}
    return {
        OWN: len(of_right | of_wrong),
        WRONG_ALONE: len(of_wrong - of_right),
        WITHOUT_FORM: len(written),
    }


def _needed(session: Session, entries: Sequence[Entry], folder: Path) -> dict[str, list[_Network]]:
    """For each submission, by its folder's name, the networks that its checks wait for."""
    display = Display(Console(quiet=True), 0)
    found = {}
    with (
        sandbox.interruptible(),
        Pool(session.executor, folder / "trainings", slots=session.slots, listener=display) as pool,
        ThreadPoolExecutor(session.workers) as probes,
        ThreadPoolExecutor(session.workers) as submissions,
    ):
        training = session.training(pool, display)
        about = session.run_without_training(_SEED)

        def looked_at(entry: Entry) -> tuple[Entry, list[_Network]]:
            place = folder / entry.folder
            place.mkdir()
            bank.write(session.root, entry, place)
            plan = Plan(
                _only(session, entry.task), session.profile, session.engine, about, training, session.slots
            )
            examined = examine(Source(entry.folder, place), plan, probes)
            if examined.problem:
                raise GraderFault(f"{entry.folder} was not taken in: {examined.problem}")
            (task,) = examined.tasks
            return entry, [(one.job, (one.blueprint, check)) for check, one in task.trainable.items()]

        for entry, jobs in submissions.map(looked_at, entries):
            if not entry.mutant and not jobs:
                raise GraderFault(f"{entry.folder} has nothing to train, and is right")
            found[entry.folder] = jobs
    return found


def _only(session: Session, task: Task) -> Manifest:
    return session.manifest.model_copy(update={"tasks": (task,)})
