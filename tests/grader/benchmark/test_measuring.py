"""One command as a fresh process: its time, its memory, its end."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from grader.benchmark.measuring import CommandFailed, run

SPIN = "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass\n"


def python(code: str, cwd: Path, **options: object) -> object:
    """A program of its own."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return run(command, cwd=cwd, environment=dict(os.environ), **options)  # type: ignore[arg-type]


class TestTime:
    """wall_seconds, cpu_seconds."""

    def test_children_are_counted(self, tmp_path: Path) -> None:
        """A command that has another one compute has computed."""
        (tmp_path / "spin.py").write_text(SPIN)
        waits = "import subprocess, sys\nsubprocess.run([sys.executable, 'spin.py'])"
        sample = python(waits, tmp_path)
        assert sample.cpu_seconds > 0.6
        assert sample.wall_seconds > 0.6

    def test_nobody_waited(self, tmp_path: Path) -> None:
        """What the system does not add up, since nobody waited for it, is seen as far as it lived."""
        (tmp_path / "spin.py").write_text(SPIN.replace("0.6", "1.5"))
        leaves = """
            import signal, subprocess, sys
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system keeps no account then
            process = subprocess.Popen([sys.executable, "spin.py"])
            try:
                process.wait()
            except ChildProcessError:
                pass
        """
        assert python(leaves, tmp_path).cpu_seconds > 1.0

    def test_waiting_costs_no_processor(self, tmp_path: Path) -> None:
        sample = python("import time; time.sleep(1)", tmp_path)
        assert sample.wall_seconds > 1
        assert sample.cpu_seconds < 0.9

    def test_what_others_use_is_no_part_of_it(self, tmp_path: Path) -> None:
        """A share of the machine, where the system tells it."""
        others = python("pass", tmp_path).others
        assert others is None or 0 <= others <= 1


class TestMemory:
    """below_mib."""

    def test_nothing_below(self, tmp_path: Path) -> None:
        assert python("kept = bytearray(200 * 2**20)", tmp_path, memory=True).below_mib == 0

    def test_family_counts_what_it_shares_once(self, tmp_path: Path) -> None:
        """A child forks: 200 MiB are shared, 100 are written by the fork alone."""
        (tmp_path / "family.py").write_text(
            textwrap.dedent("""
                import os, time
                shared = bytearray(b"x") * (200 * 2**20)
                if os.fork() == 0:
                    own = bytearray(b"y") * (100 * 2**20)
                    time.sleep(1.5)
                    os._exit(0)
                os.wait()
            """)
        )
        waits = "import subprocess, sys\nsubprocess.run([sys.executable, 'family.py'], check=True)"
        sample = python(waits, tmp_path, memory=True)
        assert 300 < sample.below_mib < 370


class TestEnd:
    """A command that does not end as it should, and one that is stopped."""

    def test_another_code(self, tmp_path: Path) -> None:
        """The error says the code and what was printed last."""
        with pytest.raises(CommandFailed, match=r"ended with 3: (?s:.*)no such luck"):
            python("print('no such luck'); raise SystemExit(3)", tmp_path)
        python("raise SystemExit(3)", tmp_path, codes=(0, 3))

    def test_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CommandFailed, match="cannot be started"):
            run([str(tmp_path / "nothing")], cwd=tmp_path, environment={})

    def test_too_long(self, tmp_path: Path) -> None:
        began = time.monotonic()
        with pytest.raises(CommandFailed, match="ended with -9 after"):
            python("import time; time.sleep(60)", tmp_path, limit_seconds=0.5)
        assert time.monotonic() - began < 20

    def test_ctrl_c_leaves_nothing(self, tmp_path: Path) -> None:
        """The command may put things away first, and what it had started is gone as well."""
        (tmp_path / "long.py").write_text(
            textwrap.dedent("""
                import pathlib, subprocess, sys, time
                child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
                pathlib.Path("child").write_text(str(child.pid))
                try:
                    time.sleep(600)
                except KeyboardInterrupt:
                    pathlib.Path("tidied").touch()
            """)
        )
        measures = (
            "import os, sys; from pathlib import Path; from grader.benchmark.measuring import run; "
            "run([sys.executable, 'long.py'], cwd=Path('.'), environment=dict(os.environ))"
        )
        variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        process = subprocess.Popen(
            [sys.executable, "-c", measures], cwd=tmp_path, env=variables, stderr=subprocess.PIPE
        )
        with process:
            while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert b"KeyboardInterrupt" in errors
        assert (tmp_path / "tidied").exists()
        child = int((tmp_path / "child").read_text())
        state = Path(f"/proc/{child}/stat")
        assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"
