"""One training, in a process of its own.

    python -m grader.training.child JOB.json RESULT.json      # started by an executor (executors.py)
    python -m grader.training.child --backend-on cpu          # only names what computes here

Trusted code alone, with a network that came as data. Progress is printed as lines of JSON, the result is
written in one go. The process ends when its standard input closes: nothing outlives whoever started it.

It has one thread: two trainings side by side train 1.6 times as many images a second as one with two threads
(1,180 to 730, AlexNet at width 0.25, Keras 3.15.1, TensorFlow 2.21.0, two Zen 4 cores), and one thread adds
numbers up in the same order every time: a repeated job gives the same result to the last bit. The settings
for that come with its environment (executors.py).

All that this module imports is in the trainer's container image, and nothing else of this checkout
(.dockerignore).
"""

import argparse
import base64
import dataclasses
import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from grader.blueprint import build, read
from grader.config.profiles import CLASSES, Backend
from grader.errors import TrainerFault
from grader.training import backends
from grader.training.job import ROOT, Job, Result, Step, pin
from lab import data, synthetic, training
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
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    job = Job.model_validate_json(options.job.read_bytes())
    write_atomically(options.result, perform(job).model_dump_json(indent=1) + "\n")
    return 0


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
        lambda: build(blueprint),
        images.train,
        images.scored,
        job.conditions.recipe,
        seed=job.seed,
        report=_Printer(),
        validation=images.validation,
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
    conditions = job.conditions
    here = pin(conditions.data, scored_on=job.scored_on)
    if conditions.pin != here:
        raise TrainerFault(f"the job is for data of pin {conditions.pin}, here is {here}")
    embedded = conditions.data == "embedded"
    course = synthetic.embedded_course() if embedded else data.course(ROOT)

    def examples(of: data.DataSet) -> training.Examples:
        return training.Examples(of.images, of.labels(job.labels), CLASSES[job.labels])

    train = examples(course.prefix(conditions.train))
    validation = None
    if conditions.validation:
        validation = examples(course.following(conditions.train, conditions.validation))
    if job.scored_on == "validation":
        assert validation is not None  # Job sees to it
        return _Images(train, validation, validation)
    hidden = synthetic.embedded_hidden() if embedded else data.hidden(ROOT)
    return _Images(train, examples(hidden.prefix(conditions.hidden)), validation)


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


def _leave_with_parent() -> None:
    """Waits until the parent's end of stdin closes, which it does even when the parent is killed."""
    os.read(0, 1)  # not sys.stdin: a thread that holds its lock breaks the interpreter's shutdown
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
