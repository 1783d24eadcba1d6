"""Grades one submission where a platform runs the grader, and trains nothing: half a core and 768 MB do.

    python -m grader.packaging.autograde --settings package.json --engine bubblewrap --to out.json SUBMISSION

Started by supervise.py. What is written is Gradescope's results.json, or, where nothing could be decided, the
same without a score and with the reason in `output`. Exit code: 0 written, 3 the engine does not work here.

With `--release checks` no accuracy is in the results, whatever the network: what the class run would release
before the deadline is shown (grading/release.py), and no network is known here. With `all` networks that are
known (thresholds/known.py) are marked whole. What would have to be trained is left to the class run in both,
with what it needs: the images and hidden labels are not here. The output states that it has no points yet.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console

from grader import sandbox
from grader.config.manifest import Check, Manifest
from grader.exporters import gradescope
from grader.exporters.terminal import number
from grader.grading import probing, run
from grader.grading.plan import Plan
from grader.grading.release import Release, released
from grader.intake import Source
from grader.packaging.supervise import MARGIN
from grader.results.record import CheckResult, Status, SubmissionResult, TaskResult
from grader.sandbox import Engine, Limits
from grader.sandbox.base import MIB
from grader.sandbox.bubblewrap import BubblewrapEngine
from grader.sandbox.other_user import OtherUserEngine
from grader.session import Session
from grader.training.progress import Display
from lab.errors import KitError
from lab.files import write_atomically
from lab.strict import Strict

ROOT = Path(__file__).resolve().parents[2]
NO_ENGINE = 3
ENGINES: dict[str, type[BubblewrapEngine] | type[OtherUserEngine]] = {
    "bubblewrap": BubblewrapEngine,
    "another-user": OtherUserEngine,
}
START = 30  # seconds on half a core: the grader's own start, and what it does besides running tasks
MEMORY, OUTPUT = 1024 * MIB, 64 * MIB  # of memory the container leaves less
# Of a run by the clock: half a core computes for so long, with some to spare for the grader's own watching.
COMPUTING = 0.4
ENOUGH = 0.35  # of a core
LATER = "accuracy follows after the deadline"


class Settings(Strict):
    """What was fixed when the package was built.

    Attributes:
        profile: whose known networks there are.
        pin: of the data that they were trained on.
        seed: of the probe inputs.
        release: `checks` leaves every accuracy to the class run; `all` has known networks marked whole.
        minutes: of the platform's time limit.
        kit: the version of the grader.
    """

    profile: str
    pin: str
    seed: int
    release: Release
    minutes: int
    kit: str


class PackagedSession(Session):
    """A session without data: their pin is known from when the package was built."""

    def __init__(self, root: Path, settings: Settings, engine: Engine) -> None:
        super().__init__(root, profile=settings.profile, workers=1)
        self._settings = settings
        self._here = engine

    @cached_property
    def engine(self) -> Engine:
        """The one that was found to work."""
        return self._here

    @cached_property
    def pin(self) -> str:
        """That of the data when the package was built."""
        return self._settings.pin


def grade(root: Path, settings: Settings, engine: Engine, submission: Path) -> dict[str, Any]:
    """Gradescope's document for one submission.

    Args:
        root: of the package: the kit's modules, assignment/ and reference/.
        settings: of the package.
        engine: where the submission's code runs.
        submission: the folder.
    """
    session = PackagedSession(root, settings, engine)
    bounds = limits(settings.minutes, len(session.manifest.tasks))
    with Display(Console(stderr=True, force_terminal=False), len(session.manifest.tasks)) as display:
        with session.pool(display) as pool:
            training = replace(session.training(pool, display), trainer=None)
        if settings.release == "checks":  # the package has no known networks then; this does not rest on it
            training = replace(training, known=lambda task, labels, network: None)
        plan = Plan(
            session.manifest,
            session.profile,
            engine,
            session.run(settings.seed),
            training,
            session.slots,
            display.probed,
            limits=bounds,
        )
        (result,) = run.grade([Source("submission", submission)], plan)
    made = document(result, session.manifest, settings.release)
    if "score" in made:
        said = " ".join(filter(None, (in_words(bounds), too_little(share()))))
        made["output"] = f"{made['output'].rstrip()}\n\n{said}\n"
    return made


def share(seconds: float = 1.0) -> float:
    """The part of a core that this process has when it computes; to be asked when no other one is left."""
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() < began + seconds:
        pass
    return (time.process_time() - used) / (time.monotonic() - began)


def too_little(part: float) -> str:
    """What a student has to know of a machine with less than half a core to spare; empty if it is enough."""
    if part >= ENOUGH:
        return ""
    return (
        f"This machine was busy and had {part:.0%} of a core for you, where 50% are meant: what failed for "
        "the time that it took may be no fault of yours. Submit again."
    )


def limits(minutes: int, tasks: int) -> Limits:
    """What one task may take, so that all together stay within the platform's time limit.

    A submission that only waits, in every task, is then scored as well, and what it waited for has failed.

    Args:
        minutes: of the platform's limit, on half a core.
        tasks: how many there are, one graded after the other.
    """
    most = probing.LIMITS
    seconds = (60 * minutes - MARGIN - START) / tasks / probing.ALL_RUNS
    wall = min(float(int(seconds)), most.wall_seconds)
    cpu = min(float(int(COMPUTING * wall)), most.cpu_seconds)
    return Limits(wall_seconds=wall, cpu_seconds=cpu, memory_bytes=MEMORY, output_bytes=OUTPUT)


def in_words(bounds: Limits) -> str:
    """For the student, who may have less time here than in the class run."""
    return (
        f"Each task has {probing.ALL_RUNS * bounds.wall_seconds:.0f} s here, and {bounds.cpu_seconds:.0f} s "
        "of processor time. What takes or waits longer is stopped, fails for that, and is scored so."
    )


def document(result: SubmissionResult, manifest: Manifest, release: Release) -> dict[str, Any]:
    """A result in Gradescope's form, of what is released; without a score where there is no mark."""
    if not result.has_mark:
        return without_score(result.problem or _fault(result))
    return _public(result, manifest) if release == "checks" else _whole(result, manifest)


def _public(result: SubmissionResult, manifest: Manifest) -> dict[str, Any]:
    """What needs no hidden data: the same as the class run releases before the deadline.

    Neither seeds, versions nor anything else that was recorded to defend a mark.
    """
    tasks = tuple(_with_open(task, manifest) for task in result.tasks)
    content = gradescope.results(released(result.model_copy(update={"tasks": tasks}), "checks", manifest))
    del content["extra_data"]
    for test in content["tests"]:
        test.pop("extra_data", None)
    return content


def _with_open(task: TaskResult, manifest: Manifest) -> TaskResult:
    """A task with a line for each training that is left to the class run, to be held back like the others."""
    there = {line.check: line for line in task.checks}
    lines = [
        there.pop(check.id) if check.id in there else _passed(check)
        for check in manifest.task(task.task).checks
        if check.id in there or check.train
    ]
    return task.model_copy(update={"checks": (*lines, *there.values())})


def _passed(check: Check) -> CheckResult:
    return CheckResult(
        check=check.id,
        title=check.title,
        status=Status.PASSED,
        points=check.points,
        max_points=check.points,
    )


def _whole(result: SubmissionResult, manifest: Manifest) -> dict[str, Any]:
    """All that is decided here, accuracies of known networks too, and what is still open."""
    content = gradescope.results(result)
    waiting = left_out(result, manifest)
    if waiting:
        points = sum(check.points for check in waiting)
        said = [
            f"{number(points)} points are still open: {LATER}, when the whole class is graded.",
            *(f"  {check.title}: {LATER} ({number(check.points)} points)" for check in waiting),
        ]
        content["output"] = "\n".join([*said, "", content["output"]])
    for task in manifest.tasks:
        content["tests"] += [
            {
                "name": f"{task.title}: {check.title}",
                "output": f"Not marked yet: {LATER} ({number(check.points)} points).",
                "tags": [task.id, check.id, "open"],
                "visibility": "visible",
            }
            for check in task.checks
            if check in waiting
        ]
    return content


def left_out(result: SubmissionResult, manifest: Manifest) -> list[Check]:
    """The checks that a training has to decide and that have no verdict."""
    decided = {(task.task, check.check) for task in result.tasks for check in task.checks}
    return [
        check
        for task in manifest.tasks
        for check in task.checks
        if check.train and (task.id, check.id) not in decided
    ]


def without_score(why: str) -> dict[str, Any]:
    """The document of a run that decided nothing: an error, and no zero."""
    return {
        "output": f"No mark was given, and none is lost.\n\n{why}",
        "output_format": "text",
        "stdout_visibility": "hidden",
    }


def _fault(result: SubmissionResult) -> str:
    faults = [c.message for task in result.tasks for c in task.checks if c.status is Status.FAULT]
    what = faults[0] if faults else "nothing was decided"
    return f"The grader failed, not your work: {what}. Submit again; if it stays, tell your course."


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="autograde")
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("submission", type=Path)
    asked = parser.parse_args(arguments)
    settings = Settings.model_validate_json(asked.settings.read_bytes())
    engine = ENGINES[asked.engine]()
    found = engine.availability()
    if not found.usable:
        print(f"engine {engine.name}: {found.reason}", file=sys.stderr)
        return NO_ENGINE
    print(f"engine {engine.name}", file=sys.stderr)
    try:
        with sandbox.interruptible():
            made = grade(ROOT, settings, engine, asked.submission)
    except KitError as error:
        made = without_score(f"The grader failed, not your work: {error.message}")
    write_atomically(asked.to, json.dumps(made, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
