"""Thresholds where nothing was trained yet: from reference/<profile>/estimates.yaml, written by hand."""

from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from grader.config.profiles import CLASSES, LabelSet
from grader.errors import ManifestError
from grader.thresholds.files import write
from grader.thresholds.model import Threshold, Thresholds, load
from lab.strict import Strict, explained


class _Estimate(Strict):
    """One entry of estimates.yaml: an accuracy, and where the figure comes from."""

    accuracy: float = Field(gt=0, lt=1)
    source: str = Field(min_length=1)


class _Estimates(Strict):
    """estimates.yaml: by task, by label set."""

    estimates: dict[str, dict[LabelSet, _Estimate]] = Field(min_length=1)


def save_estimates(folder: Path) -> Thresholds:
    """Writes reference/<profile>/thresholds.json from the estimates.yaml beside it, marked as uncalibrated.

    Raises:
        ManifestError: estimates.yaml is missing or wrong, or thresholds.json was measured: that is kept.
    """
    path = folder / "estimates.yaml"
    if (folder / "thresholds.json").exists() and load(folder).calibrated:
        raise ManifestError(f"{folder / 'thresholds.json'} was measured, and is worth more than estimates")
    try:
        written = _Estimates.model_validate(yaml.safe_load(path.read_bytes()))
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ManifestError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {explained(error)}") from error
    thresholds = Thresholds(
        profile=folder.name,
        calibrated=False,
        provisional=True,
        rule="estimates of estimates.yaml: nothing was trained under this profile",
        conditions=None,
        builders={},
        thresholds=tuple(
            Threshold(
                task=task,
                labels=labels,
                threshold=one.accuracy,
                chance=1 / CLASSES[labels],
                calibrated=False,
                source=" ".join(one.source.split()),
            )
            for task, label_sets in written.estimates.items()
            for labels, one in label_sets.items()
        ),
    )
    write(folder / "thresholds.json", thresholds)
    return thresholds
