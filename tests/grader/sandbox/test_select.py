"""Which engine runs whose code."""

from dataclasses import dataclass

import pytest

from grader.errors import UsageError
from grader.sandbox import Availability, Outcome, Program, select


@dataclass
class Fake:
    """An engine that need not exist."""

    name: str
    isolates: bool
    found: Availability

    def availability(self) -> Availability:
        return self.found

    def run(self, program: Program) -> Outcome:
        raise NotImplementedError


WORKS = Availability(True)
BROKEN = Availability(False, "bwrap is not installed", "apt-get install bubblewrap")


@pytest.fixture(params=[WORKS, BROKEN], ids=["works", "missing"], name="found")
def engines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Availability:
    """A machine with a sandbox that works, and one without."""
    fakes = [Fake("strong", True, request.param), Fake("none", False, WORKS)]
    monkeypatch.setattr("grader.sandbox.ENGINES", {fake.name: fake for fake in fakes})
    found: Availability = request.param
    return found


class TestSelect:
    def test_auto_takes_the_strongest(self, found: Availability) -> None:
        """For one's own code too, where there is one; without any, one's own code runs all the same."""
        assert select("auto", own_code=True).name == ("strong" if found.usable else "none")

    def test_auto_never_runs_others_code_bare(self, found: Availability) -> None:
        """Without a sandbox, other people's code does not run, and the package to install is named."""
        if found.usable:
            assert select("auto", own_code=False).name == "strong"
        else:
            with pytest.raises(UsageError, match="apt-get install bubblewrap"):
                select("auto", own_code=False)

    def test_none_is_for_own_code(self, found: Availability) -> None:
        """Asked for by name, it is refused for others' code, with the way out."""
        assert select("none", own_code=True).name == "none"
        with pytest.raises(UsageError, match="--trust"):
            select("none", own_code=False)

    def test_by_name(self, found: Availability) -> None:
        """An engine that does not work here is an error even where another would do."""
        if found.usable:
            assert select("strong", own_code=False).name == "strong"
        else:
            with pytest.raises(UsageError, match="not installed"):
                select("strong", own_code=True)

    def test_unknown_names(self, found: Availability) -> None:
        """The error lists what there is."""
        with pytest.raises(UsageError, match="auto, strong, none"):
            select("gvisor", own_code=True)
