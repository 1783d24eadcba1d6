"""Checks a student's repository where it was pushed, and writes what came of it as Markdown for the job.

    python -m grader.packaging.preview --summary "$GITHUB_STEP_SUMMARY" assignment

A preview: the workflow is the student's to change. Nothing is trained, and neither images nor hidden labels
are needed. Exit code: 0 all public checks hold, 1 one does not, 2 nothing could be checked.
"""

import argparse
import html
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from grader import sandbox
from grader.exporters.terminal import number
from grader.grading import run
from grader.grading.plan import Plan
from grader.intake import Source
from grader.results import hints
from grader.results.record import WHOLE, CheckResult, Status, SubmissionResult
from grader.session import Session
from grader.text import plain
from grader.training.progress import Display
from lab.errors import KitError

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 900_000  # GitHub takes a mebibyte for one step
_SIGNS = {Status.PASSED: "✅", Status.FAILED: "❌", Status.NOT_ATTEMPTED: "⬜", Status.BLOCKED: "⏸️"}


def summary(result: SubmissionResult) -> str:
    """A result as Markdown; what came from the submission is shown as it is, and is no markup."""
    if not result.has_mark:
        return f"# Check\n\nNothing could be checked. {_safe(result.problem or _fault(result))}\n"
    lines = ["# Check", "", "This is a preview. The mark comes from your course's own run.", ""]
    for task in result.tasks:
        checks = [check for check in task.checks if check.check != WHOLE]
        holds = sum(check.status is Status.PASSED for check in checks)
        lines += [f"## {_safe(task.title)}: {holds} of {len(checks)}", ""]
        lines += ["| | Check | Points |", "|---|---|---|"]
        lines += [
            f"| {_SIGNS.get(check.status, '❔')} {check.status.value} | {_safe(check.title)} "
            f"| {number(check.points)} of {number(check.max_points)} |"
            for check in checks
        ]
        lines.append("")
        for check in checks:
            lines += _details(check)
    lines += [f"{_safe(note)}\n" for note in result.notes]
    lines.append(f"{number(result.points)} of the {number(result.max_points)} points that need no training.")
    return _cut("\n".join(lines) + "\n")


def _details(check: CheckResult) -> list[str]:
    if check.status not in (Status.FAILED, Status.FAULT) or not check.message:
        return []
    said = check.message
    if hint := hints.to_show(check):
        said += f"\nHint: {hint}"
    return [
        f"<details><summary>{_safe(check.title)}</summary>",
        "",
        f"<pre>{_safe(said)}</pre>",
        "",
        "</details>",
        "",
    ]


def _safe(text: str) -> str:
    """Text that is neither HTML nor Markdown: what could be either is written as a character reference."""
    cleaned = "\n".join(plain(line, 2000) for line in text.splitlines())
    escaped = html.escape(cleaned)
    for character in "\\`*_{}[]()#+-.!|~@:":
        escaped = escaped.replace(character, f"&#{ord(character)};") if character not in "#" else escaped
    return escaped.replace("\n", "&#10;")


def _cut(text: str) -> str:
    if len(text.encode()) <= MOST_BYTES:
        return text
    kept = text.encode()[:MOST_BYTES].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n\nMore was left out.\n"


def _fault(result: SubmissionResult) -> str:
    return next((c.message for t in result.tasks for c in t.checks if c.status is Status.FAULT), "")


def check(root: Path, folder: Path) -> SubmissionResult:
    """Checks a folder without training; in a sandbox where one works, else as the runner's own user."""
    session = Session(root, profile="cpu", own_code=True)
    with (
        sandbox.interruptible(),
        Display(Console(stderr=True, force_terminal=False), len(session.manifest.tasks)) as display,
    ):
        plan = Plan(
            session.manifest,
            session.profile,
            session.engine,
            session.run_without_training(secrets.randbelow(2**31)),
            None,
            session.slots,
            display.probed,
        )
        (result,) = run.grade([Source("assignment", folder)], plan)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="preview")
    parser.add_argument("--summary", type=Path, required=True)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args(arguments)
    try:
        result = check(ROOT, asked.folder)
    except KitError as error:
        text, code = f"# Check\n\nNothing could be checked. {_safe(str(error))}\n", 2
    else:
        text = summary(result)
        statuses = [one.status for task in result.tasks for one in task.checks]
        code = 2 if not result.has_mark else int(any(status is not Status.PASSED for status in statuses))
    with asked.summary.open("a", encoding="utf-8") as file:
        file.write(text)
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
