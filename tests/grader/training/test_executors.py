"""Where trainings run: in containers, on this machine, and what is reported where there can be none."""

import subprocess
from pathlib import Path

import pytest

from grader.config.profiles import Backend
from grader.errors import TrainerFault, UsageError
from grader.sandbox import container_images
from grader.training import backends, executors, pool, store
from grader.training.executors import Contained, Local
from grader.training.job import Job, Result
from tests.grader.sandbox.running import CONTAINERS, containers_of, usable
from tests.grader.training.tiny import NETWORK, PIN, PROFILE, Heard


@pytest.fixture(scope="module", params=CONTAINERS)
def contained(request: pytest.FixtureRequest) -> Contained:
    """An executor that uses containers, or a skip that says what is missing."""
    usable(request.param)
    try:
        executor = executors.choose(request.param, "cpu")
    except UsageError as error:
        pytest.skip(str(error))
    assert isinstance(executor, Contained)
    return executor


def job(contained: Contained, seed: int = 0) -> Job:
    return Job.of(NETWORK, "coarse", seed, PROFILE, PIN, contained.backend)


@pytest.mark.slow
class TestContained:
    def test_trains(self, contained: Contained, tmp_path: Path) -> None:
        """The image says what computes in it, and a training in it tells of its steps and leaves a result."""
        assert contained.backend.startswith("keras ")
        heard = Heard()
        outcomes = pool.run([job(contained)], executor=contained, store=tmp_path, listener=heard)
        result = outcomes[job(contained).digest]
        assert isinstance(result, Result), result
        assert result.backend == contained.backend
        assert heard.steps[-1].step == heard.steps[-1].steps
        assert store.find(job(contained), tmp_path) == result
        assert containers_of(usable(contained._engine)) == []
        if contained.backend == backends.name():
            # The same libraries on the same processor: the same numbers to the last bit, or one digest would
            # stand for two results.
            here = pool.run([job(contained)], executor=Local(), store=tmp_path / "here")[
                job(contained).digest
            ]
            assert isinstance(here, Result)
            assert (here.accuracy, here.loss) == (result.accuracy, result.loss)

    def test_sees_nothing_but_its_job(self, contained: Contained, tmp_path: Path) -> None:
        """No network, no store, nothing to write to but its own; an ordinary user without capabilities."""
        home = tmp_path / "home"
        home.mkdir()
        command = contained._command("kit-trainer-test", home, [])
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

    def test_killed(self, contained: Contained, tmp_path: Path) -> None:
        """A training past its time leaves no container."""
        late = job(contained).model_copy(update={"limit_seconds": 0.1})
        (fault,) = pool.run([late], executor=contained, store=tmp_path).values()
        assert isinstance(fault, TrainerFault)
        assert "longer than" in fault.message
        assert containers_of(usable(contained._engine)) == []

    def test_gpu_that_is_not_there(self, contained: Contained) -> None:
        """Asked for a GPU, it does not train on the CPU: it says what is missing and how to fix it."""
        with_gpu = Contained(contained._engine, contained._image, "gpu")
        try:
            said = with_gpu.backend
        except UsageError as error:
            assert "GPU" in error.message  # noqa: PT017
            assert "nvidia-ctk" in error.fix  # noqa: PT017
        else:
            assert said.endswith(" gpu")


class TestChoose:
    @pytest.mark.parametrize("engine", ["bubblewrap", "none"])
    def test_this_machine(self, engine: str) -> None:
        """Where probes run without an image, so do trainings; nothing is started to find that out."""
        assert executors.choose(engine, "cpu").backend == backends.name("cpu")

    @pytest.mark.parametrize("engine", CONTAINERS)
    def test_no_image(self, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The command that builds it is named."""
        usable(engine)
        monkeypatch.setattr(
            container_images, "tag", lambda _target, tensorflow: f"localhost/no-such-image:{tensorflow}"
        )
        with pytest.raises(UsageError, match="no-such-image:gpu") as error:
            executors.choose(engine, "gpu")
        assert f"--engine {engine} --target trainer" in error.value.fix

    def test_backend(self) -> None:
        """A profile's backend is the one that its executor names."""
        assert " jax " in executors.choose("none", "cpu", "jax").backend

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("backend", "named", "package"),
        [("tensorflow", "TensorFlow", "tensorflow[and-cuda]"), ("jax", "JAX", "jax[cuda12]")],
    )
    def test_gpu_that_is_not_there(self, backend: Backend, named: str, package: str) -> None:
        """Nor does a plain process fall back to the CPU, on either backend."""
        try:
            said = executors.choose("none", "gpu", backend).backend
        except UsageError as error:
            assert f"{named} finds no GPU" in error.message  # noqa: PT017
            assert package in error.fix  # noqa: PT017
        else:
            assert said.endswith(" gpu")
