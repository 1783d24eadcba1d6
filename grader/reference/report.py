"""`nox -s report`: what the pipeline measured, as one HTML page and as figures.

    report(profile)     .kit/report/<profile>/index.html, its figures inside it and beside it
    figures(profile)    reference/<profile>/figures/*.png and plots/*.csv, for git and `dvc plots`

It trains nothing. It reads reference/<profile>/: runs/ (all trainings), observed/ (one training of each
network with its validation curve and its answers), thresholds.json and calibration.json; and the hidden set.
What is missing leaves a sentence in its place, with the command that brings it.
"""

import base64
import csv
import io
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from grader import thresholds
from grader.config import manifest, profiles
from grader.config.profiles import CLASSES, LabelSet, Profile
from grader.errors import ManifestError
from grader.reference import figures as draw
from grader.reference import page, verdicts
from grader.reference.page import Content, Html, Missing, Picture, Section, details, paragraph, tag
from grader.thresholds import Runs, Thresholds, Variant, calibration
from grader.thresholds.calibration import Calibration
from grader.training import trainer
from grader.training.trainer import Result
from lab import data, synthetic
from lab.data import DataSet
from lab.errors import DataError, KitError
from lab.files import write_atomically

ROOT = Path(__file__).resolve().parents[2]
VERSION = 1  # of the figures and curves: see grader/reference/versions.py
LABEL_SETS: tuple[LabelSet, ...] = ("coarse", "fine")
WRITTEN: Variant = "as written"
PAIRS = 12
SAMPLES = 4  # of each kind

Predictions = NDArray[np.uint8]
Part = Html | Picture | Missing | Section
_Read = TypeVar("_Read")

# The study's table, as it was published: notes on it stand under the table.
STUDY_COLUMNS = (("alexnet", "coarse"), ("alexnet", "fine"), ("resnet", "coarse"), ("resnet", "fine"))
STUDY = {
    "training accuracy": ("94.0%", "90.0%", "35.0%", "28.0%"),
    "validation accuracy": ("48.0%", "36.0%", "5.0%", "1.0%"),
    "time to train": ("4.5 h", "4.6 h", "5.3 h", "5.3 h"),
    "test loss": ("2.37", "3.83", "4.4", "not given"),
    "validation loss": ("2.7", "not given", "65.4", "not given"),
    "epochs × steps": ("100 × 350", "100 × 350", "50 × 50", "50 × 50"),
}


def report(profile_name: str, *, root: Path = ROOT, out: Path | None = None) -> tuple[Path, list[Missing]]:
    """Writes the page of a profile and its figures beside it.

    Returns:
        the page, and what it had to do without.

    Raises:
        UsageError: there is no such profile.
        ManifestError: params.yaml or the manifest is wrong.
    """
    material = Material.read(profile_name, root)
    folder = out or root / ".kit" / "report" / profile_name
    sections = _sections(material)
    title = f"Reference results, profile {profile_name}"
    for old in folder.glob("*.png"):
        old.unlink()
    for picture in page.pictures(sections):
        write_atomically(folder / f"{picture.name}.png", picture.png)
    write_atomically(folder / "index.html", page.render(title, _lead(material), sections))
    return folder / "index.html", material.missing


def figures(profile_name: str, *, root: Path = ROOT) -> list[Path]:
    """Writes the figures without photographs, and the curves as CSV, into reference/<profile>/.

    The same inputs give the same bytes. What is there from before and is not drawn any more is removed: so
    that a machine without the data does not take half of the figures out of git, it draws none.

    Returns:
        the files.

    Raises:
        DataError: the labelled images are not here.
        ManifestError: nothing was measured; and as `report`.
    """
    material = Material.read(profile_name, root)
    if material.hidden is None:
        raise DataError(f"the figures of profile {profile_name} need {material.data_name}", fix="nox -s data")
    if not material.groups and not material.observed:
        first = material.missing[0]
        raise ManifestError(first.sentence, fix=first.command)
    folder = root / "reference" / profile_name
    content: dict[Path, bytes | str] = {
        folder / "figures" / f"{picture.name}.png": picture.png
        for picture in page.pictures(_sections(material))
        if picture.shareable
    }
    content |= {folder / "plots" / name: text for name, text in _plots(material)}
    for old in (*(folder / "figures").glob("*.png"), *(folder / "plots").glob("*.csv")):
        if old not in content:
            old.unlink()
    for path, one in content.items():
        write_atomically(path, one)
    return list(content)


# --- what there is ----------------------------------------------------------------------------------------


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
        recipes, confirmed: the tables of reference/recipes.json and of confirmation.json.
        missing: why something of this is not there.
    """

    profile: Profile
    titles: dict[str, str]
    runs: Runs | None
    observed: dict[tuple[str, LabelSet], Result]
    thresholds: Thresholds | None
    calibration: Calibration | None
    hidden: DataSet | None
    recipes: Sequence[Html | Missing] = ()
    confirmed: Sequence[Html | Missing] = ()
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
                sentence = error.message.replace(f"{root}/", "")
                missing.append(Missing(f"{sentence}.", error.fix.removeprefix("Run: ")))
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
            recipes=get(lambda: verdicts.recipes(profile_name, titles, known)) or (),
            confirmed=get(lambda: verdicts.confirmed(profile_name, titles, folder)) or (),
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
        name, profile = self.data_name, self.profile
        return (
            f"{name[0].upper()}{name[1:]}: {profile.train:,} images trained on, "
            f"{profile.hidden:,} hidden ones scored."
        )

    def spread(self, networks: Sequence[tuple[str, LabelSet]]) -> str:
        """The hidden accuracy of each over all seeds, with n, as a sentence for a figure's last line."""
        trained = [key for key in networks if self.written(*key)]
        if not trained:
            return "No seeds but this one are trained."
        seeds = {key: f"{_seeds(self.written(*key))} (n = {len(self.written(*key))})" for key in trained}
        one = len(set(seeds.values())) == 1
        each = [
            f"{self.titles[task]} {labels} "
            + _mean_sd([result.accuracy for result in self.written(task, labels)], _percent)
            + ("" if one else f", {seeds[task, labels]}")
            for task, labels in trained
        ]
        return f"Hidden accuracy, {f'{seeds[trained[0]]}, ' if one else ''}mean ± sd: {'; '.join(each)}."


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
    except (OSError, ValidationError) as error:
        raise ManifestError(f"{path.name} cannot be read: {type(error).__name__}", fix=fix) from error


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
    pin = trainer.pin(profile.data)
    stale = sorted({task for (task, _), result in observed.items() if result.pin != pin})
    if stale:
        missing.append(
            Missing(
                f"The observed trainings of {', '.join(stale)} are of other data.",
                f"nox -s reference -- --profile {profile.name}",
            )
        )
    return {key: result for key, result in observed.items() if result.pin == pin}


# --- the page ---------------------------------------------------------------------------------------------


def _lead(material: Material) -> list[Html]:
    profile = material.profile
    results = [result for group in material.groups.values() for result in group]
    results += material.observed.values()
    measured = (
        f" They were measured on {_list({result.machine for result in results})} with "
        f"{_list({_versions(result) for result in results})}."
        if results
        else ""
    )
    parts = [
        paragraph(
            f"What the course's solutions reach under profile {profile.name}: "
            f"{_list(material.titles.values())} on {material.data_name}, trained on {profile.train:,} images "
            f"for {profile.recipe.epochs} epochs and scored on {profile.hidden:,} hidden ones, all under the "
            f"same recipe, on 20 coarse and on 100 fine labels.{measured} Every "
            "figure is drawn from the files in ",
            tag("code", f"reference/{profile.name}/"),
            "; this page trains nothing.",
        )
    ]
    if profile.data == "embedded":
        parts.append(
            tag(
                "p",
                "The embedded set is drawn by a program. Its accuracies say nothing about photographs: "
                "they cannot be compared with the study's, nor with anybody's on CIFAR-100.",
                class_="remark",
            )
        )
    if material.thresholds is not None and material.thresholds.reservation():
        reservation = material.thresholds.reservation()
        parts.append(tag("p", f"{reservation[0].upper()}{reservation[1:]}.", class_="remark"))
    if material.missing:
        lines = [tag("li", one.sentence, " ", tag("code", one.command)) for one in material.missing]
        parts.append(tag("div", paragraph("This page does without:"), tag("ul", *lines), class_="missing"))
    return parts


def _sections(material: Material) -> list[Section]:
    return [
        Section("study", "The study's table beside ours", _study(material)),
        Section("curves", "Learning curves", _curves(material)),
        Section("confusions", "Confusions", _confusions(material)),
        Section("superclasses", "Accuracy per superclass", _superclasses(material)),
        Section("cost", "Accuracy and what it costs", _cost(material)),
        Section("seeds", "Seeds and thresholds", _seed_figures(material)),
        Section("normality", "What the thresholds assume and promise", _normality(material)),
        Section("confirmed", "Right code under new seeds", material.confirmed),
        Section("recipes", "What a verdict costs, and how sharp it is", material.recipes),
        Section("samples", "What the networks said", _samples(material)),
        Section("again", "Measuring it again", _again(material)),
    ]


def _study(material: Material) -> list[Part]:
    columns: list[tuple[str, LabelSet]] = [
        (task, labels) for task in material.titles for labels in LABEL_SETS
    ]
    in_study = [column in STUDY_COLUMNS for column in columns]
    top: list[tuple[Content, int]] = [("", 1)]
    second: list[tuple[Content, int]] = [("", 1)]
    for (task, labels), both in zip(columns, in_study, strict=True):
        top.append((f"{material.titles[task]} {labels}", 1 + both))
        second += [("2021", 1), ("here", 1)] if both else [("here", 1)]

    def row(name: str, ours: Callable[[str, LabelSet], str]) -> list[Content]:
        cells: list[Content] = [name]
        for (task, labels), both in zip(columns, in_study, strict=True):
            if both:
                study = STUDY.get(name)
                there = study[STUDY_COLUMNS.index((task, labels))] if study else ""
                cells.append(tag("span", there, class_="study"))
            cells.append(ours(task, labels))
        return cells

    def over_seeds(value: Callable[[Result], float | None], show: Callable[[float], str]) -> Any:
        def cell(task: str, labels: LabelSet) -> str:
            values = [value(result) for result in material.written(task, labels)]
            known = [one for one in values if one is not None]
            return _mean_sd(known, show) if known and len(known) == len(values) else "–"

        return cell

    def observed(value: Callable[[trainer.Observation], float | None], show: Callable[[float], str]) -> Any:
        def cell(task: str, labels: LabelSet) -> str:
            result = material.observed.get((task, labels))
            one = None if result is None or result.observed is None else value(result.observed)
            return "–" if one is None else show(one)

        return cell

    def parameters(task: str, labels: LabelSet) -> str:
        results = material.written(task, labels)
        return f"{results[0].parameters:,}" if results else "–"

    recipe = material.profile.recipe
    steps = f"{recipe.epochs} × {material.profile.train // recipe.batch}"
    rows = [
        row("training accuracy", over_seeds(lambda r: r.train_accuracy[-1], _percent)),
        row(
            "validation accuracy",
            observed(lambda o: o.validation_accuracy[-1] if o.validation_accuracy else None, _percent),
        ),
        row("time to train", over_seeds(lambda r: r.seconds, _time)),
        row("test loss", over_seeds(lambda r: r.loss, "{:.2f}".format)),
        row(
            "validation loss",
            observed(lambda o: o.validation_loss[-1] if o.validation_loss else None, "{:.2f}".format),
        ),
        row("epochs × steps", lambda *_: steps),
        ["Not in the study's table"],
        row("test accuracy", over_seeds(lambda r: r.accuracy, _percent)),
        row("chance", lambda _, labels: _percent(1 / CLASSES[labels])),
        row("parameters", parameters),
        row("runs, n", lambda task, labels: str(len(material.written(task, labels)))),
    ]
    caption = (
        f"The study of 2021 beside profile {material.profile.name}. {material.basis()} Here: mean ± standard "
        "deviation over seeds; the two validation rows are one observed run each (n = 1), at its last epoch; "
        "test is the hidden set."
    )
    parts: list[Part] = [
        paragraph(
            "The study named its own weakness: its models differed in epochs, batch size, steps, generators "
            "and preprocessing, so that the table says as much about these as about the networks. Here "
            "everything but the network is the same in every column. Nothing else is: the study trained "
            f"full-size networks on 40,000 photographs, this profile trains {_sizes(material)}. What can be "
            "compared is column with column within one source, and the study's ResNet with chance: its "
            "validation accuracy is exactly chance, and a loss of 65 is no loss of a network that guesses, "
            f"which is ln 20 = {np.log(20):.1f} or ln 100 = {np.log(100):.1f}."
        ),
        page.table([top, second], rows, caption),
        paragraph(
            "The study's text gives AlexNet's test accuracy as 48% once and as 47% once, and its coarse test "
            "loss as 2.67. It quotes Sharma, Jain and Mishra (2018) for AlexNet 44.10% and ResNet-50 59.82% "
            "on CIFAR-100; these were networks trained on ImageNet with a new last layer, no baseline for "
            "training from scratch. Training accuracy is taken while the weights still move, over each "
            "epoch: after few epochs it can be below validation accuracy."
        ),
    ]
    settings: list[list[Content]] = [
        [name.replace("_", " "), _setting(value)] for name, value in recipe.model_dump().items()
    ]
    settings += [
        [
            f"{title}, built with",
            ", ".join(f"{k} = {_setting(v)}" for k, v in arguments.items()) or "defaults",
        ]
        for task, title in material.titles.items()
        if (arguments := material.profile.builders.get(task)) is not None
    ]
    conditions = page.table(
        [[("condition", 1), ("the same for every network", 1)]],
        settings,
        f"The recipe of profile {material.profile.name}, from params.yaml.",
    )
    return [*parts, details("The conditions, which are equal for all networks", conditions)]


def _curves(material: Material) -> list[Part]:
    parts: list[Part] = []
    for labels in LABEL_SETS:
        curves, captions = [], []
        spreads: list[tuple[str, LabelSet]] = []
        for task, title in material.titles.items():
            results = material.written(task, labels)
            seen = material.observed.get((task, labels))
            results = results or ([seen] if seen else [])
            if not results:
                continue
            validation = seen.observed if seen else None
            curves.append(
                draw.Curve(
                    title,
                    np.array([result.train_accuracy for result in results], np.float64),
                    np.array([result.train_loss for result in results], np.float64),
                    np.array(validation.validation_accuracy if validation else (), np.float64),
                    np.array(validation.validation_loss if validation else (), np.float64),
                )
            )
            last = statistics.mean(result.train_accuracy[-1] for result in results)
            ends = f"{title} ends at {_percent(last)} in training"
            if validation and validation.validation_accuracy:
                ends += f" and {_percent(validation.validation_accuracy[-1])} in validation"
            captions.append(ends)
            spreads.append((task, labels))
        if not curves:
            continue
        watched = {result.seed for (_, of), result in material.observed.items() if of == labels}
        validation_note = (
            f" Validation: {material.profile.validation:,} other images of the course set, one run each "
            f"(n = 1), seed {_list(map(str, sorted(watched)))}."
            if watched
            else " Validation was not observed."
        )
        note = f"{material.basis()} {material.spread(spreads)} Shaded: ± sd.{validation_note}"
        title = f"Learning curves, {labels} labels"
        text = "; ".join(captions)
        parts.append(
            Picture(
                f"curves-{labels}",
                _png(draw.learning_curves, curves, chance=1 / CLASSES[labels], title=title, note=note),
                f"{text}. Where training runs ahead of validation the network learns its images by heart; "
                "where training lags, it is scored while its weights still move. A curve that still rises "
                "at the last epoch has been cut short by the recipe.",
                f"{title}: accuracy and loss by epoch for {_list([curve.name for curve in curves])}. {text}.",
            )
        )
    if not material.observed:
        parts.append(_needs_observed(material, "Validation curves"))
    return parts


def _confusions(material: Material) -> list[Part]:
    hidden = material.hidden
    if hidden is None:
        return [_needs_data(material, "Confusion matrices")]
    parts: list[Part] = []
    for labels in LABEL_SETS:
        for task, title in material.titles.items():
            said = material.predictions(task, labels)
            if said is None:
                continue
            parts.append(
                Section(
                    f"confusion-{task}-{labels}".replace("_", "-"),
                    f"{title}, {labels} labels",
                    _confusion(material, hidden, task, labels, said),
                )
            )
    return parts or [_needs_observed(material, "Confusion matrices and most confused pairs")]


def _confusion(
    material: Material, hidden: DataSet, task: str, labels: LabelSet, said: Predictions
) -> list[Part]:
    names = [_readable(name) for name in hidden.class_names(labels)]
    counts = draw.confusion_counts(hidden.labels(labels), said, CLASSES[labels])
    groups = None
    if labels == "fine":
        groups = draw.Groups(hidden.coarse_of_fine, tuple(map(_readable, hidden.coarse_names)))
    title = f"{material.titles[task]}, {labels} labels"
    name = f"{task}-{labels}".replace("_", "-")
    accuracy = float(np.trace(counts) / counts.sum())
    seed = material.observed[task, labels].seed
    note = (
        f"{material.basis()} One run, seed {seed} (n = 1): {_percent(accuracy)}. "
        f"{material.spread([(task, labels)])}"
    )
    recall = np.diag(counts) / np.maximum(1, counts.sum(axis=1))
    best, worst = names[int(recall.argmax())], names[int(recall.argmin())]
    extremes = (
        f"{best} is recognised most often ({_percent(recall.max())}), "
        f"{worst} least ({_percent(recall.min())})"
    )
    favourite = int(counts.sum(axis=0).argmax())
    favoured = f"{names[favourite]} is said most often ({counts.sum(axis=0)[favourite]:,} times)"
    inside = ""
    if groups is not None:
        same = groups.of[hidden.fine_labels] == groups.of[said]
        wrong = hidden.fine_labels != said
        within = float(same[wrong].mean()) if wrong.any() else 0.0
        inside = (
            f" Of the wrong answers {_percent(within)} stay within "
            "the superclass, the framed blocks; by chance it would be 4 of 99."
        )
    parts: list[Part] = []
    for normalise, what in ((False, "images"), (True, "percent of each class")):
        kind = "percent" if normalise else "counts"
        caption = (
            f"The same in percent of each true class. {extremes[0].upper()}{extremes[1:]}."
            if normalise
            else f"A row for each true class, a column for each answer; a dark diagonal is right. "
            f"{favoured[0].upper()}{favoured[1:]}.{inside}"
        )
        parts.append(
            Picture(
                f"confusion-{name}-{kind}",
                _png(
                    draw.confusion,
                    counts,
                    names,
                    normalise=normalise,
                    title=f"{title}: confusions in {what}",
                    note=note,
                    groups=groups,
                ),
                caption,
                f"Confusion matrix of {title} in {what}: {extremes}; {favoured}.",
            )
        )
    pairs = draw.confused_pairs(counts, PAIRS)
    listed = _list([f"{names[p.first]} and {names[p.second]} ({p.forth + p.back})" for p in pairs[:3]])
    if pairs:
        parts.append(
            Picture(
                f"pairs-{name}",
                _png(
                    draw.most_confused,
                    pairs,
                    names,
                    title=f"{title}: most confused",
                    note=note,
                    groups=groups,
                ),
                f"The pairs that are most often taken for one another: {listed}, out of "
                f"{pairs[0].images:,} images of both. Solid where the first is taken for the second, hatched "
                "the other way round: a lopsided bar is a network that prefers one of the two names.",
                f"Bars of the {len(pairs)} most confused pairs of {title}, led by {listed}.",
            )
        )
    if groups is not None:
        parts.append(details(f"All {len(names)} classes as a table", _classes(counts, names, groups, note)))
    return parts


def _classes(counts: draw.Counts, names: Sequence[str], groups: draw.Groups, note: str) -> Html:
    rows: list[list[Content]] = []
    for index in groups.order:
        row = counts[index].copy()
        right, images = int(row[index]), int(row.sum())
        row[index] = 0
        other = int(row.argmax())
        mistaken = f"{names[other]} ({row[other]})" if row[other] else "–"
        rows.append([names[index], groups.names[groups.of[index]], f"{right} of {images}", mistaken])
    return page.table(
        [[("class", 1), ("superclass", 1), ("right", 1), ("most often taken for", 1)]], rows, note
    )


def _superclasses(material: Material) -> list[Part]:
    hidden = material.hidden
    if hidden is None:
        return [_needs_data(material, "Accuracies per superclass")]
    panels: list[draw.Panel] = []
    spreads: list[tuple[str, LabelSet]] = []
    for labels in LABEL_SETS:
        shares: dict[str, draw.Floats] = {}
        for task, title in material.titles.items():
            said = material.predictions(task, labels)
            if said is not None:
                right = said == hidden.labels(labels)
                shares[title] = np.array(
                    [right[hidden.coarse_labels == group].mean() for group in range(CLASSES["coarse"])]
                )
                spreads.append((task, labels))
        if shares:
            panels.append(draw.Panel(f"{labels} labels", shares))
    if not panels:
        return [_needs_observed(material, "Accuracies per superclass")]
    names = [_readable(name) for name in hidden.coarse_names]
    parts = []
    for panel in panels:
        mean = np.mean(list(panel.shares.values()), axis=0)
        order = np.argsort(-mean, kind="stable")
        parts.append(
            f"on {panel.name} {names[order[0]]} ({_percent(mean[order[0]])}) and {names[order[1]]} are "
            f"easiest, {names[order[-1]]} ({_percent(mean[order[-1]])}) and {names[order[-2]]} hardest"
        )
    text = "; ".join(parts)
    note = (
        f"{material.basis()} One run of each network (n = 1), "
        f"{len(hidden) // CLASSES['coarse']:,} images a superclass. {material.spread(spreads)}"
    )
    return [
        Picture(
            "superclasses",
            _png(draw.per_superclass, panels, names, title="Accuracy per superclass", note=note),
            f"Mean over the networks: {text}. With fine labels an answer counts as right only if the class "
            "itself is right. A superclass that is far right on coarse and far left on fine labels is easy "
            "to recognise as a kind and hard to tell apart within.",
            f"A dot for each network and superclass; {text}.",
        )
    ]


def _cost(material: Material) -> list[Part]:
    points: list[draw.Point] = []
    spreads: list[tuple[str, LabelSet]] = []
    for task, title in material.titles.items():
        for labels in LABEL_SETS:
            results = material.written(task, labels)
            if results:
                points.append(
                    draw.Point(
                        title,
                        labels,
                        np.array([result.accuracy for result in results]),
                        np.array([result.seconds for result in results]),
                        results[0].parameters,
                    )
                )
                spreads.append((task, labels))
    if not points:
        return [_needs_runs(material, "Accuracy against cost")]
    text = "; ".join(
        f"{p.name} on {p.labels} labels {_percent(p.accuracies.mean())} in {_time(p.seconds.mean())} "
        f"with {p.parameters:,} parameters"
        for p in points
    )
    machines = _list({r.machine for group in material.groups.values() for r in group})
    note = f"{material.basis()} {material.spread(spreads)} Bars: ± sd. Time of one training on {machines}."
    return [
        Picture(
            "cost",
            _png(draw.cost, points, title="Accuracy and its cost", note=note),
            f"{text}. Up and to the left is better. Seconds depend on what else the machine was doing, "
            "which is most of their spread.",
            f"Two scatter plots of accuracy, against training time and against parameters: {text}.",
        )
    ]


def _seed_figures(material: Material) -> list[Part]:
    if not material.groups:
        return [_needs_runs(material, "Accuracies over seeds")]
    parts: list[Part] = []
    rows: list[list[Content]] = []
    for labels in LABEL_SETS:
        rows.append([f"{labels} labels, chance {_percent(1 / CLASSES[labels])}"])
        groups, margins = [], []
        for (task, of, variant), results in material.groups.items():
            if of != labels:
                continue
            title, threshold = material.titles[task], _threshold(material, task, labels)
            accuracies = np.array([result.accuracy for result in results])
            groups.append(draw.Seeds(f"{title}, {variant}", accuracies, threshold))
            low, high = _percent(accuracies.min()), _percent(accuracies.max())
            shown = _percent(threshold, 2) if threshold is not None else "–"
            mean_sd = _mean_sd(list(accuracies), lambda value: _percent(value, 2))
            rows.append([f"{title}, {variant}", str(len(accuracies)), mean_sd, low, high, shown])
            if threshold is not None and len(accuracies) > 1 and accuracies.std(ddof=1) > 0:
                distance = (accuracies.mean() - threshold) / accuracies.std(ddof=1)
                margins.append(f"{title} {variant} {distance:.1f}")
        if not groups:
            continue
        spread = material.spread([(task, labels) for task in material.titles])
        rule = material.thresholds.rule if material.thresholds else "no thresholds yet"
        below = sum(int((g.accuracies < g.threshold).sum()) for g in groups if g.threshold is not None)
        title = f"Accuracy under each seed, {labels} labels"
        margin = f" From mean to threshold, in standard deviations: {', '.join(margins)}." if margins else ""
        parts.append(
            Picture(
                f"seeds-{labels}",
                _png(
                    draw.seeds,
                    groups,
                    title=title,
                    note=f"{material.basis()} {spread} Thresholds: {rule}.",
                ),
                "Each dot is one training of a correct network; nothing but the seed differs within a row. "
                f"{below} of {sum(len(g.accuracies) for g in groups)} lie below their threshold.{margin} "
                f"Chance is {_percent(1 / CLASSES[labels])}.",
                f"{title}: a row of dots for each network with its threshold; {below} dots lie below one."
                f"{margin}",
            )
        )
    head: list[tuple[Content, int]] = [
        (text, 1) for text in ("network", "n", "mean ± sd", "lowest", "highest", "threshold")
    ]
    caption = f"Accuracy on the hidden images over seeds. {material.basis()}"
    return [*parts, page.table([head], rows, caption)]


def _normality(material: Material) -> list[Part]:
    found = material.calibration
    if found is None:
        return [
            Missing(
                "Whether accuracies are normal, which the thresholds assume, has not been examined yet:",
                f"nox -s reference -- --profile {material.profile.name}",
            )
        ]
    groups, low = [], 0
    for one in found.networks:
        if one.normality is not None:
            name = f"{material.titles.get(one.task, one.task)} {one.labels}, {one.variant}"
            groups.append(_residuals(name, one.normality))
            low += one.normality.p < 0.05
    parts: list[Part] = []
    if groups:
        pooled = ""
        if found.pooled is not None:
            groups.append(_residuals("all together", found.pooled, band=False))
            pooled = f" All together: W = {found.pooled.w:.4f}, p = {found.pooled.p:.2g}."
        tests = len(groups) - (found.pooled is not None)
        parts.append(
            Picture(
                "normality",
                _png(
                    draw.quantiles,
                    groups,
                    title="Are accuracies normal from seed to seed?",
                    note=f"{material.basis()} n as in each panel; in standard deviations from each network's "
                    "mean. Band: where 95% of normal samples lie, point by point. W, p: Shapiro and Wilk's "
                    "test.",
                ),
                "Sorted accuracies against where a normal distribution would have them. Dots that follow the "
                "line within the grey band are what normal accuracies look like; a tail that bends away from "
                f"it at the lower left would make false fails more frequent than stated. {low} of {tests} "
                f"tests have p < 0.05, where {0.05 * tests:.1f} are to be expected of normal accuracies."
                f"{pooled}",
                f"Normal Q-Q plots of {tests} networks; {low} of {tests} tests have p below 0.05.{pooled}",
            )
        )
    rows: list[list[Content]] = []
    for simulation in found.simulations:
        rows.append([simulation.population])
        rows += [
            [
                f"{material.titles.get(one.task, one.task)} {one.labels}",
                " + ".join(map(str, one.sizes)),
                _rate(one.first),
                _rate(one.failed),
                _rate(one.extra),
            ]
            for one in simulation.checks
        ]
        rows.append(
            [
                "a submission: any of these",
                "",
                "",
                _rate(simulation.submission),
                _rate(simulation.submission_extra),
            ]
        )
    head: list[tuple[Content, int]] = [
        (text, 1)
        for text in ("check", "n", "first training below", "failed in the end", "needs further seeds")
    ]
    parts.append(
        page.table(
            [head],
            rows,
            f"What becomes of correct networks, simulated. A threshold promises {_percent(found.rate, 2)} "
            f"for the first training; in brackets the interval of {found.confidence:.0%} confidence. "
            "Headings: where the accuracies were drawn from.",
        )
    )
    power: list[list[Content]] = [
        [f"{one.distance:g} sd lower", _rate(one.passed), _rate(one.extra)] for one in found.power
    ]
    parts.append(
        page.table(
            [[("a network whose mean is", 1), ("gets full marks", 1), ("needs further seeds", 1)]],
            power,
            "What becomes of wrong networks, simulated. Distances are from the correct network's mean, in "
            f"its standard deviations; a calibration of {' + '.join(map(str, found.luck.sizes))} runs.",
        )
    )
    return parts


def _samples(material: Material) -> list[Part]:
    hidden = material.hidden
    if hidden is None:
        return [_needs_data(material, "Sample images")]
    parts: list[Part] = []
    for labels in LABEL_SETS:
        said: dict[str, Predictions] = {}
        for task, title in material.titles.items():
            predictions = material.predictions(task, labels)
            if predictions is not None:
                said[title] = predictions
        if not said:
            continue
        names = [_readable(name) for name in hidden.class_names(labels)]
        right = np.sum([one == hidden.labels(labels) for one in said.values()], axis=0)
        order = np.random.Generator(np.random.PCG64(0)).permutation(len(hidden))
        kinds = [order[right[order] == len(said)], order[right[order] == 0]]
        if len(said) > 1:
            kinds.insert(1, order[(right[order] > 0) & (right[order] < len(said))])
        chosen = [int(index) for kind in kinds for index in kind[:SAMPLES]]
        shown = [
            draw.Sample(
                hidden.images[index],
                names[hidden.labels(labels)[index]],
                {title: names[one[index]] for title, one in said.items()},
            )
            for index in chosen
        ]
        tasks = {title: task for task, title in material.titles.items()}
        spread = material.spread([(tasks[title], labels) for title in said])
        shares = (
            f"all are right on {_percent(float(np.mean(right == len(said))))} of the images, "
            f"none on {_percent(float(np.mean(right == 0)))}"
        )
        note = f"{material.basis()} One run of each (n = 1). {spread}"
        parts.append(
            Picture(
                f"samples-{labels}",
                _png(draw.samples, shown, title=f"Images and answers, {labels} labels", note=note),
                "Hidden images, drawn by lot: first some on which every network is right, then some on which "
                f"they disagree, then some on which none is right. Of all of them {shares}. Photographs are "
                "read from the local data set while the page is written, and are not in the repository.",
                f"{len(shown)} images with their class and each network's answer; {shares}.",
                shareable=False,
            )
        )
    return parts or [_needs_observed(material, "Sample images")]


def _again(material: Material) -> list[Part]:
    name = material.profile.name
    commands = (
        (f"nox -s reference -- --profile {name}", "trains what has changed and sets the thresholds"),
        (f"nox -s report -- --profile {name}", "writes this page"),
        ("nox -s data", "brings CIFAR-100"),
    )
    lines = [tag("li", tag("code", command), f" {what}") for command, what in commands]
    pins = {result.pin for group in material.groups.values() for result in group}
    engines = {result.engine for group in material.groups.values() for result in group}
    parts: list[Part] = [tag("ul", *lines)]
    if pins:
        parts.append(paragraph(f"Data pin: {_list(pins)}. Engine: {_list(engines)}."))
    return parts


def _plots(material: Material) -> Iterator[tuple[str, str]]:
    """Learning curves, one file a network, and all accuracies: name and CSV text."""
    for task in material.titles:
        for labels in LABEL_SETS:
            results = material.written(task, labels)
            seen = material.observed.get((task, labels))
            results = results or ([seen] if seen else [])
            if not results:
                continue
            validation = seen.observed if seen else None
            rows = []
            for epoch in range(len(results[0].train_accuracy)):
                losses = [result.train_loss[epoch] for result in results]
                known = [loss for loss in losses if loss is not None]
                row: list[object] = [
                    epoch + 1,
                    round(statistics.mean(result.train_accuracy[epoch] for result in results), 6),
                    round(statistics.mean(known), 6) if known else "",
                ]
                for values in (
                    (validation.validation_accuracy, validation.validation_loss) if validation else ((), ())
                ):
                    row.append(values[epoch] if epoch < len(values) and values[epoch] is not None else "")
                rows.append(row)
            head = ["epoch", "train_accuracy", "train_loss", "validation_accuracy", "validation_loss"]
            yield f"{task}_{labels}.csv", _csv([head, *rows])
    if material.groups:
        head = ["task", "labels", "variant", "seed", "accuracy", "loss", "seconds", "parameters"]
        lines: list[list[object]] = [
            [*key, one.seed, one.accuracy, "" if one.loss is None else one.loss, one.seconds, one.parameters]
            for key, results in material.groups.items()
            for one in results
        ]
        yield "accuracies.csv", _csv([head, *lines])


# --- words ------------------------------------------------------------------------------------------------


def _png(figure: Callable[..., Any], *arguments: object, **named: object) -> bytes:
    return draw.png(figure(*arguments, **named))


def _residuals(name: str, one: calibration.Normality, *, band: bool = True) -> draw.Residuals:
    return draw.Residuals(
        name, np.array(one.residuals), np.array(one.quantiles), f"W {one.w:.3f}, p {one.p:.2g}", band
    )


def _threshold(material: Material, task: str, labels: LabelSet) -> float | None:
    if material.thresholds is None:
        return None
    for one in material.thresholds.thresholds:
        if (one.task, one.labels) == (task, labels):
            return one.threshold
    return None


def _needs_runs(material: Material, what: str) -> Missing:
    return Missing(
        f"{what}: no trainings of the solutions can be read.",
        f"nox -s reference -- --profile {material.profile.name}",
    )


def _needs_observed(material: Material, what: str) -> Missing:
    return Missing(
        f"{what} come from observed trainings, of which there are none here:",
        f"nox -s reference -- --profile {material.profile.name}",
    )


def _needs_data(material: Material, what: str) -> Missing:
    return Missing(
        f"{what} need the labelled images of {material.data_name}, which is not here:", "nox -s data"
    )


def _sizes(material: Material) -> str:
    profile = material.profile
    results = [results[0].parameters for results in material.groups.values()]
    networks = f"networks of {min(results):,} to {max(results):,} parameters" if results else "its networks"
    kind = "photographs" if profile.data == "cifar-100" else "drawn images"
    return f"{networks} on {profile.train:,} {kind}"


def _percent(value: float, decimals: int = 1) -> str:
    return f"{100 * value:.{decimals}f}%"


def _rate(rate: calibration.Rate) -> str:
    def short(value: float) -> str:
        return f"{100 * value:.3g}%"

    return f"{short(rate.rate)} ({short(rate.low)} to {short(rate.high)})"


def _time(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 300 else f"{seconds:.0f} s"


def _mean_sd(values: Sequence[float], show: Callable[[float], str]) -> str:
    """Such as `36.8 ± 0.6%`; the mean alone for one value."""
    mean = show(statistics.mean(values))
    if len(values) < 2:
        return mean
    sd = show(statistics.stdev(values))
    unit = mean.lstrip("0123456789.")
    return f"{mean.removesuffix(unit) if sd.endswith(unit) else mean} ± {sd}"


def _seeds(results: Sequence[Result]) -> str:
    """Such as `seeds 1 to 20`, or `seeds 3, 5 and 9`."""
    numbers = sorted(result.seed for result in results)
    if len(numbers) == 1:
        return f"seed {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"seeds {numbers[0]} to {numbers[-1]}"
    return f"seeds {_list(map(str, numbers))}"


def _versions(result: Result) -> str:
    return ", ".join(
        f"{name} {version}" for name, version in sorted(result.versions.items()) if version != "none"
    )


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _readable(name: str) -> str:
    return name.replace("_", " ")


def _list(parts: Any) -> str:
    """Such as `a, b and c`; a set in alphabetical order."""
    words = sorted(parts) if isinstance(parts, set | frozenset) else list(parts)
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _csv(rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
