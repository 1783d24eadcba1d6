"""results.json is what Gradescope documents, and never a zero for a fault of the machine."""

import json

import pytest

from grader.exporters import gradescope
from grader.results.record import SubmissionResult

# Keys and values that the documentation lists ("Autograder specifications", Output format).
TOP = {
    "score",
    "execution_time",
    "output",
    "output_format",
    "test_output_format",
    "stdout_visibility",
    "tests",
}
TEST = {"score", "max_score", "status", "name", "number", "output", "tags", "visibility", "extra_data"}


class TestResults:
    def test_schema(self, graded: SubmissionResult) -> None:
        """Only documented keys, of the documented types."""
        results = json.loads(json.dumps(gradescope.results(graded)))
        assert set(results) == TOP | {"extra_data"}
        assert results["score"] == 5.5
        assert isinstance(results["execution_time"], int)
        for test in results["tests"]:
            assert set(test) == TEST
            assert test["status"] in {"passed", "failed"}
            assert 0 <= test["score"] <= test["max_score"] == 4

    def test_score_is_the_sum_of_the_tests(self, graded: SubmissionResult) -> None:
        """What a student adds up by hand is what the gradebook gets."""
        results = gradescope.results(graded)
        assert results["score"] == sum(test["score"] for test in results["tests"])

    def test_statuses_that_gradescope_does_not_know(self, graded: SubmissionResult) -> None:
        """Blocked and not attempted are failed there, and said in the text and in extra_data."""
        third, fourth = gradescope.results(graded)["tests"][2:]
        assert third["output"].startswith("blocked: ")
        assert fourth["extra_data"]["status"] == "not attempted"

    def test_hint_stands_below_the_message(self, graded: SubmissionResult) -> None:
        """A failed check gives what happened, then what to look at."""
        assert gradescope.results(graded)["tests"][1]["output"].splitlines() == [
            "f(3) returned 4; expected 5.",
            "Hint: Look at the +.",
        ]

    def test_what_a_mistake_costs_and_why(self, charged: SubmissionResult) -> None:
        """Between the two; the line of the whole is a test like any other, so that the score adds up."""
        results = gradescope.results(charged)
        assert results["tests"][1]["output"].splitlines() == [
            "f(3) returned 4; expected 5.",
            "Costs 7: nobody can use it.",
            "Hint: Look at the +.",
        ]
        assert results["tests"][-1]["tags"] == ["alexnet", "whole"]
        assert results["tests"][-1]["output"] == "-7: it."
        assert results["score"] == sum(test["score"] for test in results["tests"]) == 7.5

    def test_what_is_behind_the_marks(self, graded: SubmissionResult) -> None:
        """Seed, pin, engine and versions are in extra_data, and that the marks are provisional."""
        extra = gradescope.results(graded)["extra_data"]
        assert extra["provisional"] is True
        assert extra["run"]["seed"] == 7

    def test_no_mark_for_a_fault(self, let_down: SubmissionResult) -> None:
        """Where the machine failed there is no results.json to take in."""
        with pytest.raises(ValueError, match="bob was not graded"):
            gradescope.results(let_down)
