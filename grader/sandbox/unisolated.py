"""Runs a program as a plain subprocess: for one's own code alone, since it isolates nothing.

The limits hold as far as the system enforces them, so that an endless loop in a solution ends and a leak
does not take the machine down: on Linux nearly as in a sandbox, on macOS time by the clock and size of files,
on Windows time by the clock. Without a control group, an orphan's processor time is lost when it ends.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from grader import scratch
from grader.errors import SandboxFault
from grader.sandbox import control_groups, cores
from grader.sandbox.base import ENVIRONMENT, MAX_OUTPUT_FILES, Availability, End, Outcome, Program
from grader.sandbox.supervision import Printed, refuse_when_stopping, supervise

_MARK = "KIT_SANDBOX_JOB"  # in the environment of all of a program's processes, and of no others

# Sets what is limited per process, then becomes the program's Python. Not done in Popen's preexec_fn: that
# runs between fork and exec, where a lock that another thread holds would never be released.
_LAUNCHER = """
import os, resource, sys
def limit(kind, value):
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
limit(resource.RLIMIT_CORE, 0)
limit(resource.RLIMIT_FSIZE, int(sys.argv[1]))
os.nice(int(sys.argv[2]))
if sys.argv[3]:
    os.sched_setaffinity(0, map(int, sys.argv[3].split(",")))
os.execv(sys.executable, [sys.executable, "-I", "-B", *sys.argv[4:]])
"""


class NoneEngine:
    """No sandbox: the program can read, write and reach whatever the grader can."""

    name = "none"
    isolates = False

    def availability(self) -> Availability:
        """Always usable."""
        return Availability(True)

    def soft(self) -> str:
        """See Engine; what isolates nothing says that elsewhere."""
        return ""

    def shows(self, path: Path) -> Path | None:
        """See Engine; where everything is seen, none of it is a surprise."""
        return None

    def run(self, program: Program) -> Outcome:
        """Runs a program in a folder of its own, with the real paths in place of those inside a sandbox."""
        refuse_when_stopping()
        with ExitStack() as cleanup:
            home = cleanup.enter_context(scratch.Folder("none"))
            group = control_groups.Group.create(program.limits)
            if group is not None:
                cleanup.callback(group.remove)
            own: set[int] = set()
            if not (group and group.bounds_cores(program.limits)):
                own = cleanup.enter_context(cores.reserved(program.limits.cores))
            mark = secrets.token_hex(8)
            try:
                process = subprocess.Popen(
                    [*(control_groups.entering(group) if group else ()), *_command(program, own)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    cwd=home,
                    env=_environment(home) | {_MARK: mark},
                    start_new_session=True,  # to be killed as a group; has no effect on Windows
                )
            except OSError as error:
                raise SandboxFault(f"{sys.executable} could not be started: {error}") from error
            cleanup.callback(_stop, process, group, mark)
            assert process.stdout is not None
            cleanup.enter_context(process.stdout)
            printed = Printed(process.stdout, program.limits.printed_bytes)
            counted: control_groups.Group | control_groups.Watchdog | None = group
            if group is None and sys.platform == "linux":
                proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
                cleanup.callback(os.close, proc)
                counted = control_groups.Watchdog(program.limits, proc, lambda pid: _marked(pid, mark))
            checks: list[Callable[[], End | None]] = [
                lambda: output_over(program.output, program.limits.output_bytes),
                *([counted.over] if counted else ()),
            ]

            passed, seconds = supervise(
                lambda timeout: _ends_within(process, timeout),
                checks,
                program.limits.wall_seconds,
                held=program.held,
            )
            _stop(process, group, mark)
            peak, spent = (counted.peak(), counted.cpu_seconds()) if counted else (None, None)
            if passed is not None:
                return Outcome(passed, -int(_KILL), seconds, peak, printed.text(), spent)
            code = process.returncode
            end = End.SIGNAL if code < 0 else End.EXIT
            return Outcome(end, code, seconds, peak, printed.text(), spent)


_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has no SIGKILL
_NICE = 5


def _command(program: Program, own: set[int]) -> list[str]:
    """The command line, from the launcher to Python; `own` are the cores to be held to, if to some."""
    real = {"/submission": program.submission, "/output": program.output, **program.readable}
    arguments = [real_path(argument, real) for argument in program.arguments]
    if sys.platform == "win32":
        return [sys.executable, "-I", "-B", *arguments]
    limits = [str(program.limits.file_bytes), str(_NICE), ",".join(map(str, own))]
    return [sys.executable, "-I", "-S", "-B", "-c", _LAUNCHER, *limits, *arguments]


def real_path(argument: str, real: dict[str, Path]) -> str:
    """The path outside that an argument means; the longest match, since one may lie within another."""
    for inside in sorted(real, key=len, reverse=True):
        if argument == inside or argument.startswith(f"{inside}/"):
            return str(real[inside].absolute()) + argument[len(inside) :]
    return argument


def _environment(home: str) -> dict[str, str]:
    variables = ENVIRONMENT | {"HOME": home, "MPLCONFIGDIR": str(Path(home, "matplotlib"))}
    # Without these, Windows starts no Python, and programs elsewhere do not find their tools.
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP")
    return variables | {name: os.environ[name] for name in kept if name in os.environ}


def output_over(folder: Path, limit: int) -> End | None:
    """Adds up the output folder, as far as it takes to know."""
    files = total = 0
    folders = [folder]
    while folders:
        # What vanishes while it is looked at belongs to a running program.
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                files += 1
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_size
                if files > MAX_OUTPUT_FILES or total > limit:
                    return End.OUTPUT
    return None


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: subprocess.Popen[bytes], group: control_groups.Group | None, mark: str) -> None:
    """Kills the program and what it started; what left its process group is found by group or mark."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, _KILL)
        else:
            process.kill()
    process.wait()
    if group is not None:
        if not group.empty():
            raise SandboxFault("a program could not be stopped")
        return
    # Until nothing is found: what is killed may have started another process just before.
    while left := [pid for pid in _processes() if _marked(pid, mark)]:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(int(pid), _KILL)
        time.sleep(0.01)


def _processes() -> list[str]:
    proc = Path("/proc")
    return [entry.name for entry in proc.iterdir() if entry.name.isdecimal()] if proc.is_dir() else []


def _marked(process: str, mark: str) -> bool:
    """Whether a process was started by the program: environments are inherited."""
    try:
        return f"{_MARK}={mark}".encode() in Path("/proc", process, "environ").read_bytes()
    except OSError:
        return False  # another user's, or gone
