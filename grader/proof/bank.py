"""The bank: submissions whose marks are known beforehand. `nox -s prove` grades all of them.

    bank/<task>/mutants.toml      wrong ones, as small edits of the solution
    bank/<task>/right/<name>.py   right ones, that look different from it
    bank/<task>/right/<name>/     one that has other files beside the task's
    bank/<task>/right.toml        those that differ from the solution in one place, as edits of it
    bank/<task>/unseen.toml       mistakes on which the agreement of marks with raters is measured, and
                                  nothing else: of them nothing is expected

Edits follow the solution as it changes: one that no longer applies is an error, and so is a mutant that names
a check which is not there.
"""

import ast
import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from grader.config.manifest import Check, Manifest, Task
from grader.errors import ManifestError
from lab.strict import Strict, explained


class Change(Strict):
    """The solution with something else in it.

    Attributes:
        name: what is different, in a few words; unique within its task.
        edits: [old, new], one after the other; each old text is in the solution exactly once.
        code: functions of the task, or helpers, as they are instead.
    """

    name: str = Field(min_length=3, max_length=80)
    edits: tuple[tuple[str, str], ...] = ()
    code: str = ""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.edits and not self.code.strip():
            raise ValueError("it has neither edits nor code")
        return self


class Mutant(Change):
    """A solution with one mistake in it, that students make.

    Attributes:
        check: the first check that must fail, which is the one that explains the mistake.
        says: what its message must have in it.
        hint: what its hint must have in it: the words that say how this mistake is fixed.
        also: checks that fail with it: what else the same mistake does.
    """

    check: str
    says: str = Field(min_length=3)
    hint: str = Field(min_length=3)
    also: tuple[str, ...] = ()


class Unseen(Change):
    """A solution with one mistake in it, written by somebody who knew neither points nor grader.

    Nothing is expected of the grader but a mark, which is compared with what raters say.
    """


class _Mutants(Strict):
    mutants: tuple[Mutant, ...] = Field(min_length=1)


class _Right(Strict):
    right: tuple[Change, ...] = Field(min_length=1)


class _AllUnseen(Strict):
    unseen: tuple[Unseen, ...] = Field(min_length=1)


_Listed = TypeVar("_Listed", _Mutants, _Right, _AllUnseen)


@dataclass(frozen=True)
class Entry:
    """One submission of the bank.

    Attributes:
        task: the only one it answers.
        name: what is different about it.
        source: the task's module, a folder with it and others, or what is changed in the solution.
    """

    task: Task
    name: str
    source: Path | Change

    @property
    def mutant(self) -> Mutant | None:
        """What must come of it; None where all marks must, or where nothing is expected."""
        return self.source if isinstance(self.source, Mutant) else None

    @property
    def unseen(self) -> Unseen | None:
        """The mistake of which nothing is expected but a mark; None of all others."""
        return self.source if isinstance(self.source, Unseen) else None

    @property
    def folder(self) -> str:
        """What the submission is called: words that a path may be made of."""
        kind = "mutant" if self.mutant else "unseen" if self.unseen else "right"
        return f"{kind}-{self.task.id}-{re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-')}"


def mutants(root: Path, task: Task) -> tuple[Mutant, ...]:
    """The mutants of a task; none if it has no file of them.

    Raises:
        ManifestError: the file cannot be read, or names what the manifest does not know.
    """
    path = root / "bank" / task.id / "mutants.toml"
    listed = _read(path, _Mutants)
    found = listed.mutants if listed else ()
    known = {check.id for check in task.checks}
    for mutant in found:
        for check in (mutant.check, *mutant.also):
            if check not in known:
                raise ManifestError(f"{path}: {mutant.name!r} names the check {check!r}, which is not there")
    _refuse_twins(path, [mutant.name for mutant in found])
    return found


def unseen(root: Path, task: Task) -> tuple[Unseen, ...]:
    """The unseen mistakes of a task; none if it has no file of them.

    Raises:
        ManifestError: the file cannot be read, or two have one name.
    """
    path = root / "bank" / task.id / "unseen.toml"
    listed = _read(path, _AllUnseen)
    found = listed.unseen if listed else ()
    _refuse_twins(path, [mistake.name for mistake in found])
    return found


def _read(path: Path, kind: type[_Listed]) -> _Listed | None:
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}") from error


def _refuse_twins(path: Path, names: Sequence[str]) -> None:
    if twins := [name for name in names if names.count(name) > 1]:
        raise ManifestError(f"{path}: {twins[0]!r} is there twice")


def changed(solution: str, change: Change) -> str:
    """The solution's text with a change in it.

    Raises:
        ManifestError: an edit does not apply any more, or its code replaces a function that is not there.
    """
    source = solution
    for old, new in change.edits:
        times = source.count(old)
        if times != 1:
            there = "is not in" if not times else f"is {times} times in"
            raise ManifestError(
                f"{change.name!r} does not apply: {old!r} {there} the solution",
                fix="The old text has to be in the solution exactly once: bring it to what that says now",
            )
        source = source.replace(old, new)
    if change.code:
        source = _with_functions(source, change)
    return source


def _with_functions(source: str, change: Change) -> str:
    """The source with the change's functions in place of its own; helpers that it has not come last."""
    lines, helpers, replaced = source.splitlines(), [], 0
    for node in ast.parse(change.code).body:
        text = (ast.get_source_segment(change.code, node) or "").splitlines()
        there = [
            own
            for own in ast.parse("\n".join(lines)).body
            if isinstance(own, ast.FunctionDef)
            and isinstance(node, ast.FunctionDef)
            and own.name == node.name
        ]
        if there:
            lines[there[-1].lineno - 1 : there[-1].end_lineno] = text
            replaced += 1
        else:
            helpers += ["", "", *text]
    if not replaced:
        raise ManifestError(f"{change.name!r} does not apply: none of its functions is in the solution")
    return "\n".join([*lines, *helpers]) + "\n"


def right(root: Path, task: Task) -> dict[str, Path | Change]:
    """The right submissions of a task beside its solution, by their names and in the order of these.

    Raises:
        ManifestError: one lacks the task's module or a docstring that says what is different; the file of
            edits cannot be read; two have one name.
    """
    folder = root / "bank" / task.id / "right"
    edits = folder.with_suffix(".toml")
    listed = _read(edits, _Right)
    found: list[tuple[str, Path | Change]] = [
        (change.name, change) for change in (listed.right if listed else ())
    ]
    for path in folder.glob("*"):
        if path.name.startswith((".", "__")):
            continue
        module = path / task.module if path.is_dir() else path
        if module.suffix != ".py" or not module.is_file():
            raise ManifestError(f"{path} is no {task.module} and holds none")
        if not ast.get_docstring(ast.parse(module.read_text(encoding="utf-8-sig"))):
            raise ManifestError(f"{module} does not say in its docstring what is different about it")
        found.append((path.stem, path))
    _refuse_twins(edits, [name for name, _ in found])
    return dict(sorted(found, key=itemgetter(0)))


def entries(root: Path, tasks: Manifest, *, with_unseen: bool = False) -> list[Entry]:
    """All of the bank: for each task its solution, the other right ones and the mutants.

    With `with_unseen` the unseen mistakes come last, of all tasks.
    """
    listed = []
    for task in tasks.tasks:
        listed.append(Entry(task, "solution", root / "solutions" / task.module))
        listed += [Entry(task, name, source) for name, source in right(root, task).items()]
        listed += [Entry(task, mutant.name, mutant) for mutant in mutants(root, task)]
    if with_unseen:
        listed += [Entry(task, one.name, one) for task in tasks.tasks for one in unseen(root, task)]
    return listed


def write(root: Path, entry: Entry, folder: Path) -> None:
    """Lays a submission of the bank into an empty folder.

    Raises:
        ManifestError: it is a change of the solution that no longer applies.
    """
    if isinstance(entry.source, Change):
        solution = (root / "solutions" / entry.task.module).read_text(encoding="utf-8")
        (folder / entry.task.module).write_text(changed(solution, entry.source), encoding="utf-8")
    elif entry.source.is_dir():
        shutil.copytree(
            entry.source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    else:
        shutil.copyfile(entry.source, folder / entry.task.module)


def uncovered(tasks: Manifest, bank: Sequence[Entry]) -> list[tuple[Task, Check]]:
    """The checks that no mutant fails: of them nobody knows whether they can fail."""
    aimed = {(e.task.id, check) for e in bank if e.mutant for check in (e.mutant.check, *e.mutant.also)}
    return [
        (task, check) for task in tasks.tasks for check in task.checks if (task.id, check.id) not in aimed
    ]
