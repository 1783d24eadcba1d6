"""A training that is looked at epoch by epoch: a student's, on their own machine, on validation images.

    python -m grader.training.experiment JOB.json FOLDER       # started by `start`

Trusted code alone, with a network that came as data, as in child.py. After each epoch it writes what was
learned so far into FOLDER, so that a training that is stopped leaves that. It ends when its standard input
closes.
"""

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grader.blueprint import build, read
from grader.config.profiles import Backend, Device
from grader.training import child
from grader.training.executors import local_environment
from grader.training.job import Job
from lab import training
from lab.files import write_atomically

EPOCHS, PROBABILITIES = "epochs.json", "probabilities.npy"


@dataclass(frozen=True)
class Learned:
    """What was learned so far, a number for each epoch that is over; a loss that ran away is None.

    Attributes:
        train_accuracy, train_loss, validation_accuracy, validation_loss: as in lab.training.Training.
        probabilities: of the validation images after the last of them, float32 (M, classes); None if the loss
            ran away.
    """

    train_accuracy: tuple[float, ...]
    train_loss: tuple[float | None, ...]
    validation_accuracy: tuple[float, ...]
    validation_loss: tuple[float | None, ...]
    probabilities: npt.NDArray[np.float32] | None

    @classmethod
    def read(cls, folder: Path) -> "Learned | None":
        """What a training has left in its folder; None if no epoch is over."""
        try:
            epochs = json.loads((folder / EPOCHS).read_bytes())
        except OSError:
            return None
        probabilities = None
        if (folder / PROBABILITIES).exists():
            probabilities = np.load(folder / PROBABILITIES, allow_pickle=False)
        columns = {name: tuple(one[name] for one in epochs) for name in epochs[0]}
        return cls(**columns, probabilities=probabilities)


def main(arguments: Sequence[str]) -> int:
    """Trains one job."""
    job_file, folder = map(Path, arguments)
    with child._leaving_with_parent():
        job = Job.model_validate_json(job_file.read_bytes())
        blueprint = read(job.blueprint, job.budget)
        images = child._load(job)
        epochs: list[dict[str, float | None]] = []

        def observe(epoch: training.Epoch) -> None:
            # The probabilities first: where there is an epoch, there is what belongs to it.
            if epoch.probabilities is not None:
                held = io.BytesIO()
                np.save(held, epoch.probabilities, allow_pickle=False)
                write_atomically(folder / PROBABILITIES, held.getvalue())
            else:
                (folder / PROBABILITIES).unlink(missing_ok=True)
            numbers = asdict(epoch)
            epochs.append(
                {name: numbers[name] for name in numbers if name not in ("number", "probabilities")}
            )
            write_atomically(folder / EPOCHS, json.dumps(epochs))
            print(json.dumps({"over": epoch.number}), flush=True)

        training.train(
            lambda: build(blueprint, fused=True),
            images.train,
            images.scored,
            job.conditions.recipe,
            seed=job.seed,
            report=child._Printer(),
            validation=images.validation,
            observe=observe,
        )
    return 0


@contextmanager
def started(job: Job, home: Path, device: Device, backend: Backend) -> Iterator["subprocess.Popen[bytes]"]:
    """Trains a job in a process of its own; on leaving, that is gone.

    Args:
        job: scored on validation images.
        home: an empty folder: what is learned goes to `out` in it, and what is complained of to `errors`.
        device, backend: what computes.
    """
    (home / "out").mkdir()
    (home / "job.json").write_text(job.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-P", "-m", __name__, str(home / "job.json"), str(home / "out")]
    with (home / "errors").open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=local_environment(home, device, backend),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for the parent, which keeps what was learned
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
