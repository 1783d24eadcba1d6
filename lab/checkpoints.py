"""Where a training stood after an epoch, in one file: so that one that was stopped goes on from there.

    checkpoint = Checkpoint(Path("alexnet.npz"), key=job.digest)
    training.train(..., checkpoint=checkpoint)      # goes on where it stood, and comes to the same result

A file holds plain arrays and a line of JSON, and is replaced at once.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.files import write_atomically

_PROGRESS = "progress"


@dataclass
class Progress:
    """What is known of the epochs that are done; see lab.training.Training for the fields.

    Attributes:
        seconds, cpu_seconds: of all processes that had a part in it.
    """

    train_accuracy: list[float] = field(default_factory=list)
    train_loss: list[float | None] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float | None] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def epochs(self) -> int:
        """How many are done."""
        return len(self.train_accuracy)


@dataclass(frozen=True)
class Checkpoint:
    """A file for one training.

    Attributes:
        path: its place; the folder is made if need be.
        key: of everything that can change the result. A file of another key is none.
    """

    path: Path
    key: str

    def progress(self) -> Progress | None:
        """How far the training is, of which no array is read; None if there is nothing."""
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as found:
                said = json.loads(found[_PROGRESS].tobytes())
            return Progress(**said["progress"]) if said["key"] == self.key else None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None

    def load(self, shapes: Sequence[tuple[int, ...]]) -> tuple[Progress, list[npt.NDArray[Any]]] | None:
        """What was saved last; None if there is nothing, or nothing that fits.

        Args:
            shapes: of the arrays that are expected, in their order.
        """
        try:
            with np.load(io.BytesIO(self.path.read_bytes()), allow_pickle=False) as found:
                said = json.loads(found[_PROGRESS].tobytes())
                arrays = [found[str(place)] for place in range(len(shapes))]
            progress = Progress(**said["progress"])
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None
        if said.get("key") != self.key or [array.shape for array in arrays] != [*map(tuple, shapes)]:
            return None
        return progress, arrays

    def save(self, progress: Progress, arrays: Sequence[npt.NDArray[Any]]) -> None:
        """Replaces what was saved before; OSError if that cannot be written."""
        said = json.dumps({"key": self.key, "progress": asdict(progress)}).encode()
        held = io.BytesIO()
        numbered = {str(place): array for place, array in enumerate(arrays)}
        np.savez(held, **{_PROGRESS: np.frombuffer(said, np.uint8)}, **numbered)  # type: ignore[arg-type]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, held.getvalue())

    def remove(self) -> None:
        """It is done with."""
        self.path.unlink(missing_ok=True)
