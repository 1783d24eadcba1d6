"""Trainings in containers, and what is said where there can be none."""

import subprocess
from pathlib import Path

import pytest

from grader.config.profiles import Backend
from grader.errors import TrainerFault, UsageError
from grader.sandbox import container_images
from grader.training import launchers, trainer
from grader.training.launchers import Chosen, Contained
from grader.training.trainer import Job, Result
from tests.grader.sandbox.running import CONTAINERS, containers_of, usable
from tests.grader.training.test_trainer import NETWORK, PIN, PROFILE, Heard


@pytest.fixture(scope="module", params=CONTAINERS)
def chosen(request: pytest.FixtureRequest) -> Chosen:
    """A launcher into containers, or a skip that says what is missing."""
    usable(request.param)
    try:
        return launchers.choose(request.param, "cpu")
    except UsageError as error:
        pytest.skip(str(error))


def engine_of(chosen: Chosen) -> str:
    assert isinstance(chosen.launcher, Contained)
    return chosen.launcher._engine


def job(chosen: Chosen, seed: int = 0) -> Job:
    return Job.of(NETWORK, "coarse", seed, PROFILE, PIN, chosen.engine)


@pytest.mark.slow
class TestContained:
    def test_trains(self, chosen: Chosen, tmp_path: Path) -> None:
        """The image says what computes in it, and a training in it tells of its steps and leaves a result."""
        assert chosen.engine.startswith("keras ")
        heard = Heard()
        outcomes = trainer.run([job(chosen)], store=tmp_path, watch=heard, launcher=chosen.launcher)
        result = outcomes[job(chosen).digest]
        assert isinstance(result, Result), result
        assert result.engine == chosen.engine
        assert heard.steps[-1].step == heard.steps[-1].steps
        assert trainer.stored(job(chosen), tmp_path) == result
        assert containers_of(usable(engine_of(chosen))) == []
        if chosen.engine == trainer.engine():
            # The same libraries on the same processor: the same numbers to the last bit, or one digest would
            # stand for two results.
            here = trainer.run([job(chosen)], store=tmp_path / "here")[job(chosen).digest]
            assert isinstance(here, Result)
            assert (here.accuracy, here.loss) == (result.accuracy, result.loss)

    def test_sees_nothing_but_its_job(self, chosen: Chosen, tmp_path: Path) -> None:
        """No network, no store, nothing to write to but its own; an ordinary user without capabilities."""
        launcher = chosen.launcher
        assert isinstance(launcher, Contained)
        home = tmp_path / "home"
        home.mkdir()
        command = launcher._command("kit-trainer-test", home, [])
        command = command[: command.index("-m")]
        code = """
import os, socket
def tried(action):
    try: action()
    except OSError: return 0
    return 1
folders = ("", "/kit", "/kit/grader", "/job", "/var/tmp", "/job/out")
capabilities = [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")]
print(os.getuid() != 0, *capabilities, tried(lambda: socket.create_connection(("192.0.2.1", 80), timeout=2)),
    [tried(lambda f=f: open(f + "/x", "w")) for f in folders], sorted(os.listdir("/job")))
"""
        printed = subprocess.check_output([*command, "-c", code], text=True, stderr=subprocess.STDOUT)
        assert printed == "True 0000000000000000 0 [0, 0, 0, 0, 0, 1] ['out']\n"

    def test_killed(self, chosen: Chosen, tmp_path: Path) -> None:
        """A training past its time leaves no container."""
        late = job(chosen).model_copy(update={"limit_seconds": 0.1})
        (fault,) = trainer.run([late], store=tmp_path, launcher=chosen.launcher).values()
        assert isinstance(fault, TrainerFault)
        assert "longer than" in fault.message
        assert containers_of(usable(engine_of(chosen))) == []

    def test_gpu_that_is_not_there(self, chosen: Chosen) -> None:
        """Asked for a GPU, it does not train on the CPU: it says what is missing and how to fix it."""
        launcher = chosen.launcher
        assert isinstance(launcher, Contained)
        with_gpu = Contained(launcher._engine, launcher._image, "gpu")
        try:
            said = launchers._asked(with_gpu, "gpu", launcher._engine)
        except UsageError as error:
            assert "GPU" in error.message  # noqa: PT017
            assert "nvidia-ctk" in error.fix  # noqa: PT017
        else:
            assert said.endswith(" gpu")


class TestChoose:
    @pytest.mark.parametrize("engine", ["bubblewrap", "none"])
    def test_this_machine(self, engine: str) -> None:
        """Where probes run without an image, so do trainings; nothing is started to find that out."""
        assert launchers.choose(engine, "cpu").engine == trainer.engine("cpu")

    @pytest.mark.parametrize("engine", CONTAINERS)
    def test_no_image(self, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The command that builds it is named."""
        usable(engine)
        monkeypatch.setattr(
            container_images, "tag", lambda _target, tensorflow: f"localhost/no-such-image:{tensorflow}"
        )
        with pytest.raises(UsageError, match="no-such-image:gpu") as error:
            launchers.choose(engine, "gpu")
        assert f"--engine {engine} --target trainer" in error.value.fix

    def test_backend(self) -> None:
        """A profile's backend is the one that its engine names."""
        assert " jax " in launchers.choose("none", "cpu", "jax").engine

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("backend", "named", "package"),
        [("tensorflow", "TensorFlow", "tensorflow[and-cuda]"), ("jax", "JAX", "jax[cuda12]")],
    )
    def test_gpu_that_is_not_there(self, backend: Backend, named: str, package: str) -> None:
        """Nor does a plain process fall back to the CPU, on either backend."""
        try:
            said = launchers.choose("none", "gpu", backend).engine
        except UsageError as error:
            assert f"{named} finds no GPU" in error.message  # noqa: PT017
            assert package in error.fix  # noqa: PT017
        else:
            assert said.endswith(" gpu")
