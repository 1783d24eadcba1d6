"""Records docs/session.md: a student's first evening with the zip, from unpacking to handing in.

    PYTHONPATH=. .nox/kit/bin/python docs/session.py       needs a package registry

The zip is made from this checkout and unpacked into an empty folder; each command is typed into a shell
there, and what it prints is kept. Only this is changed: the folder's place is written as ~; lines about the
machine's own pip configuration, uv's options and uv's list of packages become "...", as does the middle of
what is long. What the student writes is described, not shown.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from grader.handout import bundle

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "session.md"
SHELL = shutil.which("bash") or "bash"
LINES = 34  # of one command's output; what is beyond is left out of its middle
LEFT_OUT = re.compile(r"WARNING: Location |\[notice\]|nox > .*/uv sync | \+ \S+==")
WRONG = ("default_rng(seed)", "default_rng()")


@dataclass(frozen=True)
class Step:
    """The text before a command, what the student writes before it, and the command.

    Attributes:
        text: of the page.
        writes: functions of preprocessing.py.
        edits: a text of the solution and what is written in its place.
        command: as typed; `nox` alone stands for .venv/bin/nox from the second on.
    """

    text: str
    command: str
    writes: tuple[str, ...] = ()
    edits: tuple[str, str] | None = None


STEPS = (
    Step("The zip is unpacked. One command sets everything up and gives the first feedback.",
         "unzip -q cifar100-assignment.zip && cd cifar100-assignment && "
         'python3 -m venv .venv && .venv/bin/pip install -q "nox[uv]" && .venv/bin/nox -s check'),
    Step("From here on `nox` is `.venv/bin/nox`. The student writes `split_indices`, and forgets to hand the "
         "seed to the generator.",
         "nox -s check -- preprocessing", writes=("split_indices",), edits=WRONG),
    Step("The message says what was called and what came back. A hint goes one step further each time.",
         "nox -s hint"),
    Step("The same command once more:", "nox -s hint"),
    Step("The seed goes in, and `channel_statistics` is written as well.",
         "nox -s check -- preprocessing", writes=("split_indices", "channel_statistics")),
    Step("Enough for one evening. What is there is handed in; `submit` says what is missing and refuses "
         "nothing.",
         "nox -s submit"),
)  # fmt: skip

_HEAD = """# From the zip to a submission

A recorded session: a student unpacks the zip, writes two functions and hands in. Every line is what the
commands printed, on two cores that were busy with other work. `...` stands where lines were left out.
`docs/session.py` in the course's repository records it again.
"""


def write(folder: Path, step: Step) -> None:
    """Puts functions of the solution, mistake included, into the student's file."""
    path = folder / "assignment" / "preprocessing.py"
    solved = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
    for name in step.writes:
        text, place = (_function(source, name) for source in (solved, path.read_text(encoding="utf-8")))
        if step.edits and step.edits[0] in text:
            text = text.replace(*step.edits)
        path.write_text(path.read_text(encoding="utf-8").replace(place, text), encoding="utf-8")


def record(place: Path) -> Iterator[str]:
    """The parts of the page, one a step."""
    bundle.write(ROOT, place / "cifar100-assignment.zip")
    folder = place / bundle.FOLDER
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "KIT", "VIRTUAL"))
    }
    where = place
    for step in STEPS:
        if step.writes:
            write(folder, step)
        done = subprocess.run(
            [SHELL, "-c", f"exec 2>&1; {step.command}"],
            cwd=where,
            env={**kept, "PATH": f"{folder}/.venv/bin{os.pathsep}{os.environ['PATH']}", "COLUMNS": "96"},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{step.command} ended with {done.returncode}:\n{done.stdout}")
        where = folder
        shown = "\n".join(shortened(done.stdout.replace(str(place), "~").splitlines()))
        yield f"{step.text}\n\n```console\n$ {step.command}\n{shown}\n```\n"


def shortened(lines: list[str]) -> list[str]:
    """The lines without those that are this machine's own, and without the middle of what is long."""
    found: list[str] = []
    for line in lines:
        kept = "..." if LEFT_OUT.match(line) else line.rstrip()
        if not (kept == "..." and found[-1:] == ["..."]):
            found.append(kept)
    if len(found) > LINES:
        found = [*found[: LINES - 8], "...", *found[-7:]]
    return found


def main() -> None:
    """Records and writes the page."""
    with tempfile.TemporaryDirectory() as scratch:
        parts = list(record(Path(scratch).resolve()))
    page = "\n".join([_HEAD, *parts])
    if scratch in page or str(Path.home()) in page:
        raise SystemExit("a path of this machine is in the recording")
    PAGE.write_text(page, encoding="utf-8")
    Console().print(f"{PAGE.relative_to(ROOT)}: {len(page.splitlines())} lines", style="green")


def _function(source: str, name: str) -> str:
    """The text of a function."""
    (node,) = (one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef) and one.name == name)
    return "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])


if __name__ == "__main__":
    sys.exit(main())
