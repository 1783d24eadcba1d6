"""`python -m grader.benchmark.trainings FOLDER`: trains what a profile describes, afresh, as `grade` does.

A program of its own, so that its time and memory are apart from those of whoever measures it. Results go
into the folder, one JSON file a training, and nowhere else; `results.json` there has them all.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from grader.config.profiles import CLASSES
from grader.session import Session
from grader.training.job import Job, Result
from grader.training.pool import Pool
from grader.training.progress import Display

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains them; 0 if all were trained, else 1 with the reasons on stderr."""
    parser = argparse.ArgumentParser(description="Trains what a profile describes, afresh.")
    parser.add_argument("folder", type=Path, help="for the results; made if need be")
    parser.add_argument("--profile", default="cpu")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cells", type=int, default=6, help="only so many of the tasks and label sets")
    order = parser.parse_args(arguments)
    session = Session(ROOT, profile=order.profile, engine="none", own_code=True, workers=order.workers)
    display = Display(Console(stderr=True), 0)
    with Pool(session.executor, order.folder / "trainings", slots=session.slots, listener=display) as pool:
        jobs = described(session, pool, display)[: order.cells]
        outcomes = {name: future.result() for name, future in [(n, pool.submit(j)) for n, j in jobs]}
    results = {name: one.model_dump(mode="json") for name, one in outcomes.items() if isinstance(one, Result)}
    order.folder.mkdir(parents=True, exist_ok=True)
    (order.folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    for name, outcome in outcomes.items():
        if not isinstance(outcome, Result):
            print(f"{name}: {outcome}", file=sys.stderr)
    return 0 if len(results) == len(outcomes) else 1


def described(session: Session, pool: Pool, display: Display) -> list[tuple[str, Job]]:
    """The trainings of the networks that the tasks describe, one for each task and label set."""
    training = session.training(pool, display)
    assert training.described
    return [
        (f"{task.id}, {labels}", training.described(task.id, labels))
        for task in session.manifest.tasks
        if task.id in session.profile.builders
        for labels in CLASSES
    ]


if __name__ == "__main__":
    sys.exit(main())
