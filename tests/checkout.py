"""A copy of the checkout in which nox's sessions run without installing anything."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_VENV = ROOT / ".venv" / ("Scripts" if sys.platform == "win32" else "bin")  # as README.md sets it up
NOX = shutil.which("nox") or shutil.which("nox", path=_VENV)
_EXTRAS = ["cluster", "dev", "instructor", "similar", "student"]


def copy(kit: Path, *, without: Sequence[str] = ()) -> Path:
    """Copies the files that are in git or could be, without the data.

    The copy's .nox/kit is this very environment, and it has tried to fetch the data.

    Args:
        kit: the folder to make.
        without: how the names of files begin that are left out, such as `tests/`.
    """
    listing = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(tuple(without)):
            (kit / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, kit / name)
    (kit / ".kit").mkdir()
    (kit / ".kit" / "data-tried").touch()
    environment = kit / ".nox" / "kit"
    environment.mkdir(parents=True)
    for part in Path(sys.prefix).iterdir():
        if part.name != "kit-stamp.json":
            (environment / part.name).symlink_to(part)
    lock = hashlib.sha256((kit / "uv.lock").read_bytes()).hexdigest()
    (environment / "kit-stamp.json").write_text(json.dumps({"lock": lock, "extras": _EXTRAS}))
    return kit
