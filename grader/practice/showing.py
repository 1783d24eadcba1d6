"""Shows what came of a check, first what to do now; the last line counts what is open in all tasks."""

from rich.console import Console
from rich.text import Text

from grader.exporters import terminal
from grader.practice.checking import Checking
from grader.practice.feedback import Feedback
from grader.practice.standing import Standing


def show(console: Console, feedback: Feedback, checking: Checking, before: Standing) -> None:
    """Shows what came of a check, and remembers it.

    Args:
        console: where.
        feedback: what came of it.
        checking: what was checked.
        before: what was remembered when it began.
    """
    result, everything = feedback.result, checking.manifest
    now = Standing.of(result, everything, checking.folder)
    console.print()
    console.print(feedback.first())
    if changes := now.since(before, everything):
        console.print(Text(f"\n{'; '.join(changes)}.", style="bold"))
    console.print(feedback.rest())
    whole = before.with_(now) if not result.problem else before
    whole.write(checking.memory)
    points = f"{terminal.number(result.points)} of the {terminal.number(result.max_points)} points"
    console.print(Text(f"\n{points} without training", style="bold"))
    left = whole.open(everything, checking.folder)
    if left.nothing:
        trained = sum(c.points for task in everything.tasks for c in task.checks if c.train)
        rest = f"The other {terminal.number(trained)} points are for what your networks learn"
        done = f"Open in all tasks: nothing. All checks pass. {rest}: nox -s grade -- assignment"
        console.print(Text(done, style="green"))
    else:
        console.print(Text(f"{left.in_words()}.", style="bold"))
