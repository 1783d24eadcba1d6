"""`nox -s train`: a student's own network, by the course's recipe, scored on a part of their own data.

The network comes the way that it comes to grading: built in a sandbox, written down as data, rebuilt by
trusted code. Nothing of the hidden set is read. Ctrl-C keeps the network as it was after the last epoch.
"""

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from grader import intake, sandbox
from grader.blueprint import Blueprint, training_form
from grader.config.manifest import Task
from grader.config.profiles import CLASSES, Backend, Device, LabelSet
from grader.errors import TrainerFault, UsageError
from grader.grading import judging, probing, to_train
from grader.intake import Source
from grader.paths import from_here
from grader.practice import run_page
from grader.practice.experiments import PAGE, Experiment, Experiments
from grader.results.verdict import Verdict
from grader.session import Session, in_words
from grader.text import plain
from grader.training import backends, experiment
from grader.training.executors import last_words
from grader.training.experiment import Learned
from grader.training.job import Job, pin
from lab import data
from lab.data import DataSet
from lab.errors import DataError

RUNS = Path(".kit") / "runs"


def train(
    root: Path,
    console: Console,
    *,
    folder: Path,
    task: str,
    labels: LabelSet,
    epochs: int | None = None,
    profile: str | None = None,
    seed: int = 0,
    as_written: bool = False,
    trust: bool = False,
) -> int:
    """Trains the network of one task and keeps what came of it.

    Args:
        root: the checkout.
        console: where it is shown.
        folder: the student's files.
        task: whose builder.
        labels: what it learns to tell apart.
        epochs: in place of the recipe's.
        profile: its name; None for CIFAR-100 if it is here, else drawn images.
        seed: of the training.
        as_written: whether to train what was written where the course has a choice of its own.
        trust: that this code needs no sandbox.

    Raises:
        UsageError: there is no such folder, no sandbox for it, or nothing that can be trained.
        TrainerFault: the training failed.
    """
    # What was learned is kept by whoever is interrupted once; a second Ctrl-C does not disturb that.
    with sandbox.interruptible():
        if not folder.is_dir():
            raise UsageError(f"there is no folder {plain(folder)}", fix="Name yours with --folder")
        here = profile or ("cpu" if _has_course_set(root) else "offline")
        session = Session.of_folder(root, folder, trust=trust, profile=here)
        chosen, wanted = session.profile, session.manifest.task(task)
        if epochs is not None:
            recipe = chosen.recipe.model_copy(update={"epochs": epochs})
            chosen = chosen.model_copy(update={"recipe": recipe})
        images = "CIFAR-100" if chosen.data == "cifar-100" else "drawn images, since CIFAR-100 is not used"
        console.print(
            Text.assemble(
                (f"Training {wanted.title} of {plain(folder.name)} on {labels} labels", "bold"),
                f" · {images}, "
                f"{chosen.train:,} to train on and {chosen.validation:,} to validate · "
                f"{_epochs(chosen.recipe.epochs)} · profile {chosen.name} · {in_words(session.engine)}",
            )
        )
        written = _network(session, folder, wanted, labels)
        form = None if as_written else training_form(written, chosen.budget)
        network = form.network if form else written
        backend = backends.name(chosen.device, chosen.backend)
        job = Job.of(
            network,
            labels,
            seed,
            chosen,
            pin(chosen.data, root, scored_on="validation"),
            backend,
            scored_on="validation",
        )
        course = session.course.prefix(chosen.train + chosen.validation)
        validation = course.following(chosen.train, chosen.validation)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="kit-train-") as home:
            stopped, fault = _run(console, job, Path(home), chosen.device, chosen.backend)
            learned = Learned.read(Path(home) / "out")
        if learned is None:
            if fault:
                raise TrainerFault(f"the training failed: {fault}")
            console.print("Stopped before the end of the first epoch: nothing was kept.")
            return 130
        replaced = tuple(dict.fromkeys(plain(one.says, 300) for one in form.replaced)) if form else ()
        fields = {
            "task": task,
            "labels": labels,
            "written": written.digest,
            "trained": network.digest,
            "replaced": replaced,
            "parameters": network.parameters,
            "recipe": chosen.recipe,
            "profile": chosen.name,
            "data": course.name,
            "pin": job.conditions.pin,
            "train": chosen.train,
            "validation": chosen.validation,
            "seed": seed,
            **{name: value for name, value in vars(learned).items() if name != "probabilities"},
            "stopped": stopped,
            "seconds": round(time.monotonic() - began, 1),
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "backend": backend,
        }
        kept = _keep(root, fields, wanted, validation, learned)
        if stopped:
            console.print(f"Stopped. The network is kept as it was after {_epochs(kept.epochs)}.")
        if fault:
            console.print(Text(f"The training failed after {_epochs(kept.epochs)}: {fault}", style="red"))
        console.print(
            Text(f"Run {kept.id}: {kept.accuracy:.1%} of the validation images are right.", style="bold")
        )
        console.print(Text(f"Page: {from_here(root / RUNS / kept.id / PAGE)}"))
        console.print(Text("nox -s runs compares it with others.", style="bright_black"))
        return 1 if fault else 130 if stopped else 0


def _keep(
    root: Path, fields: dict[str, object], task: Task, validation: DataSet, learned: Learned
) -> Experiment:
    """Files it, with its page."""
    experiments = Experiments(root / RUNS)
    # The page names the run: it is filed first, and the page put beside it.
    kept = experiments.keep(dict(fields), {})
    written = run_page.page(kept, task.title, validation, learned.probabilities)
    (root / RUNS / kept.id / PAGE).write_text(written, encoding="utf-8")
    return kept


def _network(session: Session, folder: Path, task: Task, labels: LabelSet) -> Blueprint:
    """The network as the student builds it; UsageError says why there is none that can be trained."""
    arguments = session.profile.builders.get(task.id, {})
    with tempfile.TemporaryDirectory(prefix="kit-submission-") as into:
        modules = [one.module for one in session.manifest.tasks]
        taken = intake.take_in(Source(folder.name, folder), modules, Path(into))
        if task.module in taken.missing:
            raise UsageError(f"{taken.missing[task.module]}", fix=f"Run: nox -s check -- {task.id}")
        probed = probing.probe(
            session.engine,
            task,
            taken.folder,
            seed=1,
            builder_arguments=arguments,
            slots=session.slots,
            probes=session.probes,
        )
    case = judging.Case(
        task, probed.evidence, judging.inputs(task, 1, arguments), probed.ended, probed.refused
    )
    check = next(one for one in task.checks if one.train == labels)
    described = to_train.described_network(task, CLASSES[labels], arguments)
    found = to_train.network(case, check, judging.judge(case), session.profile.budget, described)
    if isinstance(found, Verdict):
        why = plain(found.message or "its structure is not right yet", 500)
        raise UsageError(
            f"{task.builder} cannot be trained yet: {why}", fix=f"Run: nox -s check -- {task.id}"
        )
    return found


def _run(console: Console, job: Job, home: Path, device: Device, backend: Backend) -> tuple[bool, str]:
    """Trains; whether it was stopped, and what went wrong."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(24),
        TextColumn("{task.fields[left]}"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    total = job.conditions.recipe.epochs
    began = time.monotonic()
    try:
        with bar, experiment.started(job, home, device, backend) as process:
            shown = bar.add_task("starting", total=None, left="")
            assert process.stdout is not None
            for line in process.stdout:
                try:
                    said = json.loads(line)
                except ValueError:  # a library may print something of its own
                    continue
                if "over" in said:
                    learned = Learned.read(home / "out")
                    assert learned is not None
                    bar.console.print(_line(learned, total, time.monotonic() - began))
                else:
                    bar.update(
                        shown,
                        description=f"epoch {said['epoch'] + 1} of {total}, training {said['accuracy']:.0%}",
                        completed=said["step"],
                        total=said["steps"],
                        left=f"{said['seconds_left']:.0f} s left",
                    )
            code = process.wait()
    except KeyboardInterrupt:
        return True, ""
    return False, "" if code == 0 else last_words(home) or f"it ended with code {code}"


def _line(learned: Learned, total: int, seconds: float) -> Text:
    loss = learned.validation_loss[-1]
    said = f"loss {loss:.2f}" if loss is not None else "the loss diverged"
    return Text(
        f"epoch {len(learned.train_accuracy)} of {total}: training {learned.train_accuracy[-1]:.1%}, "
        f"validation {learned.validation_accuracy[-1]:.1%}, {said}, {seconds:.0f} s"
    )


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"


def _has_course_set(root: Path) -> bool:
    """Whether the images that students have are here; the hidden set need not be."""
    try:
        folder = data.course_pin(root).folder
    except DataError:
        return False
    return all((folder / name).is_file() for name in data.FILES)
