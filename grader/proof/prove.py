"""`nox -s prove`: the grader graded. Every submission of the bank, and whether it got what it deserves.

A mutant must be caught by the check it names, before any other, with a message that says what is wrong and a
hint that says what to do. A right one must have full marks. With `train` both are trained as well: mutants
that pass every check of the structure must fail to learn, and right networks must not.
What mutants lose is compared with what raters would take off (ratings.py), and so is what unseen mistakes
lose: of those nothing else is expected, and no mark of theirs makes the grader wrong.
"""

import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from grader import sandbox
from grader.config.manifest import Manifest
from grader.errors import UsageError
from grader.grading import run
from grader.grading.plan import Plan
from grader.intake import Source
from grader.proof import bank
from grader.proof.outcome import judge
from grader.proof.record import (
    PROOF,
    agreement,
    compare,
    compare_unseen,
    document,
    found_last,
    kept_as,
    write_pages,
)
from grader.proof.showing import announce, show, show_agreement
from grader.results.record import SubmissionResult
from grader.session import Session
from grader.training import progress
from lab.files import write_atomically


@dataclass(frozen=True)
class Order:
    """What is asked for on the command line.

    Attributes:
        tasks: only these; empty for all.
        train: whether to train all networks that can be trained.
        profile: what is trained as; None for the best that the data here allow.
        engine: its name, or `auto`.
        seed: of the probe inputs.
        workers: probes and trainings at a time.
    """

    tasks: Sequence[str] = ()
    train: bool = False
    profile: str | None = None
    engine: str = "auto"
    seed: int = 1
    workers: int = 2


def prove(root: Path, console: Console, order: Order) -> int:
    """Grades the bank and says how the grader did; 0 if it was right about everything, else 1.

    Raises:
        UsageError: a task, profile or engine that cannot be used.
        ManifestError: a mutant no longer applies.
        DataError: the profile needs data that are not here.
    """
    session = Session(
        root,
        profile=order.profile,
        engine=order.engine,
        own_code=True,
        workers=order.workers,
        course="solutions",
    )
    tasks = _chosen(session.manifest, order.tasks)
    entries = bank.entries(root, tasks, with_unseen=True)
    profile, engine = session.profile, session.engine
    announce(console, entries, profile if order.train else None, engine.name, order.seed)
    about = session.run(order.seed) if order.train else session.run_without_training(order.seed)
    if order.train:
        _ = session.executor  # mutants will be trained: what is missing for that is an error now
    display = progress.Display(
        console,
        len(entries) * len(tasks.tasks),
        students=[entry.folder for entry in entries],
        places=order.workers,
    )
    with (
        tempfile.TemporaryDirectory(prefix="kit-bank-") as folder,
        sandbox.interruptible(),
        display,
        ExitStack() as opened,
    ):
        sources = []
        for entry in entries:
            place_of = Path(folder, entry.folder)
            place_of.mkdir()
            bank.write(root, entry, place_of)
            sources.append(Source(entry.folder, place_of))
        plan = Plan(tasks, profile, engine, about, None, session.slots, display.probed, probes=session.probes)

        def decided(result: SubmissionResult) -> None:
            display.decided(result.name, result.problem)

        if order.train:
            pool = opened.enter_context(session.pool(display))
            plan = replace(plan, training=session.training(pool, display))
        results = {result.name: result for result in run.grade(sources, plan, decided)}
        judged = [judge(entry, results[entry.folder], trained=order.train) for entry in entries]
    proved = [one for one in judged if not one.entry.unseen]
    unseen = [one for one in judged if one.entry.unseen]
    uncovered = bank.uncovered(tasks, entries)
    others = {task.id for task in session.manifest.tasks} - {task.id for task in tasks.tasks}
    compared = compare(root, proved, others, trained=order.train)
    apart = compare_unseen(root, unseen, others, trained=order.train)
    show(console, proved, uncovered)
    show_agreement(console, compared, apart, [one for one in unseen if one.wrong])
    right = not uncovered and not any(one.wrong for one in proved)
    right = right and not compared.wrong
    if order.tasks:
        console.print(f"{PROOF} is left as it is: it is about all tasks.", style="dim")
    else:
        found = document(proved, profile.name, seed=order.seed, trained=order.train, unseen=unseen)
        found["agreement"] = {kept_as(order.train): agreement(compared, apart)}
        if not order.train:
            earlier = found_last(root)
            found["training"] = earlier.get("training")
            found["agreement"] |= {kept_as(True): (earlier.get("agreement") or {}).get(kept_as(True))}
        write_atomically(root / PROOF, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        write_pages(root, found)
        console.print(f"{PROOF} has it, and the tables in README.md and docs/proof.md.")
    return 0 if right else 1


def _chosen(everything: Manifest, names: Sequence[str]) -> Manifest:
    if not names:
        return everything
    unknown = [name for name in names if name not in {task.id for task in everything.tasks}]
    if unknown:
        known = ", ".join(task.id for task in everything.tasks)
        raise UsageError(f"there is no task {unknown[0]!r}", fix=f"The tasks are: {known}")
    return everything.model_copy(
        update={"tasks": tuple(task for task in everything.tasks if task.id in names)}
    )
