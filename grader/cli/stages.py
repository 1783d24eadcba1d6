"""`python -m grader.reference STAGE ...`: the stages of dvc.yaml, and what stands beside them.

`nox -s reference` runs the stages that are needed.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

from grader.cli import author, options
from grader.cli.base import Command, Group, run
from grader.cli.options import CORES, ROOT
from grader.reference import WORKERS

if TYPE_CHECKING:
    from grader.config.profiles import LabelSet
    from grader.reference.stages import Place

PROG = "python -m grader.reference"
STOPPED = "\nStopped. What was trained to the end is kept: the same command goes on from there."

_profile = options.required_profile()
_task = click.option(
    "--task",
    type=options.TaskId("solutions", trains=True),
    metavar="TASK",
    required=True,
    help="One that trains, such as alexnet.",
)
_workers = options.workers(
    min(2, CORES), shown=f"${WORKERS}, else 2", envvar=WORKERS, help="Trainings at a time, a thread each."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one stage; 0 when it is done, 1 if it could not be, 2 for wrong usage, 130 after Ctrl-C."""
    return run(group, sys.argv[1:] if arguments is None else arguments, width=130, stopped=STOPPED)


class Stage(Command):
    """One of the commands of this file, called as its function is."""

    def __init__(self, name: str, **settings: Any) -> None:
        super().__init__(name, prog=f"{PROG} {name}", **settings)


class SeveralValues(Stage):
    """A stage without arguments, of which an option that may be repeated takes several values at once as
    well: `--tasks alexnet resnet` is `--tasks alexnet --tasks resnet`.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As of click.Command."""
        several = {
            name for one in self.params if isinstance(one, click.Option) and one.multiple for name in one.opts
        }
        written: list[str] = []
        repeated = ""
        for arg in args:
            if arg.startswith("-"):
                repeated = arg if arg in several else ""
            elif repeated and written[-1] != repeated:
                written.append(repeated)
            written.append(arg)
        return super().parse_args(ctx, written)


# --- the stages of dvc.yaml, in their order ---------------------------------------------------------------


@click.command(cls=Stage, name="images")
@_profile
@_workers
@click.pass_obj
def images(console: Console, profile: str, workers: int) -> None:
    """Checks the data against its pin. Writes reference/<profile>/images.json."""
    from grader.reference import stages

    stages.images(_place(console, profile, workers))


@click.command(cls=Stage, name="describe")
@_profile
@_task
@_workers
@click.pass_obj
def describe(console: Console, profile: str, task: str, workers: int) -> None:
    """Looks at what the solution builds. Writes reference/<profile>/networks/<task>.json."""
    from grader.reference import stages

    stages.describe(_place(console, profile, workers), task)


@click.command(cls=Stage, name="train")
@_profile
@_task
@_workers
@click.pass_obj
def train(console: Console, profile: str, task: str, workers: int) -> None:
    """Trains it under the grading and the reference seeds. Writes reference/<profile>/runs/<task>.json."""
    from grader.reference import stages

    stages.train(_place(console, profile, workers), task)


@click.command(cls=Stage, name="calibrate")
@_profile
@_workers
@click.pass_obj
def calibrate(console: Console, profile: str, workers: int) -> None:
    """Sets the thresholds. Writes reference/<profile>/thresholds.json, calibration.json and metrics/."""
    from grader.reference import stages

    stages.calibrate(_place(console, profile, workers))


@click.command(cls=Stage, name="figures")
@_profile
@_workers
@click.pass_obj
def figures(console: Console, profile: str, workers: int) -> None:
    """Draws what was measured. Writes reference/<profile>/figures/ and plots/."""
    from grader.reference import stages

    stages.figures(_place(console, profile, workers))


@click.command(cls=Stage, name="failure")
@click.pass_obj
def failure(console: Console) -> None:
    """Measures the ResNet that would not learn. Writes reference/failure.json and its figures."""
    from grader.reference import stages

    stages.failure(ROOT, console)


@click.command(
    cls=SeveralValues,
    name="study",
    epilog="""
    examples:
      python -m grader.reference study                           all cells, two at a time
      python -m grader.reference study --cell alexnet-fine
    """,
)
@click.option(
    "--cell", "names", multiple=True, metavar="NAME...", show_default="all", help="Only these of params.yaml."
)
@_workers
@click.pass_obj
def study(console: Console, names: tuple[str, ...], workers: int) -> None:
    """Trains the study's networks under equal conditions; goes on where it was stopped. Writes
    reference/study/cells/<cell>.json.
    """
    from grader.reference import stages

    stages.study(_place(console, "study", workers), names)


@click.command(cls=Stage, name="prepared")
@_profile
@_workers
@click.pass_obj
def prepared(console: Console, profile: str, workers: int) -> None:
    """Trains on what the solution's `prepare` hands over. Writes reference/<profile>/prepared.json."""
    from grader.reference import stages

    stages.prepared(_place(console, profile, workers))


# --- no stages: measured beside the pipeline, or about it -------------------------------------------------


@click.command(
    cls=SeveralValues,
    name="candidates",
    epilog="""
    examples:
      python -m grader.reference candidates --profile cpu
      python -m grader.reference candidates --profile cpu --tasks alexnet resnet --labels fine coarse
    """,
)
@options.required_profile("One that has candidates in params.yaml.")
@click.option(
    "--tasks",
    type=options.TaskId("solutions", trains=True),
    multiple=True,
    metavar="TASK...",
    show_default="all that train",
    help="Only these.",
)
@click.option(
    "--labels", type=click.Choice(options.LABEL_SETS), multiple=True, default=["fine"], help="Which labels."
)
@click.option(
    "--seeds",
    type=options.Whole("a number of seeds", 2, 20),
    metavar="N",
    default=4,
    help="How many of the solutions.",
)
@click.option("--only", multiple=True, metavar="NAME...", help="Only these candidates.")
@_workers
@click.pass_obj
def candidates(
    console: Console,
    profile: str,
    tasks: tuple[str, ...],
    labels: tuple["LabelSet", ...],
    seeds: int,
    only: tuple[str, ...],
    workers: int,
) -> None:
    """Compares recipes by how well they tell right from wrong. Writes reference/recipes.json."""
    from grader.reference import stages

    stages.compare_candidates(_place(console, profile, workers), tasks, labels, seeds, only)


@click.command(
    cls=SeveralValues,
    name="confirm",
    epilog="""
    examples:
      python -m grader.reference confirm --profile cpu
      python -m grader.reference confirm --profile cpu --seeds 100 --tasks alexnet
    """,
)
@options.required_profile("One that is calibrated.")
@click.option(
    "--seeds",
    type=options.Whole("a number of seeds", 1, 1000),
    metavar="N",
    default=30,
    help="How many new ones.",
)
@click.option(
    "--tasks",
    type=options.TaskId("solutions", trains=True),
    multiple=True,
    metavar="TASK...",
    show_default="all that train",
    help="Only these.",
)
@_workers
@click.pass_obj
def confirm(console: Console, profile: str, seeds: int, tasks: tuple[str, ...], workers: int) -> None:
    """Grades the solutions under new seeds. Writes reference/<profile>/confirmation.json."""
    from grader.reference import stages

    stages.confirm_thresholds(_place(console, profile, workers), seeds, tasks)


@click.command(
    cls=SeveralValues,
    name="versions",
    epilog="""
    examples:
      python -m grader.reference versions
      python -m grader.reference versions --same-results figures
    """,
)
@click.option(
    "--same-results",
    multiple=True,
    metavar="NAME...",
    help="Its code has changed in a way that provably changes no result.",
)
@click.pass_obj
def versions(console: Console, same_results: tuple[str, ...]) -> None:
    """Records the versions that stages depend on. Writes reference/versions.json and packages.json."""
    from grader.reference import packages, versions

    lines = [*versions.update(ROOT, same_results), *packages.update(ROOT)]
    console.print(Text("\n".join(lines) or "reference/versions.json and packages.json are up to date"))


@click.group(
    cls=Group,
    name="stages",
    prog=PROG,
    short_help="Runs one stage of the pipeline.",
    sections={
        "Stages of dvc.yaml": [images, describe, train, calibrate, figures, failure, study],
        "Beside the pipeline": [candidates, confirm, prepared, versions, author.report],
    },
)
def group() -> None:
    """One stage of dvc.yaml; nox -s reference runs what is needed."""
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()


def _place(console: Console, profile: str, workers: int) -> "Place":
    from grader.reference import stages

    return stages.Place.of(ROOT, profile, console, workers)


def _leave_with_parent(parent: int) -> None:
    """Ends this process when the one that started it is gone: a killed `dvc` leaves its stages running."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
