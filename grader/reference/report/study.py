"""The table of the study of 2021 beside what was measured here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grader.config.profiles import CLASSES, LabelSet
from grader.reference.report.material import LABEL_SETS, Material
from grader.reference.report.wording import mean_sd
from grader.training.job import Result
from grader.web.filters import duration, percent, readable, thousands

ABSENT = "–"


@dataclass(frozen=True)
class Published:
    """A column of the study's table, as it was published: notes on it stand under the table."""

    training_accuracy: str
    validation_accuracy: str
    time_to_train: str
    test_loss: str
    validation_loss: str
    epochs_steps: str


STUDY: dict[tuple[str, str], Published] = {
    ("alexnet", "coarse"): Published("94.0%", "48.0%", "4.5 h", "2.37", "2.7", "100 × 350"),
    ("alexnet", "fine"): Published("90.0%", "36.0%", "4.6 h", "3.83", "not given", "100 × 350"),
    ("resnet", "coarse"): Published("35.0%", "5.0%", "5.3 h", "4.4", "65.4", "50 × 50"),
    ("resnet", "fine"): Published("28.0%", "1.0%", "5.3 h", "not given", "not given", "50 × 50"),
}


@dataclass(frozen=True)
class Measured(Published):
    """The same of a network here, and more; a dash for what was not measured."""

    test_accuracy: str
    chance: str
    parameters: str
    runs: str


@dataclass(frozen=True)
class Column:
    """One network on one label set.

    Attributes:
        title: of the task.
        labels: the label set.
        study: what the study says of it; None if it had no such network.
        here: what was measured.
    """

    title: str
    labels: LabelSet
    study: Published | None
    here: Measured


@dataclass(frozen=True)
class Study:
    """The section.

    Attributes:
        columns: of the table.
        parameters: of the smallest and the largest network; None if none was trained.
        settings: name and value of everything that is equal for all networks.
        builders: the title of a task and the arguments that its network is built with.
    """

    columns: tuple[Column, ...]
    parameters: tuple[int, int] | None
    settings: tuple[tuple[str, str], ...]
    builders: tuple[tuple[str, str], ...]


def study(material: Material) -> Study:
    """Computes the section."""
    columns = tuple(
        Column(title, labels, STUDY.get((task, labels)), _measured(material, task, labels))
        for task, title in material.titles.items()
        for labels in LABEL_SETS
    )
    sizes = [results[0].parameters for results in material.groups.values()]
    recipe = material.profile.recipe.model_dump()
    builders = tuple(
        (title, ", ".join(f"{name} = {_setting(value)}" for name, value in arguments.items()) or "defaults")
        for task, title in material.titles.items()
        if (arguments := material.profile.builders.get(task)) is not None
    )
    return Study(
        columns=columns,
        parameters=(min(sizes), max(sizes)) if sizes else None,
        settings=tuple((readable(name), _setting(value)) for name, value in recipe.items()),
        builders=builders,
    )


def _measured(material: Material, task: str, labels: LabelSet) -> Measured:
    results = material.results(task, labels)

    def over_seeds(value: Callable[[Result], float | None], show: Callable[[float], str]) -> str:
        values = [value(result) for result in results]
        known = [one for one in values if one is not None]
        return mean_sd(known, show) if known and len(known) == len(values) else ABSENT

    recipe = material.profile.recipe
    return Measured(
        training_accuracy=over_seeds(lambda r: r.train_accuracy[-1], percent),
        validation_accuracy=over_seeds(lambda r: _last(r.validation_accuracy), percent),
        time_to_train=over_seeds(lambda r: r.seconds, duration),
        test_loss=over_seeds(lambda r: r.loss, "{:.2f}".format),
        validation_loss=over_seeds(lambda r: _last(r.validation_loss), "{:.2f}".format),
        epochs_steps=f"{recipe.epochs} × {material.profile.train // recipe.batch}",
        test_accuracy=over_seeds(lambda r: r.accuracy, percent),
        chance=percent(1 / CLASSES[labels]),
        parameters=thousands(results[0].parameters) if results else ABSENT,
        runs=str(len(results)),
    )


def _last(curve: Sequence[float | None]) -> float | None:
    return curve[-1] if curve else None


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
