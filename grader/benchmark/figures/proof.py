"""How long the grader takes to be graded."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from grader.benchmark.figures.place import Place
from grader.benchmark.kit import typed
from grader.benchmark.record import Goal
from grader.benchmark.subjects import Contender, Measured, Subject, own
from grader.config import manifest

MINUTES = 4


def subjects(place: Place) -> list[Subject]:
    """In the order of the table."""
    return [
        Subject(
            "prove",
            "nox -s prove",
            "s",
            (Goal(most=60.0 * MINUTES),),
            lambda: _prove(place),
            repeats=1,
            remark="Of one task in a quick run: wide_resnet." if place.quick else "",
        )
    ]


def _prove(place: Place) -> Sequence[Contender]:
    # With all tasks by name it grades the same, and leaves reference/proof.json and the README alone.
    known = manifest.load(place.root / "solutions" / "tasks.toml")
    tasks = ["wide_resnet"] if place.quick else [task.id for task in known.tasks]
    # A seed of its own, so that no probe is kept from before. Exit code 1, the grader was wrong about one, is
    # not for a benchmark to judge.
    arguments = ["prove", *tasks, "--seed"]

    def command(folder: Path) -> Measured:
        seed = str(secrets.randbelow(2**31))
        return Measured.wall(place.kit.run("grader", *arguments, seed, cwd=folder, codes=(0, 1)))

    return [own(typed("grader", *arguments, "SEED"), command, warms=False)]
