"""What is kept in git of a report: the figures without photographs, and the curves as CSV for `dvc plots`."""

import csv
import io
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.errors import ManifestError
from grader.reference.report.material import LABEL_SETS, Material
from grader.reference.report.page import ROOT, Page
from grader.training.job import Result
from lab.errors import DataError
from lab.files import write_atomically

VERSION = 1  # of the figures and curves: see grader/reference/versions.py


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
        for picture in Page.of(material).pictures()
        if picture.shareable
    }
    content |= {folder / "plots" / name: text for name, text in plots(material)}
    for old in (*(folder / "figures").glob("*.png"), *(folder / "plots").glob("*.csv")):
        if old not in content:
            old.unlink()
    for path, one in content.items():
        write_atomically(path, one)
    return list(content)


def plots(material: Material) -> Iterator[tuple[str, str]]:
    """Learning curves, one file a network, and all accuracies: name and CSV text."""
    for task in material.titles:
        for labels in LABEL_SETS:
            seen = material.observed.get((task, labels))
            results = material.written(task, labels) or ([seen] if seen else [])
            if results:
                yield f"{task}_{labels}.csv", _csv(_curve(results, seen))
    if material.groups:
        head = ["task", "labels", "variant", "seed", "accuracy", "loss", "seconds", "parameters"]
        lines: list[list[object]] = [
            [*key, one.seed, one.accuracy, "" if one.loss is None else one.loss, one.seconds, one.parameters]
            for key, results in material.groups.items()
            for one in results
        ]
        yield "accuracies.csv", _csv([head, *lines])


def _curve(results: Sequence[Result], seen: Result | None) -> list[list[object]]:
    validation = seen.observed if seen else None
    rows: list[list[object]] = [
        ["epoch", "train_accuracy", "train_loss", "validation_accuracy", "validation_loss"]
    ]
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
    return rows


def _csv(rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
