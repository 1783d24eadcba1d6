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

VERSION = 2  # of the figures and curves: see grader/reference/versions.py


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
    if not material.groups:
        first = material.missing[0]
        raise ManifestError(first.sentence, fix=first.command)
    if material.validation is None and material.profile.validation:
        raise DataError(f"the figures of profile {profile_name} need {material.data_name}", fix="nox -s data")
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
            if results := material.results(task, labels):
                yield f"{task}_{labels}.csv", _csv(_curve(results))
    if material.groups:
        head = ["task", "labels", "seed", "accuracy", "loss", "seconds", "parameters"]
        lines: list[list[object]] = [
            [*key, one.seed, one.accuracy, "" if one.loss is None else one.loss, one.seconds, one.parameters]
            for key, results in material.groups.items()
            for one in results
        ]
        yield "accuracies.csv", _csv([head, *lines])


def _curve(results: Sequence[Result]) -> list[list[object]]:
    """Means over the runs; empty where no run has a value."""
    columns = ("train_accuracy", "train_loss", "validation_accuracy", "validation_loss")
    rows: list[list[object]] = [["epoch", *columns]]
    for epoch in range(len(results[0].train_accuracy)):
        row: list[object] = [epoch + 1]
        for column in columns:
            curves = [getattr(result, column) for result in results]
            known = [curve[epoch] for curve in curves if epoch < len(curve) and curve[epoch] is not None]
            row.append(round(statistics.mean(known), 6) if known else "")
        rows.append(row)
    return rows


def _csv(rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
