"""Where trainings run: on this machine as it is, or in containers of the container image `trainer`.

    executor = executors.choose("podman", "gpu")    # by the sandbox's engine and the profile's device
    Job.of(..., executor.backend)                   # what computes there is part of a job
    pool.run(jobs, executor=executor, store=...)

A container sees its job, the data, read-only, and an empty folder for the result: no network, no store, no
other job. A device that was asked for and is not there is an error before anything is trained.
"""

import math
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from grader import scratch
from grader.config.profiles import Backend, Device
from grader.errors import UsageError
from grader.sandbox import container_images, containers, control_groups
from grader.sandbox.base import End, Limits
from grader.training import backends
from grader.training.job import ROOT

CHILD = "grader.training.child"  # the module that a child runs
JOB_HOME = "@home"  # in a child's arguments: its home, wherever the executor puts that

# The most that a child may hold. On a CPU the solutions take 0.9 GiB, most of it TensorFlow; a GPU's driver
# alone maps more.
MEMORY_BYTES: dict[Device, int | None] = {"cpu": 3 * 1024**3, "gpu": None}

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


@dataclass(frozen=True)
class Usage:
    """What a child has taken so far; None where the system does not tell.

    Attributes:
        cpu_seconds: of the processor, user and system, all threads together.
        memory_bytes: that it holds now.
        ran_out: whether it was stopped because memory ran out.
    """

    cpu_seconds: float | None = None
    memory_bytes: int | None = None
    ran_out: bool = False


class Executor(Protocol):
    """Where trainings run, and what computes there. Its methods may be called from any thread."""

    @property
    def backend(self) -> str:
        """The libraries and the device, such as `keras 3.15.1 tensorflow 2.21.0 cpu`: see backends.name.

        Raises:
            UsageError: nothing can be trained here, or not on the device that was asked for.
            TrainerFault: the backend is not installed.
        """
        ...

    @property
    def memory_bytes(self) -> int | None:
        """The most that a child may hold; None if there is no limit."""
        ...

    def start(
        self, home: Path, arguments: Sequence[str]
    ) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        """Starts `python -m grader.training.child ARGUMENTS`; on leaving, nothing of it is left.

        Its stdin closes when the parent is gone, however it went, and so ends the child; what is written
        to it are the names of further jobs. Its stdout has its progress, its stderr goes to the file `errors`
        in home.

        Args:
            home: the child's own folder; what it is to read lies there, what it writes goes to `out` in it.
            arguments: where they name a file in home, with JOB_HOME as that folder.
        """
        ...

    def usage(self, process: "subprocess.Popen[bytes]") -> Usage:
        """What a child has taken, its forks included; asked about twice a second, and when it has ended."""
        ...


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

    @cached_property
    def backend(self) -> str:
        """See Executor. Nothing is started to name a CPU's."""
        on_cpu = backends.name("cpu", self._backend)
        return on_cpu if self._device == "cpu" else _asked(self, self._device, "", self._backend)

    @property
    def memory_bytes(self) -> int | None:
        """See Executor."""
        return self._memory_bytes

    def usage(self, process: "subprocess.Popen[bytes]") -> Usage:
        """See Executor."""
        group = self._groups.get(process.pid)
        ran_out = group is not None and group.over() is End.MEMORY
        return replace(_usage_of(process.pid), ran_out=ran_out)

    @contextmanager
    def start(self, home: Path, arguments: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
        """See Executor."""
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
                env=local_environment(home, self._device, self._backend),
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
                    _kill_session(process)

    def _command(self, arguments: list[str]) -> list[str]:
        # -P: the current folder, wherever that is, must not decide what gets imported.
        return [sys.executable, "-P", "-m", CHILD, *arguments]


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
        self._first_processes: dict[int, int] = {}  # of containers, by the same

    @cached_property
    def backend(self) -> str:
        """See Executor. A container is asked for it."""
        return _asked(self, self._device, self._engine, self._backend)

    @property
    def memory_bytes(self) -> int | None:
        """See Executor."""
        return MEMORY_BYTES[self._device]

    def usage(self, process: "subprocess.Popen[bytes]") -> Usage:
        """See Executor: of the container's process 1 and its forks."""
        if process.pid not in self._first_processes and process.poll() is None:
            found = _first_process(self._engine, self._names[process.pid])
            if found is not None:
                self._first_processes[process.pid] = found
        first = self._first_processes.get(process.pid)
        return Usage() if first is None else _usage_of(first)

    @contextmanager
    def start(self, home: Path, arguments: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
        """See Executor."""
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
                    self._first_processes.pop(process.pid, None)
                    if process.poll() is None:
                        containers.remove(self._engine, name)
                        process.kill()

    def _command(self, name: str, home: Path, arguments: Sequence[str]) -> list[str]:
        (home / "out").mkdir(exist_ok=True)
        (home / "out").chmod(0o777)  # another user's, in there; nobody but the grader comes as far as this
        environment = child_environment("/tmp", self._device, self._backend)  # noqa: S108
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
            *(self._image, "-m", CHILD),
            *(argument.replace(JOB_HOME, "/job") for argument in arguments),
        ]


def choose(engine: str, device: Device, backend: Backend = "tensorflow") -> Executor:
    """The executor that goes with a sandbox's engine: containers for podman and docker, else processes here.

    Its backend is known from then on: what is not here is an error now.

    Raises:
        UsageError: the container image is missing or does not start, or there is no such device.
        TrainerFault: the backend is not installed here.
    """
    executor = Local(device, backend) if engine not in _GPU else _contained(engine, device, backend)
    _ = executor.backend
    return executor


def local_environment(home: Path, device: Device, backend: Backend = "tensorflow") -> dict[str, str]:
    """All that a child's libraries get to know of this machine's settings: nothing, but what stands here."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        **child_environment(str(home), device, backend),
    }


def child_environment(home: str, device: Device, backend: Backend = "tensorflow") -> dict[str, str]:
    """What every child finds, wherever it runs."""
    # Several children share a GPU; each would take all or most of its memory. On a CPU there is none to be
    # seen, and XLA's threads are one as well.
    of_device = {
        "gpu": {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
        "cpu": {
            "CUDA_VISIBLE_DEVICES": "-1",
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
            "NPROC": "1",
        },
    }
    return {
        "PYTHONHASHSEED": "0",
        "HOME": home,
        # An empty home for Keras: ~/.keras/keras.json may name another backend or float type.
        "KERAS_HOME": f"{home}/keras",
        "KERAS_BACKEND": backend,
        **of_device[device],
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "1",  # twice the speed
        # One thread: see child.py.
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def last_words(home: Path) -> str:
    """The last line that a child, or what was to start it, wrote on stderr."""
    said = (home / "errors").read_text(encoding="utf-8", errors="replace").splitlines()
    # docker's client ends with advice on its options, whatever went wrong.
    lines = [line for line in said if line.strip() and not line.startswith("Run 'docker")]
    return lines[-1].removeprefix("grader.errors.TrainerFault: ") if lines else "it said nothing"


def _contained(engine: str, device: Device, backend: Backend) -> Contained:
    """The executor with the container image that fits; UsageError if there is none."""
    # The one with CUDA runs on a CPU as well; the other is for machines where 6 GB are too much.
    wanted: tuple[container_images.TensorFlow, ...] = ("gpu",) if device == "gpu" else ("cpu", "gpu")
    reasons = []
    for tag in [container_images.tag("trainer", tensorflow=tensorflow) for tensorflow in wanted]:
        missing = containers.missing_image(engine, tag)
        if missing is None:
            return Contained(engine, tag, device, backend=backend)
        reasons.append(missing.reason)
    option = "" if device == "gpu" else " --cpu-trainer"
    raise UsageError(
        f"{engine} cannot train: {'; '.join(reasons)}",
        fix=f"Build it: nox -s image -- --engine {engine} --target trainer{option}",
    )


def _asked(executor: Executor, device: Device, engine: str, backend: Backend) -> str:
    """What a child of an executor says that it computes with; `engine` is empty where there is none."""
    where = f" in {engine}" if engine else ""
    with scratch.Folder("training") as folder:
        home = Path(folder)
        with executor.start(home, ["--backend-on", device]) as process:
            try:
                said = process.communicate(timeout=_START_SECONDS)[0].decode().split("\n")
            except subprocess.TimeoutExpired:
                raise UsageError(f"the trainer does not start{where}: no answer") from None
        if process.returncode == 0:
            return said[-2]
        reason = last_words(home)
    if device == "gpu":
        fix = _FIX_GPU[engine].format(package=_PACKAGE[backend])
        raise UsageError(
            f"this profile trains on a GPU, and none can be used here: {reason}",
            fix=f"{fix}; or choose a profile that trains on the CPU",
        )
    raise UsageError(f"the trainer does not start{where}: {reason}", fix="Run: nox -s image")


def _usage_of(process: int) -> Usage:
    """What /proc says of a process and its forks; a process that is gone has taken nothing that is known.

    Forks share most of their memory with it: what it holds is taken to be as much as the largest of them.
    """
    own = _taken(process)
    if own is None:
        return Usage()
    # Those that have ended are in its own time. One that ends right now is in neither, and so is missed once.
    forks = [taken for child in _forks(process) if (taken := _taken(child))]
    return Usage(own[0] + sum(seconds for seconds, _ in forks), max(own[1], *(held for _, held in forks), 0))


def _taken(process: int) -> tuple[float, int] | None:
    """Seconds of the processor, children that were waited for included, and bytes; None if it is gone."""
    try:
        fields = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
        pages = Path("/proc", str(process), "statm").read_text().split()
    except OSError:
        return None
    ticks = sum(int(fields[place]) for place in (11, 12, 13, 14))
    return ticks / os.sysconf("SC_CLK_TCK"), int(pages[1]) * os.sysconf("SC_PAGE_SIZE")


def _forks(process: int) -> list[int]:
    with suppress(OSError):
        children = Path("/proc", str(process), "task", str(process), "children").read_text()
        return [int(child) for child in children.split()]
    return []


def _kill_session(process: "subprocess.Popen[bytes]") -> None:
    """Kills a process that leads a session, and its forks; those see when it is gone already."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


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
        if CHILD.encode() in Path("/proc", str(first), "cmdline").read_bytes():
            return first
    return None
