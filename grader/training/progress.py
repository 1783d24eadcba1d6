"""Progress of long work: a block of lines in a terminal, a line a minute elsewhere; faults as they happen."""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from grader.errors import TrainerFault
from grader.estimate import UNKNOWN, Pace, in_words
from grader.text import plain
from grader.training.job import Job, Outcome, Result, Step
from grader.training.pool import Listener
from grader.training.tally import Running, Tally

LOG_SECONDS = 60.0  # between two lines where there is no terminal
_LIVE_SECONDS = 0.25
_LABEL, _BAR = 11, 20  # cells; the bar is shorter where there is less room, and none is below
_SHORTEST_BAR = 8
_SHORTEST_NAME = 10
_MOST_SHOWN = 4  # trainings that run


class Display(Listener):
    """Shows how far a run is.

    Its methods may be called from any thread.

    Args:
        console: where to.
        probes: how many tasks of how many submissions there are to probe.
        names: what to call jobs, by their digest, as far as it is known.
        students: of a class, all that are to be graded; then single trainings are no lines of their own.
        places: probes and trainings at a time.
        pace: what is known beforehand of what these take.
    """

    def __init__(
        self,
        console: Console,
        probes: int,
        names: Mapping[str, str] | None = None,
        *,
        students: Collection[str] = (),
        places: int = 1,
        pace: Pace = UNKNOWN,
    ) -> None:
        self._console = console
        self._names = dict(names or {})
        self._lock = threading.RLock()  # of all that is shown and counted
        self._tally = Tally(students, probes, places, time.monotonic(), pace)
        self._over = threading.Event()
        # Drawn by `_draw` alone: rich's own thread would ask for lines while holding what printing waits for.
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._thread = threading.Thread(target=self._draw, name="progress", daemon=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._console.is_terminal:
            self._live.stop()

    # --- students -----------------------------------------------------------------------------------------

    def began(self, submission: str) -> None:
        """Work on one has begun."""
        with self._lock:
            self._tally.began(submission)

    def probed(self, submission: str, task: str) -> None:
        """One task of one submission is probed."""
        with self._lock:
            self._tally.probed(submission)

    def decided(self, submission: str, fault: str = "") -> None:
        """One has its marks, or `fault` says why it has none."""
        with self._lock:
            self._tally.decided(submission)
            if fault:
                self._print(Text(f"  {plain(submission)}: {plain(fault)}", style="magenta"))

    # --- trainings ----------------------------------------------------------------------------------------

    def name(self, job: Job, name: str) -> None:
        """What a job is called; the first name stays, where submissions share a network."""
        with self._lock:
            self._names.setdefault(job.digest, name)

    def known(self, digest: str) -> None:
        """A network is known, and its training needed no more."""
        with self._lock:
            self._tally.known.add(digest)

    def close(self, close: Sequence[tuple[Job, Sequence[Job]]]) -> None:
        """These came close to a threshold, and are trained under further seeds now."""
        what = "1 network came" if len(close) == 1 else f"{len(close)} networks came"
        line = f"  {what} close to the accuracy wanted: two more trainings each, the median of three decides"
        with self._lock:
            for first, further in close:
                for job in further:
                    self.name(job, f"{self._name(first)}, again with seed {job.seed}")
            self._print(Text(line))

    def queued(self, job: Job) -> None:
        """See Listener."""
        with self._lock:
            self._tally.queued(job.digest)

    def stored(self, job: Job, result: Result) -> None:
        """See Listener."""
        with self._lock:
            self._tally.stored.add(job.digest)

    def started(self, job: Job) -> None:
        """See Listener."""
        with self._lock:
            self._tally.started(job.digest, time.monotonic())
            if not self._is_class:
                self._log(f"training {self._name(job)}")

    def step(self, job: Job, step: Step) -> None:
        """See Listener."""
        with self._lock:
            done = step.step / step.steps if step.steps else 0.0
            self._tally.step(job.digest, step.epoch, done, step.accuracy, step.seconds_left)

    def ended(self, job: Job, outcome: Outcome) -> None:
        """See Listener."""
        with self._lock:
            fault = isinstance(outcome, TrainerFault)
            self._tally.finished(job.digest, time.monotonic(), fault=fault)
            if isinstance(outcome, TrainerFault):
                self._print(Text(f"  {self._name(job)}: {outcome.message}", style="magenta"))
            elif not self._is_class:
                took = f"{outcome.accuracy:.1%} in {_clock(outcome.seconds)}"
                self._print(Text(f"  trained {self._name(job)}: {took}", style="dim"))

    def unkept(self, why: str) -> None:
        """See Listener."""
        with self._lock:
            self._print(Text(f"  {plain(why, 300)}; the run goes on, and a later one trains again", "yellow"))

    # --- what is shown ------------------------------------------------------------------------------------

    def left(self) -> str:
        """The time left for all of it, in words; "" where nothing is left."""
        left = self._tally.left(time.monotonic())
        if left == 0:
            return ""
        return "time left not known yet" if left is None else f"{in_words(left)} left"

    def _draw(self) -> None:
        """Shows how far all is, again and again."""
        terminal = self._console.is_terminal
        while not self._over.wait(_LIVE_SECONDS if terminal else LOG_SECONDS):
            with self._lock:
                left = self.left()
                lines = block(self._tally, self._console.width, self._called, left)
                said = log_line(self._tally, left)
            if terminal:
                self._live.update(Group(*lines), refresh=True)
            elif said:
                self._print(Text(said))

    @property
    def _is_class(self) -> bool:
        """Whether there are too many trainings for lines of their own."""
        return len(self._tally.students) > 1

    def _name(self, job: Job) -> str:
        return self._names.get(job.digest, f"network {str(job.digest)[:8]} on {job.labels} labels")

    def _called(self, digest: str) -> str:
        return self._names.get(digest, f"network {digest[:8]}")

    def _log(self, line: str) -> None:
        """A line, where there is no terminal."""
        if not self._console.is_terminal:
            self._print(Text(line))

    def _print(self, line: Text) -> None:
        self._console.print(line)


class Reading:
    """Shows how many submissions are read or looked at: a line of a terminal, a line a minute elsewhere.

    Args:
        console: where to.
        what: is done.
    """

    def __init__(self, console: Console, what: str = "Reading what was handed in") -> None:
        self._console = console
        self._what = what
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._shown = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def read(self, done: int, of: int) -> None:
        """So many are read."""
        now, terminal = time.monotonic(), self._console.is_terminal
        if now - self._shown < (_LIVE_SECONDS if terminal else LOG_SECONDS):
            return
        self._shown = now
        line = Text(f"{self._what}: {done} of {of}")
        if terminal:
            self._live.update(line, refresh=True)
        else:
            self._console.print(line)


# --- pure -------------------------------------------------------------------------------------------------


def log_line(tally: Tally, left: str) -> str:
    """All that a log shows; "" for nothing yet."""
    parts = [
        ", ".join(["{} of {} {what} done".format(*first, what=what), *rest])
        for what, first, rest in _rows(tally)
        if first[1]
    ]
    parts += [f"{what}: {', '.join(rest)}" for what, first, rest in _rows(tally) if not first[1] and rest]
    return "; ".join([*parts, left] if left else parts) if parts else ""


def block(tally: Tally, width: int, called: Callable[[str], str], left: str) -> list[Text]:
    """The lines that a terminal shows, none wider than it.

    Args:
        tally: what is shown.
        width: of the terminal, in cells.
        called: what a training is called, by its digest.
        left: the time left, in words.
    """
    rows = _rows(tally)
    texts = {what: [f"{done} of {of} done" if of else "none to do", *rest] for what, (done, of), rest in rows}
    room = width - _LABEL - 1 - max((len(", ".join(parts)) for parts in texts.values()), default=0)
    bar = min(_BAR, room) if room >= _SHORTEST_BAR else 0
    part = {"students": 0.0, "trainings": sum(one.done for one in tally.running.values())}
    lines = []
    for what, (done, of), _ in rows:
        front = Text(f"{what.capitalize():<{_LABEL}}")
        if of:
            full = int(bar * (done + part.get(what, 0.0)) / of)
            front.append("━" * full, "green").append("─" * (bar - full), "bright_black")
        else:
            front.append(" " * bar)
        front.append(" " * bool(bar))
        lines += _packed(front, texts[what], width)
    running = list(tally.running.values())
    lines += [_running(one, called(one.digest), width) for one in running[:_MOST_SHOWN]]
    if len(running) > _MOST_SHOWN:
        lines.append(Text(f"  and {len(running) - _MOST_SHOWN} more", "dim"))
    if lines and left:
        lines.append(Text(left[:1].upper() + left[1:]))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _rows(tally: Tally) -> list[tuple[str, tuple[int, int], list[str]]]:
    """What is counted, how many are done of how many, and the rest; only what there is anything of."""
    rows = []
    if len(tally.students) > 1:
        rest = {"running": tally.students_running, "queued": tally.students_queued}
        rows.append(("students", (tally.students_done, len(tally.students)), _present(rest)))
    elif tally.probes_done < tally.probes:
        rows.append(("tasks", (tally.probes_done, tally.probes), []))
    rest = {
        "running": len(tally.running),
        "failed": tally.faults,
        "stored": len(tally.stored),
        "known": len(tally.known),
    }
    if tally.trainings or _present(rest):
        rows.append(("trainings", (tally.ended, tally.trainings), _present(rest)))
    return rows


def _present(counts: Mapping[str, int]) -> list[str]:
    return [f"{count} {what}" for what, count in counts.items() if count]


def _packed(front: Text, parts: Sequence[str], width: int) -> list[Text]:
    """Parts behind what stands in front of the first line, on as many lines as they need."""
    lines = [front]
    for place, one in enumerate(parts):
        said = one + ("," if place + 1 < len(parts) else "")
        fits = lines[-1].cell_len + len(said) + 1 <= width
        if place and not fits:
            lines.append(Text(" " * _LABEL))
        elif place:
            lines[-1].append(" ")
        lines[-1].append(said)
    return lines


def _running(one: Running, name: str, width: int) -> Text:
    """A training on one line: what is cut is whose it is, or else its name."""
    left = f", {_clock(one.left)} left" if one.left is not None else ""
    how = f": epoch {one.epoch}, {one.accuracy:.0%}{left}" if one.epoch else ": starting"
    whose, colon, what = f"  {plain(name)}".partition(": ")
    room = width - len(how)
    if (for_whose := room - cell_len(colon + what)) < _SHORTEST_NAME:
        whose, colon, what, for_whose = f"{whose}{colon}{what}", "", "", max(_SHORTEST_NAME, room)
    cut = Text(whose)
    cut.truncate(for_whose, overflow="ellipsis")
    return Text.assemble(cut, colon, what, how, style="dim")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
