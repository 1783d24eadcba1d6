"""One interface for every engine: a program goes in, an outcome comes out, files lie in the output folder.

An engine that cannot start its sandbox raises SandboxFault. Whatever the program inside does (crash,
loop, allocate, fork, fill the disk) is an Outcome, never an exception.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

GUEST = Path(__file__).parent / "guest"  # all of the grader that lies beside a submission in a sandbox

MIB = 1024 * 1024
TMP_BYTES = 256 * MIB  # of /tmp
SHM_BYTES = 64 * MIB  # of /dev/shm
OPEN_FILES = 1024
# Of each process, where no control group counts what the kernel holds for them: what lies in the pipes of 256
# processes is then 300 MiB at most. TensorFlow has some twenty files open.
OPEN_FILES_UNCOUNTED = 256
NICE = 5  # the grader and the trainings go first
MAX_OUTPUT_FILES = 10_000  # files and folders: far beyond any evidence, far below a flood; more is End.OUTPUT


# What Engine.soft answers where it is so.
SOFT = (
    "no control group can be made here, so that memory and processes are added up twenty times a second: "
    "a limit can be passed for that long"
)


class End(StrEnum):
    """What ended the program."""

    EXIT = "exit"  # by itself, whatever its exit code
    CPU = "cpu"  # all its processes together used more than Limits.cpu_seconds
    TIMEOUT = "timeout"  # it ran past Limits.wall_seconds and was killed
    MEMORY = "memory"  # all its processes together took more than Limits.memory_bytes
    OUTPUT = "output"  # it wrote more than Limits.output_bytes into the output folder
    SIGNAL = "signal"  # a signal killed it: its own crash, the seccomp filter, the file size limit


# What the program finds in its environment besides PATH, on every engine: nothing of the grader's own.
ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # or TensorFlow prints that results may differ, at every start
    # As many threads as cores would let one submission slow the others down, and count as processes.
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "2",
    "TF_NUM_INTEROP_THREADS": "2",
    "TF_NUM_INTRAOP_THREADS": "2",
}


@dataclass(frozen=True)
class Limits:
    """What one program may take. All but `file_bytes` are totals over all its processes.

    Processor time is what a program is judged by: a busy machine costs it nothing. The clock on the wall is
    for programs that wait, and lies far behind.
    """

    wall_seconds: float = 120.0
    cpu_seconds: float = 60.0  # processor time, user and system
    cores: float = 1.0  # the share of processors while it runs: 1.5 is one and a half
    memory_bytes: int = 3 * 1024 * MIB
    processes: int = 256  # threads count: TensorFlow alone starts dozens
    file_bytes: int = 64 * MIB  # one file
    output_bytes: int = 256 * MIB  # everything in the output folder
    printed_bytes: int = 64 * 1024  # kept of what it prints, the first and the last; the rest is dropped


@dataclass(frozen=True)
class Program:
    """One run of the sandbox's Python.

    Attributes:
        arguments: what follows `python -I -B` (isolated; no .pyc files), with paths as seen inside.
        submission: a folder, seen inside at /submission, read-only.
        readable: more files and folders, by the path at which they are seen inside, read-only.
        output: an empty folder, seen inside at /output: the only place whose files outlive the program.
        limits: what it may take.
        held: a file without which the program waits: the time by the clock begins when it is there. For the
            engine `none` alone (warm.py).

    Inside, /submission, /output and the paths of `readable` are the same for every engine. The engine
    `none` cannot mount: it passes the real paths in their place, so `arguments` that are equal to one of
    those paths or start with one followed by `/` are rewritten there.
    """

    arguments: tuple[str, ...]
    submission: Path
    output: Path
    readable: dict[str, Path] = field(default_factory=dict)
    limits: Limits = Limits()
    held: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """How a program ended. Returned only when the sandbox's last process is gone."""

    end: End
    exit_code: int  # the program's own, or minus the signal
    seconds: float
    peak_memory_bytes: int | None  # None where the engine cannot tell
    printed: str  # the first and the last of stdout and stderr together, undecodable bytes replaced
    cpu_seconds: float | None = None  # processor time of all its processes; None where the engine cannot tell


@dataclass(frozen=True)
class Availability:
    """Whether an engine can be used here; if not, why, and the command that fixes it."""

    usable: bool
    reason: str = ""
    fix: str = ""


class Engine(Protocol):
    """A way to run a program."""

    name: str  # as on the command line: bubblewrap, podman, docker, none
    isolates: bool  # False for `none` alone

    def availability(self) -> Availability:
        """Tries the engine for real, once, and remembers."""
        ...

    def soft(self) -> str:
        """Why its limits do not hold at every moment, in a sentence without its full stop; empty if they do.

        To be asked of an engine that is usable.
        """
        ...

    def shows(self, path: Path) -> Path | None:
        """The folder of this machine that each of its sandboxes shows and in which a path lies, if in any.

        What is private may not lie there.
        """
        ...

    def run(self, program: Program) -> Outcome:
        """Runs a program to its end; SandboxFault if it could not be started or stopped."""
        ...
