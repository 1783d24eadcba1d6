"""`nox -s check -- --watch`: whatever is saved is checked again, until Ctrl-C.

What an editor writes beside a file and renames, several files at once, and a file that is gone for a moment
are one save. Of the student's own code a process waits that has imported everything (sandbox/warm.py).
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import watchfiles
from rich.console import Console
from rich.text import Text

from grader import sandbox
from grader.config.manifest import Task
from grader.grading import backends
from grader.practice.checking import Checking
from grader.practice.showing import show
from grader.practice.standing import Standing, digest
from grader.text import plain
from grader.training import progress

# Saves within the first come as one; the second is how long it must have been quiet.
_TOGETHER_MS, _QUIET_MS = 400, 20
_GONE_SECONDS = 0.2  # for which a file may be missing while it is saved


def watch(console: Console, checking: Checking, functions: Sequence[str]) -> int:
    """Checks a folder, then each task whose files are saved; returns 0 after Ctrl-C, its ordinary end.

    Args:
        console: where it is shown.
        checking: the folder and its tasks.
        functions: to which the view is limited; none for all.
    """
    try:
        _watch(console, checking, functions)
    except KeyboardInterrupt:
        console.print(Text("\nNo longer watching."))
    return 0


def _watch(console: Console, checking: Checking, functions: Sequence[str]) -> None:
    with ExitStack() as cleanup:
        cleanup.enter_context(sandbox.interruptible())
        warm = None
        if not checking.engine.isolates:
            warm = cleanup.enter_context(sandbox.WarmEngine(checking.folder))
            checking = replace(checking, engine=warm)
        # Before the first check: what is saved during it is checked after it.
        changes = watchfiles.watch(
            checking.folder,
            watch_filter=lambda _, path: path.endswith(".py"),
            debounce=_TOGETHER_MS,
            step=_QUIET_MS,
            rust_timeout=200,
            yield_on_timeout=True,
        )
        next(changes)
        before = Standing.read(checking.memory)
        display = progress.Display(console, len(checking.tasks), places=checking.session.workers)
        with display:
            feedback = checking.feedback(functions, display)
        show(console, feedback, checking, before)
        known = {task.id: digests(task, checking.folder) for task in checking.tasks}
        _wait(console, warm, checking)
        for _ in changes:
            touched = _touched(checking, known)
            if not touched:
                continue
            began = time.monotonic()
            saved = ", ".join(task.module for task in touched)
            console.rule(Text(f"{time.strftime('%H:%M:%S')} {plain(saved)} saved"), align="left")
            one = replace(checking, tasks=touched)
            before = Standing.read(one.memory)
            show(console, one.feedback(functions), one, before)
            console.print(Text(f"Checked in {time.monotonic() - began:.2f} s.", style="bright_black"))
            _wait(console, warm, one)


def digests(task: Task, folder: Path) -> dict[str, str]:
    """Of a task's file and of those that it comes to, by path; what cannot be read has an empty one."""
    reached: Iterable[str] = [task.module]
    with suppress(OSError):  # it is just being replaced
        reached = [task.module, *backends.reached(task.module, folder)]
    return {path: digest(folder / path) for path in reached}


def _touched(checking: Checking, known: dict[str, dict[str, str]]) -> tuple[Task, ...]:
    """The tasks whose files are other than when they were last looked at; these are remembered."""
    until = time.monotonic() + _GONE_SECONDS
    while True:
        now = {task.id: digests(task, checking.folder) for task in checking.tasks}
        gone = any(
            known[task.id].get(task.module) and not now[task.id][task.module] for task in checking.tasks
        )
        if not gone or time.monotonic() > until:
            break
        time.sleep(0.02)
    touched = tuple(task for task in checking.tasks if now[task.id] != known[task.id])
    known.update(now)
    return touched


def _wait(console: Console, warm: sandbox.WarmEngine | None, checking: Checking) -> None:
    console.print(Text(f"Watching {plain(checking.folder.name)}/. Ctrl-C ends it.", style="bright_black"))
    if warm is not None:
        warm.warm()
