"""Commands for a cluster of machines that probe and train."""

from pathlib import Path

import click
from rich.console import Console

from grader.cli import options
from grader.cli.base import Command
from grader.cli.options import CORES, ROOT
from grader.paths import from_here

_FOLDER = ROOT / ".kit" / "cluster"

certificates_option = click.option(
    "--certificates",
    type=options.Location(),
    metavar="FOLDER",
    default=lambda: from_here(_FOLDER),
    show_default=".kit/cluster/",
    help="The cluster's certificates (nox -s certificates).",
)
_profile = options.profile(
    help="What is graded by; the same on all machines.", shown="cpu if CIFAR-100 is here, else offline"
)


@click.command(
    cls=Command,
    prog="nox -s certificates --",
    short_help="Makes certificates for a cluster.",
    epilog="""
    examples:
      nox -s certificates                     into .kit/cluster, for a year
      nox -s certificates -- ~/ps1-cluster    into another folder

    exit code: 0 made, 2 wrong usage, or there are some already.
    """,
)
@click.argument(
    "folder",
    type=options.Location(),
    default=lambda: from_here(_FOLDER),
    metavar="[FOLDER]",
    help="Where to; made if need be (mode 0700, files 0600).",
)
@click.pass_obj
def certificates(console: Console, folder: Path) -> int:
    """Makes the certificates that all machines of a cluster show each other.

    Copy the folder to each of them, and to nobody else: whoever has it is trusted (docs/security.md).
    """
    from grader.commands.cluster import certificates

    return certificates(console, folder)


@click.command(
    cls=Command,
    prog="nox -s scheduler --",
    short_help="Starts the scheduler of a cluster.",
    epilog="""
    examples:
      nox -s scheduler -- --profile cpu                           on this machine alone
      nox -s scheduler -- --profile cpu --host 10.0.0.5           for others, by this machine's address

    exit code: 0 it was stopped, 2 wrong usage. docs/scaling.md goes through it step by step.
    """,
)
@_profile
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="The address to listen on.")
@click.option(
    "--port",
    type=options.Whole("a port", 0, 65535),
    default=8786,
    metavar="N",
    help="The port; 0 for a free one.",
)
@certificates_option
@click.pass_obj
def scheduler(console: Console, profile: str | None, host: str, port: int, certificates: Path) -> int:
    """Starts what workers and graders connect to, and prints the address to join with."""
    from grader.commands.cluster import scheduler

    return scheduler(ROOT, console, profile=profile, host=host, port=port, folder=certificates)


@click.command(
    cls=Command,
    prog="nox -s worker --",
    short_help="Joins a cluster with what this machine has.",
    epilog="""
    examples:
      nox -s worker -- tls://10.0.0.5:8786 --profile cpu
      nox -s worker -- tls://10.0.0.5:8786 --profile gpu --trainings-only --workers 2

    exit code: 0 it was stopped, 1 the scheduler was lost, 2 wrong usage, or it may not take part.
    """,
)
@click.argument("address", metavar="ADDRESS", help="The scheduler's, as it printed it.")
@_profile
@options.engine(help="What isolates probes; with podman and docker, networks train in a container too.")
@options.workers(
    min(8, CORES),
    shown="one a core, 8 at most",
    help="Probes and trainings at a time, up to 3 GiB each.",
)
@click.option("--trainings-only", is_flag=True, help="Run no probes: no sandbox is needed.")
@click.option(
    "--host",
    metavar="ADDRESS",
    default=None,
    show_default="the one that leads to the scheduler",
    help="The address to listen on; the scheduler has to reach it.",
)
@certificates_option
@click.pass_obj
def worker(
    console: Console,
    address: str,
    profile: str | None,
    engine: str,
    workers: int,
    trainings_only: bool,
    host: str | None,
    certificates: Path,
) -> int:
    """Joins with what this machine has: cores, memory, GPUs, a sandbox, its own data."""
    from grader.commands.cluster import worker

    return worker(
        ROOT,
        console,
        address,
        profile=profile,
        engine=engine,
        places=workers,
        folder=certificates,
        listen_on=host,
        trainings_only=trainings_only,
    )
