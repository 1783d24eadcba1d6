"""The published archive: read as data, never run, and split into the course set and the hidden set.

The archive is pickle, and a pickle is a program. Here it may call two functions and make two kinds of
object, all of them stand-ins of our own: not even numpy's are within its reach. Nothing is unpacked to disk,
and every size is bounded before it is read.
"""

import gzip
import hashlib
import io
import json
import lzma
import pickle  # read by _Unpickler alone
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NoReturn, cast

import numpy as np
from rich.progress import Progress

from lab.data import COARSE, FINE, IMAGES, NAMES, Images
from lab.errors import DataError

PIXELS = 32 * 32 * 3
PER_CLASS = 600
COURSE_RANKS = (0, 500)
HIDDEN_RANKS = (500, 600)
MEND = "Fetch the archive again, or name another copy: nox -s data -- --from PATH"

# The parts that are read, and the most bytes each may have. As published, by Python 2, train has 155 MB; with
# Python 3's detour for byte strings, 224 MB.
PARTS = {"train": 320 << 20, "test": 64 << 20, "meta": 1 << 16}
UNPACKED = sum(PARTS.values()) + (64 << 20)  # of the whole tar file, with whatever else it holds


@dataclass(frozen=True)
class Pool:
    """Every picture of an archive, in no particular order.

    Attributes:
        planes: uint8 (N, 3072), as the archive stores a picture: its red plane, then green, then blue.
        fine_labels, coarse_labels: uint8 (N,).
        fine_names, coarse_names: 100 and 20 names.
    """

    planes: Images
    fine_labels: Images
    coarse_labels: Images
    fine_names: tuple[str, ...]
    coarse_names: tuple[str, ...]


def read(path: Path, progress: Progress) -> Pool:
    """Pools the train and test parts of an archive: .tar.gz, .tar.xz, .tar, or the folder that it unpacks to.

    Raises:
        DataError: if it is damaged, holds what such an archive does not, or lacks a part.
        OSError: if it cannot be read.
    """
    with _damage_is_reported(path):
        parts = _folder_parts(path, progress) if path.is_dir() else _tar_parts(path, progress)
        for name in PARTS:
            if name not in parts:
                raise _bad(path, f"it has no {name} part")
        return _pool(path, parts)


def is_archive_folder(path: Path) -> bool:
    """Whether a folder is what the archive unpacks to, or holds that."""
    return _unpacked(path) is not None


def canonical_files(pool: Pool, ranks: tuple[int, int]) -> dict[str, bytes]:
    """The four files of one of the sets, byte for byte: within each fine class the pictures of these ranks.

    Pictures are ranked by the SHA-256 of their bytes, so that any copy of CIFAR-100 gives the same two sets,
    however it was shuffled or divided.
    """
    digests = [hashlib.sha256(picture).digest() for picture in pool.planes]
    order = sorted(range(len(digests)), key=lambda i: (pool.fine_labels[i], digests[i]))
    kept = np.array(order).reshape(-1, PER_CLASS)[:, slice(*ranks)].reshape(-1)
    images = pool.planes[kept].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    names = {"fine": pool.fine_names, "coarse": pool.coarse_names}
    return {
        IMAGES: _npy(images),
        FINE: _npy(pool.fine_labels[kept]),
        COARSE: _npy(pool.coarse_labels[kept]),
        NAMES: (json.dumps(names, indent=2) + "\n").encode(),
    }


def _npy(array: Images) -> bytes:
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


# --- finding the parts --------------------------------------------------------------------------------------


def _bad(path: Path, reason: str) -> DataError:
    return DataError(f"{path} is not a whole CIFAR-100 archive: {reason}", mend=MEND)


@contextmanager
def _damage_is_reported(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        raise _bad(path, f"it is truncated or damaged ({str(error) or type(error).__name__})") from None


def _folder_parts(path: Path, progress: Progress) -> dict[str, dict[str, object]]:
    folder = _unpacked(path)
    if folder is None:
        raise _bad(path, "there is no train part in it, and no images.npy")
    parts = {}
    for name, most in PARTS.items():
        part = folder / name
        if part.is_file():
            if part.stat().st_size > most:
                raise _bad(path, f"{name} is larger than any such part")
            with progress.open(part, "rb", description=f"reading {name}") as file:
                parts[name] = _load(path, name, file)
    return parts


def _unpacked(path: Path) -> Path | None:
    for folder in (path, path / "cifar-100-python"):
        if (folder / "train").is_file():
            return folder
    return None


def _tar_parts(path: Path, progress: Progress) -> dict[str, dict[str, object]]:
    parts: dict[str, dict[str, object]] = {}
    with progress.open(path, "rb", description=f"reading {path.name}") as packed:
        stream = _Bounded(path, _unpack(path, packed))
        # "r|": front to back, without seeking, so that the bar means something and a bomb is met early.
        with tarfile.open(fileobj=cast("BinaryIO", stream), mode="r|") as tar:
            for member in tar:
                name = PurePosixPath(member.name).name
                if name not in PARTS or member.isdir():
                    continue
                if not member.isreg():
                    raise _bad(path, f"{name} is not a regular file")
                if name in parts:
                    raise _bad(path, f"it has two {name} parts")
                if member.size > PARTS[name]:
                    raise _bad(path, f"{name} is larger than any such part ({member.size:,} bytes)")
                file = tar.extractfile(member)
                assert file is not None  # a regular file
                parts[name] = _load(path, name, file)
        while stream.read(1 << 20):  # the checksum comes last, after the padding that tar leaves unread
            pass
    return parts


def _unpack(path: Path, packed: BinaryIO) -> BinaryIO:
    magic = packed.read(6)
    packed.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=packed))
    if magic == b"\xfd7zXZ\x00":
        return cast("BinaryIO", lzma.LZMAFile(packed))
    if magic[:1] == b"<":
        raise _bad(path, "it is a web page")  # what a proxy or an expired link leaves behind
    return packed


class _Bounded:
    """Passes reads on until more has come out than any such archive holds."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file, self._left = path, file, UNPACKED

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise _bad(self._path, f"it unpacks to more than {UNPACKED >> 20} MiB")
        return content


# --- reading pickle without running it ----------------------------------------------------------------------


class _Refused(pickle.UnpicklingError):
    """The pickle asks for something that no such archive needs."""


class _Dtype:
    """Stands in for numpy.dtype: unsigned bytes, the only kind there is."""

    def __init__(self, name: object, *_: object) -> None:
        if name not in ("u1", "|u1", b"u1", b"|u1"):
            raise _Refused("an array of something else in place of bytes")

    def __setstate__(self, state: object) -> None:
        pass  # byte order, fields: bytes have neither


class _Array:
    """Stands in for numpy.ndarray until its bytes are there."""

    def __init__(self) -> None:
        self.content: Images | None = None

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes) or not isinstance(shape, tuple):
            raise _Refused("an array that is not bytes")
        self.content = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _encode(text: object, encoding: object) -> bytes:
    """Stands in for _codecs.encode, with which Python 3 writes byte strings into old pickles."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise _Refused("it asks for an encoding")
    return text.encode("latin1")


_KNOWN = {
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
}


class _Unpickler(pickle._Unpickler):
    """Finds what is in _KNOWN and nothing else.

    It is the one written in Python, for its memo is a dictionary: the one in C sets memory aside for as many
    entries as five bytes of the file care to name.
    """

    def find_class(self, module: str, name: str) -> object:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise _Refused(f"it asks for {f'{module}.{name}'[:60]!r}") from None

    def persistent_load(self, pid: object) -> NoReturn:
        raise _Refused("it asks for objects outside of it")


def _load(path: Path, name: str, file: Any) -> dict[str, object]:
    """One part as a dictionary; keys are text whatever Python wrote them."""
    try:
        part = _Unpickler(file, encoding="bytes").load()
    except (DataError, OSError, EOFError, lzma.LZMAError, zlib.error, tarfile.TarError):
        raise  # the file itself: said by whoever opened it
    except _Refused as refused:
        raise _bad(path, f"{name} is not pickled pictures: {refused}") from None
    except Exception as error:  # a malformed pickle may raise anything; nothing of it has been kept
        raise _bad(path, f"{name} is not a readable pickle ({type(error).__name__})") from None
    if not isinstance(part, dict):
        raise _bad(path, f"{name} does not hold a dictionary")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): value for key, value in part.items()
    }


# --- what the parts hold ------------------------------------------------------------------------------------


def _pool(path: Path, parts: dict[str, dict[str, object]]) -> Pool:
    fine_names = _names(path, parts["meta"], "fine_label_names", 100)
    coarse_names = _names(path, parts["meta"], "coarse_label_names", 20)
    planes, fine, coarse = [], [], []
    for name in ("train", "test"):
        part = parts[name]
        array = part.get("data")
        content = array.content if isinstance(array, _Array) else None
        if content is None or content.ndim != 2 or content.shape[1] != PIXELS:
            raise _bad(path, f"{name} has no pictures of {PIXELS} bytes")
        planes.append(content)
        fine.append(_labels(path, name, part, "fine_labels", len(content), 100))
        coarse.append(_labels(path, name, part, "coarse_labels", len(content), 20))
    pool = Pool(
        np.concatenate(planes), np.concatenate(fine), np.concatenate(coarse), fine_names, coarse_names
    )
    counts = np.bincount(pool.fine_labels, minlength=100)
    for label in np.flatnonzero(counts != PER_CLASS):
        raise _bad(path, f"class {fine_names[label]!r} has {counts[label]} pictures, not {PER_CLASS}")
    return pool


def _labels(path: Path, name: str, part: dict[str, object], key: str, count: int, classes: int) -> Images:
    labels = part.get(key)
    if not isinstance(labels, list):
        raise _bad(path, f"{name} has no {key}")
    if len(labels) != count:
        raise _bad(path, f"{name} has {len(labels):,} {key} for {count:,} pictures")
    if not all(type(label) is int and 0 <= label < classes for label in labels):
        raise _bad(path, f"{name} has {key} that are not whole numbers from 0 to {classes - 1}")
    return np.array(labels, np.uint8)


def _names(path: Path, meta: dict[str, object], key: str, count: int) -> tuple[str, ...]:
    names = meta.get(key)
    if not isinstance(names, list) or len(names) != count:
        raise _bad(path, f"meta has no {count} {key}")
    return tuple(name.decode("latin1") if isinstance(name, bytes) else str(name) for name in names)
