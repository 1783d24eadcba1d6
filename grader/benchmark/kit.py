"""This kit's own commands as they are measured: of this checkout, or of an earlier commit."""

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from grader.benchmark import measuring
from grader.benchmark.measuring import Sample
from grader.benchmark.peers import TASKS

# The last commit before the training form, known networks and the new probes.
BEFORE = "756e4d7"
TITLE_BEFORE = f"this kit at {BEFORE}"


class Kit:
    """A checkout whose commands are run in .nox/kit.

    Args:
        root: the checkout.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def variables(self) -> dict[str, str]:
        """As `nox -s` gives them to a command, from this process's own."""
        return {
            "TF_CPP_MIN_LOG_LEVEL": "2",
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(self.root),
            "PYTHONSAFEPATH": "1",
        }

    def run(
        self,
        module: str,
        *arguments: str,
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        codes: Collection[int] = (0,),
        memory: bool = False,
    ) -> Sample:
        """`python -m module arguments`; CommandFailed unless it ends with one of the codes."""
        command = [sys.executable, "-m", module, *arguments]
        variables = self.variables() if environment is None else environment
        return measuring.run(command, cwd=cwd, environment=variables, codes=codes, memory=memory)

    def script(self, path: Path, *arguments: str, cwd: Path) -> Sample:
        """`python path arguments`, with this checkout's modules."""
        return measuring.run([sys.executable, str(path), *arguments], cwd=cwd, environment=self.variables())

    def student(self, folder: Path, mark: str, *, tasks: Collection[str] = TASKS) -> Path:
        """Writes what a student hands in: the solutions, in bytes that nobody has handed in before.

        Args:
            folder: made for it.
            mark: a word that is in every file.
            tasks: whose files.
        """
        folder.mkdir(parents=True)
        for task in tasks:
            source = (self.root / "solutions" / f"{task}.py").read_text(encoding="utf-8")
            (folder / f"{task}.py").write_text(f"{source}\n\n# {mark}\n", encoding="utf-8")
        return folder


def typed(module: str, *arguments: str) -> str:
    """A command as it is typed."""
    return shlex.join(["python", "-m", module, *arguments])


def before(root: Path) -> Kit | None:
    """The kit as it was at BEFORE, below .nox, with this checkout's data; None if git has no such commit."""
    place = root / ".nox" / f"bench-{BEFORE}"
    if not (place / "params.yaml").exists():
        shutil.rmtree(place, ignore_errors=True)
        with tempfile.TemporaryFile() as archive:
            command = ["git", "archive", BEFORE]
            try:
                subprocess.run(command, cwd=root, stdout=archive, stderr=subprocess.DEVNULL, check=True)
            except (OSError, subprocess.CalledProcessError):
                return None
            archive.seek(0)
            half = place.with_name(f"{place.name}-half")
            shutil.rmtree(half, ignore_errors=True)
            with tarfile.open(fileobj=archive) as opened:
                opened.extractall(half, filter="data")
        for name in ("data", "grader/hidden"):
            if (root / name).exists():
                (half / name).symlink_to((root / name).resolve())
        half.rename(place)
    return Kit(place)


def train_before(kit: Kit) -> None:
    """Has the earlier kit train its solutions, if it has not yet: it knows no network beforehand.

    Raises:
        CommandFailed: they could not be trained.
    """
    trained = kit.root / "trained"
    if not trained.exists():
        with tempfile.TemporaryDirectory(prefix="kit-bench-") as folder:
            out = str(Path(folder, "out"))
            kit.run(
                "grader", "grade", str(kit.root / "solutions"), "--profile=cpu", "--out", out, cwd=kit.root
            )
        trained.touch()
