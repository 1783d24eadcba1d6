"""docs/adding-a-task.md, followed word for word in a copy of the checkout: what it says works."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "adding-a-task.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```[a-z]+ (?P<path>\S+/\S+?)(?: (?P<how>append|row))?\n(?P<text>.*?)^```$", re.M | re.S)
MOST_LINES = 150
COPIED = (
    "assignment",
    "bank",
    "docs",
    "grader",
    "lab",
    "solutions",
    "tests",
    "params.yaml",
    "pyproject.toml",
    "README.md",
)


def follow(page: str, root: Path) -> Iterator[str]:
    """Does what the blocks of the page say, as far as it is not done, and gives their text."""
    for block in BLOCK.finditer(page):
        path, text = root / block["path"], block["text"]
        there = path.read_text(encoding="utf-8") if path.exists() else ""
        if block["how"] is None:
            assert there in ("", text), f"{block['path']} is there, and is not what the page says"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif text not in there and block["how"] == "append":
            path.write_text(f"{there}\n{text}", encoding="utf-8")
        elif text not in there:
            lines = there.split("\n")
            last = max(
                number for number, line in enumerate(lines) if line.startswith("| `evaluation.py` | `")
            )
            lines.insert(last + 1, text.rstrip("\n"))
            path.write_text("\n".join(lines), encoding="utf-8")
        yield text


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("adding-a-task") / "checkout"
    root.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.npy"))
        else:
            shutil.copy(source, root / name)
    written = "".join(follow(PAGE, root))
    assert len([line for line in written.splitlines() if line.strip()]) < MOST_LINES
    return root


def run(root: Path, *arguments: str) -> str:
    """A command of the kit in the copy; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=root, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class TestAddingATask:
    """Each step of the page, in order: they share one copy."""

    def test_stubs(self, copy: Path) -> None:
        assert "augmentation.py" in run(copy, "grader", "stubs")
        stub = (copy / "assignment" / "augmentation.py").read_text()
        assert "raise NotImplementedError" in stub
        assert "default_rng(seed).random" not in stub

    def test_prove(self, copy: Path) -> None:
        said = run(copy, "grader", "prove", "augmentation")
        assert re.search(r"augmentation │ 5 of 5 +│ 1 of 1", said)

    def test_check(self, copy: Path) -> None:
        assert "to write: random_mirror" in run(copy, "grader", "check", "augmentation")
        assert "5 of the 5 points" in run(copy, "grader", "check", "augmentation", "--folder", "solutions")

    def test_tests(self, copy: Path) -> None:
        """Those that the page names, as far as they are about the new task; and its example is true."""
        only = ["-k", "augmentation or TestThisCheckout or TestShipped"]
        files = [
            "tests/grader/proof/test_bank.py",
            "tests/grader/handout/test_stubs.py",
            "tests/grader/config/test_manifest.py",
        ]
        said = run(copy, "pytest", "-q", *files, *only)
        assert re.search(r"\d+ passed", said)
        run(copy, "doctest", "-o", "NORMALIZE_WHITESPACE", "solutions/augmentation.py")

    def test_lint(self, copy: Path) -> None:
        run(copy, "ruff", "check", "grader/tasks/augmentation", "solutions")
        run(copy, "ruff", "format", "--check", "grader/tasks/augmentation", "solutions")
