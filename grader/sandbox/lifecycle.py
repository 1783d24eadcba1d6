"""A sandbox that stands: how its program is let go, seen to its end, and its files fetched.

Every isolating engine starts a program up to READY: the sandbox is there, its output file system is open
on this side, and the program waits for a line of input. Until then nothing of the submission has run, so
whatever goes wrong is the machine's fault; after it, whatever goes wrong is the submission's.
"""

import os
import secrets
import select
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from grader import scratch
from grader.errors import SandboxFault
from grader.sandbox import control_groups
from grader.sandbox.base import MAX_OUTPUT_FILES, Availability, End, Limits, Outcome, Program
from grader.sandbox.files import copy_files, opened
from grader.sandbox.supervision import Printed, refuse_when_stopping, supervise

READY = b"ready\n"
START_SECONDS = 30.0  # on an idle machine: bwrap 20 ms, podman and docker half a second
STOP_SECONDS = 60.0  # for hundreds of killed processes to be gone, where others keep the machine busy


@dataclass(frozen=True)
class Sandbox(ABC):
    """A sandbox whose program waits for its first line of input.

    Attributes:
        launcher: takes that line on its stdin; what the program prints comes out of its stdout.
        pidfd: tells when the program has ended; numbers can come to mean another process.
        output: the root of the file system at /output, which nothing else outside can see.
        totals: what counts the program's memory, processes and processor time.
    """

    launcher: subprocess.Popen[bytes]
    pidfd: int
    output: int
    totals: control_groups.Group | control_groups.Watchdog

    @abstractmethod
    def exit_code(self) -> int | None:
        """Waits for the sandbox to end by itself; as a shell says it, 128 and more for a signal."""

    @abstractmethod
    def stop(self) -> None:
        """Kills whatever still runs inside and returns when the last of it is gone."""

    def finish(self, program: Program) -> Outcome:
        """Lets the program go, sees it to its end and fetches its files."""
        assert self.launcher.stdin is not None
        assert self.launcher.stdout is not None
        limits = program.limits
        printed = Printed(self.launcher.stdout, limits.printed_bytes)
        with suppress(BrokenPipeError):  # killed already, for its memory for example
            self.launcher.stdin.write(b"\n")
            self.launcher.stdin.flush()

        def output_over() -> End | None:
            used, files = control_groups.used_bytes(self.output), control_groups.used_files(self.output)
            return End.OUTPUT if used > limits.output_bytes or files > MAX_OUTPUT_FILES else None

        passed, seconds = supervise(
            lambda timeout: ends_within(self.pidfd, timeout),
            [self.totals.over, output_over],
            limits.wall_seconds,
        )
        # Before the end: an engine removes the control groups that it made.
        peak, spent = self.totals.peak(), self.totals.cpu_seconds()
        code = self.exit_code() if passed is None else None
        self.stop()
        cpu_seconds = self.totals.cpu_seconds() or spent
        with opened(program.output, os.O_RDONLY | os.O_DIRECTORY) as output:
            if copy_files(self.output, output, limits.output_bytes) < 0:
                passed = passed or End.OUTPUT
        if passed is not None:
            end, code = passed, -signal.SIGKILL
        elif code is None:
            end, code = End.SIGNAL, -signal.SIGKILL
        elif 128 < code <= 128 + signal.NSIG:
            # As a shell does, launchers add 128 to a signal: a program that exits with 137 looks killed.
            end, code = End.SIGNAL, 128 - code
        else:
            end = End.EXIT
        return Outcome(end, code, seconds, peak, printed.text(), cpu_seconds)


def tried(run: Callable[[Program], Outcome], fix: str) -> Availability:
    """Runs a program that does nothing; `fix` is for where the sandbox starts and Python does not."""
    with scratch.Folder("sandbox") as folder:
        submission, output = Path(folder, "submission"), Path(folder, "output")
        submission.mkdir()
        output.mkdir()
        program = Program(("-c", "print('works')"), submission, output, limits=Limits(wall_seconds=20.0))
        try:
            outcome = run(program)
        except SandboxFault as fault:
            return Availability(False, fault.message, fault.fix)
    if outcome.printed != "works\n":
        reason = f"Python does not start inside ({outcome.end}): {outcome.printed.strip()[-300:]}"
        return Availability(False, reason, fix)
    return Availability(True)


def await_ready(stdout: IO[bytes], failed: Callable[[str], SandboxFault]) -> None:
    """Waits until a sandbox stands; else raises what `failed` makes of all that was said instead."""
    deadline = time.monotonic() + START_SECONDS
    said = b""
    while said != READY:
        refuse_when_stopping()
        left = deadline - time.monotonic()
        if left <= 0:
            raise failed(f"it did not start within {START_SECONDS:.0f} s {said.decode(errors='replace')}")
        readable, _, _ = select.select([stdout], [], [], min(left, 1.0))
        if not readable:
            continue
        chunk = os.read(stdout.fileno(), 4096)
        said += chunk
        if not chunk:
            raise failed(said.decode("utf-8", errors="replace").strip())


def end_launcher(launcher: subprocess.Popen[bytes]) -> None:
    """Ends a launcher and closes its pipes."""
    launcher.kill()
    launcher.wait()
    for stream in (launcher.stdin, launcher.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def ends_within(handle: int, seconds: float) -> bool:
    """Whether the process of a pidfd ends within a time."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def unused_user() -> int | None:
    """A user number that nobody has, drawn anew for each program; None if the grader may not become another.

    No process of another program can be signalled by it or counted with it.
    """
    users = unused_users()
    return secrets.choice(users) if users else None


def unused_users() -> range:
    """User numbers that nobody has; none where the grader may not become another user.

    From 0x70000000 on, systemd's table of user numbers has nothing. In a container that maps fewer
    numbers, the last ones that it maps serve.
    """
    if os.geteuid() != 0:
        return range(0)
    mapped = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    end = min(0x80000000, max(int(first) + int(count) for first, _, count in mapped))
    if end < 0x10000:  # root in name only: of a user namespace that an ordinary user made
        return range(0)
    return range(0x70000000 if end == 0x80000000 else end - 2048, end)
