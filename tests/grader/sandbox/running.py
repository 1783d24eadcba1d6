"""Runs small programs in an engine and shows how they ended and what they left."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox import Engine, Job, Limits, Outcome


@dataclass(frozen=True)
class Ran:
    """A finished job: its outcome, and its output folder as the grader finds it."""

    outcome: Outcome
    output: Path


Run = Callable[..., Ran]


def runner(engine: Engine, folder: Path) -> Run:
    """A function that runs Python code in the engine, with limits as keywords."""
    counter = iter(range(1000))

    def run(
        code: str,
        *,
        arguments: tuple[str, ...] = (),
        readable: dict[str, Path] | None = None,
        **limits: float,
    ) -> Ran:
        job_folder = folder / f"job{next(counter)}"
        submission, output = job_folder / "submission", job_folder / "output"
        submission.mkdir(parents=True)
        output.mkdir()
        (submission / "answer.py").write_text("ANSWER = 42\n")
        (submission / "answer.py").chmod(0o600)  # as an unpacked zip may be
        limits = {"wall_seconds": 30.0, "memory_bytes": 512 * 1024 * 1024} | limits
        command = ("-c", code, *arguments)
        job = Job(command, submission, output, readable or {}, Limits(**limits))  # type: ignore[arg-type]
        return Ran(engine.run(job), output)

    return run
