"""What every engine does while a program runs: read what it prints, watch the clock, stop it in time."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

from grader.errors import SandboxFault
from grader.sandbox.base import End

TICK = 0.05  # seconds between two looks at a program: what a limit may be overrun by

_HELD_TICK = 0.5  # the same while a program waits to be let go

_stopping = False


FIRST = 4096  # bytes of what is printed that are kept whatever follows, if that is not more than half


class Printed:
    """Reads a pipe to its end, so that printing neither blocks nor fills memory.

    Kept are the first of it, which no flood washes away, and the last.
    """

    def __init__(self, stream: IO[bytes], keep: int) -> None:
        self._stream = stream
        self._first = min(FIRST, keep // 2)
        self._last = keep - self._first
        self._begin = bytearray()
        self._kept = bytearray()
        self._reader = threading.Thread(target=self._read, name="sandbox output", daemon=True)
        self._reader.start()

    def text(self) -> str:
        """What was kept. To be called when no process can print any more."""
        # A process that got away from an engine without isolation may hold the pipe open for ever.
        self._reader.join(timeout=2.0)
        kept = self._begin + (self._kept[-self._last :] if self._last else b"")
        return kept.decode("utf-8", errors="replace")

    def _read(self) -> None:
        descriptor = self._stream.fileno()
        with suppress(OSError):  # closed by an engine that gave the program up
            while chunk := os.read(descriptor, 1 << 20):
                room = self._first - len(self._begin)
                self._begin += chunk[:room]
                self._kept += chunk[room:]
                if len(self._kept) > 2 * self._last:
                    del self._kept[: -self._last or None]


def supervise(
    ended: Callable[[float], bool],
    checks: list[Callable[[], End | None]],
    wall_seconds: float,
    *,
    held: Path | None = None,
) -> tuple[End | None, float]:
    """Waits for a program to end or to pass a limit. Kills nothing itself.

    Args:
        ended: waits for the given number of seconds and says whether the program is gone.
        checks: each says which limit has been passed, if any.
        wall_seconds: how long the program may take.
        held: a file; until it is there, the program waits, and no time is counted.

    Returns:
        The limit that was passed, None where the program ended by itself, and the seconds it took.

    Raises:
        SandboxFault: the grader is being stopped.
    """
    start = time.monotonic()
    while True:
        refuse_when_stopping()
        waits = held is not None and not held.exists()
        if waits:
            start = time.monotonic()
        left = start + wall_seconds - time.monotonic()
        gone = ended(max(0.0, min(_HELD_TICK if waits else TICK, left)))
        # Looked at once more when it is gone: a short program can pass a limit between two ticks.
        passed = next((end for check in checks if (end := check()) is not None), None)
        if passed is None and not gone and time.monotonic() - start >= wall_seconds:
            passed = End.TIMEOUT
        if gone or passed is not None:
            return passed, time.monotonic() - start


def refuse_when_stopping() -> None:
    """Raises SandboxFault while the grader is being stopped, so that no thread goes on or starts anew."""
    if _stopping:
        raise SandboxFault("the grader was stopped")


@contextmanager
def interruptible() -> Iterator[None]:
    """Makes Ctrl-C, SIGTERM and SIGHUP end the sandboxes of every thread, then the program.

    For the main thread, around everything that runs programs: signals are seen there alone, and without
    this a thread would run its program to the end, or SIGTERM would leave control groups behind.
    """
    global _stopping

    def stop(number: int, _frame: FrameType | None) -> None:
        global _stopping
        if _stopping:
            return  # the first one is being heeded; a second must not interrupt the cleaning up
        _stopping = True
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    before = {s: signal.signal(s, stop) for name in names if (s := getattr(signal, name, None)) is not None}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _stopping = False
