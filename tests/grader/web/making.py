"""A class for the tests of its pages: marked by the course's own rules, with names that are hard to show.

PYTHONPATH=. python -m tests.grader.web.making FOLDER 500      a class of 500
"""

import random
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from grader import gradebook, thresholds
from grader.gradebook import StudentId, Writer, derive
from grader.grading import marking
from grader.proof import bank
from grader.results.record import Drawing, DrawnRow, Run, SubmissionResult, TaskResult
from grader.results.verdict import Verdict
from tests.grader.gradebook.making import RUN, TASKS, begin, handed_in, key, let_down

ROOT = Path(__file__).resolve().parents[3]
CPU = RUN.model_copy(update={"profile": "cpu", "data": "CIFAR-100", "provisional_because": ""})
HOSTILE = {
    "s-101": '<script>alert("x")</script>',
    "s-102": '"Quoted" O\'Brien & Söhne',
    "s-103": "\u202eגבריאל ben-דוד\u202c",
    "s-104": "Zoë 🦊👩‍🔬 Ångström",
    "s-105": "Line\nbreak\r\nin a name",
    "s-106": "=HYPERLINK('x')",
    "s-107": "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine Maximilian",
}
NAMES = ("Ada", "Bela", "Chen", "Dara", "Emeka", "Fatma", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena")
FAMILY = ("Abara", "Brandt", "Costa", "Dubois", "Eriksen", "Farkas", "Greco", "Haddad", "Ito", "Jensen")
MISTAKES = (
    ("preprocessing:split.seeded", "split_indices(100, 0.2, 3) returned two different splits; expected one.",
     "Use the generator that the seed makes, np.random.default_rng(seed), and no other."),
    ("preprocessing:split.seeded", "split_indices(7, 0.5, 1): the same indices for seeds 1 and 2.",
     "The seed is not used: hand it to the generator."),
    ("alexnet:pooling", "build_alexnet(20): 2 pooling layers; expected 3 (alexnet.py, line 41).",
     "The brief has a pooling layer after the first, the second and the last convolution."),
    ("evaluation:confusion", "confusion_matrix([0, 1], [1, 1], 2) = [[0, 0], [1, 1]].",
     "Rows are the true classes: the two arguments are exchanged."),
)  # fmt: skip
DRAWING = Drawing(
    title="build_alexnet(classes=20, width=0.25)",
    rows=(
        *(
            DrawnRow(found=step, wanted=step, differs=False)
            for step in ("a 5x5 convolution with 24 filters", "batch normalisation", "ReLU")
        ),
        DrawnRow(found="", wanted="2x2 max pooling with stride 2", differs=True),
    ),
    cut=(False, True),
)  # fmt: skip


@cache
def known() -> Mapping[tuple[str, str], dict[str, Any]]:
    """What a right network's check has, of the reference runs of profile cpu, by task and label set."""
    found = {}
    for (task, labels), run in thresholds.load_runs(ROOT / "reference" / "cpu").graded().items():
        result = run.result
        found[task, labels] = {
            "accuracy": result.accuracy,
            "accuracies": [result.accuracy],
            "seeds": [result.seed],
            "trainings": [result.digest],
            "decided_by": "a run of the reference network",
            "known": True,
            "threshold": round(0.9 * result.accuracy, 4),
            "chance": 0.05 if labels == "coarse" else 0.01,
            "label_set": labels,
            "prepared": "",
            "blueprint": run.blueprint,
            "parameters": result.parameters,
            "training": result.digest,
            "train_accuracy": list(result.train_accuracy),
            "backend": result.backend,
            "machine": result.machine,
        }
    return found


def result(
    name: str, *, wrong: Mapping[str, tuple[str, str]] | None = None, run: Run = CPU, seconds: float = 9.0
) -> SubmissionResult:
    """A submission that is right but for some checks, `task:check`, each with its message and hint."""
    wrong, tasks = wrong or {}, []
    for task in TASKS.tasks:
        verdicts = {}
        for check in task.checks:
            data = known().get((task.id, check.labels), {}) if check.train else {}
            message, hint = wrong.get(f"{task.id}:{check.id}", ("", ""))
            verdict = Verdict.failed(message, hint=hint or None) if message else Verdict.passed(**data)
            if message and check.id == "pooling":
                verdict = verdict.model_copy(update={"drawing": DRAWING})
            verdicts[check.id] = verdict
        lines = marking.mark(task, verdicts, TASKS)
        tasks.append(TaskResult(task=task.id, title=task.title, checks=lines, seconds=seconds / 5))
    return SubmissionResult(name=name, run=run, tasks=tuple(tasks), seconds=seconds)


def checks() -> list[str]:
    """All `task:check` but those that train."""
    return [f"{task.id}:{check.id}" for task in TASKS.tasks for check in task.checks if not check.train]


def some_wrong(rng: random.Random) -> dict[str, tuple[str, str]]:
    """Some checks of the course's that fail, the more common mistakes more often."""
    ids = set(checks())
    wrong = {one: (message, hint) for one, message, hint in MISTAKES if one in ids and rng.random() < 0.25}
    for one in rng.sample(sorted(ids), rng.choice((0, 0, 0, 1, 1, 2, 4, 9))):
        wrong.setdefault(one, (f"{one.partition(':')[2]}: what came back is not what was expected.", ""))
    return wrong


def students(count: int, *, hostile: bool = True) -> list[StudentId]:
    """So many, those of HOSTILE first if they are wanted."""
    named = HOSTILE if hostile else {}
    found = [StudentId(key=key, name=name, section="Tue & Thu") for key, name in named.items()]
    for number in range(len(found), count):
        name = f"{NAMES[number % len(NAMES)]} {FAMILY[number // len(NAMES) % len(FAMILY)]}"
        suffix = f" {number // 120 + 1}" if number >= 120 else ""
        found.append(StudentId(key=f"s-{101 + number}", name=name + suffix, section=f"Sec {number % 3 + 1}"))
    return found[:count]


def a_class(out: Path, count: int, *, sources: bool = True, hostile: bool = True) -> list[StudentId]:
    """Makes a gradebook of so many students in a folder of results, with some of everything.

    The last one handed in nothing that could be read; of the one before the machine failed; the third last
    was graded twice; two handed in the same files; one mark was changed by hand.
    """
    rng, everybody = random.Random(5), students(count, hostile=hostile)
    right = [one for one in bank.entries(ROOT, TASKS) if isinstance(one.source, Path)]
    with gradebook.write(out, command="tests") as book:
        run = begin(book, about=CPU, command="nox -s grade -- class/ --profile cpu", seed=7)
        for number, who in enumerate(everybody[:-2]):
            files = f"{number if number != 9 else 8:064x}"
            wrong = some_wrong(rng) if number else {}
            seconds = 8 + 4 * rng.random() + (60 if number == 11 else 0)
            book.submitted(
                run,
                [handed_in(who.key, files, who=who, handed_in=datetime(2026, 11, 20, 17, 5, tzinfo=UTC),
                           late=number % 17 == 3, source=f"/srv/class/{who.key}")],
            )  # fmt: skip
            book.marked(
                run, who.key, attempt=1, key=key(files), result=result(who.key, wrong=wrong, seconds=seconds)
            )
            if sources:
                _keep(out / who.key, right[(number if number != 9 else 8) % len(right)])
        _last_ones(book, run, everybody)
        book.end_run(run, "finished")
        book.override(everybody[1].key, "alexnet", 25.0, who="prof", why="Shown in the lab that it runs")
        derive.everything(book, out)
    return everybody


def _last_ones(book: Writer, run: str, everybody: list[StudentId]) -> None:
    down, unread = everybody[-2:]
    book.submitted(run, [handed_in(down.key, "d1", who=down)])
    rar = "RAR archive in /srv/class/x/work.rar: ask for a zip"
    book.submitted(run, [handed_in(unread.key, "", who=unread, problem=rar)])
    book.failed(
        run,
        down.key,
        attempt=1,
        files="d1",
        message="no memory",
        result=let_down(down.key).model_copy(update={"run": CPU}),
    )
    again = everybody[-3]
    book.submitted(run, [handed_in(again.key, "a" * 64, who=again, attempt=2)])
    book.marked(run, again.key, attempt=2, key=key("a" * 64), result=result(again.key))


def _keep(folder: Path, entry: bank.Entry) -> None:
    """The files as they were graded: one of the bank's right ones."""
    kept = folder / "submission"
    kept.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        bank.write(ROOT, entry, Path(scratch))
        for path in Path(scratch).glob("*.py"):
            (kept / path.name).write_bytes(path.read_bytes())


if __name__ == "__main__":
    a_class(Path(sys.argv[1]), int(sys.argv[2]))
