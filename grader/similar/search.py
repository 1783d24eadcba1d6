"""Starts the process that compares, within limits, and reads what it writes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from grader.similar.model import Found, Question, Work

ROOT = Path(__file__).resolve().parents[2]
SHARE = 0.5  # docs/similar.md has what was measured with these two
RUN = 50
MOST = 60
SECONDS = 300.0
EACH = 5.0  # seconds for one file, or one pair
MEMORY = 3 * 1024**3  # bytes
MOST_OUTPUT = 64 * 1024**2


def search(
    works: Sequence[Work],
    base: Mapping[str, str],
    *,
    seconds: float = SECONDS,
    share: float = SHARE,
    run: int = RUN,
    most: int = MOST,
) -> Found:
    """Which students have files that are alike; never an error: what kept it from an answer is `why_not`.

    Args:
        works: what was kept of the class.
        base: the text of what was handed out, by name.
        seconds: of the clock for all of it.
        share, run, most: see Question.
    """
    if find_spec("compare50") is None:
        return Found(why_not="compare50 is not installed. It comes with: uv sync --extra similar")
    if len(works) < 2:
        return Found(why_not=f"files were kept of {len(works)} submissions, and it takes two to compare")
    question = Question(works=tuple(works), base=base, share=share, run=run, most=most, seconds=EACH)
    try:
        with tempfile.TemporaryFile() as out:
            ended = subprocess.run(
                [sys.executable, "-m", "grader.similar.child"],
                input=question.model_dump_json().encode(),
                stdout=out,
                stderr=subprocess.PIPE,
                timeout=seconds,
                cwd=ROOT,
                env={
                    "PATH": os.environ.get("PATH", ""),
                    "PYTHONPATH": str(ROOT),
                    "PYTHONHASHSEED": "0",  # which passages are looked at depends on it
                    "TMPDIR": tempfile.gettempdir(),
                },
                preexec_fn=_limit if sys.platform != "win32" else None,
            )
            if ended.returncode:
                last = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2][-200:]
                return Found(
                    why_not=f"the comparison ended with code {ended.returncode}: {last or 'no message'}"
                )
            if out.tell() > MOST_OUTPUT:
                return Found(why_not="the comparison found too much to read")
            out.seek(0)
            return Found.model_validate_json(out.read())
    except subprocess.TimeoutExpired:
        return Found(why_not=f"the comparison took longer than {seconds:.0f} s and was stopped")
    except (OSError, ValidationError) as error:
        return Found(why_not=f"the comparison could not be made: {error}")


def _limit() -> None:
    """In the child, before anything else: its memory, and no file larger than what it may answer."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_OUTPUT, MOST_OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
