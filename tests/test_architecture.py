"""Which package imports which: one way, as pyproject.toml has it, and as docs/architecture.md shows it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def lint(root: Path) -> "subprocess.CompletedProcess[str]":
    """import-linter on a checkout."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as go; go()",
        "--no-cache",
    ]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of all that is linted."""
    for name in ("grader", "lab"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "hidden"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


class TestLayers:
    """The contracts of pyproject.toml."""

    def test_kept(self) -> None:
        found = lint(ROOT)
        place = "A new package needs its place in pyproject.toml, [tool.importlinter], layers."
        assert found.returncode == 0, f"{found.stdout}\n{place}"

    def test_no_package_is_overlooked(self) -> None:
        """A folder without __init__.py is none for import-linter; guest/ is no package on purpose."""
        folders = {path.parent for name in ("grader", "lab") for path in (ROOT / name).rglob("*.py")}
        without = {
            path.relative_to(ROOT).as_posix() for path in folders if not (path / "__init__.py").exists()
        }
        assert without == {"grader/sandbox/guest"}

    @pytest.mark.parametrize(
        ("module", "line", "broken"),
        [
            ("grader/intake/reading.py", "from grader.exporters import terminal", "grader.intake"),
            ("grader/sandbox/base.py", "from grader.training import progress", "grader.sandbox"),
            ("grader/results/record.py", "import grader.config.manifest", "grader.results"),
            ("grader/grading/evidence.py", "from grader.grading import run", "grader.grading.evidence"),
            ("grader/commands/check.py", "from grader.commands import doctor", "grader.commands.check"),
            ("grader/reference/metrics.py", "from grader.commands import doctor", "grader.reference"),
            ("lab/data.py", "import grader.errors", "lab.data"),
        ],
    )
    def test_an_arrow_the_other_way_is_refused(
        self, checkout: Path, module: str, line: str, broken: str
    ) -> None:
        """Upwards, between commands, and out of lab: with the name of who may not."""
        path = checkout / module
        path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
        found = lint(checkout)
        assert found.returncode != 0
        assert f"{broken}" in found.stdout.partition("Broken contracts")[2]

    def test_a_new_package_needs_a_place(self, checkout: Path) -> None:
        (checkout / "grader" / "attic").mkdir()
        (checkout / "grader" / "attic" / "__init__.py").touch()
        found = lint(checkout)
        assert found.returncode != 0
        assert "attic" in found.stdout


class TestPicture:
    """docs/architecture.md and its picture."""

    def test_they_are_what_the_imports_say(self) -> None:
        command = [sys.executable, "docs/architecture.py", "--check"]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout + found.stderr
