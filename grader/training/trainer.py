"""Trains networks that came as data, each in a process of its own, and keeps what came out.

    results = run(jobs, store=Path(".kit/trainings"))          # the parent: Result or TrainerFault by digest
    python -m grader.training.trainer JOB.json RESULT.json     # the child: one training

Where a child runs is its launcher's business (launchers.py): as a plain process, or in a container.
A child has a limit of processor time, so that a busy machine changes nothing, and of memory. One that
passes a limit is an Overrun: only a training of the described network can tell whose fault that is
(grader/grading/decide.py).

A result is filed under the digest of all that can change it, so that the same work is never done twice. A
child has one thread: two of them side by side train 1.6 times as many images a second as one with two
threads (1,180 to 730, AlexNet at width 0.25, Keras 3.15.1, TensorFlow 2.21.0, two Zen 4 cores), and one
thread adds numbers up in the same order every time: a repeated job gives the same result to the last bit.
"""

import argparse
import base64
import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import numpy as np
from pydantic import Field, ValidationError

from grader.blueprint import Blueprint, Budget, build, read
from grader.config.profiles import CLASSES, Backend, DataSource, Device, LabelSet, Profile
from grader.errors import TrainerFault
from lab import data, synthetic, training
from lab.files import write_atomically
from lab.strict import Strict

ROOT = Path(__file__).resolve().parents[2]

# Of a child. On a CPU the solutions take 0.9 GiB, most of it TensorFlow; a GPU's driver alone maps more.
MEMORY_BYTES: dict[Device, int | None] = {"cpu": 3 * 1024**3, "gpu": None}
# Of the processor, before a child trains: libraries and data take 8, more on slow machines.
START_SECONDS = 30.0
_WALL = 10.0  # the wall clock's limit, as a multiple of the processor's: for a child that waits for something


class Conditions(Strict):
    """What all trainings of a profile have in common: accuracies compare only where these are equal.

    Attributes:
        recipe: how to train.
        data: which data set.
        pin: the digest of its files.
        train: images trained on, a class-balanced prefix of the course set.
        hidden: images scored on, a class-balanced prefix of the hidden set.
        engine: the libraries that compute, with their versions, and the kind of device.
        code: lab.training.VERSION.
    """

    recipe: training.Recipe
    data: DataSource
    pin: str
    train: int
    hidden: int
    engine: str
    code: int

    @classmethod
    def of(cls, profile: Profile, pin: str, engine_name: str | None = None) -> "Conditions":
        """Those under which a profile trains on the data of that pin; without a launcher's engine, here.

        Raises:
            TrainerFault: a GPU that is not here, or a backend that is not installed.
        """
        return cls(
            recipe=profile.recipe,
            data=profile.data,
            pin=pin,
            train=profile.train,
            hidden=profile.hidden,
            engine=engine_name or engine(profile.device, profile.backend),
            code=training.VERSION,
        )


class Job(Strict):
    """One training. Equal digests mean equal results.

    Attributes:
        blueprint: the canonical form of the network; it is rebuilt from this.
        labels: what it learns to tell apart.
        seed: of everything that is drawn.
        conditions: all the rest that can change the result.
        observe: whether the result is to have an observation; what else is in it stays the same.
        validation: how many images an observed training is scored on after each epoch.
        budget: what the network may take at most; no part of the digest.
        limit_seconds: of the processor, after which the training is killed; no part of the digest. On a GPU,
            and where a system does not tell processor time, of the wall clock.
    """

    blueprint: dict[str, Any]
    labels: LabelSet
    seed: int
    conditions: Conditions
    observe: bool = False
    validation: int = 0
    budget: Budget
    limit_seconds: float

    @classmethod
    def of(
        cls,
        blueprint: Blueprint,
        labels: LabelSet,
        seed: int,
        profile: Profile,
        pin: str,
        engine_name: str | None = None,
        *,
        observe: bool = False,
    ) -> "Job":
        """The training of a network under a profile, on the data of that pin, by a launcher's engine."""
        return cls(
            blueprint=blueprint.canonical,
            labels=labels,
            seed=seed,
            conditions=Conditions.of(profile, pin, engine_name),
            observe=observe,
            validation=profile.validation if observe else 0,
            budget=profile.budget,
            limit_seconds=profile.limit_seconds,
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that can change the result, hexadecimal."""
        content = self.model_dump(mode="json", exclude={"budget", "limit_seconds"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Observation(Strict):
    """What an observed training tells besides: see lab.training.Training.

    Attributes:
        validation_accuracy: after each epoch; empty if the profile has no validation images.
        validation_loss: likewise; None where the loss ran away.
        predictions: a class index for each hidden image, as base64 of uint8; empty if the loss ran away.
    """

    validation_accuracy: tuple[float, ...]
    validation_loss: tuple[float | None, ...]
    predictions: str


class Result(Strict):
    """What came of a job.

    Attributes:
        digest: the job's.
        accuracy: on the hidden images, 0 to 1; chance if the loss ran away.
        loss: cross-entropy on them; None if the loss ran away.
        train_accuracy: for each epoch.
        train_loss: likewise; None where it ran away.
        parameters: of the network.
        seconds: of the training, without the start of the process.
        cpu_seconds: of the processor in that time, all threads together.
        observed: if the job asked for it.
        labels, seed, pin, engine: the job's, for the record.
        versions: of the libraries.
        machine: processor and system, for the record: the last digits of an accuracy depend on them.
    """

    digest: str
    accuracy: float = Field(ge=0, le=1)
    loss: float | None
    train_accuracy: tuple[float, ...]
    train_loss: tuple[float | None, ...]
    parameters: int
    seconds: float
    cpu_seconds: float
    observed: Observation | None = None
    labels: LabelSet
    seed: int
    pin: str
    engine: str
    versions: dict[str, str]
    machine: str

    @property
    def spent(self) -> float:
        """Seconds of that which a limit is in: of the processor, or of the clock where a GPU computes."""
        return self.seconds if self.engine.endswith(" gpu") else self.cpu_seconds


class Overrun(TrainerFault):
    """A training passed a limit and was stopped. It is the machine's fault until more is known.

    Attributes:
        what: which limit it was.
        given: that limit, in seconds or bytes.
        described: the seconds that a training of the described network took under its limits, once it has
            shown that they are enough: then the network is at fault. None as long as nobody knows.
    """

    def __init__(self, what: Literal["time", "memory"], given: float, described: float | None = None) -> None:
        took = (
            f"longer than {given:.0f} s"
            if what == "time"
            else f"more than {given / 1024**3:.1f} GiB of memory"
        )
        super().__init__(f"a training took {took} and was stopped")
        self.what, self.given, self.described = what, given, described


def limit_seconds(described_seconds: float, most: float = math.inf) -> float:
    """What a training is given: twice what the described network's takes, besides the start."""
    return min(most, START_SECONDS + 2 * described_seconds)


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


def usage_of(process: int) -> Usage:
    """What /proc says of a process; a process that is gone has taken nothing that is known."""
    try:
        fields = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
        pages = Path("/proc", str(process), "statm").read_text().split()
    except OSError:
        return Usage()
    ticks = sum(int(fields[place]) for place in (11, 12))
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(pages[1]) * os.sysconf("SC_PAGE_SIZE"))


@dataclass(frozen=True)
class Step:
    """How far a training is.

    Attributes:
        epoch: counted from 0.
        step: of `steps`, all epochs counted.
        accuracy: on this epoch's training images so far.
        seconds_left: at the pace so far.
    """

    epoch: int
    step: int
    steps: int
    accuracy: float
    seconds_left: float


class Watch:
    """Told how far the trainings are, in the thread that called `run`; override what is to be shown."""

    def stored(self, job: Job, result: Result) -> None:
        """The result was there already."""

    def started(self, job: Job) -> None:
        """A process was started for it."""

    def step(self, job: Job, step: Step) -> None:
        """About twice a second while it trains, or every few steps where those take longer."""

    def ended(self, job: Job, outcome: Result | TrainerFault) -> None:
        """It is done, or could not be."""


def pin(source: DataSource, root: Path = ROOT) -> str:
    """What stands for every byte of a data set, course and hidden; the embedded set is drawn for it (2 s)."""
    if source == "embedded":
        return f"{synthetic.embedded_course().pin}+{synthetic.embedded_hidden().pin}"
    return f"{data.course_pin(root).pin}+{data.hidden_pin(root).pin}"


def engine(device: Device = "cpu", backend: Backend = "tensorflow") -> str:
    """What computes here, such as `keras 3.15.1 tensorflow 2.21.0 cpu`; nothing is imported for a CPU.

    Raises:
        TrainerFault: the backend is not installed, or finds no GPU. It is not asked for more than that, and
            never left to choose.
    """
    versions = _versions()
    if versions[backend] == "none":
        raise TrainerFault(f"{_NAMES[backend]} is not installed", fix=f"Run: pip install {backend}")
    if device == "gpu" and not _gpu_seen(backend):
        raise TrainerFault(f"{_NAMES[backend]} finds no GPU")
    return f"keras {versions['keras']} {backend} {versions[backend]} {device}"


_NAMES: dict[Backend, str] = {"tensorflow": "TensorFlow", "jax": "JAX"}


def _gpu_seen(backend: Backend) -> bool:
    """Whether the backend itself, imported for this, has a GPU to compute on."""
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    import jax

    try:
        return bool(jax.devices("gpu"))
    except RuntimeError:  # its way to say that there is none
        return False


class Launcher(Protocol):
    """Starts children, and sees to it that none outlives its purpose."""

    def start(
        self, home: Path, arguments: Sequence[str]
    ) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        """Starts `python -m grader.training.trainer ARGUMENTS`; on leaving, nothing of it is left.

        Its stdin is never written to: it closes when the parent is gone, however it went, and so ends the
        child. Its stdout tells of progress, its stderr goes to the file `errors` in home.

        Args:
            home: the child's own folder; what it is to read lies there, what it writes goes to `out` in it.
            arguments: where they name a file in home, with JOB_HOME as that folder.
        """
        ...

    @property
    def memory_bytes(self) -> int | None:
        """The most that a child may hold; None if there is no limit."""
        ...

    def usage(self, process: "subprocess.Popen[bytes]") -> Usage:
        """What a child has taken; asked about twice a second, and once more when it has ended."""
        ...


JOB_HOME = "@home"  # in a child's arguments: its home, wherever the launcher puts that


# --- the parent -------------------------------------------------------------------------------------------


def run(
    jobs: Iterable[Job],
    *,
    store: Path,
    workers: int = 2,
    watch: Watch | None = None,
    launcher: Launcher | None = None,
    afresh: bool = False,
) -> dict[str, Result | TrainerFault]:
    """Trains what is not in the store yet, each distinct job once; a fault of one leaves the others alone.

    Whatever ends the parent ends its children, SIGKILL too; what was done by then is kept.

    Args:
        jobs: in the order in which they are to start; equal ones count once.
        store: a folder of results, made if need be.
        workers: how many train at a time, a thread each.
        watch: told how far they are.
        launcher: where they run; on this machine's CPU if None.
        afresh: whether what is in the store is trained all the same, and takes its place there: to see what
            it costs here and now.

    Returns:
        for each job's digest its result, or what kept it from having one: an Overrun if it passed a limit.

    Raises:
        TrainerFault: the store cannot be made.
    """
    if launcher is None:
        # Not above: it is no part of the trainer's container image, where a child runs.
        from grader.training.launchers import Local

        launcher = Local()
    watch = watch or Watch()
    outcomes: dict[str, Result | TrainerFault] = {}
    waiting: list[Job] = []
    for job in {job.digest: job for job in jobs}.values():
        result = None if afresh else stored(job, store)
        if result is None:
            waiting.append(job)
        else:
            outcomes[job.digest] = result
            watch.stored(job, result)
    if not waiting:
        return outcomes

    try:
        store.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainerFault(f"results cannot be kept in {store}: {error.strerror}") from error
    with (
        tempfile.TemporaryDirectory(prefix="kit-training-") as scratch,
        selectors.DefaultSelector() as selector,
    ):
        children: set[_Child] = set()
        try:
            while waiting or children:
                while waiting and len(children) < max(1, workers):
                    job = waiting.pop(0)
                    try:
                        child = _Child(job, store, Path(scratch), launcher)
                    except OSError as error:
                        outcomes[job.digest] = TrainerFault(f"a training could not be started: {error}")
                        watch.ended(job, outcomes[job.digest])
                        continue
                    children.add(child)
                    selector.register(child.output, selectors.EVENT_READ, child)
                    watch.started(job)
                for key, _ in selector.select(timeout=0.5):
                    child = key.data
                    for step in child.read():
                        watch.step(child.job, step)
                for child in list(children):
                    if child.running():
                        continue
                    selector.unregister(child.output)
                    children.remove(child)
                    outcomes[child.job.digest] = outcome = child.outcome()
                    watch.ended(child.job, outcome)
        finally:
            for child in children:
                child.kill()
    return outcomes


def stored(job: Job, store: Path) -> Result | None:
    """The job's result if the store has it; one that cannot be read is as good as none."""
    try:
        result = Result.model_validate_json(_path(job, store).read_bytes())
    except (OSError, ValidationError):
        return None
    return result if result.digest == job.digest else None


class _Child:
    """One running training."""

    def __init__(self, job: Job, store: Path, scratch: Path, launcher: Launcher) -> None:
        self.job = job
        self._store = store
        self._ended = False
        self._buffer = b""
        self._launcher = launcher
        self._stopped: TrainerFault | None = None
        self._usage = Usage()
        self._began = time.monotonic()
        self._home = scratch / job.digest
        (self._home / "out").mkdir(parents=True)
        (self._home / "job.json").write_text(job.model_dump_json(), encoding="utf-8")
        self._started = ExitStack()
        self._process = self._started.enter_context(
            launcher.start(self._home, [f"{JOB_HOME}/job.json", f"{JOB_HOME}/out/{job.digest}.json"])
        )
        assert self._process.stdout is not None
        self.output: IO[bytes] = self._process.stdout

    def read(self) -> Iterator[Step]:
        """The steps it has told of since the last call; to be called when there is something to read."""
        chunk = os.read(self.output.fileno(), 65536)
        self._ended = self._ended or not chunk
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        for line in lines:
            # A library may print something of its own.
            with contextlib.suppress(ValueError, TypeError):
                yield Step(**json.loads(line))

    def running(self) -> bool:
        """Whether it is; kills it when it has passed a limit."""
        if not self._ended:
            self._measure()
            self._stopped = self._passed()
            if self._stopped:
                self.kill()
        return not self._ended and not self._stopped

    def _measure(self) -> None:
        now = self._launcher.usage(self._process)
        # Of one that has just ended nothing is known any more but what was known before.
        self._usage = Usage(
            self._usage.cpu_seconds if now.cpu_seconds is None else now.cpu_seconds,
            max(self._usage.memory_bytes or 0, now.memory_bytes or 0),  # the peak, as far as it was seen
            now.ran_out or self._usage.ran_out,
        )

    def _passed(self) -> TrainerFault | None:
        """The limit that it has passed, if any."""
        limit, memory = self.job.limit_seconds, self._launcher.memory_bytes
        clock = time.monotonic() - self._began
        counted = None if self.job.conditions.engine.endswith(" gpu") else self._usage.cpu_seconds
        if (clock if counted is None else counted) > limit:
            return Overrun("time", limit)
        if clock > _WALL * limit:
            return TrainerFault(
                f"a training had not ended after {clock:.0f} s: this machine has no time for it"
            )
        if memory is not None and (self._usage.ran_out or (self._usage.memory_bytes or 0) > memory):
            return Overrun("memory", memory)
        return None

    def _lacked_memory(self, code: int) -> bool:
        """Whether a child that ended by itself, or was killed, did so because of its limit of memory."""
        memory = self._launcher.memory_bytes
        if memory is None or code == 0:
            return False
        if self._usage.ran_out:
            return True
        # A container's own counters are gone with it. The kernel kills for others' memory too: only what was
        # seen to hold most of its limit was over it.
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
            return (self._usage.memory_bytes or 0) > 0.75 * memory
        said = (self._home / "errors").read_text(encoding="utf-8", errors="replace")
        return any(word in said for word in _NO_MEMORY)

    def kill(self) -> None:
        """Ends it now and waits until it is gone."""
        self._started.close()

    def outcome(self) -> Result | TrainerFault:
        """What came of it, once it no longer runs; a result is in the store from then on."""
        code = self._process.wait()
        if not self._stopped:
            self._measure()
        self.kill()
        if self._stopped:
            return self._stopped
        if self._lacked_memory(code):
            return Overrun("memory", self._launcher.memory_bytes or 0)
        result = stored(self.job, self._home / "out")
        if code == 0 and result is not None:
            try:
                write_atomically(_path(self.job, self._store), result.model_dump_json(indent=1) + "\n")
            except OSError as error:
                return TrainerFault(f"results cannot be kept in {self._store}: {error.strerror}")
            return result
        return ended(code, self._home)


# How Python, TensorFlow and the C++ library say that they were not given any.
_NO_MEMORY = ("MemoryError", "ResourceExhaustedError", "bad_alloc", "Cannot allocate memory")


def ended(code: int, home: Path) -> TrainerFault:
    """Why a child ended without what it was started for."""
    if code > 128:  # a container's way to say it
        code = 128 - code
    if code < 0:
        name = signal.Signals(-code).name
        hint = "Usually memory ran out: free some and run it again." if code == -signal.SIGKILL else ""
        return TrainerFault(f"a training was ended by {name}", fix=hint)
    return TrainerFault(f"a training ended with code {code}: {last_words(home)}")


def last_words(home: Path) -> str:
    """The last line that a child, or what was to start it, wrote on stderr."""
    said = (home / "errors").read_text(encoding="utf-8", errors="replace").splitlines()
    # docker's client ends with advice on its options, whatever went wrong.
    lines = [line for line in said if line.strip() and not line.startswith("Run 'docker")]
    return lines[-1].removeprefix("grader.errors.TrainerFault: ") if lines else "it said nothing"


def _path(job: Job, store: Path) -> Path:
    return store / f"{job.digest}.json"


def local_environment(home: Path, device: Device, backend: Backend = "tensorflow") -> dict[str, str]:
    """All that a child's libraries get to know of this machine's settings: nothing, but what stands here."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        **environment(str(home), device, backend),
    }


def environment(home: str, device: Device, backend: Backend = "tensorflow") -> dict[str, str]:
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
        # One thread: see the top of this file.
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


# --- the child --------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Runs one job: progress as JSON lines on stdout, the result written in one go."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.training.trainer", description="One training. Started by `grade`."
    )
    parser.add_argument("job", type=Path, nargs="?")
    parser.add_argument("result", type=Path, nargs="?")
    parser.add_argument("--engine", choices=["cpu", "gpu"], help="only say what computes, on this device")
    parser.add_argument("--data-bytes", type=int, help="the most memory that it may allocate")
    options = parser.parse_args(arguments)
    if options.data_bytes:
        _limit_data(options.data_bytes)
    if options.engine:
        print(engine(options.engine, _backend()))
        return 0
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    job = Job.model_validate_json(options.job.read_bytes())
    write_atomically(options.result, perform(job).model_dump_json(indent=1) + "\n")
    return 0


def perform(job: Job) -> Result:
    """Trains a job in this process."""
    here = engine("gpu" if job.conditions.engine.endswith(" gpu") else "cpu", _backend())
    if job.conditions.engine != here or job.conditions.code != training.VERSION:
        raise TrainerFault(f"the job is for {job.conditions.engine}, this is {here}")
    blueprint = read(job.blueprint, job.budget)
    train_set, hidden_set, validation_set = _load(job)
    trained = training.train(
        lambda: build(blueprint),
        train_set,
        hidden_set,
        job.conditions.recipe,
        seed=job.seed,
        report=_Printer(),
        validation=validation_set,
    )
    observed = None
    if job.observe:
        predictions = b"" if trained.predictions is None else trained.predictions.tobytes()
        observed = Observation(
            validation_accuracy=trained.validation_accuracy,
            validation_loss=trained.validation_loss,
            predictions=base64.b64encode(predictions).decode(),
        )
    return Result(
        digest=job.digest,
        accuracy=trained.accuracy,
        loss=trained.loss,
        train_accuracy=trained.train_accuracy,
        train_loss=trained.train_loss,
        parameters=trained.parameters,
        seconds=round(trained.seconds, 2),
        cpu_seconds=round(trained.cpu_seconds, 2),
        observed=observed,
        labels=job.labels,
        seed=job.seed,
        pin=job.conditions.pin,
        engine=job.conditions.engine,
        versions=_versions(),
        machine=_machine(),
    )


def _limit_data(most: int) -> None:
    """Keeps this process from allocating more, where no control group counts what it holds."""
    import resource  # Unix alone has it

    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


class _Printer:
    """Reports on stdout, about twice a second."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None
        self._next = 0.0

    def __call__(self, *, epoch: int, step: int, steps: int, accuracy: float) -> None:
        now = time.monotonic()
        if self._first is None:
            # The first steps take seconds, to compile, and say nothing of the others.
            self._first = now, step
            return
        if now < self._next and step < steps:
            return
        self._next = now + 0.5
        began, done = self._first
        left = (now - began) / (step - done) * (steps - step)
        print(json.dumps(vars(Step(epoch, step, steps, round(accuracy, 4), round(left, 1)))), flush=True)


def _load(job: Job) -> tuple[training.Examples, training.Examples, training.Examples | None]:
    """The images a job trains on, those it is scored on and those it is validated on, if any.

    Raises:
        TrainerFault: they are not its pin's.
        DataError: there are not so many.
    """
    conditions = job.conditions
    if conditions.pin != pin(conditions.data):
        raise TrainerFault(f"the job is for data of pin {conditions.pin}, here is {pin(conditions.data)}")
    if conditions.data == "embedded":
        course, hidden = synthetic.embedded_course(), synthetic.embedded_hidden()
    else:
        course, hidden = data.course(ROOT), data.hidden(ROOT)

    def examples(of: data.DataSet) -> training.Examples:
        return training.Examples(of.images, of.labels(job.labels), CLASSES[job.labels])

    validation = None
    if job.observe and job.validation:
        validation = examples(_rest(course.prefix(conditions.train + job.validation), conditions.train))
    return (
        examples(course.prefix(conditions.train)),
        examples(hidden.prefix(conditions.hidden)),
        validation,
    )


def _rest(of: data.DataSet, n: int) -> data.DataSet:
    """What a prefix of n leaves of a class-balanced set, still in class order."""
    classes = len(of.fine_names)
    keep = np.arange(len(of)).reshape(classes, -1)[:, n // classes :].reshape(-1)
    return dataclasses.replace(
        of,
        images=of.images[keep],
        fine_labels=of.fine_labels[keep],
        coarse_labels=of.coarse_labels[keep],
    )


def _backend() -> Backend:
    """The one that Keras takes in this process."""
    return "jax" if os.environ.get("KERAS_BACKEND") == "jax" else "tensorflow"


def _leave_with_parent() -> None:
    """Waits until the parent's end of stdin closes, which it does even when the parent is killed."""
    os.read(0, 1)  # not sys.stdin: a thread that holds its lock breaks the interpreter's shutdown
    os._exit(1)


def _versions() -> dict[str, str]:
    def version(*packages: str) -> str:
        for package in packages:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                return importlib.metadata.version(package)
        return "none"

    return {
        "python": platform.python_version(),
        "keras": version("keras"),
        "tensorflow": version("tensorflow-cpu", "tensorflow"),
        "jax": version("jax"),
        "numpy": version("numpy"),
    }


def _machine() -> str:
    """The processor's name where the system tells it, and the system's."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


if __name__ == "__main__":
    sys.exit(main())
