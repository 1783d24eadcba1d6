"""Grades every hostile submission under every isolating engine that is here, and shows what it came to.

    nox -s attack -- [--engine NAME ...] [--only NAME ...] [--markdown FILE] [--peers]

Each is graded with an honest submission behind it, and with a trainer that gives every network full accuracy:
whatever gets as far as being trained counts as marks gained. Canaries are planted where a thief would look
and looked for in all that came out. An attack was not held off if it

    gains     has more points than an honest submission of its kind
    leaks     brings out a canary, reaches a server, or changes what it should not
    spoils    ends the grader, or ends in a fault of the machine, or the submission behind it has other marks
    idles     does not say that it ran: then nothing was shown

Exit code: 0 if all were held off, 1 if one was not, 2 for wrong usage.
"""

import argparse
import io
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader import manifest, recipes, sandbox, schedule, submission
from grader.blueprint import Blueprint
from grader.commands import grade as command
from grader.errors import SubmissionError, TrainerFault, UsageError
from grader.record import Run, SubmissionResult
from grader.sandbox import Availability, Engine, Job, Limits, Outcome
from grader.thresholds import Threshold
from grader.trainer import Job as TrainingJob
from grader.trainer import Result
from tests.hostile.canaries import Canaries, plant
from tests.hostile.corpus import Attack, attacks

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024
RAN = "attack:"
VICTIM_POINTS = 30.0
# Far below what a class is graded with, so that what only takes time takes little of it here.
QUICK = Limits(wall_seconds=6.0, memory_bytes=1024 * MIB, output_bytes=96 * MIB)
QUICK_CALL_SECONDS = 1.5
# Importing Keras alone takes many seconds where there are few cores, and a gigabyte.
WITH_KERAS = replace(QUICK, wall_seconds=60.0, memory_bytes=2048 * MIB)


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
        memory: the most that its sandboxes took, and how much more the grader took than before.
        ended: in a word, how it was dealt with.
    """

    points: float = 0.0
    gained: float = 0.0
    leaked: set[str] = field(default_factory=set)
    spoiled: str = ""
    ran: bool = False
    seconds: float = 0.0
    memory: tuple[int, int] = (0, 0)
    ended: str = "graded"

    @property
    def held_off(self) -> bool:
        return not (self.gained or self.leaked or self.spoiled) and self.ran


class Recording:
    """An engine that looks for canaries in all that comes out of another."""

    def __init__(self, engine: Engine, canaries: Canaries) -> None:
        self.name, self.isolates = engine.name, engine.isolates
        self._engine, self._canaries = engine, canaries
        self.forget()

    def forget(self) -> None:
        """Before the next attack."""
        self.leaked: set[str] = set()
        self.printed = ""
        self.peak = 0

    def availability(self) -> Availability:
        return self._engine.availability()

    def run(self, job: Job) -> Outcome:
        if job.limits is QUICK:
            job = replace(job, arguments=(*job.arguments, "--seconds", str(QUICK_CALL_SECONDS)))
        outcome = self._engine.run(job)
        self.leaked |= self._canaries.leaked_in(job.output) | self._canaries.leaked(
            [outcome.printed.encode()]
        )
        self.printed += outcome.printed
        self.peak = max(self.peak, outcome.peak_memory_bytes or 0)
        return outcome


class Range:
    """Where attacks are tried: one engine, the canaries, and a way to grade."""

    def __init__(self, engine: Engine, canaries: Canaries) -> None:
        self.engine, self.canaries = Recording(engine, canaries), canaries
        self._tasks = manifest.load(ROOT / "assignment" / "tasks.toml")
        self._profile = recipes.load(ROOT / "params.yaml").profile("offline")
        self._modules = [task.module for task in self._tasks.tasks]

    def grade(self, path: Path) -> list[SubmissionResult]:
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
        training = schedule.Training(self._job, _threshold, _train)
        limits = WITH_KERAS if _names_keras(path) else QUICK
        plan = schedule.Plan(self._tasks, self._profile, self.engine, run, training, limits=limits)
        sources = submission.find([path], self._modules)
        results = []
        # Written and shown as the command does it: a name that is no name for a folder would end it here.
        with tempfile.TemporaryDirectory(prefix="results-", dir=self.canaries.folder.parent) as out:
            for result in schedule.grade(sources, plan):
                command._write(Path(out), result)
                results.append(result)
            shown = io.StringIO()
            command._show(Console(file=shown, width=110), results, Path(out))
            self.engine.leaked |= self.canaries.leaked([shown.getvalue().encode()])
            self.engine.leaked |= self.canaries.leaked_in(Path(out))
        return results

    def try_out(self, attack: Attack) -> Shown:
        """One attack, with the victim graded behind it."""
        shown = Shown()
        with tempfile.TemporaryDirectory(prefix="attack-", dir=self.canaries.folder) as folder:
            into = Path(folder, attack.name)
            into.mkdir()
            targets = self.canaries.targets()
            handed_in = attack.build(into, targets)
            if handed_in.is_dir():
                plant(targets, handed_in)
            self.engine.forget()
            connections = self.canaries.connections
            before = _reset_peak()
            start = time.monotonic()
            try:
                results = self.grade(handed_in)
                shown.seconds = time.monotonic() - start
                shown.memory = (self.engine.peak, max(0, _peak() - before))
                self._look_at(results, attack, shown)
            except (SubmissionError, UsageError) as error:
                shown.ended, shown.ran = f"refused: {error.message}", True
            except Exception as error:
                shown.spoiled = f"the grader ended: {type(error).__name__}: {str(error)[:100]}"
            if self.canaries.connections != connections:
                shown.leaked.add("network")
            shown.leaked |= self.engine.leaked
            shown.leaked |= {f"{name} was changed" for name in self.canaries.tampered()}
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

    def _look_at_victim(self, shown: Shown) -> None:
        try:
            (victim,) = self.grade(self.canaries.folder / "victim")
        except Exception as error:
            shown.spoiled = shown.spoiled or f"the next one was not graded: {type(error).__name__}: {error}"
            return
        if victim.points != VICTIM_POINTS and not shown.spoiled:
            shown.spoiled = f"the next one had {victim.points:g} of {VICTIM_POINTS:g} points"

    def _job(self, _task: str, labels: recipes.LabelSet, network: Blueprint, _owner: str) -> TrainingJob:
        return TrainingJob.of(network, labels, 0, self._profile, "0" * 32)


def _names_keras(path: Path) -> bool:
    """As the harness looks for it, which then imports it before it starts."""
    return any(
        re.search(rb"\b(keras|tensorflow)\b", file.read_bytes())
        for file in path.glob("*.py")
        if file.is_file() and file.stat().st_size < MIB
    )


def _threshold(task: str, labels: recipes.LabelSet) -> Threshold:
    return Threshold.model_construct(task=task, labels=labels, threshold=0.5, chance=0.05, n=5)


def _train(jobs: Sequence[TrainingJob]) -> dict[str, Result | TrainerFault]:
    """The trainer that every cheat dreams of."""
    return {
        job.digest: Result(
            digest=job.digest,
            accuracy=1.0,
            loss=0.0,
            train_accuracy=(1.0,),
            train_loss=(0.0,),
            parameters=1,
            seconds=0.0,
            cpu_seconds=0.0,
            labels=job.labels,
            seed=job.seed,
            pin=job.conditions.pin,
            engine=job.conditions.engine,
            versions={},
            machine="none",
        )
        for job in jobs
    }


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


def _line(attack: Attack, shown: Shown) -> Text:
    line = Text(f"  {attack.name:<42}", style="" if shown.held_off else "bold red")
    marks = (
        f"{_number(shown.points)} of {_number(attack.baseline)}" if attack.baseline else _number(shown.points)
    )
    line.append(
        f"{marks:>10} marks  +{_number(shown.gained)}  leaks {', '.join(sorted(shown.leaked)) or '–'}  "
    )
    line.append(f"{shown.seconds:6.1f} s {shown.memory[0] // MIB:5} + {shown.memory[1] // MIB:<4} MiB")
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


def _markdown(found: Sequence[Attack], shown: dict[str, dict[str, Shown]]) -> str:
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
    unknown = set(options.only or ()) - {attack.name for attack in found}
    if unknown:
        console.print(f"there is no attack {', '.join(sorted(unknown))}")
        return 2
    chosen = [attack for attack in found if not options.only or attack.name in options.only]
    engines = _engines(console, options.engine)
    if not engines:
        console.print("no engine that isolates works here: nothing was tried")
        return 2
    shown: dict[str, dict[str, Shown]] = {}
    try:
        with sandbox.interruptible(), Canaries() as canaries:
            for engine in engines:
                shown[engine.name] = results = {}
                console.print(f"\n[bold]{engine.name}[/bold]: {len(chosen)} attacks")
                for attack, one in _tried(chosen, Range(engine, canaries), options.stop):
                    results[attack.name] = one
                    console.print(_line(attack, one), soft_wrap=True)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130
    if options.markdown:
        options.markdown.write_text(_markdown(chosen, shown), encoding="utf-8")
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


def _engines(console: Console, names: Sequence[str] | None) -> list[Engine]:
    chosen = []
    for engine in sandbox.ENGINES.values():
        if not engine.isolates or (names and engine.name not in names):
            continue
        found = engine.availability()
        if found.usable:
            chosen.append(engine)
        else:
            console.print(f"{engine.name} does not work here: {found.reason} ({found.mend})")
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s attack --", description=__doc__.split("\n\n")[0])
    parser.add_argument("--engine", action="append", help="only this one; may be repeated")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these attacks")
    parser.add_argument("--stop", action="store_true", help="at the first that is not held off")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table attack x engine there")
    parser.add_argument(
        "--peers", action="store_true", help="show what otter-grader and nbgrader make of the same cheats"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
