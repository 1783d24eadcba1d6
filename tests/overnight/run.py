"""Grades a class of 200 in one run, in a copy of this checkout that knows no probe and no training.

    nox -s overnight -- [--students 200] [--seed 1] [--distinct 200] [--workers 2] [--keep FOLDER]

Shows a table of what it took, and ends with 1 if anybody has not exactly one row, anything was trained that
was known, the chain of the gradebook is broken, or the grader's own process held more than 400 MiB.
"""

import argparse
import csv
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grader import gradebook
from tests.overnight import a_class
from tests.overnight.a_class import Made
from tests.overnight.place import COUNTED, MIB, Grader, Place

MOST_MIB = 400
_LINE_SECONDS = 0.5


@dataclass(frozen=True)
class Trainings:
    """What the marks of a class stand on, counted from the results in the gradebook.

    Attributes:
        known: distinct networks that no training was made for.
        needed: digests of the trainings of all others: the first, and what followed a close one.
        written: distinct networks as they were written, of those that are not known.
    """

    known: int
    needed: frozenset[str]
    written: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it; see above."""
    chosen = _parser().parse_args(arguments)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="overnight-") as temporary:
        folder = Path(chosen.keep or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        place = Place.made(folder)
        made = a_class.write(
            folder / "class", students=chosen.students, seed=chosen.seed, distinct=chosen.distinct
        )
        kinds = ", ".join(f"{count} {kind}" for kind, count in made.counts.most_common())
        console.print(f"A class of {len(made.kinds)} in {made.files} files: {kinds}")
        return _graded(console, place, folder, made, chosen.workers, chosen.runs)


def _graded(console: Console, place: Place, folder: Path, made: Made, workers: int, runs: int) -> int:
    wrong = []
    for number in range(runs):
        before = set(place.trainings)
        out, log = folder / "results", folder / f"grade-{number + 1}.log"
        arguments = ("grade", folder / "class", "--profile", "offline", "--seed", 11)
        start = time.monotonic()
        counted = folder / f"grade-{number + 1}.counted"
        script = ("-P", COUNTED, counted)
        grader = place.start([*arguments, "--workers", workers, "--out", out], log, script=script)
        code = _followed(console, grader, log)
        seconds = time.monotonic() - start
        trained = set(place.trainings) - before
        lines = counted.read_text(encoding="utf-8").splitlines()
        started = sum(line.startswith("trained ") for line in lines)
        expected = trainings(out)
        rows = list(csv.DictReader((out / "marks.csv").read_text(encoding="utf-8").splitlines()))
        table = Table("what", "measured", title=_machine())
        for what, found in (
            ("students", f"{len(made.kinds)}, {len(rows)} rows"),
            ("networks, distinct as written and not known", expected.written),
            ("networks, distinct and known", expected.known),
            ("trainings that marks stand on", len(expected.needed)),
            ("trainings that were made", f"{len(trained)}, {started} started"),
            ("probes that are stored", len(place.probes)),
            ("wall time", f"{seconds / 60:.1f} min, {workers} at a time"),
            ("peak memory of the grader's own process", f"{grader.peak / MIB:.0f} MiB"),
            ("exit code", code),
            ("left behind", ", ".join(place.left_behind()) or "nothing"),
        ):
            table.add_row(what, str(found))
        for kind, shown in _rows_by_kind(rows, made).items():
            table.add_row(f"rows: {kind}", shown)
        console.print(table)
        if number == 0 and trained != expected.needed:
            many, few = len(trained - expected.needed), len(expected.needed - trained)
            wrong.append(f"{many} trainings too many, {few} missing")
        if number and trained:
            wrong.append(f"run {number + 1} trained {len(trained)} again")
        if started != len(trained):
            wrong.append(f"{started} trainings were started for {len(trained)} results")
        wrong += _wrong_rows(rows, made)
        if grader.peak > MOST_MIB * MIB:
            wrong.append(f"{grader.peak / MIB:.0f} MiB are more than {MOST_MIB}")
        if code not in (0, 1):
            wrong.append(f"exit code {code}")
        if place.left_behind():
            wrong.append(f"left behind: {', '.join(place.left_behind())}")
        with gradebook.read(out) as book:
            if fault := book.verify():
                wrong.append(f"the chain is broken: {fault}")
    for line in wrong:
        console.print(f"wrong: {line}", style="red")
    return 1 if wrong else 0


def trainings(out: Path) -> Trainings:
    """Counts what all marks of a gradebook stand on."""
    known, needed, written = set(), set(), set()
    with gradebook.read(out) as book:
        for entry in book.entries(kind="mark"):
            result = book.result(entry.number)
            assert result is not None
            for check in (check for task in result.tasks for check in task.checks):
                if "training" not in check.data:
                    continue
                if check.data.get("known"):
                    known.add(check.data["training"])
                else:
                    needed.update(check.data.get("trainings", [check.data["training"]]))
                    written.add((check.data.get("blueprint"), check.data.get("prepared"), check.check))
    return Trainings(len(known), frozenset(needed), len(written))


def _followed(console: Console, grader: Grader, log: Path) -> int:
    """Shows what the grader prints, as it comes; its exit code."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        while True:
            code = grader.wait(_LINE_SECONDS)
            console.print(lines.read(), end="", markup=False, highlight=False)
            if code is not None:
                return code


def _rows_by_kind(rows: Sequence[dict[str, str]], made: Made) -> dict[str, str]:
    """For each kind of student how many rows have marks, and what the others say."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(made.kinds.get(row["key"], "nobody's"), Counter())[_marks(row)] += 1
    return {
        kind: ", ".join(f"{count} with {what}" for what, count in sorted(counts.items()))
        for kind, counts in sorted(found.items())
    }


def _marks(row: dict[str, str]) -> str:
    """How much a row has, in words."""
    if not row["total"]:
        return "no mark"
    return "full marks" if row["total"] == row["out of"] else "less"


def _wrong_rows(rows: Sequence[dict[str, str]], made: Made) -> list[str]:
    """Who has not exactly one row; a right one without all marks; one without a mark or a reason."""
    counts = Counter(row["key"] for row in rows)
    wrong = [f"{key} has {counts[key]} rows" for key in made.kinds if counts[key] != 1]
    wrong += [f"a row of nobody: {key}" for key in counts if key not in made.kinds]
    for row in rows:
        kind, marks = made.kinds.get(row["key"], ""), _marks(row)
        if kind in ("right", "handed in twice") and marks != "full marks":
            wrong.append(f"{row['key']} is right and has {row['total']}: {row['remark']}")
        if (kind == "empty") != (marks == "no mark") and kind != "copy":
            wrong.append(f"{row['key']} is {kind} and has {marks}: {row['remark']}")
        if marks == "no mark" and not row["remark"]:
            wrong.append(f"{row['key']} has no mark and no reason")
    return wrong


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("keras", "numpy"))
    return f"{date.today()}, {platform.processor() or platform.machine()}, {libraries}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s overnight --", description=__doc__.split("\n\n")[0])
    parser.add_argument("--students", type=int, default=200, help="in the class (200)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn of the class (1)")
    parser.add_argument("--distinct", type=int, help="how many hand in work of their own; others copy (all)")
    parser.add_argument("--workers", type=int, default=2, help="probes and trainings at a time (2)")
    parser.add_argument("--runs", type=int, default=1, help="the same command so often (1)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="a new folder, which stays with all in it"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
