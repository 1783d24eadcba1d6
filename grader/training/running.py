"""A process that trains, and one job in it: what it prints, and its limits of time and memory.

The limit of time is one of the processor, so that a busy machine changes nothing; of a job that goes on from
a checkpoint, the epochs that it has done count. A job that passes a limit
is an Overrun: only a training of the described network can tell whose fault that is (grader/grading).
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from grader.errors import TrainerFault
from grader.training import backends, store
from grader.training.executors import JOB_HOME, Executor, Usage, last_words
from grader.training.job import Job, Outcome, Overrun, Step, beside
from lab.checkpoints import Checkpoint

_WALL = 10.0  # the wall clock's limit, as a multiple of the processor's: for a child that waits for something

# How Python, TensorFlow and the C++ library say that they were not given any.
_NO_MEMORY = ("MemoryError", "ResourceExhaustedError", "bad_alloc", "Cannot allocate memory")


class Worker:
    """A process that does one job after another: see child.py. Whoever makes one calls `kill` in the end.

    Attributes:
        jobs: how many it was given.
        process: what was started; with an engine, that engine's client.
        output: what it prints.
        home: its folder.

    Args:
        job: the first one.
        home: a folder of its own, that is not there yet.
        executor: where it runs.

    Raises:
        OSError: it cannot be started, or what a job trains on is gone.
    """

    def __init__(self, job: Job, home: Path, executor: Executor) -> None:
        self.home, self.executor = home, executor
        self.jobs = 1
        self.buffer = b""
        (home / "out").mkdir(parents=True)
        names = self._write(job)
        self._started = ExitStack()
        arguments = [f"{JOB_HOME}/{names['job']}", f"{JOB_HOME}/out/{names['result']}"]
        self.process: subprocess.Popen[bytes] = self._started.enter_context(executor.start(home, arguments))
        assert self.process.stdout is not None
        self.output: IO[bytes] = self.process.stdout

    def give(self, job: Job) -> None:
        """Gives it another job, when the one before is done.

        Raises:
            OSError: it is gone.
        """
        assert self.process.stdin is not None
        self.jobs += 1
        self.process.stdin.write(json.dumps(self._write(job)).encode() + b"\n")
        self.process.stdin.flush()

    def usage(self) -> Usage:
        """What it has taken since it was started, and holds now."""
        return self.executor.usage(self.process)

    def kill(self) -> None:
        """Ends it now and waits until it is gone."""
        self._started.close()

    def _write(self, job: Job) -> dict[str, str]:
        names = {"job": f"job-{self.jobs}.json", "result": f"{job.digest}.json"}
        (self.home / f"job-{self.jobs - 1}.json").unlink(missing_ok=True)
        for old in self.home.glob("*.npz"):
            old.unlink()
        if job.prepared:
            shutil.copyfile(job.arrays, beside(self.home, job))
        (self.home / names["job"]).write_text(job.model_dump_json(), encoding="utf-8")
        return names


class Running:
    """A job that a worker does; not thread-safe.

    Args:
        job: what it was given last.
        worker: it alone has to do with it meanwhile.
        before: what the worker had taken before it was given the job.
    """

    def __init__(self, job: Job, worker: Worker, before: Usage | None = None) -> None:
        self.job, self.worker = job, worker
        self._before = (before or Usage()).cpu_seconds or 0.0
        self._earlier = _earlier(job)
        self._done = self._closed = False
        self._stopped: TrainerFault | None = None
        self._usage = Usage()
        self._began = time.monotonic()
        self.process, self.output = worker.process, worker.output

    def read(self) -> Iterator[Step]:
        """The steps that it has printed since the last call; waits if there is nothing to read."""
        chunk = os.read(self.output.fileno(), 65536)
        self._closed = self._closed or not chunk
        *lines, self.worker.buffer = (self.worker.buffer + chunk).split(b"\n")
        for line in lines:
            # A library may print something of its own.
            with contextlib.suppress(ValueError, TypeError):
                said = json.loads(line)
                if said == {"done": f"{self.job.digest}.json"}:
                    self._done = True
                else:
                    yield Step(**said)

    @property
    def ended(self) -> bool:
        """Whether the job is done, or the worker has closed its output, which it does when it ends."""
        return self._done or self._closed

    @property
    def stopped(self) -> bool:
        """Whether it passed a limit."""
        return self._stopped is not None

    @property
    def can_go_on(self) -> bool:
        """Whether the worker waits for another job."""
        return self._done and not self._closed and not self._stopped

    def within_limits(self) -> bool:
        """Whether it is; kills it when it has passed a limit."""
        self._measure()
        self._stopped = self._passed()
        if self._stopped:
            self.kill()
        return not self._stopped

    def kill(self) -> None:
        """Ends the worker now and waits until it is gone."""
        self.worker.kill()

    def outcome(self) -> Outcome:
        """What came of it, once it has ended or was stopped."""
        if self._done:
            result = store.find(self.job, self.worker.home / "out")
            (self.worker.home / "out" / f"{self.job.digest}.json").unlink(missing_ok=True)
            return result or TrainerFault("a training was done, and its result cannot be read")
        code = self.process.wait()
        if not self._stopped:
            self._measure()
        self.kill()
        if self._stopped:
            return self._stopped
        if self._lacked_memory(code):
            return Overrun("memory", self.worker.executor.memory_bytes or 0)
        result = store.find(self.job, self.worker.home / "out")
        if code == 0 and result is not None:
            return result
        return _fault(code, self.worker.home)

    def _measure(self) -> None:
        now = self.worker.usage()
        # Of one that has just ended nothing is known any more but what was known before.
        self._usage = Usage(
            self._usage.cpu_seconds if now.cpu_seconds is None else now.cpu_seconds,
            max(self._usage.memory_bytes or 0, now.memory_bytes or 0),  # the peak, as far as it was seen
            now.ran_out or self._usage.ran_out,
        )

    def _passed(self) -> TrainerFault | None:
        """The limit that it has passed, if any."""
        limit, memory = self.job.limit_seconds, self.worker.executor.memory_bytes
        clock = time.monotonic() - self._began
        on_gpu = backends.device_of(self.job.conditions.backend) == "gpu"
        spent = self._usage.cpu_seconds
        here = clock if on_gpu or spent is None else spent - self._before
        if here + self._earlier > limit:
            return Overrun("time", limit)
        if clock > _WALL * limit:
            return TrainerFault(
                f"a training had not ended after {clock:.0f} s: this machine has no time for it"
            )
        if memory is not None and (self._usage.ran_out or (self._usage.memory_bytes or 0) > memory):
            return Overrun("memory", memory)
        return None

    def _lacked_memory(self, code: int) -> bool:
        """Whether a child that ended by itself, or was killed, did so because of its limit of memory."""
        memory = self.worker.executor.memory_bytes
        if memory is None or code == 0:
            return False
        if self._usage.ran_out:
            return True
        # A container's own counters are gone with it. The kernel kills for others' memory too: only what was
        # seen to hold most of its limit was over it.
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
            return (self._usage.memory_bytes or 0) > 0.75 * memory
        said = (self.worker.home / "errors").read_text(encoding="utf-8", errors="replace")
        return any(word in said for word in _NO_MEMORY)


def _earlier(job: Job) -> float:
    """The seconds, of that which the job's limit is in, of the epochs that were done before this start."""
    checkpoint = Checkpoint(Path(job.checkpoint), job.digest) if job.checkpoint else None
    done = checkpoint.progress() if checkpoint else None
    if done is None:
        return 0.0
    on_gpu = backends.device_of(job.conditions.backend) == "gpu"
    return done.seconds if on_gpu else done.cpu_seconds


def _fault(code: int, home: Path) -> TrainerFault:
    """Why a child ended without what it was started for."""
    if code > 128:  # a container's way to say it
        code = 128 - code
    if code < 0:
        name = signal.Signals(-code).name
        hint = "Usually memory ran out: free some and run it again." if code == -signal.SIGKILL else ""
        return TrainerFault(f"a training was ended by {name}", fix=hint)
    return TrainerFault(f"a training ended with code {code}: {last_words(home)}")
