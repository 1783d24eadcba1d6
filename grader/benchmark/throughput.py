"""`python -m grader.benchmark.throughput`: images a second while networks are trained, and nothing else.

Trains each of the profile's three networks on one thread, for a few epochs of images that were drawn, and
prints JSON: for each task the images a second of all epochs but the first, which holds the tracing of the
graph. bench/pytorch/throughput.py does the same with PyTorch.
"""

import json
import os
import sys
import time
from functools import partial
from typing import Any

EPOCHS = 3
IMAGES = 2048
CLASSES = 20


def main() -> int:
    """Measures; its environment is already that of a training's process (see `environment`)."""
    import numpy as np

    from grader import blueprint
    from grader.grading import to_train
    from grader.session import Session
    from grader.training.job import ROOT
    from lab import training
    from lab.training import Examples

    session = Session(ROOT, profile="cpu")
    profile = session.profile
    recipe = profile.recipe.model_copy(update={"epochs": EPOCHS})
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    examples = Examples(images, rng.integers(0, CLASSES, IMAGES), CLASSES)
    few = Examples(images[:256], examples.labels[:256], CLASSES)
    found: dict[str, float] = {}
    for task in session.manifest.tasks:
        arguments = profile.builders.get(task.id)
        if arguments is None:
            continue
        network = to_train.described_network(task, CLASSES, arguments)
        seen: list[tuple[int, int, float]] = []

        def report(*, epoch: int, step: int, steps: int, accuracy: float, seen: Any = seen) -> None:
            seen.append((epoch, step, time.perf_counter()))

        build = partial(blueprint.build, network, fused=True)
        training.train(build, examples, few, recipe, seed=0, report=report)
        first = max(one for one in seen if one[0] == 0)  # the end of the first epoch
        found[task.id] = recipe.batch * (seen[-1][1] - first[1]) / (seen[-1][2] - first[2])
    print(json.dumps({"images_per_second": found, "threads": os.environ.get("OMP_NUM_THREADS")}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
