"""Commands for students: what of their own work is right, and why it does not learn."""

from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from grader.cli import options
from grader.cli.base import Command
from grader.cli.options import ROOT


@click.command(
    cls=Command,
    prog="nox -s check --",
    short_help="What is right in assignment/, what to do next, and a hint.",
    epilog="""
    examples:
      nox -s check
      nox -s check -- resnet
      nox -s check -- resnet bottleneck_block
      nox -s check -- --watch                 again whenever you save, until Ctrl-C
      nox -s check -- --seed 7
      nox -s check -- --folder bob/           somebody else's files, in a sandbox
      nox -s check -- --folder work/ --trust  files you trust, where there is no sandbox
    """,
)
@options.tasks_and_functions("assignment")
@options.folder()
@options.seed(help="Draw the inputs from this seed.")
@click.option("--watch", is_flag=True, help="Check what you save, again and again, until Ctrl-C.")
@options.trust
@click.pass_obj
def check(console: Console, names: tuple[str, ...], folder: Path, seed: int, watch: bool, trust: bool) -> int:
    """Shows what to do next in your assignment/, and what is right so far. It needs no data and trains
    nothing. Other folders run in a sandbox, as in grade.
    """
    from grader.commands.check import check

    tasks, functions = options.divided(names)
    return check(
        ROOT,
        console,
        folder=folder,
        tasks=tasks,
        functions=functions,
        seed=seed,
        trust=trust,
        watching=watch,
    )


@click.command(
    cls=Command,
    prog="nox -s inspect --",
    short_help="What your prepare returns, and what is wrong with it.",
    epilog="""
    examples:
      nox -s inspect
      nox -s inspect -- --profile offline
      nox -s inspect -- --momentum 0.9          batch normalisation that adapts faster
      nox -s inspect -- --folder bob/           somebody else's files, in a sandbox
      nox -s inspect -- --folder work/ --trust  files you trust, where there is no sandbox
    """,
)
@options.folder()
@options.profile(
    help="Whose images: offline, cpu or another profile of params.yaml.",
    shown="CIFAR-100 if it is here, else drawn images",
)
@options.seed(0, help="Seed for prepare and for the training.")
@click.option(
    "--momentum",
    type=options.Share(),
    metavar="M",
    default=0.99,
    help="Momentum of the small network's batch normalisation; the default is that of Keras.",
)
@options.trust
@click.pass_obj
def inspect(
    console: Console, folder: Path, profile: str | None, seed: int, momentum: float, trust: bool
) -> int:
    """Shows what your prepare returns: ranges, statistics, labels, overlap, and how well a small ResNet
    learns from it in some seconds. It says in words what is wrong. Other folders than assignment/ run in a
    sandbox, as in grade.
    """
    from grader.commands.inspect import inspect

    return inspect(ROOT, console, folder=folder, profile=profile, seed=seed, momentum=momentum, trust=trust)


@click.command(
    cls=Command,
    prog="nox -s hint --",
    short_help="Help with one function in steps, from a small hint to nearly the answer.",
    epilog="""
    examples:
      nox -s hint                                help with the next function
      nox -s hint -- resnet                      the next function in resnet.py
      nox -s hint -- resnet bottleneck_block     this function
      nox -s hint -- bottleneck_block --again    from the first step on
    """,
)
@options.tasks_and_functions("assignment")
@options.folder()
@options.seed(1, help="Draw the inputs from this seed.")
@click.option("--again", is_flag=True, help="Begin with the first step.")
@options.trust
@click.pass_obj
def hint(console: Console, names: tuple[str, ...], folder: Path, seed: int, again: bool, trust: bool) -> int:
    """Shows one more step of help each time: first the message of the failing check, then hints from a small
    one to nearly the answer. The command remembers how far you went.
    """
    from grader.commands.hint import hint

    tasks, functions = options.divided(names)
    return hint(
        ROOT,
        console,
        folder=folder,
        tasks=tasks,
        functions=functions,
        seed=seed,
        trust=trust,
        again=again,
    )


@click.command(
    cls=Command,
    prog="nox -s submit --",
    short_help="Checks your files, says what is missing, and writes the zip to hand in.",
    epilog="""
    examples:
      nox -s submit                           submission.zip, in the current folder
      nox -s submit -- --to ~/Desktop/cifar.zip
    """,
)
@options.folder()
@click.option(
    "--to",
    type=options.Location(),
    metavar="FILE",
    default="submission.zip",
    help="The zip to write, or the folder for it.",
)
@options.seed(1, help="Draw the inputs from this seed.")
@options.trust
@click.pass_obj
def submit(console: Console, folder: Path, to: Path, seed: int, trust: bool) -> int:
    """Checks your files, says what is missing, and writes a zip of them with a digest. It accepts
    unfinished and broken files too.
    """
    from grader.commands.submit import submit

    return submit(ROOT, console, folder=folder, to=to, seed=seed, trust=trust)


@click.command(
    cls=Command,
    prog="nox -s train --",
    short_help="Trains your network, and shows what it learned.",
    epilog="""
    examples:
      nox -s train -- alexnet
      nox -s train -- resnet --labels fine --epochs 10
      nox -s train -- alexnet --as-written       your own initialisers, L2 and so on

    Ctrl-C keeps the network as it was after the last epoch.
    exit code: 0 trained, 1 it failed, 2 wrong usage, 130 stopped.
    """,
)
@click.argument(
    "task", type=options.TaskId("assignment", trains=True), metavar="TASK", help="Such as alexnet."
)
@click.option(
    "--labels",
    type=click.Choice(options.LABEL_SETS),
    default="coarse",
    help="20 superclasses (coarse) or 100 classes (fine).",
)
@click.option(
    "--epochs",
    type=options.Whole("a number of epochs", 1, 1000),
    metavar="N",
    show_default="the recipe's",
    help="Passes over the images.",
)
@options.profile(
    help="Whose images and recipe: offline, cpu or another profile of params.yaml.",
    shown="CIFAR-100 if it is here, else drawn images",
)
@options.seed(0, help="Seed of the training.")
@click.option("--as-written", is_flag=True, help="Keep your own choices where the task leaves them open.")
@options.folder()
@options.trust
@click.pass_obj
def train(
    console: Console,
    task: str,
    labels: Literal["coarse", "fine"],
    epochs: int | None,
    profile: str | None,
    seed: int,
    as_written: bool,
    folder: Path,
    trust: bool,
) -> int:
    """Trains your network by the course's recipe and scores it on a part of your own data: accuracy epoch by
    epoch, then a page with curves, confusions and the worst mistakes. The result is not a mark.
    """
    from grader.commands.train import train

    return train(
        ROOT,
        console,
        folder=folder,
        task=task,
        labels=labels,
        epochs=epochs,
        profile=profile,
        seed=seed,
        as_written=as_written,
        trust=trust,
    )


@click.command(
    cls=Command,
    prog="nox -s runs --",
    short_help="Lists and compares your trainings.",
    epilog="""
    examples:
      nox -s runs
      nox -s runs -- 3           one run, with its page
      nox -s runs -- 3 5         how they differ, and a picture of both curves
    """,
)
@click.argument("names", nargs=-1, metavar="[RUN]...", help="By number or name; none for all.")
@click.pass_obj
def runs(console: Console, names: tuple[str, ...]) -> int:
    """Lists your trainings with accuracy, epochs, network and time. If you name two or more, it shows how
    they differ.
    """
    from grader.commands.runs import runs

    return runs(ROOT, console, names=names)


COMMANDS = (check, hint, inspect, train, runs, submit)
