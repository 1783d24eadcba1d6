"""`nox -s check`: where the code runs, and that it says what `grade` says."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from grader import sandbox, session
from grader.commands import check
from grader.errors import UsageError
from grader.practice import checking
from grader.practice.memory import Memory

ROOT = Path(__file__).parents[3]
_bubblewrap = sandbox.ENGINES["bubblewrap"].availability()
needs_sandbox = pytest.mark.skipif(not _bubblewrap.usable, reason=f"no bubblewrap: {_bubblewrap.reason}")
SOLUTION = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
SAVES = SOLUTION.replace(
    "    targets = one_hot(labels, num_classes)\n",
    "    targets = one_hot(labels, num_classes)\n    np.save('statistics.npy', np.stack([mean, std]))\n",
)


def run(folder: Path, *, trust: bool = False) -> tuple[int, str]:
    """The exit code and what was shown of preprocessing alone."""
    console = Console(width=200, record=True)
    code = check.check(ROOT, console, folder=folder, tasks=["preprocessing"], seed=1, trust=trust)
    return code, console.export_text()


@pytest.fixture
def work(tmp_path: Path) -> Callable[[str], Path]:
    """A folder of somebody else's with this preprocessing.py."""

    def write(source: str) -> Path:
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "preprocessing.py").write_text(source, encoding="utf-8")
        return tmp_path / "work"

    return write


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where nothing isolates."""
    monkeypatch.setattr(sandbox, "ENGINES", {"none": sandbox.ENGINES["none"]})


class TestPlace:
    """Where the code runs; more in test_session.py."""

    @pytest.mark.usefixtures("no_sandbox")
    def test_check_refuses_before_anything_runs(self, work: Callable[[str], Path], tmp_path: Path) -> None:
        folder = work(f"open({str(tmp_path / 'marker')!r}, 'w')\n")
        with pytest.raises(UsageError, match="no sandbox works here"):
            run(folder)
        assert not (tmp_path / "marker").exists()
        run(folder, trust=True)
        assert (tmp_path / "marker").exists()


@needs_sandbox
class TestOtherFolders:
    """--folder of what is not this checkout's own."""

    def test_nothing_is_written_outside_and_the_first_line_says_where_it_runs(
        self, work: Callable[[str], Path], tmp_path: Path
    ) -> None:
        marker = tmp_path / "marker"
        code, text = run(
            work(f"{SOLUTION}\ntry:\n    open({str(marker)!r}, 'w')\nexcept OSError:\n    pass\n")
        )
        assert code == 0
        assert "in bubblewrap, no training" in text.splitlines()[0]
        assert "22 of the 22 points" in text
        assert not marker.exists()


class TestFilesThatCannotBeWritten:
    """`check` of assignment/ says what `grade` says, though there is no sandbox to refuse it."""

    WORDS = "OSError: [Errno 30] Read-only file system: 'statistics.npy' (preprocessing.py, line"

    def test_without_a_sandbox(self, work: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(session, "is_own", lambda root, path: True)
        _, text = run(work(SAVES))
        assert "no sandbox, no training" in text.splitlines()[0]
        assert self.WORDS in " ".join(text.split())

    @needs_sandbox
    def test_in_a_sandbox(self, work: Callable[[str], Path]) -> None:
        _, text = run(work(SAVES))
        assert "in bubblewrap" in text.splitlines()[0]
        assert self.WORDS in " ".join(text.split())


class TestCommand:
    def test_assignment_needs_no_sandbox(self) -> None:
        """The stubs of this checkout, from the command line."""
        command = [sys.executable, "-m", "grader", "check", "preprocessing", "--seed", "1"]
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60).stdout
        assert shown.startswith("Checking assignment: Preprocessing · no sandbox, no training")


PRINTS = SOLUTION.replace(
    "    order = np.random.default_rng(seed)",
    "    print('seed', seed)\n    order = np.random.default_rng(seed)",
)
WRONG = SOLUTION.replace(
    "num_test = round(num_examples * test_fraction)", "num_test = num_examples // 2  # the share is ignored"
)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is remembered goes to a folder of the test's own."""
    monkeypatch.setattr(checking, "Memory", lambda root, folder: Memory(tmp_path, folder))
    return tmp_path


@pytest.mark.usefixtures("memory")
class TestShown:
    """What a student reads, from the top."""

    def test_what_to_do_now_comes_first(self, work: Callable[[str], Path]) -> None:
        _, text = run(work(WRONG), trust=True)
        lines = [line for line in text.splitlines() if line.strip()]
        assert lines[1].startswith("Next: fix split_indices in preprocessing.py: ")
        assert "failed: split_indices" in text
        assert "passed: one_hot" in text
        assert lines[-1].startswith("Open in all tasks: ")

    def test_what_is_new_since_last_time(self, work: Callable[[str], Path]) -> None:
        folder = work(WRONG)
        _, first = run(folder, trust=True)
        assert "since last time" not in first
        (folder / "preprocessing.py").write_text(SOLUTION, encoding="utf-8")
        _, second = run(folder, trust=True)
        assert "split_indices" in second
        assert "fixed since last time; " in second

    def test_what_is_printed_stands_under_its_function(self, work: Callable[[str], Path]) -> None:
        _, text = run(work(PRINTS), trust=True)
        lines = [line.strip() for line in text.splitlines()]
        place = next(i for i, line in enumerate(lines) if "passed: split_indices" in line)
        assert lines[place + 1].startswith("It printed, the first of ")
        assert lines[place + 2].startswith("| seed ")
        assert not any(line.startswith("|") for line in lines[:place])

    def test_printing_is_bounded_and_harmless(self, work: Callable[[str], Path]) -> None:
        loud = SOLUTION.replace(
            "    labels = np.asarray(labels)\n",
            "    labels = np.asarray(labels)\n    print('\\x1b[31m' + 'x' * 400)\n"
            "    print('y\\n' * 10**5)\n",
            1,
        )
        assert loud != SOLUTION
        _, text = run(work(loud), trust=True)
        assert "22 of the 22 points" in text
        assert "| ... and more" in text
        assert "\x1b" not in text
        assert text.count("| y") < 20

    def test_a_syntax_error_is_what_is_next(self, work: Callable[[str], Path]) -> None:
        _, text = run(work("import numpy as np\n\ndef split_indices(:\n"), trust=True)
        assert "Next: correct the syntax of preprocessing.py" in text
        assert "3 | def split_indices(:" in text
        assert text.count("SyntaxError") == 1

    def test_one_function(self, work: Callable[[str], Path]) -> None:
        console = Console(width=60, record=True, no_color=True)
        check.check(
            ROOT,
            console,
            folder=work(WRONG),
            tasks=["preprocessing"],
            functions=["one_hot"],
            seed=1,
            trust=True,
        )
        text = console.export_text()
        assert "passed: one_hot" in text
        assert "split_indices" not in text
        assert max(map(len, text.splitlines())) <= 60

    def test_nothing_depends_on_a_colour(self, work: Callable[[str], Path]) -> None:
        """Each sign has its word beside it."""
        _, text = run(work(WRONG), trust=True)
        for line in text.splitlines():
            for sign, word in (("\u2718", "failed"), ("\u2714", "passed"), ("\u25cb", "to write")):
                if line.strip().startswith(sign):
                    assert word in line


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
class TestWatch:
    """`--watch`, as a real process."""

    def test_saves_as_editors_make_them(self, work: Callable[[str], Path]) -> None:
        folder = work(SOLUTION)
        command = [sys.executable, "-u", "-m", "grader", "check", "preprocessing", "--watch", "--trust"]
        process = subprocess.Popen(
            [*command, "--seed", "1", "--folder", str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout

        def until(text: str) -> str:
            shown = ""
            assert process.stdout
            for line in process.stdout:
                shown += line
                if text in line:
                    return shown
            raise AssertionError(shown)

        with process:
            try:
                assert "22 of the 22 points" in until("Watching work/")
                (folder / "new~").write_text(WRONG, encoding="utf-8")  # written beside it and renamed
                (folder / "new~").replace(folder / "preprocessing.py")
                assert "Next: fix split_indices" in until("Watching work/")
                (folder / "preprocessing.py").write_text("def f(:\n", encoding="utf-8")  # while typing
                assert "Next: correct the syntax" in until("Watching work/")
                (folder / "preprocessing.py").unlink()  # gone for a moment
                (folder / "other.py").write_text("x = 1\n", encoding="utf-8")
                (folder / "preprocessing.py").write_text(SOLUTION, encoding="utf-8")
                assert "22 of the 22 points" in until("Watching work/")
                process.send_signal(signal.SIGINT)
                assert "No longer watching." in process.stdout.read()
                assert process.wait(30) == 0
            finally:
                process.kill()
