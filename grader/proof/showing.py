"""What `nox -s prove` shows in the terminal: what it is about to do, each outcome, and its tables."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from grader.config.manifest import Check, Task
from grader.config.profiles import Profile
from grader.exporters.terminal import number
from grader.proof import ratings
from grader.proof.bank import Entry
from grader.proof.outcome import Proved
from grader.proof.ratings import Compared
from grader.proof.record import figures_of, networks, unseen_row


def announce(
    console: Console, entries: Sequence[Entry], profile: Profile | None, engine: str, seed: int
) -> None:
    mutants = sum(entry.mutant is not None for entry in entries)
    unseen = sum(entry.unseen is not None for entry in entries)
    right = len(entries) - mutants - unseen
    what = f"{mutants} mutants{',' if unseen else ' and'} {right} right submission{'s' * (right != 1)}"
    what += f" and {unseen} unseen mistake{'s' * (unseen != 1)}" if unseen else ""
    how = f"trained under the profile {profile.name}" if profile else "their structure alone, no training"
    console.print(
        Text(f"Proving the grader on {what}", style="bold"),
        Text(f" · {how} · engine {engine} · inputs of seed {seed}"),
        sep="",
        soft_wrap=True,
    )


def show(console: Console, proved: Sequence[Proved], uncovered: Sequence[tuple[Task, Check]]) -> None:
    for one in proved:
        if one.entry.mutant and not one.wrong:
            words = "only training can tell" if one.open else one.entry.mutant.hint
            sign = "○" if one.open else "✔"
            line = Text(
                f"{sign} {one.entry.task.id}: {one.entry.name}", style="yellow" if one.open else "green"
            )
            line.append(f" · {one.entry.mutant.check} · {words}", style="dim")
            console.print(line, soft_wrap=True)
    console.print(_by_check(proved))
    console.print(_by_task(proved))
    for one in proved:
        if one.wrong:
            kind = "mutant" if one.entry.mutant else "right"
            line = Text(f"✘ {one.entry.task.id}, {kind}: {one.entry.name} ", style="red")
            console.print(line.append(one.wrong, style="not bold"), soft_wrap=True)
    for task, check in uncovered:
        console.print(
            Text(f"✘ {task.id}/{check.id} fails for no mutant: give it one, or drop it", style="red")
        )


def _by_check(proved: Sequence[Proved]) -> Table:
    table = Table(
        "task",
        "check",
        "its mutants",
        "caught first",
        "also failed for",
        title="By check",
        title_justify="left",
    )
    for task in dict.fromkeys(one.entry.task.id for one in proved):
        own = [one for one in proved if one.entry.task.id == task and one.entry.mutant]
        for check in next(one.entry.task for one in proved if one.entry.task.id == task).checks:
            aimed = [one for one in own if one.entry.mutant and one.entry.mutant.check == check.id]
            caught = sum(one.caught_by[:1] == (check.id,) for one in aimed)
            also = sum(check.id in one.caught_by[1:] for one in own)
            table.add_row(task, check.id, str(len(aimed)), str(caught), str(also or ""))
    return table


def _by_task(proved: Sequence[Proved]) -> Table:
    table = Table("task", "mutants caught", "right with full marks", title="The grader", title_justify="left")
    for task in [*dict.fromkeys(one.entry.task.id for one in proved), "all"]:
        own = [one for one in proved if task in ("all", one.entry.task.id)]
        mutants = [one for one in own if one.entry.mutant and not one.open]
        right = [one for one in own if not one.entry.mutant]
        table.add_row(
            escape(task),
            f"{sum(not one.wrong for one in mutants)} of {len(mutants)}",
            f"{sum(not one.wrong for one in right)} of {len(right)}",
        )
    pairs = dict(pair for one in proved if not one.entry.mutant for pair in one.trainings)
    if pairs:
        failed = sum(not passed for passed in pairs.values())
        each = "; ".join(
            f"{task} " + ", ".join(f"{labels} {count}" for labels, count in of.items())
            for task, of in networks(proved).items()
        )
        table.caption = (
            f"right networks failed: {number(failed)} of {len(pairs)} trainings; different ones: {each}"
        )
    return table


def show_agreement(
    console: Console, compared: Compared, unseen: Compared, without_mark: Sequence[Proved]
) -> None:
    """The marks beside what raters say; nothing where nothing is rated."""
    for unmarked in without_mark:
        line = Text(f"○ unseen, {unmarked.entry.task.id}: {unmarked.entry.name} ", style="yellow")
        console.print(line.append(unmarked.wrong, style="default"), soft_wrap=True)
    if not compared.overall.rated:
        console.print(Text("Nothing here is rated: nox -s ratings -- --sheets FOLDER", style="dim"))
        return
    title = "What mutants lose, beside raters" + ("" if compared.trained else " (without trainings)")
    table = Table("task", "compared", title=title, title_justify="left")
    table.columns[0].no_wrap = True
    figures = ("rank correlation", "mean gap", "raters' correlation", "raters' gap")
    for name in (*figures, f"over {ratings.FAR} off"):
        table.add_column(name, justify="right")
    halves = {f"{half} places": one for half, one in compared.halves.items()}
    for name, one in {**compared.tasks, "all": compared.overall, **halves}.items():
        off = sum(name in (far.task, "all") for far in compared.off)
        last = "" if name in halves else str(off or "")
        table.add_row(escape(name), *figures_of(one), last)
    if unseen.mutants:
        table.add_row(unseen_row(unseen.mutants), *figures_of(unseen.overall), str(len(unseen.off) or ""))
    table.caption = "; ".join([*left_out(compared), *left_out_unseen(unseen)])
    console.print(table)
    for kind, far in (*(("", one) for one in compared.off), *(("unseen, ", one) for one in unseen.off)):
        each = ", ".join(f"{share:g}" for share in far.rated)
        line = Text(f"○ {kind}{far.task}: {far.mutant} ", style="yellow")
        line.append(f"loses {far.lost:.0f} in 100, raters say {far.mean:.0f} ({each})", style="default")
        console.print(line.append(f" · {far.reason}" if far.reason else "", style="dim"), soft_wrap=True)
    for sentence in compared.wrong:
        console.print(Text(f"✘ {sentence}", style="red"), soft_wrap=True)


def left_out(compared: Compared) -> Iterable[str]:
    """What the figures are not of, and what they are in."""
    yield "gaps in points of 100"
    if compared.left_out:
        yield f"{compared.left_out} rated mutants have no mark: only training can tell"
    if compared.unrated:
        yield f"{len(compared.unrated)} mutants have no rating: nox -s ratings -- --sheets FOLDER --unrated"
    if compared.stale:
        yield f"{len(compared.stale)} ratings are of what has changed since or is gone"


def left_out_unseen(unseen: Compared) -> Iterable[str]:
    """The same of the unseen mistakes."""
    if unseen.left_out:
        yield f"{unseen.left_out} unseen mistakes have no mark"
    if unseen.unrated:
        yield f"{len(unseen.unrated)} unseen mistakes have no rating"
    if unseen.stale:
        yield f"{len(unseen.stale)} ratings of unseen mistakes are of what has changed since or is gone"
