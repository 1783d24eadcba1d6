"""Runs a program as a user of its own, where no namespace can be made: Gradescope's containers, for example.

Weaker than every other engine that isolates. The program cannot read or write what other users keep to
themselves, cannot signal their processes and cannot become another user again; rlimits bound each of its
processes, and a look twenty times a second all of them. But it sees every file that is open to all, and it
can reach whatever network there is. So it is chosen by nobody's `--engine auto`: only a container that was
prepared for it, and holds one submission at a time, runs it (grader/packaging).

The user is one that nobody has, drawn for each program. So everything that the program started is found by
its user, wherever it went, and killed; and what it left in folders that all may write to is removed.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from grader.errors import SandboxFault
from grader.sandbox import control_groups, visible
from grader.sandbox.base import (
    ENVIRONMENT,
    NICE,
    OPEN_FILES_UNCOUNTED,
    Availability,
    End,
    Outcome,
    Program,
)
from grader.sandbox.files import copy_files, opened, staged
from grader.sandbox.lifecycle import STOP_SECONDS, tried, unused_user
from grader.sandbox.supervision import Printed, refuse_when_stopping, supervise
from grader.sandbox.unisolated import output_over, real_path

SHARED = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path("/run/lock"))  # noqa: S108
_NEEDED = ("setpriv", "prlimit")


class OtherUserEngine:
    """The engine for containers without namespaces. Needs root, so that it can become another user."""

    name = "another user"
    isolates = True

    def __init__(self, python: Path = Path(sys.executable)) -> None:
        """With the Python that runs programs; every user has to be able to read it."""
        self._python = python
        self._lock = threading.Lock()
        self._availability: Availability | None = None

    def availability(self) -> Availability:
        """Runs a program that does nothing, once."""
        with self._lock:
            if self._availability is None:
                self._availability = self._try()
            return self._availability

    def soft(self) -> str:
        """See Engine."""
        return (
            "there is no sandbox here but a user of its own: totals are added up twenty times a second, "
            "and the network is not cut"
        )

    def shows(self, path: Path) -> Path | None:
        """See Engine."""
        return visible.shows(path)

    def run(self, program: Program) -> Outcome:
        """Runs a program in a folder of its own, with the real paths in place of those inside a sandbox."""
        refuse_when_stopping()
        user = unused_user()
        if user is None:
            raise SandboxFault("only root can become another user", fix="run as root")
        try:
            with ExitStack() as cleanup:
                return _run(program, user, self._python, cleanup)
        except OSError as error:
            raise SandboxFault(f"a program could not be set up or read: {error}") from error

    def _try(self) -> Availability:
        if sys.platform != "linux" or unused_user() is None:
            return Availability(False, "only root on Linux can become another user", "run as root")
        for name in _NEEDED:
            if visible.tool(name) is None:
                return Availability(False, f"{name} is not installed", "apt-get install util-linux")
        return tried(self.run, f"check that {self._python} and its libraries can be read by all")


def _run(program: Program, user: int, python: Path, cleanup: ExitStack) -> Outcome:
    limits = program.limits
    top = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="kit-user-")))
    top.chmod(0o711)  # may be entered, not listed
    real = _put_up(program, top, user)
    output, home = top / "output", top / "home"
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    cleanup.callback(os.close, proc)
    cleanup.callback(remove_left, user)
    cleanup.callback(kill_all, user)
    process = subprocess.Popen(
        _command(program, real, user, home, python),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=home,
        env={},
        start_new_session=True,
    )
    assert process.stdout is not None
    cleanup.enter_context(process.stdout)
    printed = Printed(process.stdout, limits.printed_bytes)
    watchdog = control_groups.Watchdog(limits, proc, lambda pid: is_of(pid, user))
    checks: list[Callable[[], End | None]] = [
        watchdog.over,
        lambda: output_over(output, limits.output_bytes),
        lambda: output_over(home, limits.output_bytes),
    ]
    passed, seconds = supervise(lambda timeout: _ends_within(process, timeout), checks, limits.wall_seconds)
    kill_all(user)
    code = process.wait()
    with opened(output, os.O_RDONLY | os.O_DIRECTORY) as made, opened(program.output, os.O_RDONLY) as kept:
        if copy_files(made, kept, limits.output_bytes) < 0:
            passed = passed or End.OUTPUT
    if passed is not None:
        end, code = passed, -signal.SIGKILL
    else:
        end = End.SIGNAL if code < 0 else End.EXIT
    return Outcome(end, code, seconds, watchdog.peak(), printed.text(), watchdog.cpu_seconds())


def _put_up(program: Program, top: Path, user: int) -> dict[str, Path]:
    """Copies what the program may read; where each path inside really lies."""
    real = {"/submission": staged(program.submission, top / "submission")}
    for inside, source in program.readable.items():
        place = top / inside.lstrip("/")
        for parent in reversed(place.relative_to(top).parents[:-1]):
            (top / parent).mkdir(mode=0o755, exist_ok=True)
            (top / parent).chmod(0o755)
        real[inside] = staged(source, place)
    for name in ("output", "home"):
        (top / name).mkdir(mode=0o700)
        os.chown(top / name, user, user)
    return {**real, "/output": top / "output"}


def _command(program: Program, real: dict[str, Path], user: int, home: Path, python: Path) -> list[str]:
    limits = program.limits
    variables = {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        **ENVIRONMENT,
        "HOME": str(home),
        "TMPDIR": str(home),
        "MPLCONFIGDIR": str(home / "matplotlib"),
    }
    setpriv, prlimit = (visible.tool(name) or "" for name in _NEEDED)
    # No process of another user has its number, so that all its processes are counted, and no others.
    bounds = ["--core=0", "--msgqueue=0", f"--fsize={limits.file_bytes}", f"--nofile={OPEN_FILES_UNCOUNTED}"]
    bounds += [f"--nproc={limits.processes}", f"--cpu={int(limits.cpu_seconds) + 1}"]
    bounds += [f"--data={2 * limits.memory_bytes}"]
    return [
        *("nice", "-n", str(NICE), "/usr/bin/env", "-i"),
        *(setpriv, "--reuid", str(user), "--regid", str(user), "--clear-groups", "--no-new-privs", "--"),
        *(prlimit, *bounds),
        # Where memory runs out, this is what the kernel is to end, and not what grades.
        *("/bin/sh", "-c", 'echo 1000 > /proc/self/oom_score_adj; exec "$@"', "sh"),
        *("/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items())),
        *(str(python), "-I", "-B", *(real_path(argument, real) for argument in program.arguments)),
    ]


# --- what a user has, and its end --------------------------------------------------------------------------


def is_of(process: str, user: int) -> bool:
    """Whether a process is a user's, and still alive: of one that has ended its parent may not have heard."""
    try:
        # Not who owns its folder in /proc: that is root for a process that has made itself undumpable.
        status = Path("/proc", process, "status").read_text(errors="replace")
    except OSError:
        return False
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return str(user) in fields.get("Uid", "").split() and fields.get("State", "").strip()[:1] not in (
        "Z",
        "X",
    )


def kill_all(user: int) -> None:
    """Kills every process of a user until there is none; SandboxFault if one does not end."""
    deadline = time.monotonic() + STOP_SECONDS
    setpriv = visible.tool("setpriv") or ""
    while left := [
        one.name for one in Path("/proc").iterdir() if one.name.isdecimal() and is_of(one.name, user)
    ]:
        if time.monotonic() > deadline:
            raise SandboxFault("a program could not be stopped")
        # As that user, which reaches all of its processes in one call: none has the time to start another.
        become = ["--reuid", str(user), "--regid", str(user), "--clear-groups", "--no-new-privs", "--"]
        everything = [setpriv, *become, "/bin/sh", "-c", "kill -KILL -1"]
        subprocess.run(everything, check=False, env={}, capture_output=True)
        for process in left:
            with suppress(OSError):
                os.kill(int(process), signal.SIGKILL)
        time.sleep(0.01)


def remove_left(user: int) -> None:
    """Removes what a user left in the folders to which all may write."""
    for folder in SHARED:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid != user:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        Path(entry.path).unlink()


def _ends_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
