"""One training loop on TensorFlow and on JAX: what comes out is the same up to rounding."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.config.profiles import Backend
from grader.training import executors

Found = dict[str, dict[str, Any]]
BOTH: tuple[Backend, ...] = ("tensorflow", "jax")
ASKED: dict[Backend, tuple[str, ...]] = {
    "tensorflow": ("steps 1", "steps 2", "epochs 1"),
    "jax": ("steps 1", "epochs 1"),
}


def trained(backend: Backend, home: Path) -> Found:
    """What a process of that backend prints, by what was asked for, with a trainer's child's settings."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.lab.both_backends", *ASKED[backend]],
        env=executors.local_environment(home, "cpu", backend),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: Found = {}
    for asked, line in zip(ASKED[backend], done.stdout.splitlines()[-len(ASKED[backend]) :], strict=True):
        found[asked] = json.loads(line)
        assert found[asked]["backend"] == backend
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[Backend, Found]:
    """All trainings of this module: one process for each backend, which it starts once."""
    home = tmp_path_factory.mktemp("home")
    return {backend: trained(backend, home) for backend in BOTH}


@pytest.mark.slow
class TestBothBackends:
    """lab.training.train."""

    def test_same_losses_step_by_step(self, both: dict[Backend, Found]) -> None:
        """From the same weights, 20 losses agree to a thousandth; with other draws they do not."""
        tensorflow, jax = (both[backend]["steps 1"]["train_loss"] for backend in BOTH)
        other = both["tensorflow"]["steps 2"]["train_loss"]
        assert len(tensorflow) == 20
        losses = [both[backend]["steps 1"]["loss"] for backend in BOTH]  # of the averaged weights
        assert losses[1] == pytest.approx(losses[0], rel=1e-3)
        np.testing.assert_allclose(jax, tensorflow, rtol=1e-3)
        assert np.max(np.abs(np.divide(other, tensorflow) - 1)) > 1e-2
        assert tensorflow[-1] < tensorflow[0] - 0.1

    def test_same_accuracy(self, both: dict[Backend, Found]) -> None:
        """Two epochs end within five points of one another, well above chance."""
        tensorflow, jax = (both[backend]["epochs 1"] for backend in BOTH)
        assert min(tensorflow["accuracy"], jax["accuracy"]) > 0.15
        assert abs(tensorflow["accuracy"] - jax["accuracy"]) < 0.05
        np.testing.assert_allclose(jax["train_accuracy"], tensorflow["train_accuracy"], atol=0.05)
