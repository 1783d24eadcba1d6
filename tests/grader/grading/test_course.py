"""What counts: never less than nothing or more than the mark, never more for being later, and it is shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.config.course import Course
from grader.config.marking import STEP
from grader.grading.course import Counted, Mark, to_grade, weighed, what_counts
from grader.grading.lateness import Attempt

TASKS = {"alexnet": 35.0, "resnet": 35.0, "evaluation": 15.0}
OF = sum(TASKS.values())
DUE = datetime(2026, 3, 28, 23, 59, tzinfo=UTC)
LATE = {"grace": "15 min", "share_a_day": "10%", "cut_off": "7 days"}


def course(**fields: Any) -> Course:
    """One with that due date; the night after it, clocks are put forward in Berlin."""
    all_fields = {"due": DUE, "timezone": "Europe/Berlin", "late": LATE} | fields
    return Course.model_validate({name: value for name, value in all_fields.items() if value is not None})


def mark(points: float) -> Mark:
    """So many points, from the first task on."""
    found = {}
    for task, of in TASKS.items():
        found[task] = (min(points, of), of)
        points -= found[task][0]
    return found


def attempt(number: int, hours: float | None, late: bool | None = None) -> Attempt:
    """Handed in so many hours after the due date."""
    return Attempt(number, None if hours is None else DUE + timedelta(hours=hours), late)


def count(within: Course, *attempts: Attempt, points: dict[int, float], **more: Any) -> Counted:
    """What counts of them."""
    return what_counts(within, TASKS, ["ada"], attempts, {n: mark(p) for n, p in points.items()}, **more)


POINTS = st.integers(0, int(OF / STEP)).map(lambda steps: steps * STEP)
KNOWN_HOURS = st.integers(-2000, 30_000).map(lambda n: n / 100)
HOURS = st.one_of(st.none(), KNOWN_HOURS)
SHARES = st.integers(0, 1000).map(lambda n: f"{n / 10}%")
POLICIES = st.fixed_dictionaries(
    {"share_a_day": SHARES, "at_most": SHARES, "of": st.sampled_from(["mark", "maximum"])},
    optional={
        "begun_day": st.sampled_from(["whole", "in proportion", "nothing"]),
        "grace": st.sampled_from(["0 min", "15 min", "1 day"]),
        "cut_off": st.sampled_from(["1 day", "2 weeks"]),
    },
)
WEIGHTS = st.sampled_from(
    [None, {"alexnet": 10, "resnet": 7.5}, {"resnet": "60%", "evaluation": "40%"}, {"evaluation": 0.5}]
)
WHICH = st.sampled_from(["last", "first", "best", "last_before_due"])


class TestAnyCourse:
    @settings(deadline=None)
    @given(WEIGHTS, POLICIES, POINTS, HOURS)
    def test_between_nothing_and_the_mark_in_half_points_that_add_up(
        self, tasks: dict[str, Any] | None, late: dict[str, str], points: float, hours: float | None
    ) -> None:
        found = count(course(tasks=tasks, late=late), attempt(1, hours), points={1: points})
        if found.mark is None:
            assert (found.attempt, found.counts) == (None, 0)  # after the cut-off
            return
        assert found.counts is not None
        assert 0 <= found.counts <= found.mark <= found.out_of
        assert found.counts == found.mark - found.deducted
        assert found.mark == sum(found.tasks.values())
        assert all(value % STEP == 0 for value in (found.counts, found.deducted, *found.tasks.values()))
        assert f"counts: {found.counts:g}" in found.rule

    @settings(deadline=None)
    @given(WEIGHTS, POLICIES, POINTS, st.lists(KNOWN_HOURS, min_size=2, max_size=2))
    def test_later_never_counts_more(
        self, tasks: dict[str, Any] | None, late: dict[str, str], points: float, hours: list[float]
    ) -> None:
        sooner, later = (
            count(course(tasks=tasks, late=late), attempt(1, at), points={1: points}) for at in sorted(hours)
        )
        assert sooner.counts is not None
        assert later.counts is not None
        assert later.counts <= sooner.counts

    @settings(deadline=None)
    @given(
        WHICH, st.lists(st.tuples(HOURS, POINTS, st.sampled_from([None, True, False])), max_size=4), st.data()
    )
    def test_the_order_of_attempts_does_not_matter(
        self, which: str, handed: list[tuple[float | None, float, bool | None]], data: st.DataObject
    ) -> None:
        attempts = [attempt(number, hours, late) for number, (hours, _, late) in enumerate(handed, 1)]
        points = {number: points for number, (_, points, _) in enumerate(handed, 1)}
        shuffled = data.draw(st.permutations(attempts))
        within = course(attempt=which)
        assert count(within, *attempts, points=points) == count(within, *shuffled, points=points)
        assert to_grade(within, ["ada"], attempts) == to_grade(within, ["ada"], shuffled)

    @settings(deadline=None)
    @given(WHICH, st.lists(st.tuples(HOURS, POINTS), min_size=1, max_size=4))
    def test_only_marks_that_are_asked_for_are_needed(
        self, which: str, handed: list[tuple[float | None, float]]
    ) -> None:
        attempts = [attempt(number, hours) for number, (hours, _) in enumerate(handed, 1)]
        points = {number: points for number, (_, points) in enumerate(handed, 1)}
        needed = to_grade(course(attempt=which), ["ada"], attempts)
        every = count(course(attempt=which), *attempts, points=points)
        assert every == count(course(attempt=which), *attempts, points={n: points[n] for n in needed})
        assert every.attempt in (*needed, None)

    @settings(deadline=None)
    @given(st.lists(st.tuples(HOURS, POINTS), min_size=1, max_size=4))
    def test_best_is_no_less_than_any_other_rule(self, handed: list[tuple[float | None, float]]) -> None:
        attempts = [attempt(number, hours) for number, (hours, _) in enumerate(handed, 1)]
        points = {number: points for number, (_, points) in enumerate(handed, 1)}
        best = count(course(attempt="best"), *attempts, points=points).counts
        assert best is not None
        for which in ("last", "first", "last_before_due"):
            other = count(course(attempt=which), *attempts, points=points).counts
            assert other is not None
            assert other <= best


class TestAttempts:
    BEFORE_AND_AFTER = attempt(1, -30), attempt(2, -1), attempt(3, 5), attempt(4, 300)

    @pytest.mark.parametrize(
        ("which", "needed", "chosen", "why"),
        [
            ("last", (3,), 3, "the last"),
            ("first", (1,), 1, "the first"),
            ("best", (1, 2, 3), 3, "the best"),
            ("last_before_due", (2,), 2, "the last before the due date"),
        ],
    )
    def test_which(self, which: str, needed: tuple[int, ...], chosen: int, why: str) -> None:
        """The fourth is after the cut-off, as if it had not been handed in."""
        within = course(attempt=which)
        assert to_grade(within, ["ada"], self.BEFORE_AND_AFTER) == needed
        found = count(within, *self.BEFORE_AND_AFTER, points={1: 50, 2: 60, 3: 80, 4: 85})
        assert (found.attempt, found.why) == (chosen, f"attempt {chosen} of 4: {why} (1 after the cut-off)")

    def test_the_best_is_compared_after_deductions_and_the_first_of_equals(self) -> None:
        within = course(attempt="best")
        assert count(within, attempt(1, -1), attempt(2, 5), points={1: 80, 2: 85}).attempt == 1
        assert count(within, attempt(1, -9), attempt(2, -1), points={1: 80, 2: 80}).attempt == 1

    def test_none_before_the_due_date(self) -> None:
        found = count(course(attempt="last_before_due"), attempt(1, 5), attempt(2, 9), points={1: 40})
        assert found.why == "attempt 1 of 2: the first, because none was before the due date"
        assert found.counts == 36

    def test_a_time_that_is_not_known_is_before_unless_the_platform_says_late(self) -> None:
        within = course(attempt="last_before_due")
        handed = attempt(1, -1), attempt(2, None), attempt(3, None, True)
        assert to_grade(within, ["ada"], handed) == (2,)

    def test_the_grace_is_before(self) -> None:
        within = course(attempt="last_before_due")
        assert to_grade(within, ["ada"], [attempt(1, -1), attempt(2, 0.25), attempt(3, 0.26)]) == (2,)

    def test_nothing_handed_in_is_no_zero(self) -> None:
        found = count(course(), points={})
        assert (found.attempt, found.counts, found.rule) == (None, None, "nothing was handed in")

    def test_all_after_the_cut_off(self) -> None:
        found = count(course(), attempt(1, 200), attempt(2, 300), points={})
        assert (found.attempt, found.mark, found.counts) == (None, None, 0)
        assert found.why == "no attempt was before the cut-off"
        # By the clock, which was put forward in the night of the due date.
        assert found.rule == "8 days 9 h late, after the cut-off (2026-04-05 00:59); counts: 0"


class TestNotGraded:
    def test_is_no_zero(self) -> None:
        found = count(course(), attempt(1, 5), points={})
        assert (found.attempt, found.mark, found.counts, found.rule) == (1, None, None, "not graded")

    def test_a_task_that_does_not_count_is_not_needed(self) -> None:
        some = {"alexnet": (10.0, 35.0)}
        assert weighed(course(), TASKS, some) is None
        assert weighed(course(tasks={"alexnet": 35}), TASKS, some) == {"alexnet": 10}

    def test_the_best_of_those_that_are_graded_and_the_others_are_named(self) -> None:
        found = count(course(attempt="best"), attempt(1, -9), attempt(2, -1), points={2: 20})
        assert (found.attempt, found.counts) == (2, 20)
        assert found.look == ("attempt 1 is not graded, and could count more",)


class TestWeights:
    def test_scale_a_task(self) -> None:
        within = course(tasks={"alexnet": 30, "evaluation": 7.5})
        found = count(within, attempt(1, -1), points={1: 28})
        assert found.tasks == {"alexnet": 24, "evaluation": 0}
        assert (found.mark, found.out_of) == (24, 37.5)

    @pytest.mark.parametrize(("points", "counts"), [(0.5, 0.5), (8.5, 2.5), (8.0, 2.5), (15, 4.5)])
    def test_rounded_to_half_points_a_quarter_up(self, points: float, counts: float) -> None:
        """4.5 of 15: 0.15, 2.55, 2.4 and 4.5."""
        found = weighed(course(tasks={"evaluation": 4.5}), TASKS, {"evaluation": (points, 15)})
        assert found == {"evaluation": counts if points > 0.5 else 0}

    @settings(deadline=None)
    @given(POINTS)
    def test_full_marks_count_in_full_and_more_never_less(self, points: float) -> None:
        within = course(tasks={"alexnet": "33.5%", "resnet": "33.5%", "evaluation": "33%"})
        assert count(within, attempt(1, -1), points={1: OF}).counts == 100
        fewer, more = (
            count(within, attempt(1, -1), points={1: value}).counts
            for value in (max(0, points - STEP), points)
        )
        assert fewer is not None
        assert more is not None
        assert fewer <= more


class TestCorrection:
    @pytest.mark.parametrize(
        ("rule", "now", "before", "counts"),
        [
            ("never lower", 40, 60, 60),
            ("never lower", 60, 40, 60),
            ("as corrected", 40, 60, 40),
            ("as corrected", 60, 40, 60),
        ],
    )
    def test_rules(self, rule: str, now: float, before: float, counts: float) -> None:
        found = count(course(regrade=rule), attempt(1, -1), points={1: now}, earlier={1: mark(before)})
        assert found.counts == counts
        assert found.rule == (
            f"{now} of 85 now, {before} before a correction of the grader ({rule}); on time; counts: {counts}"
        )

    def test_the_whole_earlier_mark_stands_with_its_tasks_and_lateness_after_it(self) -> None:
        earlier = {"alexnet": (20.0, 35.0), "resnet": (30.0, 35.0), "evaluation": (0.0, 15.0)}
        found = count(course(regrade="never lower"), attempt(1, 5), points={1: 40}, earlier={1: earlier})
        assert found.tasks == {"alexnet": 20, "resnet": 30, "evaluation": 0}
        assert (found.mark, found.deducted, found.counts) == (50, 5, 45)

    def test_of_another_attempt_it_does_not_matter(self) -> None:
        within = course(regrade="never lower")
        found = count(within, attempt(1, -9), attempt(2, -1), points={2: 40}, earlier={1: mark(60)})
        assert found.counts == 40

    def test_weighed_as_it_was_marked_then(self) -> None:
        """The task had 70 points then; a task that was not there had none."""
        within = course(regrade="never lower", tasks={"alexnet": 35, "evaluation": 15})
        found = count(within, attempt(1, -1), points={1: 20}, earlier={1: {"alexnet": (60.0, 70.0)}})
        assert found.tasks == {"alexnet": 30, "evaluation": 0}

    @settings(deadline=None)
    @given(POINTS, POINTS, HOURS, POLICIES)
    def test_never_lower_is_never_lower(
        self, now: float, before: float, hours: float | None, late: dict[str, str]
    ) -> None:
        within = course(regrade="never lower", late=late)
        then = count(within, attempt(1, hours), points={1: before}).counts
        found = count(within, attempt(1, hours), points={1: now}, earlier={1: mark(before)}).counts
        assert then is not None
        assert found is not None
        assert found >= then


class TestRule:
    def test_nothing_is_added_where_nothing_is_decided(self) -> None:
        """A course without a file shows the mark and no more."""
        assert count(Course(), attempt(1, None, True), points={1: 60.5}).rule == "60.5 of 85"

    def test_a_share_of_the_maximum_is_never_more_than_the_mark(self) -> None:
        found = count(course(late=LATE | {"of": "maximum"}), attempt(1, 100), points={1: 10})
        assert (
            found.rule == "10 of 85; 4 days 5 h late, 10% of 85 for each day or part of a day: -10; counts: 0"
        )
