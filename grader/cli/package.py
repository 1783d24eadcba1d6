"""Commands for platforms that run a grader of their own, and for marks of what lies in repositories."""

from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from grader.cli import options
from grader.cli.base import Command, Group
from grader.cli.options import ROOT


@click.command(
    cls=Command,
    prog="nox -s package -- gradescope",
    short_help="The autograder zip for Gradescope.",
    epilog="""
    examples:
      nox -s package -- gradescope                              autograder.zip, to be uploaded as it is
      nox -s package -- gradescope --to lab1.zip --minutes 20   where the assignment's time limit is raised
      nox -s package -- gradescope --release all                right networks get their whole mark there
      nox -s package -- gradescope --wheels                     with the packages: no index is asked there
    """,
)
@click.option(
    "--to", type=options.Location(), metavar="FILE", default=Path("autograder.zip"), help="The zip to write."
)
@options.profile("cpu", help="Whose known networks are marked: offline, cpu or another measured one.")
@click.option(
    "--seed",
    type=options.Whole("a seed", 0, options.MAX_SEED),
    metavar="N",
    show_default="a fresh one",
    help="Of the probe inputs, the same for all who submit.",
)
@click.option(
    "--release",
    type=click.Choice(["checks", "all"]),
    default="checks",
    help="checks: no accuracy is shown before the class run. all: right networks get their whole mark there.",
)
@click.option(
    "--minutes",
    type=options.Whole("a number of minutes", 10, 40),
    metavar="N",
    default=10,
    help="The assignment's time limit on Gradescope.",
)
@click.option("--wheels", is_flag=True, help="Put the packages in, for Python 3.11 on x86-64: 385 MB.")
@click.pass_obj
def gradescope(
    console: Console,
    to: Path,
    profile: str,
    seed: int | None,
    release: Literal["checks", "all"],
    minutes: int,
    wheels: bool,
) -> int:
    """Builds the autograder for Gradescope: it marks what needs no training, on half a core and 768 MB."""
    from grader.commands import package

    return package.gradescope(
        ROOT,
        console,
        to=to,
        profile=profile,
        seed=seed,
        release=release,
        minutes=minutes,
        wheels=wheels,
    )


@click.command(
    cls=Command,
    prog="nox -s package -- github",
    short_help="A repository for students, with a workflow that checks it.",
    epilog="""
    examples:
      nox -s package -- github --to lab1-template
    """,
)
@click.option(
    "--to",
    type=options.Location(),
    metavar="FOLDER",
    required=True,
    help="A new folder: the repository's files.",
)
@click.pass_obj
def github(console: Console, to: Path) -> int:
    """Writes what a student's repository starts from: the stubs, and a workflow that checks each push."""
    from grader.commands import package

    return package.github(ROOT, console, to=to)


group = Group(
    "package",
    prog="nox -s package --",
    sections={"Platforms": [gradescope, github]},
    short_help="The grader for Gradescope, or a workflow for GitHub.",
    help="Packages the grader for a platform that runs it.",
    epilog="""
    examples:
      nox -s package -- gradescope --to autograder.zip
      nox -s package -- github --to lab1-template

    docs/coming-from-otter.md and docs/coming-from-github-classroom.md say how each is used.
    """,
)


@click.command(
    cls=Command,
    prog="nox -s collect --",
    short_help="Brings students' repositories, to be graded.",
    epilog="""
    examples:
      nox -s collect -- repositories.txt                a list: an address a line, or name,address
      nox -s collect -- clones/ --to submissions        a folder of repositories that are here already
      nox -s grade -- submissions --layout repositories  and then the marks

    The same command again fetches what is new. Nothing of a repository is run: its newest commit is read.
    exit code: 0 all are there, 1 one could not be fetched, 2 wrong usage.
    """,
)
@click.argument("source", type=options.Location(), metavar="LIST|FOLDER")
@click.option(
    "--to", type=options.Location(), metavar="FOLDER", default=Path("submissions"), help="Where they are put."
)
@click.pass_obj
def collect(console: Console, source: Path, to: Path) -> int:
    """Fetches the newest commit of each repository into a folder that `grade` reads."""
    from grader.commands.collect import collect

    return collect(console, source=source, to=to)
