"""`nox -s hint`: help with one function, from a nudge to nearly the answer, one step more each time."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from grader import sandbox
from grader.errors import UsageError
from grader.practice import ladders
from grader.practice.checking import Checking
from grader.practice.feedback import Feedback
from grader.practice.standing import Standing, checks_of
from grader.results import hints
from grader.results.record import CheckResult, Status


def hint(
    root: Path,
    console: Console,
    *,
    folder: Path,
    tasks: Sequence[str],
    functions: Sequence[str] = (),
    seed: int,
    trust: bool = False,
    again: bool = False,
) -> int:
    """Checks a task, and shows the next step of help for what is next in it.

    Args:
        root: the checkout.
        console: where it is shown.
        folder: the student's files.
        tasks: of which one is helped with; none for what is next in all of them.
        functions: the one to help with; none for what is next.
        seed: of the inputs.
        trust: that this code needs no sandbox.
        again: whether to begin with the first step.

    Raises:
        UsageError: more than one function is named, or as of `check`.
    """
    if len(functions) > 1 or (functions and len(tasks) > 1):
        raise UsageError(
            "hint takes one function at a time", fix="Name one function, for example: resnet build_resnet"
        )
    checking = Checking.of(root, folder=folder, tasks=tasks, seed=seed, trust=trust)
    steps = ladders.load(root / "assignment" / ladders.FILE, checking.manifest)
    with sandbox.interruptible():
        feedback = checking.feedback(functions)
    if feedback.result.problem:
        console.print(Text(f"Not checked: {feedback.result.problem}", style="magenta"))
        return 1
    now = Standing.of(feedback.result, checking.manifest, checking.folder)
    Standing.read(checking.memory).with_(now).write(checking.memory)
    todo = feedback.next()
    if todo.check is None or (functions and _passes(feedback, functions[0])):
        about = functions[0] if functions else "the checked files"
        console.print(Text(f"No hint is needed for {about}: its checks pass.", style="green"))
        return 0
    if not todo.function:  # the file as a whole
        console.print(feedback.first())
        return 0
    function = functions[0] if functions else todo.function
    parts = _parts(feedback, todo.task, function, steps[function].steps)
    sizes = [(key, len(said)) for key, said in parts]
    part, place = ladders.Progress(checking.memory).next(sizes, again=again)
    ladder = [step for _, said in parts for step in said]
    place += sum(count for _, count in sizes[:part])
    heading = f"{function}, step {place + 1} of {len(ladder)}"
    console.print(Text.assemble((heading, "bold"), f"  ({todo.task})"))
    console.print(Padding(ladder[place], (1, 0, 1, 2)))
    if place + 1 < len(ladder):
        console.print(Text("The same command shows the next step.", style="bright_black"))
    else:
        console.print(Text("This is the last step. --again begins with the first.", style="bright_black"))
    return 0


def _parts(
    feedback: Feedback, task: str, function: str, steps: Sequence[str]
) -> list[tuple[str, list[Text]]]:
    """What the first failing check says, if one fails; then the course's steps; and what each is kept by."""
    course = (function, [Text(" ".join(step.split())) for step in steps])
    failing = _failing(feedback, function)
    if failing is None:
        return [course]
    said = [Text(f"This check fails: {failing.title}.\n{failing.message}")]
    if own := hints.to_show(failing):
        said.append(Text(own))
    return [(f"{task}: {failing.check}", said), course]


def _failing(feedback: Feedback, function: str) -> CheckResult | None:
    own = _own(feedback, function)
    return next((check for check in own if check.status is Status.FAILED), None)


def _passes(feedback: Feedback, function: str) -> bool:
    return all(check.status is Status.PASSED for check in _own(feedback, function))


def _own(feedback: Feedback, function: str) -> list[CheckResult]:
    task = next(task for task in feedback.manifest.tasks if function in task.functions)
    wanted = {check.id for check in checks_of(task, function)}
    result = next(one for one in feedback.result.tasks if one.task == task.id)
    return [check for check in result.checks if check.check in wanted]
