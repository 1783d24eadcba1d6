"""What a verdict costs, how far it tells right from wrong, and how it was tried: data of two tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.reference import candidates, confirm
from grader.reference.candidates import Cell
from grader.reference.confirm import Row


@dataclass(frozen=True)
class Compared:
    """The candidates on one task and label set.

    Attributes:
        title: of the task.
        labels: the label set.
        cells: the recipe of the profile and its candidates.
    """

    title: str
    labels: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Recipes:
    """The profile's recipe beside its candidates.

    Attributes:
        machine: where they were trained.
        compared: empty if nothing was.
    """

    machine: str
    compared: tuple[Compared, ...]


@dataclass(frozen=True)
class Confirmed:
    """How the solutions did under new seeds.

    Attributes:
        backend, machine: where they were trained.
        seeds: the new ones.
        passed: under so many of them every check was passed.
        rows: the title of the task, and one of its checks under all seeds; empty if none was confirmed.
    """

    backend: str
    machine: str
    seeds: tuple[int, ...]
    passed: int
    rows: tuple[tuple[str, Row], ...]


def recipes(profile: str, titles: Mapping[str, str], path: Path) -> Recipes:
    """Reads recipes.json.

    Args:
        profile: whose candidates.
        titles: of the tasks, by id.
        path: of the file; it need not exist.

    Raises:
        ManifestError: it cannot be read.
    """
    comparison = candidates.load(path, profile)
    if comparison is None:
        return Recipes("", ())
    cells = comparison.cells
    compared = tuple(
        Compared(
            titles.get(task, task),
            labels,
            tuple(cell for cell in cells if (cell.task, cell.labels) == (task, labels)),
        )
        for task, labels in dict.fromkeys((cell.task, cell.labels) for cell in cells)
    )
    return Recipes(comparison.machine, compared)


def confirmed(titles: Mapping[str, str], folder: Path) -> Confirmed:
    """Reads confirmation.json.

    Args:
        titles: of the tasks, by id.
        folder: reference/<profile>, in which it need not be.

    Raises:
        ManifestError: it cannot be read.
    """
    found = confirm.load(folder)
    if found is None:
        return Confirmed("", "", (), 0, ())
    rows = tuple((titles.get(row.task, row.task), row) for row in confirm.summary(found))
    return Confirmed(found.backend, found.machine, found.seeds, found.passed, rows)
