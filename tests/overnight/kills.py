"""Kills the grading of a class again and again, all of it at once, and continues with the same command.

    nox -s overnight -- kills [--kills 50] [--students 9] [--seed 1] [--longest SECONDS] [--keep FOLDER]

The class is graded undisturbed once. Then, from nothing, it is killed (SIGKILL, the whole tree) after a
time that is drawn anew each time, from all that the undisturbed run took, and continued until it ends by
itself; again from nothing, until there were as many kills. After each kill the chain is verified and every
mark that was there is still there. Each class that came to its end is compared with the undisturbed one:
everything but times and run ids is equal; no mark stands there twice; no probe that was stored was made
again, no submission with a mark was looked at again, no training with a result was started again; nothing is
left in scratch, of the killed runs neither. Some kills, at least, came after marks were there.

Exit code: 0 if all of that held, 1 if not.
"""

import argparse
import json
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from grader import gradebook
from grader.errors import GradebookError
from tests.overnight import a_small_class
from tests.overnight.place import COUNTED, Place

SHORTEST = 0.3  # seconds until a kill, unless said otherwise
# Kills in a row without a new mark, after which a class is left alone: a training that takes longer than
# there is between kills would never end.
IN_VAIN = 3
# How long something took, when and in which run it was, and the head of the gradebook, which covers those.
TIMES = {"seconds", "execution_time", "cpu_seconds", "when", "graded", "run", "head", "at"}


@dataclass
class Seen:
    """What the kills came to.

    Attributes:
        kills: of a grader that ran.
        rounds: classes that came to their end.
        moments: how many kills there were with so many marks in the gradebook.
        scratch: kills that left something there.
        trained: trainings that were started again after a kill had ended them.
        wrong: what did not hold.
    """

    kills: int = 0
    rounds: int = 0
    moments: Counter[int] = field(default_factory=Counter)
    scratch: int = 0
    trained: int = 0
    wrong: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it; see above."""
    chosen = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="overnight-") as temporary:
        folder = Path(chosen.keep or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        kills = Kills(
            Console(),
            Place.made(folder),
            folder,
            random.Random(chosen.seed),
            shortest=chosen.shortest,
            longest=chosen.longest,
        )
        kinds = Counter(a_small_class.write(folder / "class", students=chosen.students).values())
        kills.console.print(f"A class of {chosen.students}: {dict(kinds)}")
        return kills.run(chosen.kills, chosen.minutes)


class Kills:
    """Grades one class, undisturbed and disturbed.

    Args:
        folder: has the class, in `class`, and gets all that comes of it.
        draw: of the moments.
        shortest, longest: seconds until a kill; all that the undisturbed run took if `longest` is None.
    """

    def __init__(
        self,
        console: Console,
        place: Place,
        folder: Path,
        draw: random.Random,
        *,
        shortest: float = SHORTEST,
        longest: float | None = None,
    ) -> None:
        self.console, self.place, self.seen = console, place, Seen()
        self._folder, self._draw, self._shortest, self._longest = folder, draw, shortest, longest

    def run(self, kills: int, minutes: float = math.inf) -> int:
        """Kills so often, or for so long if that is over first; see above."""
        end = time.monotonic() + 60 * minutes
        alone = self._folder / "undisturbed"
        start = time.monotonic()
        code = self._start(alone).wait()
        took = time.monotonic() - start
        trainings = len(self.place.trainings)
        self.console.print(f"undisturbed: exit code {code} after {took:.0f} s, {trainings} trainings")
        self._longest = self._longest or took
        expected = state(alone)
        while self.seen.kills < kills and time.monotonic() < end:
            self.place.forget()
            out = self._folder / f"killed-{self.seen.rounds + 1}"
            ended = self._round(out, kills, end)
            self.seen.rounds += 1
            if ended != code:
                self.seen.wrong.append(f"{out.name}: exit code {ended}, undisturbed {code}")
            for what, (undisturbed, disturbed) in different(expected, state(out)).items():
                self.seen.wrong.append(f"{out.name}: {what} is {disturbed}, undisturbed {undisturbed}")
            self.seen.wrong += [f"{out.name}: {one}" for one in twice(self._log(out))]
            self.seen.wrong += [f"{out.name}: left in scratch: {one}" for one in self.place.left_behind()]
            started = [line for line in self._log(out).read_text().splitlines() if line.startswith("trained")]
            self.seen.trained += len(started) - len(set(started))
        return self._shown()

    def _round(self, out: Path, kills: int, end: float) -> int | None:
        """Kills one class until it has ended by itself, or there were enough kills; its exit code."""
        marks: set[str] = set()
        in_vain = 0
        while True:
            grader = self._start(out)
            moment = self._draw.uniform(self._shortest, self._longest)
            if self.seen.kills >= kills or in_vain >= IN_VAIN or time.monotonic() > end:
                return grader.wait()
            if (code := grader.wait(moment)) is not None:
                return code
            survivors = grader.kill()
            self.seen.kills += 1
            if survivors:
                self.seen.wrong.append(f"kill {self.seen.kills}: {len(survivors)} processes live on")
            there = set()
            if (out / gradebook.FILE).is_file():
                try:
                    with gradebook.read(out) as book:
                        if fault := book.verify():
                            self.seen.wrong.append(f"kill {self.seen.kills}: the chain is broken: {fault}")
                        there = {entry.name for entry in book.entries(kind="mark")}
                except GradebookError as error:
                    # Killed before its tables were made.
                    if marks or "there is no gradebook" not in str(error):
                        self.seen.wrong.append(f"kill {self.seen.kills}: {error}")
            if lost := marks - there:
                self.seen.wrong.append(f"kill {self.seen.kills}: marks are gone: {sorted(lost)}")
            in_vain = 0 if there - marks else in_vain + 1
            marks = there
            with self._log(out).open("a") as log:
                log.writelines(f"marked {name}\n" for name in sorted(there))
                log.writelines(f"result {digest}\n" for digest in self.place.trainings)
            self.seen.moments[len(there)] += 1
            left = len(self.place.left_behind())
            self.seen.scratch += left > 0
            self.console.print(
                f"kill {self.seen.kills} after {moment:.1f} s: {len(there)} marks, {left} things in scratch"
            )

    def _start(self, out: Path) -> Any:
        arguments = ("grade", self._folder / "class", "--profile", "offline", "--seed", 11, "--out", out)
        printed = self._folder / f"{out.name}.log"
        return self.place.start(arguments, printed, script=("-P", COUNTED, self._log(out)))

    def _log(self, out: Path) -> Path:
        return self._folder / f"{out.name}.counted"

    def _shown(self) -> int:
        seen = self.seen
        if seen.kills and not any(seen.moments):
            seen.wrong.append("all kills came before the first mark: --longest is too short")
        table = Table("what", "came to", title=f"{seen.kills} kills of {seen.rounds} classes")
        table.add_row(
            "marks there at a kill", ", ".join(f"{n}: {c} x" for n, c in sorted(seen.moments.items()))
        )
        table.add_row("kills that left something in scratch", f"{seen.scratch}")
        table.add_row("trainings that a kill ended and that were made again", f"{seen.trained}")
        table.add_row("wrong", f"{len(seen.wrong)}")
        self.console.print(table)
        for line in seen.wrong:
            self.console.print(f"wrong: {line}", style="red", markup=False)
        return 1 if seen.wrong else 0


def state(out: Path) -> dict[str, Any]:
    """All that a gradebook and what is derived of it say, but times and run ids, by what it is about."""
    found: dict[str, Any] = {}
    with gradebook.read(out) as book:
        found["chain"] = book.verify()
        names: Counter[str] = Counter()
        for entry in book.entries():
            if entry.kind in ("mark", "fault"):
                names[entry.name] += 1
                result = book.result(entry.number)
                body = {**entry.body, "result": result.model_dump(mode="json") if result else None}
                found[f"{entry.kind} {names[entry.name]} of {entry.name}"] = body
            elif entry.kind == "submission":
                found[f"submission of {entry.name}, attempt {entry.body['attempt']}"] = entry.body
        for key, standing in book.current().items():
            found[f"points of {key}"] = dict(standing.points)
            found[f"why {key} has none"] = standing.why_not or standing.not_renewed
    found["marks.csv"] = (out / "marks.csv").read_text(encoding="utf-8")
    for path in sorted(path for path in out.glob("*/**/*") if path.is_file()):
        name = path.relative_to(out).as_posix()
        if path.name == "report.txt":  # the last line says when, and in which run
            found[name] = path.read_text(encoding="utf-8").splitlines()[:-1]
        elif path.suffix == ".json":
            found[name] = json.loads(path.read_text(encoding="utf-8"))
        else:
            found[name] = path.read_bytes()
    return {what: _timeless(value) for what, value in found.items()}


def different(expected: dict[str, Any], came: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is not the same, down to the field."""
    found = {}
    for what in dict.fromkeys([*expected, *came]):
        one, other = expected.get(what, "not there"), came.get(what, "not there")
        if one != other:
            where, first, second = next(_apart(one, other, ""))
            found[f"{what}{where}"] = (str(first)[:200], str(second)[:200])
    return found


def _apart(one: Any, other: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys([*one, *other]):
            yield from _apart(one.get(name), other.get(name), f"{where}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _apart(*pair, f"{where}[{place}]")
    elif one != other:
        yield where, one, other


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in TIMES}
    return [_timeless(one) for one in value] if isinstance(value, (list, tuple)) else value


def twice(log: Path) -> list[str]:
    """What was done again although its outcome had been there, from the lines of counted.py."""
    wrong, done = [], set()
    again = {"probed": "kept", "examined": "marked", "trained": "result"}
    for line in log.read_text(encoding="utf-8").splitlines():
        what, _, which = line.partition(" ")
        if what in again and (again[what], which) in done:
            wrong.append(f"{which[:16]} was {what} again, and {again[what]} before")
        done.add((what, which))
    return wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="how often (50)")
    parser.add_argument("--minutes", type=float, default=math.inf, help="no more kills after these (any)")
    parser.add_argument("--students", type=int, default=9, help="in the class (9)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    parser.add_argument("--shortest", type=float, default=SHORTEST, help="seconds until a kill (0.3)")
    parser.add_argument("--longest", type=float, help="seconds until a kill (what the undisturbed run took)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="a new folder, which stays with all in it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
