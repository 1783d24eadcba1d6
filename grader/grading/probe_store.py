"""Probes that were made before: what they left behind, one file each, named after all that it depends on.

What is kept is what a sandbox left, byte for byte; it is read again as the first time, under the same caps
(evidence.py). A probe that the machine had a part in, by a fault or by the clock, is never kept.

A file holds the SHA-256 of its content on its first line, then the content, compressed: a line of JSON, which
says which bytes of the rest are which file.
"""

import hashlib
import json
import os
import platform
import site
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from grader.sandbox import GUEST
from grader.sandbox.base import ENVIRONMENT
from lab.files import write_atomically

MIB = 1024 * 1024
MOST_BYTES = 512 * MIB  # of all files together
MOST_EACH = (
    32 * MIB
)  # of what one probe left, before it is compressed: a right submission leaves less than one
ROOT = Path(__file__).parents[2]

# How a probe goes about its runs, and what becomes of what they leave.
_HOST = ("probing.py", "launching.py", "evidence.py", "backends.py", "probe_store.py")


@dataclass(frozen=True)
class Kept:
    """What is kept of a probe.

    Attributes:
        left: for each process whose evidence counts ("first", "later"), the files that it was read from.
        said: the rest, as JSON has it.
    """

    left: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)


class Probes:
    """A folder of them. Any number of threads and processes may use it at once.

    Args:
        folder: is made if it is not there.
        most_bytes: of all files together: those that were not asked for the longest go first.
        read_only: whether to keep nothing, and not to note what was asked for.

    Attributes:
        unkept: why a probe could not be kept, so that a later run makes it again; empty if all could be.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES, *, read_only: bool = False) -> None:
        self._folder = folder
        self._read_only = read_only
        self.unkept = ""
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}

    @contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Held by one thread at a time for each key, so that two equal submissions are probed once."""
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            yield

    def find(self, key: str) -> Kept | None:
        """What was kept under a key; a file that is not as it was written is as good as none."""
        path = self._folder / key
        try:
            digest, _, packed = path.read_bytes().partition(b"\n")
            if hashlib.sha256(packed).hexdigest().encode() != digest:
                return None
            unpacked = zlib.decompressobj().decompress(packed, 2 * MOST_EACH)
            if not self._read_only:
                os.utime(path)
        except (OSError, zlib.error):
            return None
        line, _, rest = unpacked.partition(b"\n")
        head = json.loads(line)
        left: dict[str, dict[str, bytes]] = {}
        for process, name, size in head["files"]:
            left.setdefault(process, {})[name], rest = rest[:size], rest[size:]
        return Kept(left, head["said"])

    def keep(self, key: str, kept: Kept) -> None:
        """Keeps it, unless it is large or the folder cannot be written, which `unkept` says from then on."""
        files = [
            (process, name, content)
            for process, names in kept.left.items()
            for name, content in names.items()
        ]
        if self._read_only or sum(len(content) for _, _, content in files) > MOST_EACH:
            return
        head = {
            "files": [(process, name, len(content)) for process, name, content in files],
            "said": kept.said,
        }
        content = b"".join([json.dumps(head).encode(), b"\n", *(content for _, _, content in files)])
        packed = zlib.compress(content, 1)
        try:
            write_atomically(self._folder / key, hashlib.sha256(packed).hexdigest().encode() + b"\n" + packed)
            self._remove_oldest()
        except OSError as error:
            self.unkept = f"probes cannot be kept in {self._folder}: {error.strerror or error}"

    def seconds(self, most: int = 50) -> list[float]:
        """What the probes took, by the clock, that were used last; empty where none is kept."""
        used = []
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with suppress(OSError):  # another process has removed it
                    used.append((entry.stat().st_mtime_ns, entry.name))
        found = []
        for _, name in sorted(used, reverse=True)[:most]:
            kept = self.find(name)
            if kept is not None and isinstance(kept.said.get("seconds"), float):
                found.append(kept.said["seconds"])
        return found

    def _remove_oldest(self) -> None:
        with self._lock, os.scandir(self._folder) as entries:
            files = []
            for entry in entries:
                with suppress(OSError):  # another process has removed it
                    found = entry.stat()
                    files.append((found.st_mtime_ns, found.st_size, entry.path))
            total = sum(size for _, size, _ in files)
            for _, size, path in sorted(files):
                if total <= self._most_bytes:
                    break
                Path(path).unlink(missing_ok=True)
                total -= size


def key(submission: Path, **more: Any) -> str:
    """The name of a probe: a digest of all that it depends on.

    Args:
        submission: the folder that is mounted; path, mode and bytes of all that is in it count.
        **more: what the probe is called with, as JSON or as dataclasses; a Path for the bytes of a file.
    """
    parts = {
        "mounted": _mounted(submission),
        "code": _code(),
        "installed": _installed(),
        "environment": ENVIRONMENT,
        **{name: _sha256(value) if isinstance(value, Path) else value for name, value in more.items()},
    }
    text = json.dumps(parts, sort_keys=True, default=vars)
    return hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).hexdigest()


def _mounted(folder: Path) -> list[tuple[str, int, str]]:
    """Each path below a folder with its mode and, for a file, the digest of its bytes."""
    return [
        (path.relative_to(folder).as_posix(), path.lstat().st_mode, _sha256(path) if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    ]


@cache
def _code() -> dict[str, str]:
    """What lies beside a submission in its sandbox, what makes the sandbox, and what reads what is left."""
    files = [*sorted(GUEST.parent.rglob("*.py")), *(Path(__file__).with_name(name) for name in _HOST)]
    return {path.relative_to(ROOT).as_posix(): _sha256(path) for path in files}


@cache
def _installed() -> list[str]:
    """The lock, this Python, and what is installed: names and versions, as folders of metadata have them."""
    folders = [Path(folder) for folder in site.getsitepackages()]
    found = sorted(path.name for folder in folders if folder.is_dir() for path in folder.glob("*.dist-info"))
    lock = ROOT / "uv.lock"  # a copy may be without it; what is installed counts all the same
    locked = _sha256(lock) if lock.exists() else ""
    return [locked, sys.version, platform.platform(), sys.executable, *found]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
