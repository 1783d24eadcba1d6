"""A user of its own in place of a sandbox: what holds, and that nothing stays behind. Needs root."""

import os
import sys
import time
from pathlib import Path

import pytest

from grader.sandbox import other_user
from grader.sandbox.base import End, Limits, Outcome, Program
from grader.sandbox.lifecycle import unused_users
from grader.sandbox.other_user import OtherUserEngine

# This Python may lie where root alone can read: the system's does not.
PYTHONS = [Path(sys.executable), Path("/usr/bin/python3")]
PYTHON = next((one for one in PYTHONS if OtherUserEngine(one).availability().usable), None)
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or PYTHON is None,
    reason="only root can become another user, with a Python that all can read",
)


def engine() -> OtherUserEngine:
    """One that works here."""
    assert PYTHON
    return OtherUserEngine(PYTHON)


@pytest.fixture
def run(tmp_path: Path) -> "Run":
    return Run(tmp_path)


class Run:
    """Runs a program; its output folder is `output`."""

    def __init__(self, folder: Path) -> None:
        self.submission, self.output = folder / "submission", folder / "output"
        self.submission.mkdir()
        self.output.mkdir()

    def __call__(self, code: str, **limits: float) -> Outcome:
        wanted = Limits(**{"wall_seconds": 20.0, **limits})  # type: ignore[arg-type]
        return engine().run(Program(("-c", code), self.submission, self.output, limits=wanted))


def living() -> list[str]:
    """Processes of any user that a program is given."""
    users = unused_users()
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            try:
                user = path.stat().st_uid
            except OSError:
                continue
            if user in users and other_user.is_of(path.name, user):
                found.append(path.name)
    return found


class TestHolds:
    def test_it_reads_and_writes_what_is_meant_for_it(self, run: Run) -> None:
        (run.submission / "a.txt").write_text("hello")
        program = Program(
            (
                "-c",
                "import sys; open(sys.argv[2] + '/b', 'w').write(open(sys.argv[1] + '/a.txt').read())",
                "/submission",
                "/output",
            ),
            run.submission,
            run.output,
        )
        outcome = engine().run(program)
        assert (outcome.end, outcome.exit_code) == (End.EXIT, 0), outcome.printed
        assert (run.output / "b").read_text() == "hello"

    def test_it_is_nobody_and_stays_so(self, run: Run) -> None:
        code = "import os; print(os.getuid() == 0, os.getgroups())\ntry: os.setuid(0)\n"
        code += "except OSError: print('no')"
        assert run(code).printed == "False []\nno\n"

    def test_what_root_keeps_to_itself_cannot_be_read(self, run: Run, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("s")
        secret.chmod(0o600)
        paths = [str(secret), f"/proc/{os.getpid()}/environ", "/etc/shadow"]
        code = f"for p in {paths!r}:\n try: open(p).read(); print('READ', p)\n except OSError: print('no')"
        assert run(code).printed == "no\n" * 3

    def test_links_in_the_output_are_not_followed(self, run: Run) -> None:
        code = "import os, sys; os.symlink('/etc/passwd', sys.argv[1] + '/x')"
        engine().run(Program(("-c", code, "/output"), run.submission, run.output))
        assert list(run.output.iterdir()) == []

    @pytest.mark.parametrize(
        ("code", "limits", "end"),
        [
            ("while True: pass", {"cpu_seconds": 0.5}, End.CPU),
            ("import time; time.sleep(30)", {"wall_seconds": 0.5}, End.TIMEOUT),
            (
                "x = bytearray(200_000_000)\nimport time; time.sleep(30)",
                {"memory_bytes": 150_000_000},
                End.MEMORY,
            ),
        ],
    )
    def test_limits(self, run: Run, code: str, limits: dict[str, float], end: End) -> None:
        assert run(code, **limits).end is end


class TestNothingStays:
    def test_processes_that_left_their_group_and_hide(self, run: Run) -> None:
        code = (
            "import ctypes, os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        ctypes.CDLL(None).prctl(4, 0)\n"  # not dumpable: its folder in /proc is root's
            "        for d in range(3): os.close(d)\n"
            "        time.sleep(60)\n"
            "    os._exit(0)\n"
        )
        began = time.monotonic()
        assert run(code).end is End.EXIT
        assert time.monotonic() - began < 15
        assert living() == []

    def test_a_program_that_forks_without_end(self, run: Run) -> None:
        code = "import os\nwhile True:\n try: os.fork()\n except OSError: pass"
        outcome = run(code, wall_seconds=2.0, processes=40, cpu_seconds=2.0)
        assert outcome.end in (End.CPU, End.TIMEOUT, End.SIGNAL)
        assert living() == []

    def test_files_in_folders_of_all(self, run: Run) -> None:
        name = f"left-{os.getpid()}"
        code = f"import os\nfor d in ('/tmp', '/dev/shm'):\n os.makedirs(d + '/{name}/x')\n"
        code += f" open(d + '/{name}/x/y', 'w')"
        outcome = run(code)
        assert outcome.exit_code == 0, outcome.printed
        assert not [folder for folder in ("/tmp", "/dev/shm") if Path(folder, name).exists()]
