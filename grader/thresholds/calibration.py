"""Whether the thresholds keep what they promise: are accuracies normal, and how often is a mark wrong?

A network that is known (known.py) is never failed wrongly: its mark is that of one run, and thresholds
which that run does not pass are refused. The rate is 0 by construction, and those runs are listed.

Of any other network that is as good as the known one, a threshold promises that one new training falls
below it with probability RATE. That holds if accuracies are normal from seed to seed, and it says nothing
of the whole procedure, in which a close result is decided by two more trainings. So both are examined, with
the functions that set the thresholds and decide on them (grader/thresholds), not with a copy of them:

- Normality: Shapiro and Wilk's test of each network's accuracies, and one test of all together.
- Simulation: calibrations are drawn, each gives a threshold, trainings of another correct network are drawn
  and decided on. Accuracies come from a normal distribution; from the measured residuals, smoothed; and from
  Student's t with 5 degrees of freedom, whose tails are heavier than any that so few runs could show.
- Power: the chance that a wrong network passes, whose accuracies lie so many standard deviations lower.

    save(runs, folder)      writes reference/<profile>/calibration.json
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from grader.config.profiles import LabelSet
from grader.thresholds import model
from grader.thresholds.runs import Runs
from lab.files import write_atomically
from lab.strict import Strict

DRAWS = 1_000_000
SEED = 20_250_101
CONFIDENCE = 0.95
DISTANCES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0)

_BATCH = 10_000  # draws at a time: 1.6 MB with 20 runs, which stays in the cache
_POOLED_DRAWS = 2000  # p-values to about a hundredth
_HEAVY = 5  # degrees of freedom

Population = Literal["normal", "measured residuals", "Student t, 5 degrees of freedom"]
Floats = NDArray[np.float64]
# Draws an array of that shape of a correct network's accuracies, in standard deviations from their mean.
Sampler = Callable[[np.random.Generator, tuple[int, ...]], Floats]

ZERO_BY_CONSTRUCTION = (
    "A known network is one that the reference pipeline has trained: its mark is that of the run under the "
    "grading seed. Thresholds that this run does not pass are refused: no known network can be failed."
)


class Normality(Strict):
    """Whether some accuracies could come from a normal distribution.

    Attributes:
        n: how many.
        w, p: Shapiro and Wilk's statistic, and the chance of one as low where accuracies are normal.
        residuals: (accuracy - mean) / standard deviation, from the lowest up.
        quantiles: where a normal distribution would have them, for a Q-Q plot.
    """

    n: int
    w: float
    p: float
    residuals: tuple[float, ...]
    quantiles: tuple[float, ...]


class Network(Strict):
    """One network on one label set, and whether its accuracies are normal.

    Attributes:
        task, labels: which.
        mean, sd: of its accuracies; sd with n - 1.
        normality: of them; None if they are all the same.
    """

    task: str
    labels: LabelSet
    mean: float
    sd: float
    normality: Normality | None


class KnownRun(Strict):
    """The run that is the mark of every submission with a known network.

    Attributes:
        task, labels: the check.
        seed: the grading seed.
        accuracy: of that run.
        threshold: no more than it.
    """

    task: str
    labels: LabelSet
    seed: int
    accuracy: float
    threshold: float


class KnownNetworksRate(Strict):
    """How often a known network is failed.

    Attributes:
        false_fail_rate: 0.
        why: in words.
        runs: those that say so, one for each check.
    """

    false_fail_rate: float
    why: str
    runs: tuple[KnownRun, ...]


class Rate(Strict):
    """A share of draws, with an interval that holds the true one with 95% confidence (Clopper-Pearson)."""

    rate: float
    low: float
    high: float
    count: int
    draws: int

    @classmethod
    def of(cls, count: int, draws: int) -> "Rate":
        """So many of so many."""
        interval = stats.binomtest(count, draws).proportion_ci(CONFIDENCE, method="exact")
        return cls(
            rate=count / draws, low=float(interval.low), high=float(interval.high), count=count, draws=draws
        )


class CheckRate(Strict):
    """What becomes of a correct network that is not known at one check.

    Attributes:
        task, labels: the check.
        n: the runs that set the threshold.
        first: the first training falls below the threshold; what RATE promises.
        failed: the check is failed in the end: what counts.
        extra: further seeds are needed.
    """

    task: str
    labels: LabelSet
    n: int
    first: Rate
    failed: Rate
    extra: Rate


class Simulation(Strict):
    """What becomes of correct networks that are not known.

    Attributes:
        population: where their accuracies are drawn from.
        checks: one by one.
        submission: at least one of all checks is failed in the end.
        submission_extra: at least one of them needs further seeds.
    """

    population: Population
    checks: tuple[CheckRate, ...]
    submission: Rate
    submission_extra: Rate


class Luck(Strict):
    """How much depends on the runs that happened to set a threshold, where accuracies are normal.

    A rate is an average over all calibrations that might have come out; each of them has its own.

    Attributes:
        n: the runs of a calibration.
        median, p95, p99: quantiles, over calibrations, of the chance that a correct network is failed.
    """

    n: int
    median: float
    p95: float
    p99: float


class Power(Strict):
    """The chance of a wrong network.

    Attributes:
        distance: so many standard deviations its mean lies below the correct one's; the same deviation.
        passed: it gets full marks all the same.
        extra: further seeds are needed to tell.
    """

    distance: float
    passed: Rate
    extra: Rate


class Calibration(Strict):
    """calibration.json.

    Attributes:
        profile: which one.
        rate: what a threshold promises, of one training.
        confidence: of every interval.
        seed: of the simulation.
        known: how often a known network is failed.
        networks: each network's accuracies.
        pooled: the residuals of all of them; None if there are none. Its p is found by simulation:
            residuals from their own mean, in their own deviation, are not independent draws.
        simulations: of other correct networks, one for each population.
        luck: for the fewest runs of any check.
        power: of wrong ones, for the fewest runs of any check, with accuracies that are normal.
    """

    format: Literal[3] = 3
    profile: str
    rate: float
    confidence: float
    seed: int
    known: KnownNetworksRate
    networks: tuple[Network, ...]
    pooled: Normality | None
    simulations: tuple[Simulation, ...]
    luck: Luck
    power: tuple[Power, ...]


def save(runs: Runs, folder: Path, *, draws: int = DRAWS) -> Calibration:
    """Writes what `study` finds to reference/<profile>/calibration.json."""
    found = study(runs, draws=draws)
    data = found.model_dump(mode="json")
    write_atomically(folder / "calibration.json", json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return found


def study(runs: Runs, *, draws: int = DRAWS, seed: int = SEED) -> Calibration:
    """Examines the thresholds that follow from reference runs; the same seed gives the same figures.

    Raises:
        ManifestError: no thresholds follow from them.
    """
    wanted = model.compute(runs).thresholds
    networks, residuals = [], []
    for (task, labels), group in runs.groups().items():
        accuracies = np.array([run.result.accuracy for run in group])
        mean, sd = float(accuracies.mean()), float(accuracies.std(ddof=1))
        shape = None
        if np.ptp(accuracies) > 0:
            residuals.append((accuracies - mean) / sd)
            shape = _normality(residuals[-1], float(stats.shapiro(accuracies).pvalue))
        networks.append(
            Network(
                task=task,
                labels=labels,
                mean=round(mean, 6),
                sd=round(sd, 6),
                normality=shape,
            )
        )
    rng = np.random.default_rng(seed)
    populations: dict[Population, Sampler] = {"normal": _normal}
    if residuals:
        populations["measured residuals"] = smoothed(np.concatenate(residuals))
    populations["Student t, 5 degrees of freedom"] = _heavy_tailed
    checks = [(one.task, one.labels, one.n) for one in wanted]
    fewest = min(n for _, _, n in checks)
    graded = {group: run.result for group, run in runs.graded().items()}
    known = tuple(
        KnownRun(
            task=one.task,
            labels=one.labels,
            seed=graded[one.task, one.labels].seed,
            accuracy=graded[one.task, one.labels].accuracy,
            threshold=one.threshold,
        )
        for one in wanted
    )
    return Calibration(
        profile=runs.profile,
        rate=model.RATE,
        confidence=CONFIDENCE,
        seed=seed,
        known=KnownNetworksRate(false_fail_rate=0.0, why=ZERO_BY_CONSTRUCTION, runs=known),
        networks=tuple(networks),
        pooled=_pooled(residuals, rng) if residuals else None,
        simulations=tuple(
            simulate(checks, population, sampler, draws=draws, rng=rng)
            for population, sampler in populations.items()
        ),
        luck=luck(fewest, draws=draws // 10, rng=rng),
        power=power(fewest, draws=draws // 10, rng=rng),
    )


def simulate(
    checks: Sequence[tuple[str, LabelSet, int]],
    population: Population,
    sampler: Sampler,
    *,
    draws: int,
    rng: np.random.Generator,
) -> Simulation:
    """Draws calibrations and trainings of correct networks, each check's on its own.

    Args:
        checks: task, label set, and how many runs set the threshold.
        population, sampler: the name of what accuracies are drawn from, and the same as a function.
        draws: how many submissions.
        rng: is drawn from.
    """
    counts = np.zeros((len(checks), 3), dtype=np.int64)  # below at first, failed, extra
    failed_somewhere = extra_somewhere = 0
    for size in _batches(draws):
        any_failed, any_extra = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        for i, (_, _, n) in enumerate(checks):
            below, failed, extra = _decide(sampler, rng, size, n, 0.0)
            counts[i] += below.sum(), failed.sum(), extra.sum()
            any_failed |= failed
            any_extra |= extra
        failed_somewhere += int(any_failed.sum())
        extra_somewhere += int(any_extra.sum())
    rates = [[Rate.of(int(count), draws) for count in row] for row in counts]
    return Simulation(
        population=population,
        checks=tuple(
            CheckRate(task=task, labels=labels, n=n, first=first, failed=failed, extra=extra)
            for (task, labels, n), (first, failed, extra) in zip(checks, rates, strict=True)
        ),
        submission=Rate.of(failed_somewhere, draws),
        submission_extra=Rate.of(extra_somewhere, draws),
    )


def power(n: int, *, draws: int, rng: np.random.Generator) -> tuple[Power, ...]:
    """The chances of networks whose accuracies are DISTANCES standard deviations too low."""
    found = []
    for distance in DISTANCES:
        passed = needed = 0
        for size in _batches(draws):
            _, failed, extra = _decide(_normal, rng, size, n, distance)
            passed += size - int(failed.sum())
            needed += int(extra.sum())
        found.append(Power(distance=distance, passed=Rate.of(passed, draws), extra=Rate.of(needed, draws)))
    return tuple(found)


def luck(n: int, *, draws: int, rng: np.random.Generator) -> Luck:
    """How the chance to be failed differs between calibrations of so many normal runs."""
    chances = []
    for size in _batches(draws):
        threshold, sd = _calibrate(_normal, rng, size, n)
        chances.append(chance_to_be_failed(threshold, sd))
    median, p95, p99 = (float(q) for q in np.quantile(np.concatenate(chances), (0.5, 0.95, 0.99)))
    return Luck(n=n, median=median, p95=p95, p99=p99)


def chance_to_be_failed(threshold: Floats, sd: Floats) -> Floats:
    """That of a correct network, exactly, given a threshold and the deviation that says what is close.

    All in standard deviations from the true mean of accuracies that are normal. Failed is what falls so far
    below that it is not close; or what falls below closely, and in one of two more trainings again; or what
    comes out closely above, and below in both of the others.
    """
    low, middle, high = (stats.norm.cdf(threshold + step * sd) for step in (-1, 0, 1))
    chances: Floats = low + (middle - low) * (1 - (1 - middle) ** 2) + (high - middle) * middle**2
    return chances


def smoothed(residuals: Floats) -> Sampler:
    """Draws measured residuals, each blurred by Silverman's width (a smooth bootstrap)."""
    quarter, three_quarters = np.quantile(residuals, (0.25, 0.75))
    spread = min(residuals.std(ddof=1), (three_quarters - quarter) / 1.34)
    width = 0.9 * spread * len(residuals) ** -0.2

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        drawn: Floats = residuals[rng.integers(0, len(residuals), shape)] + width * rng.standard_normal(shape)
        return drawn

    return draw


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.standard_normal(shape)


def _heavy_tailed(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.standard_t(_HEAVY, shape)


def _calibrate(sampler: Sampler, rng: np.random.Generator, size: int, n: int) -> tuple[Floats, Floats]:
    """Thresholds and standard deviations of `size` calibrations of n runs: two arrays (size,)."""
    runs = sampler(rng, (n, size))
    sd: Floats = runs.std(axis=0, ddof=1)
    return model.bound(runs.mean(axis=0), sd, n), sd


def _decide(
    sampler: Sampler, rng: np.random.Generator, size: int, n: int, distance: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """The whole procedure, `size` times: below at first, failed in the end, further seeds needed; (size,)."""
    threshold, sd = _calibrate(sampler, rng, size, n)
    accuracy = sampler(rng, (size,)) - distance
    below = accuracy < threshold
    extra = np.asarray(model.near(accuracy, threshold, sd))
    three = np.stack([accuracy[extra], *(sampler(rng, (2, int(extra.sum()))) - distance)])  # (3, needed)
    accuracy[extra] = np.take_along_axis(three, model.decisive(three)[None], axis=0)[0]
    return below, accuracy < threshold, extra


def _normality(residuals: Floats, p: float) -> Normality:
    ordered = np.sort(residuals)
    n = len(ordered)
    quantiles = stats.norm.ppf((np.arange(n) + 1 - 0.375) / (n + 0.25))  # Blom's positions
    return Normality(
        n=n,
        w=round(float(stats.shapiro(ordered).statistic), 6),
        p=round(p, 6),
        residuals=tuple(round(float(one), 4) for one in ordered),
        quantiles=tuple(round(float(one), 4) for one in quantiles),
    )


def _pooled(groups: Sequence[Floats], rng: np.random.Generator) -> Normality:
    """All residuals at once: how often normal ones, standardised in groups of these sizes, have a lower W."""
    observed = stats.shapiro(np.concatenate(groups)).statistic
    lower = 0
    for _ in range(_POOLED_DRAWS):
        drawn = [rng.standard_normal(len(group)) for group in groups]
        residuals = np.concatenate([(one - one.mean()) / one.std(ddof=1) for one in drawn])
        lower += int(stats.shapiro(residuals).statistic <= observed)
    return _normality(np.concatenate(groups), (lower + 1) / (_POOLED_DRAWS + 1))


def _batches(draws: int) -> list[int]:
    whole = [_BATCH] * (draws // _BATCH)
    return [*whole, draws % _BATCH] if draws % _BATCH else whole
