"""Where code runs: this checkout's own without a sandbox, all else in one."""

from pathlib import Path

from grader import sandbox
from grader.sandbox import Engine


def is_own(root: Path, path: Path) -> bool:
    """Whether a path is this checkout's own assignment/ or solutions/, and not a link to elsewhere."""
    return path.resolve() in {(root / name).resolve() for name in ("assignment", "solutions")}


def engine_for(root: Path, folder: Path, *, trust: bool) -> Engine:
    """No sandbox for what is this checkout's own, which is faster; else the strongest that works here.

    Raises:
        UsageError: no sandbox works here, and nobody said that the code is to be trusted.
    """
    if is_own(root, folder):
        return sandbox.select("none", own_code=True)
    return sandbox.select("auto", own_code=trust)


def in_words(engine: Engine) -> str:
    """Where it runs, for the first line of a command."""
    return f"in {engine.name}" if engine.isolates else "no sandbox"
