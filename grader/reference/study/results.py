"""What came of a cell of the study: reference/study/cells/<cell>.json, all that the report shows of it."""

import json
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from grader.config.profiles import CLASSES, Argument, LabelSet
from grader.errors import ManifestError
from grader.reference import figures
from grader.reference.study.cells import PROFILE, Cell
from grader.training.job import Result
from lab.data import DataSet
from lab.files import write_atomically
from lab.strict import Strict, explained
from lab.training import Recipe

VERSION = 1  # of what is kept of a training: see grader/reference/versions.py


class Measured(Strict):
    """A cell that was trained.

    Attributes:
        cell: its name.
        task, labels: what was trained on what.
        arguments: what the builder was called with besides `num_classes`.
        train, held_back: how many images it was trained on and scored on.
        recipe: how it was trained.
        steps: of an epoch.
        result: what came of it: the curves, the answers on the held-back images, the time, the machine.
        confusion: rows the true classes, columns the answers; empty if the loss ran away.
        superclass_of: the superclass of each fine class, an index into the names of `superclasses`.
        superclasses: of each superclass the share of its held-back images that was answered right.
    """

    format: Literal[1] = 1
    cell: str
    task: str
    labels: LabelSet
    arguments: dict[str, Argument]
    train: int
    held_back: int
    recipe: Recipe
    steps: int
    result: Result
    confusion: tuple[tuple[int, ...], ...]
    superclass_of: tuple[int, ...]
    superclasses: dict[str, float]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """The confusion matrix, int64 (C, C)."""
        return np.array(self.confusion, np.int64)


def of(cell: Cell, result: Result, held_back: DataSet) -> Measured:
    """What is kept of a cell.

    Args:
        cell: the training.
        result: what came of it.
        held_back: the images that it was scored on.
    """
    true, said = held_back.labels(cell.asked.labels), result.predictions
    confusion: list[list[int]] = []
    shares: dict[str, float] = {}
    if len(said):
        counts = figures.confusion_counts(true, said, CLASSES[cell.asked.labels])
        confusion = counts.tolist()
        right = said == true
        shares = {
            name: round(float(right[held_back.coarse_labels == group].mean()), 4)
            for group, name in enumerate(held_back.coarse_names)
        }
    return Measured(
        cell=cell.name,
        task=cell.asked.task,
        labels=cell.asked.labels,
        arguments=dict(cell.arguments),  # type: ignore[arg-type]  # checked by the model
        train=cell.profile.train,
        held_back=cell.profile.validation,
        recipe=cell.profile.recipe,
        steps=cell.profile.train // cell.profile.recipe.batch,
        result=result,
        confusion=tuple(tuple(row) for row in confusion),
        superclass_of=tuple(map(int, held_back.coarse_of_fine)),
        superclasses=shares,
    )


def path(root: Path, cell: str) -> Path:
    """Where a cell's results lie."""
    return root / "reference" / PROFILE / "cells" / f"{cell}.json"


def save(measured: Measured, root: Path) -> Path:
    """Writes them, a field a line, a row of the matrix a line; returns where."""
    content = measured.model_dump(mode="json")
    rows = ",\n  ".join(json.dumps(row, separators=(",", ":")) for row in content.pop("confusion"))
    text = json.dumps({**content, "confusion": "ROWS"}, indent=1)
    write_atomically(
        path(root, measured.cell), text.replace('"ROWS"', f"[\n  {rows}\n ]" if rows else "[]") + "\n"
    )
    return path(root, measured.cell)


def load(root: Path, cell: str) -> Measured | None:
    """What was measured of a cell; None if nothing was yet. ManifestError names a file that is wrong."""
    file = path(root, cell)
    try:
        return Measured.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ManifestError(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise ManifestError(f"{file}: {explained(error)}") from error
