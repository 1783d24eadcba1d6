"""Which cores a job without a control group is held to."""

import os

import pytest

from grader.sandbox import cores

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grader that may use four, and has no job."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {2, 3, 5, 7})
    cores._used.clear()


class TestReserved:
    def test_one_each_while_there_are_enough(self) -> None:
        """Four jobs have four cores; the fifth shares one; what has ended is free again."""
        with cores.reserved(1.0) as a, cores.reserved(1.0) as b, cores.reserved(1.0) as c:
            with cores.reserved(1.0) as d:
                assert a | b | c | d == {2, 3, 5, 7}
                with cores.reserved(1.0) as fifth:
                    assert len(fifth) == 1
            with cores.reserved(1.0) as again:
                assert again == d

    def test_a_part_is_a_whole(self) -> None:
        """Cores cannot be divided without a control group, and there are no more than there are."""
        with cores.reserved(0.5) as half, cores.reserved(1.5) as more:
            assert (len(half), len(more)) == (1, 2)
        with cores.reserved(9.0) as all_of_them:
            assert all_of_them == {2, 3, 5, 7}


class TestPinned:
    def test_command(self) -> None:
        """What runs behind it stays there; without a choice there is no such command."""
        assert cores.pinned({7, 2}) == ["taskset", "--cpu-list", "2,7"]
        assert cores.pinned(set()) == []
