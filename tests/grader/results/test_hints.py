"""One hint a failed check: the verdict's own, else the manifest's, and none for what did not fail."""

import pytest

from grader.results import hints
from grader.results.record import CheckResult, Status


class TestOfCheck:
    """of_check."""

    @pytest.mark.parametrize(
        ("own", "expected"),
        [
            (None, "Look at the axis of the mean."),
            ("", ""),  # a judge that knows better than to send a student there
            ("End the function with return.", "End the function with return."),
        ],
    )
    def test_the_own_one_comes_first(self, own: str | None, expected: str) -> None:
        assert hints.of_check(own, "Look at the axis\n  of the mean.") == expected


class TestToShow:
    """to_show."""

    @pytest.mark.parametrize("status", Status)
    def test_only_for_a_failed_check(self, status: Status) -> None:
        """A check that passed, is blocked, was not attempted or could not be decided has nothing to fix."""
        check = CheckResult(check="a", title="A", status=status, points=0, max_points=1, hint="Look there.")
        assert hints.to_show(check) == ("Look there." if status is Status.FAILED else "")
