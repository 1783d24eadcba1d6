"""reference/bench.json: what is refused, and what follows from what was measured."""

import json
from pathlib import Path

import pytest

from grader.benchmark import record
from grader.benchmark.record import OWN, Bench, Figure, Goal, Machine, Side
from grader.errors import ManifestError

WHEN = "2026-11-27T10:15:00Z"


def side(name: str, *values: float) -> Side:
    return Side.of(name, "a command", values, wall_seconds=values, others=[0.1, None, 0.3])


def figure(*sides: Side, goals: tuple[Goal, ...] = ()) -> Figure:
    return Figure.of("check", "check", "s", sides, goals, when=WHEN)


def bench(**changes: object) -> Bench:
    machine = Machine(processor="a processor", cores=2, memory_gib=24, system="Linux 6")
    fields: dict[str, object] = {
        "machine": machine,
        "versions": {"python": "3.11.7"},
        "code": "abc",
        "commit": "",
        "quick": False,
        "began": WHEN,
    }
    return Bench.model_validate({**fields, **changes})


class TestSide:
    """Side.of and what it refuses."""

    def test_median_and_spread(self) -> None:
        one = side(OWN, 3.0, 1.0, 10.0)
        assert (one.value, one.low, one.high, one.wall_seconds) == (3.0, 1.0, 10.0, 3.0)
        assert one.others == 0.3  # the largest: that run was disturbed most

    @pytest.mark.parametrize("changes", [{"value": 2.0}, {"low": 2.0}, {"values": ()}])
    def test_numbers_that_do_not_agree(self, changes: dict[str, object]) -> None:
        """A file that was edited by hand is found."""
        with pytest.raises(ValueError):
            Side.model_validate({**side(OWN, 3.0, 1.0, 10.0).model_dump(), **changes})


class TestGoal:
    """Whether goals are met."""

    @pytest.mark.parametrize(
        ("goal", "met"),
        [
            (Goal(most=2.0), True),
            (Goal(most=1.9), False),
            (Goal(least=2.0), True),
            (Goal(least=2.1), False),
            (Goal(against="nbgrader", most=0.5), True),
            (Goal(against="nbgrader", most=0.4), False),
            (Goal(against="otter-grader", most=0.6), None),
        ],
    )
    def test_met(self, goal: Goal, met: bool | None) -> None:
        """Of the value, of the ratio to a side, and unknown without that side: never met by accident."""
        found = figure(side(OWN, 2.0), side("nbgrader 0.9.6", 4.0), goals=(goal,))
        assert found.goals[0].met is met
        assert found.ratios == {"nbgrader 0.9.6": 0.5}

    def test_without_own_side(self) -> None:
        """Where this kit could not be measured, nothing is divided by another's value."""
        found = figure(side("nbgrader 0.9.6", 4.0), goals=(Goal(against="nbgrader", most=0.5),))
        assert found.ratios == {}
        assert found.goals[0].met is None

    def test_one_bound(self) -> None:
        with pytest.raises(ValueError, match="one of"):
            Goal(most=1.0, least=1.0)
        with pytest.raises(ValueError, match="one of"):
            Goal()


class TestFile:
    """load, save, same_run."""

    def test_there_and_back(self, tmp_path: Path) -> None:
        written = bench(figures={"check": figure(side(OWN, 2.0))})
        record.save(written, tmp_path / "bench.json")
        assert record.load(tmp_path / "bench.json") == written
        assert record.load(tmp_path / "none.json") is None

    @pytest.mark.parametrize(
        "change", [{"format": 2}, {"quick": "perhaps"}, {"more": 1}, {"figures": {"x": {}}}]
    )
    def test_refused(self, tmp_path: Path, change: dict[str, object]) -> None:
        """The file and the place are named."""
        path = tmp_path / "bench.json"
        path.write_text(json.dumps({**bench().model_dump(mode="json"), **change}))
        with pytest.raises(ManifestError, match=rf"bench\.json: {next(iter(change))}"):
            record.load(path)

    def test_runs_that_do_not_compare(self) -> None:
        machine = Machine(processor="another", cores=2, memory_gib=24, system="Linux 6")
        assert bench().same_run(bench(began="later", commit="other"))
        for other in (bench(code="x"), bench(quick=True), bench(machine=machine), bench(versions={})):
            assert not bench().same_run(other)
