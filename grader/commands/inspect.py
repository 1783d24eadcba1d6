"""`nox -s inspect`: what a student's `prepare` makes of real images, measured and said in words.

For the student whose network trains well and validates at chance. It runs as `nox -s check` runs it, through
the harness in a process of its own, in a sandbox unless it is this checkout's own; what it returns comes back
as evidence.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from grader import scratch
from grader.config import profiles
from grader.diagnosis.facts import (
    EPOCHS,
    Facts,
    Part,
    Prepared,
    PrepareError,
    Trial,
    can_be_tried,
    measure,
    try_out,
)
from grader.diagnosis.findings import Finding, findings
from grader.diagnosis.trial import Score
from grader.errors import SandboxFault, UsageError
from grader.grading import launching
from grader.grading.evidence import Call, Evidence, Other
from grader.intake import NoTaskFile, Source, take_in
from grader.sandbox import GUEST, Engine, Limits
from grader.sandbox.base import End
from grader.session import Session, in_words
from grader.text import plain
from lab import data, synthetic
from lab.data import DataSet

MODULE = "preprocessing.py"
# As many images as fit the evidence's 64 MiB an array even if one part has them all, in float64.
PER_CLASS = 26
LIMITS = Limits()
# One function is called here, once, on more images than a check has.
CALL_SECONDS, CALL_CLOCK = 30.0, 60.0
MARKS = {"wrong": ("✘", "red"), "doubtful": ("!", "yellow"), "to know": ("i", "cyan")}


@dataclass(frozen=True)
class Inspected:
    """What came of one inspection."""

    facts: Facts
    trial: Trial | None
    findings: tuple[Finding, ...]


def inspect(
    root: Path,
    console: Console,
    *,
    folder: Path,
    profile: str | None,
    seed: int,
    momentum: float,
    trust: bool = False,
) -> int:
    """Runs `prepare`, measures what it returned, trains on it for seconds, and says what is wrong.

    Returns:
        0 if `prepare` could be looked at, whatever was found; 1 if it could not.

    Raises:
        UsageError: there is no such folder, or no sandbox for it and `trust` does not say that it needs none.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {plain(folder)}", fix="Name yours with --folder")
    engine = Session.of_folder(root, folder, trust=trust).engine
    chosen = _images(root, profile)
    console.print(
        Text(f"Inspecting prepare of {plain(folder.name)}/{MODULE}", style="bold"),
        Text(f" · {in_words(engine)} · {len(chosen):,} images of {chosen.name}, "),
        Text(f"{len(chosen.coarse_names)} classes · seed {seed}"),
        sep="",
    )
    if chosen.name != "CIFAR-100" and profile is None:
        console.print(
            "  CIFAR-100 is not here: these are drawn pictures. To bring it: nox -s data", style="dim"
        )
    try:
        prepared = call_prepare(folder, chosen, seed=seed, engine=engine)
        found = examine(prepared, chosen, console, seed=seed, momentum=momentum)
    except PrepareError as error:
        console.print(Text(f"\n✘ {plain(error.message, 600)}", style="red"))
        if error.fix:
            console.print(Padding(Text(f"→ {error.fix}"), (0, 0, 0, 2)))
        return 1
    console.print(page(found))
    return 0


def call_prepare(folder: Path, images: DataSet, *, seed: int, engine: Engine) -> Prepared:
    """Calls `prepare` of a folder's preprocessing.py in a process of its own.

    Raises:
        SubmissionError: the folder cannot be taken in, as `grade` could not.
        PrepareError: it is missing, is not written, raised, did not end or returned something else than four
            arrays of numbers; in words for the student.
        SandboxFault: the process did not start.
    """
    with scratch.Folder("inspect") as name:
        (taken_in := Path(name, "submission")).mkdir()
        try:
            taken = take_in(Source(folder.name, folder), [MODULE], taken_in)
        except NoTaskFile as error:
            raise PrepareError(
                f"there is no {MODULE} in this folder", fix="Name yours with --folder."
            ) from error
        beside = {"images.npy": images.images, "labels.npy": images.coarse_labels}
        for file, array in beside.items():
            np.save(Path(name, file), array)
        # Without a sandbox paths are the real ones: what the probe finds beside itself has to be there.
        shutil.copy(GUEST / "prepare.py", name)
        launched = launching.launch(
            engine,
            taken.folder,
            module=MODULE,
            probe=Path(name, "prepare.py"),
            seed=seed,
            builder_arguments={"num_classes": len(images.coarse_names)},
            limits=LIMITS,
            options=[f"--seconds={CALL_SECONDS}", f"--clock={CALL_CLOCK}"],
            beside={file: Path(name, file) for file in beside},
        )
    outcome = launched.outcome
    if launching.STARTED not in outcome.printed:
        raise SandboxFault(f"prepare could not be started: {plain(outcome.printed[-300:])}")
    if launched.evidence is None:
        raise PrepareError(f"what prepare left behind cannot be read: {launched.refused}")
    return _prepared(launched.evidence, outcome.end)


def examine(
    prepared: Prepared,
    images: DataSet,
    console: Console,
    *,
    seed: int,
    momentum: float,
    epochs: int = EPOCHS,
) -> Inspected:
    """Measures what `prepare` returned and tries it on a small network, with progress.

    Raises:
        PrepareError: the arrays do not belong together.
    """
    with Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f}%"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        bar = bars.add_task("looking at the arrays", total=None)
        facts = measure(prepared, images.images, images.coarse_labels, num_classes=len(images.coarse_names))
        trial = None
        if can_be_tried(facts):
            line = "training a small ResNet on them, about 20 seconds"
            bars.update(bar, description=line)
            if not console.is_terminal:
                console.print(f"  {line}", highlight=False)
            trial = try_out(
                prepared,
                facts,
                seed=seed,
                momentum=momentum,
                epochs=epochs,
                report=lambda step, steps: bars.update(bar, completed=step, total=steps),
            )
    return Inspected(facts, trial, findings(facts, trial))


def page(inspected: Inspected) -> RenderableType:
    """Tables and findings, as they are shown."""
    parts: list[RenderableType] = [Text(), _arrays(inspected.facts)]
    if inspected.trial is not None:
        parts += [Text(), _trial(inspected.trial)]
    return Group(*parts, *_words(inspected))


# --- the data and the call ----------------------------------------------------------------------------------


def _images(root: Path, profile: str | None) -> DataSet:
    """A class-balanced prefix of what the profile grades with; without one, of CIFAR-100 where it is."""
    if profile is None:
        real = data.available(root)
    else:
        real = profiles.load(root / "params.yaml").profile(profile).data == "cifar-100"
    whole = data.course(root) if real else synthetic.embedded_course()
    part = whole.prefix(PER_CLASS * len(whole.fine_names))
    # In the order of the labels that prepare is given, so that a split that does not shuffle shows.
    order = np.argsort(part.coarse_labels, kind="stable")
    return replace(
        part,
        images=part.images[order],
        fine_labels=part.fine_labels[order],
        coarse_labels=part.coarse_labels[order],
    )


def _prepared(evidence: Evidence, end: End) -> Prepared:
    check = "nox -s check -- preprocessing says what is right and what is next."
    if evidence.imported == "missing file":
        raise PrepareError(f"there is no {MODULE} in this folder", fix="Name yours with --folder.")
    if evidence.imported != "ok":
        raised = evidence.import_error
        how = str(raised or "it ended the whole Python process")
        if evidence.imported == "timed out":
            how = f"it was stopped after {raised.message}" if raised else "its time was up"
        raise PrepareError(f"{MODULE} cannot be imported: {how}", fix=check)
    call = evidence.calls.get("prepare")
    if call is None:
        raise PrepareError(f"prepare was not called: the process ended ({end})", fix=check)
    _complain(call, end, check)
    value = call.value
    names = Prepared._fields
    if not isinstance(value, tuple | list) or len(value) != len(names):
        raise PrepareError(
            f"{call} returned {_kind(value)}, not four arrays",
            fix=f"Return PreparedData({', '.join(names)}).",
        )
    for name, one in zip(names, value, strict=True):
        if not isinstance(one, np.ndarray):
            raise PrepareError(
                f"{call} returned {_kind(one)} as {name}, not an array of numbers",
                fix=f"Return PreparedData({', '.join(names)}), NumPy arrays all four.",
            )
    return Prepared(*(np.asarray(one) for one in value))


def _complain(call: Call, end: End, check: str) -> None:
    """PrepareError in words, unless the call returned."""
    match call.status:
        case "returned":
            return
        case "missing":
            raise PrepareError(f"{MODULE} has no function prepare", fix=check)
        case "not implemented":
            raise PrepareError(
                "prepare is not written yet: there is nothing to inspect",
                fix=f"Write it in {MODULE}. {check}",
            )
        case "raised" if call.exception and call.exception.type == "NotImplementedError":
            raise PrepareError(
                f"prepare needs a function that is not written yet: {call.exception}", fix=check
            )
        case "raised":
            raise PrepareError(f"{call} raised {call.exception}", fix=check)
        case "timed out":
            time = f"after {call.exception.message}" if call.exception else "when its time was up"
            raise PrepareError(f"{call} did not return and was stopped {time}", fix=check)
        case _:
            how = {
                End.MEMORY: "it took too much memory",
                End.CPU: f"it was stopped after {LIMITS.cpu_seconds:.0f} s of processor time",
                End.TIMEOUT: f"it was stopped after {LIMITS.wall_seconds:.0f} s",
                End.OUTPUT: "it wrote too much to disk",
            }.get(end, "it ended the whole Python process")
            raise PrepareError(f"{call} did not return: {how}", fix=check)


def _kind(value: object) -> str:
    match value:
        case None:
            return "None"
        case Other():
            return f"{value.type}{f' ({value.reason})' if value.reason else ''}"
        case tuple() | list():
            return f"a {type(value).__name__} of {len(value)}"
        case np.ndarray():
            return f"one array of shape {value.shape}"
        case _:
            return f"{type(value).__name__}"


# --- showing ------------------------------------------------------------------------------------------------


def _arrays(facts: Facts) -> Table:
    """What the two parts hold, side by side."""
    table = Table(box=None, padding=(0, 3, 0, 0), show_edge=False)
    table.add_column("what the network is fed", header_style="bold", no_wrap=True)
    for name in ("training", "validation"):
        table.add_column(name, justify="right", header_style="bold", no_wrap=True)
    parts = (facts.train, facts.test)
    table.add_row("images", *(f"{part.count:,}" for part in parts))
    table.add_row("shape and type", *(f"{part.shape} {part.dtype}" for part in parts))
    for name, series in (
        ("minimum", "low"),
        ("maximum", "high"),
        ("mean", "mean"),
        ("deviation", "deviation"),
    ):
        table.add_row(f"{name} (red, green, blue)", *(_channels(getattr(part, series)) for part in parts))
    table.add_row("recognised as an input image", *(_share(part.found) for part in parts))
    table.add_row(
        "with their own label",
        *("?" if part.agreement is None else _share(part.agreement) for part in parts),
    )
    table.add_row("labels", *("one-hot rows" if part.one_hot else "not one-hot rows" for part in parts))
    table.add_row("classes", *(f"{_present(facts, part)} of {facts.num_classes}" for part in parts))
    table.add_row("images per class, fewest to most", *(_balance(facts, part) for part in parts))
    table.add_row("order", *("class by class" if part.in_order else "random" for part in parts))
    table.add_row("in the other part as well", "", _share(facts.overlap))
    return table


def _trial(trial: Trial) -> RenderableType:
    """How a small network does on them."""
    table = Table(box=None, padding=(0, 3, 0, 0), show_edge=False)
    table.add_column(f"a small ResNet after {trial.steps} steps", header_style="bold", no_wrap=True)
    for name in ("accuracy", "loss", "answers"):
        table.add_column(name, justify="right", header_style="bold")
    rows: tuple[tuple[str, Score], ...] = (
        ("training images, training mode", trial.in_training),
        ("training images, inference mode", trial.train),
        ("validation images", trial.test),
        ("training images, settled statistics", trial.train_settled),
        ("validation images, settled statistics", trial.test_settled),
    )
    for name, score in rows:
        table.add_row(name, _share(score.accuracy), f"{score.loss:,.1f}", str(score.predicted))
    remark = (
        f"answers: the number of different classes that it predicts · momentum {trial.momentum:g}: "
        f"{trial.left:.1%} of the moving statistics still comes from their initial values"
    )
    return Group(table, Text(remark, style="dim"))


def _words(inspected: Inspected) -> list[RenderableType]:
    parts: list[RenderableType] = []
    faults = [finding for finding in inspected.findings if finding.level != "to know"]
    if not faults:
        parts.append(Text("\n✔ Nothing is wrong with what prepare returns.", style="bold green"))
    for finding in inspected.findings:
        sign, colour = MARKS[finding.level]
        what = finding.what[0].upper() + finding.what[1:]
        style = f"bold {colour}" if finding.level == "wrong" else colour
        parts.append(Text(f"\n{sign} {plain(what, 600)}.", style=style))
        parts.append(Padding(Text(plain(finding.why, 900)), (0, 0, 0, 2)))
        if finding.fix:
            parts.append(Padding(Text(f"→ {plain(finding.fix, 400)}", style="bold"), (0, 0, 0, 2)))
    return parts


def _channels(values: npt.NDArray[Any]) -> str:
    if len(values) > 4:
        return f"{values.min():.4g} to {values.max():.4g}"
    return "  ".join(f"{value:7.2f}" if abs(value) >= 0.005 else f"{0:7.2f}" for value in values)


def _present(facts: Facts, part: Part) -> int:
    classes = part.classes[(part.classes >= 0) & (part.classes < facts.num_classes)]
    return len(np.unique(classes))


def _balance(facts: Facts, part: Part) -> str:
    classes = part.classes[(part.classes >= 0) & (part.classes < facts.num_classes)]
    counts = np.bincount(classes, minlength=facts.num_classes)
    return f"{counts.min()} to {counts.max()}"


def _share(share: float) -> str:
    return f"{share:.1%}"
