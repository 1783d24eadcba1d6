"""What the engine without isolation still does for one's own code."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from grader.sandbox import ENGINES, Engine, Program, control_groups
from grader.sandbox.base import End
from tests.grader.sandbox.running import Run, runner

MIB = 1024 * 1024
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: its /proc and control groups")


@pytest.fixture
def engine() -> Engine:
    return ENGINES["none"]


@pytest.fixture(params=["group", "watchdog"])
def run(
    request: pytest.FixtureRequest, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs code, with a control group and where there could be none."""
    if request.param == "watchdog":
        monkeypatch.setattr(control_groups.Group, "create", lambda _limits: None)
    elif not control_groups._parents():
        pytest.skip("no control group can be made here (run as root, or with systemd's delegation)")
    return runner(engine, tmp_path)


class TestRun:
    def test_says_that_it_isolates_nothing(self, engine: Engine) -> None:
        """It is always there and never counts as a sandbox."""
        assert engine.availability().usable
        assert not engine.isolates

    def test_exit_code_and_output(self, run: Run) -> None:
        """The program's exit code and what it printed on both streams."""
        outcome = run("import os, sys; os.write(1, b'a'); os.write(2, b'b'); sys.exit(3)").outcome
        assert (outcome.end, outcome.exit_code, outcome.printed) == (End.EXIT, 3, "ab")

    def test_paths_are_the_real_ones(self, engine: Engine, tmp_path: Path) -> None:
        """Arguments that mean a path inside a sandbox, and only those, are rewritten; the longest wins."""
        kit, probe, submission, output = (tmp_path / name for name in ("kit", "probe", "handed in", "out"))
        for folder in (kit, submission, output):
            folder.mkdir()
        (kit / "program.py").write_text("import sys; print(sys.argv[1:])")
        probe.write_text("")
        arguments = (
            "/kit/program.py",
            "/kit/probe.py",
            "/submission/a.py",
            "/output",
            "/outputs",
            "x/output",
        )
        readable = {"/kit": kit, "/kit/probe.py": probe}
        outcome = engine.run(Program(arguments, submission, output, readable))
        rest = [str(probe), str(submission / "a.py"), str(output), "/outputs", "x/output"]
        assert outcome.printed == f"{rest}\n"

    def test_environment_is_small(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """The grader's variables stay with the grader; HOME is a folder that goes with the program."""
        monkeypatch.setenv("SECRET", "canary")
        printed = run(
            "import os; print(os.getcwd(), os.environ['HOME'], 'SECRET' in os.environ)"
        ).outcome.printed
        folder, home, leaked = printed.split()
        assert folder == home
        assert not Path(folder).exists()
        assert leaked == "False"

    def test_signal(self, run: Run) -> None:
        """A crash is told from an exit."""
        outcome = run("import os; os.abort()").outcome
        assert (outcome.end, outcome.exit_code) == (End.SIGNAL, -signal.SIGABRT)

    def test_time(self, run: Run) -> None:
        """An endless loop ends with its time."""
        start = time.monotonic()
        assert run("while True: pass", wall_seconds=0.5).outcome.end is End.TIMEOUT
        assert time.monotonic() - start < 2.5

    def test_printing_a_lot(self, run: Run) -> None:
        """The first and the last of it are kept."""
        outcome = run("for n in range(200_000): print(n)", printed_bytes=1000).outcome
        assert outcome.printed.startswith("0\n1\n2\n")
        assert outcome.printed.endswith("199999\n")
        assert len(outcome.printed) == 1000

    @pytest.mark.slow
    @LINUX
    def test_processor_time_in_total(self, run: Run) -> None:
        """Several processes share one limit and one core."""
        code = "import os\nfor _ in range(2): os.fork()\nwhile True: pass"
        outcome = run(code, cpu_seconds=1.0).outcome
        assert outcome.end is End.CPU
        assert outcome.cpu_seconds is not None
        assert outcome.cpu_seconds >= 1.0
        assert outcome.cpu_seconds <= 1.25 * outcome.seconds

    @LINUX
    def test_memory_in_total(self, run: Run) -> None:
        """Several processes share one limit."""
        code = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        x = bytearray(b"x") * (60 * 2**20)
        time.sleep(60)
time.sleep(60)
"""
        assert run(code, memory_bytes=160 * MIB).outcome.end is End.MEMORY

    @LINUX
    def test_daemons_end_with_it(self, run: Run, tmp_path: Path) -> None:
        """A process that left the group and its parent is found and killed."""
        note = tmp_path / "pid"
        code = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({str(note)!r}, "w").write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not os.path.exists({str(note)!r}) or not open({str(note)!r}).read(): time.sleep(0.01)
"""
        assert run(code).outcome.end is End.EXIT
        status = Path("/proc", note.read_text(), "status")
        # A container's process 1 may never bury it, but dead it is.
        assert not status.exists() or "State:\tZ" in status.read_text()

    def test_output_is_bounded(self, run: Run) -> None:
        """Too many bytes in the output folder end the program."""
        code = """
import sys, time
for n in range(20): open(sys.argv[1] + f"/{n}", "wb").write(bytes(2**20))
time.sleep(60)
"""
        assert run(code, arguments=("/output",), output_bytes=8 * MIB).outcome.end is End.OUTPUT

    @pytest.mark.skipif(os.name != "posix", reason="needs rlimits")
    def test_one_file_is_bounded(self, run: Run) -> None:
        """A file cannot grow past its limit."""
        code = """
import sys
try: open(sys.argv[1] + "/x", "wb").write(bytes(3 * 2**20))
except OSError as error: print(error.errno)
"""
        assert run(code, arguments=("/output",), file_bytes=2 * MIB).outcome.printed == "27\n"
