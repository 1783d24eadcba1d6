"""The report's tables of what a verdict costs, how far it tells right from wrong, and how it was tried."""

from collections.abc import Mapping
from pathlib import Path

from grader.reference import candidates, confirm
from grader.reference.candidates import Cell
from grader.reference.page import Content, Html, Missing, paragraph, table


def recipes(profile: str, titles: Mapping[str, str], path: Path) -> list[Html | Missing]:
    """The profile's recipe beside its candidates.

    Args:
        profile: which one.
        titles: of the tasks, by id.
        path: of recipes.json.
    """
    comparison = candidates.load(path, profile)
    if comparison is None:
        return [
            Missing(
                "How this recipe tells right from wrong beside others was not measured:",
                f"python -m grader.reference candidates --profile {profile}",
            )
        ]
    rows: list[list[Content]] = []
    for task, labels in dict.fromkeys((cell.task, cell.labels) for cell in comparison.cells):
        own = [cell for cell in comparison.cells if (cell.task, cell.labels) == (task, labels)]
        rows.append([f"{titles.get(task, task)}, {labels} labels"])
        rows += [_row(cell) for cell in own]
    head: list[tuple[Content, int]] = [
        (text, 1)
        for text in (
            "recipe",
            "seconds a verdict",
            "n",
            "mean",
            "sd",
            "threshold it would set",
            "best that only the threshold catches",
            "sd away",
            "best of all wrong ones",
            "sd away",
        )
    ]
    return [
        paragraph(
            "A grading recipe has to be cheap, since every submission pays for it, and sharp: right networks "
            "must come out close together and far above wrong ones. Right are the solution as written and "
            "with Keras's default initialisers; the mean is that of the one which learns less, the deviation "
            "is pooled over both. Of the wrong networks, some pass every check of the structure, and nothing "
            "but the threshold catches them; the others fail a check of the structure as well, and only show "
            "how fine a recipe tells. Where the best of them is above the mean, in negative deviations, no "
            "threshold could catch it: that is what the checks of the structure are for."
        ),
        table(
            [head],
            rows,
            f"What else was tried beside the recipe of profile {profile}. Seconds of one core, the median of "
            f"one training; n seeds for each of the two right variants, one run of each wrong network. "
            f"{comparison.machine}.",
        ),
    ]


def confirmed(profile: str, titles: Mapping[str, str], folder: Path) -> list[Html | Missing]:
    """How the solutions did under new seeds.

    Args:
        profile: which one.
        titles: of the tasks, by id.
        folder: reference/<profile>.
    """
    found = confirm.load(folder)
    if found is None:
        return [
            Missing(
                "The solutions were not graded under new seeds yet:",
                f"python -m grader.reference confirm --profile {profile}",
            )
        ]
    rows: list[list[Content]] = []
    for row in confirm.summary(found):
        rows.append(
            [
                f"{titles.get(row.task, row.task)} {row.labels}",
                f"{row.passed} of {row.seeds}",
                f"{row.threshold:.2%}",
                f"{row.lowest:.2%}",
                str(row.by_three),
            ]
        )
    rows.append(["a submission: all of these", f"{found.passed} of {len(found.seeds)}", "", "", ""])
    head: list[tuple[Content, int]] = [
        (text, 1)
        for text in ("check", "passed", "threshold", "lowest accuracy", "decided by three trainings")
    ]
    return [
        table(
            [head],
            rows,
            f"What became of the solutions under {len(found.seeds)} seeds that no threshold was made from, "
            f"{min(found.seeds)} to {max(found.seeds)}, decided as a submission is. {found.engine}, "
            f"{found.machine}.",
        )
    ]


def _row(cell: Cell) -> list[Content]:
    return [
        cell.candidate,
        f"{cell.cpu_seconds:.0f}",
        str(cell.n),
        f"{cell.mean:.1%}",
        f"{cell.sd:.2%}",
        f"{cell.threshold:.1%}",
        f"{cell.best_open.name}, {cell.best_open.accuracy:.1%}",
        f"{cell.open_distance:.1f}",
        f"{cell.best.name}, {cell.best.accuracy:.1%}",
        f"{cell.distance:.1f}",
    ]
