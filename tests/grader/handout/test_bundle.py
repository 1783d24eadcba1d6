"""The zip that students get: what is in it, what is not, and that it works by itself."""

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.handout import bundle, stubs

ROOT = Path(__file__).parents[3]
SOLUTIONS = sorted(path.name for path in (ROOT / "solutions").glob("*.py"))
# A line of a solution that says something: what it computes with. Checks of arguments are in docstrings, and
# loops over `blocks` in whatever reads a network.
LEAST = 25
COMPUTES = ("keras.", "np.", "_convolution(", "bottleneck_block(")


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a student has."""
    folder = tmp_path_factory.mktemp("student")
    bundle.write(ROOT, folder / "given.zip")
    with zipfile.ZipFile(folder / "given.zip") as archive:
        archive.extractall(folder)
    return folder / bundle.FOLDER


def ran(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`python -m grader ...` of the handout alone."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1", "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def bodies(name: str) -> set[str]:
    """The lines of a solution that a stub has not, without blanks at their ends."""
    solved = (ROOT / "solutions" / name).read_text(encoding="utf-8")
    given = {line.strip() for line in stubs.stub(solved, name).splitlines()}
    return {
        line
        for line in (line.strip() for line in solved.splitlines())
        if len(line) > LEAST and line not in given and any(word in line for word in COMPUTES)
    }


class TestLeaks:
    """What stays behind."""

    @pytest.mark.parametrize("name", SOLUTIONS)
    def test_no_line_of_a_solution(self, unzipped: Path, name: str) -> None:
        wanted = bodies(name)
        assert wanted or name == "__init__.py"
        for path in unzipped.rglob("*"):
            if path.suffix in (".py", ".md", ".toml", ".ipynb", ".json"):
                lines = {line.strip() for line in path.read_text(encoding="utf-8").splitlines()}
                assert not lines & wanted, path.relative_to(unzipped)

    def test_no_described_network(self, unzipped: Path) -> None:
        """Not as layers: neither the file, nor one layer of it as JSON."""
        found = sorted((ROOT / "reference").glob("*/networks/*.json"))
        assert found
        every = "".join(path.read_text(encoding="utf-8") for path in unzipped.rglob("*.json"))
        for path in found:
            for network in json.loads(path.read_text(encoding="utf-8"))["networks"]:
                assert len(network["network"]["nodes"]) > 5
        assert '"kernel_size"' not in every
        assert '"nodes": [' not in every
        assert not list(unzipped.rglob("networks"))

    def test_no_folder_of_authors(self, unzipped: Path) -> None:
        tops = {path.name for path in unzipped.iterdir()}
        assert not tops & {"solutions", "bank", "tests", "bench", "data"}
        assert not (unzipped / "grader" / "hidden").exists()
        assert not list(unzipped.rglob("*.npy"))
        for name in ("reference", "proof", "benchmark", "packaging"):
            assert not (unzipped / "grader" / name).exists()


class TestZip:
    """bundle.write."""

    def test_same_bytes(self, tmp_path: Path) -> None:
        made = [bundle.write(ROOT, tmp_path / name) for name in ("one.zip", "two.zip")]
        assert made[0].digest == made[1].digest
        assert made[0].files > 100
        assert made[0].size < 5_000_000

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is a folder"):
            bundle.write(ROOT, tmp_path)

    def test_sessions(self, unzipped: Path) -> None:
        """Students' own, and what they call; all that these need is there."""
        text = (unzipped / "noxfile.py").read_text(encoding="utf-8")
        sessions = {
            node.name
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef) and node.decorator_list
        }
        assert {"check", "hint", "train", "runs", "submit", "inspect", "notebook", "grade"} <= sessions
        assert not sessions & {"prove", "reference", "gradebook", "tests", "handout"}


@pytest.mark.slow
class TestAlone:
    """It works without the checkout that it came from."""

    def test_help(self, unzipped: Path) -> None:
        shown = ran(unzipped, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        for name in ("check", "hint", "train", "runs", "submit", "grade"):
            assert f"\n  {name} " in shown.stdout

    @pytest.mark.parametrize(
        "command", ["check", "grade", "hint", "submit", "train", "runs", "inspect", "doctor"]
    )
    def test_each_help(self, unzipped: Path, command: str) -> None:
        assert ran(unzipped, command, "--help").returncode == 0

    def test_check(self, unzipped: Path) -> None:
        shown = ran(unzipped, "check", "preprocessing")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "split_indices" in shown.stdout

    def test_right_code_is_known(self, unzipped: Path, tmp_path: Path) -> None:
        """A right network is marked by its digest: nothing is trained, and no layer had to be there."""
        module = "alexnet.py"
        (unzipped / "assignment" / module).write_bytes((ROOT / "solutions" / module).read_bytes())
        shown = ran(unzipped, "grade", "assignment", "--profile", "offline", "--out", str(tmp_path / "marks"))
        assert shown.returncode == 0, shown.stdout + shown.stderr
        assert "35 / 35" in shown.stdout
        assert not list((unzipped / ".kit").glob("trainings/*"))
