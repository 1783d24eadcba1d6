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

BOTH: tuple[Backend, ...] = ("tensorflow", "jax")


def trained(backend: Backend, home: Path, *arguments: str) -> dict[str, Any]:
    """What a process of that backend prints, with the settings that a trainer's child gets."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.lab.both_backends", *arguments],
        env=executors.local_environment(home, "cpu", backend),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["backend"] == backend
    return found


@pytest.mark.slow
class TestBothBackends:
    """lab.training.train."""

    def test_same_losses_step_by_step(self, tmp_path: Path) -> None:
        """From the same weights, 20 losses agree to a thousandth; with other draws they do not."""
        tensorflow, jax = (trained(backend, tmp_path, "steps", "1")["train_loss"] for backend in BOTH)
        other = trained("tensorflow", tmp_path, "steps", "2")["train_loss"]
        assert len(tensorflow) == 20
        np.testing.assert_allclose(jax, tensorflow, rtol=1e-3)
        assert np.max(np.abs(np.divide(other, tensorflow) - 1)) > 1e-2
        assert tensorflow[-1] < tensorflow[0] - 0.1

    def test_same_accuracy(self, tmp_path: Path) -> None:
        """Two epochs end within five points of one another, well above chance."""
        tensorflow, jax = (trained(backend, tmp_path, "epochs", "1") for backend in BOTH)
        assert min(tensorflow["accuracy"], jax["accuracy"]) > 0.15
        assert abs(tensorflow["accuracy"] - jax["accuracy"]) < 0.05
        np.testing.assert_allclose(jax["train_accuracy"], tensorflow["train_accuracy"], atol=0.05)
