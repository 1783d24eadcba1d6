"""What `nox -s doctor` says, of this machine and of worse ones."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from grader.commands import doctor
from grader.commands.doctor import Line
from grader.sandbox import Availability, End, Outcome, Program, self_test

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Leaky:
    """An engine that says it works, and lets a program do what is in `found`."""

    found: dict[str, object]
    ends: End = End.EXIT
    name: str = "leaky"
    isolates: bool = True
    softness: str = ""
    available: Availability = field(default_factory=lambda: Availability(True))

    def availability(self) -> Availability:
        return self.available

    def soft(self) -> str:
        return self.softness

    def run(self, program: Program) -> Outcome:
        return Outcome(self.ends, 0, 0.0, None, json.dumps(self.found))


OPEN = {
    "network": ["allowed"],
    "folders": ["", "/usr"],
    "calls": ["allowed"],
    "environment": ["PATH", "SECRET"],
    "user": 0,
    "capabilities": "00000000a80425fb",
    "processes": 200,
}


class TestTryLimits:
    def test_engine_that_holds_nothing(self) -> None:
        """Each limit that does not hold is found, with what was seen."""
        tried = list(self_test.try_limits(Leaky(OPEN)))
        assert [one.holds for one in tried] == [False] * 11
        seen = "; ".join(one.seen for one in tried)
        for word in (
            "socket",
            "could write to /usr",
            "user 0",
            "namespace",
            "SECRET",
            "200",
            "ended by exit",
            "not measured",
        ):
            assert word in seen


class TestEngineLine:
    def test_broken_limits_are_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An engine that works but does not hold what it should is no engine to grade with."""
        monkeypatch.setattr(doctor, "_version_of", lambda _name: "leaky 1.0")
        (line,) = doctor._engine(Leaky(OPEN))
        assert line.state == "missing"
        assert "does not hold: no network (a socket could be opened)" in line.fix

    def test_soft_limits_are_stated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An engine without a control group has a line of its own that states it, and what gives one."""
        monkeypatch.setattr(doctor, "_version_of", lambda _name: "leaky 1.0")
        line = list(doctor._engine(Leaky(OPEN, softness="no control group")))[-1]
        assert (line.thing, line.state, line.what) == ("leaky limits", "without", "soft: no control group")
        assert "systemd" in line.fix

    def test_missing_engine(self) -> None:
        """The reason, and the command that fixes it."""
        found = Availability(False, "it is not installed", "apt-get install it")
        (line,) = doctor._engine(Leaky(OPEN, available=found))
        assert (line.state, line.what, line.fix) == ("missing", "it is not installed", "apt-get install it")


class TestPackages:
    def test_as_locked(self) -> None:
        """What the tests run with is what uv.lock says."""
        assert {line.state for line in doctor._packages(ROOT)} == {"ok"}

    def test_another_version(self, tmp_path: Path) -> None:
        """A package that is not the locked one is named with both versions."""
        (tmp_path / "uv.lock").write_text('[[package]]\nname = "keras"\nversion = "1.0"\n')
        keras, *_ = doctor._packages(tmp_path)
        assert keras.state == "missing"
        assert "uv.lock says 1.0" in keras.what


class TestVerdict:
    PACKAGE = Line("Packages", "keras", "ok", "3")

    @pytest.mark.parametrize(
        ("lines", "code", "said"),
        [
            ([PACKAGE, Line("Engines", "podman", "ok", "")], 0, "takes podman"),
            ([PACKAGE, Line("Engines", "podman", "missing", "")], 1, "no sandbox works on this machine"),
            ([Line("Packages", "keras", "missing", ""), Line("Engines", "podman", "ok", "")], 1, "packages"),
        ],
    )
    def test_says_whether_one_can_grade(self, lines: list[Line], code: int, said: str) -> None:
        verdict, _, found = doctor._verdict(lines)
        assert (found, said in verdict) == (code, True)


@pytest.mark.slow
def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    """On this machine, whatever it has: every topic, and for what is missing a way to come by it."""
    assert doctor.doctor(ROOT, Console(width=110)) in (0, 1)
    printed = capsys.readouterr().out
    # No "Images" without podman and docker.
    for topic in ("Machine", "Tools", "Packages", "Devices", "Engines", "Data", "Profiles", "Disk"):
        assert topic in printed
