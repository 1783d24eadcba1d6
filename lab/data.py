"""Data sets in memory: what one is, and how the two of this checkout are read and checked against their pins.

The course set lies in data/, the hidden one in grader/hidden/, each as the four files below; data.dvc and
grader/hidden.dvc pin them. A pin is the MD5 that DVC gives a folder, worked out here so that reading needs no
DVC.
`python -m lab data` (lab/fetch.py) puts the files there.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import yaml

from lab.errors import DataError

Labels = Literal["coarse", "fine"]
Images = npt.NDArray[np.uint8]

IMAGES, FINE, COARSE, NAMES = FILES = ("images.npy", "fine_labels.npy", "coarse_labels.npy", "names.json")
FIX = "Run `nox -s data` to put it right."


@dataclass(frozen=True, eq=False)
class DataSet:
    """Labelled pictures, in class order; the arrays are read-only.

    Attributes:
        name: "CIFAR-100" or "the embedded set".
        pin: MD5 that stands for every byte of it; a prefix's has "-" and its size appended.
        images: uint8 (N, 32, 32, 3).
        fine_labels: uint8 (N,), indices into fine_names.
        coarse_labels: uint8 (N,), indices into coarse_names.
        fine_names, coarse_names: what the classes are called.
    """

    name: str
    pin: str
    images: Images
    fine_labels: Images
    coarse_labels: Images
    fine_names: tuple[str, ...]
    coarse_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for array in (self.images, self.fine_labels, self.coarse_labels):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.images)

    def labels(self, kind: Labels) -> Images:
        """The coarse or the fine labels, uint8 (N,)."""
        return self.fine_labels if kind == "fine" else self.coarse_labels

    def class_names(self, kind: Labels) -> tuple[str, ...]:
        """Names of the coarse or the fine classes, by label."""
        return self.fine_names if kind == "fine" else self.coarse_names

    @property
    def coarse_of_fine(self) -> Images:
        """Entry i is the coarse class of fine class i, uint8 (len(fine_names),)."""
        _, first = np.unique(self.fine_labels, return_index=True)
        return self.coarse_labels[first]

    def prefix(self, n: int) -> "DataSet":
        """The first n / classes pictures of every fine class, still in class order.

        Raises:
            DataError: if n is not a positive multiple of the number of classes, or more than there are.
        """
        classes = len(self.fine_names)
        if n <= 0 or n % classes or n > len(self):
            raise DataError(
                f"a prefix of {self.name} is a multiple of {classes}, at most {len(self)}. Received: {n}"
            )
        if n == len(self):
            return self
        starts = np.searchsorted(self.fine_labels, np.arange(classes))  # class order: labels ascend
        keep = (starts[:, None] + np.arange(n // classes)).reshape(-1)
        return replace(
            self,
            pin=f"{self.pin.partition('-')[0]}-{n}",  # a prefix of a prefix is a prefix of the whole
            images=self.images[keep],
            fine_labels=self.fine_labels[keep],
            coarse_labels=self.coarse_labels[keep],
        )

    def following(self, n: int, count: int) -> "DataSet":
        """The `count` pictures, as many of each fine class, that follow a prefix of n; still in class order.

        Raises:
            DataError: if n or n + count is no size of a prefix.
        """
        both, classes = self.prefix(n + count), len(self.prefix(n).fine_names)
        keep = np.arange(n + count).reshape(classes, -1)[:, n // classes :].reshape(-1)
        return replace(
            both,
            pin=f"{both.pin}-without-{n}",
            images=both.images[keep],
            fine_labels=both.fine_labels[keep],
            coarse_labels=both.coarse_labels[keep],
        )


# --- pins ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pinned:
    """Where one of the two sets belongs and what its bytes must be.

    Attributes:
        title: "the course set" or "the hidden set".
        folder: where its four files lie.
        pin: the MD5 of the folder, as DVC works it out.
        files: the MD5 of each file, where the .dvc file's `meta` lists them, to say which one is wrong.
    """

    title: str
    folder: Path
    pin: str
    files: Mapping[str, str]

    def check(self, md5s: Mapping[str, str], where: str, fix: str = FIX) -> None:
        """Compares the MD5s of the four files with the pin; `where` says what they are: "in data".

        Raises:
            DataError: naming the file that differs.
        """
        if folder_pin(md5s) == self.pin:
            return
        wrong = [name for name in FILES if self.files.get(name, md5s[name]) != md5s[name]]
        what = f"{', '.join(wrong)} differ{'s' * (len(wrong) == 1)}" if wrong else "a file differs"
        raise DataError(f"{self.title} {where} is not as pinned (pin {self.pin}): {what}", fix=fix)


def course_pin(root: Path) -> Pinned:
    """The course set's place and pin, from data.dvc."""
    return _pinned("the course set", root / "data.dvc")


def hidden_pin(root: Path) -> Pinned:
    """The hidden set's place and pin, from grader/hidden.dvc."""
    return _pinned("the hidden set", root / "grader" / "hidden.dvc")


def folder_pin(md5s: Mapping[str, str]) -> str:
    """The MD5 that DVC gives a folder of files with these MD5s: that of its sorted JSON listing."""
    listing = [{"md5": md5s[name], "relpath": name} for name in sorted(md5s)]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def file_md5(path: Path) -> str:
    """The MD5 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, _md5).hexdigest()


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)  # FIPS builds refuse MD5 unless told that it guards nothing


def _pinned(title: str, dvc_file: Path) -> Pinned:
    fix = f"Restore it: git checkout -- {dvc_file.name}"
    try:
        content = yaml.safe_load(dvc_file.read_text("utf-8"))
        (out,) = content["outs"]
        pin, path = str(out["md5"]), str(out["path"])
        files = {str(k): str(v) for k, v in ((content.get("meta") or {}).get("md5") or {}).items()}
    except OSError as error:
        raise DataError(f"cannot read {dvc_file}, which pins {title}: {error.strerror}", fix=fix) from None
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{dvc_file} is not a DVC file with one pinned folder", fix=fix) from None
    return Pinned(title, dvc_file.parent / path, pin.removesuffix(".dir"), files)


# --- reading ------------------------------------------------------------------------------------------------


def course(root: Path) -> DataSet:
    """The course set, 50,000 pictures, 500 of each fine class.

    Raises:
        DataError: if a file is missing, or is not what data.dvc pins.
    """
    return read(course_pin(root))


def hidden(root: Path) -> DataSet:
    """The hidden set, 10,000 pictures, 100 of each fine class. Trusted code alone may call this.

    Raises:
        DataError: if a file is missing, or is not what grader/hidden.dvc pins.
    """
    return read(hidden_pin(root))


def available(root: Path) -> bool:
    """Whether the files of both sets are there. Cheap: they are checked when they are read."""
    try:
        folders = (course_pin(root).folder, hidden_pin(root).folder)
    except DataError:
        return False
    return all((folder / name).is_file() for folder in folders for name in FILES)


def read(pinned: Pinned) -> DataSet:
    """Reads the set that is pinned and checks every byte of it.

    Raises:
        DataError: if a file is missing, or differs from the pin.
    """
    raw = {}
    for name in FILES:
        path = pinned.folder / name
        try:
            raw[name] = path.read_bytes()
        except FileNotFoundError:
            raise DataError(f"{pinned.title}: {path} is missing", fix=FIX) from None
        except OSError as error:
            raise DataError(f"{pinned.title}: cannot read {path}: {error.strerror}", fix=FIX) from None
    md5s = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in raw.items()}
    pinned.check(md5s, f"in {pinned.folder}")
    # From here on every byte is the pinned one: no need to mistrust shapes or types.
    names = json.loads(raw[NAMES])
    images, fine, coarse = (
        np.load(io.BytesIO(raw[name]), allow_pickle=False) for name in (IMAGES, FINE, COARSE)
    )
    return DataSet(
        "CIFAR-100", pinned.pin, images, fine, coarse, tuple(names["fine"]), tuple(names["coarse"])
    )
