"""Help in steps: hints.toml, which the course writes, and how far a student went in it."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel, ValidationError

from grader.config.manifest import Manifest
from grader.errors import ManifestError
from grader.practice.memory import Memory
from lab.strict import Strict, explained

FILE = "hints.toml"
_NAME = "hints"
_Step = Annotated[str, Field(min_length=20, max_length=1000)]


class Ladder(Strict):
    """The steps for one function, from a nudge to nearly the answer."""

    steps: tuple[_Step, ...] = Field(min_length=3, max_length=12)


class _Ladders(RootModel[dict[str, dict[str, Ladder]]]):
    """By task, then by function."""


def load(path: Path, manifest: Manifest) -> dict[str, Ladder]:
    """The ladders by function.

    Raises:
        ManifestError: the file cannot be read, or has not exactly one ladder for each function of each task.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        found = _Ladders.model_validate(raw).root
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}", fix="Run: nox -s stubs") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}") from error
    wanted = {(task.id, function) for task in manifest.tasks for function in task.functions}
    there = {(task, function) for task, functions in found.items() for function in functions}
    if wanted != there:
        task, function = sorted(wanted ^ there)[0]
        what = "is missing" if (task, function) in wanted else "is of no function of tasks.toml"
        raise ManifestError(f"{path}: [{task}.{function}] {what}")
    return {function: ladder for functions in found.values() for function, ladder in functions.items()}


@dataclass
class Progress:
    """How far a student went, function by function.

    Args:
        memory: of their folder.
    """

    memory: Memory

    def next(self, parts: Sequence[tuple[str, int]], *, again: bool) -> tuple[int, int]:
        """The step to show: which part it is of and its place there; the very last one if there are no more.

        Args:
            parts: what is shown one after the other: what each is remembered by, and how many steps it has.
            again: whether to begin anew.
        """
        known = self.memory.read(_NAME)
        if again:
            known = {key: value for key, value in known.items() if key not in dict(parts)}
        found = (len(parts) - 1, parts[-1][1] - 1)
        for number, (key, steps) in enumerate(parts):
            shown = known.get(key, 0)
            shown = shown if type(shown) is int and shown >= 0 else 0
            if shown < steps:
                known[key] = shown + 1
                found = number, shown
                break
        self.memory.write(_NAME, known)
        return found
