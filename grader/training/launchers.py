"""Where a training runs: on this machine as it is, or in a container of the image `trainer`.

    chosen = launchers.choose("podman", "gpu")      # by the sandbox's engine and the profile's device
    trainer.run(jobs, store=..., launcher=chosen.launcher)      # for jobs made with chosen.engine

A container sees its job, the data, read-only, and an empty folder for the result: no network, no store, no
other job. A device that was asked for and is not there is an error before anything is trained.
"""

import math
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from grader.config.profiles import Backend, Device
from grader.errors import UsageError
from grader.sandbox import container_images, containers, control_groups
from grader.sandbox.base import End, Limits
from grader.training import trainer
from grader.training.trainer import JOB_HOME, MEMORY_BYTES, ROOT, Usage

_USER = 1000  # as in the Dockerfile
_PROCESSES = 4096  # of TensorFlow and CUDA: dozens; but it counts all that the user runs on this machine
_START_SECONDS = 300.0  # TensorFlow with CUDA takes ten to start; on a machine full of trainings, minutes
_ASK_SECONDS = 30.0  # for an engine to answer, on a machine that is busy
_DATA = ("data", "data.dvc", "grader/hidden", "grader/hidden.dvc")
_GPU = {"podman": "--device=nvidia.com/gpu=all", "docker": "--gpus=all"}
_FIX_GPU = {
    "podman": "Install NVIDIA's driver and Container Toolkit, then: "
    "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
    "docker": "Install NVIDIA's driver and Container Toolkit, then: nvidia-ctk runtime configure "
    "--runtime=docker && systemctl restart docker",
    "": "Install NVIDIA's driver and: pip install '{package}'; or use --engine podman with the "
    "image that has it (nox -s image)",
}
_PACKAGE: dict[Backend, str] = {"tensorflow": "tensorflow[and-cuda]", "jax": "jax[cuda12]"}


class Local:
    """Runs children as processes of this machine, with the packages that the grader runs with."""

    def __init__(
        self,
        device: Device = "cpu",
        backend: Backend = "tensorflow",
        *,
        memory_bytes: int | None = None,
    ) -> None:
        """With a limit of memory of one's own, or the device's."""
        self._device = device
        self._backend = backend
        self._memory_bytes = memory_bytes or MEMORY_BYTES[device]
        self._groups: dict[int, control_groups.Group] = {}  # by process

    @property
    def memory_bytes(self) -> int | None:
        """See Launcher."""
        return self._memory_bytes

    def usage(self, process: "subprocess.Popen[bytes]") -> Usage:
        """See Launcher."""
        group = self._groups.get(process.pid)
        ran_out = group is not None and group.over() is End.MEMORY
        return replace(trainer.usage_of(process.pid), ran_out=ran_out)

    @contextmanager
    def start(self, home: Path, arguments: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
        """See Launcher."""
        command = self._command([argument.replace(JOB_HOME, str(home)) for argument in arguments])
        with ExitStack() as cleanup, (home / "errors").open("wb") as errors:
            group = None
            if self._memory_bytes is not None and sys.platform == "linux":
                # Of the processor it has what it likes: the parent looks at its time.
                limits = Limits(
                    memory_bytes=self._memory_bytes,
                    processes=_PROCESSES,
                    cores=os.cpu_count() or 1,
                    cpu_seconds=math.inf,
                )
                group = control_groups.Group.create(limits)
                if group is None:
                    command.append(f"--data-bytes={self._memory_bytes}")
                else:
                    cleanup.callback(group.remove)
                    command = [*control_groups.entering(group), *command]
            process = subprocess.Popen(
                command,
                cwd=home,
                env=trainer.local_environment(home, self._device, self._backend),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
            if group is not None:
                self._groups[process.pid] = group
                cleanup.callback(self._groups.pop, process.pid)
            with process:
                try:
                    yield process
                finally:
                    process.kill()

    def _command(self, arguments: list[str]) -> list[str]:
        # -P: the current folder, wherever that is, must not decide what gets imported.
        return [sys.executable, "-P", "-m", "grader.training.trainer", *arguments]


class Contained:
    """Runs children in containers of podman or docker."""

    def __init__(
        self,
        engine: str,
        image: str,
        device: Device,
        root: Path = ROOT,
        backend: Backend = "tensorflow",
    ) -> None:
        self._engine = engine
        self._image = image
        self._device = device
        self._root = root
        self._backend = backend
        self._names: dict[int, str] = {}  # of containers, by their client's process
        self._inside: dict[int, int] = {}  # their process 1, by the same

    @property
    def memory_bytes(self) -> int | None:
        """See trainer.Launcher."""
        return MEMORY_BYTES[self._device]

    def usage(self, process: "subprocess.Popen[bytes]") -> Usage:
        """See trainer.Launcher: of the container's process 1, which trains."""
        if process.pid not in self._inside and process.poll() is None:
            found = _first_process(self._engine, self._names[process.pid])
            if found is not None:
                self._inside[process.pid] = found
        inside = self._inside.get(process.pid)
        return Usage() if inside is None else trainer.usage_of(inside)

    @contextmanager
    def start(self, home: Path, arguments: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
        """See trainer.Launcher."""
        name = f"kit-trainer-{secrets.token_hex(8)}"
        command = self._command(name, home, arguments)
        with containers.guarded(self._engine, name):
            with (home / "errors").open("wb") as errors:
                process = subprocess.Popen(
                    command,
                    cwd=home,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
            self._names[process.pid] = name
            with process:
                try:
                    yield process
                finally:
                    self._names.pop(process.pid)
                    self._inside.pop(process.pid, None)
                    if process.poll() is None:
                        containers.remove(self._engine, name)
                        process.kill()

    def _command(self, name: str, home: Path, arguments: Sequence[str]) -> list[str]:
        (home / "out").mkdir(exist_ok=True)
        (home / "out").chmod(0o777)  # another user's, in there; nobody but the grader comes as far as this
        environment = trainer.environment("/tmp", self._device, self._backend)  # noqa: S108
        user = os.getuid() or _USER  # data that are the grader's own stay readable
        return [
            *containers.hardened(self._engine, name, user, _PROCESSES),
            *(("--userns=keep-id",) if self._engine == "podman" and os.getuid() else ()),
            *((_GPU[self._engine],) if self._device == "gpu" else ()),
            *(_memory(self.memory_bytes) if self.memory_bytes else ()),
            "--tmpfs=/tmp:rw,nosuid,nodev,size=2g,mode=1777",
            *(f"--env={key}={value}" for key, value in environment.items()),
            *(
                f"--volume={self._root / path}:/kit/{path}:ro,z"
                for path in _DATA
                if (self._root / path).exists()
            ),
            f"--volume={home}:/job:ro,Z",
            f"--volume={home / 'out'}:/job/out:Z",
            *(self._image, "-m", "grader.training.trainer"),
            *(argument.replace(JOB_HOME, "/job") for argument in arguments),
        ]


def _memory(most: int) -> list[str]:
    # As much memory and swap together as memory: no swap.
    return [f"--memory={most}", f"--memory-swap={most}"]


def _first_process(engine: str, name: str) -> int | None:
    """The number that the process 1 of a container has on this machine; None while it is not to be found."""
    command = [*container_images.command(engine), "inspect", "--format={{.State.Pid}}", name]
    with suppress(subprocess.SubprocessError, OSError, ValueError):
        said = subprocess.run(command, capture_output=True, timeout=_ASK_SECONDS, check=True).stdout
        first = int(said)
        # An engine on another machine would name a process that is something else here.
        if b"grader.training.trainer" in Path("/proc", str(first), "cmdline").read_bytes():
            return first
    return None


@dataclass(frozen=True)
class Chosen:
    """A launcher, and what computes where it starts its children, for the digest of a job."""

    launcher: trainer.Launcher
    engine: str


def choose(engine: str, device: Device, backend: Backend = "tensorflow") -> Chosen:
    """The launcher that goes with a sandbox's engine: a container for podman and docker, else none.

    Raises:
        UsageError: the image is missing or does not start, or there is no such device.
        TrainerFault: the backend is not installed here.
    """
    if engine not in _GPU:
        local = Local(device, backend)
        named = trainer.engine("cpu", backend)
        return Chosen(local, named if device == "cpu" else _asked(local, device, engine, backend))
    # The one with CUDA runs on a CPU as well; the other is for machines where 6 GB are too much.
    wanted: tuple[container_images.TensorFlow, ...] = ("gpu",) if device == "gpu" else ("cpu", "gpu")
    reasons = []
    for tag in [container_images.tag("trainer", tensorflow=tensorflow) for tensorflow in wanted]:
        missing = containers.missing_image(engine, tag)
        if missing is None:
            contained = Contained(engine, tag, device, backend=backend)
            return Chosen(contained, _asked(contained, device, engine, backend))
        reasons.append(missing.reason)
    option = "" if device == "gpu" else " --cpu-trainer"
    raise UsageError(
        f"{engine} cannot train: {'; '.join(reasons)}",
        fix=f"Build it: nox -s image -- --engine {engine} --target trainer{option}",
    )


def _asked(launcher: trainer.Launcher, device: Device, engine: str, backend: Backend = "tensorflow") -> str:
    """What a child says of itself."""
    with tempfile.TemporaryDirectory(prefix="kit-training-") as folder:
        home = Path(folder)
        with launcher.start(home, ["--engine", device]) as process:
            try:
                said = process.communicate(timeout=_START_SECONDS)[0].decode().split("\n")
            except subprocess.TimeoutExpired:
                raise UsageError(f"the trainer does not start in {engine}: no answer") from None
        if process.returncode == 0:
            return said[-2]
        reason = trainer.last_words(home)
    if device == "gpu":
        fix = _FIX_GPU.get(engine, _FIX_GPU[""]).format(package=_PACKAGE[backend])
        raise UsageError(
            f"this profile trains on a GPU, and none can be used here: {reason}",
            fix=f"{fix}; or choose a profile that trains on the CPU",
        )
    raise UsageError(f"the trainer does not start in {engine}: {reason}", fix="Run: nox -s image")
