"""The autograder zip for Gradescope.

    setup.sh, run_autograder   templates/gradescope/, run by Gradescope as root
    requirements.txt           the locked packages with their hashes; wheels/ beside it, if asked for
    README.md                  what it does, and what is weaker there than in a class run
    kit/                       the modules that grade, the tasks; known networks with `--release all`
    kit/package.json           profile, pin, seed: autograde.py's Settings

Not in it: the images and hidden labels, the solutions, the bank. What is in it and says what is right
(judges, thresholds, accuracies of known networks) none but root and the grader's user can read there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from platform import machine

from grader.config.manifest import Manifest
from grader.errors import GraderFault, UsageError
from grader.grading.release import Release
from grader.handout.closure import closure
from grader.packaging.autograde import Settings

TEMPLATES = Path(__file__).parent / "templates" / "gradescope"
ENTRIES = ("grader.packaging.autograde", "grader.packaging.supervise")
# The groups of pyproject.toml whose packages are needed: for probes, for what judges them, for bubblewrap.
GROUPS = ("sandbox", "trainer", "isolation", "cpu")
# For building against TensorFlow; nothing here does.
LEFT_OUT = ("libclang",)
MOST_BYTES = 100 * 1024 * 1024  # what Gradescope takes as an upload, as its users report it
_DATE = (2026, 1, 1, 0, 0, 0)  # of every entry, so that the same checkout gives the same bytes


def build(root: Path, manifest: Manifest, settings: Settings, to: Path, *, wheels: bool = False) -> list[str]:
    """Writes the zip; the names in it.

    Args:
        root: the checkout.
        manifest: of the tasks.
        settings: what is fixed in it.
        to: the file.
        wheels: whether to put the packages themselves in, for Python 3.11 on x86-64.

    Raises:
        UsageError: the profile was never measured.
        GraderFault: the lock could not be exported, or the wheels could not be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="kit-package-") as scratch:
        top = Path(scratch)
        requirements = locked(root)
        (top / "requirements.txt").write_text(requirements, encoding="utf-8")
        for name in ("setup.sh", "run_autograder", "README.md"):
            shutil.copyfile(TEMPLATES / name, top / name)
        for file in needed(root, manifest, settings.profile, settings.release):
            (top / "kit" / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / file, top / "kit" / file)
        (top / "kit" / "package.json").write_text(settings.model_dump_json(indent=1) + "\n", encoding="utf-8")
        if wheels:
            fetch_wheels(top / "requirements.txt", top / "wheels")
        return _zipped(top, to)


def needed(root: Path, manifest: Manifest, profile: str, release: Release) -> list[Path]:
    """The files of the checkout that grading needs, relative to it; known networks to release accuracies."""
    judges = [f"grader.tasks.{task.id}.{part}" for task in manifest.tasks for part in ("judge", "probe")]
    files = closure(root, [*ENTRIES, *judges])
    files += [path.relative_to(root) for path in (root / "grader" / "sandbox" / "guest").glob("*.py")]
    files += [Path("params.yaml"), Path("assignment/tasks.toml"), Path("assignment/marking.toml")]
    # The stubs: what is untouched is recognised by them.
    files += [Path("assignment", task.module) for task in manifest.tasks]
    reference = Path("reference", profile)
    files += [reference / "thresholds.json", reference / "prepared.json"]
    if release == "all":
        files += [path.relative_to(root) for path in (root / reference / "runs").glob("*.json")]
    found = sorted({file for file in files if (root / file).is_file()})
    measured = reference / "thresholds.json" in found
    if not measured or (release == "all" and not any("runs" in file.parts for file in found)):
        raise UsageError(
            f"profile {profile} has no {'reference runs' if measured else 'thresholds'}",
            fix="Name a measured one, such as --profile cpu, or measure it: nox -s reference",
        )
    return found


def locked(root: Path) -> str:
    """requirements.txt with hashes, of GROUPS, from uv.lock."""
    command = [_uv(), "export", "--frozen", "--no-config", "--no-annotate", "--no-header", "--offline"]
    command += ["--format=requirements-txt", "--no-emit-project", "--python", sys.executable]
    command += [f"--only-group={group}" for group in GROUPS]
    command += [f"--no-emit-package={name}" for name in LEFT_OUT]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GraderFault(f"uv could not read uv.lock: {done.stderr.strip()[-300:]}")
    return done.stdout


def fetch_wheels(requirements: Path, to: Path) -> None:
    """Downloads the packages for Python 3.11 on x86-64 Linux, with pip: uv has no such command."""
    if (sys.platform, machine()) != ("linux", "x86_64"):  # pip asks this machine which packages are meant
        raise UsageError("--wheels works on x86-64 Linux only", fix="Leave it out: pip fetches them there")
    command = [_uv(), "tool", "run", "-q", "pip", "download", "-q", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--python-version=3.11"]
    for platform in ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux2014_x86_64", "any"):
        command.append(f"--platform={platform}")
    done = subprocess.run([*command, f"--dest={to}", "-r", str(requirements)], check=False)
    if done.returncode:
        raise GraderFault("the wheels could not be fetched", fix="What pip printed above says why")


def _uv() -> str:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise UsageError("uv is not on PATH", fix="Run it as a session: nox -s package -- gradescope")
    return uv


def _zipped(top: Path, to: Path) -> list[str]:
    to.parent.mkdir(parents=True, exist_ok=True)
    half = to.with_name(f".{to.name}.part")
    names = []
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in _files(top):
                name = file.relative_to(top).as_posix()
                entry = zipfile.ZipInfo(name, _DATE)
                runs = name in ("setup.sh", "run_autograder")
                entry.external_attr = (0o100755 if runs else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
                with file.open("rb") as content, archive.open(entry, "w") as packed:
                    shutil.copyfileobj(content, packed)
                names.append(name)
        half.replace(to)
    finally:
        half.unlink(missing_ok=True)
    return names


def _files(top: Path) -> Iterator[Path]:
    yield from (path for path in sorted(top.rglob("*")) if path.is_file())
