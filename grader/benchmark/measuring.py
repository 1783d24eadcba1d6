"""One command as a fresh process: what it takes by the clock, of the processor and of memory.

    sample = run([sys.executable, "-m", "grader", "check"], cwd=folder, environment=variables)

Whatever ends this process, Ctrl-C included, ends the command: it is interrupted as by a terminal, given some
seconds to put things away, and killed with all that it started.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderFault

LIMIT_SECONDS = 1800.0
_TIDY_SECONDS = 20.0  # for a command that was interrupted to end by itself
_LOOK_SECONDS = 0.05  # between two looks at memory
_TAIL = 2000  # characters of what was printed that are kept


class CommandFailed(GraderFault):
    """A command that was to be measured ended otherwise than it should."""


@dataclass(frozen=True)
class Sample:
    """One run of a command.

    Attributes:
        wall_seconds: by the clock, from its start until it was gone.
        cpu_seconds: of the processor, user and system, with all descendants that were waited for.
        largest_mib: the most that any one process of it held, resident.
        below_mib: the most that one child of the command held together with all its descendants, pages that
            are shared counted in parts (PSS); 0 unless it was looked at.
        others: the share of the machine's processors that other processes used meanwhile, 0 to 1; None
            where the system does not tell.
        printed: the end of what it printed, both streams.
    """

    wall_seconds: float
    cpu_seconds: float
    largest_mib: float
    below_mib: float = 0.0
    others: float | None = None
    printed: str = ""


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    codes: Collection[int] = (0,),
    memory: bool = False,
    limit_seconds: float = LIMIT_SECONDS,
) -> Sample:
    """Runs a command to its end.

    Args:
        command: the program and its arguments.
        cwd: where.
        environment: all that it finds of variables.
        codes: the exit codes that mean that it went well.
        memory: whether to look at the memory of its children, which takes some of the processor.
        limit_seconds: by the clock.

    Raises:
        CommandFailed: it cannot be started, ended with another code, or had not ended in time.
    """
    with tempfile.TemporaryFile() as output:
        busy, began = _busy_seconds(), time.monotonic()
        try:
            process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(f"{command[0]} cannot be started: {error}") from error
        watch = _Memory(process.pid) if memory else None
        late = threading.Timer(limit_seconds, _kill, [process.pid])
        late.daemon = True
        late.start()
        try:
            # Not Popen.wait: only this way tells what this child, and no other, has used.
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
        except BaseException:
            _end(process)
            raise
        finally:
            late.cancel()
            below = watch.stop() if watch else 0.0
        process.returncode = os.waitstatus_to_exitcode(status)
        _kill(process.pid)  # what it left behind in its session
        after = _busy_seconds()
        printed = _tail(output.fileno())
    cpu = usage.ru_utime + usage.ru_stime
    if process.returncode not in codes:
        late_or_not = f" after {wall:.0f} s" if wall >= limit_seconds else ""
        last = "\n".join(printed.strip().splitlines()[-6:])
        raise CommandFailed(f"{' '.join(command)} ended with {process.returncode}{late_or_not}: {last}")
    others = None
    if busy is not None and after is not None:
        others = min(1.0, max(0.0, after - busy - cpu) / (wall * (os.cpu_count() or 1)))
    return Sample(wall, cpu, usage.ru_maxrss / 1024, below, others, printed)


def _busy_seconds() -> float | None:
    """How long all processors together have computed since the machine started."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Interrupts a command, waits for it to put things away, and kills what is left."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_TIDY_SECONDS)
    _kill(process.pid)
    process.wait()


def _kill(session: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, _TAIL, max(0, size - _TAIL)).decode("utf-8", "replace")


class _Memory:
    """Looks at what the children of a process hold, each with all that is below it, from a thread."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """The most that one child held, in MiB."""
        self._over.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            children = _children()
            for child in children.get(self._root, ()):
                self._most = max(self._most, sum(map(_held_mib, _below(child, children))))


def _children() -> dict[int, list[int]]:
    """All processes of this machine by their parents."""
    found = defaultdict(list)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                stat = Path("/proc", entry.name, "stat").read_text(encoding="utf-8", errors="replace")
                found[int(stat.rpartition(")")[2].split()[1])].append(int(entry.name))
    return found


def _below(process: int, children: Mapping[int, Sequence[int]]) -> list[int]:
    """A process and all its descendants."""
    found = [process]
    for one in found:
        found += children.get(one, ())
    return found


def _held_mib(process: int) -> float:
    """What a process holds, its part of what it shares; 0 if it is gone."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
