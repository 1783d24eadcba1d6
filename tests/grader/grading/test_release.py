"""What is released before the deadline is the same whatever hidden images say."""

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from grader.exporters import gradescope, terminal
from grader.grading import marking, release
from grader.results.record import (
    WHOLE,
    CheckResult,
    Counts,
    Override,
    Provenance,
    Status,
    SubmissionResult,
    TaskResult,
)
from grader.results.verdict import Verdict
from tests.grader.gradebook.making import RUN, TASKS

SECRET = 0.4127  # an accuracy; its digits stand in nothing else
DATA: dict[str, Any] = {
    "accuracy": SECRET,
    "threshold": 0.3127,
    "seeds": [52001, 52002],
    "trainings": ["77bc" * 16],
}
TRAININGS = [
    Verdict.passed("41.27% of hidden images right, 31.27% wanted.", **DATA),
    Verdict.failed("41.27% of hidden images right, 51.27% wanted.", fraction=0.61, hint="41.27", **DATA),
    Verdict.failed("10.27% of hidden images right.", fraction=0.0, **DATA),
    Verdict.failed("Training took more than 5227 s and was stopped.", training="77bc" * 16, limit=5227),
    Verdict(status=Status.FAULT, message="the training of 77bc was killed", data={"training": "77bc"}),
]
PROVENANCE = Provenance(
    files="ab" * 32, graded="2026-11-20", kit="1.0", seed=52003, run="3", head="cd" * 32, attempt=2
)


def made(public: Mapping[str, Verdict], trainings: Mapping[str, Verdict]) -> SubmissionResult:
    """A result of the course's manifest; verdicts by `task:check`, passed where none is named."""
    tasks = []
    for task in TASKS.tasks:
        verdicts = {
            check.id: (trainings if check.train else public).get(f"{task.id}:{check.id}", Verdict.passed())
            for check in task.checks
        }
        lines = marking.mark(task, verdicts, TASKS)
        tasks.append(TaskResult(task=task.id, title=task.title, checks=lines))
    counts = Counts(tasks={}, points=41.27, out_of=150, rule="41.27 of 150")
    run = RUN.model_copy(update={"seed": 52003})
    return SubmissionResult(
        name="alice", run=run, tasks=tuple(tasks), seconds=9, counts=counts, provenance=PROVENANCE
    )


TRAIN = [f"{task.id}:{check.id}" for task in TASKS.tasks for check in task.checks if check.train]
PUBLIC = [f"{task.id}:{check.id}" for task in TASKS.tasks for check in task.checks if not check.train]


def some(draw: random.Random) -> dict[str, Verdict]:
    """Verdicts on public checks: from nearly all right to nearly all wrong."""
    wrong = draw.choice((0.02, 0.1, 0.5, 0.9))
    kinds = [Verdict.failed("f(3) returned 4; expected 5."), Verdict(status=Status.BLOCKED, message="First.")]
    kinds.append(Verdict.failed("f(2) returned 4.", partly=True))
    return {name: draw.choice(kinds) for name in PUBLIC if draw.random() < wrong}


class TestChecksOnly:
    @pytest.mark.parametrize("seed", range(25))
    def test_trainings_change_nothing_of_it(self, seed: int) -> None:
        """Two results that differ in nothing but what was trained are released alike, points included."""
        draw = random.Random(seed)
        public = some(draw)
        shown = {
            release.checks_only(
                made(public, {name: draw.choice(TRAININGS) for name in TRAIN}), TASKS
            ).model_dump_json()
            for _ in range(6)
        }
        assert len(shown) == 1

    def test_the_points_alone_would_tell(self) -> None:
        """Why they are given anew: points of structure are not the same for each accuracy."""
        public = {"alexnet:pooling": Verdict.failed("build_alexnet has 2 pooling layers; expected 3.")}
        whole = {
            next(line.points for line in task.checks if line.check == WHOLE)
            for verdict in TRAININGS[:3]
            for task in made(public, dict.fromkeys(TRAIN, verdict)).tasks
            if task.task == "alexnet"
        }
        assert len(whole) > 1

    def test_no_number_is_left(self) -> None:
        """Neither accuracy nor threshold, digest, seed, total or reason of an override, in any format."""
        result = made({}, dict.fromkeys(TRAIN, TRAININGS[1]))
        override = Override(
            points=29.27, who="mallory", why="Accuracy 41.27% is close enough", at="2026-11-20"
        )
        result = result.model_copy(
            update={
                "tasks": tuple(
                    task.model_copy(update={"override": override}) if task.task == "alexnet" else task
                    for task in result.tasks
                )
            }
        )
        shown = release.checks_only(result, TASKS)
        summary = terminal.Summary()
        summary.add(shown)
        texts = [
            shown.model_dump_json(),
            json.dumps(gradescope.results(shown)),
            terminal.as_text([terminal.submission(shown), summary.table()]),
        ]
        for text in texts:
            for secret in ("1.27", "4127", "3127", "52001", "52003", "77bc", "29.27", "mallory", "0.61"):
                assert secret not in text, secret

    def test_says_what_is_held_back(self) -> None:
        """At each check, in the words of the course page, and once for all of it."""
        shown = release.checks_only(made({}, dict.fromkeys(TRAIN, TRAININGS[1])), TASKS)
        text = terminal.as_text([terminal.submission(shown)])
        assert "Public checks passed; accuracy follows after the deadline." in text
        assert "Held back until after the deadline: what hidden images decide in Preprocessing" in text
        assert f"files {'ab' * 32}" in shown.notes[0]
        tests = gradescope.results(shown)["tests"]
        held = [test for test in tests if test["tags"][1].endswith(("learns", "coarse", "fine"))]
        assert len(held) == len(TRAIN)
        for test in held:
            assert not {"score", "max_score", "status"} & set(test)
            assert test["output"].startswith("held back: ")
            assert set(test["extra_data"]) == {"status"}

    def test_total_is_over_what_is_shown(self) -> None:
        """All that is public right is full marks of that; the score is the sum of the tests."""
        shown = release.checks_only(made({}, dict.fromkeys(TRAIN, TRAININGS[2])), TASKS)
        trained = sum(check.points for task in TASKS.tasks for check in task.checks if check.train)
        assert shown.points == shown.max_points == TASKS.points - trained
        results = gradescope.results(shown)
        assert results["score"] == sum(test.get("score", 0) for test in results["tests"])

    def test_what_was_not_trained_is_shown(self) -> None:
        """An untouched stub and a network that cannot be trained owe nothing to hidden images."""
        nothing = Verdict(status=Status.NOT_ATTEMPTED, message="build_alexnet is not written yet.")
        shown = release.checks_only(made({}, {"alexnet:learns.fine": nothing}), TASKS)
        lines = {line.check: line for task in shown.tasks if task.task == "alexnet" for line in task.checks}
        assert lines["learns.fine"].status is Status.NOT_ATTEMPTED
        assert lines["learns.fine"].max_points > 0
        assert lines["learns.coarse"].status is Status.HELD

    def test_a_mark_by_hand_alone_is_held_back(self) -> None:
        """The machine failed and a person gave points: these wait as well."""
        whole = CheckResult(check=WHOLE, title="All", status=Status.FAULT, points=0, max_points=35)
        override = Override(points=29.27, who="mallory", why="seen", at="2026-11-20")
        task = TaskResult(task="alexnet", title="AlexNet", checks=(whole,), override=override)
        result = made({}, {}).model_copy(update={"tasks": (task,)})
        assert result.graded
        shown = release.checks_only(result, TASKS)
        assert shown.graded
        assert "29.27" not in shown.model_dump_json()
        assert shown.max_points == 0

    def test_a_fault_in_a_public_check_stays_one(self) -> None:
        """It is no mark before the deadline either."""
        fault = Verdict(status=Status.FAULT, message="the sandbox could not be started")
        shown = release.checks_only(made({"alexnet:pooling": fault}, {}), TASKS)
        assert not shown.graded

    def test_all_is_all(self) -> None:
        """After the deadline nothing is held back."""
        result = made({}, dict.fromkeys(TRAIN, TRAININGS[1]))
        assert release.released(result, "all", TASKS) is result
