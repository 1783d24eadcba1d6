"""`nox -s check`: where the code runs, and that it says what `grade` says."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from grader import sandbox, session
from grader.commands import check
from grader.errors import UsageError

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
