"""A training that is stopped goes on from its last epoch in another process, to the same result."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from grader.errors import TrainerFault
from grader.training import pool
from grader.training.executors import Local
from grader.training.job import Overrun, Result
from grader.training.running import Worker
from lab.checkpoints import Checkpoint, Progress
from tests.grader.training.tiny import FINISH, PROFILE, Doing, job

# It has all that a state can hide in: momenta, averaged weights, dropout, moving statistics, scored epochs.
LONG = job(
    conditions={
        "recipe": PROFILE.recipe.model_copy(update={"epochs": 40, "average": 0.5}),
        "validation": 100,
    }
)
# What it takes and when: no two trainings have the same.
OWN = {"seconds", "cpu_seconds", "when", "content"}


@pytest.mark.slow
def test_killed_after_an_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very same result, to the last bit; no checkpoint is left behind it."""
    started: list[Worker] = []

    class Recorded(Worker):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            started.append(self)

    monkeypatch.setattr(pool, "Worker", Recorded)
    folder = tmp_path / "checkpoints"
    checkpoint = Checkpoint(folder / f"{LONG.digest}.npz", LONG.digest)

    def killed() -> None:
        while (progress := checkpoint.progress()) is None or progress.epochs < 3:
            time.sleep(0.005)
        os.killpg(started[0].process.pid, signal.SIGKILL)

    killer = threading.Thread(target=killed, daemon=True)
    killer.start()
    stopped = pool.run([LONG], executor=Local(), store=tmp_path / "stopped", checkpoints=folder)
    assert isinstance(stopped[LONG.digest], TrainerFault)
    left = checkpoint.progress()
    assert left is not None
    assert 3 <= left.epochs < 40

    (went_on,) = pool.run([LONG], executor=Local(), store=tmp_path / "stopped", checkpoints=folder).values()
    (in_one_go,) = pool.run([LONG], executor=Local(), store=tmp_path / "whole").values()
    assert isinstance(went_on, Result)
    assert isinstance(in_one_go, Result)
    assert went_on.model_dump(exclude=OWN) == in_one_go.model_dump(exclude=OWN)
    assert went_on.seconds > left.seconds  # of both starts
    assert went_on.cpu_seconds > left.cpu_seconds
    assert list(folder.iterdir()) == []


def test_limit_counts_all_starts(tmp_path: Path) -> None:
    """What the epochs that are done have cost counts; the file is kept, for a higher limit."""
    checkpoint = Checkpoint(tmp_path / "checkpoints" / f"{job().digest}.npz", job().digest)
    checkpoint.save(Progress(train_accuracy=[0.5], cpu_seconds=99.9), [])
    limited = job(limit_seconds=100.0)
    began = time.monotonic()
    (outcome,) = pool.run(
        [limited],
        executor=Doing("while True: pass"),
        store=tmp_path / "store",
        checkpoints=checkpoint.path.parent,
    ).values()
    assert isinstance(outcome, Overrun)
    assert time.monotonic() - began < 30
    assert checkpoint.progress() is not None


def test_afresh_begins_at_the_beginning(tmp_path: Path) -> None:
    """A training that is asked for afresh finds no checkpoint."""
    checkpoint = Checkpoint(tmp_path / "checkpoints" / f"{job().digest}.npz", job().digest)
    checkpoint.save(Progress(train_accuracy=[0.5]), [])
    child = (
        "import json, pathlib\nassert not pathlib.Path(json.load(open(sys.argv[1]))['checkpoint']).exists()\n"
    )
    (outcome,) = pool.run(
        [job()],
        executor=Doing(child + FINISH),
        store=tmp_path / "store",
        checkpoints=checkpoint.path.parent,
        afresh=True,
    ).values()
    assert isinstance(outcome, Result)


def test_nothing_is_kept_unasked(tmp_path: Path) -> None:
    """Grading keeps no checkpoints: its jobs name no file."""
    child = "import json\nassert json.load(open(sys.argv[1]))['checkpoint'] == ''\n" + FINISH
    (outcome,) = pool.run([job()], executor=Doing(child), store=tmp_path / "store").values()
    assert isinstance(outcome, Result)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
