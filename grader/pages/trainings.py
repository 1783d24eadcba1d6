"""The runs behind accuracies: their curves and what was answered, drawn once for each training."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from grader import thresholds
from grader.config import profiles
from grader.config.profiles import LabelSet, Profile
from grader.pages import charts
from grader.pages.charts import Chart, confusion_counts
from grader.training.job import Result
from grader.web.filters import readable
from lab import data, synthetic
from lab.data import DataSet
from lab.errors import KitError

_PAIRS = 6
_CLASSES = {"coarse": 20, "fine": 100}


@dataclass(frozen=True)
class Taken:
    """Two classes: how often the first was taken for the second, of how many images of the first."""

    true: str
    answered: str
    times: int
    images: int


@dataclass(frozen=True)
class Run:
    """A training as a page shows it.

    Attributes:
        curve: accuracy by epoch; None where nothing is known of it.
        confusion: on the validation images; None where the answers or the images are not here.
        of_groups: whether the matrix is of superclasses: 100 classes are too many to read.
        images: validation images that it is of.
        taken: the classes that are most often taken for another.
    """

    curve: Chart | None
    confusion: Chart | None = None
    of_groups: bool = False
    images: int = 0
    taken: tuple[Taken, ...] = ()


class Trainings:
    """Finds trainings by their digest, in `.kit/trainings` and among the reference runs, and draws them.

    Args:
        root: of the checkout.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drawn: dict[tuple[str, str], Run | None] = {}
        self._known: dict[str, Mapping[str, Result]] = {}
        self._images: dict[str, DataSet | None] = {}

    @property
    def drawn(self) -> int:
        """How many were drawn."""
        return len(self._drawn)

    def of(self, profile: str, title: str, said: Mapping[str, Any]) -> Run | None:
        """The training that decided a check; None if there was none.

        Args:
            profile: the name of that under which it was graded.
            title: of the network and its labels; equal trainings have equal titles.
            said: the data of the check.
        """
        digest = said.get("training")
        if not isinstance(digest, str) or "accuracies" not in said:
            return None
        key = (digest, title)
        if key not in self._drawn:
            self._drawn[key] = self._draw(profile, title, digest, said)
        return self._drawn[key]

    def _draw(self, profile: str, title: str, digest: str, said: Mapping[str, Any]) -> Run | None:
        result = self._find(profile, digest)
        training = result.train_accuracy if result else said.get("train_accuracy", ())
        validation = result.validation_accuracy if result else ()
        chance = float(said.get("chance", 0.0))
        curve = charts.curves(title, training, validation, chance, said.get("threshold"))
        found = self._answers(profile, result) if result and not said.get("prepared") else None
        if found is None:
            return Run(curve) if curve else None
        images, labels = found
        assert result is not None
        return self._with_answers(curve, title, result, images, labels)

    def _with_answers(
        self, curve: Chart | None, title: str, result: Result, images: DataSet, labels: LabelSet
    ) -> Run:
        true, said = images.labels(labels), result.predictions
        names = [readable(name) for name in images.class_names(labels)]
        counts = confusion_counts(true, said, len(names))
        off = counts.copy()
        np.fill_diagonal(off, 0)
        most = np.argsort(-off, axis=None, kind="stable")[:_PAIRS]
        pairs = [np.unravel_index(int(place), off.shape) for place in most]
        taken = tuple(
            Taken(names[a], names[b], int(off[a, b]), int(counts[a].sum())) for a, b in pairs if off[a, b]
        )
        of_groups = labels == "fine"
        if of_groups:
            groups = images.coarse_of_fine
            names = [readable(name) for name in images.coarse_names]
            counts = confusion_counts(groups[true], groups[said], len(names))
        chart = charts.confusion(title, counts, names)
        return Run(curve, chart, of_groups, len(images), taken)

    def _answers(self, profile: str, result: Result) -> tuple[DataSet, LabelSet] | None:
        """The validation images of a result and its label set, if its answers fit them."""
        images = self._validation(profile)
        if images is None or not len(result.predictions) or len(result.predictions) != len(images):
            return None
        if images.pin.partition("-")[0] != result.pin.partition("+")[0].partition("-")[0]:
            return None
        fits = int(result.predictions.max()) < len(images.class_names(result.labels))
        return (images, result.labels) if fits else None

    def _find(self, profile: str, digest: str) -> Result | None:
        known = self._reference(profile).get(digest)
        if known is not None:
            return known
        if not digest.isalnum():
            return None
        path = self._root / ".kit" / "trainings" / f"{digest}.json"
        try:
            result = Result.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        return result if result.digest == digest and result.intact else None

    def _reference(self, profile: str) -> Mapping[str, Result]:
        if profile not in self._known:
            try:
                runs = thresholds.find_runs(self._root / "reference" / profile)
            except KitError:
                runs = None
            self._known[profile] = {run.result.digest: run.result for run in runs.runs} if runs else {}
        return self._known[profile]

    @cached_property
    def _profiles(self) -> Mapping[str, Profile]:
        try:
            return profiles.load(self._root / "params.yaml").profiles
        except KitError:
            return {}

    def _validation(self, profile: str) -> DataSet | None:
        if profile not in self._images:
            self._images[profile] = self._read(self._profiles.get(profile))
        return self._images[profile]

    def _read(self, profile: Profile | None) -> DataSet | None:
        """The validation images of a profile, of the course set: the hidden set is not opened."""
        if profile is None or not profile.validation:
            return None
        try:
            course = synthetic.embedded_course() if profile.data == "embedded" else data.course(self._root)
            whole = course.following(profile.train, profile.validation)
        except (KitError, OSError, ValueError):
            return None
        return whole
