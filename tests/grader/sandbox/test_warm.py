"""Processes that were started ahead of time: one for each program, and none that is left."""

import time
from pathlib import Path

import pytest

from grader.config import manifest
from grader.grading import probing
from grader.sandbox import WarmEngine

ROOT = Path(__file__).parents[3]
TASK = manifest.load(ROOT / "solutions" / "tasks.toml").task("preprocessing")
SOLUTIONS = ROOT / "solutions"


def probed(engine: WarmEngine, folder: Path = SOLUTIONS) -> probing.Probed:
    return probing.probe(engine, TASK, folder, seed=1, builder_arguments={})


class TestWarm:
    """The same evidence, from a process that waited."""

    def test_is_used_and_gives_the_same(self) -> None:
        with WarmEngine(SOLUTIONS) as engine:
            first = probed(engine)
            assert not any(engine._waiting.values())
            engine.warm()
            waiting = [one for those in engine._waiting.values() for one in those]
            assert len(waiting) == 2  # of the task's first process and of its second
            second = probed(engine)
            assert not any(engine._waiting.values()), "one is used once"
            assert second.evidence.finished
            assert second.evidence.calls.keys() == first.evidence.calls.keys()
            assert {n: c.status for n, c in second.evidence.calls.items()} == {
                n: c.status for n, c in first.evidence.calls.items()
            }
        assert not any(one.thread.is_alive() for one in waiting)

    def test_one_that_is_gone_is_not_missed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with WarmEngine(SOLUTIONS) as engine:
            probed(engine)
            engine.warm()
            for one in [one for those in engine._waiting.values() for one in those]:
                for file in one.home.iterdir():
                    if file.is_dir():
                        file.rmdir()
                one.home.rmdir()  # whoever waits for a file in it ends
                one.thread.join(10)
            assert probed(engine).evidence.finished

    def test_nothing_is_left(self) -> None:
        with WarmEngine(SOLUTIONS) as engine:
            probed(engine)
            engine.warm(at_once=2)
            time.sleep(0.1)
            waiting = [one for those in engine._waiting.values() for one in those]
            home = Path(engine._home.name)
        assert not home.exists()
        assert not any(one.thread.is_alive() for one in waiting)
