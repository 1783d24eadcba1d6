"""How long the grader takes to be graded."""

from collections.abc import Sequence

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
    # With all tasks by name it grades the same, and leaves reference/proof.json and the README as they are.
    known = manifest.load(place.root / "solutions" / "tasks.toml")
    tasks = ["wide_resnet"] if place.quick else [task.id for task in known.tasks]
    # Exit code 1: the grader was wrong about one; that is not for a benchmark to say.
    return [
        own(
            typed("grader", "prove", *tasks),
            lambda folder: Measured.wall(place.kit.run("grader", "prove", *tasks, cwd=folder, codes=(0, 1))),
            warms=False,
        )
    ]
