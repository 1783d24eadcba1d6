"""What computes here, by name."""

import pytest

from grader.config.profiles import Backend
from grader.errors import TrainerFault
from grader.training import backends


class TestName:
    """name."""

    @pytest.mark.parametrize("backend", ["tensorflow", "jax"])
    def test_names_backend_and_device(self, backend: Backend) -> None:
        """Library, backend and device are there, with versions."""
        keras, _, name, version, device = backends.name("cpu", backend).split()
        assert (keras, name, device) == ("keras", backend, "cpu")
        assert version == backends.versions()[backend]
        assert backends.device_of(backends.name("cpu", backend)) == "cpu"

    def test_backend_that_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is named, with what installs it; the other one does not take its place."""
        versions = {**backends.versions(), "jax": "none"}
        monkeypatch.setattr(backends, "versions", lambda: versions)
        with pytest.raises(TrainerFault, match="JAX is not installed") as caught:
            backends.name("cpu", "jax")
        assert "pip install jax" in caught.value.fix
