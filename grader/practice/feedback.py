"""What `nox -s check` shows: what to do now, then task by task and function by function.

Every sign has its word beside it, and nothing depends on a colour: what is shown reads the same without
colours, to a screen reader, and on 60 columns.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from grader.config.manifest import Manifest, Task
from grader.exporters import drawing
from grader.exporters.terminal import number
from grader.grading.evidence import Evidence
from grader.practice.standing import checks_of
from grader.results import hints
from grader.results.record import WHOLE, CheckResult, Status, SubmissionResult, TaskResult
from grader.text import plain

WORDS = {  # a sign, its word, a colour
    Status.PASSED: ("✔", "passed", "green"),
    Status.FAILED: ("✘", "failed", "red"),
    Status.NOT_ATTEMPTED: ("○", "to write", "yellow"),
    Status.BLOCKED: ("⊘", "waits", "bright_black"),
    Status.FAULT: ("!", "not checked", "magenta"),
}
MOST_LINES = 8  # of what one function printed
_PLACE = re.compile(r"\(([A-Za-z0-9_./ -]{1,80}\.py), line (\d{1,7})\)")
_MOST_SOURCE = 1024 * 1024  # bytes of a file of which a line is shown
_IN_ORDER = (Status.FAILED, Status.NOT_ATTEMPTED, Status.BLOCKED)  # in which things are done


@dataclass(frozen=True)
class Printed:
    """What a function printed.

    Attributes:
        lines: the beginning of what its first call printed that printed anything.
        more: whether that call printed more than this.
        calls: how many calls of it printed something.
    """

    lines: tuple[str, ...]
    more: bool
    calls: int


@dataclass(frozen=True)
class Next:
    """What to do now.

    Attributes:
        task: its id.
        function: which function; empty where it is the file as a whole.
        check: which check says so; None where nothing is left to do.
        what: a sentence without its full stop.
    """

    task: str = ""
    function: str = ""
    check: CheckResult | None = None
    what: str = ""


@dataclass(frozen=True)
class Feedback:
    """All that is shown of one check of a folder.

    Attributes:
        result: of the tasks that were checked.
        manifest: all tasks.
        texts: the student's files as they were checked, by name.
        printed: by task, then by function; "" stands for what the import printed.
        only: functions to which the view is limited; empty for all.
        pictures: by task and check, where a picture was written.
        folder: the student's files, which may have been saved since.
    """

    result: SubmissionResult
    manifest: Manifest
    texts: Mapping[str, bytes]
    printed: Mapping[str, Mapping[str, Printed]] = field(default_factory=dict)
    only: Collection[str] = ()
    pictures: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    folder: Path | None = None

    def next(self) -> Next:
        """The first check that fails, that is not attempted yet, or that waits for more."""
        in_order = [
            (task.task, check)
            for task in self.result.tasks
            for check in task.checks
            if check.check != WHOLE and self._is_shown(task.task, check)
        ]
        for wanted in _IN_ORDER:
            for task_id, check in in_order:
                if check.status is wanted:
                    return self._advice(self.manifest.task(task_id), check)
        return Next()

    def first(self) -> RenderableType:
        """What to do now, with all that helps."""
        one = self.next()
        if one.check is None:
            checked = ", ".join(
                self.only or (self.manifest.task(one.task).title for one in self.result.tasks)
            )
            return Text(f"Next: nothing more in {checked}: every check passes.", style="bold green")
        parts: list[RenderableType] = [Text(f"Next: {one.what}.", style="bold")]
        if one.check.status is Status.FAILED:
            parts.append(Padding(_failed(one.check, whole=not one.function), (0, 0, 0, 2)))
            parts += [Padding(line, (0, 0, 0, 2)) for line in self._source(one)]
            parts += self._drawn(one.task, one.check)
        if one.function:
            parts.append(
                Text(f"  For help in steps: nox -s hint -- {one.task} {one.function}", style="bright_black")
            )
        return Group(*parts)

    def rest(self) -> RenderableType:
        """Every task that was checked, function by function; what stands under "Next" is not said twice."""
        first = self.next().check
        parts: list[RenderableType] = [Text(note, style="bright_black") for note in self.result.notes]
        if self.result.problem:
            parts.append(Text(f"Not checked: {self.result.problem}", style="magenta"))
        for task in self.result.tasks:
            parts += ["", *self._task(task, self.manifest.task(task.task), first)]
        return Group(*parts)

    def _task(self, result: TaskResult, task: Task, first: CheckResult | None) -> list[RenderableType]:
        points = f"{number(result.points)} / {number(result.max_points)}" if result.decided else "not checked"
        parts: list[RenderableType] = [
            Text.assemble((f"{task.title}  {points}", "bold"), (f"  {task.module}", "bright_black"))
        ]
        if together := _together(result):
            parts.append(Padding(Text(together, style="yellow"), (0, 0, 0, 2)))
        printed = self.printed.get(task.id, {})
        parts += _shown(printed.get("", None), "Importing the file printed")
        if cause := _one_cause(result):
            one = cause.model_copy(update={"title": "the whole file"})
            parts.append(Padding(_line(one, cause is first), (0, 0, 0, 2)))
            return parts
        known = {check.check: check for check in result.checks}
        left = [check for check in result.checks if check.check != WHOLE]
        said = {first.message} if first is not None else set()
        for function in task.functions:
            own = [known[one.id] for one in checks_of(task, function) if one.id in known]
            left = [check for check in left if check not in own]
            if own and (not self.only or function in self.only):
                parts += self._function(task.id, function, own, first, said)
                parts += _shown(printed.get(function), "It printed")
        for check in left if not self.only else ():
            if check.status is Status.NOT_ATTEMPTED:
                parts.append(
                    Text(f"  ○ waits for a function that is not written yet: {check.title}", style="yellow")
                )
                continue
            parts.append(Padding(_line(check, check is first, said), (0, 0, 0, 2)))
        return parts

    def _function(
        self, task: str, name: str, own: Sequence[CheckResult], first: CheckResult | None, said: set[str]
    ) -> list[RenderableType]:
        passed = sum(check.status is Status.PASSED for check in own)
        status = next(
            (s for s in (*_IN_ORDER, Status.FAULT) if any(c.status is s for c in own)), Status.PASSED
        )
        sign, word, colour = WORDS[status]
        counted = f"  {passed} of {len(own)} checks pass" if status is not Status.NOT_ATTEMPTED else ""
        parts: list[RenderableType] = [Text(f"  {sign} {word}: {name}{counted}", style=colour)]
        for check in own:
            if check.status in (Status.PASSED, Status.NOT_ATTEMPTED):
                continue
            parts.append(Padding(_line(check, check is first, said), (0, 0, 0, 6)))
            if check is not first:
                parts += self._drawn(task, check, indent=8)
        return parts

    def _drawn(self, task: str, check: CheckResult, indent: int = 4) -> list[RenderableType]:
        if check.drawing is None or check.status is not Status.FAILED:
            return []
        parts: list[RenderableType] = [Padding(drawing.table(check.drawing), (0, 0, 0, indent))]
        if picture := self.pictures.get((task, check.check)):
            parts.append(Padding(Text(f"As a picture: {picture}", style="bright_black"), (0, 0, 0, indent)))
        return parts

    def _is_shown(self, task: str, check: CheckResult) -> bool:
        if not self.only:
            return True
        functions = next((c.functions for c in self.manifest.task(task).checks if c.id == check.check), ())
        return any(name in self.only for name in functions)

    def _advice(self, task: Task, check: CheckResult) -> Next:
        functions = next(c for c in task.checks if c.id == check.check).functions
        result = next(one for one in self.result.tasks if one.task == task.id)
        if _one_cause(result) and check.status is Status.FAILED:
            what = "correct the syntax of" if _is_syntax(check.message) else "fix"
            return Next(task.id, "", check, f"{what} {task.module}: none of its functions can be called")
        wanted = [name for name in functions if not self.only or name in self.only]
        if check.status is Status.NOT_ATTEMPTED:
            known = {one.check: one.status for one in result.checks}
            wanted = [
                name
                for name in wanted
                if all(known.get(c.id) is Status.NOT_ATTEMPTED for c in checks_of(task, name))
            ] or wanted
            return Next(task.id, wanted[0], check, f"write {wanted[0]} in {task.module}")
        title = f"{check.title[0].lower()}{check.title[1:]}"
        if len(functions) > 1:
            return Next(task.id, wanted[0], check, f"fix {task.module}: {title}")
        return Next(task.id, wanted[0], check, f"fix {wanted[0]} in {task.module}: {title}")

    def _source(self, one: Next) -> list[Text]:
        """The line of the student's own file that a message names."""
        found = _PLACE.search(one.check.message) if one.check else None
        if found is None or found[1] not in self.texts:
            return []
        lines = self.texts[found[1]].decode("utf-8", "replace").splitlines()
        at = int(found[2])
        shown = [Text(f"{at} | {plain(lines[at - 1], 160)}", style="bold")] if 0 < at <= len(lines) else []
        if self.folder and read(self.folder, [found[1]]).get(found[1]) != self.texts[found[1]]:
            shown.append(
                Text(f"{found[1]} was saved since: this is about what it was before.", style="yellow")
            )
        return shown


def read(folder: Path, names: Collection[str] = ()) -> dict[str, bytes]:
    """The beginnings of a student's files at the top of a folder, by name; those alone if some are named."""
    found = {}
    for path in sorted(folder.glob("*.py")):
        if not names or path.name in names:
            with suppress(OSError), path.open("rb") as file:
                found[path.name] = file.read(_MOST_SOURCE)
    return found


def printed_by(task: Task, evidence: Evidence) -> dict[str, Printed]:
    """What the functions of a task printed, by name; under "" what the import printed."""
    found: dict[str, Printed] = {}
    for call in evidence.calls.values():
        if not call.printed or call.function not in task.functions:
            continue
        known = found.get(call.function)
        found[call.function] = (
            Printed(call.printed, bool(call.unprinted), 1)
            if known is None
            else Printed(known.lines, known.more, known.calls + 1)
        )
    if evidence.printed:
        found[""] = Printed(evidence.printed, False, 1)
    return found


def _shown(printed: Printed | None, what: str) -> list[RenderableType]:
    if printed is None:
        return []
    lines = [line.rstrip() for line in printed.lines]
    cut = len(lines) - MOST_LINES
    often = f", the first of {printed.calls} calls that print" if printed.calls > 1 else ""
    parts: list[RenderableType] = [Padding(Text(f"{what}{often}:", style="bright_black"), (0, 0, 0, 6))]
    parts += [Padding(Text(f"| {line}", style="cyan"), (0, 0, 0, 6)) for line in lines[:MOST_LINES]]
    if cut > 0 or printed.more:
        rest = f"{cut} more lines" if cut > 0 and not printed.more else "more"
        parts.append(Padding(Text(f"| ... and {rest}", style="bright_black"), (0, 0, 0, 6)))
    return parts


def _line(check: CheckResult, is_first: bool, said: set[str] | None = None) -> RenderableType:
    """A check that does not pass, unless it stands under "Next" already."""
    sign, word, colour = WORDS[check.status]
    title = Text(f"{sign} {word}: {check.title}", style=colour)
    if check.status is not Status.FAILED:
        if check.status is Status.PASSED or not check.message or (said is not None and check.message in said):
            return title
        if said is not None:
            said.add(check.message)
        return Group(title, Padding(Text(check.message, style="bright_black"), (0, 0, 0, 2)))
    if is_first or (said is not None and check.message in said):
        return Text.assemble(title, ("  (see above)", "bright_black"))
    if said is not None:
        said.add(check.message)
    return Group(title, Padding(_failed(check), (0, 0, 0, 2)))


def _together(result: TaskResult) -> str:
    """What several causes cost together where that is less than their sum; empty otherwise."""
    costs = [check.deduction for check in result.checks if check.check != WHOLE and check.deduction]
    said = next((check.message for check in result.checks if check.check == WHOLE), "")
    last = said.rpartition("\n")[2].strip()
    return last if len(costs) > 1 and last.startswith("Together:") else ""


def _failed(check: CheckResult, *, whole: bool = False) -> RenderableType:
    """What a failed check says: what came of it, what it costs, the hint."""
    parts: list[RenderableType] = [Text(check.message)] if check.message else []
    if check.deduction and not whole:
        points = "1 point" if check.deduction == 1 else f"{number(check.deduction)} points"
        parts.append(Text(f"Costs {points}: {check.consequence}.", style="yellow"))
    if hint := hints.to_show(check):
        parts.append(Text(f"Hint: {hint}", style="cyan"))
    return Group(*parts)


def _one_cause(result: TaskResult) -> CheckResult | None:
    """The first check, where all of a task ended alike and not by passing, as after an import that failed."""
    own: Iterable[CheckResult] = [check for check in result.checks if check.check != WHOLE]
    alike = {(check.status, check.message) for check in own}
    first = result.checks[0]
    untouched = first.status is Status.NOT_ATTEMPTED
    return first if len(alike) == 1 and first.status is not Status.PASSED and not untouched else None


def _is_syntax(message: str) -> bool:
    return any(f"{name}:" in message for name in ("SyntaxError", "IndentationError", "TabError"))
