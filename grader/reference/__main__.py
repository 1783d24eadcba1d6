"""`python -m grader.reference STAGE`: one stage of dvc.yaml; `nox -s reference` runs what is needed."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.config.profiles import CLASSES
from grader.errors import UsageError
from grader.reference import packages, stages, versions
from grader.reference.stages import Place
from lab.errors import KitError

ROOT = Path(__file__).resolve().parents[2]
WORKERS = "KIT_WORKERS"  # dvc.yaml names no number of workers: it belongs to the machine, not to the results
# name: (needs a task, what it does)
STAGES = {
    "images": (False, "check the data against its pin: images.json"),
    "describe": (True, "what the solution builds: networks/<task>.json"),
    "train": (True, "train it under the reference seeds: runs/<task>.json"),
    "observe": (True, "train it once more and look on: observed/<task>.json"),
    "calibrate": (False, "set the thresholds: thresholds.json, calibration.json, metrics/"),
    "figures": (False, "draw what was measured: figures/, plots/"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one stage; 0 when it is done, 1 if it could not be, 2 for wrong usage, 130 after Ctrl-C."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["report"]:
        from grader.reference import report  # matplotlib

        return report.main(given[1:])
    options = _parser().parse_args(given)
    if "DVC_STAGE" in os.environ:
        threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    console = Console(soft_wrap=False, width=None if sys.stdout.isatty() else 130)
    try:
        _run(options, console)
    except KitError as error:
        console.print(Text(f"reference {options.stage}: {error}", style="red"))
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        console.print("\nStopped. What was trained to the end is kept: the same command goes on from there.")
        return 130
    return 0


def _run(options: argparse.Namespace, console: Console) -> None:
    if options.stage == "versions":
        _record_versions(options.same_results, console)
        return
    if options.stage == "failure":
        stages.failure(ROOT, console)
        return
    place = Place(ROOT, stages.profile(ROOT, options.profile), console, options.workers)
    match options.stage:
        case "candidates":
            stages.compare_candidates(place, options.tasks, options.labels, options.seeds, options.only)
        case "confirm":
            stages.confirm_thresholds(place, options.seeds, options.tasks)
        case "images":
            stages.images(place)
        case "describe":
            stages.describe(place, options.task)
        case "train":
            stages.train(place, options.task)
        case "observe":
            stages.observe(place, options.task)
        case "calibrate":
            stages.calibrate(place)
        case "figures":
            stages.figures(place)


def _record_versions(same_results: Sequence[str], console: Console) -> None:
    lines = [*versions.update(ROOT, same_results), *packages.update(ROOT)]
    console.print(Text("\n".join(lines) or "reference/versions.json and packages.json are up to date"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader.reference", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="stage", metavar="STAGE")
    for name, (needs_task, text) in STAGES.items():
        command = commands.add_parser(
            name, help=text, description=f"{name}: {text}, in reference/<profile>/."
        )
        command.add_argument("--profile", required=True, help="a profile of params.yaml")
        if needs_task:
            command.add_argument("--task", required=True, help="a task that trains, such as alexnet")
        _add_workers(command)
    command = commands.add_parser(
        "candidates", help="no stage: which recipe tells right from wrong, reference/recipes.json"
    )
    command.add_argument("--profile", required=True, help="one that has candidates in params.yaml")
    command.add_argument("--tasks", nargs="+", metavar="TASK", help="only these (default: all that train)")
    command.add_argument(
        "--labels", nargs="+", choices=list(CLASSES), default=["fine"], help="(default: fine)"
    )
    command.add_argument(
        "--seeds", type=int, choices=range(2, 21), metavar="N", default=4, help="of the solutions (4)"
    )
    command.add_argument("--only", nargs="+", metavar="NAME", help="only these candidates")
    _add_workers(command)
    command = commands.add_parser(
        "confirm", help="no stage: the solutions graded under new seeds, confirmation.json"
    )
    command.add_argument("--profile", required=True, help="one that is calibrated")
    command.add_argument("--seeds", type=int, choices=range(1, 1001), metavar="N", default=30, help="(30)")
    command.add_argument("--tasks", nargs="+", metavar="TASK", help="only these (default: all that train)")
    _add_workers(command)
    commands.add_parser(
        "failure", help="the ResNet that would not learn: reference/failure.json, its figures"
    )
    command = commands.add_parser(
        "versions", help="no stage: record the versions of code and packages that the stages depend on"
    )
    command.add_argument(
        "--same-results",
        nargs="+",
        default=[],
        metavar="NAME",
        help="its code has changed in a way that provably changes no result",
    )
    commands.add_parser("report", help="no stage: the page of `nox -s report`, .kit/report/<profile>/")
    return parser


def _add_workers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--workers",
        type=int,
        choices=range(1, 65),
        metavar="N",
        default=int(os.environ.get(WORKERS, min(2, os.cpu_count() or 1))),
        help=f"trainings at a time, a thread each (default: ${WORKERS}, else 2)",
    )


def _leave_with_parent(parent: int) -> None:
    """Ends this process when the one that started it is gone: a killed `dvc` leaves its stages running."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
