"""How accurate a network has to be, computed from trainings of the solutions, and what less accuracy earns.

reference/<profile>/runs/<task>.json have every training of the solutions; thresholds.json is computed from
them alone. A threshold is the lower one-sided prediction bound for one new training: with the mean m of the
hidden accuracy over n seeds, and its standard deviation s, known with f degrees of freedom,

    threshold = m - k * s,    k = t(1 - RATE, f) * sqrt(1 + 1/n)

A new training of the same network falls below it with probability RATE = 0.1%, if accuracies are normal
(calibration.py tests that, and simulates the rate).

The brief leaves initialisers open, and they can cost more than any seed: the solution is trained as it is
written, and again with Keras's default initialisers. Each variant has its own mean and bound, and the lower
bound counts, so that neither choice decides a mark. The deviation from seed to seed is taken from both
together, since it is about the same (calibration.py tests that too): s squared is the mean of theirs,
weighted by n - 1, and f the sum of n - 1. So five seeds of a second variant are enough: with 20 and 5, k is
3.57 for the first and 3.82 for the second. From 5 seeds alone it would be 7.86.

Fewer than CALIBRATED_RUNS trainings in all give thresholds by the same formula, marked provisional.

A result within one standard deviation of the threshold, on either side, is close: two more trainings under
fresh seeds are added, and the median of the three decides (grader/grading/schedule.py).

Where nothing was trained yet, thresholds are estimates: written by hand into
reference/<profile>/estimates.yaml, each with where its figure comes from, and marked as uncalibrated
wherever they are used.

A threshold holds for the conditions it was measured under. Under others (a changed recipe, other data, other
libraries) it is stale: `Thresholds.stale` says what has changed; marks are given, as provisional ones.

    runs.py         trainings of the solutions, and their files
    model.py        thresholds: computed, read, and what they decide
    estimates.py    thresholds of what was never trained
    calibration.py  whether they keep what they promise
    files.py        the files of a profile, read and written
"""

from grader.thresholds.model import (
    MIN_RUNS,
    Threshold,
    Thresholds,
    bound,
    decisive,
    fraction,
    load,
    pooled,
    save,
)
from grader.thresholds.runs import ReferenceRun, Runs, Variant, load_runs, save_runs

__all__ = [
    "MIN_RUNS",
    "ReferenceRun",
    "Runs",
    "Threshold",
    "Thresholds",
    "Variant",
    "bound",
    "decisive",
    "fraction",
    "load",
    "load_runs",
    "pooled",
    "save",
    "save_runs",
]
