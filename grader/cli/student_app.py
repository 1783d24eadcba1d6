"""`python -m grader` of the handout: what a student runs. In a checkout app.py has everybody's commands."""

import sys
from collections.abc import Sequence

import click

from grader.cli import instructor, student
from grader.cli.base import Group, run


@click.group(
    cls=Group,
    name="grader",
    prog="python -m grader",
    sections={"Students": [*student.COMMANDS, instructor.grade, instructor.doctor]},
    epilog="""
    examples:
      python -m grader check resnet
      python -m grader grade assignment

    All are sessions of nox as well, such as nox -s check -- resnet. nox -l lists them.
    """,
)
def group() -> None:
    """An assignment on CIFAR-100, and what checks it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code says what came of it (grader/cli/__init__.py)."""
    return run(group, sys.argv[1:] if arguments is None else arguments)
