"""`nox -s grade`: marks submissions, shows the marks and writes a folder of results for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import exporters, intake, sandbox
from grader.errors import UsageError
from grader.exporters import terminal
from grader.grading import run
from grader.grading.plan import Plan
from grader.intake import Source
from grader.results.record import Run, SubmissionResult
from grader.sandbox import Engine
from grader.session import Session, is_own
from grader.text import plain
from grader.training import progress


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
        retrain: whether to train known networks all the same.
    """

    paths: Sequence[Path]
    profile: str | None
    engine: str
    seed: int
    out: Path
    trust: bool
    workers: int
    retrain: bool = False


def grade(root: Path, console: Console, order: Order) -> int:
    """Grades what the paths hold; 0 if every submission was graded, else 1.

    Raises:
        UsageError: a path, profile or engine that cannot be used.
        ManifestError, DataError: the course's own files are wrong or missing.
    """
    session = Session(root, profile=order.profile, engine=order.engine, workers=order.workers)
    tasks = session.manifest
    sources = intake.find(order.paths, [task.module for task in tasks.tasks])
    profile = session.profile
    _check_out(order.out)
    session.own_code = order.trust or all(s.named and is_own(root, s.path) for s in sources)
    engine = session.engine
    about = session.run(order.seed)
    _check_hidden(engine, [*(source.path for source in sources), order.out])
    if order.retrain or not session.known:
        _ = session.executor  # something will be trained: what is missing for that is an error now
    _announce(console, sources, about, engine)
    if order.retrain:
        console.print("Known networks are trained here all the same.")
    elif session.known.why:
        console.print(Text(f"No network is known beforehand, so that all are trained: {session.known.why}."))
    display = progress.Display(console, len(sources) * len(tasks.tasks))
    with sandbox.interruptible(), display, session.pool(display) as pool:
        training = session.training(pool, display, retrain=order.retrain)
        plan = Plan(
            tasks, profile, engine, about, training, session.slots, display.probed, probes=session.probes
        )
        results = run.grade(
            sources, plan, lambda result: exporters.registry.write_submission(result, order.out)
        )
    if len(results) > 1:
        exporters.registry.write_class(results, order.out)
    _show(console, results, order.out)
    return 0 if all(result.has_mark for result in results) else 1


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
    if behind := terminal.trainings(results):
        console.print(Text(behind))
    if reasons := dict.fromkeys(
        result.run.provisional_because for result in results if result.run.provisional
    ):
        because = max(reasons, key=len)  # one may have a reason more than the others
        console.print(Text(f"Marks are provisional: {because}.", style="yellow"))
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
