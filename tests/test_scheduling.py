"""What the tests' schedule names is there, and what must not run side by side is one group."""

from pathlib import Path

import pytest

from tests import scheduling

ROOT = Path(__file__).parents[1]


class TestGroup:
    """group and rank."""

    def test_whole_machine(self) -> None:
        """Tests of shares, leftovers and planted files never run at the same time."""
        share = "tests/grader/sandbox/test_isolation.py::TestProcessor::test_share_of_a_crowd[podman-group]"
        planted = "tests/hostile/test_attack.py::TestRange::test_what_is_stolen_is_found"
        assert scheduling.group(share) == scheduling.group(planted) == "the machine"
        assert scheduling.rank("the machine") == 0

    def test_file(self) -> None:
        """A file's tests share what it has made, also where they measure nothing."""
        guest = "tests/grader/sandbox/guest/test_lines.py"
        assert scheduling.group(f"{guest}::TestLines::test_a[b::c]") == guest

    def test_divided(self) -> None:
        """A function with all its parameters, and its place among the long ones."""
        bank = "tests/grader/proof/test_bank.py"
        group = scheduling.group(f"{bank}::TestBank::test_right[right-alexnet-a::b]")
        assert group == f"{bank}::test_right"
        assert scheduling.rank(group) < scheduling.rank("tests/lab/test_data.py")


@pytest.mark.parametrize("name", [*scheduling.FIRST[1:], *scheduling.DIVIDED])
def test_what_is_named_is_there(name: str) -> None:
    """A file that moves takes its place in the schedule with it."""
    file, _, function = name.partition("::")
    assert (ROOT / file).is_file()
    assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8") or not function


@pytest.mark.parametrize("pattern", [one for patterns in scheduling.JOINED.values() for one in patterns])
def test_every_pattern_fits_a_file(pattern: str) -> None:
    assert list(ROOT.glob(pattern))
