"""`nox -s check`: a student's own files against the same probes and judges as the grader's, in seconds.

What is not this checkout's own runs in a sandbox, as `grade` has it.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import sandbox
from grader.config import manifest
from grader.errors import UsageError
from grader.exporters import terminal
from grader.exporters.drawing import Drawings
from grader.grading import run
from grader.grading.plan import Plan
from grader.intake import Source
from grader.paths import from_here
from grader.results.record import WHOLE, CheckResult, Status, SubmissionResult
from grader.session import Session, in_words
from grader.text import plain
from grader.training import progress


def check(
    root: Path,
    console: Console,
    *,
    folder: Path,
    tasks: Sequence[str],
    seed: int,
    trust: bool = False,
) -> int:
    """Probes and judges a folder without training; shows what passes and what is next.

    Raises:
        UsageError: there is no such folder, or no sandbox for it and `trust` does not say that it needs none.
    """
    session = Session.of_folder(root, folder, trust=trust, profile="cpu")
    everything = session.manifest
    chosen = tuple(everything.task(name.removesuffix(".py")) for name in tasks) or everything.tasks
    if not folder.is_dir():
        raise UsageError(f"there is no folder {plain(folder)}", fix="Name yours with --folder")
    engine = session.engine
    console.print(
        Text(f"Checking {plain(folder.name)}: {', '.join(task.title for task in chosen)} · ", style="bold"),
        Text(f"{in_words(engine)}, no training · inputs of seed {seed}"),
        sep="",
    )
    display = progress.Display(console, len(chosen), places=session.workers)
    plan = Plan(
        manifest=everything.model_copy(update={"tasks": chosen}),
        profile=session.profile,
        engine=engine,
        run=session.run_without_training(seed),
        training=None,
        slots=session.slots,
        on_probed=display.probed,
        probes=session.probes,
    )
    with sandbox.interruptible(), display:
        (result,) = run.grade([Source(folder.name, folder)], plan)
    console.print(terminal.submission(result, total=False))
    for picture in Drawings().write_submission(result, root / ".kit" / "check"):
        console.print(Text(f"As a picture: {from_here(picture)}", style="dim"))
    points = f"{terminal.number(result.points)} of the {terminal.number(result.max_points)} points"
    console.print(Text(f"\n{points} that need no training", style="bold"))
    console.print(_next(result, everything))
    return 0 if result.graded and not result.problem else 1


def _next(result: SubmissionResult, everything: manifest.Manifest) -> Text:
    """What to do next: the first check that fails, that is not attempted yet, or that waits for more."""
    in_order = [(task.task, check) for task in result.tasks for check in task.checks if check.check != WHOLE]
    for wanted in (Status.FAILED, Status.NOT_ATTEMPTED, Status.BLOCKED):
        for task_id, one in in_order:
            if one.status is wanted:
                return _advice(everything.task(task_id), one)
    trained = sum(c.points for task in everything.tasks for c in task.checks if c.train)
    return Text(
        f"\nAll of it holds. The other {terminal.number(trained)} points are for what your networks learn: "
        "nox -s grade -- assignment",
        style="green",
    )


def _advice(task: manifest.Task, one: CheckResult) -> Text:
    todo = next(c for c in task.checks if c.id == one.check).functions
    if one.status is Status.NOT_ATTEMPTED:
        return Text(f"\nNext: write {' and '.join(todo)} in {task.module}.", style="bold")
    return Text(f"\nNext: {task.module}, {one.title[0].lower()}{one.title[1:]}.", style="bold")
