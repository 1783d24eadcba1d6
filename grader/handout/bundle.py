"""Makes the zip that a student gets: the stubs, what checks them, and the lock; nothing that has the answers.

    bundle = write(root, Path("assignment.zip"))
    bundle.digest, bundle.files

What is known of networks goes along as digests and accuracies (reference/<profile>/runs/), never as layers.
The hidden images, the solutions, the bank, and what only authors and instructors run, stay behind. The same
checkout gives the same bytes.
"""

import ast
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from grader.config import manifest
from grader.errors import UsageError
from grader.handout import stubs
from grader.handout.closure import closure
from lab.files import write_atomically

FOLDER = "cifar100-assignment"  # that it unpacks to
PROFILES = ("offline", "cpu")  # those that run without a GPU

# What is started by name: the command line, and the processes that train.
_ENTRIES = (
    "grader.cli.student_app",
    "grader.safe_path",
    "grader.training.child",
    "grader.training.experiment",
    "lab.__main__",
)
_INSTEAD = {"grader/cli/app.py": "grader/cli/student_app.py"}
# What no import leads to.
_BESIDE = (
    *("assignment/*", "grader/__main__.py", "grader/sandbox/guest/*.py", "grader/web/templates/**/*"),
    *("grader/gradebook/migrations/**/*", "lab/**/*.py", "LICENSE", "pyproject.toml", "uv.lock"),
    *("params.yaml", "data.dvc", "grader/hidden.dvc", ".dvc/config", "docs/students.md", "docs/session.md"),
    *("docs/the-resnet-that-would-not-learn.md", "docs/figures/failure-*.png"),
    # Results by digest, thresholds and pins. Not networks/, which has the layers.
    *(
        f"reference/{profile}/{name}"
        for profile in PROFILES
        for name in ("runs/*.json", "thresholds.json", "calibration.json", "prepared.json", "images.json")
    ),
)
_STUDENTS = "Students:"  # so begins the description of a session that is theirs
_THEIRS_TOO = ("grade", "doctor", "data")
_TIME = (2020, 1, 1, 0, 0, 0)

_README = """# CIFAR-100: the assignment

Needs Python 3.11 to 3.13 and, the first time, a package registry. In this folder:

```sh
python3 -m venv .venv && .venv/bin/pip install -q "nox[uv]" && .venv/bin/nox -s check
```

On Windows:

```sh
py -m venv .venv && .venv\\Scripts\\pip install -q "nox[uv]" && .venv\\Scripts\\nox -s check
```

From here on, `nox` means `.venv/bin/nox`: run `. .venv/bin/activate` (on Windows `.venv\\Scripts\\activate`)
once in each terminal.

[assignment/README.md](assignment/README.md) says what to build; [docs/students.md](docs/students.md) has all
commands.
"""


@dataclass(frozen=True)
class Bundle:
    """What was written.

    Attributes:
        path: the zip.
        files: how many are in it.
        size: of the zip, in bytes.
        digest: its SHA-256.
    """

    path: Path
    files: int
    size: int
    digest: str


def write(root: Path, to: Path) -> Bundle:
    """Writes the zip.

    Raises:
        ManifestError: assignment/ cannot be made from solutions/.
        UsageError: assignment/ is not what solutions/ give, or `to` is a folder.
    """
    if to.is_dir():
        raise UsageError(f"{to} is a folder", fix="Name the zip: --to assignment.zip")
    if differences := stubs.check(root):
        raise UsageError(
            f"assignment/ is not what solutions/ give: {differences[0]}", fix="Run: nox -s stubs"
        )
    held = io.BytesIO()
    found = contents(root)
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(found.items()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    data = held.getvalue()
    write_atomically(to, data)
    return Bundle(to, len(found), len(data), hashlib.sha256(data).hexdigest())


def contents(root: Path) -> dict[str, bytes]:
    """All of the zip by the names of files, from a checkout."""
    tasks = manifest.load(root / "assignment" / "tasks.toml").tasks
    judges = [f"grader.tasks.{task.id}.{part}" for task in tasks for part in ("judge", "probe")]
    files = {root / file for file in closure(root, [*_ENTRIES, *judges])}
    files |= {path for pattern in _BESIDE for path in root.glob(pattern)}
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts
    }
    found |= {name: found.pop(source) for name, source in _INSTEAD.items()}
    found["noxfile.py"] = _for_students((root / "noxfile.py").read_text(encoding="utf-8")).encode()
    found["README.md"] = _README.encode()
    return found


def _for_students(noxfile: str) -> str:
    """A noxfile with the sessions that students call, and all that these call."""
    lines = noxfile.splitlines(keepends=True)
    for node in reversed(ast.parse(noxfile).body):
        if not isinstance(node, ast.FunctionDef) or not node.decorator_list:
            continue
        theirs = (ast.get_docstring(node) or "").startswith(_STUDENTS) or node.name in _THEIRS_TOO
        if not theirs:
            first = node.decorator_list[0].lineno - 1
            end = node.end_lineno or node.lineno
            while end < len(lines) and not lines[end].strip():
                end += 1
            del lines[first:end]
    return "".join(lines)
