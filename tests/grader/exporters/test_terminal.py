"""What a person reads: every mark, why, a hint; and nothing that a submission smuggles in."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest
from rich.console import Console

from grader.exporters import terminal
from grader.results.record import Status, SubmissionResult


class TestSubmission:
    def test_marks_messages_and_hints(self, graded: SubmissionResult) -> None:
        """Each check with its sign and points, the message and the hint of what failed, the total."""
        text = terminal.as_text([terminal.submission(graded)])
        for part in ("✔", "✘", "⊘", "○", "1.5 / 4", "f(3) returned 4; expected 5.", "Hint: Look at the +."):
            assert part in text
        assert "Total 5.5 / 16" in text
        assert "provisional: drawn images" in text

    def test_what_a_mistake_costs_and_why(self, charged: SubmissionResult) -> None:
        """Below its message and above its hint; the line of the whole comes last, with the sum."""
        lines = [line.strip() for line in terminal.as_text([terminal.submission(charged)]).splitlines()]
        at = lines.index("f(3) returned 4; expected 5.")
        assert lines[at + 1 : at + 3] == ["Costs 7 points: nobody can use it.", "Hint: Look at the +."]
        assert sum("Costs" in line for line in lines) == 1
        end = next(n for n, line in enumerate(lines) if "The task as a whole" in line)
        assert lines[end].endswith("2 / 9")
        assert lines[end + 1] == "-7: it."
        assert "Total 7.5 / 25" in "\n".join(lines)

    def test_one_point(self, charged: SubmissionResult) -> None:
        (task,) = charged.tasks
        first, second, *_ = task.checks
        checks = (first, second.model_copy(update={"deduction": 1.0}))
        changed = charged.model_copy(update={"tasks": (task.model_copy(update={"checks": checks}),)})
        assert "Costs 1 point: nobody can use it." in terminal.as_text([terminal.submission(changed)])

    def test_one_cause_for_all_of_a_task_is_shown_once(self, charged: SubmissionResult) -> None:
        """An import that fails decides every check alike; the line of the whole says no more."""
        (task,) = charged.tasks
        *checks, whole = task.checks
        alike = {"status": Status.FAILED, "message": "Importing alexnet.py raised an error.", "hint": ""}
        failed = tuple(check.model_copy(update=alike) for check in checks)
        changed = charged.model_copy(
            update={"tasks": (task.model_copy(update={"checks": (*failed, whole)}),)}
        )
        text = terminal.as_text([terminal.submission(changed)])
        assert text.count("Importing alexnet.py raised an error.") == 1
        assert "holds" not in text

    def test_fault_is_no_mark(self, let_down: SubmissionResult) -> None:
        """No total is shown where the machine failed."""
        text = terminal.as_text([terminal.submission(let_down)])
        assert "Total" not in text
        assert "There is no mark" in text

    def test_markup_in_a_message_is_text(self, graded: SubmissionResult) -> None:
        """`[red]` in a message is shown as it is: rich reads no markup in it."""
        task = graded.tasks[0]
        odd = task.checks[1].model_copy(update={"message": "[red]boo[/red] [link=http://x]y"})
        changed = graded.model_copy(update={"tasks": (task.model_copy(update={"checks": (odd,)}),)})
        assert "[red]boo[/red] [link=http://x]y" in terminal.as_text([terminal.submission(changed)])


def summary(
    results: Sequence[SubmissionResult], look: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> terminal.Summary:
    """Of a class; `look` by the name of the submission."""
    summary = terminal.Summary()
    for result in results:
        summary.add(result, look.get(result.name, ()))
    return summary


def shown(results: Sequence[SubmissionResult], width: int, **more: Any) -> list[str]:
    """The lines of a class in a terminal of that width."""
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(summary(results, **more).table(width))
    return [line.rstrip() for line in captured.get().splitlines() if line.strip()]


class TestSummary:
    def test_one_row_a_submission(self, graded: SubmissionResult, let_down: SubmissionResult) -> None:
        """A class: marks, and for a fault an exclamation mark in place of any number."""
        lines = shown([graded, let_down], 100)
        (alice,) = (line for line in lines if "alice" in line)
        bob, why = (line for line in lines if "bob" in line)
        assert "5.5" in alice
        assert "!" in bob
        assert "4" not in bob
        assert why == "  bob: not graded: the grader failed on the checks marked !"

    def test_what_needs_a_look_comes_last_with_a_sentence_each(
        self, graded: SubmissionResult, let_down: SubmissionResult
    ) -> None:
        """In the order of the class otherwise; a mark may need a look as well."""
        broken = graded.model_copy(update={"name": "anna", "tasks": (), "problem": "not a zip"})
        others = [graded.model_copy(update={"name": name}) for name in ("zoe", "eve")]
        lines = shown([broken, others[0], let_down, graded, others[1]], 100, look={"zoe": ["late", "twice"]})
        rows = lines[3:]
        names = [line.split()[0].removesuffix(":") for line in rows]
        assert names == ["alice", "eve", "anna", "zoe", "bob", "Needs", "anna", "zoe", "zoe", "bob"]
        assert rows[6:9] == ["  anna: not a zip", "  zoe: late", "  zoe: twice"]

    @pytest.mark.parametrize("width", [80, 60])
    def test_long_names_and_many_tasks_fit(self, graded: SubmissionResult, width: int) -> None:
        """No character of a name is lost, and the total stands in its row."""
        name = "o-connor-whitfield-anna_LATE_12345_67890_lab-one-final-version"
        titles = ("Preprocessing", "AlexNet", "ResNet", "Wide ResNet", "Evaluation")
        tasks = tuple(graded.tasks[0].model_copy(update={"title": title}) for title in titles)
        long = graded.model_copy(update={"name": name, "tasks": tasks})
        lines = shown([long, graded.model_copy(update={"tasks": tasks})], width, look={name: ["x" * 100]})
        assert max(map(len, lines)) <= width
        first = next(n for n, line in enumerate(lines) if "27.5" in line and "o-c" in line)
        rest = [line.strip() for line in lines[first + 1 : lines.index("Needs a look:")]]
        assert lines[first].split()[0] + "".join(rest) == name
        assert len(rest) <= 5  # lines more than one: names have the room, not titles


class TestTrainings:
    """Summary.trainings."""

    def test_known_and_done_here(self, graded: SubmissionResult) -> None:
        """Each distinct training counts once, however many submissions have its network."""

        def with_trainings(known: bool, *digests: str) -> SubmissionResult:
            (task,) = graded.tasks
            data = {"known": known, "trainings": list(digests)}
            check = task.checks[0].model_copy(update={"data": data})
            return graded.model_copy(update={"tasks": (task.model_copy(update={"checks": (check,)}),)})

        of_class = [
            with_trainings(True, "a"),
            with_trainings(True, "a"),
            with_trainings(False, "b", "c", "d"),
            with_trainings(True, "e"),
        ]
        assert summary(of_class).trainings() == (
            "Trainings behind these marks: 2 known from the reference runs, 3 run here."
        )
        assert summary([graded]).trainings() == ""
