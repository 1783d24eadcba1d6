"""Runs a probe in a sandbox, once: what it left behind, and how its process ended.

What follows from that, whether it is run again and whom it counts against, is probing.py's.
"""

import json
import secrets
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import scratch
from grader.errors import EvidenceRefused
from grader.grading.evidence import Evidence
from grader.sandbox import GUEST, Engine, Limits, Outcome, Program
from grader.sandbox.base import End

STARTED = "the probe has started\n"  # harness.py prints it before anything of the submission runs
_SIGXCPU = getattr(signal, "SIGXCPU", 24)  # Windows has none


@dataclass(frozen=True)
class Launched:
    """One run of a probe.

    Attributes:
        outcome: how its process ended.
        evidence: what it left behind; None if that cannot be used.
        limits: what it was given.
        refused: why there is no evidence; empty if there is.
    """

    outcome: Outcome
    evidence: Evidence | None
    limits: Limits
    refused: str = ""


def launch(
    engine: Engine,
    submission: Path,
    *,
    module: str,
    probe: Path,
    seed: int,
    builder_arguments: dict[str, Any],
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
        seed, builder_arguments: given to the probe.
        limits: of the run.
        options: more of harness.py's.
        beside: what the probe finds beside itself, by file name.
    """
    with scratch.Folder("probe") as work:
        output = Path(work) / secrets.token_hex(4)
        output.mkdir()
        arguments = Path(work) / "builder-arguments.json"
        arguments.write_text(json.dumps(builder_arguments))
        command = ["/kit/guest/harness.py", "--probe", "/kit/probe.py", "--submission", "/submission"]
        command += ["--module", module, "--output", "/output", "--seed", str(seed)]
        command += ["--builder-arguments", "/kit/builder-arguments.json", *options]
        outcome = engine.run(
            Program(
                arguments=tuple(command),
                submission=submission,
                output=output,
                readable={
                    "/kit/guest": GUEST,
                    "/kit/probe.py": probe,
                    "/kit/builder-arguments.json": arguments,
                    **{f"/kit/{name}": path for name, path in (beside or {}).items()},
                },
                limits=limits,
            )
        )
        try:
            return Launched(outcome, Evidence.read(output), limits)
        except EvidenceRefused as error:
            return Launched(outcome, None, limits, error.message)


def how(outcome: Outcome, limits: Limits) -> str:
    """How the process ended, for the student whose function ended it."""
    match outcome.end:
        case End.CPU:
            return f"it was stopped after {in_seconds(limits.cpu_seconds)} of processor time"
        case End.TIMEOUT:
            return f"it was stopped after {in_seconds(limits.wall_seconds)}"
        case End.MEMORY:
            return f"it took more than {limits.memory_bytes / 1024**3:.0f} GiB of memory and was stopped"
        case End.OUTPUT:
            return f"it wrote more than {limits.output_bytes // 1024**2} MiB to disk and was stopped"
        case End.SIGNAL if computed_on(outcome):
            return "it went on computing after its time was up and was stopped"
        case End.SIGNAL:
            return f"it was ended by signal {-outcome.exit_code}"
        case End.EXIT:
            return f"it ended the whole Python process (exit code {outcome.exit_code})"


def computed_on(outcome: Outcome) -> bool:
    """Whether it was ended for its processor time, by the sandbox or by the harness's own limit of a call."""
    return outcome.end is End.CPU or (outcome.end is End.SIGNAL and outcome.exit_code == -_SIGXCPU)


def in_seconds(seconds: float) -> str:
    """In words."""
    return f"{round(seconds, 1):g} s"
