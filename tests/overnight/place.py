"""A copy of the checkout with nothing trained and nothing probed, and the grader in it, killed or not."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
COUNTED = Path(__file__).with_name("counted.py")
_COPIED = (
    "grader",
    "lab",
    "assignment",
    "solutions",
    "reference",
    "params.yaml",
    "pyproject.toml",
    "uv.lock",
)
_LOOK_SECONDS = 0.1
_GONE_SECONDS = 20.0  # after which a process that was killed, or had to end with its parent, is left over


@dataclass(frozen=True)
class Place:
    """Where a run happens.

    Attributes:
        checkout: the copy; its .kit is its own.
        scratch: the folder that all temporary files of a run go to.
    """

    checkout: Path
    scratch: Path

    @classmethod
    def made(cls, folder: Path) -> "Place":
        """Copies the checkout, without hidden data, which the embedded set does not need."""
        place = cls(folder / "checkout", folder / "scratch")
        for name in _COPIED:
            source, target = ROOT / name, place.checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(
                    source, target, ignore=shutil.ignore_patterns("__pycache__", "hidden", "*.png", "*.svg")
                )
            else:
                shutil.copyfile(source, target)
        place.scratch.mkdir()
        return place

    @property
    def trainings(self) -> dict[str, Path]:
        """Results that are stored, by their digest."""
        return {path.stem: path for path in (self.checkout / ".kit" / "trainings").glob("*.json")}

    @property
    def probes(self) -> dict[str, Path]:
        """Probes that are stored, by their key."""
        folder = self.checkout / ".kit" / "probes"
        return {path.name: path for path in folder.glob("*") if not path.name.startswith(".")}

    def left_behind(self) -> list[str]:
        """What of a run lies there that no later run needs: scratch folders, files that were half written."""
        kit = self.checkout / ".kit"
        found = [*self.scratch.iterdir(), *kit.glob("prepared-*"), *kit.glob("*/.*")]
        return sorted(path.name for path in found)

    def forget(self) -> None:
        """Removes all that was probed and trained, and scratch."""
        for folder in (self.checkout / ".kit", self.scratch):
            shutil.rmtree(folder, ignore_errors=True)
        self.scratch.mkdir()

    def start(
        self, arguments: Sequence[object], log: Path, *, script: Sequence[object] = ("-m", "grader")
    ) -> "Grader":
        """Starts `python -m grader ARGUMENTS`, as nox does, with what it prints appended to a file."""
        environment = {
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(self.checkout),
            "PYTHONSAFEPATH": "1",
            "TMPDIR": str(self.scratch),
        }
        command = [sys.executable, *map(str, script), *map(str, arguments)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.checkout,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Grader(process)


@dataclass
class Grader:
    """A grader that runs.

    Attributes:
        process: its own, not those that it starts.
        peak: bytes: the most that this process alone ever held, as the kernel counts it (VmHWM).
    """

    process: "subprocess.Popen[bytes]"
    peak: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code; None if it still runs after so many seconds."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._over.set()
        self._watch.join()
        return code

    def kill(self) -> list[int]:
        """Kills it with all below it, SIGKILL, and waits until all is gone; returns what is not."""
        tree = _below(self.process.pid)
        for pid in tree:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()
        late = time.monotonic() + _GONE_SECONDS
        while (left := [pid for pid in tree if _runs(pid)]) and time.monotonic() < late:
            time.sleep(0.05)
        return left

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.peak = max(self.peak, _high_water(self.process.pid))


def _high_water(pid: int) -> int:
    """The most that a process ever held, in bytes; 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _below(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # The name, in brackets, may hold anything.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found = [pid]
    for one in found:
        found += children.get(one, ())
    return found


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
