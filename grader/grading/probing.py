"""Has a submission's functions called in a sandbox, again where it died, and hands on the evidence.

A probe that dies half-way (os._exit, out of memory, killed) is tried a second time, in case the machine
was at fault. If the same function ends it again, that function is the cause: the probe is run without it,
so that the other functions still get their marks. What the clock decided, which other programs have a part
in, is tried again while no other probe and no training runs before it costs a mark. And a task may have its
functions called once more in a second process, to see what is remembered within one only.

Keras is used on its NumPy backend first, where the code that a module reaches names no TensorFlow: it imports
in a tenth of the time, and a network is described the same. What does not end well there (an exception, a
time limit, no network) is probed again on TensorFlow, as if nothing had been, before it costs a mark.

All of it together is bounded for each task by a share of its own, so that nothing in one task can take the
time of another, and one submission costs a class a known number of seconds (see LIMITS).

Whether a probe came as far as the submission is not read from the evidence, which the submission may remove
or rewrite, but from what was printed before its first line ran. So nobody can crash into a fault.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.config.manifest import Task
from grader.errors import SandboxFault
from grader.grading import backends, probe_store
from grader.grading.backends import Backend
from grader.grading.evidence import Evidence, Network
from grader.grading.launching import STARTED, Launched, computed_on, how, in_seconds, launch
from grader.grading.probe_store import Kept, Probes
from grader.sandbox import Engine, Limits
from grader.sandbox.base import End
from grader.slots import Slots

TASKS = Path(__file__).parents[1] / "tasks"
TRIES = 2

# What one task of one submission costs at most. Its processor time is for all its runs together: 60 s, of
# which a right submission takes 1, and on TensorFlow 8, nearly all of it to import that. The clock is far
# behind, so that no mark depends on what else the machine does: 120 s a run, and for all runs of the task
# together a quarter more. Five tasks: 300 s of processor time and 750 s by the clock, of which 150 s alone.
LIMITS = Limits()
ALL_RUNS = 1.25  # of Limits.wall_seconds
# Of Limits.wall_seconds, for the runs while nothing else may run: others have to wait for them. Alone, a
# right submission takes a third of it.
ALONE = 0.25
# Shares of a task's limits that one call may take: 15 s of processor time, 40 s by the clock. Two functions
# that never end leave half of the time for the others.
CALL_SECONDS, CALL_CLOCK = 1 / 4, 1 / 3
LEAST = 1 / 60  # of the limits: with less than that left, nothing is started any more
# Of the limits of a task and of a call, for a run on the NumPy backend. A right submission takes 1 s there;
# for one that takes too long, three quarters are left for TensorFlow.
ON_NUMPY = 1 / 4

BY_THE_CLOCK = "ClockTimeIsUp"  # harness.py's name for it
# Engines whose sandboxes see the packages of this Python; containers bring their own.
_OF_THIS_PYTHON = ("none", "bubblewrap")
_NOT_PYTHON = ("SyntaxError", "IndentationError", "TabError")


@dataclass
class Probed:
    """What came of probing one task of one submission.

    Attributes:
        evidence: of the run that got furthest, with the calls of the second process.
        ended: for each function that ended the process, and for "import", how often and how it did so
            ("twice, and each time it ..."); for "share", what was used up before all was called; for "later",
            why there is nothing of a second process where there should be.
        refused: why the evidence as a whole cannot be used, twice in a row; empty if it can.
        seconds: of all runs, by the clock.
        cpu_seconds: of all runs, as far as the engine can tell.
        backend: what Keras ran on where the evidence comes from; TensorFlow if it was not asked for.
        later: the evidence of the second process alone.
    """

    evidence: Evidence
    ended: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    backend: Backend = "tensorflow"
    later: Evidence | None = None


def probe(
    engine: Engine,
    task: Task,
    submission: Path,
    *,
    seed: int,
    builder_arguments: dict[str, Any],
    limits: Limits = LIMITS,
    slots: Slots | None = None,
    before: Probed | None = None,
    probes: Probes | None = None,
    file: Path | None = None,
    beside: Mapping[str, Path] | None = None,
) -> Probed:
    """Probes one task; `builder_arguments` are for the networks that are to be trained.

    Args:
        limits: processor time for all runs together; by the clock, for one run.
        slots: shared with all other probes and trainings of the grading; a place of its own if None.
        before: what came of the same probe on the NumPy backend, where that is not to decide. What it took of
            the limits is taken.
        probes: where probes are kept: one that was made before is not made again.
        file: the probe, if it is not the task's own.
        beside: what that one finds beside itself, by file name; nothing of such a probe is kept.

    Raises:
        SandboxFault: the sandbox did not come up, not even alone. Nothing the submission does can cause it:
            from the moment the probe has said that it started, whatever ends it is evidence.
    """
    runs = _Runs(engine, task, submission, seed, builder_arguments, limits, slots or Slots(1))
    runs.file, runs.beside = file or runs.file, beside or {}
    if before is not None:
        runs.probed.seconds, runs.probed.cpu_seconds = before.seconds, before.cpu_seconds
        runs.numpy_seconds = before.seconds
    if probes is None or beside:
        return _probe(runs, on_numpy=before is None)
    key = probe_store.key(
        submission,
        probe=runs.file,
        task=[task.id, task.module, task.functions, bool(task.builder)],
        seed=seed,
        builder_arguments=builder_arguments,
        limits=limits,
        engine=engine.name,
        on_numpy=before is None,
    )
    with probes.turn(key):
        if (kept := probes.find(key)) is not None:
            return _known(kept)
        probed = _probe(runs, on_numpy=before is None)
        if runs.certain:
            probes.keep(key, _to_keep(probed))
        return probed


def _probe(runs: "_Runs", *, on_numpy: bool) -> Probed:
    """Makes a probe."""
    probed = runs.probed
    if on_numpy and backends.of(runs.task, runs.submission) == "numpy" and _on_numpy(runs):
        return probed
    if runs.engine.name in _OF_THIS_PYTHON:
        backends.require_tensorflow(runs.task, runs.submission)
    if _calls(runs) and not probed.refused:
        _again_by_the_clock(runs)
        later = _second_process(runs)
    else:
        later = None
    probed.evidence, probed.later = probed.evidence.with_later(later), later
    return probed


def _to_keep(probed: Probed) -> Kept:
    left = {"first": probed.evidence.left, **({"later": probed.later.left} if probed.later else {})}
    names = ("ended", "refused", "seconds", "cpu_seconds", "backend")
    return Kept(left, {name: getattr(probed, name) for name in names})


def _known(kept: Kept) -> Probed:
    """A probe that was made before; what it left is read as it was then."""
    later = Evidence.of(kept.left["later"]) if "later" in kept.left else None
    return Probed(Evidence.of(kept.left.get("first", {})).with_later(later), later=later, **kept.said)


@dataclass
class _Runs:
    """The runs of one probe, and what is left of the share that all of them have."""

    engine: Engine
    task: Task
    submission: Path
    seed: int
    builder_arguments: dict[str, Any]
    limits: Limits
    slots: Slots
    probed: Probed = field(default_factory=lambda: Probed(Evidence.nothing()))
    alone_seconds: float = 0.0  # of the runs that were alone
    numpy_seconds: float = 0.0  # of those on the NumPy backend
    started: bool = False  # whether one came as far as the submission
    beside: Mapping[str, Path] = field(default_factory=dict)
    file: Path = Path()  # the probe
    certain: bool = True  # whether nothing so far was decided by the clock, nor by what else the machine did

    def __post_init__(self) -> None:
        self.file = TASKS / self.task.id / "probe.py"

    def left(self, *, alone: bool) -> Limits:
        """The limits of the next run."""
        wall = ALL_RUNS * self.limits.wall_seconds - self.probed.seconds
        # What NumPy took is taken from the longest run, and not from what is left for one alone.
        most = self.limits.wall_seconds - self.numpy_seconds
        if alone:
            wall = min(wall, ALONE * self.limits.wall_seconds - self.alone_seconds)
        return replace(
            self.limits,
            cpu_seconds=self.limits.cpu_seconds - self.probed.cpu_seconds,
            wall_seconds=min(wall, most),
        )

    @property
    def processor_time(self) -> str:
        """That of the share, in words."""
        return f"{in_seconds(self.limits.cpu_seconds)} of processor time"

    def used_up(self, *, alone: bool = False) -> str:
        """What is used up of the share, in words; empty if there is enough for a run."""
        left = self.left(alone=alone)
        if left.cpu_seconds < LEAST * self.limits.cpu_seconds:
            return self.processor_time
        if left.wall_seconds < LEAST * self.limits.wall_seconds:
            self.certain = self.certain and alone
            return in_seconds(ALL_RUNS * self.limits.wall_seconds)
        return ""

    def run(self, *options: str, alone: bool = False) -> Launched | None:
        """One run that came as far as the submission; alone, if it did not the first time.

        Returns:
            None where what was left of the share was not enough to come so far: then the runs before, which
            did, have used it up. A submission could otherwise end them so that the last one cannot start.

        Raises:
            SandboxFault: it did not start alone either.
        """
        try:
            launched = self._once(options, alone=alone)
        except SandboxFault:
            if alone or self.used_up(alone=True):
                raise
        else:
            if STARTED in launched.outcome.printed:
                self.started = True
                return launched
            if self.started and launched.outcome.end in (End.CPU, End.TIMEOUT):
                return None
            if alone or self.used_up(alone=True):
                raise SandboxFault(
                    f"the probe of {self.task.id} did not start in {self.engine.name}: "
                    f"{launched.outcome.printed[-300:]}"
                )
        return self.run(*options, alone=True)

    def on_numpy(self, *options: str) -> Launched | None:
        """One run on the NumPy backend; None if it did not come as far as the submission, for any reason."""
        try:
            launched = self._once(options, alone=False, backend="numpy")
        except SandboxFault:
            return None
        return launched if STARTED in launched.outcome.printed else None

    def _once(self, options: Sequence[str], *, alone: bool, backend: Backend = "tensorflow") -> Launched:
        share = ON_NUMPY if backend == "numpy" else 1.0
        limits = self.left(alone=alone)
        if backend == "numpy":
            limits = replace(
                limits,
                cpu_seconds=min(limits.cpu_seconds, share * self.limits.cpu_seconds),
                wall_seconds=min(limits.wall_seconds, share * self.limits.wall_seconds),
            )
        with self.slots.turn(alone=alone):
            start = time.monotonic()
            seconds = None
            try:
                launched = launch(
                    self.engine,
                    self.submission,
                    module=self.task.module,
                    probe=self.file,
                    seed=self.seed,
                    builder_arguments=self.builder_arguments,
                    options=[
                        f"--seconds={share * CALL_SECONDS * self.limits.cpu_seconds:g}",
                        f"--clock={share * CALL_CLOCK * self.limits.wall_seconds:g}",
                        f"--backend={backend}",
                        *options,
                    ],
                    limits=limits,
                    beside=self.beside,
                )
                seconds = launched.outcome.seconds
            finally:
                # A sandbox that could not be stopped has cost its time, too.
                took = time.monotonic() - start if seconds is None else seconds
                self.probed.seconds += took
                self.alone_seconds += took if alone else 0.0
                self.numpy_seconds += took if backend == "numpy" else 0.0
        outcome = launched.outcome
        if _may_be_chance(launched):
            self.certain = False
        # An engine that cannot tell: a program that computes takes as much as the clock, or less.
        self.probed.cpu_seconds += outcome.seconds if outcome.cpu_seconds is None else outcome.cpu_seconds
        found = launched.evidence
        if STARTED in outcome.printed and found is not None and not found.started:
            gone = f"evidence.json is gone ({how(outcome, self.limits)})"
            return replace(launched, evidence=None, refused=gone)
        return launched


def _on_numpy(runs: _Runs) -> bool:
    """Has all functions called on the NumPy backend; whether TensorFlow could find nothing else."""
    probed, task = runs.probed, runs.task
    launched = runs.on_numpy(_skip([]))
    if launched is None or not _is_sure(launched.evidence, task):
        return False
    evidence, later = launched.evidence, None
    assert evidence is not None
    if _asks_later(runs) and _returned(evidence):
        again = runs.on_numpy("--later", _skip([]))
        if again is None or not _is_sure(again.evidence, task):
            return False
        later = again.evidence
    probed.evidence, probed.later, probed.backend = evidence.with_later(later), later, "numpy"
    return True


def _is_sure(evidence: Evidence | None, task: Task) -> bool:
    """Whether evidence from the NumPy backend is all that TensorFlow could give: every call came to its end.

    Of a network's task, moreover, with a network each; those of the others are compared with what is right,
    and what differs is then probed on TensorFlow (examine.py).
    """
    if evidence is None or not evidence.finished or evidence.lacking:
        return False
    if evidence.imported != "ok":
        # No backend has a part in what is not there or is not Python.
        error = evidence.import_error
        return evidence.imported == "missing file" or (error is not None and error.type in _NOT_PYTHON)
    for call in evidence.calls.values():
        if call.status == "returned":
            value = call.value
            if task.builder and not (isinstance(value, Network) and not value.refused):
                return False
        elif call.status not in ("not implemented", "missing"):
            return False
    return True


def _calls(runs: _Runs) -> bool:
    """Has all functions called, without those that end the process; whether that came to its end.

    The evidence of the run with the most calls that returned is kept: where the share ends, the last run may
    have come less far than one before.
    """
    probed, task = runs.probed, runs.task
    deaths: dict[str, list[str]] = {}
    alone = False
    # Each function can end the process TRIES times, so this many runs always suffice.
    for _ in range(TRIES * (len(task.functions) + 2)):
        if used_up := runs.used_up():
            probed.ended["share"] = _shared(used_up, task)
            break
        launched = runs.run(_skip(probed.ended), alone=alone)
        if launched is None:
            probed.ended["share"] = _shared(runs.processor_time, task)
            break
        probed.refused, found = launched.refused, launched.evidence
        if found is not None and (found.finished or _returned(found) >= _returned(probed.evidence)):
            probed.evidence = found
        if found is not None and found.finished:
            return True
        culprit = _culprit(found, task)
        deaths.setdefault(culprit, []).append(how(launched.outcome, launched.limits))
        # How much it computes does not depend on what else runs: one time tells.
        if len(deaths[culprit]) >= TRIES or computed_on(launched.outcome):
            probed.ended[culprit] = _times(deaths[culprit])
            if culprit in ("import", "evidence"):
                return False
        alone = launched.outcome.end is End.TIMEOUT and not runs.used_up(alone=True)
    for culprit, hows in deaths.items():
        probed.ended.setdefault(culprit, _times(hows))
    return False


def _again_by_the_clock(runs: _Runs) -> None:
    """Has all functions called again, alone, if one of them was stopped for the time by the clock."""
    probed = runs.probed
    if not _stopped_by_the_clock(probed.evidence) or runs.used_up(alone=True):
        return
    launched = runs.run(_skip(probed.ended), alone=True)
    again = launched.evidence if launched is not None else None
    if again is not None and again.finished and _returned(again) >= _returned(probed.evidence):
        probed.evidence = again


def _second_process(runs: _Runs) -> Evidence | None:
    """What a second process makes of the task's calls; None if there are none, or none that can be used."""
    probed, task = runs.probed, runs.task
    if not _asks_later(runs) or probed.evidence.imported != "ok" or not _returned(probed.evidence):
        return None
    # What did not return in the first process is not waited for again.
    calls = probed.evidence.calls.values()
    slow = [
        name for name in task.functions if any(c.function == name and c.status == "timed out" for c in calls)
    ]
    options = ("--later", _skip([*probed.ended, *slow]))
    if used_up := runs.used_up():
        probed.ended["later"] = _shared(used_up, task)
        return None
    launched = runs.run(*options)
    if launched is None:
        probed.ended["later"] = _shared(runs.processor_time, task)
        return None
    by_the_clock = launched.outcome.end is End.TIMEOUT or (
        launched.evidence is not None and _stopped_by_the_clock(launched.evidence)
    )
    if by_the_clock and not runs.used_up(alone=True):
        launched = runs.run(*options, alone=True) or launched
    found = launched.evidence
    if found is None:
        probed.ended["later"] = f"what it left behind cannot be used: {launched.refused}"
    elif not found.finished:
        probed.ended["later"] = how(launched.outcome, launched.limits)
    elif found.imported != "ok":
        probed.ended["later"] = f"importing {task.module} raised {found.import_error}"
    else:
        return found
    return None


def _asks_later(runs: _Runs) -> bool:
    """Whether the probe has calls for a second process."""
    return "\ndef later(" in runs.file.read_text(encoding="utf-8")


def _skip(functions: Iterable[str]) -> str:
    """As one word, so that nothing in it is an option of its own."""
    return f"--skip={','.join(sorted(functions))}"


def _returned(evidence: Evidence) -> int:
    """How many calls returned."""
    return sum(call.status == "returned" for call in evidence.calls.values())


def _stopped_by_the_clock(evidence: Evidence) -> bool:
    """Whether a call or the import was stopped for the time that went by, and not for what it computed."""
    stopped = [call.exception for call in evidence.calls.values() if call.status == "timed out"]
    if evidence.imported == "timed out":
        stopped.append(evidence.import_error)
    return any(exception is not None and exception.type == BY_THE_CLOCK for exception in stopped)


def _may_be_chance(launched: Launched) -> bool:
    """Whether the clock or the machine had a part in how a run ended: another one may end otherwise."""
    outcome, evidence = launched.outcome, launched.evidence
    if STARTED not in outcome.printed or outcome.end is End.TIMEOUT:
        return True
    # The machine's own memory may have run out, or somebody has killed it.
    if outcome.end is End.SIGNAL and not computed_on(outcome):
        return True
    return evidence is not None and _stopped_by_the_clock(evidence)


def _culprit(found: Evidence | None, task: Task) -> str:
    """The function during which the process ended; "import" or "evidence" where it was none of the task's."""
    if found is None:
        return "evidence"
    running = found.running_function
    return running if running in task.functions else "import"


def _times(hows: Sequence[str]) -> str:
    """How often something ended the process, and how: "twice, and each time it ...", after "was called"."""
    if len(hows) == 1:
        return f"once, and {hows[0]}"
    if len(set(hows)) == 1:
        return f"twice, and each time {hows[0]}"
    return f"twice: {', and then '.join(hows)}"


def _shared(used_up: str, task: Task) -> str:
    return f"the {used_up} that all calls of {task.module} have together were used up"
