"""What the report reads: reference/<profile>/ and the hidden images, checked, and what of it is not there."""

import base64
import json
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
from grader.thresholds import Runs, Thresholds, Variant
from grader.thresholds.calibration import Calibration
from grader.training.job import Result
from grader.training.job import pin as pin_of
from grader.web.filters import percent, sentence
from lab import data, synthetic
from lab.data import DataSet
from lab.errors import DataError, KitError
from lab.strict import explained

LABEL_SETS: tuple[LabelSet, ...] = ("coarse", "fine")
WRITTEN: Variant = "as written"

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
        observed: one training of each task's solution on each label set, with what it saw and said.
        thresholds, calibration: what follows from the runs.
        hidden: the images that were scored, in the order of the predictions.
        recipes, confirmed: what reference/recipes.json and confirmation.json say; None where such a file
            is there and cannot be read.
        missing: why something of this is not there.
    """

    profile: Profile
    titles: dict[str, str]
    runs: Runs | None
    observed: dict[tuple[str, LabelSet], Result]
    thresholds: Thresholds | None
    calibration: Calibration | None
    hidden: DataSet | None
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

        hidden = get(lambda: _hidden(profile, root))
        titles = {task.id: task.title for task in tasks if task.builder}
        known = root / "reference" / "recipes.json"
        observed = get(lambda: _observed(folder, tuple(task.id for task in tasks if task.builder)))
        return cls(
            profile=profile,
            titles=titles,
            runs=get(lambda: thresholds.load_runs(folder)),
            observed=_of_these_data(observed or {}, profile, missing),
            thresholds=get(lambda: thresholds.load(folder)),
            calibration=get(lambda: _calibration(folder)),
            hidden=hidden,
            recipes=get(lambda: verdicts.recipes(profile_name, titles, known)),
            confirmed=get(lambda: verdicts.confirmed(titles, folder)),
            missing=missing,
        )

    @cached_property
    def groups(self) -> dict[tuple[str, LabelSet, Variant], list[Result]]:
        """The results of each network under different seeds, in the manifest's order of tasks."""
        if self.runs is None:
            return {}
        found: dict[tuple[str, LabelSet, Variant], list[Result]] = {}
        for task in self.titles:
            for labels in LABEL_SETS:
                for run in self.runs.runs:
                    if (run.task, run.result.labels) == (task, labels):
                        found.setdefault((task, labels, run.variant), []).append(run.result)
        return found

    def written(self, task: str, labels: LabelSet) -> list[Result]:
        """The runs of a task's solution as it is written."""
        return self.groups.get((task, labels, WRITTEN), [])

    def threshold(self, task: str, labels: LabelSet) -> float | None:
        """The accuracy from which a network of this task passes; None where there is none."""
        if self.thresholds is None:
            return None
        for one in self.thresholds.thresholds:
            if (one.task, one.labels) == (task, labels):
                return one.threshold
        return None

    def predictions(self, task: str, labels: LabelSet) -> Predictions | None:
        """What the observed run said of each hidden image, uint8 (hidden,); None where nothing fits."""
        result = self.observed.get((task, labels))
        if result is None or result.observed is None:
            return None
        said = np.frombuffer(base64.b64decode(result.observed.predictions), np.uint8)
        return said if len(said) == self.profile.hidden and said.max() < CLASSES[labels] else None

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

    def spread(self, networks: Sequence[tuple[str, LabelSet]]) -> str:
        """The hidden accuracy of each over all seeds, with n, as a sentence for a figure's last line."""
        trained = [key for key in networks if self.written(*key)]
        if not trained:
            return "No seeds but this one are trained."
        runs = {key: f"{seeds(self.written(*key))} (n = {len(self.written(*key))})" for key in trained}
        alike = len(set(runs.values())) == 1
        each = [
            f"{self.titles[task]} {labels} "
            + mean_sd([result.accuracy for result in self.written(task, labels)], percent)
            + ("" if alike else f", {runs[task, labels]}")
            for task, labels in trained
        ]
        return f"Hidden accuracy, {f'{runs[trained[0]]}, ' if alike else ''}mean ± sd: {'; '.join(each)}."


def _hidden(profile: Profile, root: Path) -> DataSet:
    if profile.data == "embedded":
        return synthetic.embedded_hidden().prefix(profile.hidden)
    if not data.available(root):
        raise DataError(
            "CIFAR-100 is not here, so no image can be shown and no answer compared with its label",
            fix="nox -s data",
        )
    return data.hidden(root).prefix(profile.hidden)


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


def _observed(folder: Path, tasks: Sequence[str]) -> dict[tuple[str, LabelSet], Result]:
    """The observed results; ManifestError if there are none or one cannot be read."""
    found: dict[tuple[str, LabelSet], Result] = {}
    fix = f"nox -s reference -- --profile {folder.name}"
    for task in tasks:
        path = folder / "observed" / f"{task}.json"
        try:
            results = [Result.model_validate(one) for one in json.loads(path.read_bytes())["results"]]
        except FileNotFoundError:
            continue
        except (OSError, ValueError, LookupError, TypeError) as error:
            fault = f"observed/{path.name} cannot be read: {type(error).__name__}"
            raise ManifestError(fault, fix=fix) from error
        found |= {(task, result.labels): result for result in results}
    if not found:
        raise ManifestError(
            f"profile {folder.name} has no observed trainings yet, so there are no validation curves and "
            "no confusions",
            fix=fix,
        )
    return found


def _of_these_data(
    observed: dict[tuple[str, LabelSet], Result], profile: Profile, missing: list[Missing]
) -> dict[tuple[str, LabelSet], Result]:
    """Those whose answers belong to the images that are here."""
    if not observed:
        return {}
    pin = pin_of(profile.data)
    stale = sorted({task for (task, _), result in observed.items() if result.pin != pin})
    if stale:
        missing.append(
            Missing(
                f"The observed trainings of {', '.join(stale)} are of other data.",
                f"nox -s reference -- --profile {profile.name}",
            )
        )
    return {key: result for key, result in observed.items() if result.pin == pin}
