"""Grades every hostile submission under every isolating engine that is here, and shows what it came to.

    nox -s attack -- [--engine NAME ...] [--only NAME ...] [--markdown FILE] [--peers]
    nox -s attack -- --fair 10      a class of two, spinner and honest, ten times
    nox -s attack -- --cost         what one submission can cost, with the limits of a class

Each is graded with an honest submission behind it, or beside it, and with a trainer that gives every network
full accuracy: whatever gets as far as being trained counts as marks gained. Canaries are planted where a
thief would look and looked for in all that came out. An attack was not held off if it

    gains     has more points than an honest submission of its kind
    leaks     brings out a canary, reaches a server, changes what it should not, or takes what it should not
              have: an attack that got hold of something prints "attack: took" and what
    spoils    ends the grader, or ends in a fault of the machine, or the honest submission has other marks, or
              it costs more than one submission may
    idles     does not say that it ran: then nothing was shown

What is no submission (an archive of data, a folder that is looked at) is tried by doors.py, and shown in the
same way.

Exit code: 0 if all were held off, 1 if one was not, 2 for wrong usage.
"""

import argparse
import io
import math
import re
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader import exporters, intake, sandbox
from grader.blueprint import Blueprint, training_form
from grader.commands import grade as command
from grader.config import manifest, profiles
from grader.config.profiles import CLASSES
from grader.errors import SubmissionError, TrainerFault, UsageError
from grader.grading import run as grading
from grader.grading import to_train
from grader.grading.handing import Given
from grader.grading.plan import Plan, Training
from grader.results.record import Run, Status, SubmissionResult
from grader.sandbox import Availability, Engine, Limits, Outcome, Program
from grader.thresholds import Threshold
from grader.training.handed import Handed
from grader.training.job import Job, Result
from lab import synthetic
from tests.hostile.canaries import Canaries, plant
from tests.hostile.corpus import Attack, attacks
from tests.hostile.doors import DOORS, Door

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
RAN = "attack:"
VICTIM_POINTS = 30.0
TOOK = re.compile(r"^attack: (took .+)$", re.MULTILINE)
# Far below what a class is graded with, so that what only takes time takes little of it here.
QUICK = Limits(cpu_seconds=6.0, wall_seconds=12.0, memory_bytes=1024 * MIB, output_bytes=96 * MIB)
QUICK_CALL_SECONDS = 1.5
# Importing Keras alone takes many seconds where there are few cores, and a gigabyte.
WITH_KERAS = replace(QUICK, cpu_seconds=60.0, wall_seconds=120.0, memory_bytes=2048 * MIB)
# What one submission may cost, as so many times the limits of one run: processor time for all of its tasks
# (with the limits of a class that is 300 s), time by the clock for each of them.
MOST_CPU, MOST_WALL = 5.0, 4.0


@dataclass
class Shown:
    """What one attack came to under one engine.

    Attributes:
        points: its marks.
        gained: those above an honest submission's.
        leaked: which canaries came out, and what was changed.
        spoiled: what went wrong with the grader or the next submission; empty if nothing.
        ran: whether it said so, or cannot.
        seconds: for all of it, sandboxes, reading and judging.
        cpu: processor time of its sandboxes, in seconds, where the engine can tell.
        memory: the most that its sandboxes took, and how much more the grader took than before.
        ended: in a word, how it was dealt with.
    """

    points: float = 0.0
    gained: float = 0.0
    leaked: set[str] = field(default_factory=set)
    spoiled: str = ""
    ran: bool = False
    seconds: float = 0.0
    cpu: float = 0.0
    memory: tuple[int, int] = (0, 0)
    ended: str = "graded"

    @property
    def held_off(self) -> bool:
        return not (self.gained or self.leaked or self.spoiled) and self.ran


class Recording:
    """An engine that looks for canaries in all that comes out of another, and stops it at a deadline."""

    def __init__(self, engine: Engine, canaries: Canaries, deadline: float = math.inf) -> None:
        self.name, self.isolates = engine.name, engine.isolates
        self.engine, self._canaries, self._deadline = engine, canaries, deadline
        self.forget()

    def forget(self) -> None:
        """Before the next attack."""
        self.leaked: set[str] = set()
        self.printed = ""
        self.peak = 0
        self.seconds = self.cpu = 0.0

    def availability(self) -> Availability:
        return self.engine.availability()

    def run(self, program: Program) -> Outcome:
        if program.limits.memory_bytes == QUICK.memory_bytes:
            program = replace(program, arguments=(*program.arguments, "--seconds", str(QUICK_CALL_SECONDS)))
        if self._deadline < math.inf:
            left = max(1.0, self._deadline - time.monotonic())
            limits = replace(program.limits, wall_seconds=min(left, program.limits.wall_seconds))
            program = replace(program, limits=limits)
        outcome = self.engine.run(program)
        self.leaked |= self._canaries.leaked_in(program.output) | self._canaries.leaked(
            [outcome.printed.encode()]
        )
        self.printed += outcome.printed
        self.peak = max(self.peak, outcome.peak_memory_bytes or 0)
        self.seconds += outcome.seconds
        self.cpu += outcome.cpu_seconds or 0.0
        return outcome


class Range:
    """Where attacks are tried: one engine, the canaries, and a way to grade."""

    def __init__(self, engine: Engine, canaries: Canaries, deadline: float = math.inf) -> None:
        self.engine, self.canaries = Recording(engine, canaries, deadline), canaries
        self._tasks = manifest.load(ROOT / "assignment" / "tasks.toml")
        self._profile = profiles.load(ROOT / "params.yaml").profile("offline")
        self._modules = [task.module for task in self._tasks.tasks]
        # Goes with the canaries: a folder of its own would be removed whenever the collector comes by.
        self._scratch = Path(tempfile.mkdtemp(prefix="range-", dir=canaries.folder.parent))

    @cached_property
    def _given(self) -> Given:
        """The images that a `prepare` is given which is tried out."""
        return Given.of(synthetic.embedded_course(), self._profile.train, self._scratch)

    def grade(self, *paths: Path, limits: Limits | None = None) -> list[SubmissionResult]:
        """As `grade` does it, but for the trainings, which cost nothing and always succeed."""
        run = Run(
            profile=self._profile.name,
            data="none",
            data_pin="0" * 32,
            provisional_because="nothing was trained",
            engine=self.engine.name,
            seed=secrets.randbelow(2**31),
            versions={},
        )
        training = Training(
            _Trainer(), self._job, _threshold, given=lambda: self._given, on_prepared=self._on_prepared
        )
        limits = limits or self.limits(*paths)
        plan = Plan(self._tasks, self._profile, self.engine, run, training, limits=limits)
        sources = intake.find(paths, self._modules)
        # Written and shown as the command does it: a name that is no name for a folder would end it here.
        with tempfile.TemporaryDirectory(prefix="results-", dir=self.canaries.folder.parent) as out:
            results = grading.grade(
                sources, plan, lambda result: exporters.registry.write_submission(result, Path(out))
            )
            shown = io.StringIO()
            command._show(Console(file=shown, width=110), results, Path(out), {})
            self.engine.leaked |= self.canaries.leaked([shown.getvalue().encode()])
            self.engine.leaked |= self.canaries.leaked_in(Path(out))
        return results

    def limits(self, *paths: Path) -> Limits:
        """Those of a run here."""
        return WITH_KERAS if any(_names_keras(path) for path in paths) else QUICK

    def targets(self, limits: Limits) -> dict[str, Any]:
        """What an attack is given: everything there is to steal, and what it may take."""
        may = {"memory_mib": limits.memory_bytes // MIB, "wall_seconds": limits.wall_seconds}
        return {**self.canaries.targets(), **may}

    def try_out(self, attack: Attack) -> Shown:
        """One attack, with the victim graded behind it or beside it."""
        shown = Shown()
        victim = self.canaries.folder / "victim"
        with tempfile.TemporaryDirectory(prefix="attack-", dir=self.canaries.folder) as folder:
            into = Path(folder, attack.name)
            into.mkdir()
            targets = self.targets(QUICK)
            handed_in = attack.build(into, targets)
            if handed_in.is_dir():
                plant(targets, handed_in)
            self.engine.forget()
            connections = self.canaries.connections
            before = _reset_peak()
            start = time.monotonic()
            try:
                results = self.grade(handed_in, *([victim] if attack.beside else []))
                shown.seconds, shown.cpu = time.monotonic() - start, self.engine.cpu
                shown.memory = (self.engine.peak, max(0, _peak() - before))
                if attack.beside:
                    results = self._without_victim(results, shown)
                self._look_at(results, attack, shown)
                self._look_at_cost(self.limits(handed_in), results, shown)
            except (SubmissionError, UsageError) as error:
                shown.ended, shown.ran = f"refused: {error.message}", True
                if attack.beside:
                    shown.spoiled = f"the class was not graded: {error.message}"
            except Exception as error:
                shown.spoiled = f"the grader ended: {type(error).__name__}: {str(error)[:100]}"
            if self.canaries.connections != connections:
                shown.leaked.add("network")
            shown.leaked |= self.engine.leaked
            shown.leaked |= set(TOOK.findall(self.engine.printed))
            shown.leaked |= {f"{name} was changed" for name in self.canaries.tampered()}
        if not attack.beside:
            self._look_at_victim(shown)
        return shown

    def _look_at(self, results: Sequence[SubmissionResult], attack: Attack, shown: Shown) -> None:
        shown.ran = bool(attack.silent) or RAN in self.engine.printed
        for result in results:
            shown.points += result.points
            if result.problem:
                shown.ended = f"refused: {result.problem.splitlines()[0]}"
                shown.ran = True
            elif not result.graded:
                shown.spoiled = "it ended in a fault of the machine"
        shown.gained = max(0.0, shown.points - attack.baseline)
        if shown.gained and attack.baseline == 0 and len(results) > 1:
            shown.ended = f"{len(results)} submissions"

    def _look_at_cost(self, limits: Limits, results: Sequence[SubmissionResult], shown: Shown) -> None:
        """Of one submission; a class of many may take more."""
        if len(results) != 1 or shown.spoiled:
            return
        (result,) = results
        attempted = [check.status for task in result.tasks for check in task.checks[:1]]
        probed = max(1, sum(status is not Status.NOT_ATTEMPTED for status in attempted))
        if self.engine.cpu > MOST_CPU * limits.cpu_seconds * 1.1:
            shown.spoiled = f"it cost {self.engine.cpu:.0f} s of processor time"
        elif self.engine.seconds > MOST_WALL * limits.wall_seconds * probed:
            shown.spoiled = f"its sandboxes ran for {self.engine.seconds:.0f} s"

    def _without_victim(self, results: list[SubmissionResult], shown: Shown) -> list[SubmissionResult]:
        """The others' results of a class; notes where the victim has other marks beside them."""
        beside = [result for result in results if result.name == "victim"]
        points = beside[0].points if beside else 0.0
        if points != VICTIM_POINTS:
            shown.spoiled = f"the one beside it had {points:g} of {VICTIM_POINTS:g} points"
        return [result for result in results if result.name != "victim"]

    def _look_at_victim(self, shown: Shown) -> None:
        try:
            (victim,) = self.grade(self.canaries.folder / "victim")
        except Exception as error:
            shown.spoiled = shown.spoiled or f"the next one was not graded: {type(error).__name__}: {error}"
            return
        if victim.points != VICTIM_POINTS and not shown.spoiled:
            shown.spoiled = f"the next one had {victim.points:g} of {VICTIM_POINTS:g} points"

    def _job(self, _task: str, labels: profiles.LabelSet, network: Blueprint, _owner: str) -> Job:
        return Job.of(network, labels, 0, self._profile, "0" * 32, "a backend")

    def _on_prepared(self, handed: Handed, _owner: str) -> Job:
        network = to_train.reference_network(CLASSES["coarse"], self._profile.builders)
        return Job.of(
            training_form(network, self._profile.budget).network,
            "coarse",
            0,
            self._profile,
            "0" * 32,
            "a backend",
            prepared=handed.digest,
            arrays=handed.save(Path(self._scratch.name)),
        )


def _names_keras(path: Path) -> bool:
    """As the harness looks for it, which then imports it before it starts."""
    return any(
        re.search(rb"\b(keras|tensorflow)\b", file.read_bytes())
        for file in path.glob("*.py")
        if file.is_file() and file.stat().st_size < MIB
    )


def _threshold(task: str, labels: profiles.LabelSet) -> Threshold:
    return Threshold.model_construct(task=task, labels=labels, threshold=0.5, chance=0.05, n=5)


class _Trainer:
    """The one that every cheat dreams of."""

    def submit(
        self, job: Job, *, alone: bool = False, afresh: bool = False
    ) -> "Future[Result | TrainerFault]":
        done: Future[Result | TrainerFault] = Future()
        # Of what was handed over it gets all right that can be: what has no answer, nobody does.
        answers = Handed.load(Path(job.arrays), job.prepared).answers if job.arrays else None
        done.set_result(
            Result.sealed(
                digest=job.digest,
                accuracy=1.0 if answers is None else float((answers >= 0).mean()),
                loss=0.0,
                train_accuracy=(1.0,),
                train_loss=(0.0,),
                validation_accuracy=(),
                validation_loss=(),
                validation_predictions="",
                parameters=1,
                seconds=0.0,
                cpu_seconds=0.0,
                labels=job.labels,
                seed=job.seed,
                pin=job.conditions.pin,
                backend=job.conditions.backend,
                versions={},
                machine="none",
                when="2026-11-26",
            )
        )
        return done


def _reset_peak() -> int:
    """Forgets the most memory this process ever had; what it has now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


# --- showing ----------------------------------------------------------------------------------------------


def _line(attack: Attack | Door, shown: Shown) -> Text:
    line = Text(f"  {attack.name:<42}", style="" if shown.held_off else "bold red")
    baseline = attack.baseline if isinstance(attack, Attack) else 0.0
    marks = f"{_number(shown.points)} of {_number(baseline)}" if baseline else _number(shown.points)
    line.append(
        f"{marks:>10} marks  +{_number(shown.gained)}  leaks {', '.join(sorted(shown.leaked)) or '–'}  "
    )
    line.append(f"{shown.seconds:6.1f} s, {shown.cpu:5.1f} of the processor, ")
    line.append(f"{shown.memory[0] // MIB:5} + {shown.memory[1] // MIB:<4} MiB")
    for word in (shown.spoiled, "" if shown.ran else "it did not run"):
        if word:
            line.append(f"  {word}")
    return line


def _number(points: float) -> str:
    return f"{points:.2f}".rstrip("0").rstrip(".")


def _totals(results: Iterable[Shown]) -> str:
    listed = list(results)
    return (
        f"{len(listed)} attacks, {_number(sum(one.gained for one in listed))} marks gained, "
        f"{sum(len(one.leaked) for one in listed)} canaries out, "
        f"{sum(bool(one.spoiled) for one in listed)} spoiled the run, "
        f"{sum(not one.ran for one in listed)} did not run, "
        f"{sum(one.seconds for one in listed) / 60:.0f} minutes in all, "
        f"at most {max((one.seconds for one in listed), default=0):.0f} s and "
        f"{max((max(one.memory) for one in listed), default=0) // MIB} MiB"
    )


def _summary(shown: dict[str, dict[str, Shown]]) -> Table:
    summary = Table("engine", "what came of it", title="Attacks held off", title_justify="left")
    for engine, results in shown.items():
        summary.add_row(engine, Text(_totals(results.values())))
    return summary


def _markdown(found: Sequence[Attack | Door], shown: dict[str, dict[str, Shown]]) -> str:
    """The table attack x engine."""
    engines = list(shown)
    lines = ["| attack | " + " | ".join(engines) + " | what it tries |"]
    lines.append("|---" * (len(engines) + 2) + "|")
    for attack in found:
        cells = [_cell(shown[engine].get(attack.name)) for engine in engines]
        claim = attack.claim.replace("|", "\\|")
        lines.append(f"| `{attack.name}` | {' | '.join(cells)} | {claim} |")
    return "\n".join(lines) + "\n"


def _cell(shown: Shown | None) -> str:
    if shown is None:
        return ""
    leaked = ", ".join(sorted(shown.leaked)) or "–"
    after = "next ok" if not shown.spoiled else shown.spoiled
    took = f"{shown.seconds:.1f} s, {shown.memory[0] // MIB} MiB"
    return f"{_number(shown.gained)} gained, {leaked} leaked, {took}, {after}"


# --- the command ------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    if options.peers:
        from tests.hostile import peers

        return peers.main(console, options.markdown)
    found = attacks()
    unknown = set(options.only or ()) - {one.name for one in (*found, *DOORS)}
    if unknown:
        console.print(f"there is no attack {', '.join(sorted(unknown))}")
        return 2
    chosen = [attack for attack in found if not options.only or attack.name in options.only]
    doors = [door for door in DOORS if not options.only or door.name in options.only]
    engines = _engines(console, options.engine)
    if not engines:
        console.print("no engine that isolates works here: nothing was tried")
        return 2
    shown: dict[str, dict[str, Shown]] = {}
    try:
        with sandbox.interruptible(), Canaries() as canaries:
            if options.fair:
                return _fair(console, Range(engines[0], canaries), options.fair)
            if options.cost:
                return _cost(console, Range(engines[0], canaries))
            for engine in engines if chosen else ():
                shown[engine.name] = results = {}
                console.print(f"\n[bold]{engine.name}[/bold]: {len(chosen)} attacks")
                for attack, one in _tried(chosen, Range(engine, canaries), options.stop):
                    results[attack.name] = one
                    console.print(_line(attack, one), soft_wrap=True)
            if doors:  # each tries a command, which chooses its engine by itself
                shown["commands"] = results = {}
                console.print(f"\n[bold]commands[/bold]: {len(doors)} doors")
                for door in doors:
                    results[door.name] = one = _opened(door)
                    console.print(_line(door, one), soft_wrap=True)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130
    if options.markdown:
        options.markdown.write_text(_markdown([*chosen, *doors], shown), encoding="utf-8")
    console.print()
    console.print(_summary(shown))
    failed = [
        (where, name) for where, all_ in shown.items() for name, one in all_.items() if not one.held_off
    ]
    for where, name in failed:
        console.print(Text(f"not held off under {where}: {name}", style="red"))
    return 1 if failed else 0


def _tried(chosen: Sequence[Attack], place: Range, stop: bool) -> Iterator[tuple[Attack, Shown]]:
    for attack in chosen:
        one = place.try_out(attack)
        yield attack, one
        if stop and not one.held_off:
            return


def _opened(door: Door) -> Shown:
    """One door; whatever it reports, or raises, is what was not held off."""
    shown = Shown(ran=True)
    start = time.monotonic()
    try:
        shown.spoiled = door.opens()
    except Exception as error:
        shown.spoiled = f"{type(error).__name__}: {str(error)[:200]}"
    shown.seconds = time.monotonic() - start
    return shown


# --- fairness and cost ------------------------------------------------------------------------------------

# Enough for an honest AlexNet with a share of one processor, little enough for a round of half a minute.
FAIR = replace(WITH_KERAS, cpu_seconds=15.0, wall_seconds=120.0)
FAIR_POINTS = 65.0  # of preprocessing and AlexNet, with the range's trainer
SPINNER = "starves_its_neighbour"


def _fair(console: Console, place: Range, rounds: int) -> int:
    """A class of two: a spinner, and an honest student with AlexNet, whose marks are shown each time."""
    table = Table("round", "points of the honest one", "seconds", "why")
    table.title = f"A spinner beside an honest student under {place.engine.name}"
    spoiled = 0
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory(prefix="fair-", dir=place.canaries.folder) as folder:
            spinner, honest = Path(folder, "a_spinner"), Path(folder, "b_honest")
            _written(SPINNER, spinner, place.targets(FAIR))
            honest.mkdir()
            for module in ("preprocessing.py", "alexnet.py"):
                (honest / module).write_bytes((ROOT / "solutions" / module).read_bytes())
            start = time.monotonic()
            results = {result.name: result for result in place.grade(Path(folder), limits=FAIR)}
            one = results["b_honest"]
            worst = [c for task in one.tasks for c in task.checks if c.points < c.max_points]
            worst = [c for c in worst if c.status is not Status.NOT_ATTEMPTED]
            fair = one.points == FAIR_POINTS and not worst
            spoiled += not fair
            why = "" if fair or not worst else f"{worst[0].check}: {worst[0].message[:120]}"
            row = (str(number), f"{one.points:g} of {FAIR_POINTS:g}", f"{time.monotonic() - start:.0f}", why)
            table.add_row(*row)
            style = "" if fair else "bold red"
            console.print(Text(f"  round {' · '.join(row)}", style=style), soft_wrap=True)
    console.print(table)
    console.print(f"{rounds - spoiled} of {rounds} times the honest one had all of its marks")
    return 1 if spoiled else 0


# Those that take memory, one after the other: each takes seconds. Those that take time, side by side.
HOLDERS = ("fills_socket_buffers", "fills_pipe_buffers", "fills_page_tables", "locks_by_the_million")
HOLDERS += ("hidden_memory",)
SPENDERS = ("sleeps_to_the_limit", SPINNER, "burns_in_short_lived_children")
HOLDER_SECONDS, SPENDER_SECONDS = 30.0, 270.0


def _cost(console: Console, place: Range) -> int:
    """What the costliest take of a class with its real limits: one task of one submission. Some six minutes.

    What is not over by then is stopped, and shown as more than it had taken.
    """
    table = Table("submission", "processor s", "wall s", "MiB in its sandboxes", "MiB less on the machine")
    table.title = f"What one task of one submission costs under {place.engine.name}"

    def measure(name: str) -> None:
        row = _costs_of(name, place)
        table.add_row(*row)
        console.print(f"  {' · '.join(row)}", soft_wrap=True)

    for name in HOLDERS:
        measure(name)
    with ThreadPoolExecutor(len(SPENDERS)) as side_by_side:
        list(side_by_side.map(measure, SPENDERS))
    console.print(table)
    return 0


def _costs_of(name: str, place: Range) -> tuple[str, str, str, str, str]:
    start, limits = time.monotonic(), Plan.limits
    bound = HOLDER_SECONDS if name in HOLDERS else SPENDER_SECONDS
    one = Range(place.engine.engine, place.canaries, deadline=start + bound)
    with (
        tempfile.TemporaryDirectory(prefix="cost-", dir=place.canaries.folder) as folder,
        _lowest_available() as lowest,
    ):
        handed_in = Path(folder, name)
        _written(name, handed_in, one.targets(limits))
        one.grade(handed_in, limits=limits)
    seconds = time.monotonic() - start
    more = "> " if seconds > bound else ""
    # Those side by side share the machine, so that what it has less is nobody's alone.
    less = f"{(lowest[0] - lowest[1]) // MIB}" if name in HOLDERS else "–"
    return name, f"{more}{one.engine.cpu:.1f}", f"{more}{seconds:.1f}", f"{one.engine.peak // MIB}", less


@contextmanager
def _lowest_available() -> Iterator[list[int]]:
    """The memory that the machine has to give: before, and the least of it until the block is left."""
    seen = [_available()] * 2
    left = threading.Event()

    def look() -> None:
        while not left.wait(0.1):
            seen[1] = min(seen[1], _available())

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield seen
    finally:
        left.set()
        looking.join()


def _available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _written(name: str, into: Path, targets: dict[str, Any]) -> None:
    """An attack of the corpus in a folder of its own."""
    into.mkdir()
    (attack,) = [attack for attack in attacks() if attack.name == name]
    attack.build(into, targets)
    plant(targets, into)


def _engines(console: Console, names: Sequence[str] | None) -> list[Engine]:
    chosen = []
    for engine in sandbox.ENGINES.values():
        if not engine.isolates or (names and engine.name not in names):
            continue
        found = engine.availability()
        if found.usable:
            chosen.append(engine)
        else:
            console.print(f"{engine.name} does not work here: {found.reason} ({found.fix})")
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s attack --", description=__doc__.split("\n\n")[0])
    parser.add_argument("--engine", action="append", help="only this one; may be repeated")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these attacks")
    parser.add_argument("--stop", action="store_true", help="at the first that is not held off")
    parser.add_argument("--fair", type=int, metavar="N", help="grade a spinner beside an honest one, N times")
    parser.add_argument("--cost", action="store_true", help="measure what one submission can cost")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table attack x engine there")
    parser.add_argument(
        "--peers", action="store_true", help="show what otter-grader and nbgrader make of the same cheats"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
