"""What a repository of one student starts from: the stubs, and a workflow that checks them on every push.

    assignment/                    the handed-out files
    .github/workflows/check.yml    the workflow
    .github/check/                 the modules that check, with requirements.txt

A student owns the repository and can change all of it, so that what the workflow shows is a preview. Images,
hidden labels, solutions and thresholds are not in it: nothing is trained there.
"""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from grader.config.manifest import Manifest
from grader.errors import UsageError
from grader.handout.closure import closure
from grader.packaging import gradescope
from grader.text import plain

TEMPLATES = Path(__file__).parent / "templates" / "github"
ENTRY = "grader.packaging.preview"


def write(root: Path, manifest: Manifest, to: Path) -> list[Path]:
    """Writes the folder; its files.

    Args:
        root: the checkout.
        manifest: of the tasks.
        to: a folder that is not there or empty.

    Raises:
        UsageError: the folder has something in it.
        GraderFault: the lock could not be exported.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"--to {plain(to)} is there and not empty", fix="Name a new folder")
    kit = Path(".github", "check")
    files: dict[Path, Path] = {kit / file: root / file for file in needed(root, manifest)}
    files |= {Path("assignment", file.name): file for file in _assignment(root)}
    files |= {
        Path(".github", "workflows", "check.yml"): TEMPLATES / "check.yml",
        kit / "README.md": TEMPLATES / "README.md",
    }
    requirements = gradescope.locked(root)
    for name, source in files.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, to / name)
    (to / kit / "requirements.txt").write_text(requirements, encoding="utf-8")
    return sorted([*(to / name for name in files), to / kit / "requirements.txt"])


def needed(root: Path, manifest: Manifest) -> list[Path]:
    """The files of the checkout that checking needs, relative to it."""
    judges = [f"grader.tasks.{task.id}.{part}" for task in manifest.tasks for part in ("judge", "probe")]
    files = closure(root, [ENTRY, *judges])
    files += [path.relative_to(root) for path in (root / "grader" / "sandbox" / "guest").glob("*.py")]
    files += [Path("params.yaml"), Path("assignment/tasks.toml"), Path("assignment/marking.toml")]
    files += [Path("assignment", task.module) for task in manifest.tasks]
    return sorted({file for file in files if (root / file).is_file()})


def _assignment(root: Path) -> Sequence[Path]:
    """The handed-out files: those that git tracks, not what somebody has made beside them."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--", "assignment"],  # noqa: S607
        capture_output=True,
        check=False,
    ).stdout.decode(errors="surrogateescape")
    names = [name for name in listed.split("\0") if name]
    found = [root / name for name in names] or list((root / "assignment").iterdir())
    return sorted(path for path in found if path.is_file() and path.parent == root / "assignment")
