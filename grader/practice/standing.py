"""How far a student is: what each function came to, what is different since the last check, what is open.

standing = Standing.of(manifest, result, folder)      # what was checked now
changes = standing.since(Standing.read(memory))       # "split_indices: fixed since last time"
whole = Standing.read(memory).with_(standing)         # all tasks, as far as they were ever checked
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.config.manifest import Check, Manifest, Task
from grader.grading import untouched
from grader.practice.memory import Memory
from grader.results.record import WHOLE, Status, SubmissionResult, TaskResult

_NAME = "checks"
_STATUSES = {status.value for status in Status}


@dataclass(frozen=True)
class Checked:
    """What one task came to.

    Attributes:
        digest: of its file when it was checked; empty if there was none.
        statuses: by check.
        broken: whether all of them failed for one cause, such as a file that is not Python.
    """

    digest: str
    statuses: Mapping[str, Status]
    broken: bool = False


@dataclass(frozen=True)
class Open:
    """What is still to be done in all tasks.

    Attributes:
        write: functions that are untouched.
        fix: checks that fail.
        wait: checks that wait for others.
        unknown: files that were changed since they were checked, or never were.
    """

    write: int
    fix: int
    wait: int
    unknown: tuple[str, ...]

    def in_words(self) -> str:
        """A sentence without its full stop."""
        parts = [
            _counted(self.write, "function to write", "functions to write"),
            _counted(self.fix, "check to fix", "checks to fix"),
            _counted(self.wait, "check that waits for those", "checks that wait for those"),
        ]
        found = ", ".join(filter(None, parts)) or (
            "nothing in the checked files" if self.unknown else "nothing"
        )
        unknown = f"; changed since the last check: {', '.join(self.unknown)}" if self.unknown else ""
        return f"Open in all tasks: {found}{unknown}"

    @property
    def nothing(self) -> bool:
        """Whether all that can be checked without training passes."""
        return not (self.write or self.fix or self.wait or self.unknown)


@dataclass(frozen=True)
class Standing:
    """What tasks came to, by their ids."""

    tasks: Mapping[str, Checked] = field(default_factory=dict)

    @classmethod
    def of(cls, result: SubmissionResult, manifest: Manifest, folder: Path) -> "Standing":
        """What was checked just now."""
        return cls(
            {
                task.task: Checked(
                    digest(folder / manifest.task(task.task).module),
                    {check.check: check.status for check in task.checks if check.check != WHOLE},
                    is_broken(task),
                )
                for task in result.tasks
            }
        )

    @classmethod
    def read(cls, memory: Memory) -> "Standing":
        """What is remembered; whatever is not as it was written is left out."""
        found: dict[str, Checked] = {}
        for task, one in memory.read(_NAME).items():
            if isinstance(one, dict) and isinstance(one.get("checks"), dict):
                statuses = {
                    str(check): Status(status)
                    for check, status in one["checks"].items()
                    if isinstance(status, str) and status in _STATUSES
                }
                found[task] = Checked(str(one.get("file", "")), statuses, one.get("broken") is True)
        return cls(found)

    def write(self, memory: Memory) -> None:
        """Remembers it."""
        memory.write(
            _NAME,
            {
                task: {
                    "file": one.digest,
                    "broken": one.broken,
                    "checks": {c: s.value for c, s in one.statuses.items()},
                }
                for task, one in self.tasks.items()
            },
        )

    def with_(self, later: "Standing") -> "Standing":
        """This, with what was checked later in the place of what it had of the same tasks."""
        return Standing({**self.tasks, **later.tasks})

    def since(self, before: "Standing", manifest: Manifest) -> list[str]:
        """What is different from an earlier check of the same tasks, a phrase each; better news first."""
        fixed: list[str] = []
        written: list[str] = []
        worse: list[str] = []
        more = 0
        for task_id, now in self.tasks.items():
            earlier = before.tasks.get(task_id)
            if earlier is None:
                continue
            task = manifest.task(task_id)
            if now.broken:
                worse += (
                    [] if earlier.broken else [f"{task.module}: none of its functions can be called any more"]
                )
                continue
            more += _passed(now.statuses.values()) - _passed(earlier.statuses.values())
            for function in task.functions:
                was, is_ = (_own(one, task, function) for one in (earlier, now))
                lost = sum(s is Status.FAILED and was.get(c) is Status.PASSED for c, s in is_.items())
                if lost:
                    worse.append(f"{function}: {lost} of its checks passed last time and {_fail(lost)} now")
                elif Status.FAILED in was.values() and _all(is_.values(), Status.PASSED):
                    fixed.append(function)
                elif _all(was.values(), Status.NOT_ATTEMPTED) and not _all(
                    is_.values(), Status.NOT_ATTEMPTED
                ):
                    written.append(function)
        said = [
            f"{', '.join(names)}: {what} since last time"
            for names, what in ((fixed, "fixed"), (written, "written"))
            if names
        ]
        if more > 0:
            said.append(f"{more} more {'check passes' if more == 1 else 'checks pass'}")
        return [*said, *worse]

    def open(self, manifest: Manifest, folder: Path) -> Open:
        """What is open in all tasks. What was never checked counts if it is the stub; else it is unknown."""
        write = fix = wait = 0
        unknown = []
        for task in manifest.tasks:
            one = self.tasks.get(task.id)
            if one is None or one.digest != digest(folder / task.module):
                path = folder / task.module
                stub = untouched.ASSIGNMENT / task.module
                if not path.is_file() or untouched.is_untouched(path, stub, task.functions):
                    write += len(task.functions)
                else:
                    unknown.append(task.module)
                continue
            fix += 1 if one.broken else sum(status is Status.FAILED for status in one.statuses.values())
            wait += sum(status is Status.BLOCKED for status in one.statuses.values())
            write += sum(_is_unwritten(one, task, function) for function in task.functions)
        return Open(write, fix, wait, tuple(unknown))


def digest(path: Path) -> str:
    """SHA-256 of a file; empty if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def is_broken(task: TaskResult) -> bool:
    """Whether all checks of a task failed with the same words: one cause, which is fixed in one place."""
    own = {(check.status, check.message) for check in task.checks if check.check != WHOLE}
    return len(own) == 1 and len(task.checks) > 2 and task.checks[0].status is Status.FAILED


def checks_of(task: Task, function: str) -> list[Check]:
    """The checks that are about a function: those without training that name it alone, or else name it."""
    about = [check for check in task.checks if not check.train and function in check.functions]
    return [check for check in about if len(check.functions) == 1] or about


def _own(one: Checked, task: Task, function: str) -> dict[str, Status]:
    return {
        check.id: one.statuses[check.id] for check in checks_of(task, function) if check.id in one.statuses
    }


def _is_unwritten(one: Checked, task: Task, function: str) -> bool:
    """Whether a function is the stub: all checks that are about it say so."""
    return _all(_own(one, task, function).values(), Status.NOT_ATTEMPTED)


def _passed(statuses: Iterable[Status]) -> int:
    return sum(status is Status.PASSED for status in statuses)


def _all(statuses: Iterable[Status], wanted: Status) -> bool:
    found = set(statuses)
    return found == {wanted}


def _fail(count: int) -> str:
    return "fails" if count == 1 else "fail"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}" if count else ""
