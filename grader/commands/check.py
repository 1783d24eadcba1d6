"""`nox -s check`: a student's own files against the same probes and judges as the grader's, in seconds.

What is not this checkout's own runs in a sandbox, as `grade` has it. What to do now comes first; the last
line counts what is open in all tasks, whichever were checked.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from grader import sandbox
from grader.practice.checking import Checking
from grader.practice.showing import show
from grader.practice.standing import Standing
from grader.practice.watching import watch
from grader.training import progress


def check(
    root: Path,
    console: Console,
    *,
    folder: Path,
    tasks: Sequence[str],
    functions: Sequence[str] = (),
    seed: int,
    trust: bool = False,
    watching: bool = False,
) -> int:
    """Probes and judges a folder without training; shows what is next, then what passes.

    Args:
        root: the checkout.
        console: where it is shown.
        folder: the student's files.
        tasks: ids of the tasks to check; none for all.
        functions: of these tasks, to which the view is limited; none for all.
        seed: of the inputs.
        trust: that this code needs no sandbox.
        watching: whether to check again what is saved, until Ctrl-C.

    Raises:
        UsageError: there is no such folder, or no sandbox for it and `trust` does not say that it needs none.
    """
    checking = Checking.of(root, folder=folder, tasks=tasks, seed=seed, trust=trust)
    console.print(checking.heading())
    if watching:
        return watch(console, checking, functions)
    display = progress.Display(console, len(checking.tasks), places=checking.session.workers)
    with sandbox.interruptible(), display:
        feedback = checking.feedback(functions, display)
    show(console, feedback, checking, Standing.read(checking.memory))
    return 0 if feedback.result.graded and not feedback.result.problem else 1
