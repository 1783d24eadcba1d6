"""What `nox -s prove` found, for the record: reference/proof.json, and the tables of two pages."""

import json
import re
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from grader.proof import ratings
from grader.proof.outcome import Proved, needs_training
from grader.proof.ratings import Agreement, Compared, Key
from grader.session import versions
from lab.files import write_atomically

PROOF = Path("reference") / "proof.json"
PEERS = Path("docs") / "security.md"  # the same cheats in other tools, from nox -s attack -- --peers
BEGIN, END = "<!-- the proof: written by nox -s prove -->", "<!-- end of the proof -->"
FORMAT = 1


def compare(root: Path, proved: Sequence[Proved], others: Set[str], *, trained: bool) -> Compared:
    """Compares what mutants lose with what raters would take off.

    Args:
        root: the checkout.
        proved: all of the bank but the other tasks.
        others: tasks that were left out.
        trained: whether networks were trained.

    Raises:
        ManifestError: the ratings or the reasons cannot be read.
    """
    mutants = {(one.entry.task.id, one.entry.name): one.entry.mutant for one in proved if one.entry.mutant}
    rated = [one for one in ratings.load(root / ratings.RATINGS) if one.task not in others]
    reasons = ratings.load_reasons(root / ratings.REASONS)
    own: dict[Key, Proved] = {(one.entry.task.id, one.entry.name): one for one in proved if one.entry.mutant}
    return ratings.compare(
        {key: one.lost for key, one in own.items() if one.lost is not None},
        ratings.beside(rated, mutants),
        {key: reason for key, reason in reasons.items() if key[0] not in others},
        trained=trained,
        provisional=frozenset(key for key, one in own.items() if not one.final),
    )


def compare_unseen(root: Path, unseen: Sequence[Proved], others: Set[str], *, trained: bool) -> Compared:
    """Compares what unseen mistakes lose with what raters would take off; the arguments are as of `compare`.

    One in which no check of the structure fails counts as losing nothing, also without trainings: nobody
    has said that only training can tell it. No reasons are wanted for what is far off.

    Raises:
        ManifestError: the ratings cannot be read.
    """
    own = {(one.entry.task.id, one.entry.name): one for one in unseen}
    rated = [one for one in ratings.load(root / ratings.UNSEEN) if one.task not in others]
    return ratings.compare(
        {key: one.lost for key, one in own.items() if one.lost is not None},
        ratings.beside(rated, {key: one.entry.unseen for key, one in own.items() if one.entry.unseen}),
        {},
        trained=trained,
        provisional=frozenset(own),
    )


def agreement(compared: Compared, unseen: Compared) -> dict[str, Any]:
    """What reference/proof.json keeps of both comparisons."""
    return {**ratings.document(compared), "unseen": ratings.document(unseen)}


def document(
    proved: Sequence[Proved], profile: str, *, seed: int, trained: bool, unseen: Sequence[Proved] = ()
) -> dict[str, Any]:
    """reference/proof.json, but for the agreement."""
    return {
        "format": FORMAT,
        "seed": seed,
        "versions": versions(),
        "mutants": [
            {
                "task": one.entry.task.id,
                "name": one.entry.name,
                "check": one.entry.mutant.check,
                "caught_by": list(one.caught_by),
                "hint": one.entry.mutant.hint,
                "result": one.wrong or ("only training can tell" if one.open else "caught"),
                **_mark(one),
            }
            for one in proved
            if one.entry.mutant
        ],
        "right": [
            {"task": one.entry.task.id, "name": one.entry.name, "result": one.wrong or "full marks"}
            for one in proved
            if not one.entry.mutant
        ],
        "unseen": [
            {
                "task": one.entry.task.id,
                "name": one.entry.name,
                "caught_by": list(one.caught_by),
                **_mark(one),
            }
            for one in unseen
        ],
        "training": _training(proved, profile) if trained else None,
    }


def _mark(one: Proved) -> dict[str, Any]:
    """What a mistake lost, for what, and how its network did."""
    return {
        "lost": None if one.lost is None else round(one.lost, 4),
        "charges": [list(charge) for charge in one.charges],
        "accuracies": {labels: round(accuracy, 4) for labels, accuracy in one.accuracies},
    }


def _training(proved: Sequence[Proved], profile: str) -> dict[str, Any]:
    """What the trainings came to: those of right networks, each distinct one once, and those of mutants."""
    right = dict(pair for one in proved if not one.entry.mutant for pair in one.trainings)
    wrong = dict(pair for one in proved if one.entry.mutant for pair in one.trainings)
    only_trained = [one for one in proved if one.entry.mutant and needs_training(one.entry)]
    return {
        "profile": profile,
        "right_trainings": len(right),
        "right_networks": networks(proved),
        "right_failed": sum(not passed for passed in right.values()),
        "mutant_trainings": len(wrong),
        "mutants_that_only_training_can_tell": len(only_trained),
        "caught_by_training": sum(not one.wrong for one in only_trained),
    }


def networks(proved: Sequence[Proved]) -> dict[str, dict[str, int]]:
    """How many different networks the right submissions of a task are trained as, by label set: one, if the
    training form is what it should be.
    """
    found: dict[str, dict[str, set[str]]] = {}
    for one in proved:
        for labels, digest in one.networks if one.entry.mutant is None else ():
            found.setdefault(one.entry.task.id, {}).setdefault(labels, set()).add(digest)
    return {task: {labels: len(digests) for labels, digests in of.items()} for task, of in found.items()}


def front(root: Path, found: Mapping[str, Any]) -> str:
    """The table of README.md, as Markdown: how often this kit is wrong, beside what other tools can say."""
    decided = [one for one in found["mutants"] if one["result"] != "only training can tell"]
    passed = sum(one["result"] != "caught" for one in decided)
    failed = sum(one["result"] != "full marks" for one in found["right"])
    names, gained, tried = cheats((root / PEERS).read_text(encoding="utf-8"))
    lines = [
        f"| | {' | '.join(reversed(names))} |",
        f"|{'---|' * (len(names) + 1)}",
        f"| wrong code that passes | {passed} of {len(decided)} | not known | not known |",
        f"| right code that loses a point | {failed} of {len(found['right'])} | not known | not known |",
        f"| cheats that gain marks, of {tried} | {' | '.join(map(str, reversed(gained)))} |",
    ]
    return "\n".join(lines)


def cheats(text: str) -> tuple[list[str], list[int], int]:
    """The table that compares the tools under attack: their names, how many cheats gain marks, of how many.

    Args:
        text: of docs/security.md. Cells are such as "2 of 2"; one without points ("no marks") gains none.
    """
    rows = re.search(r"^\| cheat \|(.*)\|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.M)
    assert rows, f"{PEERS} has no table of cheats"
    names = [name.strip() for name in rows[1].split("|")]
    tried = [line.split("|")[2:-1] for line in rows[2].splitlines() if not line.startswith("| (")]
    gained = [0] * len(names)
    for cells in tried:
        for place, cell in enumerate(cells):
            points = re.match(r" *([\d.]+) of", cell)
            gained[place] += bool(points and float(points[1]))
    return names, gained, len(tried)


def tables(found: Mapping[str, Any]) -> str:
    """The tables of docs/proof.md, as Markdown."""
    tasks = list(dict.fromkeys(one["task"] for one in found["right"]))
    lines = ["| task | mutants caught | right code with full marks |", "|---|---|---|"]
    for task in [*tasks, ""]:
        mutants = [one for one in found["mutants"] if task in ("", one["task"])]
        right = [one for one in found["right"] if task in ("", one["task"])]
        decided = [one for one in mutants if one["result"] != "only training can tell"]
        sums = [sum(one["result"] == "caught" for one in decided), len(decided)]
        sums += [sum(one["result"] == "full marks" for one in right), len(right)]
        lines.append(f"| {task or 'all'} | {sums[0]} of {sums[1]} | {sums[2]} of {sums[3]} |")
    left = sum(one["result"] == "only training can tell" for one in found["mutants"])
    words = (
        f"{left} more mutants pass every check of the structure: only training can tell them." if left else ""
    )
    training = found["training"]
    if training:
        only, caught = training["mutants_that_only_training_can_tell"], training["caught_by_training"]
        words = (
            f"Trained under the profile `{training['profile']}`: {caught} of {only} mutants that only "
            f"training can tell were caught; of {training['right_trainings']} trainings of right networks, "
            f"{training['right_failed']} decided against one."
        )
    return "\n".join([*lines, "", words, *_agreement(found.get("agreement") or {})]).strip()


def _agreement(found: Mapping[str, Any]) -> list[str]:
    """How far marks agree with raters, as lines of Markdown; none where nothing was compared."""
    one = found.get(kept_as(True)) or found.get(kept_as(False))
    if not one or not one["overall"]["rated"]:
        return []
    how = "" if one["trained"] else ", without trainings"
    lines = [
        "",
        f"What a mutant loses{how}, beside what three raters would take off who saw its mistake and no "
        "points ([bank/ratings.md](../bank/ratings.md)); gaps are in points of 100:",
        "",
        "| task | mutants compared | rank correlation | mean gap | among raters: correlation | gap |",
        "|---|---|---|---|---|---|",
    ]
    rows = {**one["tasks"], "all": one["overall"]}
    unseen = one.get("unseen") or {"mutants": 0}
    if unseen["mutants"]:
        rows[unseen_row(unseen["mutants"])] = unseen["overall"]
    lines += [f"| {' | '.join([name, *figures_of(Agreement(**row))])} |" for name, row in rows.items()]
    off = len(one["off"])
    kind = "the mutants" if unseen["mutants"] else "them"
    lines += ["", f"{off or 'None'} of {kind} {'are' if off != 1 else 'is'} more than {ratings.FAR} off."]
    if unseen["mutants"]:
        far = "; ".join(f"{each['task']}, {each['mutant']}" for each in unseen["off"])
        lines += [
            "",
            "Unseen mistakes were written and rated by those who knew neither points nor grader, after "
            "weights and rules had been set; [bank/ratings.md](../bank/ratings.md) has what they and earlier "
            "ones were first graded at. "
            f"More than {ratings.FAR} off: {far or 'none'}.",
        ]
    return lines


def unseen_row(count: int) -> str:
    """What the row of the unseen mistakes is called."""
    return f"unseen mistakes ({count})"


def figures_of(one: Agreement) -> list[str]:
    """An agreement's columns, in words."""
    return [
        str(one.rated),
        *(
            "" if value is None else f"{value:.{digits}f}"
            for value, digits in (
                (one.correlation, 2),
                (one.gap, 1),
                (one.raters_correlation, 2),
                (one.raters_gap, 1),
            )
        ),
    ]


def kept_as(trained: bool) -> str:
    """Under which name an agreement is kept in reference/proof.json."""
    return "trained" if trained else "without_training"


def write_pages(root: Path, found: Mapping[str, Any]) -> None:
    """Writes the tables into README.md and docs/proof.md, where these have a place for them."""
    for name, written in (("README.md", front(root, found)), ("docs/proof.md", tables(found))):
        path = root / name
        text = path.read_text(encoding="utf-8")
        if BEGIN in text and END in text:
            before, rest = text.split(BEGIN, 1)
            after = rest.split(END, 1)[1]
            write_atomically(path, f"{before}{BEGIN}\n{written}\n{END}{after}")


def found_last(root: Path) -> dict[str, Any]:
    """What was found last: trainings take an hour or two, and what they say stands until the next ones."""
    try:
        found = json.loads((root / PROOF).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
