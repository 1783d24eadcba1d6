"""Whether a right network passes that is not known: solutions under seeds that set no threshold.

Known networks pass by construction (grader/thresholds/known.py). Of others as good as those the thresholds
say how rarely they fail, from a model of how accuracies deviate. This tries it: each solution's training
form is trained under fresh seeds and judged as `grade` judges what is not known (grader/grading), a close
result by the median of three. reference/<profile>/confirmation.json has them all.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError
from rich.table import Table

from grader import blueprint
from grader.blueprint import Blueprint
from grader.config.profiles import LabelSet, Profile
from grader.errors import ManifestError
from grader.reference.solutions import Networks
from grader.thresholds import Threshold, Thresholds, decisive, fraction
from grader.training.job import Job, Result
from lab.files import write_atomically
from lab.strict import Strict, explained

FIRST_SEED = 100_001  # far from those of the reference runs and of grading
Train = Callable[[Mapping[str, Job]], Mapping[str, Result]]  # jobs by what to call them; results by digest


class Verdict(Strict):
    """One solution graded once.

    Attributes:
        seed: of the training that came first.
        accuracies: of that one, and of the two that followed where it came close.
        decided: the accuracy that counts.
        passed: whether it earns full marks.
    """

    task: str
    labels: LabelSet
    seed: int
    accuracies: tuple[float, ...]
    decided: float
    passed: bool


class Confirmation(Strict):
    """reference/<profile>/confirmation.json.

    Attributes:
        backend: what computed, as in Conditions.
        thresholds: what was asked, by task and label set ("alexnet, fine").
        passed: of how many seeds every check that trains was passed, that is, full marks were given.
        verdicts: of every task and label set under every seed.
    """

    format: Literal[2] = 2
    profile: str
    machine: str
    backend: str
    seeds: tuple[int, ...]
    thresholds: dict[str, float]
    passed: int
    verdicts: tuple[Verdict, ...]


def confirm(
    networks: Mapping[tuple[str, LabelSet], Blueprint],
    wanted: Thresholds,
    seeds: Sequence[int],
    *,
    job: Callable[[Blueprint, LabelSet, int], Job],
    train: Train,
) -> Confirmation:
    """Grades each network under each seed.

    Args:
        networks: the solutions, by task and label set.
        wanted: the thresholds they are held against.
        seeds: new ones.
        job: the training of a network under a seed.
        train: runs all of them, or raises what stands in the way.
    """
    first = {(*key, seed): job(network, key[1], seed) for key, network in networks.items() for seed in seeds}
    results = dict(train({_name(*key): one for key, one in first.items()}))
    # The two that decide with a close one are fresh as well, and other ones for each seed.
    again: dict[tuple[str, LabelSet, int], list[Job]] = {}
    for (task, labels, seed), one in first.items():
        if wanted.get(task, labels).close(results[one.digest].accuracy):
            further = _further(seed)
            again[task, labels, seed] = [job(networks[task, labels], labels, extra) for extra in further]
    if again:
        names = {f"{_name(*key)}, close: seed {one.seed}": one for key, jobs in again.items() for one in jobs}
        results |= train(names)
    verdicts = tuple(
        _verdict(key, [results[j.digest] for j in (one, *again.get(key, ()))], wanted.get(key[0], key[1]))
        for key, one in first.items()
    )
    any_result = next(iter(results.values()))
    return Confirmation(
        profile=wanted.profile,
        machine=any_result.machine,
        backend=any_result.backend,
        seeds=tuple(seeds),
        thresholds={f"{task}, {labels}": wanted.get(task, labels).threshold for task, labels in networks},
        passed=sum(all(one.passed for one in verdicts if one.seed == seed) for seed in seeds),
        verdicts=verdicts,
    )


def fresh(profile: Profile, count: int) -> tuple[int, ...]:
    """So many seeds that neither the reference runs nor grading use."""
    used = {profile.grading_seed, *profile.extra_seeds, *profile.reference_seeds}
    assert max(used) < FIRST_SEED
    return tuple(range(FIRST_SEED, FIRST_SEED + count))


def blueprints(described: Sequence[Networks], profile: Profile) -> dict[tuple[str, LabelSet], Blueprint]:
    """The solutions' training forms, as they were described for the reference runs."""
    return {
        (one.task, network.labels): blueprint.read(network.network, profile.budget)
        for one in described
        for network in one.networks
    }


def save(confirmation: Confirmation, folder: Path) -> None:
    """Writes reference/<profile>/confirmation.json."""
    write_atomically(folder / "confirmation.json", confirmation.model_dump_json(indent=1) + "\n")


def load(folder: Path) -> Confirmation | None:
    """Reads reference/<profile>/confirmation.json; None if there is none.

    Raises:
        ManifestError: the file cannot be read.
    """
    path = folder / "confirmation.json"
    try:
        return Confirmation.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        why = explained(error) if isinstance(error, ValidationError) else error.strerror
        raise ManifestError(
            f"{path.name} cannot be read: {why}",
            fix=f"Run: python -m grader.reference confirm --profile {folder.name}",
        ) from error


class Row(NamedTuple):
    """One check under all seeds.

    Attributes:
        passed: under so many of the seeds.
        lowest: of the accuracies that counted.
        by_three: so many were close and decided by the median of three trainings.
    """

    task: str
    labels: str
    seeds: int
    passed: int
    threshold: float
    lowest: float
    by_three: int


def summary(confirmation: Confirmation) -> list[Row]:
    """A row for each task and label set."""
    rows = []
    for key, threshold in confirmation.thresholds.items():
        task, labels = key.split(", ")
        own = [one for one in confirmation.verdicts if (one.task, one.labels) == (task, labels)]
        passed, by_three = sum(one.passed for one in own), sum(len(one.accuracies) > 1 for one in own)
        lowest = min(one.decided for one in own)
        rows.append(Row(task, labels, len(own), passed, threshold, lowest, by_three))
    return rows


def table(confirmation: Confirmation) -> Table:
    """For the terminal."""
    shown = Table(
        *("task", "labels", "passed", "threshold", "lowest", "decided by three"),
        title=f"profile {confirmation.profile}: the solutions under {len(confirmation.seeds)} new seeds",
        caption=f"full marks under {confirmation.passed} of {len(confirmation.seeds)} seeds",
    )
    for row in summary(confirmation):
        passed, limits = f"{row.passed} of {row.seeds}", (f"{row.threshold:.1%}", f"{row.lowest:.1%}")
        shown.add_row(row.task, row.labels, passed, *limits, str(row.by_three))
    return shown


def _name(task: str, labels: LabelSet, seed: int) -> str:
    return f"{task}, {labels} labels, seed {seed}"


def _further(seed: int) -> tuple[int, int]:
    return seed + FIRST_SEED, seed + 2 * FIRST_SEED


def _verdict(key: tuple[str, LabelSet, int], results: Sequence[Result], threshold: Threshold) -> Verdict:
    task, labels, seed = key
    accuracies = [result.accuracy for result in results]
    decided = accuracies[int(decisive(accuracies))]
    return Verdict(
        task=task,
        labels=labels,
        seed=seed,
        accuracies=tuple(accuracies),
        decided=decided,
        passed=fraction(decided, threshold.threshold, threshold.chance) >= 1,
    )
