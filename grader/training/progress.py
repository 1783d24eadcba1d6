"""Progress of long work: bars in a terminal, a line now and then elsewhere."""

import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from grader.errors import TrainerFault
from grader.training.job import Job, Outcome, Result, Step
from grader.training.pool import Listener

_QUIET_SECONDS = 30.0


class Display(Listener):
    """Shows how many tasks are probed, and each training with its accuracy and the time left.

    Its methods may be called from any thread.

    Args:
        console: where to.
        probes: how many tasks of how many submissions there are to probe.
        names: what to call jobs, by their digest, as far as it is known.
    """

    def __init__(self, console: Console, probes: int, names: Mapping[str, str] | None = None) -> None:
        self._console = console
        self._names = dict(names or {})
        self._lock = threading.RLock()  # of all that is shown and counted
        self._probes, self._probed = probes, 0
        self._spoke = time.monotonic()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[remark]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._probing = self._bars.add_task("Probing", total=probes, remark="", visible=probes > 0)
        self._tasks: dict[str, TaskID] = {}
        self.trained = 0
        self.stored_before = 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._bars.stop()

    def probed(self, submission: str, task: str) -> None:
        """One task of one submission is probed."""
        with self._lock:
            self._probed += 1
            self._bars.update(self._probing, completed=self._probed, remark=f"{submission}: {task}")
            if self._probed == self._probes:
                self._bars.remove_task(self._probing)
            self._say(f"probed {self._probed} of {self._probes}", often=self._probed < self._probes)

    def name(self, job: Job, name: str) -> None:
        """What a job is called; the first name stays, where submissions share a network."""
        with self._lock:
            self._names.setdefault(job.digest, name)

    def close(self, close: Sequence[tuple[Job, Sequence[Job]]]) -> None:
        """These came close to a threshold, and are trained under further seeds now."""
        what = "1 network came" if len(close) == 1 else f"{len(close)} networks came"
        line = f"  {what} close to the accuracy wanted: two more trainings each, the median of three decides"
        with self._lock:
            for first, further in close:
                for job in further:
                    self.name(job, f"{self._name(first)}, again with seed {job.seed}")
            self._print(Text(line))

    def stored(self, job: Job, result: Result) -> None:
        """See Listener."""
        with self._lock:
            self.stored_before += 1

    def started(self, job: Job) -> None:
        """See Listener."""
        with self._lock:
            self._tasks[job.digest] = self._bars.add_task(self._name(job), total=None, remark="starting")
            self._say(f"training {self._name(job)}", often=False)

    def step(self, job: Job, step: Step) -> None:
        """See Listener."""
        remark = f"epoch {step.epoch + 1}, accuracy {step.accuracy:.1%}, {_clock(step.seconds_left)} left"
        with self._lock:
            if job.digest in self._tasks:
                task = self._tasks[job.digest]
                self._bars.update(task, total=step.steps, completed=step.step, remark=remark)
            self._say(f"  {self._name(job)}: {remark}", often=True)

    def ended(self, job: Job, outcome: Outcome) -> None:
        """See Listener."""
        with self._lock:
            self.trained += 1
            if job.digest in self._tasks:
                self._bars.remove_task(self._tasks.pop(job.digest))
            if isinstance(outcome, TrainerFault):
                line = Text(f"  {self._name(job)}: {outcome.message}", style="magenta")
            else:
                took = f"{outcome.accuracy:.1%} in {_clock(outcome.seconds)}"
                line = Text(f"  trained {self._name(job)}: {took}", style="dim")
            self._print(line)

    def _name(self, job: Job) -> str:
        return self._names.get(job.digest, f"network {str(job.digest)[:8]} on {job.labels} labels")

    def _say(self, line: str, *, often: bool) -> None:
        """Where there are no bars: a line; of those that come often, one now and then."""
        if self._console.is_terminal:
            return
        if not often or time.monotonic() - self._spoke >= _QUIET_SECONDS:
            self._spoke = time.monotonic()
            self._print(Text(line))

    def _print(self, line: Text) -> None:
        self._console.print(line)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
