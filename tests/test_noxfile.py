"""The sessions of nox, started from another folder than the checkout, in which a stranger's files lie."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import checkout
from tests.checkout import NOX

ROOT = Path(__file__).resolve().parents[1]
needs_nox = pytest.mark.skipif(NOX is None, reason="nox is neither on PATH nor in .venv")

# What a command would import from the folder it is typed in, if it looked for modules there.
PLANTED = ("numpy", "keras", "grader", "lab", "click", "rich", "pydantic", "yaml", "json", "sitecustomize")


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout whose .nox/kit is this very environment: nothing is installed into it."""
    return checkout.copy(tmp_path_factory.mktemp("nox") / "kit", without=("bank/", "docs/", "tests/"))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with one submission, alice/, and modules that leave a mark where they are imported."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name in PLANTED:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write({name!r})\n")
    (folder / "alice").mkdir()
    shutil.copy(ROOT / "solutions" / "preprocessing.py", folder / "alice")
    return folder


@pytest.fixture
def nox(kit: Path, elsewhere: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a session from there."""

    def run(session: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        assert NOX
        return subprocess.run(
            [NOX, "-f", os.path.relpath(kit / "noxfile.py", elsewhere), "-s", session, "--", *arguments],
            cwd=elsewhere,
            env={**os.environ, "COLUMNS": "200", **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


@pytest.mark.slow
@needs_nox
class TestFromAnotherFolder:
    """nox goes to its noxfile's folder; what a command is given is where whoever called it stands."""

    def test_check(self, elsewhere: Path, nox: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
        """A relative --folder is found, and no file beside it is imported."""
        done = nox("check", "preprocessing", "--folder", "alice", "--trust")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("Checking alice: ")
        assert "22 of the 22 points" in done.stdout
        assert not (elsewhere.parent / "imported").exists()

    def test_python_path(
        self, elsewhere: Path, nox: Callable[..., "subprocess.CompletedProcess[str]"]
    ) -> None:
        """Nor is it where somebody's PYTHONPATH has that folder in it."""
        for name in ("json", "sitecustomize"):  # what nox itself would import is not ours to keep out
            (elsewhere / f"{name}.py").unlink()
        done = nox("grade", "nowhere", "--profile", "offline", PYTHONPATH=f"{os.pathsep}.")
        assert done.returncode == 2, done.stdout + done.stderr
        assert done.stdout.startswith("nox -s grade: there is no nowhere\n")
        assert not (elsewhere.parent / "imported").exists()

    def test_defaults_are_the_checkouts(self, nox: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
        """assignment/ is the one beside the noxfile: its stubs are what solutions/ gives."""
        done = nox("stubs", "--check")
        assert (done.returncode, done.stdout) == (0, "assignment/ is what solutions/ gives.\n"), done.stderr

    def test_exit_codes(self, nox: Callable[..., "subprocess.CompletedProcess[str]"]) -> None:
        """The command's own, not nox's 1."""
        done = nox("check", "--folder", "bob")
        assert (done.returncode, done.stdout) == (
            2,
            "nox -s check: there is no folder bob\n  Name yours with --folder\n",
        )
        done = nox("data", "--from", "nowhere.zip")
        assert done.returncode == 2
        assert (
            "nox -s data: Invalid value for '--from': there is no file or folder nowhere.zip" in done.stderr
        )

    @pytest.mark.slow
    def test_grade(
        self, kit: Path, elsewhere: Path, nox: Callable[..., "subprocess.CompletedProcess[str]"]
    ) -> None:
        """A path that is named is from where it was typed; results/ is the checkout's, and shown in full."""
        asked = ("alice", "--profile", "offline", "--trust", "--engine", "none", "--seed", "1")
        done = nox("grade", *asked, "--out", "marks")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "\nmarks/alice/: results.json, report.txt" in done.stdout
        assert (elsewhere / "marks" / "alice" / "results.json").is_file()
        assert not (kit / "results").exists()
        done = nox("grade", *asked)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"\n{kit}/results/alice/: results.json" in done.stdout
        assert (kit / "results" / "alice" / "results.json").is_file()
        assert sorted(path.name for path in elsewhere.iterdir() if path.is_dir()) == ["alice", "marks"]
        assert not (elsewhere.parent / "imported").exists()


@pytest.mark.slow
class TestWithoutNox:
    """`python -m grader` from another folder, where only PYTHONPATH leads to the checkout."""

    def run(self, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """With a relative PYTHONPATH, as it would be typed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=folder,
            env={**kept, "PYTHONPATH": os.path.relpath(ROOT, folder), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def test_the_folder_itself(self, elsewhere: Path) -> None:
        """`--folder .` is called by its name; what lies in it is not imported by the grader."""
        folder = elsewhere / "alice"
        for name in ("click", "rich", "pydantic", "yaml", "pathlib", "argparse"):
            shutil.copy(elsewhere / "numpy.py", folder / f"{name}.py")
        done = self.run(folder, "grader", "check", "preprocessing", "--folder", ".", "--trust")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("Checking alice: ")
        assert not (elsewhere.parent / "imported").exists()

    def test_stages(self, elsewhere: Path) -> None:
        """So it is for `python -m grader.reference`."""
        for name in ("grader", "lab"):  # these Python itself would take first: nox keeps them out, see above
            (elsewhere / f"{name}.py").unlink()
        done = self.run(elsewhere, "grader.reference", "images", "--profile", "moon")
        assert done.returncode == 2, done.stdout + done.stderr
        assert "there is no profile 'moon'" in done.stdout
        assert not (elsewhere.parent / "imported").exists()


class TestSessions:
    """The noxfile as it is read."""

    def test_one_line_with_an_example(self) -> None:
        """`nox -l` says for each session how it is called."""
        text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
        found = re.findall(r'@nox\.session\ndef (\w+)\(.*\n    """(.*)"""\n', text)
        assert len(found) == text.count("@nox.session")
        for name, docstring in found:
            assert f": nox -s {name}" in docstring
