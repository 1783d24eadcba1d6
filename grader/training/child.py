"""A process that trains: one job after another, each in a fork of its own.

    python -m grader.training.child JOB.json RESULT.json      # started by an executor (executors.py)
    python -m grader.training.child --backend-on cpu          # only names what computes here

Trusted code alone, with networks that came as data. Progress is printed as lines of JSON, a result is
written in one go; then a line {"done": RESULT's name} says so. After that the process waits on its standard
input for lines {"job": ..., "result": ...}, the names of the next job's file beside the first one's and of
its result. It ends when its standard input closes, and with the first job that fails: nothing outlives
whoever started it.

To import Keras and TensorFlow takes as much processor time as a tenth of a training. This process does it
once and computes nothing itself: a fork has one thread, no seed drawn, no layer named and no function traced,
like a process that has just been started, and so the same results to the last bit; its memory goes with it.
Where libraries have started threads by then, or are not known to bear a fork (JAX, CUDA), a process does one
job.

A job has one thread: two trainings side by side train 1.6 times as many images a second as one with two
threads (1,180 to 730, AlexNet at width 0.25, Keras 3.15.1, TensorFlow 2.21.0, two Zen 4 cores), and one
thread adds numbers up in the same order every time: a repeated job gives the same result to the last bit. The
settings for that come with its environment (executors.py).

All that this module imports is in the trainer's container image, and nothing else of this checkout
(.dockerignore).
"""

import argparse
import base64
import dataclasses
import gc
import json
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NoReturn

from grader.blueprint import build, read
from grader.config.profiles import CLASSES, Backend, DataSource
from grader.errors import TrainerFault
from grader.training import backends
from grader.training.handed import Handed
from grader.training.job import ROOT, Job, Result, Step, beside, pin
from lab import data, synthetic, training
from lab.checkpoints import Checkpoint
from lab.files import write_atomically


def main(arguments: list[str] | None = None) -> int:
    """Runs one job, or names the backend."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.training.child", description="One training. Started by `grade`."
    )
    parser.add_argument("job", type=Path, nargs="?")
    parser.add_argument("result", type=Path, nargs="?")
    parser.add_argument(
        "--backend-on", choices=["cpu", "gpu"], help="only name what computes, on this device"
    )
    parser.add_argument("--data-bytes", type=int, help="the most memory that it may allocate")
    options = parser.parse_args(arguments)
    if options.data_bytes:
        _limit_data(options.data_bytes)
    if options.backend_on:
        print(backends.name(options.backend_on, _backend()))
        return 0
    with _leaving_with_parent():
        _import_keras()
        job = _read(options.job)
        if not _may_fork(job):
            _do(job, options.result)
            return 0
        _load(job)  # a fork finds it done
    return _serve(job, options.result, options.job.parent)


def _serve(job: Job, result: Path, jobs: Path) -> int:
    """Does a job, and then those that the standard input names; returns why the last one failed, or 0."""
    gc.collect()
    gc.freeze()  # what is not looked at stays shared with the forks
    while True:
        code = _forked(job, result)
        if code:
            return code
        print(json.dumps({"done": result.name}), flush=True)
        line = sys.stdin.buffer.readline()
        if not line:
            return 0
        names = json.loads(line)
        job, result = _read(jobs / names["job"]), result.with_name(names["result"])
        with _leaving_with_parent():
            _load(job)


def _forked(job: Job, result: Path) -> int:
    """Does a job in a fork; returns its exit code, 128 and the signal's number if one ended it."""
    ended, ends = os.pipe()  # closes when the fork is gone
    alive, lives = os.pipe()  # closes when this process is
    child = os.fork()
    if not child:
        os.close(ended)
        os.close(lives)
        _in_fork(job, result, alive)
    os.close(ends)
    os.close(alive)
    try:
        # Nothing comes on stdin while a job runs, but its end.
        ready, _, _ = select.select([ended, 0], [], [])
        if ended not in ready:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code if code >= 0 else 128 - code
    finally:
        os.close(ended)
        os.close(lives)


def _in_fork(job: Job, result: Path, alive: int) -> NoReturn:
    """Does a job and leaves, whatever comes; nothing of what the parent would do at its end is done."""
    code = 1
    try:
        threading.Thread(target=_leave_with, args=(alive,), daemon=True).start()
        _do(job, result)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _do(job: Job, result: Path) -> None:
    write_atomically(result, perform(job).model_dump_json(indent=1) + "\n")


def _read(path: Path) -> Job:
    """A job; what it trains on, if that is no data set, lies beside it."""
    job = Job.model_validate_json(path.read_bytes())
    return job.model_copy(update={"arrays": str(beside(path.parent, job))}) if job.prepared else job


def _may_fork(job: Job) -> bool:
    """Whether jobs may be done in forks of this process, now that Keras has been imported."""
    if _backend() != "tensorflow" or backends.device_of(job.conditions.backend) != "cpu":
        return False
    try:
        threads = len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return False
    return threads == 2  # this one, and the one that looks at the parent


def _import_keras() -> None:
    """Imports Keras without what it or TensorFlow imports where it is installed, and no training uses.

    That is half of the processor time (3.3 s to 1.7) and 200 of 700 MiB.
    """
    without = {"sklearn", "matplotlib", "pandas", *(() if _backend() == "jax" else ("jax",))}
    for name in without - sys.modules.keys():
        sys.modules[name] = None  # type: ignore[assignment]  # Python's way to have an import fail
    try:
        import keras  # noqa: F401
    finally:
        for name in without:
            if sys.modules.get(name, ...) is None:
                del sys.modules[name]


def perform(job: Job) -> Result:
    """Trains a job in this process.

    Raises:
        TrainerFault: the job is for another backend, other data or another version of the code.
        BlueprintRefused: its network is not one that may be trained.
        DataError: there are not so many images.
    """
    here = backends.name(backends.device_of(job.conditions.backend), _backend())
    if job.conditions.backend != here or job.conditions.code != training.VERSION:
        raise TrainerFault(f"the job is for {job.conditions.backend}, this is {here}")
    blueprint = read(job.blueprint, job.budget)
    images = _load(job)
    trained = training.train(
        lambda: build(blueprint, fused=True),
        images.train,
        images.scored,
        job.conditions.recipe,
        seed=job.seed,
        report=_Printer(),
        validation=images.validation,
        checkpoint=Checkpoint(Path(job.checkpoint), job.digest) if job.checkpoint else None,
    )
    said = trained.validation_predictions
    return Result.sealed(
        digest=job.digest,
        accuracy=trained.accuracy,
        loss=trained.loss,
        train_accuracy=trained.train_accuracy,
        train_loss=trained.train_loss,
        validation_accuracy=trained.validation_accuracy,
        validation_loss=trained.validation_loss,
        validation_predictions="" if said is None else base64.b64encode(said.tobytes()).decode(),
        parameters=trained.parameters,
        seconds=round(trained.seconds, 2),
        cpu_seconds=round(trained.cpu_seconds, 2),
        labels=job.labels,
        seed=job.seed,
        pin=job.conditions.pin,
        backend=job.conditions.backend,
        versions=backends.versions(),
        machine=backends.machine(),
        when=datetime.now(UTC).date().isoformat(),
    )


@dataclasses.dataclass(frozen=True)
class _Images:
    """What a job trains on, what it is scored on at its end, and after each epoch."""

    train: training.Examples
    scored: training.Examples
    validation: training.Examples | None = None


def _load(job: Job) -> _Images:
    """The images of a job. The hidden set is read for a job that is scored on it, and for no other.

    Raises:
        TrainerFault: they are not its pin's.
        DataError: there are not so many.
    """
    if job.prepared:
        return _load_prepared(job)
    conditions = job.conditions
    here = pin(conditions.data, scored_on=job.scored_on)
    if conditions.pin != here:
        raise TrainerFault(f"the job is for data of pin {conditions.pin}, here is {here}")
    course = _course(conditions.data, conditions.train + conditions.validation)

    def examples(of: data.DataSet) -> training.Examples:
        return training.Examples(of.images, of.labels(job.labels), CLASSES[job.labels])

    train = examples(course.prefix(conditions.train))
    validation = None
    if conditions.validation:
        validation = examples(course.following(conditions.train, conditions.validation))
    if job.scored_on == "validation":
        assert validation is not None  # Job sees to it
        return _Images(train, validation, validation)
    return _Images(train, examples(_hidden(conditions.data, conditions.hidden)), validation)


def _load_prepared(job: Job) -> _Images:
    """What `prepare` of a submission handed over."""
    handed, classes = Handed.load(Path(job.arrays), job.prepared), CLASSES[job.labels]
    train = training.Examples(handed.x_train, handed.y_train, classes)
    return _Images(train, training.Examples(handed.x_test, handed.answers, classes))


# Kept, for the jobs that follow: the parts that are used, and not the whole sets.
@cache
def _course(source: DataSource, images: int) -> data.DataSet:
    return (synthetic.embedded_course() if source == "embedded" else data.course(ROOT)).prefix(images)


@cache
def _hidden(source: DataSource, images: int) -> data.DataSet:
    return (synthetic.embedded_hidden() if source == "embedded" else data.hidden(ROOT)).prefix(images)


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


def _backend() -> Backend:
    """The one that Keras takes in this process."""
    return "jax" if os.environ.get("KERAS_BACKEND") == "jax" else "tensorflow"


def _limit_data(most: int) -> None:
    """Keeps this process from allocating more, where no control group counts what it holds."""
    import resource  # Unix alone has it

    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


@contextmanager
def _leaving_with_parent() -> Iterator[None]:
    """Ends this process if the parent's end of stdin closes, which it does even when the parent is killed.

    On leaving no thread is left, and nothing that came has been read.
    """
    stop, stops = os.pipe()

    def watch() -> None:
        # Nothing comes on stdin in the meantime, but its end.
        ready, _, _ = select.select([0, stop], [], [])
        if stop not in ready:
            os._exit(1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(stops)
        thread.join()
        os.close(stop)


def _leave_with(pipe: int) -> None:
    """Waits until the other end of a pipe closes."""
    os.read(pipe, 1)  # not sys.stdin: a thread that holds its lock breaks the interpreter's shutdown
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
