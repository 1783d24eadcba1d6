"""The options that commands share, each defined once, with types that say what was expected."""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from grader.errors import UsageError
from grader.paths import from_here

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ("auto", "bubblewrap", "podman", "docker", "none")  # sandbox.ENGINES, which takes long to import
LABEL_SETS = ("fine", "coarse")
MAX_SEED = 2**31 - 1
MAX_WORKERS = 64
CORES = os.cpu_count() or 1

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Decorator = Callable[[_Function], _Function]


# --- types ------------------------------------------------------------------------------------------------


class Whole(click.ParamType[int]):
    """A whole number between two bounds.

    Args:
        name: what it is, such as `a seed`.
        low: the smallest.
        high: the largest.
    """

    def __init__(self, name: str, low: int, high: int) -> None:
        self.name, self.low, self.high = name, low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; UsageError says what was expected."""
        try:
            number = int(value)
        except ValueError:
            number = self.low - 1
        if not self.low <= number <= self.high:
            self.fail(
                f"{self.name} is a whole number from {self.low} to {self.high}, not {value}", param, ctx
            )
        return number


class Share(click.ParamType[float]):
    """A number from 0 to below 1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; UsageError says what was expected."""
        try:
            share = float(value)
        except ValueError:
            share = -1.0
        if not 0 <= share < 1:
            self.fail(f"a number from 0 to below 1 is expected, not {value}", param, ctx)
        return share


class ProfileName(click.ParamType[str]):
    """A profile of params.yaml, by its name."""

    name = "profile"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name; UsageError names those there are, ManifestError says what is wrong with params.yaml."""
        from grader.config import profiles

        return profiles.load(ROOT / "params.yaml").profile(value).name


class TaskId(click.ParamType[str]):
    """A task, by its id or its file.

    Args:
        folder: whose tasks.toml: assignment/ is all that students have, solutions/ is what it is made from.
        trains: only those whose networks are trained.
    """

    name = "task"

    def __init__(self, folder: str, *, trains: bool = False) -> None:
        self.folder, self.trains = folder, trains

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id; UsageError names those there are, ManifestError says what is wrong with tasks.toml."""
        from grader.config import manifest

        tasks = manifest.load(ROOT / self.folder / "tasks.toml").tasks
        known = [task.id for task in tasks if task.builder or not self.trains]
        wanted = str(value).removesuffix(".py")
        if wanted not in known:
            which, those = (" that trains", "Those that do") if self.trains else ("", "The tasks")
            raise UsageError(f"there is no task {wanted!r}{which}", fix=f"{those} are: {', '.join(known)}")
        return wanted


class TaskOrFunction(TaskId):
    """A task, or one function of it: `resnet`, `resnet.py`, `bottleneck_block`.

    What it gives is the task's id, with the function behind a colon if one was named.
    """

    name = "task or function"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As of TaskId; UsageError names the tasks and the functions there are."""
        from grader.config import manifest

        wanted = str(value).removesuffix("()").removesuffix(".py")
        tasks = manifest.load(ROOT / self.folder / "tasks.toml").tasks
        for task in tasks:
            if wanted == task.id:
                return task.id
            if wanted in task.functions:
                return f"{task.id}:{wanted}"
        raise UsageError(
            f"there is no task {wanted!r}, and no function of that name",
            fix=f"The tasks are: {', '.join(task.id for task in tasks)}; "
            f"the functions: {', '.join(name for task in tasks for name in task.functions)}",
        )


class Location(click.ParamType[Path]):
    """A file or folder, as it is named from where the user stands: `.` gets the name of that folder."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; whether there is such a thing is for the command to say, which knows what it is for."""
        if not str(value):
            self.fail("an empty path: name a file or folder, such as . for the one you are in", param, ctx)
        path = Path(value)
        return path if path.name not in ("", "..") else path.resolve()


# --- options ----------------------------------------------------------------------------------------------


def tasks(folder: str) -> _Decorator[Any]:
    """TASK...: only these of the tasks in folder/tasks.toml; none for all of them."""
    return click.argument(
        "tasks", type=TaskId(folder), nargs=-1, metavar="[TASK]...", help="Only these, such as alexnet."
    )


def tasks_and_functions(folder: str) -> _Decorator[Any]:
    """[TASK] [FUNCTION]...: only these; see `divided` for what a command makes of them."""
    return click.argument(
        "names",
        type=TaskOrFunction(folder),
        nargs=-1,
        metavar="[TASK] [FUNCTION]...",
        help="Only these, such as resnet bottleneck_block.",
    )


def divided(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What TaskOrFunction gave, as tasks and as functions; a task with a function named is that one alone.

    >>> divided(["resnet", "resnet:bottleneck_block", "alexnet"])
    (('resnet', 'alexnet'), ('bottleneck_block',))
    """
    pairs = [name.partition(":") for name in names]
    tasks = tuple(dict.fromkeys(task for task, _, _ in pairs))
    return tasks, tuple(dict.fromkeys(function for _, _, function in pairs if function))


def profile(
    default: str | None = None, *, help: str = "A profile of params.yaml.", shown: str | None = None
) -> _Decorator[Any]:
    """--profile; without a default the command chooses, which `shown` describes."""
    return click.option(
        "--profile",
        type=ProfileName(),
        metavar="NAME",
        default=default,
        show_default=shown or True,
        help=help,
    )


def required_profile(help: str = "A profile of params.yaml.") -> _Decorator[Any]:
    """--profile, without which the command cannot do anything."""
    return click.option("--profile", type=ProfileName(), metavar="NAME", required=True, help=help)


def engine(choices: Sequence[str] = ENGINES, *, help: str) -> _Decorator[Any]:
    """--engine: what isolates; `auto` is the strongest that works here."""
    return click.option("--engine", type=click.Choice(choices), default="auto", help=help)


def seed(default: int | None = None, *, help: str = "Of the probe inputs.") -> _Decorator[Any]:
    """--seed; without a default it is drawn: nobody can prepare for what is drawn when the run starts."""
    return click.option(
        "--seed",
        type=Whole("a seed", 0, MAX_SEED),
        metavar="N",
        default=_drawn if default is None else default,
        show_default="a fresh one, which is shown" if default is None else True,
        help=help,
    )


def workers(default: int, *, shown: str, help: str, envvar: str | None = None) -> _Decorator[Any]:
    """--workers: how many at a time; the default is the machine's, which `shown` describes."""
    return click.option(
        "--workers",
        type=Whole("a number of workers", 1, MAX_WORKERS),
        metavar="N",
        default=default,
        show_default=shown,
        envvar=envvar,
        help=help,
    )


def folder(help: str = "Where your files are.") -> _Decorator[Any]:
    """--folder: a student's files, this checkout's assignment/ unless another is named."""
    return click.option(
        "--folder",
        type=Location(),
        metavar="PATH",
        default=ROOT / "assignment",
        show_default="assignment/",
        help=help,
    )


def out(default: str, *, help: str) -> _Decorator[Any]:
    """--out: where results go, a folder of this checkout unless another is named."""
    return click.option(
        "--out",
        type=Location(),
        metavar="PATH",
        default=lambda: from_here(ROOT / default),
        show_default=f"{default}/",
        help=help,
    )


trust = click.option("--trust", is_flag=True, help="This code is yours: it may run without a sandbox.")


def _drawn() -> int:
    return secrets.randbelow(MAX_SEED + 1)
