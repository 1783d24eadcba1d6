"""Grades one submission where a platform runs the grader, and trains nothing: half a core and 768 MB do.

    python -m grader.packaging.autograde --settings package.json --engine bubblewrap --to out.json SUBMISSION

Started by supervise.py. What is written is Gradescope's results.json, or, where nothing could be decided, the
same without a score and with the reason in `output`. Exit code: 0 written, 3 the engine does not work here.

Networks that are known (thresholds/known.py) are marked whole. What would have to be trained is left to the
class run, with what it needs: the images and hidden labels are not here. That no points are given for it yet
is said in the results.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from grader import sandbox
from grader.config.manifest import Check, Manifest
from grader.exporters import gradescope
from grader.exporters.terminal import number
from grader.grading import run
from grader.grading.plan import Plan
from grader.intake import Source
from grader.results.record import Status, SubmissionResult
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
# Of one task. Five that compute without end stay within nine minutes on half a core: 5 x 40 s of processor
# time are 400 s by the clock. By the clock there is time for TensorFlow to start (8 s of processor time), on
# a busy machine too. Four or more that only wait without end use up the nine minutes: the student reads that.
# Memory is what the container leaves.
LIMITS = Limits(wall_seconds=120.0, cpu_seconds=40.0, memory_bytes=1024 * MIB, output_bytes=64 * MIB)
LATER = "accuracy follows after the deadline"


class Settings(Strict):
    """What was fixed when the package was built.

    Attributes:
        profile: whose known networks there are.
        pin: of the data that they were trained on.
        seed: of the probe inputs.
        release: `known` has known networks marked whole; `checks` leaves every accuracy to the class run.
        minutes: of the platform's time limit.
        kit: the version of the grader.
    """

    profile: str
    pin: str
    seed: int
    release: Literal["known", "checks"]
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
    with Display(Console(stderr=True, force_terminal=False), len(session.manifest.tasks)) as display:
        training = None
        if settings.release == "known":
            with session.pool(display) as pool:
                training = replace(session.training(pool, display), trainer=None)
        about = session.run(settings.seed)
        plan = Plan(
            session.manifest,
            session.profile,
            engine,
            about,
            training,
            session.slots,
            display.probed,
            limits=LIMITS,
        )
        (result,) = run.grade([Source("submission", submission)], plan)
    return document(result, session.manifest)


def document(result: SubmissionResult, manifest: Manifest) -> dict[str, Any]:
    """A result in Gradescope's form; without a score where there is no mark."""
    if not result.has_mark:
        return without_score(result.problem or _fault(result))
    content = gradescope.results(result)
    waiting = left_out(result, manifest)
    points = sum(check.points for check in waiting)
    said = [f"These are the public checks; {LATER}."]
    if waiting:
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
