"""Real processes of a cluster: a scheduler, workers, certificates."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


class Process:
    """One of `python -m grader ...`, with what it has printed so far."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "grader", *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def says(self, pattern: str, seconds: float = 40.0) -> re.Match[str]:
        """Waits until it has printed something."""
        soon(lambda: re.search(pattern, self.said) or self.process.poll() is not None, seconds)
        found = re.search(pattern, self.said)
        assert found, self.said
        return found

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def end(self) -> int:
        """Stops it as Ctrl-C does, and returns its exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=30)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()


def soon(true: Callable[[], object], seconds: float = 40.0) -> None:
    """Waits until something holds, and fails if it does not come to that."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@contextmanager
def scheduler(folder: Path, certificates: Path) -> Iterator[tuple[Process, str]]:
    """A scheduler of profile offline on a free port, and its address."""
    arguments = ["--profile", "offline", "--port", "0", "--certificates", str(certificates)]
    process = Process(folder, "scheduler", "scheduler", *arguments)
    try:
        yield process, process.says(r"-- (tls://127\.0\.0\.1:\d+)")[1]
    finally:
        process.end()


def worker(folder: Path, name: str, address: str, certificates: Path, *arguments: str) -> Process:
    """A worker with one place."""
    return Process(
        folder,
        name,
        *("worker", address, "--profile", "offline", "--workers", "1"),
        *("--certificates", str(certificates), *arguments),
    )
