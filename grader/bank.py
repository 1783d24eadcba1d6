"""The bank: submissions whose marks are known beforehand. `nox -s prove` grades all of them.

    grader/mutants/<task>.toml                wrong ones, as small edits of the solution
    grader/alternatives/<task>/<name>.py      right ones, that look different from it
    grader/alternatives/<task>/<name>/        one that has other files beside the task's

A mutant follows the solution as it changes: one whose edit no longer applies is an error, and so is one that
names a check which is not there.
"""

import ast
import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from grader.errors import ManifestError
from grader.manifest import Check, Manifest, Task


class Mutant(BaseModel):
    """A solution with one mistake in it, that students make.

    Attributes:
        name: the mistake, in a few words; unique within its task.
        check: the first check that must fail, which is the one that explains the mistake.
        says: what its message must have in it.
        hint: what its hint must have in it: the words that tell how this mistake is mended.
        edits: [old, new], one after the other; each old text is in the solution exactly once.
        code: functions of the task, or helpers, as they are instead.
        also: checks that fail with it: what else the same mistake does.
        heavy: whether it takes what only a sandbox stops, so that no test can try it in its own process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=3, max_length=80)
    check: str
    says: str = Field(min_length=3)
    hint: str = Field(min_length=3)
    edits: tuple[tuple[str, str], ...] = ()
    code: str = ""
    also: tuple[str, ...] = ()
    heavy: bool = False

    @model_validator(mode="after")
    def _changes_something(self) -> "Mutant":
        if not self.edits and not self.code.strip():
            raise ValueError("it has neither edits nor code")
        return self


class _Mutants(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    mutants: tuple[Mutant, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Alternative:
    """A right submission of one task that looks different from the solution.

    Attributes:
        name: of its file or folder.
        path: the task's module, or a folder with it and others.
        about: the first line of the module's docstring: what is different.
    """

    name: str
    path: Path
    about: str


@dataclass(frozen=True)
class Entry:
    """One submission of the bank, with what must come of it; `mutant` is None where all marks must."""

    task: Task
    name: str
    mutant: Mutant | None

    @property
    def folder(self) -> str:
        """What the submission is called: words that a path may be made of."""
        kind = "mutant" if self.mutant else "right"
        return f"{kind}-{self.task.id}-{re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-')}"


def mutants(root: Path, task: Task) -> tuple[Mutant, ...]:
    """The mutants of a task; none if it has no file of them.

    Raises:
        ManifestError: the file cannot be read, or names what the manifest does not know.
    """
    path = root / "grader" / "mutants" / f"{task.id}.toml"
    try:
        found = _Mutants.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).mutants
    except FileNotFoundError:
        return ()
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ManifestError(f"{path}: {where}: {first['msg']}") from error
    known, names = {check.id for check in task.checks}, set()
    for mutant in found:
        for check in (mutant.check, *mutant.also):
            if check not in known:
                raise ManifestError(f"{path}: {mutant.name!r} names the check {check!r}, which is not there")
        if mutant.name in names:
            raise ManifestError(f"{path}: {mutant.name!r} is there twice")
        names.add(mutant.name)
    return found


def mutated(solution: str, mutant: Mutant) -> str:
    """The solution's text with the mistake in it.

    Raises:
        ManifestError: an edit does not apply any more, or its code replaces a function that is not there.
    """
    source = solution
    for old, new in mutant.edits:
        times = source.count(old)
        if times != 1:
            there = "is not in" if not times else f"is {times} times in"
            raise ManifestError(
                f"the mutant {mutant.name!r} does not apply: {old!r} {there} the solution",
                mend="The old text has to be in the solution exactly once: bring it to what that says now",
            )
        source = source.replace(old, new)
    if mutant.code:
        source = _with_functions(source, mutant)
    return source


def _with_functions(source: str, mutant: Mutant) -> str:
    """The source with the mutant's functions in place of its own; helpers that it has not come last."""
    lines, helpers, replaced = source.splitlines(), [], 0
    for node in ast.parse(mutant.code).body:
        text = (ast.get_source_segment(mutant.code, node) or "").splitlines()
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
        raise ManifestError(
            f"the mutant {mutant.name!r} does not apply: none of its functions is in the solution"
        )
    return "\n".join([*lines, *helpers]) + "\n"


def alternatives(root: Path, task: Task) -> tuple[Alternative, ...]:
    """The right submissions of a task beside its solution, in order of their names.

    Raises:
        ManifestError: one lacks the task's module or a docstring that says what is different.
    """
    folder = root / "grader" / "alternatives" / task.id
    found = []
    for path in sorted(folder.glob("*")):
        if path.name.startswith((".", "__")):
            continue
        module = path / task.module if path.is_dir() else path
        if module.suffix != ".py" or not module.is_file():
            raise ManifestError(f"{path} is no {task.module} and holds none")
        about = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8-sig")))
        if not about:
            raise ManifestError(f"{module} does not say in its docstring what is different about it")
        found.append(Alternative(path.stem, path, about.splitlines()[0]))
    return tuple(found)


def entries(root: Path, tasks: Manifest) -> list[Entry]:
    """All of the bank: for each task its solution, the alternatives and the mutants."""
    listed = []
    for task in tasks.tasks:
        listed.append(Entry(task, "solution", None))
        listed += [Entry(task, one.name, None) for one in alternatives(root, task)]
        listed += [Entry(task, one.name, one) for one in mutants(root, task)]
    return listed


def write(root: Path, entry: Entry, folder: Path) -> None:
    """Lays a submission of the bank into an empty folder."""
    solution = root / "solutions" / entry.task.module
    if entry.mutant:
        text = mutated(solution.read_text(encoding="utf-8"), entry.mutant)
        (folder / entry.task.module).write_text(text, encoding="utf-8")
        return
    path = next((a.path for a in alternatives(root, entry.task) if a.name == entry.name), solution)
    if path.is_dir():
        shutil.copytree(path, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(path, folder / entry.task.module)


def uncovered(tasks: Manifest, bank: Sequence[Entry]) -> list[tuple[Task, Check]]:
    """The checks that no mutant fails: of them nobody knows whether they can fail."""
    aimed = {(e.task.id, check) for e in bank if e.mutant for check in (e.mutant.check, *e.mutant.also)}
    return [
        (task, check) for task in tasks.tasks for check in task.checks if (task.id, check.id) not in aimed
    ]
