"""Draws docs/figures/scaling.svg and prints the table of docs/scaling.md, from reference/bench.json.

    PYTHONPATH=. .nox/kit/bin/python docs/scaling.py

What a class of 10,000 takes: grader/estimate.py's arithmetic with the seconds that `nox -s bench` measured.
The right panel's seconds on a GPU are not measured: params.yaml says where they come from.
"""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

from grader.estimate import Pace, in_words, seconds

ROOT = Path(__file__).resolve().parents[1]
STUDENTS, TASKS = 10_000, 5
PLACES = 8  # of a worker: one a core
WORKERS = (1, 2, 4, 8, 16)  # 128 places: as many probes as one grader hands out at a time
GPUS = (1, 2, 4, 8, 16, 32, 64)
PROBING = 16  # workers, beside the GPUs
NETWORKS = (0, 100, 1_000, 10_000)
GPU_SECONDS = 32.0 + 10.0  # a wide ResNet and its start, by the estimate in params.yaml: nobody has seen it
COLOURS = ("#8a979e", "#00696f", "#b35c00", "#7a1f5c")


def measured() -> tuple[float, float]:
    """Seconds of one place for a probe, and for a training, by the clock."""
    figures = json.loads((ROOT / "reference" / "bench.json").read_text())
    submission = figures["figures"]["class"]["sides"][0]["value"]
    training = figures["figures"]["training-time"]["sides"][0]["value"]
    # A further submission was timed on all cores at once.
    return submission * figures["machine"]["cores"] / TASKS, training


def takes(networks: int, pace: Pace) -> float:
    """Hours for the class."""
    took = seconds(STUDENTS * TASKS, networks, pace)
    assert took is not None
    return took / 3600


def main() -> None:
    """Draws and prints."""
    probe, training = measured()
    plt.rcParams.update({"font.size": 11, "svg.hashsalt": "kit", "svg.fonttype": "path"})
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
    for networks, colour in zip(NETWORKS, COLOURS, strict=True):
        label = f"{networks:,} networks to train" if networks else "all networks known"
        hours = [takes(networks, Pace(probe, training, PLACES * workers)) for workers in WORKERS]
        left.plot(WORKERS, hours, "o-", color=colour, label=label)
        if networks:
            # Workers probe meanwhile; each GPU trains one network at a time.
            probing = takes(0, Pace(probe, training, PLACES * PROBING))
            alone = [seconds(0, networks, Pace(None, GPU_SECONDS, count)) or 0.0 for count in GPUS]
            hours = [max(probing, one / 3600) for one in alone]
            right.plot(GPUS, hours, "s--", color=colour, label=label)
    left.set_title(f"Profile cpu, measured: a probe {probe:.2f} s, a training {training:.0f} s")
    right.set_title(f"Profile gpu, estimated: a training {GPU_SECONDS:.0f} s; {PROBING} workers probe")
    left.set_xlabel(f"workers with {PLACES} places each")
    right.set_xlabel("GPUs")
    left.set_ylabel(f"hours for {STUDENTS:,} submissions")
    for axes, ticks in ((left, WORKERS), (right, GPUS)):
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(ticks, [str(count) for count in ticks])
        axes.set_yticks([1 / 60, 1 / 6, 1, 10, 100], ["1 min", "10 min", "1 h", "10 h", "100 h"])
        axes.grid(color="#dde3e6")
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    target = ROOT / "docs" / "figures" / "scaling.svg"
    figure.savefig(target, metadata={"Date": None})
    print("| networks to train | core hours | 1 worker | 4 workers | 16 workers |\n|---|---|---|---|---|")
    for networks in NETWORKS:
        core = (STUDENTS * TASKS * probe + networks * training) / 3600
        cells = [in_words(3600 * takes(networks, Pace(probe, training, PLACES * n))) for n in (1, 4, 16)]
        print(f"| {networks:,} | {core:.1f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
