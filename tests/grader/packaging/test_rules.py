"""Gradescope's published rules for results.json, each broken once."""

from typing import Any

import pytest

from grader.packaging import rules

RIGHT: dict[str, Any] = {
    "score": 44.0,
    "execution_time": 136,
    "output": "Text relevant to the entire submission",
    "output_format": "simple_format",
    "test_output_format": "text",
    "test_name_format": "text",
    "visibility": "after_due_date",
    "stdout_visibility": "visible",
    "extra_data": {},
    "tests": [
        {
            "score": 2.0,
            "max_score": 2.0,
            "status": "passed",
            "name": "Your name here",
            "name_format": "text",
            "number": "1.1",
            "output": "Giant multiline string",
            "output_format": "text",
            "tags": ["tag1"],
            "visibility": "visible",
            "extra_data": {},
        }
    ],
    "leaderboard": [{"name": "Accuracy", "value": 0.926, "order": "desc"}, {"name": "Stars", "value": "***"}],
}


class TestFaults:
    def test_the_published_example_has_none(self) -> None:
        assert rules.faults(RIGHT) == []

    def test_an_error_without_a_score_has_none(self) -> None:
        assert rules.faults({"output": "the grader failed"}) == []

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"score": "44"}, "score"),
            ({"score": True}, "score"),
            ({"score": float("nan")}, "score"),
            ({"visibility": "never"}, "visibility"),
            ({"output": None}, "output"),
            ({"output_format": "markdown"}, "output_format"),
            ({"grade": 1}, "grade"),
            ({"tests": {}}, "tests"),
            ({"tests": ["x"]}, r"tests\[0\]"),
            ({"tests": [{"status": "skipped"}]}, r"tests\[0\].status"),
            ({"tests": [{"tags": "a"}]}, r"tests\[0\].tags"),
            ({"tests": [{"number": 1}]}, r"tests\[0\].number"),
            ({"leaderboard": [{"name": "x"}]}, "no value"),
            ({"leaderboard": [{"name": "x", "value": 1, "order": "up"}]}, "order"),
        ],
    )
    def test_each_rule(self, changes: dict[str, Any], named: str) -> None:
        import re

        assert any(re.search(named, fault) for fault in rules.faults({**RIGHT, **changes}))

    def test_tests_without_any_score_break_them(self) -> None:
        assert rules.faults({"output": "x", "tests": [{"name": "a"}]})

    @pytest.mark.parametrize("document", [None, [], "x", 3])
    def test_what_is_no_object(self, document: object) -> None:
        assert rules.faults(document)
