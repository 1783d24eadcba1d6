"""`nox -s prove`: the grader graded. Every submission of the bank, and whether it got what it deserves.

A mutant must be caught by the check it names, before any other, with a message that says what is wrong and a
hint that says what to do. A right one must have full marks. With `train` both are trained as well: mutants
that pass every check of the structure must fail to learn, and right networks must not.
What mutants lose is compared with what raters would take off (ratings.py), and so is what unseen mistakes
lose: of those nothing else is expected, and no mark of theirs makes the grader wrong.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from grader import sandbox
from grader.config import manifest, profiles
from grader.config.manifest import Manifest, Task
from grader.errors import UsageError
from grader.exporters.terminal import number
from grader.grading import run
from grader.grading.intake import Source
from grader.grading.plan import Plan
from grader.proof import bank, ratings
from grader.proof.bank import Entry, Mutant
from grader.proof.ratings import Agreement, Compared, Key
from grader.results import hints
from grader.results.record import WHOLE, CheckResult, Status, SubmissionResult, TaskResult
from grader.session import Session, versions
from grader.training import progress
from lab.files import write_atomically

PROOF = Path("reference") / "proof.json"
BEGIN, END = "<!-- the proof: written by nox -s prove -->", "<!-- end of the proof -->"
FORMAT = 1
# Whether a mark that is far from what raters say, without a written reason, makes the grader wrong.
REASONS_ARE_WANTED = False


@dataclass(frozen=True)
class Order:
    """What is asked for on the command line.

    Attributes:
        tasks: only these; empty for all.
        train: whether to train all networks that can be trained.
        profile: what is trained as; None for the best that the data here allow.
        engine: its name, or `auto`.
        seed: of the probe inputs.
        workers: probes and trainings at a time.
    """

    tasks: Sequence[str] = ()
    train: bool = False
    profile: str | None = None
    engine: str = "auto"
    seed: int = 1
    workers: int = 2


@dataclass(frozen=True)
class Proved:
    """What came of one submission of the bank.

    Attributes:
        entry: which.
        wrong: in which way it did not get what it deserves; empty if it did. Of an unseen mistake: why it
            has no mark.
        caught_by: the checks that failed, the first one first.
        hint: what the student is shown.
        open: nothing was shown yet: it passes every check of the structure, and was not trained.
        trainings: digests of the trainings that decided, with whether the check passed.
        networks: for each label set that was trained on, the digest of the training that decided: that of
            submissions with the same training form is the same.
        lost: the share of its task's points that a mutant or an unseen mistake loses, 0 to 1; None for a
            right one, and for one that has no mark.
        final: whether that is all it loses: no check of its task was left out.
        charges: what its mistake was charged with: check, rule and points of each.
        accuracies: of its network, by label set; "prepared" for what was trained on what `prepare` returned.
    """

    entry: Entry
    wrong: str
    caught_by: tuple[str, ...] = ()
    hint: str = ""
    open: bool = False
    trainings: tuple[tuple[str, bool], ...] = ()
    networks: tuple[tuple[str, str], ...] = ()
    lost: float | None = None
    final: bool = True
    charges: tuple[tuple[str, str, float], ...] = ()
    accuracies: tuple[tuple[str, float], ...] = ()


def prove(root: Path, console: Console, order: Order) -> int:
    """Grades the bank and says how the grader did; 0 if it was right about everything, else 1.

    Raises:
        UsageError: a task, profile or engine that cannot be used.
        ManifestError: a mutant no longer applies.
        DataError: the profile needs data that are not here.
    """
    session = Session(
        root,
        profile=order.profile,
        engine=order.engine,
        own_code=True,
        workers=order.workers,
        course="solutions",
    )
    tasks = _chosen(session.manifest, order.tasks)
    entries = bank.entries(root, tasks, with_unseen=True)
    profile, engine = session.profile, session.engine
    _announce(console, entries, profile if order.train else None, engine.name, order.seed)
    about = session.run(order.seed) if order.train else session.run_without_training(order.seed)
    if order.train:
        _ = session.executor  # mutants will be trained: what is missing for that is an error now
    display = progress.Display(console, len(entries) * len(tasks.tasks))
    with (
        tempfile.TemporaryDirectory(prefix="kit-bank-") as folder,
        sandbox.interruptible(),
        display,
        ExitStack() as opened,
    ):
        sources = []
        for entry in entries:
            place_of = Path(folder, entry.folder)
            place_of.mkdir()
            bank.write(root, entry, place_of)
            sources.append(Source(entry.folder, place_of))
        plan = Plan(tasks, profile, engine, about, None, session.slots, display.probed, probes=session.probes)
        if order.train:
            pool = opened.enter_context(session.pool(display))
            plan = replace(plan, training=session.training(pool, display))
        results = {result.name: result for result in run.grade(sources, plan)}
        judged = [judge(entry, results[entry.folder], trained=order.train) for entry in entries]
    proved = [one for one in judged if not one.entry.unseen]
    unseen = [one for one in judged if one.entry.unseen]
    uncovered = bank.uncovered(tasks, entries)
    others = {task.id for task in session.manifest.tasks} - {task.id for task in tasks.tasks}
    compared = compare(root, proved, others, trained=order.train)
    apart = compare_unseen(root, unseen, others, trained=order.train)
    _show(console, proved, uncovered)
    _show_agreement(console, compared, apart, [one for one in unseen if one.wrong])
    right = not uncovered and not any(one.wrong for one in proved)
    right = right and not (REASONS_ARE_WANTED and compared.wrong)
    if order.tasks:
        console.print(f"{PROOF} is left as it is: it is about all tasks.", style="dim")
    else:
        found = document(proved, order, profile.name, unseen)
        found["agreement"] = {_kind(order.train): agreement(compared, apart)}
        if not order.train:
            earlier = _earlier(root)
            found["training"] = earlier.get("training")
            found["agreement"] |= {_kind(True): (earlier.get("agreement") or {}).get(_kind(True))}
        write_atomically(root / PROOF, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        _write_readme(root, found)
        console.print(f"{PROOF} and the table in README.md have it.")
    return 0 if right else 1


def judge(entry: Entry, result: SubmissionResult, *, trained: bool) -> Proved:
    """Compares what a submission of the bank got with what it deserves."""
    if result.problem:
        return Proved(entry, f"was not taken in: {result.problem}")
    (task,) = (one for one in result.tasks if one.task == entry.task.id)
    if faults := [check for check in task.checks if check.status is Status.FAULT]:
        return Proved(entry, f"was not graded: {faults[0].message}")
    failed = [one for one in task.checks if one.status is Status.FAILED and one.check != WHOLE]
    trains = {check.id for check in entry.task.checks if check.train}
    trainings = tuple(
        (str(digest), check.status is Status.PASSED)
        for check in task.checks
        for digest in check.data.get("trainings", ())
    )
    networks = tuple(
        (check.data["label_set"], check.data["training"])
        for check in task.checks
        if "label_set" in check.data
    )
    seen = tuple(check.check for check in failed)
    share, final = share_lost(task, entry.task)
    marked = Proved(
        entry,
        "",
        seen,
        trainings=trainings,
        networks=networks,
        lost=share,
        final=final,
        charges=tuple((check.check, check.rule, check.deduction) for check in failed if check.deduction),
        accuracies=tuple(
            ("prepared" if check.data.get("prepared") else check.data["label_set"], check.data["accuracy"])
            for check in task.checks
            if "accuracy" in check.data
        ),
    )
    if entry.unseen:
        return marked
    if entry.mutant is None:
        lost = [check for check in task.checks if check.status is not Status.PASSED]
        wrong = f"lost points: {lost[0].check}: {lost[0].message}" if lost else ""
        return Proved(entry, wrong, seen, trainings=trainings, networks=networks)
    mutant, structure = entry.mutant, [check for check in failed if check.check not in trains]
    only_trained = _only_trained(entry)
    if only_trained and not trained and not structure:
        return Proved(entry, "", open=True, final=False)
    hint = hints.to_show(failed[0]) if failed else ""
    wrong = _wrong(mutant, failed if only_trained else structure, trains if not only_trained else set())
    return replace(marked, wrong=wrong, hint=hint)


def share_lost(result: TaskResult, task: Task) -> tuple[float, bool]:
    """The share of a task's points that a submission loses, 0 to 1, and whether all its checks were decided.

    Without trainings that is what the decided checks take: what a training would add is left out.
    """
    decided = {check.check for check in result.checks}
    whole = all(check.id in decided for check in task.checks)
    return (result.max_points - result.points) / task.points, whole


def _wrong(mutant: Mutant, failed: Sequence[CheckResult], left_out: set[str]) -> str:
    """In which way a mutant was not caught as it must be; empty if it was."""
    if not failed:
        return "survived: no check failed"
    first = failed[0]
    if first.check != mutant.check:
        return f"was caught by {first.check} and not by {mutant.check}: {first.message}"
    if mutant.says not in first.message:
        return f"does not say {mutant.says!r}: {first.message}"
    hint = hints.to_show(first)
    if mutant.hint not in f"{first.message} {hint}":
        return f"has not the hint {mutant.hint!r}: {hint}"
    also = {check for check in mutant.also if check not in left_out}
    others = {check.check for check in failed[1:]}
    if others != also:
        extra, lacking = ", ".join(sorted(others - also)), ", ".join(sorted(also - others))
        return f"fails other checks than it says: too many: {extra or 'none'}; missing: {lacking or 'none'}"
    return ""


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
    proved: Sequence[Proved], order: Order, profile: str, unseen: Sequence[Proved] = ()
) -> dict[str, Any]:
    """reference/proof.json, but for the agreement."""
    return {
        "format": FORMAT,
        "seed": order.seed,
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
        "training": _training(proved, profile) if order.train else None,
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
    only_trained = [one for one in proved if one.entry.mutant and _only_trained(one.entry)]
    return {
        "profile": profile,
        "right_trainings": len(right),
        "right_networks": _networks(proved),
        "right_failed": sum(not passed for passed in right.values()),
        "mutant_trainings": len(wrong),
        "mutants_that_only_training_can_tell": len(only_trained),
        "caught_by_training": sum(not one.wrong for one in only_trained),
    }


def _networks(proved: Sequence[Proved]) -> dict[str, dict[str, int]]:
    """How many different networks the right submissions of a task are trained as, by label set: one, if the
    training form is what it should be.
    """
    found: dict[str, dict[str, set[str]]] = {}
    for one in proved:
        for labels, digest in one.networks if one.entry.mutant is None else ():
            found.setdefault(one.entry.task.id, {}).setdefault(labels, set()).add(digest)
    return {task: {labels: len(digests) for labels, digests in of.items()} for task, of in found.items()}


def readme(found: Mapping[str, Any]) -> str:
    """The table of the README, as Markdown."""
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
    return "\n".join([*lines, "", words, *_readme_agreement(found.get("agreement") or {})]).strip()


def _readme_agreement(found: Mapping[str, Any]) -> list[str]:
    """How far marks agree with raters, as lines of Markdown; none where nothing was compared."""
    one = found.get(_kind(True)) or found.get(_kind(False))
    if not one or not one["overall"]["rated"]:
        return []
    how = "" if one["trained"] else ", without trainings"
    lines = [
        "",
        f"What a mutant loses{how}, beside what three raters would take off who saw its mistake and no "
        "points ([bank/ratings.md](bank/ratings.md)); gaps are in points of 100:",
        "",
        "| task | mutants compared | rank correlation | mean gap | among raters: correlation | gap |",
        "|---|---|---|---|---|---|",
    ]
    rows = {**one["tasks"], "all": one["overall"]}
    unseen = one.get("unseen") or {"mutants": 0}
    if unseen["mutants"]:
        rows[_unseen(unseen["mutants"])] = unseen["overall"]
    lines += [f"| {' | '.join([name, *_figures(Agreement(**row))])} |" for name, row in rows.items()]
    off = len(one["off"])
    kind = "the mutants" if unseen["mutants"] else "them"
    lines += ["", f"{off or 'None'} of {kind} {'are' if off != 1 else 'is'} more than {ratings.FAR} off."]
    if unseen["mutants"]:
        far = "; ".join(f"{each['task']}, {each['mutant']}" for each in unseen["off"])
        lines += [
            "",
            "Unseen mistakes were written and rated by those who knew neither points nor grader, after "
            "weights had been set. General faults of the grader that their first grading showed have been "
            "fixed since: [bank/ratings.md](bank/ratings.md) has the figures from before. "
            f"More than {ratings.FAR} off: {far or 'none'}.",
        ]
    return lines


def _unseen(count: int) -> str:
    """What the row of the unseen mistakes is called."""
    return f"unseen mistakes ({count})"


def _figures(one: Agreement) -> list[str]:
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


def _kind(trained: bool) -> str:
    """Under which name an agreement is kept in reference/proof.json."""
    return "trained" if trained else "without_training"


def _only_trained(entry: Entry) -> bool:
    """Whether a submission is a mutant that passes every check but those that a training decides."""
    trains = {check.id for check in entry.task.checks if check.train}
    return bool(entry.mutant and entry.mutant.check in trains)


def _write_readme(root: Path, found: Mapping[str, Any]) -> None:
    path = root / "README.md"
    text = path.read_text(encoding="utf-8")
    if BEGIN in text and END in text:
        before, rest = text.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        write_atomically(path, f"{before}{BEGIN}\n{readme(found)}\n{END}{after}")


def _earlier(root: Path) -> dict[str, Any]:
    """What was found last: trainings take an hour or two, and what they say stands until the next ones."""
    try:
        found = json.loads((root / PROOF).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _chosen(everything: Manifest, names: Sequence[str]) -> Manifest:
    if not names:
        return everything
    unknown = [name for name in names if name not in {task.id for task in everything.tasks}]
    if unknown:
        known = ", ".join(task.id for task in everything.tasks)
        raise UsageError(f"there is no task {unknown[0]!r}", fix=f"The tasks are: {known}")
    return everything.model_copy(
        update={"tasks": tuple(task for task in everything.tasks if task.id in names)}
    )


# ---------------------------------------------------------------- what is shown


def _announce(
    console: Console, entries: Sequence[Entry], profile: profiles.Profile | None, engine: str, seed: int
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


def _show(
    console: Console, proved: Sequence[Proved], uncovered: Sequence[tuple[Task, manifest.Check]]
) -> None:
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
            for task, of in _networks(proved).items()
        )
        table.caption = (
            f"right networks failed: {number(failed)} of {len(pairs)} trainings; different ones: {each}"
        )
    return table


def _show_agreement(
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
        table.add_row(escape(name), *_figures(one), last)
    if unseen.mutants:
        table.add_row(_unseen(unseen.mutants), *_figures(unseen.overall), str(len(unseen.off) or ""))
    table.caption = "; ".join([*_left_out(compared), *_left_out_unseen(unseen)])
    console.print(table)
    for kind, far in (*(("", one) for one in compared.off), *(("unseen, ", one) for one in unseen.off)):
        each = ", ".join(f"{share:g}" for share in far.rated)
        line = Text(f"○ {kind}{far.task}: {far.mutant} ", style="yellow")
        line.append(f"loses {far.lost:.0f} in 100, raters say {far.mean:.0f} ({each})", style="default")
        console.print(line.append(f" · {far.reason}" if far.reason else "", style="dim"), soft_wrap=True)
    for sentence in compared.wrong if REASONS_ARE_WANTED else ():
        console.print(Text(f"✘ {sentence}", style="red"), soft_wrap=True)


def _left_out(compared: Compared) -> Iterable[str]:
    """What the figures are not of, and what they are in."""
    yield "gaps in points of 100"
    if compared.left_out:
        yield f"{compared.left_out} rated mutants have no mark: only training can tell"
    if compared.unrated:
        yield f"{len(compared.unrated)} mutants have no rating: nox -s ratings -- --sheets FOLDER --unrated"
    if compared.stale:
        yield f"{len(compared.stale)} ratings are of what has changed since or is gone"


def _left_out_unseen(unseen: Compared) -> Iterable[str]:
    """The same of the unseen mistakes."""
    if unseen.left_out:
        yield f"{unseen.left_out} unseen mistakes have no mark"
    if unseen.unrated:
        yield f"{len(unseen.unrated)} unseen mistakes have no rating"
    if unseen.stale:
        yield f"{len(unseen.stale)} ratings of unseen mistakes are of what has changed since or is gone"
