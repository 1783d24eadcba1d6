"""Limits on all processes of a program together.

An rlimit counts one process, and a program that starts a hundred gets it a hundred times. A control group
counts them all, tmpfs, page cache and the kernel's own memory with them, and bounds their share of the
processors. There are three ways to one:

    Group    made here: by root, or by a user to whom systemd has delegated one
    scoped   made by the user's own systemd, which starts the launcher in it
    Watchdog where there can be none: adds up what /proc says and kills, later, but still as a total
"""

import os
import secrets
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path, PurePosixPath

from grader.sandbox.base import End, Limits

_PREFIX = "kit-sandbox-"
LAUNCHERS = 2  # processes in a group that are not the program's: bwrap twice, or a container's init


class Group:
    """A control group for one program: one folder (cgroup 2), or one for each controller (cgroup 1)."""

    def __init__(self, folders: Sequence[Path], limits: Limits | None = None) -> None:
        """Takes folders that exist; without limits, no processor time is too much."""
        self.folders = folders
        self._limits = limits
        self._kills = [file for folder in folders for name in _KILLS if (file := folder / name).exists()]

    @classmethod
    def create(cls, limits: Limits) -> "Group | None":
        """Makes a group with all limits that it can hold; None where this user may make none.

        Where the kernel takes no share of processors, `bounds_cores` says so.
        """
        parents = _parents()
        if not parents:
            return None
        name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        folders = []
        for parent in parents:
            _sweep(parent)
            folder = parent / name
            folder.mkdir()
            folders.append(folder)
            # Absent files: the other version's, the other controller's, or swap that is not accounted.
            for file, value in (
                ("memory.max", limits.memory_bytes),
                ("memory.swap.max", 0),
                ("memory.oom.group", 1),
                ("memory.limit_in_bytes", limits.memory_bytes),
                ("memory.memsw.limit_in_bytes", limits.memory_bytes),
                ("pids.max", limits.processes + LAUNCHERS),
            ):
                if (folder / file).exists():
                    (folder / file).write_text(str(value))
            quota = round(limits.cores * _PERIOD)
            for file, share in (
                ("cpu.max", f"{quota} {_PERIOD}"),
                ("cpu.cfs_period_us", str(_PERIOD)),
                ("cpu.cfs_quota_us", str(quota)),
            ):
                # cgroup 1 refuses more than the group above has.
                if (folder / file).exists():
                    with suppress(OSError):
                        (folder / file).write_text(share)
        return cls(folders, limits)

    @staticmethod
    def possible() -> bool:
        """Whether this user may make one."""
        return bool(_parents())

    @classmethod
    def of(cls, process: int, limits: Limits | None = None) -> "Group":
        """The group that another program made for a process; it is only read."""
        groups = _groups_of(process)
        chosen = [groups[name] for name in (*_CONTROLLERS, "") if name in groups]
        return cls([folder for folder in dict.fromkeys(chosen) if folder.is_dir()], limits)

    def enforces(self, limits: Limits) -> bool:
        """Whether the kernel holds its processes to these limits: what an engine says does not tell."""

        def at_most(limit: int, *files: str) -> bool:
            texts = [_read(folder / file).strip() for folder in self.folders for file in files]
            return any(text.isdecimal() and 0 < int(text) <= limit for text in texts)

        memory = at_most(limits.memory_bytes, "memory.max", "memory.limit_in_bytes")
        processes = at_most(limits.processes + LAUNCHERS, "pids.max")
        return memory and processes and self.cpu_seconds() is not None

    def bounds_cores(self, limits: Limits) -> bool:
        """Whether the kernel holds it to its share of the processors."""
        for folder in self.folders:
            quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
            if not quota:
                quota, period = (_read(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
            if quota.isdecimal() and int(quota) <= limits.cores * int(period) + 1:
                return True
        return False

    def over(self) -> End | None:
        """Says MEMORY once the kernel had to kill a process of the group, CPU once its time is used up."""
        for file in self._kills:
            for line in _read(file).splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill" and value != "0":
                    return End.MEMORY
        if self._limits is not None and (self.cpu_seconds() or 0.0) > self._limits.cpu_seconds:
            return End.CPU
        return None

    def cpu_seconds(self) -> float | None:
        """Processor time of everything that ever ran in it; None if no folder of it counts that."""
        for folder in self.folders:
            if text := _read(folder / "cpuacct.usage"):
                return int(text) / 1e9
            for line in _read(folder / "cpu.stat").splitlines():
                if line.startswith("usage_usec "):
                    return int(line.split()[1]) / 1e6
        return None

    def peak(self) -> int | None:
        """The most memory the group ever held, page cache included; None on kernels that do not keep it."""
        for folder in self.folders:
            for name in _PEAKS:
                if text := _read(folder / name):
                    return int(text)
        return None

    def processes(self) -> list[int]:
        """The processes that are still in it."""
        return sorted({int(line) for folder in self.folders for line in _read(folder / _PROCS).split()})

    def kill(self) -> bool:
        """Kills what is in it, and says whether anything was."""
        processes = self.processes()
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return bool(processes)

    def empty(self) -> bool:
        """Kills what is in it until nothing is; False if something would not die."""
        return _within_seconds(5.0, lambda: not self.kill())

    def remove(self) -> None:
        """Empties and removes it. What cannot be removed is left for the next grader's sweep."""
        self.empty()
        _within_seconds(1.0, lambda: all(_rmdir(folder) for folder in self.folders))


class Watchdog:
    """Adds up memory, processes and processor time from /proc where no control group may be made.

    Kernel memory is seen as far as it is page tables. What other buffers hold is not: the filter of system
    calls takes away what makes the large ones (see seccomp.py), and few files may be open.

    Of a process that has ended, its parent knows the time; of an orphan, process 1 of the namespace. Of
    children that nobody waits for (SIGCHLD is ignored) the time is lost when they end. What can be hidden so
    is bounded by Limits.wall_seconds on as many cores as the program may use.
    """

    def __init__(
        self,
        limits: Limits,
        proc: int,
        mine: Callable[[str], bool] = lambda _process: True,
        filesystems: Sequence[int] = (),
        launcher: int | None = None,
    ) -> None:
        """Watches the processes in a /proc.

        Args:
            limits: what all of them may take.
            proc: an open /proc; one of the program's own process namespace lists just its processes.
            mine: which of the listed processes belong to the program.
            filesystems: open folders, one on each of the program's tmpfs: their pages are memory too.
            launcher: a process outside that waits for the program's last, and is waited for only later: it
                knows the time of a program that was gone before anybody looked.
        """
        self._limits = limits
        self._proc = proc
        self._mine = mine
        self._filesystems = filesystems
        self._launcher = launcher
        self._peak = 0
        self._cpu_seconds = 0.0

    def over(self) -> End | None:
        """Says which total is passed: MEMORY, CPU, or SIGNAL if the processes are too many."""
        listed = os.listdir(self._proc)  # noqa: PTH208 (an open folder, not a path)
        processes = [name for name in listed if name.isdecimal() and self._mine(name)]
        # An empty file takes memory as well: a floor for what the kernel keeps of each.
        files = sum(used_bytes(tmpfs) + 1024 * used_files(tmpfs) for tmpfs in self._filesystems)
        total = files + sum(self._resident(process) for process in processes)
        if total > self._limits.memory_bytes:
            # Resident pages that forked processes share were counted for each of them. The exact figure
            # costs the kernel a walk through all page tables, so it is asked for only when it matters.
            total = files + sum(self._proportional(process) for process in processes)
        self._peak = max(self._peak, total)
        if total > self._limits.memory_bytes:
            return End.MEMORY
        stats = [_Stat.of(self._text(process, "stat")) for process in processes]
        self._cpu_seconds = max(self._cpu_seconds, sum(stat.cpu_seconds for stat in stats))
        if self._cpu_seconds > self._limits.cpu_seconds:
            return End.CPU
        if sum(stat.threads for stat in stats) > self._limits.processes + LAUNCHERS:
            return End.SIGNAL
        return None

    def cpu_seconds(self) -> float:
        """The most processor time that was ever seen; exact when the launcher has seen the program's end."""
        if self._launcher is not None:
            waited = _Stat.of(_read(Path("/proc", str(self._launcher), "stat"))).cpu_seconds
            self._cpu_seconds = max(self._cpu_seconds, waited)
        return self._cpu_seconds

    def peak(self) -> int:
        """The most memory that was ever seen."""
        return self._peak

    def _resident(self, process: str) -> int:
        """Pages in memory and the tables that say where they are."""
        return sum(self._kibibytes(process, "status", "VmRSS", "VmPTE")) * 1024

    def _proportional(self, process: str) -> int:
        exact = self._kibibytes(process, "smaps_rollup", "Pss")
        if not exact:  # it ends just now, or the kernel has no such file
            return self._resident(process)
        return sum(exact + self._kibibytes(process, "status", "VmPTE")) * 1024

    def _kibibytes(self, process: str, file: str, *keys: str) -> list[int]:
        lines = (line.partition(":") for line in self._text(process, file).splitlines())
        return [int(value.split()[0]) for key, _, value in lines if key in keys]

    def _text(self, process: str, file: str) -> str:
        try:
            descriptor = os.open(f"{process}/{file}", os.O_RDONLY, dir_fd=self._proc)
        except OSError:
            return ""
        with os.fdopen(descriptor, errors="replace") as stream, suppress(OSError):
            return stream.read()
        return ""


@dataclass(frozen=True)
class _Stat:
    """What /proc/PID/stat says of a process: its own time, and that of its children that have ended."""

    cpu_seconds: float = 0.0
    threads: int = 0

    @classmethod
    def of(cls, text: str) -> "_Stat":
        fields = text.rpartition(")")[2].split()  # a name may hold spaces and parentheses
        if len(fields) < 18:
            return cls()
        return cls(sum(map(int, fields[11:15])) / _TICKS, int(fields[17]))


def used_bytes(filesystem: int) -> int:
    """What the files on a tmpfs take, deleted ones that are still open included."""
    status = os.fstatvfs(filesystem)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def used_files(filesystem: int) -> int:
    """How many files and folders there are on a tmpfs; links count as files."""
    status = os.fstatvfs(filesystem)
    return status.f_files - status.f_ffree


_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100  # a second
_PERIOD = 100_000  # microseconds: in each, a group gets its share of the processors
_CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
_PROCS = "cgroup.procs"
_KILLS = ("memory.events", "memory.oom_control")
_PEAKS = ("memory.peak", "memory.max_usage_in_bytes")


def _within_seconds(seconds: float, done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _rmdir(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _sweep(parent: Path) -> None:
    """Removes the groups of graders that were killed before they could.

    Their launchers may still be on their way out, so that a moment is waited for them. None is killed here:
    where several process namespaces share a group, an owner that is not seen may be alive.
    """
    for folder in parent.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path("/proc", owner).exists():
            _within_seconds(1.0, partial(_rmdir, folder))


@cache
def _parents() -> tuple[Path, ...]:
    """The folders in which this process may make groups; none if memory or processor time are not counted."""
    own = _groups_of()
    chosen: dict[str, Path] = {}
    unified: Path | None = None
    for controller in _CONTROLLERS:
        if controller in own:  # cgroup 1: any group may have children
            candidates = [own[controller]]
        elif unified is not None:  # a process is in one group of cgroup 2, whatever it counts
            continue
        elif "" in own:  # cgroup 2: a group with processes in it may not, but one of its parents may
            candidates = [
                folder
                for folder in (own[""], *own[""].parents)
                if controller in _read(folder / "cgroup.subtree_control").split()
            ]
        else:
            candidates = []
        usable = next((folder for folder in candidates if _may_enter_child(folder)), None)
        if usable is not None:
            chosen[controller] = usable
            if controller not in own:
                unified = usable
    # cgroup 2 counts processor time without a controller.
    counted = "memory" in chosen and ("cpuacct" in chosen or unified is not None)
    return tuple(dict.fromkeys(chosen.values())) if counted else ()


def _groups_of(process: int | str = "self") -> dict[str, Path]:
    """A process's group by controller, as folders; cgroup 2 under the empty name."""
    mounts: dict[str, tuple[str, str]] = {}
    for line in _read(Path("/proc/self/mountinfo")).splitlines():
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup2":
            mounts[""] = (root, point)
        elif kind == "cgroup":
            for option in options.split()[-1].split(","):
                mounts[option] = (root, point)
    groups = {}
    for line in _read(Path("/proc", str(process), "cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            root, point = mounts.get(controller, ("", ""))
            # In a container the mount shows a part of the tree: its root is not the tree's.
            if point and PurePosixPath(path).is_relative_to(root):
                groups[controller] = Path(point, PurePosixPath(path).relative_to(root))
    return groups


def _may_enter_child(parent: Path) -> bool:
    """Tries it: permissions alone do not tell (a read-only mount, cgroup 2's rule on common ancestors)."""
    folder = parent / f"{_PREFIX}{os.getpid()}-try-{secrets.token_hex(4)}"
    try:
        folder.mkdir()
    except OSError:
        return False
    try:
        # $0 is the folder. The shell enters, as the launcher of a program will, and ends.
        entered = subprocess.run(
            ["/bin/sh", "-c", f'echo $$ > "$0/{_PROCS}"', str(folder)],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return entered.returncode == 0
    finally:
        Group([folder]).remove()


def entering(group: Group | None) -> list[str]:
    """The start of a command line that enters the group and then becomes the rest of the line."""
    script = f'while [ "$1" != -- ]; do echo $$ > "$1/{_PROCS}" || exit 125; shift; done; shift; exec "$@"'
    folders = [str(folder) for folder in group.folders] if group else []
    return ["/bin/sh", "-c", script, "enter", *folders, "--"]


def scoped(limits: Limits) -> list[str]:
    """The start of a command line that runs the rest in a group made by the user's own systemd.

    Empty where there is no such systemd, or its groups hold nothing. Tested with a stand-in for systemd-run
    alone: `Group.of(...).enforces(...)` has to be asked of each program's launcher once it runs.
    """
    return _scope(limits) if _user_manager_enforces() else []


def _scope(limits: Limits) -> list[str]:
    """The launcher stays the same process: systemd-run enters the group and becomes the program."""
    bus = {
        name: value
        for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
        if (value := os.environ.get(name))
    }
    return [
        *("/usr/bin/env", *(f"{name}={value}" for name, value in bus.items())),
        *(shutil.which("systemd-run") or "systemd-run", "--user", "--scope", "--quiet", "--collect"),
        *("-p", f"MemoryMax={limits.memory_bytes}", "-p", "MemorySwapMax=0"),
        *("-p", f"TasksMax={limits.processes + LAUNCHERS}", "-p", f"CPUQuota={limits.cores:.0%}", "--"),
    ]


@cache
def _user_manager_enforces() -> bool:
    """Tries it: a program that waits is started in a scope, and its group is looked at."""
    if "XDG_RUNTIME_DIR" not in os.environ or shutil.which("systemd-run") is None:
        return False
    limits = Limits()
    try:
        waiting = subprocess.Popen(
            [*_scope(limits), "/bin/sh", "-c", "echo; read -r never"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return False
    with waiting:
        assert waiting.stdin is not None
        assert waiting.stdout is not None
        readable, _, _ = select.select([waiting.stdout], [], [], 5.0)
        started = bool(readable) and bool(waiting.stdout.readline())
        enforced = started and Group.of(waiting.pid).enforces(limits)
        waiting.kill()
    return enforced
