"""`nox -s submit`: checks, says what is missing, and writes the zip to hand in. It refuses nothing."""

import re
import tomllib
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader import sandbox
from grader.config import manifest
from grader.config.manifest import Manifest
from grader.errors import UsageError
from grader.grading import backends
from grader.handout import submitting
from grader.paths import from_here
from grader.practice.checking import Checking
from grader.practice.standing import Standing
from grader.results.record import Status, SubmissionResult
from grader.text import plain
from grader.training import progress
from lab.errors import KitError
from lab.files import write_atomically

DEFAULT = "submission.zip"
_NOT_IMPORTED = re.compile(r"SyntaxError|IndentationError|TabError|[Ii]mporting .* raised")


def submit(root: Path, console: Console, *, folder: Path, to: Path, seed: int, trust: bool = False) -> int:
    """Writes the zip, whatever the files are; the check before it is for the student to read.

    Raises:
        UsageError: there is no such folder, no task file in it, or the zip cannot be written there.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {plain(folder)}", fix="Name yours with --folder")
    checking: Checking | None = None
    try:
        checking = Checking.of(root, folder=folder, tasks=(), seed=seed, trust=trust)
        console.print(Text(f"Packing {plain(folder.name)}: it is checked first", style="bold"))
        display = progress.Display(console, len(checking.tasks), places=checking.session.workers)
        with sandbox.interruptible(), display:
            feedback = checking.feedback(())
        if feedback.result.problem:
            console.print(Text(f"Not checked: {feedback.result.problem}", style="yellow"))
        else:
            for line in _broken(feedback.result):
                console.print(Text(line, style="bold yellow"))
            console.print(feedback.first())
            whole = Standing.read(checking.memory).with_(
                Standing.of(feedback.result, checking.manifest, folder)
            )
            whole.write(checking.memory)
            left = whole.open(checking.manifest, folder)
            console.print(Text(f"{left.in_words()}.", style="bold"))
    except KitError as error:  # no sandbox for it, for example: it can be handed in all the same
        if checking is None and not (root / "assignment" / "tasks.toml").is_file():
            raise
        console.print(Text(f"Not checked: {error}", style="yellow"))
    everything = manifest.load(root / "assignment" / "tasks.toml")
    files = gathered(folder, everything)
    missing = [task.module for task in everything.tasks if task.module not in files]
    if missing:
        console.print(Text(f"Missing: {', '.join(missing)}. You can hand in without them.", style="yellow"))
    if not files:
        raise UsageError(
            f"there is no task file in {plain(folder)}",
            fix=f"The files are: {', '.join(task.module for task in everything.tasks)}",
        )
    if others := sorted(path.name for path in folder.glob("*.py") if path.name not in files):
        console.print(
            Text(f"Left out, since no task file imports it: {plain(', '.join(others), 200)}", style="yellow")
        )
    target = to / DEFAULT if to.is_dir() else to
    replaced = target.is_file()
    content = submitting.pack(files, kit=_version(root))
    try:
        write_atomically(target, content)
    except OSError as error:
        raise UsageError(
            f"{plain(target)} cannot be written: {error.strerror}", fix="Choose another place with --to"
        ) from error
    console.print()
    instead = ", in place of the one that was there" if replaced else ""
    console.print(Text(f"Written: {from_here(target)}{instead}", style="bold"))
    console.print(Text(f"{len(content):,} bytes, {len(files)} files: {', '.join(sorted(files))}"))
    console.print(Text(f"Digest: {submitting.digest(files)}"))
    console.print(Text("Hand in this file. The same files give the same digest.", style="bright_black"))
    return 0


def _broken(result: SubmissionResult) -> list[str]:
    """A line for each file of which nothing can be called."""
    return [
        f"{check.message.removesuffix('.')}: nothing in this file can be marked."
        for task in result.tasks
        for check in [next((one for one in task.checks if one.status is Status.FAILED), None)]
        if check and _NOT_IMPORTED.search(check.message)
    ]


def gathered(folder: Path, everything: Manifest) -> dict[str, bytes]:
    """The task files of a folder and the student's own files that they import, by name; no links."""
    files: dict[str, bytes] = {}
    for task in everything.tasks:
        path = folder / task.module
        if path.is_symlink() or not path.is_file():
            continue
        try:
            files[task.module] = path.read_bytes()
            files |= {
                name: content
                for name, content in backends.reached(task.module, folder).items()
                if not (folder / name).is_symlink()
            }
        except OSError as error:
            raise UsageError(f"{plain(path)} cannot be read: {error.strerror}") from error
    return files


def _version(root: Path) -> str:
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
