"""`nox -s runs`: a student's trainings, and what is different between them."""

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.errors import UsageError
from grader.paths import from_here
from grader.practice import run_page
from grader.practice.experiments import PAGE, Experiments, differences
from lab.files import write_atomically

RUNS = Path(".kit") / "runs"
MOST = 4  # that are compared


def runs(root: Path, console: Console, *, names: Sequence[str]) -> int:
    """Lists all trainings, or compares some of them.

    Raises:
        UsageError: there is no such run, or more are named than can be compared.
    """
    experiments = Experiments(root / RUNS)
    if len(names) > MOST:
        raise UsageError(
            f"{len(names)} runs were named", fix=f"at most {MOST} runs can be compared at a time"
        )
    chosen = [experiments.find(name) for name in dict.fromkeys(names)] if names else experiments.all()
    if not chosen:
        console.print("No run yet. Train your first: nox -s train -- alexnet --labels coarse")
        return 0
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("run", "accuracy", "epochs", "network", "data", "when"):
        table.add_column(name, justify="right" if name in ("accuracy", "epochs") else "left", overflow="fold")
    for one in chosen:
        epochs = f"{one.epochs} of {one.recipe.epochs}, stopped" if one.stopped else str(one.epochs)
        when = one.when[:16].replace("T", " ")
        table.add_row(one.id, f"{one.accuracy:.1%}", epochs, one.trained[:8], one.data, when)
    console.print(table)
    console.print(Text("Accuracy: of the validation images, after the last epoch.", style="bright_black"))
    if len(names) == 1:
        console.print(Text(f"Page: {from_here(root / RUNS / chosen[0].id / PAGE)}"))
    elif len(names) > 1:
        found = differences(chosen)
        console.print(
            Text("\nWhat differs:" if found else "\nThe runs differ only in their time.", style="bold")
        )
        for name, values in found.items():
            shown = "; ".join(f"run {one.number}: {value}" for one, value in zip(chosen, values, strict=True))
            console.print(Text(f"  {name}: {shown}"))
        gap = 100 * (chosen[1].accuracy - chosen[0].accuracy)
        if len(chosen) == 2:
            console.print(Text(f"Run {chosen[1].number} is {gap:+.1f} points from run {chosen[0].number}."))
        picture = root / RUNS / f"compared-{'-'.join(str(one.number) for one in chosen)}.svg"
        write_atomically(picture, run_page.curves(chosen))
        console.print(Text(f"Curves: {from_here(picture)}"))
    return 0
