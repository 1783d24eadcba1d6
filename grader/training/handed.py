"""What a submission's `prepare` handed over, to be trained on: arrays, named after their content.

A job names them by their digest, and says in which file they are (job.py). Trusted code has made them of what
came out of a sandbox (grader/grading/handing.py), and a process that trains reads nothing else of it.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.errors import TrainerFault
from lab.files import write_atomically

Floats = npt.NDArray[np.float32]
SUFFIX = ".npz"
_NAMES = ("x_train", "y_train", "x_test", "answers")


@dataclass(frozen=True, eq=False)
class Handed:
    """Arrays to train on and to be scored on.

    Attributes:
        x_train: float32 (N, H, W, C), as they were handed over.
        y_train: float32 (N, classes), likewise.
        x_test: float32 (M, H, W, C), likewise.
        answers: int16 (M,), the true class of each image of the test part, whatever was handed over as its
            label; -1 for one that is none of those given, which no answer is right for.
    """

    x_train: Floats
    y_train: Floats
    x_test: Floats
    answers: npt.NDArray[np.int16]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every byte and of the shapes, hexadecimal."""
        whole = hashlib.sha256()
        for array in self._arrays().values():
            whole.update(f"{array.dtype.str} {array.shape}\n".encode())
            whole.update(np.ascontiguousarray(array).data)
        return whole.hexdigest()

    def save(self, folder: Path) -> Path:
        """Writes them to a file of a folder, named after their digest; TrainerFault if that cannot be."""
        path = folder / f"{self.digest}{SUFFIX}"
        try:
            content = io.BytesIO()
            np.savez_compressed(content, allow_pickle=False, **self._arrays())
            write_atomically(path, content.getvalue())  # two submissions may hand over the same at once
        except OSError as error:
            raise TrainerFault(
                f"what is to be trained on cannot be kept in {folder}: {error.strerror}"
            ) from error
        return path

    @classmethod
    def load(cls, path: Path, digest: str) -> "Handed":
        """Reads them again; TrainerFault if the file cannot be read or is not what the digest names."""
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                found = cls(*(file[name] for name in _NAMES))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise TrainerFault(f"what is to be trained on cannot be read: {error}") from error
        if found.digest != digest:
            raise TrainerFault(f"what is to be trained on has digest {found.digest}, the job is for {digest}")
        return found

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {name: getattr(self, name) for name in _NAMES}
