"""How measurements are written: spreads, seeds and versions, in figures and on the page."""

import statistics
from collections.abc import Callable, Sequence

from grader.training.job import Result
from grader.web.filters import listed


def mean_sd(values: Sequence[float], show: Callable[[float], str]) -> str:
    """Such as `36.8 ± 0.6%`; the mean alone for one value."""
    mean = show(statistics.mean(values))
    if len(values) < 2:
        return mean
    sd = show(statistics.stdev(values))
    unit = mean.lstrip("0123456789.")
    return f"{mean.removesuffix(unit) if sd.endswith(unit) else mean} ± {sd}"


def seeds(results: Sequence[Result]) -> str:
    """Such as `seeds 1 to 20`, or `seeds 3, 5 and 9`."""
    numbers = sorted(result.seed for result in results)
    if len(numbers) == 1:
        return f"seed {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"seeds {numbers[0]} to {numbers[-1]}"
    return f"seeds {listed(map(str, numbers))}"


def versions(result: Result) -> str:
    """Such as `keras 3.15.1, numpy 2.1.0`."""
    return ", ".join(
        f"{name} {version}" for name, version in sorted(result.versions.items()) if version != "none"
    )
