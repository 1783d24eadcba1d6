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
_LOOK_SECONDS = 0.2  # between two looks at what computes
_MEMORY_SECONDS = 0.05  # between two looks where memory is looked at as well
_TAIL = 2000  # characters of what was printed that are kept


class CommandFailed(GraderFault):
    """A command that was to be measured ended otherwise than it should."""


@dataclass(frozen=True)
class Sample:
    """One run of a command.

    Attributes:
        wall_seconds: by the clock, from its start until it was gone.
        cpu_seconds: of the processor, user and system, with all descendants.
        below_mib: the most that one child of the command held together with all its descendants, what they
            share counted once; 0 unless it was looked at.
        others: the share of the machine's processors that other processes used meanwhile, 0 to 1; None
            where the system does not tell.
        printed: the end of what it printed, both streams.
    """

    wall_seconds: float
    cpu_seconds: float
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
        memory: whether to look at the memory of its children, which itself takes some of the processor.
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
        watch = _Tree(process.pid, memory=memory)
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
            watch.stop()
        process.returncode = os.waitstatus_to_exitcode(status)
        _kill(process.pid)  # what it left behind in its session
        after = _busy_seconds()
        printed = _tail(output.fileno())
    cpu = max(usage.ru_utime + usage.ru_stime, watch.cpu_seconds)
    if process.returncode not in codes:
        late_or_not = f" after {wall:.0f} s" if wall >= limit_seconds else ""
        last = "\n".join(printed.strip().splitlines()[-6:])
        raise CommandFailed(f"{' '.join(command)} ended with {process.returncode}{late_or_not}: {last}")
    others = None
    if busy is not None and after is not None:
        others = min(1.0, max(0.0, after - busy - cpu) / (wall * (os.cpu_count() or 1)))
    return Sample(wall, cpu, watch.most_mib, others, printed)


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


class _Tree:
    """Looks at a process and all that descends from it, from a thread: what they compute and hold.

    The system adds up what was waited for, and a sandbox's processes are not always. What a process computed
    between the last look and its end is lost.
    """

    def __init__(self, root: int, *, memory: bool) -> None:
        self._root, self._memory = root, memory
        self._ticks: dict[
            tuple[int, int], int
        ] = {}  # by process and its start, which numbers alone do not tell
        self.most_mib = 0.0  # that one child of the root held, with all below it
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        self._over.set()
        self._thread.join()

    @property
    def cpu_seconds(self) -> float:
        """What all of them computed, as far as it was seen."""
        return sum(self._ticks.values()) / os.sysconf("SC_CLK_TCK") if self._ticks else 0.0

    def _watch(self) -> None:
        while not self._over.wait(_MEMORY_SECONDS if self._memory else _LOOK_SECONDS):
            found = _processes()
            children = defaultdict(list)
            for process in found.values():
                children[process.parent].append(process.number)
            known = {
                number for number, start in self._ticks if number in found and found[number].start == start
            }
            # Those that were seen below it stay its own, whoever their parent is now.
            for number in _below([self._root, *known], children):
                if number in found:
                    process = found[number]
                    self._ticks[number, process.start] = process.ticks
            if self._memory:
                for child in children[self._root]:
                    self.most_mib = max(self.most_mib, _held_mib(_below([child], children)))


@dataclass(frozen=True)
class _Process:
    number: int
    parent: int
    ticks: int  # of the processor, user and system
    start: int


def _processes() -> dict[int, _Process]:
    """All of this machine; none where there is no /proc."""
    found = {}
    with suppress(FileNotFoundError), os.scandir("/proc") as entries:
        for entry in entries:
            if entry.name.isdigit():
                with suppress(OSError, IndexError, ValueError):
                    stat = Path("/proc", entry.name, "stat").read_bytes().rpartition(b")")[2].split()
                    number = int(entry.name)
                    found[number] = _Process(
                        number, int(stat[1]), int(stat[11]) + int(stat[12]), int(stat[19])
                    )
    return found


def _below(tops: Sequence[int], children: Mapping[int, Sequence[int]]) -> list[int]:
    """Processes and all their descendants, each once."""
    found = list(dict.fromkeys(tops))
    seen = set(found)
    for one in found:
        for child in children.get(one, ()):
            if child not in seen:
                seen.add(child)
                found.append(child)
    return found


def _held_mib(processes: Sequence[int]) -> float:
    """What processes of one family hold together: all that is each one's own, and once what they share.

    Not the proportional size: that depends on who else has the same libraries open.
    """
    own, shared = 0, 0
    for process in processes:
        fields: dict[str, int] = {}
        with suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
                fields[line.split(":")[0]] = int(line.split()[1])
        private = fields.get("Private_Clean", 0) + fields.get("Private_Dirty", 0)
        own += private
        shared = max(shared, fields.get("Rss", 0) - private)
    return (own + shared) / 1024
