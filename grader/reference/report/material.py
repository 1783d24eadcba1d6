"""What the report reads: reference/<profile>/ and the validation images, checked, and what is not there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from grader import thresholds
from grader.config import manifest, profiles
from grader.config.profiles import CLASSES, LabelSet, Profile
from grader.errors import ManifestError
from grader.reference.report import verdicts
from grader.reference.report.verdicts import Confirmed, Recipes
from grader.reference.report.wording import mean_sd, seeds
from grader.thresholds import Runs, Thresholds
from grader.thresholds.calibration import Calibration
from grader.training.job import Result
from grader.training.job import pin as pin_of
from grader.web.filters import percent, sentence
from lab import data, synthetic
from lab.data import DataSet
from lab.errors import DataError, KitError
from lab.strict import explained

LABEL_SETS: tuple[LabelSet, ...] = ("coarse", "fine")

Predictions = NDArray[np.uint8]
_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Missing:
    """Says what is not there and how to get it.

    Attributes:
        sentence: what is missing.
        command: what brings it.
    """

    sentence: str
    command: str


@dataclass(frozen=True)
class Material:
    """All that a report is made of, read and checked.

    Attributes:
        profile: which one.
        titles: of the tasks that train, by id, in the manifest's order.
        runs: all trainings of the solutions.
        thresholds, calibration: what follows from the runs.
        validation: the validation images, in the order of the predictions; None where the data are not here,
            or are others than the runs'.
        recipes, confirmed: what reference/recipes.json and confirmation.json say; None where such a file
            is there and cannot be read.
        missing: why something of this is not there.
    """

    profile: Profile
    titles: dict[str, str]
    runs: Runs | None
    thresholds: Thresholds | None
    calibration: Calibration | None
    validation: DataSet | None
    recipes: Recipes | None = None
    confirmed: Confirmed | None = None
    missing: list[Missing] = field(default_factory=list)

    @classmethod
    def read(cls, profile_name: str, root: Path) -> "Material":
        """Reads what is there; errors as of `report`."""
        profile = profiles.load(root / "params.yaml").profile(profile_name)
        tasks = manifest.load(root / "solutions" / "tasks.toml").tasks
        folder = root / "reference" / profile_name
        missing: list[Missing] = []

        def get(read: Callable[[], _Read]) -> _Read | None:
            try:
                return read()
            except KitError as error:
                what = error.message.replace(f"{root}/", "")
                missing.append(Missing(f"{what}.", error.fix.removeprefix("Run: ")))
                return None

        runs = get(lambda: thresholds.load_runs(folder))
        titles = {task.id: task.title for task in tasks if task.builder}
        known = root / "reference" / "recipes.json"
        return cls(
            profile=profile,
            titles=titles,
            runs=runs,
            thresholds=get(lambda: thresholds.load(folder)),
            calibration=get(lambda: _calibration(folder)),
            validation=get(lambda: _validation(profile, root, runs)),
            recipes=get(lambda: verdicts.recipes(profile_name, titles, known)),
            confirmed=get(lambda: verdicts.confirmed(titles, folder)),
            missing=missing,
        )

    @cached_property
    def groups(self) -> dict[tuple[str, LabelSet], list[Result]]:
        """The results of each network under the reference seeds, in the manifest's order of tasks."""
        if self.runs is None:
            return {}
        found = self.runs.groups()
        keys = [(task, labels) for task in self.titles for labels in LABEL_SETS]
        return {key: [run.result for run in found[key]] for key in keys if found.get(key)}

    def results(self, task: str, labels: LabelSet) -> list[Result]:
        """The runs of a task's solution under the reference seeds."""
        return self.groups.get((task, labels), [])

    @cached_property
    def graded(self) -> dict[tuple[str, LabelSet], Result]:
        """The run of each network under the grading seed: the mark of every submission with this network."""
        return {key: run.result for key, run in self.runs.graded().items()} if self.runs else {}

    def threshold(self, task: str, labels: LabelSet) -> float | None:
        """The accuracy from which a network of this task passes; None where there is none."""
        if self.thresholds is None:
            return None
        for one in self.thresholds.thresholds:
            if (one.task, one.labels) == (task, labels):
                return one.threshold
        return None

    def predictions(self, task: str, labels: LabelSet) -> Predictions | None:
        """What each run said of each validation image, uint8 (runs, validation); None where nothing fits."""
        if self.validation is None:
            return None
        said = [result.predictions for result in self.results(task, labels)]
        fit = [one for one in said if len(one) == len(self.validation) and one.max() < CLASSES[labels]]
        return np.stack(fit) if fit else None

    @property
    def data_name(self) -> str:
        """What the data are called in a sentence."""
        return "CIFAR-100" if self.profile.data == "cifar-100" else "the embedded set"

    def basis(self) -> str:
        """The data, for a figure's last line."""
        profile = self.profile
        return (
            f"{sentence(self.data_name)}: {profile.train:,} images trained on, "
            f"{profile.hidden:,} hidden ones scored."
        )

    def basis_of_answers(self) -> str:
        """The validation images, for the last line of a figure of answers."""
        return (
            f"{sentence(self.data_name)}: {self.profile.train:,} images trained on, answers on "
            f"{self.profile.validation:,} validation images."
        )

    def spread(self, networks: Sequence[tuple[str, LabelSet]]) -> str:
        """The hidden accuracy of each over all seeds, with n, as a sentence for a figure's last line."""
        trained = [key for key in networks if self.results(*key)]
        if not trained:
            return "No seeds but this one are trained."
        runs = {key: f"{seeds(self.results(*key))} (n = {len(self.results(*key))})" for key in trained}
        alike = len(set(runs.values())) == 1
        each = [
            f"{self.titles[task]} {labels} "
            + mean_sd([result.accuracy for result in self.results(task, labels)], percent)
            + ("" if alike else f", {runs[task, labels]}")
            for task, labels in trained
        ]
        return f"Hidden accuracy, {f'{runs[trained[0]]}, ' if alike else ''}mean ± sd: {'; '.join(each)}."


def _validation(profile: Profile, root: Path, runs: Runs | None) -> DataSet:
    fix = f"nox -s reference -- --profile {profile.name}"
    if not profile.validation:
        raise ManifestError(f"profile {profile.name} has no validation images", fix=fix)
    if profile.data == "embedded":
        course = synthetic.embedded_course()
    elif data.available(root):
        course = data.course(root)
    else:
        raise DataError(
            "CIFAR-100 is not here, so no image can be shown and no answer compared with its label",
            fix="nox -s data",
        )
    if runs is not None and runs.conditions.pin != pin_of(profile.data, root):
        raise ManifestError("the reference runs are of other data", fix=fix)
    return course.following(profile.train, profile.validation)


def _calibration(folder: Path) -> Calibration:
    path, fix = folder / "calibration.json", f"nox -s reference -- --profile {folder.name}"
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ManifestError(f"profile {folder.name} has no calibration.json yet", fix=fix) from None
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be read: {error.strerror}", fix=fix) from error
    except ValidationError as error:
        raise ManifestError(f"{path.name} cannot be read: {explained(error)}", fix=fix) from error
