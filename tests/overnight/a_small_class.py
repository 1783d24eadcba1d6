"""A class that is graded within a minute or two, for kills: most students hand in two tasks, which are right.

    kinds = write(folder, students=9)
    kinds["student3"]       # "right"

One made a mistake, one built a network that has to be trained, one copied, one handed in no code.
"""

from pathlib import Path

from grader.config import manifest
from grader.proof import bank

ROOT = Path(__file__).parents[2]
TASKS = ("preprocessing", "evaluation")
NETWORK = "dense layers that start from zeros"  # of the AlexNet: it learns nothing, and is not known


def write(folder: Path, *, students: int) -> dict[str, str]:
    """Writes the class, the same each time; four students at least. Returns the kind of each, by name."""
    tasks = manifest.load(ROOT / "solutions" / "tasks.toml")
    everything = bank.entries(ROOT, tasks)
    right = {name: [one for one in everything if one.task.id == name and not one.mutant] for name in TASKS}
    mistakes = [one for one in everything if one.task.id == "evaluation" and one.mutant]
    (network,) = (one for one in everything if one.task.id == "alexnet" and one.name == NETWORK)
    kinds = ["right"] * (students - 4) + ["wrong"] + ["copy"] + ["empty"]
    kinds.insert(students // 3, "network")  # others wait for a place behind its trainings
    for number, kind in enumerate(kinds):
        own = folder / f"student{number}"
        own.mkdir(parents=True)
        if kind == "empty":
            (own / "report.txt").write_text("I was ill.\n", encoding="utf-8")
            continue
        style = 0 if kind == "copy" else number
        for entries in right.values():
            bank.write(ROOT, entries[style % len(entries)], own)
        if kind == "wrong":
            bank.write(ROOT, mistakes[0], own)
        elif kind == "network":
            bank.write(ROOT, network, own)
        for path in own.rglob("*.py"):  # no probe of one is known from another's, but the copy's
            path.write_text(path.read_text(encoding="utf-8") + f"\n# of student {style}\n", encoding="utf-8")
    return {f"student{number}": kind for number, kind in enumerate(kinds)}
