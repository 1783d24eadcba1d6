"""How late an attempt is: limits are inclusive, days are by the clock, and what is not known is free."""

import tomllib
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.config.course import Course
from grader.grading.lateness import Attempt, Lateness, due, lateness, unmatched

BERLIN = ZoneInfo("Europe/Berlin")
FILE = """
due = 2026-11-20T23:59:00
timezone = "Europe/Berlin"
[late]
grace = "15 min"
share_a_day = "10%"
cut_off = "7 days"
"""
DUE = datetime(2026, 11, 20, 22, 59, tzinfo=UTC)
COURSE = Course.model_validate(tomllib.loads(FILE))
# Nights in which clocks are changed, and one zone that once left out a whole day.
DUES = (
    "2026-03-28T02:30:00 Europe/Berlin",
    "2026-10-24T02:30:00 Europe/Berlin",
    "2026-03-07T12:00:00 America/New_York",
    "2026-10-31T23:59:00 America/New_York",
    "2011-12-29T12:00:00 Pacific/Apia",
    "2026-11-20T23:59:00 UTC",
)


def course(due_in_zone: str = DUES[-1], extensions: dict[str, Any] | None = None, **late: Any) -> Course:
    """One with that due date and late policy."""
    at, zone = due_in_zone.split(" ")
    fields = {"due": datetime.fromisoformat(at), "timezone": zone, "late": late}
    return Course.model_validate(fields | {"extensions": extensions or {}})


def after(seconds: float, within: Course = COURSE, **fields: Any) -> Lateness:
    """Of an attempt so long after the due date of whoever has no extension."""
    assert within.due_at
    return lateness(within, ["ada"], Attempt(1, within.due_at + timedelta(seconds=seconds), **fields))


class TestLimits:
    def test_the_due_date_is_on_time(self) -> None:
        assert after(0).says == "on time"
        assert not after(0).late
        assert after(1).late

    def test_the_end_of_the_grace_is_free_and_the_next_second_is_the_first_day(self) -> None:
        assert (after(900).deducted, after(900).in_time) == (0, True)
        assert (after(901).deducted, after(901).in_time) == (1, False)

    def test_the_end_of_a_day_is_not_the_next(self) -> None:
        assert after(86400).deducted == 1
        assert after(86401).deducted == 2

    def test_the_cut_off_counts_and_the_next_second_does_not(self) -> None:
        assert after(7 * 86400).accepted
        assert not after(7 * 86400 + 1).accepted

    @pytest.mark.parametrize("grace", ["1 min", "2 h", "1 day", "1 day 3 h"])
    @pytest.mark.parametrize("due_in_zone", DUES)
    def test_of_any_grace(self, due_in_zone: str, grace: str) -> None:
        within = course(due_in_zone, grace=grace, share_a_day="10%")
        until = due(within, ["ada"])
        assert until
        long = (until.free - until.at).total_seconds()
        assert (after(long, within).deducted, after(long, within).in_time) == (0, True)
        assert after(long + 1, within).deducted >= 1


class TestDays:
    @pytest.mark.parametrize(
        ("due_in_zone", "hours"), [(DUES[0], 24), (DUES[2], 23), (DUES[3], 25), (DUES[-1], 24)]
    )
    def test_the_first_day_ends_at_the_hour_of_the_due_date(self, due_in_zone: str, hours: int) -> None:
        """Of the first one, clocks skip that hour: the day ends at the later moment that can be meant."""
        within = course(due_in_zone, share_a_day="10%")
        assert after(hours * 3600, within).deducted == 1
        assert after(hours * 3600 + 1, within).deducted == 2

    def test_in_proportion_to_that_day(self) -> None:
        within = course(DUES[2], share_a_day="10%", begun_day="in proportion")
        assert after(3600, within).deducted == Fraction(1, 23)
        assert after(24 * 3600, within).deducted == 1 + Fraction(1, 24)

    def test_full_days_alone(self) -> None:
        within = course(share_a_day="10%", begun_day="nothing")
        assert [after(hours * 3600, within).deducted for hours in (23, 24, 47, 48)] == [0, 1, 1, 2]

    @settings(deadline=None)
    @given(
        st.sampled_from(DUES),
        st.sampled_from(["whole", "in proportion", "nothing"]),
        st.sampled_from([{}, {"grace": "90 min"}, {"grace": "1 day"}]),
        st.tuples(st.integers(-(10**6), 10**7), st.integers(-(10**6), 10**7)),
    )
    def test_later_is_never_less(
        self, due_in_zone: str, begun_day: str, grace: dict[str, str], seconds: tuple[int, int]
    ) -> None:
        within = course(due_in_zone, share_a_day="10%", begun_day=begun_day, **grace)
        one, other = (after(at, within) for at in sorted(seconds))
        assert 0 <= one.deducted <= other.deducted
        assert (one.days, one.rest) <= (other.days, other.rest)

    @settings(deadline=None)
    @given(st.sampled_from(DUES), st.integers(1, 10**9))
    def test_days_and_rest_are_the_time_since_the_due_date(self, due_in_zone: str, seconds: int) -> None:
        """By the clock, so that a change of clocks may be the difference; and the part is less than a day."""
        found = after(seconds, course(due_in_zone, share_a_day="1%"))
        elapsed = timedelta(seconds=seconds)
        assert abs(found.rest + timedelta(days=found.days) - elapsed) <= timedelta(hours=24)
        assert 0 <= found.part < 1
        assert found.rest >= timedelta(0)
        assert (found.part == 0) == (not found.rest)


class TestTimes:
    def test_of_other_zones_and_of_none(self) -> None:
        """Without an offset it is by the course's clock."""
        for at in (
            datetime(2026, 11, 21, 8, 0, tzinfo=ZoneInfo("Asia/Tokyo")),
            datetime(2026, 11, 21, 0, 0, tzinfo=BERLIN),
            datetime(2026, 11, 21, 0, 0),
            datetime(2026, 11, 20, 23, 0, tzinfo=UTC),
        ):
            assert lateness(COURSE, [], Attempt(1, at)).rest == timedelta(minutes=1)

    @pytest.mark.parametrize(
        "at", [None, datetime(1970, 1, 1, tzinfo=UTC), datetime.min, datetime.max, datetime(9999, 12, 31, 23)]
    )
    def test_what_is_not_known_is_free_and_said(self, at: datetime | None) -> None:
        found = lateness(COURSE, [], Attempt(1, at, late=True))
        assert (found.known, found.deducted, found.accepted) == (False, 0, True)
        assert "not known when" in found.says
        assert found.look == "the platform calls attempt 1 late, and not by how much"
        assert not lateness(COURSE, [], Attempt(1, at)).look

    def test_what_the_platform_says_decides_nothing_where_there_is_a_time(self) -> None:
        assert after(-1, late=True).says == "on time"
        assert "by the due date here it is not" in after(-1, late=True).look
        assert after(86400, late=False).deducted == 1

    def test_a_course_without_a_due_date_says_nothing(self) -> None:
        assert lateness(Course(), [], Attempt(1, DUE, late=True)) == Lateness()


class TestExtensions:
    WITH = course(
        extensions={
            " Ada@Example.org ": "3 days",
            "bob": datetime(2026, 11, 30, 12),
            "eve": "1 h",
            "4711": "2 days",
        },
        grace="15 min",
        share_a_day="10%",
        cut_off="7 days",
    )

    def test_by_any_name_and_in_any_case(self) -> None:
        assert self.WITH.due_at
        for names in (["77", "ada@example.org"], ["ADA@EXAMPLE.ORG"], ["x", "4711", "ada@example.org"]):
            until = due(self.WITH, names)
            assert until
            assert until.at == self.WITH.due_at + timedelta(days=3)
            assert until.cut_off == until.at + timedelta(days=7)
            assert until.free == until.at + timedelta(minutes=15)

    def test_until_a_date(self) -> None:
        found = lateness(self.WITH, ["bob"], Attempt(1, datetime(2026, 11, 30, 12)))
        assert found.says == "on time (extension until 2026-11-30 12:00)"
        found = lateness(self.WITH, ["bob"], Attempt(1, datetime(2026, 11, 30, 13)))
        assert (found.deducted, found.says) == (1, "1 h late (extension until 2026-11-30 12:00)")

    def test_a_cut_off_at_a_date_stays_unless_the_extension_is_longer(self) -> None:
        extensions = {"ada": "1 day", "bob": "30 days"}
        within = course(extensions=extensions, cut_off=datetime(2026, 11, 25), grace="1 h")
        ada, bob = due(within, ["ada"]), due(within, ["bob"])
        assert ada
        assert bob
        assert ada.cut_off == datetime(2026, 11, 25, tzinfo=UTC)
        assert bob.cut_off == bob.free

    @settings(deadline=None)
    @given(st.integers(-(10**6), 2 * 10**6))
    def test_never_costs_anything(self, seconds: int) -> None:
        with_it = lateness(self.WITH, ["4711"], Attempt(1, DUE + timedelta(seconds=seconds)))
        without = lateness(self.WITH, ["mallory"], Attempt(1, DUE + timedelta(seconds=seconds)))
        assert with_it.deducted <= without.deducted or without.accepted is False
        assert with_it.accepted >= without.accepted

    def test_none_is_lost(self) -> None:
        students = [["ada", "ada@example.org"], ["x", "4711"], ["y", "4711"], ["bob"]]
        assert unmatched(self.WITH, students) == (
            "the extension of 'eve' is nobody's: no key, id or e-mail is that",
            "the extension of '4711' is of 2 students",
        )
