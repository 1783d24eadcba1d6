"""`python -m grader`: all commands, each by those who need it."""

import sys
from collections.abc import Sequence

import click

from grader.cli import author, cluster, export, gradebook, instructor, package, stages, student
from grader.cli.base import Group, run


@click.group(
    cls=Group,
    name="grader",
    prog="python -m grader",
    sections={
        "Students": student.COMMANDS,
        "Instructors": [
            instructor.grade,
            gradebook.group,
            export.group,
            instructor.marking,
            instructor.doctor,
            instructor.image,
            package.group,
            package.collect,
            cluster.certificates,
            cluster.scheduler,
            cluster.worker,
        ],
        "Authors": [
            author.stubs,
            author.handout,
            author.prove,
            author.ratings,
            author.bench,
            author.reference,
            author.report,
            author.estimates,
            stages.group,
        ],
    },
    epilog="""
    examples:
      python -m grader check resnet
      python -m grader grade --help

    Most are sessions of nox as well, such as nox -s check -- resnet. nox -l lists them, and those for the
    data (nox -s data), the notebook and the tests.
    """,
)
def group() -> None:
    """An assignment on CIFAR-100 and its grader."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code says what came of it (grader/cli/__init__.py)."""
    return run(group, sys.argv[1:] if arguments is None else arguments)
