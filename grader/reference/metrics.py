"""What a profile measured, as a few numbers a network: `dvc metrics show` and `dvc metrics diff` read these.

One small file for each task and label set, reference/<profile>/metrics/<task>_<labels>.json, because DVC
shows a file a line: of thirty numbers in one file it makes one line of thirty columns.
"""

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from grader.config.profiles import LabelSet
from grader.thresholds import Runs, Thresholds
from lab.files import write_atomically


@dataclass(frozen=True)
class Metrics:
    """Of one solution on one label set.

    Attributes:
        accuracy: of the run under the grading seed: the mark of every submission with this training form.
        mean: hidden accuracy over the reference seeds.
        sd: its standard deviation from seed to seed.
        threshold: full marks from here on.
        n: trainings under reference seeds.
        seconds: of one training, on average: a verdict costs one.
    """

    accuracy: float
    mean: float
    sd: float
    threshold: float
    n: int
    seconds: float


def of(thresholds: Thresholds, runs: Runs) -> dict[tuple[str, LabelSet], Metrics]:
    """The metrics of every threshold, from the runs behind it."""
    seconds = {run.result.digest: run.result.seconds for run in runs.runs}
    graded = runs.graded()
    return {
        (one.task, one.labels): Metrics(
            accuracy=round(graded[one.task, one.labels].result.accuracy, 4),
            mean=round(one.mean, 4),
            sd=round(one.sd, 5),
            threshold=one.threshold,
            n=one.n,
            seconds=round(statistics.mean(seconds[digest] for digest in one.runs), 1),
        )
        for one in thresholds.thresholds
    }


def save(metrics: dict[tuple[str, LabelSet], Metrics], folder: Path) -> None:
    """Writes reference/<profile>/metrics/<task>_<labels>.json."""
    for (task, labels), one in metrics.items():
        content = json.dumps(asdict(one), indent=1) + "\n"
        write_atomically(folder / "metrics" / f"{task}_{labels}.json", content)


def table(profile: str, metrics: dict[tuple[str, LabelSet], Metrics]) -> Table:
    """For people."""
    columns = ("task", "labels", "accuracy", "mean", "sd", "threshold", "n", "seconds")
    shown = Table(*columns, title=f"Profile {profile}")
    for (task, labels), one in metrics.items():
        share = (f"{value:.2%}" for value in (one.accuracy, one.mean, one.sd, one.threshold))
        shown.add_row(task, labels, *share, str(one.n), f"{one.seconds:.0f}")
    return shown
