"""Writes the tables of docs/marking.md, weights and rules, and of docs/mistakes.md, what each mistake costs.

    python docs/marking.py             the tables, anew
    python docs/marking.py --check     changes nothing; 1 if they are not what the files say

From solutions/marking.toml, reference/proof.json (`nox -s prove -- --train`) and bank/ratings.csv;
of unseen mistakes from the same proof, if it has them, and bank/unseen.csv.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grader.config import manifest  # noqa: E402  the checkout is not installed
from grader.config.manifest import Manifest  # noqa: E402
from grader.proof import bank, ratings  # noqa: E402

WEIGHTS, MISTAKES = ROOT / "docs" / "marking.md", ROOT / "docs" / "mistakes.md"
PROOF = ROOT / "reference" / "proof.json"
MEASURED = ROOT / "reference" / "consequences.json"
BEGIN, END = "<!-- the tables: written by docs/marking.py -->", "<!-- end of the tables -->"


def tables(tasks: Manifest, proof: Mapping[str, Any]) -> dict[Path, str]:
    """The tables of each page, as Markdown."""
    return {
        WEIGHTS: "\n".join([*_worth(tasks), "", *_rules(tasks)]),
        MISTAKES: "\n".join(_mistakes(tasks, proof)),
    }


def _worth(tasks: Manifest) -> Iterator[str]:
    yield "### What tasks and functions are worth"
    yield ""
    yield "| task | points | training | functions |"
    yield "|---|---|---|---|"
    for task in tasks.tasks:
        worth = task.worth
        functions = ", ".join(f"`{name}` {points:g}" for name, points in worth.functions.items())
        yield f"| {task.id} | {worth.points:g} | {worth.training:g} | {functions} |"


def _rules(tasks: Manifest) -> Iterator[str]:
    marking = tasks.marking
    yield "### Rules"
    yield ""
    yield "| rule | level | share | what the mistake does |"
    yield "|---|---|---|---|"
    for level, share in marking.levels.items():
        for rule in (rule for rule in marking.rules if rule.level == level):
            yield f"| `{rule.id}` | {level} | {share:.0%} | {rule.says} |"


def _mistakes(tasks: Manifest, proof: Mapping[str, Any]) -> Iterator[str]:
    rated = {rating.key: rating for rating in ratings.load(ROOT / ratings.RATINGS)}
    for task in tasks.tasks:
        yield f"## {task.title}"
        yield ""
        yield "| mistake | charged: check, rule, points | accuracy | lost | raters |"
        yield "|---|---|---|---|---|"
        for one in (one for one in proof["mutants"] if one["task"] == task.id):
            yield _mistake(one, "what training loses", rated.get((task.id, one["name"])))
        yield ""
    yield from _unseen(tasks, proof)


def _unseen(tasks: Manifest, proof: Mapping[str, Any]) -> Iterator[str]:
    """The table of the unseen mistakes; nothing where the proof is from before there were any."""
    graded = [one for one in proof.get("unseen", ()) if one["task"] in {task.id for task in tasks.tasks}]
    if not graded:
        return
    there = {(task.id, one.name): one for task in tasks.tasks for one in bank.unseen(ROOT, task)}
    current = ratings.beside(ratings.load(ROOT / ratings.UNSEEN), there).current
    rated = {rating.key: rating for rating in current}
    yield "## Unseen mistakes"
    yield ""
    yield "| task | mistake | charged: check, rule, points | accuracy | lost | raters |"
    yield "|---|---|---|---|---|---|"
    for one in graded:
        otherwise = "what training loses" if one["lost"] else "nothing"
        yield f"| {one['task']} {_mistake(one, otherwise, rated.get((one['task'], one['name'])))}"


def _mistake(one: Mapping[str, Any], uncharged: str, rating: ratings.Rating | None) -> str:
    """The row of one mistake; `uncharged` is what stands there if no check charged anything for it."""
    charges = "; ".join(f"{check}, `{rule}`, {points:g}" for check, rule, points in one.get("charges", ()))
    accuracies = _accuracy(one)
    lost = one.get("lost")
    return (
        f"| {one['name']} | {charges or uncharged} | {accuracies or '-'} "
        f"| {'-' if lost is None else f'{100 * lost:.0f}'} "
        f"| {'-' if rating is None else f'{rating.mean:.0f}'} |"
    )


def _accuracy(mutant: Mapping[str, Any]) -> str:
    """What its network reached, in percent: in the proof if that trained it, else as it was measured once."""
    if found := mutant.get("accuracies"):
        return " / ".join(f"{100 * value:.1f}" for value in found.values())
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    once = measured["networks"].get(mutant["task"], {}).get(mutant["name"])
    if mutant["task"] == "preprocessing":
        once = measured["prepared"].get(mutant["name"], {}).get("accuracy")
    return "" if once is None else f"{100 * once:.1f}"


def pages(tasks: Manifest, proof: Mapping[str, Any]) -> dict[Path, str]:
    """Each page with its tables anew."""
    whole = {}
    for path, written in tables(tasks, proof).items():
        before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        whole[path] = f"{before}{BEGIN}\n\n{written}\n\n{END}{after}"
    return whole


def main(arguments: list[str]) -> int:
    """Writes the tables, or compares them."""
    tasks = manifest.load(ROOT / "solutions" / "tasks.toml")
    wanted = pages(tasks, json.loads(PROOF.read_text(encoding="utf-8")))
    stale = [path for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the files say: run python docs/marking.py")
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
