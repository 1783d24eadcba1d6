"""Runs a program in a container of podman or docker, in the container image `sandbox` (container_images.py).

How a program starts, outermost first:

    guard      sh, beside the engine's client: removes the container if the grader is gone, however it went
    podman run with a root that is read-only, no network, no capabilities, the filter of seccomp.py
    env, nice  nothing of the image's environment goes further; the grader goes first
    sh         process 1: stays until it is told to end, so that its control group can be read to the last
    sh         its child: prints READY, waits for one line, then becomes Python

The output is a tmpfs that the grader opens at READY through /proc, as it does bubblewrap's, and so are the
container's control groups: what an engine reports is not needed (podman does not say that memory ran out).
That takes a grader that may look into the container: root, or the user whose rootless podman it is.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from grader import scratch
from grader.errors import GraderFault, SandboxFault, UsageError
from grader.sandbox import container_images, control_groups, cores, seccomp
from grader.sandbox.base import (
    ENVIRONMENT,
    MIB,
    NICE,
    OPEN_FILES,
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

_LABEL = "cifar100-course-kit.grader"  # on every container: the process that answers for it
_USERS = range(10_000, 60_000)  # for a grader that is not root: rootless podman has no others
_LAUNCHERS = 1  # processes in a container that are not the program's: its process 1
_COMMAND_SECONDS = 60.0  # for an engine to do anything at all, on a machine that is busy
_PYTHON = "/opt/kit/bin/python"
# The parenthesis is a child that exists before READY is said; what it prints goes into one pipe, in order.
_FIRST = """
exec 2>/dev/null
( echo ready; read -r go || exit 1; exec "$@" </dev/null ) 2>&1
code=$?
read -r end
exit $code
"""
_FIX_LOOK = "run the grader as root, or with podman as the user whose containers they are"


class ContainerEngine:
    """podman or docker. Both take the same options; neither is asked for more than to start and to stop."""

    isolates = True

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._availability: Availability | None = None
        self._counted = False  # by a control group, as far as was seen

    def availability(self) -> Availability:
        """Starts a container that does nothing, once; removes what graders that were killed left behind."""
        with self._lock:
            if self._availability is None:
                self._availability = self._try()
            return self._availability

    def soft(self) -> str:
        """See Engine."""
        return "" if self._counted else SOFT

    def shows(self, path: Path) -> Path | None:
        """See Engine; a container has an image's files."""
        return None

    def run(self, program: Program) -> Outcome:
        """Runs a program; its files lie in the output folder when this returns."""
        refuse_when_stopping()
        try:
            with (
                scratch.Folder("sandbox") as folder,
                _started(self.name, program, Path(folder)) as sandbox,
            ):
                self._counted = isinstance(sandbox.totals, control_groups.Group)
                return sandbox.finish(program)
        except UsageError as error:  # the engine was there, and now is not
            raise SandboxFault(error.message, fix=error.fix) from error
        except OSError as error:
            raise SandboxFault(f"a container could not be set up or read: {scratch.why(error)}") from error

    def _try(self) -> Availability:
        missing = missing_image(self.name, container_images.tag("sandbox"))
        if missing is not None:
            return missing
        sweep(self.name)
        return tried(self.run, "build the image anew: nox -s image")


def missing_image(engine: str, tag: str) -> Availability | None:
    """What is missing before an engine can start a container of an image, and how it is fixed; or None."""
    if sys.platform != "linux":
        return Availability(False, "containers are looked into through /proc, which Linux alone has", "")
    try:
        if container_images.find(engine, tag) is None:
            return Availability(
                False, f"{engine} has no image {tag}", f"Build it: nox -s image -- --engine {engine}"
            )
    except (UsageError, GraderFault) as error:
        return Availability(False, error.message, error.fix)
    except (OSError, subprocess.SubprocessError) as error:
        return Availability(False, f"{engine} does not answer: {error}", "")
    return None


def hardened(engine: str, name: str, user: int, processes: int) -> list[str]:
    """`podman run` with what all containers of the kit have in common, up to but without the image."""
    return [
        *(*container_images.command(engine), "run", "--rm", "--interactive", "--pull=never"),
        *(f"--name={name}", f"--label={_LABEL}={_grader()}", "--hostname=sandbox"),
        *("--network=none", "--ipc=private", "--cgroupns=private", "--log-driver=none", "--read-only"),
        # Its stock /tmp, /run and /var/tmp, writable without a limit; and a line for the user in /etc/passwd.
        *(("--read-only-tmpfs=false", "--passwd=false") if engine == "podman" else ()),
        *(f"--user={user}:{user}", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        *("--ulimit=core=0:0", "--ulimit=msgqueue=0:0", f"--ulimit=nofile={OPEN_FILES}:{OPEN_FILES}"),
        # podman has to be given one, or tries to raise its own.
        f"--ulimit=nproc={processes}:{processes}",
    ]


@contextmanager
def guarded(engine: str, name: str) -> Iterator[None]:
    """Sees to it that a container is gone when this is left, and when the grader is killed before."""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", 'read -r never; exec "$@"', "guard", *_removal(engine, name)],
        stdin=subprocess.PIPE,  # closes with the grader, whatever ends it
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    try:
        yield
    except BaseException:
        remove(engine, name)
        raise
    finally:
        end_launcher(guard)


def remove(engine: str, container: str) -> None:
    """Kills and removes a container, wherever it stands; one that is gone already is no matter."""
    command = _removal(engine, container)
    try:
        subprocess.run(command, capture_output=True, timeout=_COMMAND_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise SandboxFault(f"a container could not be removed by {engine}") from error


def sweep(engine: str) -> None:
    """Removes the containers of graders that are no more and whose guards were killed with them."""
    ours = _grader().split("-")
    for container in _ask(engine, "ps", "--all", "--quiet", f"--filter=label={_LABEL}").split():
        with suppress(SandboxFault):  # it has gone in the meantime, or another grader removes it now
            grader = _ask(engine, "inspect", f'--format={{{{index .Config.Labels "{_LABEL}"}}}}', container)
            namespace, process, started = grader.strip().split("-")
            # Of another namespace's processes nothing is known here.
            if namespace == ours[0] and _start_time(int(process)) != started:
                remove(engine, container)


@dataclass(frozen=True)
class _Sandbox(Sandbox):
    """A container. `launcher` is the engine's client."""

    engine: str
    name: str
    first: int  # pidfd of its process 1, with which all others die
    errors: Path  # what the client itself has to say

    def exit_code(self) -> int | None:
        """See Sandbox."""
        assert self.launcher.stdin is not None
        early = ends_within(self.first, 0.0)
        with suppress(BrokenPipeError):
            self.launcher.stdin.write(b"\n")
            self.launcher.stdin.flush()
        # A program that reads process 1's line itself only keeps it from telling the exit code.
        if not ends_within(self.first, STOP_SECONDS):
            return None
        with suppress(subprocess.TimeoutExpired):
            code = self.launcher.wait(_COMMAND_SECONDS)
            said = self.errors.read_text(errors="replace").strip()
            if early and said:  # nothing inside can write there
                raise SandboxFault(f"{self.engine} lost a container: {said[-300:]}")
            return code
        return None

    def stop(self) -> None:
        """See Sandbox."""
        try:
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:
            _ask(self.engine, "kill", self.name)
        # The kernel reports the end of a namespace's process 1 only when all others in it have ended.
        if not ends_within(self.first, STOP_SECONDS):
            raise SandboxFault(f"a container could not be stopped by {self.engine}")
        # The client ends when its container is removed.
        with suppress(subprocess.TimeoutExpired):
            self.launcher.wait(_COMMAND_SECONDS)
            return
        raise SandboxFault(f"a container could not be removed by {self.engine}")


@contextmanager
def _started(engine: str, program: Program, folder: Path) -> Iterator[_Sandbox]:
    """Starts a container up to READY; on leaving, nothing of it is left."""
    name = f"kit-sandbox-{secrets.token_hex(8)}"
    errors = folder / "errors"
    with ExitStack() as cleanup:

        def closing(descriptor: int) -> int:
            cleanup.callback(os.close, descriptor)
            return descriptor

        def not_started(said: str) -> SandboxFault:
            reason = f"{said} {errors.read_text(errors='replace').strip()[-500:]}".strip()
            return SandboxFault(f"{engine} could not start a container: {reason or 'it said nothing'}")

        command = _command(engine, name, program, folder)
        cleanup.enter_context(guarded(engine, name))
        with errors.open("wb") as stderr:
            launcher = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=folder,  # podman's conmon leaves a file called oom where it was started
                start_new_session=True,  # Ctrl-C goes to the grader, which ends its sandboxes in order
            )
        cleanup.callback(end_launcher, launcher)
        assert launcher.stdout is not None
        await_ready(launcher.stdout, not_started)
        first = _first_process(engine, name)
        first_handle = closing(os.pidfd_open(first))
        (child,) = Path("/proc", str(first), "task", str(first), "children").read_text().split()
        child_handle = closing(os.pidfd_open(int(child)))
        inside = Path("/proc", str(first), "root")
        try:
            output = closing(os.open(inside / "output", os.O_RDONLY | os.O_DIRECTORY))
        except PermissionError as error:
            raise SandboxFault(
                f"the grader may not look into {engine}'s containers", fix=_FIX_LOOK
            ) from error
        group = control_groups.Group.of(first, program.limits)
        if not group.bounds_cores(program.limits):
            own = cleanup.enter_context(cores.reserved(program.limits.cores))
            for process in (first, int(child)):
                # The filter keeps the program from changing it. Where it may not be set, its time is
                # bounded, and its share is not.
                with suppress(PermissionError):
                    os.sched_setaffinity(process, own)
        counted: control_groups.Group | control_groups.Watchdog = group
        if not group.enforces(program.limits):
            # Rootless podman says that it ignores a limit, or nothing; the limit holds all the same.
            proc, *others = (
                closing(os.open(inside / name, os.O_RDONLY | os.O_DIRECTORY))
                for name in ("proc", "tmp", "dev/shm")
            )
            counted = control_groups.Watchdog(program.limits, proc, filesystems=(output, *others))
        sandbox = _Sandbox(launcher, child_handle, output, counted, engine, name, first_handle, errors)
        cleanup.callback(sandbox.stop)
        yield sandbox


def _command(engine: str, name: str, program: Program, folder: Path) -> list[str]:
    """The client's command line, from the engine to Python."""
    limits = program.limits
    user = unused_user() or secrets.choice(_USERS)  # one of its own for every program
    filter_file = folder / "seccomp.json"
    filter_file.write_text(json.dumps(seccomp.profile()))
    # The output's file system is a little larger than its limit, so that passing the limit can be seen.
    sizes = {"/tmp": TMP_BYTES, "/output": limits.output_bytes + MIB}  # noqa: S108
    shown = [("/submission", program.submission), *program.readable.items()]
    variables = {"PATH": f"{Path(_PYTHON).parent}:/usr/bin:/bin", **ENVIRONMENT}
    return [
        *hardened(engine, name, user, limits.processes + _LAUNCHERS),
        f"--security-opt=seccomp={filter_file}",
        *_limits(limits),
        f"--ulimit=fsize={limits.file_bytes}:{limits.file_bytes}",
        f"--shm-size={SHM_BYTES}",
        *(f"--tmpfs={path}:rw,nosuid,nodev,size={size},mode=1777" for path, size in sizes.items()),
        *(
            f"--volume={staged(source, folder / str(number))}:{inside}:ro,Z"
            for number, (inside, source) in enumerate(shown)
        ),
        *(f"--workdir={ENVIRONMENT['HOME']}", "--entrypoint=/usr/bin/env", container_images.tag("sandbox")),
        # Its name on the command line of process 1 tells that it is the one that was asked for.
        *("-i", "/usr/bin/nice", "-n", str(NICE), "/bin/sh", "-c", _FIRST, name),
        *("/usr/bin/env", "-i", *(f"{key}={value}" for key, value in variables.items())),
        *(_PYTHON, "-I", "-B", *program.arguments),
    ]


def _limits(limits: Limits) -> list[str]:
    """What the engine has its control group count."""
    return [
        f"--pids-limit={limits.processes + _LAUNCHERS}",
        # As much swap and memory together as memory: no swap.
        *(f"--memory={limits.memory_bytes}", f"--memory-swap={limits.memory_bytes}"),
        f"--cpus={min(limits.cores, os.cpu_count() or 1)}",
    ]


def _first_process(engine: str, name: str) -> int:
    """The number that a container's process 1 has on this machine."""
    first = int(_ask(engine, "inspect", "--format={{.State.Pid}}", name))
    # An engine on another machine, or in a virtual one, would name a process that is something else here.
    with suppress(OSError):
        if f"\0{name}\0".encode() in Path("/proc", str(first), "cmdline").read_bytes():
            return first
    raise SandboxFault(f"{engine} runs its containers on another machine", fix=_FIX_LOOK)


def _removal(engine: str, container: str) -> list[str]:
    """The command for it. podman would first ask the container to end, and wait for ten seconds."""
    return [
        *container_images.command(engine),
        "rm",
        "--force",
        "--volumes",
        *(("--time=0",) if engine == "podman" else ()),
        container,
    ]


def _ask(engine: str, *arguments: str) -> str:
    """What a short command of the engine prints."""
    command: Sequence[str] = [*container_images.command(engine), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise SandboxFault(f"{engine} {arguments[0]} did not end") from error
    if done.returncode:
        raise SandboxFault(f"{engine} {arguments[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def _grader() -> str:
    """This process, told from all others of the machine, now and later: namespace, number, time of start."""
    namespace = Path("/proc/self/ns/pid").stat().st_ino
    return f"{namespace}-{os.getpid()}-{_start_time(os.getpid())}"


def _start_time(process: int) -> str | None:
    """When a process started, in the kernel's ticks; None if there is none of that number."""
    with suppress(OSError):
        return Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[19]
    return None
