"""Has a submission's functions called in a sandbox, again where it died, and hands on the evidence.

A probe that dies half-way (os._exit, out of memory, killed) is tried a second time, in case the machine
was at fault. If the same function ends it again, that function is the cause: the probe is run without it,
so that the other functions still get their marks.

Whether a probe came as far as the submission is not read from the evidence, which the submission may remove
or rewrite, but from what was printed before its first line ran. So nobody can crash into a fault.
"""

import json
import secrets
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.errors import EvidenceRefused, SandboxFault
from grader.evidence import Evidence
from grader.manifest import Task
from grader.sandbox import Engine, Job, Limits, Outcome
from grader.sandbox.base import End

HERE = Path(__file__).parent
LIMITS = Limits()
TRIES = 2
STARTED = "the probe has started\n"  # harness.py prints it before anything of the submission runs
# So many times the time of one run is what all runs of a task may take: two functions that never end. A
# submission may claim another cause of its end each time.
PATIENCE = 4


@dataclass
class Probed:
    """What came of probing one task of one submission.

    Attributes:
        evidence: of the last run, which called everything but what had ended a run twice.
        ended: for each function that ended the process, and for "import", how it did so.
        refused: why the evidence as a whole cannot be used, twice in a row; empty if it can.
    """

    evidence: Evidence
    ended: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    seconds: float = 0.0


def probe(
    engine: Engine,
    task: Task,
    submission: Path,
    *,
    seed: int,
    recipe: dict[str, Any],
    limits: Limits = LIMITS,
) -> Probed:
    """Probes one task; `recipe` holds the builder's arguments for the networks that are to be trained.

    Raises:
        SandboxFault: the sandbox did not come up, twice. Nothing the submission does can cause it: from the
            moment the probe has said that it started, whatever ends it is evidence.
    """
    probed = Probed(Evidence.nothing())
    deaths: Counter[str] = Counter()
    not_started = 0
    # Each function can end the process TRIES times, so this many runs always suffice.
    for _ in range(TRIES * (len(task.functions) + 2)):
        outcome = _run(engine, task, submission, seed, recipe, sorted(probed.ended), limits, probed)
        probed.seconds += outcome.seconds
        if STARTED not in outcome.printed:
            not_started += 1
            if not_started == TRIES:
                raise SandboxFault(
                    f"the probe of {task.id} did not start in {engine.name}: {outcome.printed[-300:]}"
                )
            continue
        if probed.evidence.finished and not probed.refused:
            return probed
        culprit = _culprit(probed, task)
        deaths[culprit] += 1
        impatient = probed.seconds > PATIENCE * limits.wall_seconds
        if deaths[culprit] == TRIES or impatient:
            probed.ended[culprit] = _how(outcome, limits)
            if culprit in ("import", "evidence") or impatient:
                return probed
    return probed


def _culprit(probed: Probed, task: Task) -> str:
    """The function during which the process ended; "import" or "evidence" where it was none of the task's."""
    if probed.refused:
        return "evidence"
    running = probed.evidence.running_function
    return running if running in task.functions else "import"


def _run(
    engine: Engine,
    task: Task,
    submission: Path,
    seed: int,
    recipe: dict[str, Any],
    skip: list[str],
    limits: Limits,
    probed: Probed,
) -> Outcome:
    launched = launch(
        engine,
        submission,
        module=task.module,
        probe=HERE / "tasks" / task.id / "probe.py",
        seed=seed,
        recipe=recipe,
        options=[f"--skip={','.join(skip)}"],
        limits=limits,
    )
    probed.refused = launched.refused
    if launched.evidence:
        probed.evidence = launched.evidence
        if STARTED in launched.outcome.printed and not probed.evidence.started:
            probed.refused = f"evidence.json is gone ({_how(launched.outcome, limits)})"
    return launched.outcome


@dataclass(frozen=True)
class Launched:
    """One run of a probe.

    Attributes:
        outcome: how its process ended.
        evidence: what it left behind; None if that cannot be used.
        refused: why not; empty if it can.
    """

    outcome: Outcome
    evidence: Evidence | None
    refused: str = ""


def launch(
    engine: Engine,
    submission: Path,
    *,
    module: str,
    probe: Path,
    seed: int,
    recipe: dict[str, Any],
    limits: Limits,
    options: Sequence[str] = (),
    beside: Mapping[str, Path] | None = None,
) -> Launched:
    """Runs a probe on one module of a submission, once, and reads its evidence when all of it is gone.

    Args:
        engine: where.
        submission: the folder.
        module: the file in it whose functions are called.
        probe: the file that calls them.
        seed, recipe: given to the probe.
        limits: of the run.
        options: more of harness.py's.
        beside: what the probe finds beside itself, by file name.
    """
    with tempfile.TemporaryDirectory(prefix="kit-probe-") as work:
        output = Path(work) / secrets.token_hex(4)
        output.mkdir()
        arguments = Path(work) / "recipe.json"
        arguments.write_text(json.dumps(recipe))
        command = ["/kit/inside/harness.py", "--probe", "/kit/probe.py", "--submission", "/submission"]
        command += ["--module", module, "--output", "/output", "--seed", str(seed)]
        command += ["--recipe", "/kit/recipe.json", *options]
        outcome = engine.run(
            Job(
                arguments=tuple(command),
                submission=submission,
                output=output,
                readable={
                    "/kit/inside": HERE / "inside",
                    "/kit/probe.py": probe,
                    "/kit/recipe.json": arguments,
                    **{f"/kit/{name}": path for name, path in (beside or {}).items()},
                },
                limits=limits,
            )
        )
        try:
            return Launched(outcome, Evidence.read(output))
        except EvidenceRefused as error:
            return Launched(outcome, None, error.message)


def _how(outcome: Outcome, limits: Limits) -> str:
    """How the process ended, for the student whose function ended it."""
    match outcome.end:
        case End.TIMEOUT:
            return f"it had not ended after {limits.wall_seconds:.0f} s and was stopped"
        case End.MEMORY:
            return f"it took more than {limits.memory_bytes / 1024**3:.0f} GiB of memory and was stopped"
        case End.OUTPUT:
            return f"it wrote more than {limits.output_bytes // 1024**2} MiB to disk and was stopped"
        case End.SIGNAL:
            return f"it was ended by signal {-outcome.exit_code}"
        case End.EXIT:
            return f"it ended the whole Python process (exit code {outcome.exit_code})"
