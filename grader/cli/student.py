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
    short_help="What of assignment/ is right, what is next, and a hint.",
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
    """What to do next in your assignment/, and what of it is right. No data, no training. Other folders run
    in a sandbox, as in grade.
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


@click.command(
    cls=Command,
    prog="nox -s hint --",
    short_help="Help with one function in steps, from a nudge to nearly the answer.",
    epilog="""
    examples:
      nox -s hint                                help with what is next
      nox -s hint -- resnet                      with what is next in resnet.py
      nox -s hint -- resnet bottleneck_block     with this function
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
    """One step of help more each time: first what the check says that fails, then from a nudge to nearly the
    answer. How far you went is remembered.
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
    short_help="Checks, says what is missing, and writes the zip to hand in.",
    epilog="""
    examples:
      nox -s submit                           submission.zip, where you are
      nox -s submit -- --to ~/Desktop/cifar.zip
    """,
)
@options.folder()
@click.option(
    "--to",
    type=options.Location(),
    metavar="FILE",
    default="submission.zip",
    help="The zip to write, or a folder for it.",
)
@options.seed(1, help="Draw the inputs from this seed.")
@options.trust
@click.pass_obj
def submit(console: Console, folder: Path, to: Path, seed: int, trust: bool) -> int:
    """Checks your files, says what is missing, and writes a zip of them with a digest. It refuses nothing:
    unfinished and broken files can be handed in.
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

    Ctrl-C keeps what was learned until then.
    exit code: 0 trained, 1 it failed, 2 wrong usage, 130 stopped.
    """,
)
@click.argument(
    "task", type=options.TaskId("assignment", trains=True), metavar="TASK", help="Such as alexnet."
)
@click.option("--labels", type=click.Choice(options.LABEL_SETS), default="coarse", help="What to tell apart.")
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
@options.seed(0, help="Of the training.")
@click.option("--as-written", is_flag=True, help="Train your own choices where the task leaves some open.")
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
    epoch, then a page with curves, confusions and the worst mistakes. This is no mark.
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
      nox -s runs -- 3           one, with its page
      nox -s runs -- 3 5         what differs, and both curves as a picture
    """,
)
@click.argument("names", nargs=-1, metavar="[RUN]...", help="By number or name; none for all.")
@click.pass_obj
def runs(console: Console, names: tuple[str, ...]) -> int:
    """Your trainings: accuracy, epochs, network, when; of two or more, what differs between them."""
    from grader.commands.runs import runs

    return runs(ROOT, console, names=names)


COMMANDS = (check, hint, inspect, train, runs, submit)
