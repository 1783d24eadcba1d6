"""The published archive: recognised by its digest, read in a process of its own, split into the two sets.

The archive is pickle in a packed tar file, and anyone may have made the copy at hand. lab/reader.py takes the
arrays out of it, within limits and without running anything; here they are looked at again, and sorted.
"""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import Progress

from lab.data import COARSE, FINE, IMAGES, NAMES, Images
from lab.errors import DataError
from lab.reader import CLASSES, CPU_SECONDS, PARTS, PIXELS, UNPACKED

PER_CLASS = 600
COURSE_RANKS = (0, 500)
HIDDEN_RANKS = (500, 600)
FIX = "Fetch the archive again, or name another copy: nox -s data -- --from PATH"

# SHA-256 of cifar-100-python.tar.gz, as Keras records it, and of the parts that it unpacks to.
PUBLISHED = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
PUBLISHED_PARTS = {
    "train": "735e79b04f092ca3d2e6d07f368c0a7d70d48c48d28865950cc24454cf45129b",
    "test": "4b67687d9933c4db8f0831104447f15b93774f4f464bd0516f0f0f2ac83b7864",
    "meta": "a5d4786345c961390f865e93b434dbd5c6904ce880667e0cb888c97d449f28b9",
}


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


def is_published(path: Path, progress: Progress) -> bool:
    """Whether an archive, or the folder that it unpacks to, is what was published, byte for byte."""
    folder = _unpacked(path)
    if folder is None:
        return _sha256(path, progress) == PUBLISHED
    return all(_sha256(folder / name, progress) == sha256 for name, sha256 in PUBLISHED_PARTS.items())


def _sha256(path: Path, progress: Progress) -> str:
    if not path.is_file() or path.stat().st_size > UNPACKED:
        return "none of a published file"
    digest = hashlib.sha256()
    with progress.open(path, "rb", description=f"checking {path.name}") as file:
        while content := file.read(1 << 20):
            digest.update(content)
    return digest.hexdigest()


def read(path: Path, scratch: Path, progress: Progress) -> Pool:
    """Pools the train and test parts of an archive: .tar.gz, .tar.xz, .tar, or the folder that it unpacks to.

    Args:
        path: the archive; nothing in it is trusted.
        scratch: an empty folder, for what its reader hands over: 190 MB, gone when this returns.
        progress: gets a bar.

    Raises:
        DataError: if it is damaged, holds what such an archive does not, lacks a part, or takes more memory
            or time than any such archive.
        OSError: if it cannot be read, or the scratch folder not be written.
    """
    folder = _unpacked(path) if path.is_dir() else path
    if folder is None:
        raise _bad(path, "there is no train part in it, and no images.npy")
    try:
        _run_reader(path, folder, scratch, progress)
        return _pool(path, scratch)
    finally:
        for left in scratch.iterdir():
            left.unlink()


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


# --- its reader ---------------------------------------------------------------------------------------------

# -S, -E, -s: of this environment it needs the standard library alone, and of this checkout lab/.
_COMMAND = ("-SEs", "-m", "lab.reader")


def _bad(path: Path, reason: str) -> DataError:
    return DataError(f"{path} is not a whole CIFAR-100 archive: {reason}", fix=FIX)


def _unpacked(path: Path) -> Path | None:
    for folder in (path, path / "cifar-100-python"):
        if (folder / "train").is_file():
            return folder
    return None


def _run_reader(path: Path, source: Path, scratch: Path, progress: Progress) -> None:
    """Has the arrays of an archive put into `scratch` by a process with limits, which ends with this call."""
    files = [source / name for name in PARTS] if source.is_dir() else [source]
    total = sum(file.stat().st_size for file in files if file.is_file())
    task = progress.add_task(f"reading {path.name}", total=total)
    command = [sys.executable, *_COMMAND, str(source.resolve()), str(scratch.resolve())]
    root = Path(__file__).parents[1]
    with (
        (scratch / "stderr").open("wb") as stderr,
        subprocess.Popen(
            command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr
        ) as reader,
    ):
        try:
            answer: dict[str, object] = {}
            for answer in _lines(reader):
                if isinstance(at := answer.get("at"), int):
                    progress.update(task, completed=at)
        finally:
            reader.kill()  # it has ended, but for Ctrl-C
    if isinstance(number := answer.get("failed"), int):
        raise OSError(number, os.strerror(number))
    if "bad" in answer:
        raise _bad(path, str(answer["bad"]))
    if "done" in answer:
        progress.update(task, completed=total)
    elif reader.returncode == -getattr(signal, "SIGXCPU", 0):
        raise _bad(path, f"it takes more than {CPU_SECONDS} s of processor time to read")
    else:
        raise _bad(
            path, f"its reader ended with {reader.returncode} {_last_line(scratch / 'stderr')}".rstrip()
        )


def _lines(reader: "subprocess.Popen[bytes]") -> Iterator[dict[str, object]]:
    """The reader's report, a dictionary a line: {"at": 1048576}, at last {"done": true} or what is wrong."""
    assert reader.stdout is not None  # a pipe
    while line := reader.stdout.readline(10_000):
        yield dict(json.loads(line))


def _last_line(path: Path) -> str:
    lines = path.read_bytes()[-1000:].decode("utf-8", "replace").splitlines()
    return f"({''.join(c for c in lines[-1] if c.isprintable())})" if lines else ""


def _pool(path: Path, folder: Path) -> Pool:
    """What the reader left, looked at as if somebody else had written it."""
    try:
        names = {
            kind: tuple(map(str, listed))
            for kind, listed in json.loads((folder / "names.json").read_text("utf-8")).items()
        }
        planes, fine, coarse = (_both(folder, kind) for kind in ("planes", "fine", "coarse"))
        right = planes.shape == (len(planes), PIXELS) and all(
            labels.shape == (len(planes),) and labels.max() < CLASSES[kind] == len(names[kind])
            for kind, labels in (("fine", fine), ("coarse", coarse))
        )
        if not right or any(array.dtype != np.uint8 for array in (planes, fine, coarse)):
            raise ValueError("shapes, types or classes")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise _bad(path, f"its reader left something else ({error})") from None
    counts = np.bincount(fine, minlength=CLASSES["fine"])
    for label in np.flatnonzero(counts != PER_CLASS):
        raise _bad(path, f"class {names['fine'][label]!r} has {counts[label]} pictures, not {PER_CLASS}")
    return Pool(planes, fine, coarse, names["fine"], names["coarse"])


def _both(folder: Path, kind: str) -> Images:
    # Mapped, so that no header is believed about how much there is; one copy is made, in joining the two.
    parts = ("train", "test")
    return np.concatenate(
        [np.load(folder / f"{part}.{kind}.npy", mmap_mode="r", allow_pickle=False) for part in parts]
    )
