"""Which kit this is: the version of its code, and the packages that its lock names."""

import hashlib
import tomllib
from functools import cache
from pathlib import Path

PACKAGES = ("grader", "lab")


@cache
def kit_version(root: Path) -> str:
    """The version of the grader, with a digest over its code: "0.1.0+3f6a0c1b2d4e"."""
    code = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            code.update(f"{path.relative_to(root).as_posix()}\0".encode())
            code.update(path.read_bytes())
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"{project['version']}+{code.hexdigest()[:12]}"


@cache
def lock_digest(root: Path) -> str:
    """SHA-256 of uv.lock, hexadecimal."""
    return hashlib.sha256((root / "uv.lock").read_bytes()).hexdigest()
