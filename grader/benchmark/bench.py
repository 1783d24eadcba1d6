"""`nox -s bench`: what this kit costs here, beside other tools, as a table and as reference/bench.json.

The file is written after every figure: a run that was stopped goes on where it was, if neither the machine
nor the code has changed. A goal that is missed is shown as missed and is no error.
"""

import datetime
import hashlib
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from grader.benchmark import figures, record, subjects
from grader.benchmark.figures import Place
from grader.benchmark.kit import TITLE_BEFORE
from grader.benchmark.record import OWN, Bench, Figure, Goal, Machine, Side
from grader.benchmark.subjects import Subject
from grader.errors import UsageError
from grader.paths import from_here
from lab.files import write_atomically

WHOLE = Path("reference") / "bench.json"
PAGE = Path("docs") / "performance.md"
BEGIN, END = "<!-- the table: written by nox -s bench -->", "<!-- end of the table -->"
PART = Path(".kit") / "bench.json"
BUSY = 0.15  # of the processors, used by others: times are noise then
_PACKAGES = ("keras", "numpy", "tensorflow-cpu", "tensorflow")
# What a figure depends on: the code, the networks, the settings and what is known. Not the tests.
_CODE = ("grader", "lab", "solutions", "assignment", "bench", "params.yaml", "uv.lock")


@dataclass(frozen=True)
class Order:
    """What is asked for on the command line.

    Attributes:
        names: only these figures; empty for all.
        quick: every side once, and less of what takes long.
        peers: whether other tools are measured.
        before: whether the kit at an earlier commit is.
        out: the file; None for reference/bench.json if all is measured in full, else .kit/bench.json.
    """

    names: Sequence[str] = ()
    quick: bool = False
    peers: bool = True
    before: bool = True
    out: Path | None = None

    @property
    def whole(self) -> bool:
        """Whether it is all that there is."""
        return self.peers and not self.names and not self.quick


def bench(root: Path, console: Console, order: Order) -> int:
    """Measures figures and shows them; 0 if all could be measured, else 1.

    Raises:
        UsageError: there is no such figure.
        ManifestError: the file is something else.
    """
    place = Place(root, with_peers=order.peers, with_before=order.before, quick=order.quick)
    everything = figures.subjects(place)
    chosen = _chosen(everything, order.names)
    path = order.out or root / (WHOLE if order.whole else PART)
    fresh = Bench(
        machine=machine(),
        versions=versions(),
        code=code(root),
        commit=commit(root),
        quick=order.quick,
        began=_now(),
    )
    held = _held(path, fresh, order)
    kept = {} if order.names else {n: f for n, f in held.figures.items() if not f.problem}
    _announce(console, held, chosen, path)
    started = time.monotonic()
    for number, subject in enumerate(chosen, 1):
        if subject.name in kept:
            console.print(Text(f"{subject.title}: measured already, {kept[subject.name].when}", style="dim"))
            continue
        figure = _measured(console, subject, f"{number} of {len(chosen)}", order.quick)
        listed = {**held.figures, figure.name: figure}
        in_order = {one.name: listed[one.name] for one in everything if one.name in listed}
        complete = len(in_order) == len(everything)
        held = held.model_copy(update={"figures": in_order, "complete": complete})
        record.save(held, path)
    shown = [held.figures[subject.name] for subject in chosen]
    console.print(table(shown))
    if held.complete and path.resolve() == (root / WHOLE).resolve():
        write_page(root / PAGE, held)
    busy = max((side.others or 0.0 for figure in shown for side in figure.sides), default=0.0)
    if busy > BUSY:
        words = f"Other processes used up to {busy:.0%} of this machine: times are not those of a quiet one."
        console.print(Text(words, style="yellow"), soft_wrap=True)
    for figure in shown:
        if figure.problem:
            console.print(Text(f"✘ {figure.title}: {figure.problem}", style="red"), soft_wrap=True)
    console.print(
        Text(f"{from_here(path)} has it; {(time.monotonic() - started) / 60:.1f} minutes", style="dim")
    )
    return 1 if any(figure.problem for figure in shown) else 0


def _chosen(everything: Sequence[Subject], names: Sequence[str]) -> list[Subject]:
    known = [subject.name for subject in everything]
    for name in names:
        if name not in known:
            raise UsageError(f"there is no figure {name!r}", fix=f"The figures are: {', '.join(known)}")
    return [subject for subject in everything if not names or subject.name in names]


def _held(path: Path, fresh: Bench, order: Order) -> Bench:
    """The run that goes on: what the file has of it, or nothing.

    Raises:
        UsageError: figures of another run would be lost for a few of this one.
    """
    found = record.load(path)
    if found is None:
        return fresh
    if found.same_run(fresh):
        # A run that is complete is over: the next one of all figures begins anew.
        return fresh if found.complete and not order.names else found
    if order.names and order.out is not None:
        raise UsageError(
            f"{from_here(path)} is of another machine or other code: figures of two runs do not compare",
            fix="Measure all of them, or name another file with --out",
        )
    return fresh


def _measured(console: Console, subject: Subject, which: str, quick: bool) -> Figure:
    """One figure, with a bar while it is measured and a line when it is done."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[side]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bars:
        bar = bars.add_task(f"{which}: {subject.title}", total=None, side="")

        def on_run(side: str, done: int, of: int) -> None:
            bars.update(bar, total=of, completed=done, side=side)

        figure = subjects.measure(subject, quick=quick, now=_now, on_run=on_run)
    line = Text(f"{which}: {figure.title}: ", style="bold")
    sides = [f"{side.name} {number(side.value, figure.unit)}" for side in figure.sides]
    console.print(line.append(" · ".join(sides) or "could not be measured", style="not bold"), soft_wrap=True)
    return figure


def goals(root: Path) -> Table:
    """What can be measured, and what is aimed at."""
    found = Table("name", "figure", "goal")
    for one in figures.subjects(Place(root)):
        aimed = "\n".join(_goal(goal, one.unit) for goal in one.goals)
        found.add_row(one.name, Text(one.title), Text(aimed))
    return found


# --- what is shown ----------------------------------------------------------------------------------------


def _announce(console: Console, held: Bench, chosen: Sequence[Subject], path: Path) -> None:
    here = held.machine
    line = Text(f"Measuring {len(chosen)} figure{'s' * (len(chosen) != 1)}", style="bold")
    line.append(
        f" · {here.processor}, {here.cores} cores, {here.memory_gib:g} GiB, {here.system} · "
        + ", ".join(f"{name} {found}" for name, found in held.versions.items())
        + f" · load {os.getloadavg()[0]:.1f} · {'each side once' if held.quick else 'medians'}"
        + f" · into {from_here(path)}",
        style="not bold",
    )
    console.print(line, soft_wrap=True)


def table(shown: Sequence[Figure]) -> Table:
    """All figures: this kit's values, the others', the ratios, and what was aimed at."""
    columns = ("figure", "this kit", "beside", "ratio", "goal", "", "others' load")
    found = Table(*columns, show_lines=True)
    for figure in shown:
        own = next((side for side in figure.sides if side.name == OWN), None)
        others = [side for side in figure.sides if side.name != OWN]
        loads = [side.others for side in figure.sides if side.others is not None]
        goals = Text("\n").join(Text(_goal(goal, figure.unit)) for goal in figure.goals)
        met = Text("\n").join(_met(goal) for goal in figure.goals)
        found.add_row(
            Text(figure.title),
            Text(_side(own, figure)) if own else Text("–", style="red"),
            Text("\n".join(f"{side.name}: {_side(side, figure)}" for side in others)),
            Text(
                "\n".join(f"{figure.ratios[s.name]:.2f}" if s.name in figure.ratios else "–" for s in others)
            ),
            goals,
            met,
            f"{max(loads):.0%}" if loads else "",
        )
    return found


def markdown(bench: Bench) -> str:
    """The table of docs/performance.md, with where and when it was measured."""
    here = bench.machine
    lines = ["| figure | this kit | goal | | beside | ratio |", "|---|---|---|---|---|---|"]
    for figure in bench.figures.values():
        own = next((side for side in figure.sides if side.name == OWN), None)
        others = [side for side in figure.sides if side.name != OWN]
        cells = [
            f"{figure.title} (`{figure.name}`)",
            _side(own, figure) if own else "not measured",
            "; ".join(_goal(goal, figure.unit) for goal in figure.goals),
            "; ".join({True: "met", False: "missed", None: "–"}[goal.met] for goal in figure.goals),
            "<br>".join(f"{side.name}: {_side(side, figure)}" for side in others),
            "<br>".join(f"{figure.ratios[s.name]:.2f}" if s.name in figure.ratios else "–" for s in others),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    loads = [side.others or 0.0 for figure in bench.figures.values() for side in figure.sides]
    lines += [
        "",
        f"{bench.began[:10]}, {here.processor}, {here.cores} cores, {here.memory_gib:g} GiB, {here.system}; "
        + ", ".join(f"{name} {found}" for name, found in bench.versions.items())
        + f". Other processes used up to {max(loads, default=0.0):.0%} of the machine.",
        "",
    ]
    remarks = [f"- `{one.name}`: {one.remark}" for one in bench.figures.values() if one.remark]
    commands = [
        f"- `{figure.name}`, {side.name}: `{side.command}`"
        for figure in bench.figures.values()
        for side in figure.sides
        if side.name not in (OWN, TITLE_BEFORE)
    ]
    return "\n".join([*lines, *remarks, *commands])


def write_page(path: Path, bench: Bench) -> None:
    """Puts the table into the page, between its marks; a page without them is left as it is."""
    if not path.exists():
        return
    text = path.read_text(encoding="utf-8")
    if BEGIN in text and END in text:
        before, rest = text.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        write_atomically(path, f"{before}{BEGIN}\n\n{markdown(bench)}\n\n{END}{after}")


def number(value: float, unit: record.Unit) -> str:
    """A value with its unit, in as many digits as mean something."""
    if unit == "s" and value >= 120:
        return f"{value / 60:.1f} min"
    return f"{value:.{_digits(unit)}f} {unit}"


def _digits(unit: record.Unit) -> int:
    return 1 if unit == "s" else 0


def _side(side: Side, figure: Figure) -> str:
    words = []
    if len(side.values) > 1:
        digits = _digits(figure.unit)
        words.append(f"{side.low:.{digits}f} to {side.high:.{digits}f}, {len(side.values)} runs")
    if figure.unit == "s" and side.cpu_seconds is not None:
        words.append(f"processor {number(side.cpu_seconds, 's')}")
    return number(side.value, figure.unit) + (f" ({'; '.join(words)})" if words else "")


def _goal(goal: Goal, unit: record.Unit) -> str:
    bound, words = (goal.most, "at most") if goal.most is not None else (goal.least or 0.0, "at least")
    assert bound is not None
    return f"{words} {bound:g} of {goal.against}" if goal.against else f"{words} {number(bound, unit)}"


def _met(goal: Goal) -> Text:
    if goal.met is None:
        return Text("–", style="yellow")
    return Text("✔", style="green") if goal.met else Text("missed", style="red")


# --- where and on what ------------------------------------------------------------------------------------


def machine() -> Machine:
    """This one."""
    processor = platform.processor() or platform.machine()
    memory = 0.0
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return Machine(
        processor=processor,
        cores=os.cpu_count() or 1,
        memory_gib=round(memory, 1),
        system=f"{platform.system()} {platform.release()}",
    )


def versions() -> dict[str, str]:
    """Of what computes."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except ImportError:  # PackageNotFoundError is one
            continue
    return found


def code(root: Path) -> str:
    """A digest of all that a figure depends on, SHA-256."""
    digest = hashlib.sha256()
    for name in _CODE:
        top = root / name
        files = [top] if top.is_file() else sorted(p for p in top.rglob("*") if p.is_file())
        for path in files:
            if "__pycache__" in path.parts or "hidden" in path.parts:
                continue
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def commit(root: Path) -> str:
    """The checkout's commit, `-dirty` if files differ from it; empty outside of git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
