"""How far a run is: nothing is counted twice or for ever, and the time left ends at nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.estimate import Pace
from grader.training.tally import Tally

STUDENTS = tuple(f"student {number}" for number in range(5))


def tally(**fields: Any) -> Tally:
    """Of five students with two tasks each, on two places."""
    return Tally(**{"students": STUDENTS, "probes": 10, "places": 2} | fields)


class TestCounts:
    def test_each_student_is_done_running_or_queued(self) -> None:
        one = tally()
        one.began(STUDENTS[0])
        one.probed(
            STUDENTS[1],
        )
        one.decided(STUDENTS[2])
        assert (one.students_done, one.students_running, one.students_queued) == (1, 2, 2)

    def test_a_student_who_cannot_be_graded_is_done_all_the_same(self) -> None:
        """Nothing of it was probed, so that a sum of probes would never reach its total."""
        one = tally()
        for student in STUDENTS:
            one.decided(student)
        assert one.probes_done == 10
        assert one.left(100.0) == 0

    def test_a_training_is_to_come_runs_and_ends(self) -> None:
        one = tally()
        one.queued("a")
        one.queued("b")
        assert (one.trainings, one.waiting, len(one.running), one.ended) == (2, 2, 0, 0)
        one.started("a", 1.0)
        assert (one.trainings, one.waiting, len(one.running), one.ended) == (2, 1, 1, 0)
        one.finished("a", 9.0)
        one.finished("b", 9.0, fault=True)  # without a start: it could not be started
        assert (one.trainings, one.waiting, len(one.running), one.ended, one.faults) == (2, 0, 0, 2, 1)

    def test_a_training_that_is_repeated_counts_again(self) -> None:
        one = tally()
        for _ in range(2):
            one.queued("a")
        one.started("a", 0.0)
        assert one.waiting == 1
        one.finished("a", 5.0)
        one.started("a", 5.0)
        one.finished("a", 9.0)
        assert (one.trainings, one.ended, one.waiting) == (2, 2, 0)

    def test_whoever_announces_nothing_is_counted_too(self) -> None:
        one = Tally()
        one.started("a", 0.0)
        assert one.trainings == 1
        one.finished("a", 1.0)
        assert (one.trainings, one.ended) == (1, 1)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["began", "probed", "decided"]), st.sampled_from(STUDENTS)),
        st.tuples(
            st.sampled_from(["queued", "started", "finished", "fault", "stored"]), st.sampled_from("abcd")
        ),
    ),
    max_size=40,
)


class TestAnyRun:
    @settings(deadline=None)
    @given(EVENTS)
    def test_counts_add_up_at_every_moment_and_reach_their_totals(
        self, events: list[tuple[str, str]]
    ) -> None:
        """In any order of events, also one that no pool has."""
        one = tally(pace=Pace(1.0, 20.0))
        now = 0.0
        for what, which in events:
            now += 1.0
            if what in ("began", "probed", "decided"):
                getattr(one, what)(which)
            elif what == "queued":
                one.queued(which)
            elif what == "started":
                one.started(which, now)
            elif what == "stored":
                one.stored.add(which)
            else:
                one.finished(which, now, fault=what == "fault")
            assert one.students_done + one.students_running + one.students_queued == len(STUDENTS)
            assert one.ended + len(one.running) + one.waiting == one.trainings
            assert 0 <= one.probes_done <= one.probes
            left = one.left(now)
            assert left is not None
            assert left >= 0
        for student in STUDENTS:
            one.decided(student)
        while one.waiting or one.running:
            for digest in "abcd":
                if digest in one.running or one.waits(digest):
                    one.finished(digest, now)
        assert one.students_done == len(STUDENTS)
        assert one.probes_done == one.probes
        assert one.ended == one.trainings
        assert one.left(now) == 0


class TestLeft:
    def test_is_not_known_before_anything_is(self) -> None:
        assert tally().left(0.0) is None
        assert Tally().left(0.0) == 0
        assert tally(pace=Pace(2.0, None)).left(0.0) == 10

    def test_goes_by_what_was_seen_here(self) -> None:
        """Two of ten probed after 4 s on two places: 4 s each, and 8 are left."""
        one = tally(pace=Pace(100.0, 100.0))
        one.probed(STUDENTS[0])
        one.probed(STUDENTS[0])
        assert one.left(4.0) == 16

    def test_who_is_decided_without_a_probe_says_nothing_of_how_long_one_takes(self) -> None:
        one = tally(pace=Pace(3.0, 100.0))
        one.decided(STUDENTS[0])
        assert one.left(0.5) == 12

    def test_those_who_are_not_probed_are_expected_to_be_like_the_others(self) -> None:
        one = tally(pace=Pace(0.0, 10.0))
        one.probed(STUDENTS[0])
        one.probed(STUDENTS[0])
        one.queued("a")
        # One training for two probes, and eight probes are left: five trainings on two places.
        assert one.left(0.0) == 30

    def test_a_training_that_runs_knows_best_itself(self) -> None:
        one = Tally(places=2, pace=Pace(None, 500.0))
        one.queued("a")
        one.started("a", 0.0)
        assert one.left(100.0) == 400
        one.step("a", 0, 0.5, 0.1, 30.0)
        assert one.left(100.0) == 30

    def test_of_those_that_wait_by_those_that_ended(self) -> None:
        one = Tally(places=1)
        for digest in "abc":
            one.queued(digest)
        one.started("a", 0.0)
        assert one.left(1.0) is None
        one.finished("a", 40.0)
        assert one.left(40.0) == 80

    @pytest.mark.parametrize("fault", [False, True])
    def test_what_failed_says_nothing_of_how_long_others_take(self, fault: bool) -> None:
        one = Tally(places=1, pace=Pace(None, 7.0))
        one.queued("a")
        one.queued("b")
        one.started("a", 0.0)
        one.finished("a", 1.0, fault=fault)
        assert one.left(1.0) == (7 if fault else 1)
