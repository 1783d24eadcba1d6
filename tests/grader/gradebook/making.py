"""Results and classes for the tests of the gradebook: marked by the course's own manifest and rules."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.config import manifest
from grader.gradebook import ContentKey, StudentId, Submitted, Writer
from grader.grading import marking
from grader.results.record import Run, Status, SubmissionResult, TaskResult
from grader.results.verdict import Verdict

ROOT = Path(__file__).resolve().parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
RUN = Run(
    profile="offline",
    data="the embedded set",
    data_pin="5" * 32,
    provisional_because="drawn images",
    engine="bubblewrap",
    seed=7,
    versions={"python": "3.11"},
)
TRAINED = {
    "accuracy": 0.412,
    "accuracies": [0.405, 0.412, 0.43],
    "seeds": [11, 12, 13],
    "trainings": ["3fa2" * 16, "77bc" * 16, "0aa1" * 16],
    "decided_by": "the median of three trainings",
    "known": False,
    "threshold": 0.35,
    "machine": "Linux x86_64",
    "training": "77bc" * 16,
}


def result(name: str, *, wrong: Mapping[str, str] | None = None, seed: int = 7) -> SubmissionResult:
    """A submission that is right but for some checks, `task:check`, each with the message of its failure."""
    wrong = wrong or {}
    tasks = []
    for task in TASKS.tasks:
        verdicts = {}
        for check in task.checks:
            data: dict[str, Any] = TRAINED if check.train else {}
            message = wrong.get(f"{task.id}:{check.id}")
            verdicts[check.id] = Verdict.failed(message) if message else Verdict.passed(**data)
        lines = marking.mark(task, verdicts, TASKS)
        tasks.append(TaskResult(task=task.id, title=task.title, checks=lines, seconds=1.5))
    run = RUN.model_copy(update={"seed": seed})
    return SubmissionResult(name=name, run=run, tasks=tuple(tasks), seconds=9.0)


WRONG = {
    "preprocessing:split.seeded": "split_indices(100, 0.2, 3) returned two different splits; expected one."
}
WORSE = {**WRONG, "alexnet:pooling": "build_alexnet has 2 pooling layers; expected 3."}


def let_down(name: str) -> SubmissionResult:
    """A submission on whose first check the machine failed."""
    whole = result(name)
    first, *others = whole.tasks
    check, *rest = first.checks
    fault = check.model_copy(
        update={"status": Status.FAULT, "points": 0.0, "message": "the sandbox could not be started"}
    )
    first = first.model_copy(update={"checks": (fault, *rest)})
    return whole.model_copy(update={"tasks": (first, *others)})


def key(files: str, **changed: Any) -> ContentKey:
    """What a mark depends on."""
    fields = {
        "files": files,
        "seed": 7,
        "kit": "1.0",
        "profile": "offline",
        "manifest": "m1",
        "pins": {"data": "5"},
    }
    return ContentKey(**{**fields, **changed})


def begin(book: Writer, **changed: Any) -> str:
    """A run begins."""
    seed = changed.pop("seed", 7)
    about = RUN.model_copy(update={"seed": seed})
    fields = {"command": "nox -s grade -- class/ --profile offline", "kit": "1.0", "about": about}
    return book.begin_run(**{**fields, **changed})


def handed_in(student: str, files: str, *, name: str = "", **fields: Any) -> Submitted:
    """One attempt of a student, who is called and filed as the key is."""
    who = fields.pop("who", StudentId(key=student))
    return Submitted(student=who, name=name or student, files=files, **{"attempt": 1, **fields})


def grade(book: Writer, run: str, student: str, files: str, graded: SubmissionResult, **changed: Any) -> None:
    """Records what a student handed in and the mark for it."""
    name = changed.pop("name", student)
    attempt = changed.pop("attempt", 1)
    book.submitted(run, [handed_in(student, files, name=name, attempt=attempt)])
    book.marked(run, name, attempt=attempt, key=key(files, **changed), result=graded)


def a_class(book: Writer) -> str:
    """alice is right, bob has one mistake, carol two; one run."""
    run = begin(book)
    grade(book, run, "alice", "a1", result("alice"))
    grade(book, run, "bob", "b1", result("bob", wrong=WRONG))
    grade(book, run, "carol", "c1", result("carol", wrong=WORSE))
    book.end_run(run, "finished")
    return run
