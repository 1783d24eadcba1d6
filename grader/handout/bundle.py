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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.handout import stubs
from lab.files import write_atomically

FOLDER = "cifar100-assignment"  # that it unpacks to
PROFILES = ("offline", "cpu")  # those that run without a GPU

_WHOLE = ("assignment", "lab", "grader")
_ALONE = (
    *("LICENSE", "pyproject.toml", "uv.lock", "params.yaml", "data.dvc", "grader/hidden.dvc"),
    *(".dvc/config", "docs/students.md", "docs/the-resnet-that-would-not-learn.md"),
    *("docs/figures/failure-curves.png", "docs/figures/failure-causes.png"),
)
# Of a profile: results by digest, thresholds and pins. Not networks/, which has the layers.
_REFERENCE = ("runs/*.json", "thresholds.json", "calibration.json", "prepared.json", "images.json")
# What only authors and instructors run.
_LEFT_OUT = (
    *("grader/hidden", "grader/reference", "grader/proof", "grader/benchmark", "grader/cluster"),
    *("grader/packaging", "grader/similar", "grader/cli/author.py", "grader/cli/stages.py"),
    *("grader/cli/export.py", "grader/cli/export_html.py", "grader/cli/package.py", "grader/cli/cluster.py"),
    *("grader/commands/image.py", "grader/commands/marking.py", "grader/handout/stubs.py"),
    *("grader/handout/bundle.py", "grader/cli/app.py"),
)
_INSTEAD = {"grader/cli/app.py": "grader/cli/student_app.py"}
_KINDS = (".py", ".toml", ".md", ".ipynb", ".html", ".css", ".js", ".j2", ".svg", ".mako", ".ini")
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
    names = {*_ALONE, *(name for top in _WHOLE for name in _below(root, top))}
    names |= {
        path.relative_to(root).as_posix()
        for profile in PROFILES
        for pattern in _REFERENCE
        for path in (root / "reference" / profile).glob(pattern)
    }
    found = {name: (root / name).read_bytes() for name in names if (root / name).is_file()}
    found |= {name: (root / source).read_bytes() for name, source in _INSTEAD.items()}
    found["noxfile.py"] = _for_students((root / "noxfile.py").read_text(encoding="utf-8")).encode()
    found["README.md"] = _README.encode()
    return {name: content for name, content in found.items() if name not in _INSTEAD.values()}


def _below(root: Path, top: str) -> Iterator[str]:
    for path in sorted((root / top).rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix not in _KINDS or "__pycache__" in path.parts or not path.is_file():
            continue
        if not any(name == left or name.startswith(f"{left}/") for left in _LEFT_OUT):
            yield name


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
