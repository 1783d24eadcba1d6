"""A student's own trainings: what each was, what came of it, and where it is kept (.kit/runs/<id>/)."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from grader.config.profiles import LabelSet
from grader.errors import UsageError
from grader.text import plain
from lab.files import write_atomically
from lab.strict import Strict
from lab.training import Recipe

RECORD, PAGE = "run.json", "index.html"


class Experiment(Strict):
    """One training of a student's network.

    Attributes:
        id: such as `3-alexnet-coarse`.
        task, labels: what was trained on which labels.
        written: the digest of the network as the student builds it.
        trained: the digest of what was trained; another one where the course replaced something.
        replaced: what these are, each in words.
        parameters: all weights of the network.
        recipe: how it was trained; its epochs are those that were asked for.
        profile, data, pin: the images.
        train, validation: how many of them were trained on and scored on.
        seed: of the training.
        train_accuracy, train_loss, validation_accuracy, validation_loss: after each epoch that is over.
        stopped: whether it was stopped before all epochs were over.
        seconds: by the clock.
        when: ISO 8601, UTC.
        backend: what computed.
    """

    id: str = Field(pattern=r"^\d+-[a-z0-9_]+-(coarse|fine)$")
    task: str
    labels: LabelSet
    written: str
    trained: str
    replaced: tuple[str, ...]
    parameters: int
    recipe: Recipe
    profile: str
    data: str
    pin: str
    train: int
    validation: int
    seed: int
    train_accuracy: tuple[float, ...] = Field(min_length=1)
    train_loss: tuple[float | None, ...]
    validation_accuracy: tuple[float, ...] = Field(min_length=1)
    validation_loss: tuple[float | None, ...]
    stopped: bool
    seconds: float
    when: str
    backend: str

    @property
    def accuracy(self) -> float:
        """On the validation images, in the end."""
        return self.validation_accuracy[-1]

    @property
    def epochs(self) -> int:
        """That are over."""
        return len(self.validation_accuracy)

    @property
    def number(self) -> int:
        """By which it is named."""
        return int(self.id.partition("-")[0])


class Experiments:
    """All that are kept.

    Args:
        folder: .kit/runs of a checkout.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Experiment]:
        """In the order in which they were made; what cannot be read is left out."""
        found = []
        for path in self.folder.glob(f"*/{RECORD}") if self.folder.is_dir() else ():
            with suppress(OSError, ValidationError):
                found.append(Experiment.model_validate_json(path.read_bytes()))
        return sorted(found, key=lambda one: one.number)

    def find(self, name: str) -> Experiment:
        """The one of that id or number; UsageError names those there are."""
        known = self.all()
        for one in known:
            if name in (one.id, str(one.number)):
                return one
        there = ", ".join(one.id for one in known) or "none yet: nox -s train -- alexnet"
        raise UsageError(f"there is no run {plain(name)!r}", fix=f"The runs are: {there}")

    def keep(self, fields: dict[str, Any], files: dict[str, bytes | str]) -> Experiment:
        """Files a new one, all of it at once, under the next number.

        Args:
            fields: of the Experiment, but its id.
            files: more files, by name.

        Raises:
            UsageError: the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            half = Path(tempfile.mkdtemp(prefix=".half-", dir=self.folder))
            half.chmod(0o755)
            try:
                number = self._next()
                while True:
                    one = Experiment(id=f"{number}-{fields['task']}-{fields['labels']}", **fields)
                    write_atomically(half / RECORD, json.dumps(one.model_dump(mode="json"), indent=1) + "\n")
                    for name, content in files.items():
                        write_atomically(half / name, content)
                    try:
                        half.rename(self.folder / one.id)
                    except OSError:
                        if not (self.folder / one.id).exists():
                            raise
                        number += 1  # another training was faster
                        continue
                    return one
            finally:
                shutil.rmtree(half, ignore_errors=True)
        except OSError as error:
            raise UsageError(f"{plain(self.folder)} cannot be written: {error.strerror}") from error

    def _next(self) -> int:
        numbers = [path.name.partition("-")[0] for path in self.folder.iterdir()]
        return 1 + max((int(number) for number in numbers if number.isdecimal()), default=0)


def differences(runs: Sequence[Experiment]) -> dict[str, list[str]]:
    """What is not the same in all of these, by what it is: a value for each."""
    named: dict[str, list[str]] = {
        "task": [one.task for one in runs],
        "labels": [one.labels for one in runs],
        "network as written": [one.written[:12] for one in runs],
        "network as trained": [one.trained[:12] for one in runs],
        "parameters": [f"{one.parameters:,}" for one in runs],
        "data": [one.data for one in runs],
        "data pin": [one.pin[:12] for one in runs],
        "images trained on": [f"{one.train:,}" for one in runs],
        "images to validate": [f"{one.validation:,}" for one in runs],
        "seed": [str(one.seed) for one in runs],
        "computed by": [one.backend for one in runs],
        **{
            f"recipe: {name}": [str(getattr(one.recipe, name)) for one in runs]
            for name in Recipe.model_fields
        },
    }
    return {name: values for name, values in named.items() if len(set(values)) > 1}
