"""Commands for students: what of their own work is right, and why it does not learn."""

from pathlib import Path

import click
from rich.console import Console

from grader.cli import options
from grader.cli.base import Command
from grader.cli.options import ROOT


@click.command(
    cls=Command,
    prog="nox -s check --",
    short_help="What of assignment/ is right, what is next, and a hint.",
    epilog="""
    examples:
      nox -s check
      nox -s check -- resnet
      nox -s check -- --seed 7
      nox -s check -- --folder bob/           somebody else's files, in a sandbox
      nox -s check -- --folder work/ --trust  files you trust, where there is no sandbox
    """,
)
@options.tasks("assignment")
@options.folder()
@options.seed(help="Draw the inputs from this seed.")
@options.trust
@click.pass_obj
def check(console: Console, tasks: tuple[str, ...], folder: Path, seed: int, trust: bool) -> int:
    """What of your assignment/ is right, what is next, and a hint. No data, no training. Other folders run in
    a sandbox, as in grade.
    """
    from grader.commands.check import check

    return check(ROOT, console, folder=folder, tasks=tasks, seed=seed, trust=trust)


@click.command(
    cls=Command,
    prog="nox -s inspect --",
    short_help="What your prepare feeds a network, and what is wrong with it.",
    epilog="""
    examples:
      nox -s inspect
      nox -s inspect -- --profile offline
      nox -s inspect -- --momentum 0.9          batch normalisation that follows faster
      nox -s inspect -- --folder bob/           somebody else's files, in a sandbox
      nox -s inspect -- --folder work/ --trust  files you trust, where there is no sandbox
    """,
)
@options.folder()
@options.profile(
    help="Whose images: offline, cpu or another profile of params.yaml.",
    shown="CIFAR-100 if it is here, else drawn images",
)
@options.seed(0, help="Handed to prepare, and of the training.")
@click.option(
    "--momentum",
    type=options.Share(),
    metavar="M",
    default=0.99,
    help="Of the small network's batch normalisation; the default is Keras's.",
)
@options.trust
@click.pass_obj
def inspect(
    console: Console, folder: Path, profile: str | None, seed: int, momentum: float, trust: bool
) -> int:
    """What your prepare feeds a network: ranges, statistics, labels, overlap, and what a small ResNet makes
    of it in some seconds; says in words what is wrong. Other folders than assignment/ run in a sandbox, as
    in grade.
    """
    from grader.commands.inspect import inspect

    return inspect(ROOT, console, folder=folder, profile=profile, seed=seed, momentum=momentum, trust=trust)
