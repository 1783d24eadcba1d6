"""How long a run takes: against a schedule of it, and in words."""

import heapq
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.estimate import Pace, Work, in_words, of, seconds, sentence


def scheduled(probes: int, trainings: int, pace: Pace) -> float:
    """How long it takes where every place takes the next piece of work as soon as it is free."""
    assert pace.probe is not None
    assert pace.training is not None
    free = [0.0] * pace.places
    for length in [pace.probe] * probes + [pace.training] * trainings:
        heapq.heappush(free, heapq.heappop(free) + length)
    return max(free)


class TestSeconds:
    @settings(deadline=None)
    @given(
        st.integers(0, 60),
        st.integers(0, 40),
        st.floats(0.1, 30),
        st.floats(5, 300),
        st.integers(1, 8),
    )
    def test_less_than_a_schedule_by_one_training_or_probe_at_most(
        self, probes: int, trainings: int, probe: float, training: float, places: int
    ) -> None:
        pace = Pace(probe, training, places)
        estimated, real = seconds(probes, trainings, pace), scheduled(probes, trainings, pace)
        assert estimated is not None
        one = max(probe if probes else 0, training if trainings else 0)
        assert real - one <= estimated + 1e-6
        assert estimated <= real + probe + 1e-6

    @pytest.mark.parametrize(
        ("probes", "trainings", "places", "expected"),
        [(0, 0, 2, 0), (0, 1, 2, 25), (0, 3, 2, 50), (40, 0, 2, 40), (40, 22, 2, 315), (1, 1, 8, 27)],
    )
    def test_of_some(self, probes: int, trainings: int, places: int, expected: float) -> None:
        """A training takes 25 s and a probe 2 s."""
        assert seconds(probes, trainings, Pace(2, 25, places)) == expected

    @settings(deadline=None)
    @given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 8))
    def test_more_work_never_takes_less_and_more_places_never_longer(
        self, probes: int, trainings: int, places: int
    ) -> None:
        def took(probes: int, trainings: int, places: int) -> float:
            found = seconds(probes, trainings, Pace(1.5, 25, places))
            assert found is not None
            return found

        assert took(probes, trainings, places) <= took(probes + 1, trainings, places)
        assert took(probes, trainings, places) <= took(probes, trainings + 1, places)
        assert took(probes, trainings, places + 1) <= took(probes, trainings, places)

    def test_what_is_not_known_is_needed_only_for_what_there_is(self) -> None:
        assert seconds(4, 1, Pace(1, None)) is None
        assert seconds(4, 1, Pace(None, 25)) is None
        assert seconds(4, 0, Pace(1, None)) == 4
        assert seconds(0, 1, Pace(None, 25)) == 25

    def test_stored_probes_are_not_made(self) -> None:
        assert of(Work(8, 5, probes_stored=30, trainings_known=99), Pace(2, 25, 2)) == 10
        assert of(Work(8, 5, probes_stored=99), Pace(2, 25, 2)) == 0


class TestSentence:
    PACE = Pace(1.5, 60, 2)

    @pytest.mark.parametrize(
        ("work", "expected"),
        [
            (Work(8, 5, trainings=22), "about 12 min: 40 probes, 22 trainings on 2 places"),
            (Work(1, 1, trainings=1), "about 60 s: 1 probe, 1 training on 2 places"),
            (
                Work(8, 5, probes_stored=39, trainings_known=40, trainings_stored=1),
                "about 10 s: 1 probe on 2 places (39 probes stored or not needed, "
                "1 training stored, 40 trainings known)",
            ),
            (
                Work(8, 5, probes_stored=40, trainings_known=40),
                "a few seconds: nothing to probe and nothing to train "
                "(40 probes stored or not needed, 40 trainings known)",
            ),
            (
                Work(200, 5, trainings=3, may_grow=True),
                "at least 14 min: 1000 probes, 3 trainings on 2 places; "
                "what the probes find may have to be trained besides",
            ),
        ],
    )
    def test_says_how_long_and_what_for(self, work: Work, expected: str) -> None:
        assert sentence(work, self.PACE) == expected

    def test_what_is_not_known(self) -> None:
        assert sentence(Work(1, 5, trainings=2), Pace(1, None, 1)) == (
            "5 probes, 2 trainings on 1 place; how long that takes here is not known yet"
        )


class TestInWords:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "10 s"),
            (44, "40 s"),
            (94, "90 s"),
            (95, "2 min"),
            (731, "12 min"),
            (89.4 * 60, "89 min"),
            (92 * 60, "1 h 30 min"),
            (3 * 3600, "3 h"),
            (26 * 3600 + 600, "26 h 10 min"),
            (50 * 3600, "2 days 2 h"),
            (72 * 3600, "3 days"),
        ],
    )
    def test_words(self, seconds: float, words: str) -> None:
        assert in_words(seconds) == f"about {words}"

    def test_no_two_words_for_one_time_and_none_left_out(self) -> None:
        """From one form to the next nothing jumps by more than a tenth."""
        for now, then in pairwise(range(20, 400_000, 7)):
            shown = [in_words(float(one)) for one in (now, then)]
            values = [_as_seconds(one) for one in shown]
            assert values[0] <= values[1]
            assert abs(values[1] - then) <= max(0.3 * then, 10)


def _as_seconds(words: str) -> int:
    units = {"s": 1, "min": 60, "h": 3600, "days": 86400}
    _, *parts = words.split()
    return sum(int(count) * units[unit] for count, unit in zip(parts[::2], parts[1::2], strict=True))
