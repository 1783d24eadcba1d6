"""Limits on all processes of a job together.

An rlimit counts one process, and a program that starts a hundred gets it a hundred times. A control group
counts them all, and tmpfs and page cache with them. Where none may be made (an ordinary user without
systemd's delegation), a watchdog adds up what /proc says and kills: later, but still as a total.
"""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path, PurePosixPath

from grader.sandbox.base import End, Limits

_PREFIX = "kit-sandbox-"
LAUNCHERS = 2  # processes in a group that are not the program's: bwrap twice, or a container's init


class Group:
    """A control group for one job: one folder (cgroup 2), or one each for memory and processes (cgroup 1)."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders = folders
        self._kills = [file for folder in folders for name in _KILLS if (file := folder / name).exists()]

    @classmethod
    def create(cls, limits: Limits) -> "Group | None":
        """Makes a group with the memory and process limits; None where this user may make none."""
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
        return cls(folders)

    @classmethod
    def of(cls, process: int) -> "Group":
        """The group that another program made for a process; it is only read."""
        groups = _groups_of(process)
        chosen = [groups[name] for name in ("memory", "pids", "") if name in groups]
        return cls([folder for folder in dict.fromkeys(chosen) if folder.is_dir()])

    def enforces(self, limits: Limits) -> bool:
        """Whether the kernel holds its processes to these limits: what an engine says does not tell."""

        def at_most(limit: int, *files: str) -> bool:
            texts = [_read(folder / file).strip() for folder in self.folders for file in files]
            return any(text.isdecimal() and 0 < int(text) <= limit for text in texts)

        memory = at_most(limits.memory_bytes, "memory.max", "memory.limit_in_bytes")
        return memory and at_most(limits.processes + LAUNCHERS, "pids.max")

    def over(self) -> End | None:
        """Says MEMORY once the kernel had to kill a process of the group."""
        for file in self._kills:
            for line in _read(file).splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill" and value != "0":
                    return End.MEMORY
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
    """Adds up memory and processes from /proc where no control group may be made."""

    def __init__(
        self,
        limits: Limits,
        proc: int,
        mine: Callable[[str], bool] = lambda _process: True,
        filesystems: Sequence[int] = (),
    ) -> None:
        """Watches the processes in a /proc.

        Args:
            limits: what all of them may take.
            proc: an open /proc; one of the job's own process namespace lists just the job's processes.
            mine: which of the listed processes belong to the job.
            filesystems: open folders, one on each of the job's tmpfs: their pages are memory too.
        """
        self._limits = limits
        self._proc = proc
        self._mine = mine
        self._filesystems = filesystems
        self._peak = 0

    def over(self) -> End | None:
        """Says MEMORY if the processes together hold more than they may, SIGNAL if they are too many."""
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
        if sum(self._threads(process) for process in processes) > self._limits.processes + LAUNCHERS:
            return End.SIGNAL
        return None

    def peak(self) -> int:
        """The most memory that was ever seen."""
        return self._peak

    def _resident(self, process: str) -> int:
        fields = self._text(process, "statm").split()
        return int(fields[1]) * _PAGE if len(fields) > 1 else 0

    def _proportional(self, process: str) -> int:
        for line in self._text(process, "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return self._resident(process)  # it ends just now, or the kernel has no such file

    def _threads(self, process: str) -> int:
        fields = self._text(process, "stat").rpartition(")")[2].split()
        return int(fields[17]) if len(fields) > 17 else 0

    def _text(self, process: str, file: str) -> str:
        try:
            descriptor = os.open(f"{process}/{file}", os.O_RDONLY, dir_fd=self._proc)
        except OSError:
            return ""
        with os.fdopen(descriptor, errors="replace") as stream, suppress(OSError):
            return stream.read()
        return ""


def used_bytes(filesystem: int) -> int:
    """What the files on a tmpfs take, deleted ones that are still open included."""
    status = os.fstatvfs(filesystem)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def used_files(filesystem: int) -> int:
    """How many files and folders there are on a tmpfs; links count as files."""
    status = os.fstatvfs(filesystem)
    return status.f_files - status.f_ffree


_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
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
    """The folders in which this process may make groups; none if memory cannot be counted."""
    own = _groups_of()
    chosen: dict[str, Path] = {}
    for controller in ("memory", "pids"):
        if controller in own:  # cgroup 1: any group may have children
            candidates = [own[controller]]
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
    return tuple(dict.fromkeys(chosen.values())) if "memory" in chosen else ()


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
        # $0 is the folder. The shell enters, as the launcher of a job will, and ends.
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
