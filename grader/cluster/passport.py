"""What a machine of a cluster shows: what has to be the same on all of them, and what it has."""

import hashlib
import os
import platform
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from pydantic import Field, ValidationError

from grader.config.profiles import Profile
from grader.errors import MessageRefused
from grader.kit import kit_version, lock_digest
from grader.text import plain
from lab.strict import Strict, explained

_MOST_BYTES = 64 * 1024
# What has to be equal: the field, what it is called, and what to do about it.
_COMPARED = (
    ("kit", "version of the kit", "bring both machines to the same commit, without local changes"),
    ("lock", "lock of the packages (uv.lock)", "bring both machines to the same commit"),
    ("profile", "profile", "name the same one on both: --profile"),
    ("settings", "profile's settings in params.yaml", "bring both machines to the same params.yaml"),
    ("pin", "pin of the data", "bring the data that data.dvc and grader/hidden.dvc name: nox -s data"),
)


class Passport(Strict):
    """What a machine is.

    Attributes:
        name: of the machine and its process, for people.
        kit, lock: of its checkout (grader.kit).
        profile: what it grades by.
        settings: SHA-256 of all that params.yaml says of the profile.
        pin: of the data that it has.
        engine: where it runs probes; empty if it runs none.
        backend: what it trains with, as in a job's conditions; empty if it trains nothing.
        places: probes and trainings at a time, all together.
        cores: processors.
        memory_bytes: of the machine; 0 if the system does not tell.
        gpus: their names.
    """

    name: str = Field(max_length=200)
    kit: str = Field(max_length=100)
    lock: str = Field(pattern=r"^[0-9a-f]{64}$")
    profile: str = Field(max_length=100)
    settings: str = Field(pattern=r"^[0-9a-f]{64}$")
    pin: str = Field(max_length=200)
    engine: str = Field(default="", max_length=100)
    backend: str = Field(default="", max_length=200)
    places: int = Field(default=0, ge=0, le=1024)
    cores: int = Field(default=0, ge=0)
    memory_bytes: int = Field(default=0, ge=0)
    gpus: tuple[str, ...] = Field(default=(), max_length=64)

    @classmethod
    def of(
        cls,
        root: Path,
        profile: Profile,
        pin: str,
        *,
        engine: str = "",
        backend: str = "",
        places: int = 0,
    ) -> "Passport":
        """This machine's."""
        return cls(
            name=f"{socket.gethostname()[:150]}:{os.getpid()}",
            kit=kit_version(root),
            lock=lock_digest(root),
            profile=profile.name,
            settings=hashlib.sha256(profile.model_dump_json().encode()).hexdigest(),
            pin=pin,
            engine=engine,
            backend=backend,
            places=places,
            cores=os.cpu_count() or 1,
            memory_bytes=_memory_bytes(),
            gpus=_gpus() if backend.endswith(" gpu") else (),
        )

    @classmethod
    def read(cls, text: object) -> "Passport":
        """One that came from another machine; MessageRefused if it is none."""
        if not isinstance(text, str) or len(text) > _MOST_BYTES:
            raise MessageRefused("a machine without a passport of this kit, such as a plain Dask worker")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise MessageRefused(f"a passport is wrong: {explained(error, trusted=False)}") from error

    def written(self) -> str:
        """As text, to be read by `read`."""
        return self.model_dump_json()

    @property
    def has(self) -> str:
        """What it has, in words: "8 places, 16 cores, 62 GiB, bubblewrap, keras 3.15.1 ... cpu"."""
        parts = [
            f"{self.places} place{'' if self.places == 1 else 's'}",
            f"{self.cores} core{'' if self.cores == 1 else 's'}",
            f"{self.memory_bytes / 1024**3:.0f} GiB" if self.memory_bytes else "",
            ", ".join(plain(one, 60) for one in self.gpus),
            plain(self.engine, 60) or "no probes",
            plain(self.backend, 100) or "no trainings",
        ]
        return ", ".join(part for part in parts if part)


def difference(wanted: Passport, shown: Passport) -> str:
    """Why a machine may not take part, in a sentence with what to do; empty if it may."""
    for field, called, fix in _COMPARED:
        here, there = getattr(wanted, field), getattr(shown, field)
        if here != there:
            return f"the {called} is {plain(there, 100)} there and {plain(here, 100)} at the scheduler: {fix}"
    return ""


def _memory_bytes() -> int:
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0


def _gpus() -> tuple[str, ...]:
    """Names of NVIDIA's, as the driver tells them."""
    if platform.system() != "Linux":
        return ()
    with suppress(OSError, subprocess.SubprocessError):
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        said = subprocess.run(command, capture_output=True, timeout=30, check=True, text=True).stdout
        return tuple(line.strip()[:60] for line in said.splitlines()[:64] if line.strip())
    return ()
