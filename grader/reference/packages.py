"""The versions of the packages that compute, as uv.lock has resolved them: reference/packages.json.

DVC cannot read uv.lock by itself, and all of it would be too much: the stages of dvc.yaml name the packages
that can change their own results. `python -m grader.reference versions` writes the file.
"""

import json
import tomllib
from pathlib import Path

from grader.errors import ManifestError
from lab.files import write_atomically

# Whatever a stage names. TensorFlow comes under two names, the smaller one for Linux on x86-64; on a GPU it
# computes with NVIDIA's libraries. matplotlib has Pillow write its figures.
COMPUTING = (
    "keras",
    "matplotlib",
    "numpy",
    "nvidia-cublas-cu12",
    "nvidia-cudnn-cu12",
    "pillow",
    "scipy",
    "tensorflow",
    "tensorflow-cpu",
)

Versions = dict[str, str | list[str]]


def path(root: Path) -> Path:
    """Where the file is."""
    return root / "reference" / "packages.json"


def resolved(root: Path) -> Versions:
    """The version of each package; all of them, as a list, where it depends on the Python.

    Raises:
        ManifestError: uv.lock cannot be read, or lacks one of them.
    """
    lock = root / "uv.lock"
    try:
        packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    except (OSError, ValueError, KeyError) as error:
        raise ManifestError(f"{lock} cannot be read: {error}", fix="Run: uv lock") from error
    found: Versions = {}
    for name in COMPUTING:
        entries = [package for package in packages if package["name"] == name]
        if not entries:
            raise ManifestError(
                f"uv.lock has no {name}, which grader/reference/packages.py says computes results"
            )
        # Without the markers: a new dependency, or a new Python, rewrites those of all packages.
        versions = sorted({entry["version"] for entry in entries})
        found[name] = versions[0] if len(versions) == 1 else versions
    return found


def recorded(root: Path) -> Versions:
    """What reference/packages.json says; nothing if it is not there."""
    try:
        content: Versions = json.loads(path(root).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return content


def update(root: Path) -> list[str]:
    """Writes reference/packages.json; returns a line on each package whose version changed."""
    before, now = recorded(root), resolved(root)
    if before != now:
        write_atomically(path(root), json.dumps(now, indent=1) + "\n")
    return [
        f"{name}: {now.get(name, 'no longer there')}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
