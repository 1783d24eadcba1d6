"""A child's limits of processor time and memory."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from grader.errors import TrainerFault
from grader.sandbox import control_groups
from grader.training import executors, pool
from grader.training.job import Outcome, Overrun
from tests.grader.training.tiny import Doing, job

SPIN = "while True: pass"
FILL = "held = []\nwhile True: held.append(b'x' * 2**20)"
MIB = 2**20


class TestLimits:
    """A child's processor time and memory, with children that need no Keras."""

    def outcome(self, folder: Path, executor: executors.Executor, **fields: Any) -> Outcome:
        (outcome,) = pool.run([job(**fields)], executor=executor, store=folder).values()
        return outcome

    def test_processor_time(self, tmp_path: Path) -> None:
        overrun = self.outcome(tmp_path, Doing(SPIN), limit_seconds=0.5)
        assert isinstance(overrun, Overrun)
        assert (overrun.what, overrun.given, overrun.described) == ("time", 0.5, None)

    @pytest.mark.slow
    def test_waiting_takes_no_processor_time(self, tmp_path: Path) -> None:
        """On a busy machine a child waits: that ends it much later, as a fault of the machine."""
        began = time.monotonic()
        fault = self.outcome(tmp_path, Doing("time.sleep(60)"), limit_seconds=0.3)
        assert isinstance(fault, TrainerFault)
        assert not isinstance(fault, Overrun)
        assert "this machine has no time for it" in fault.message
        assert 3 <= time.monotonic() - began < 30

    def test_where_the_system_does_not_tell(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without /proc the limit is one of the clock."""
        monkeypatch.setattr(executors, "_usage_of", lambda process: executors.Usage())
        overrun = self.outcome(tmp_path, Doing("time.sleep(60)"), limit_seconds=0.3)
        assert isinstance(overrun, Overrun)

    @pytest.mark.parametrize("groups", [True, False])
    def test_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: bool) -> None:
        """With a control group and without one: what passes the limit is stopped there."""
        if groups and not control_groups._parents():
            pytest.skip("no control group may be made here")
        if not groups:
            monkeypatch.setattr(control_groups.Group, "create", lambda limits: None)
        overrun = self.outcome(tmp_path, Doing(FILL, memory_bytes=100 * MIB))
        assert isinstance(overrun, Overrun)
        assert (overrun.what, overrun.given) == ("memory", 100 * MIB)

    def test_memory_that_cannot_be_had(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A child that limits itself ends by itself, and says why."""
        monkeypatch.setattr(control_groups.Group, "create", lambda limits: None)
        code = (
            "from resource import *\nmost = int(sys.argv[-1].partition('=')[2])\n"
            "setrlimit(RLIMIT_DATA, (most, most))\nx = bytearray(2 * most)"
        )
        overrun = self.outcome(tmp_path, Doing(code, memory_bytes=100 * MIB))
        assert isinstance(overrun, Overrun), overrun
        assert overrun.what == "memory"

    def test_another_s_memory(self, tmp_path: Path) -> None:
        """What was killed while it held little was not over its own limit."""
        fault = self.outcome(tmp_path, Doing("import os\nos.kill(os.getpid(), 9)"))
        assert isinstance(fault, TrainerFault)
        assert not isinstance(fault, Overrun)

    def test_nothing_is_left(self, tmp_path: Path) -> None:
        """No control group outlives its child."""
        self.outcome(tmp_path, Doing(SPIN), limit_seconds=0.2)
        assert not [
            f for parent in control_groups._parents() for f in parent.glob(f"kit-sandbox-{os.getpid()}-*")
        ]

    def test_of_a_gpu_there_is_none(self) -> None:
        assert executors.Local("gpu").memory_bytes is None
        assert executors.Local("cpu").memory_bytes == 3 * 1024 * MIB
