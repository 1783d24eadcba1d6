"""`nox -s ratings`: sheets for raters, what they have written, and what of the bank is rated."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from grader.config import manifest
from grader.errors import UsageError
from grader.paths import from_here
from grader.proof import bank, ratings, sheets
from grader.proof.ratings import Rated, Rating
from lab.files import write_atomically

UNSEEN = "unseen mistakes"


@dataclass(frozen=True)
class Order:
    """What is asked for on the command line.

    Attributes:
        tasks: only these; empty for all.
        sheets: the folder that sheets are written into; None to write none.
        unrated: on the sheets, only mutants without a current rating.
        take: what each rater has written; empty to take in nothing.
    """

    tasks: Sequence[str] = ()
    sheets: Path | None = None
    unrated: bool = False
    take: Sequence[Path] = ()


def rate(root: Path, console: Console, order: Order) -> int:
    """Writes sheets, takes ratings in, or says what is rated; 0 when it is done.

    Raises:
        UsageError: options that do not go together, or files that are not as they must be.
        ManifestError: the bank, its ratings or the brief are not as they must be.
    """
    if order.sheets and order.take:
        raise UsageError("--sheets and --take are two steps: raters come between them")
    if order.unrated and not order.sheets:
        raise UsageError("--unrated says what is on the sheets: name their folder with --sheets")
    if order.take and order.tasks:
        raise UsageError("--take reads of which tasks the ratings are: name none")
    everything = manifest.load(root / "solutions" / "tasks.toml")
    chosen = tuple(task for task in everything.tasks if not order.tasks or task.id in order.tasks)
    tasks = everything.model_copy(update={"tasks": chosen})
    if order.sheets:
        count = sheets.write(root, tasks, order.sheets, unrated=order.unrated)
        console.print(
            Text(f"{from_here(order.sheets)} has sheets of {count} mutants for each of three raters.")
        )
        console.print(
            "Each does what instructions_<n>.md says, alone. Then: nox -s ratings -- --take FILE FILE FILE"
        )
        return 0
    if order.take:
        found = sheets.take(root, tasks, order.take)
        write_atomically(root / ratings.RATINGS, ratings.as_csv(found))
        console.print(f"{ratings.RATINGS} has them. Say in {sheets.ABOUT} who these raters were.")
    names = [task.id for task in chosen]
    rated = [one for one in ratings.load(root / ratings.RATINGS) if one.task in names]
    unseen = {(task.id, one.name): one for task in chosen for one in bank.unseen(root, task)}
    also = [one for one in ratings.load(root / ratings.UNSEEN) if one.task in names]
    _show(
        console,
        names,
        ratings.beside(rated, sheets.mutants(root, tasks)),
        ratings.beside(also, unseen),
    )
    return 0


def _show(console: Console, tasks: Sequence[str], rated: Rated, also: Rated) -> None:
    table = Table("task", title="Rated", title_justify="left")
    for name in ("mutants", "rated", "raters' mean", "correlation of two", "gap of one from the others"):
        table.add_column(name, justify="right")
    unrated = Counter(task for task, _ in rated.unrated)
    unrated |= {"all": len(rated.unrated), UNSEEN: len(also.unrated)}
    each: Mapping[str, list[Rating]] = {
        task: [one for one in rated.current if one.task == task] for task in tasks
    }
    each = {**each, "all": list(rated.current)}
    if also.current or also.unrated:
        each = {**each, UNSEEN: list(also.current)}
    for name, own in each.items():
        correlation, gap = ratings.among_raters(own)
        mutants = len(own) + unrated[name]
        mean = sum(one.mean for one in own) / len(own) if own else None
        table.add_row(
            escape(name),
            str(mutants),
            str(len(own)),
            "" if mean is None else f"{mean:.0f}",
            "" if correlation is None else f"{correlation:.2f}",
            "" if gap is None else f"{gap:.1f}",
        )
    table.caption = "means and gaps in points of 100"
    console.print(table)
    for kind, some in (("", rated), ("unseen, ", also)):
        lines = [f"○ {kind}{task}: {mutant} has no rating" for task, mutant in some.unrated]
        lines += [
            f"○ {kind}{one.task}: {one.mutant} has changed since it was rated, or is gone"
            for one in some.stale
        ]
        for line in lines:
            console.print(Text(line, style="yellow"), soft_wrap=True)
