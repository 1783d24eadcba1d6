"""Memory: the most that a probe holds, and a training."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from grader.benchmark.figures.place import Place
from grader.benchmark.kit import TITLE_BEFORE, Kit, typed
from grader.benchmark.measuring import Sample
from grader.benchmark.record import Goal
from grader.benchmark.subjects import Contender, Measured, Subject, own

_HOW = "The most that one child of the command held with all below it, what they share counted once."


def subjects(place: Place) -> list[Subject]:
    """In the order of the table."""
    return [
        Subject(
            "probe-memory",
            "peak memory of a probe",
            "MiB",
            (Goal(most=400.0),),
            lambda: _probe(place),
            repeats=2,
            remark=f"{_HOW} Of all tasks of one submission.",
        ),
        Subject(
            "training-memory",
            "peak memory of a training",
            "MiB",
            (Goal(most=900.0),),
            lambda: _training(place),
            repeats=1,
            remark=f"{_HOW} The first two of the six, one after the other.",
        ),
    ]


def _probe(place: Place) -> Sequence[Contender]:
    # A submission of somebody else, so that it is sandboxed; nothing is trained by `check`.
    def command(kit: Kit, folder: Path) -> Measured:
        student = kit.student(folder / "alice", secrets.token_hex(8))
        return _held(kit.run("grader", "check", "--folder", str(student), cwd=folder, memory=True))

    shown = typed("grader", "check", "--folder", "alice")
    sides = [own(shown, lambda folder: command(place.kit, folder), warms=False)]
    if place.with_before and (earlier := place.before):
        sides.append(
            Contender(TITLE_BEFORE, shown, lambda folder: command(earlier, folder), at_most=1, warms=False)
        )
    return sides


def _training(place: Place) -> Sequence[Contender]:
    program = "grader.benchmark.trainings"
    options = ["--cells=2", "--workers=1"]

    def command(folder: Path) -> Measured:
        return _held(place.kit.run(program, str(folder / "out"), *options, cwd=folder, memory=True))

    return [own(typed(program, "OUT", *options), command, warms=False)]


def _held(sample: Sample) -> Measured:
    return Measured(sample.below_mib, (sample,))
