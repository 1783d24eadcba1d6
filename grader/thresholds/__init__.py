"""How accurate a network has to be, computed from trainings of the solutions, and what less accuracy earns.

reference/<profile>/runs/<task>.json have every training of the solutions; thresholds.json is computed from
them alone. A threshold is the lower one-sided prediction bound for one new training: with the mean m of the
hidden accuracy over n seeds, and its standard deviation s,

    threshold = m - k * s,    k = t(1 - RATE, n - 1) * sqrt(1 + 1/n)

A new training of the same network falls below it with probability RATE = 0.1%, if accuracies are normal
(calibration.py tests that, and simulates the rate).

What is trained is the training form of the solution's network (grader/blueprint/forms/), which is that of
every right submission: choices that the brief leaves open neither decide a mark nor need thresholds of
their own.

The network is trained under the grading seed as well. That run is the mark of every right submission
(known.py), so that a right network is known and costs no training; and thresholds that it would not pass
are refused, so that no right network is failed by luck.

Fewer than CALIBRATED_RUNS trainings in all give thresholds by the same formula, marked provisional.

A result within one standard deviation of the threshold, on either side, is close: two more trainings under
fresh seeds are added, and the median of the three decides (grader/grading/decide.py). A known result is
final.

Where nothing was trained yet, thresholds are estimates: written by hand into
reference/<profile>/estimates.yaml, each with where its figure comes from, and marked as uncalibrated
wherever they are used.

A threshold holds for the conditions it was measured under. Under others (a changed recipe, other data, other
libraries) it is stale: `Thresholds.stale` says what has changed; marks are given, as provisional ones.

    runs.py         trainings of the solutions, and their files
    known.py        which networks are known, and what came of them
    prepared.py     trainings on what the solution's `prepare` hands over, and the threshold they set
    model.py        thresholds: computed, read, and what they decide
    estimates.py    thresholds of what was never trained
    calibration.py  whether they keep what they promise
    files.py        the files of a profile, read and written
"""

from grader.thresholds.known import Known, KnownNetworks
from grader.thresholds.model import (
    MIN_RUNS,
    Threshold,
    Thresholds,
    bound,
    decisive,
    fraction,
    load,
    save,
)
from grader.thresholds.prepared import PreparedRuns, find_prepared
from grader.thresholds.runs import ReferenceRun, Runs, find_runs, load_runs, save_runs

__all__ = [
    "MIN_RUNS",
    "Known",
    "KnownNetworks",
    "PreparedRuns",
    "ReferenceRun",
    "Runs",
    "Threshold",
    "Thresholds",
    "bound",
    "decisive",
    "find_prepared",
    "find_runs",
    "fraction",
    "load",
    "load_runs",
    "save",
    "save_runs",
]
