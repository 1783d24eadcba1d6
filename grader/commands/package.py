"""`nox -s package`: the autograder zip for Gradescope, or the workflow for a repository a student."""

import secrets
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.config import manifest, profiles
from grader.errors import ManifestError, UsageError
from grader.grading.release import Release
from grader.packaging import github as workflow
from grader.packaging import gradescope as autograder
from grader.packaging.autograde import Settings
from grader.paths import from_here
from grader.session import Session
from grader.text import plain
from lab import data

MAX_SEED = 2**31 - 1
SHOWS: Mapping[Release, str] = {
    "checks": "public checks are shown, no accuracy",
    "all": "accuracies of known networks are shown",
}


def gradescope(
    root: Path,
    console: Console,
    *,
    to: Path,
    profile: str,
    seed: int | None,
    release: Release,
    minutes: int,
    wheels: bool,
) -> int:
    """Builds the zip; 0 if it is there.

    Raises:
        UsageError: a profile or file that cannot be used.
        ManifestError: the course's own files are wrong.
    """
    if to.is_dir():
        raise UsageError(f"--to {plain(to)} is a folder", fix="Name a file, such as --to autograder.zip")
    tasks = manifest.load(root / "assignment" / "tasks.toml")
    settings = Settings(
        profile=profile,
        pin=_pin(root, profile),
        seed=secrets.randbelow(MAX_SEED + 1) if seed is None else seed,
        release=release,
        minutes=minutes,
        kit=_kit(root),
    )
    console.print(
        Text("Building the autograder for Gradescope", style="bold"),
        Text(f"profile {profile} · seed {settings.seed} · {SHOWS[release]} · nothing is trained there"),
        sep=" · ",
    )
    names = autograder.build(root, tasks, settings, to, wheels=wheels)
    size = to.stat().st_size
    console.print(Text(f"{from_here(to)}: {len(names)} files, {size / 1e6:.1f} MB. Its README.md says more."))
    if size > autograder.MOST_BYTES:
        console.print(
            Text("It may be too large to upload: leave --wheels out, and pip fetches them.", style="yellow")
        )
    return 0


def github(root: Path, console: Console, *, to: Path) -> int:
    """Writes the folder that students' repositories start from; 0 if it is there.

    Raises:
        UsageError: the folder has something in it.
    """
    console.print(Text("Writing what a student's repository starts from", style="bold"))
    written = workflow.write(root, manifest.load(root / "assignment" / "tasks.toml"), to)
    console.print(
        Text(f"{plain(from_here(to), 300)}: {len(written)} files; the workflow is in .github/workflows")
    )
    console.print("Push it as the repository that students start from. It was not run on GitHub.")
    return 0


def _pin(root: Path, profile: str) -> str:
    """Of the data that known networks were trained on: as they are here, or else as params.yaml says."""
    params = profiles.load(root / "params.yaml")
    chosen = params.profile(profile)
    if chosen.data == "embedded" or data.available(root):
        return Session(root, profile=profile).pin
    if chosen.data not in params.pins:
        raise ManifestError(f"params.yaml has no pin of {chosen.data}", fix="Run: nox -s data")
    return params.pins[chosen.data]


def _kit(root: Path) -> str:
    """The version of the grader, with Keras's, which decides what is read of a network."""
    import tomllib

    found = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return f"{found} (Keras {version('keras')})"
