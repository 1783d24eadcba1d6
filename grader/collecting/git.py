"""What is fetched of a repository that a student wrote, and read out of it.

The newest commit alone is fetched, into a bare repository without hooks, and its files are read as objects.
There is no checkout: no filter, hook, submodule, LFS download or link of the repository's has a moment to do
anything. Size and time are limited while git runs. Git itself, which reads all this, is trusted.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from grader.collecting.listing import Repository, without_password
from grader.errors import SubmissionError, UsageError
from grader.text import plain

MIB = 1024 * 1024
MOST_FETCHED = 256 * MIB
MOST_SECONDS = 180.0
# As intake takes of one submission (intake/bounds.py): more would not be graded.
MOST_FILES, MOST_FILE_BYTES, MOST_TOTAL_BYTES, MOST_DEPTH = 1_000, 16 * MIB, 64 * MIB, 8
MOST_LISTED = 100_000
_TICK = 0.1
_LFS = b"version https://git-lfs.github.com/spec/"
_OFF = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.symlinks=false"),
    *("-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=false", "-c", "gc.auto=0"),
    *(
        "-c",
        "core.alternateRefsCommand=",
        "-c",
        "http.followRedirects=initial",
        "-c",
        "maintenance.auto=false",
    ),
)


@dataclass(frozen=True)
class Commit:
    """What was fetched.

    Attributes:
        digest: the commit's, hexadecimal.
        branch: that the repository has as its own.
        committed: what the commit says, UTC; whoever made it chose that.
    """

    digest: str
    branch: str
    committed: datetime


def version() -> str:
    """Git's; UsageError if it is not here."""
    if (git := shutil.which("git")) is None:
        raise UsageError("git is not installed", fix="Install it: apt-get install git")
    return subprocess.run([git, "--version"], capture_output=True, text=True, check=False).stdout.strip()


def newest(repository: Repository) -> str:
    """The commit that a repository has as its newest, asked without fetching it.

    Raises:
        SubmissionError: it cannot be reached or has no commit.
    """
    out = _run(["ls-remote", "--", repository.address, "HEAD"], repository, folder=None)
    digest = out.split(b"\t")[0].strip().decode(errors="replace")
    if not digest:
        raise SubmissionError("it has no commit yet")
    return digest


def fetch(repository: Repository, into: Path) -> Commit:
    """Fetches the newest commit into a bare repository.

    Raises:
        SubmissionError: it cannot be reached, has no commit, or is more than is fetched.
    """
    command = [
        "clone",
        "--bare",
        "--depth=1",
        "--single-branch",
        "--no-tags",
        "--no-local",
        "--template=",
        "-q",
    ]
    _run([*command, "--", repository.address, str(into)], repository, folder=into)
    try:
        said = _of(into, ["log", "-1", "--format=%H %ct", "HEAD"]).decode().split()
        branch = _of(into, ["symbolic-ref", "--short", "HEAD"]).decode(errors="replace").strip()
    except subprocess.CalledProcessError as error:
        raise SubmissionError("it has no commit yet") from error
    seconds = min(max(int(said[1]), 0), 253402300799)  # a date beyond the year 9999 is no date
    return Commit(said[0], plain(branch, 100), datetime.fromtimestamp(seconds, UTC))


def write_files(bare: Path, commit: Commit, to: Path) -> list[str]:
    """Writes the files of a commit into a folder; what was left out, a line each.

    Raises:
        SubmissionError: it lists more than is looked at.
    """
    left_out: list[str] = []
    chosen: list[tuple[PurePosixPath, str, int]] = []
    listed = _of(bare, ["ls-tree", "-r", "-l", "-z", "--full-tree", commit.digest]).split(b"\0")
    if len(listed) > MOST_LISTED:
        raise SubmissionError(f"it has {len(listed):,} files; {MOST_LISTED:,} are looked at")
    total = 0
    for entry in filter(None, listed):
        about, _, name = entry.partition(b"\t")
        mode, kind, digest, size = about.decode("ascii").split()
        path = PurePosixPath(os.fsdecode(name))
        why = _refused(path, mode, kind)
        if not why and int(size) > MOST_FILE_BYTES:
            why = f"{int(size) / MIB:.0f} MiB, more than the {MOST_FILE_BYTES // MIB} of a file"
        if not why and (len(chosen) >= MOST_FILES or total + int(size) > MOST_TOTAL_BYTES):
            why = "beyond what is taken of a submission"
        if why:
            if why != "-":
                left_out.append(f"{plain(path, 100)}: {why}")
            continue
        total += int(size)
        chosen.append((path, digest, int(size)))
    contents = _contents(bare, [digest for _, digest, _ in chosen])
    for (path, _, _), content in zip(chosen, contents, strict=True):
        if content.startswith(_LFS):
            left_out.append(f"{plain(path, 100)}: is kept in Git LFS, which is not fetched")
        target = to / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(content)
        except (OSError, ValueError) as error:
            # Two names that are one to this file system, or one that it does not take.
            left_out.append(
                f"{plain(path, 100)}: cannot be written here ({getattr(error, 'strerror', error)})"
            )
    return left_out


def _refused(path: PurePosixPath, mode: str, kind: str) -> str:
    """Why an entry is not written; "-" for what nobody misses."""
    if kind == "commit":
        return "a submodule, which is not fetched"
    if mode == "120000":
        return "a link, which is not followed"
    if kind != "blob":
        return f"a {kind}"
    parts = path.parts
    if path.is_absolute() or any(part in ("", ".", "..") or part.casefold() == ".git" for part in parts):
        return "a name that leads elsewhere"
    if len(parts) > MOST_DEPTH:
        return "too many folders deep"
    return "-" if parts[0] == ".github" else ""  # the preview's own files, and its copy of the stubs


def _contents(bare: Path, digests: Sequence[str]) -> list[bytes]:
    """The contents of files, in that order."""
    asked = "".join(f"{digest}\n" for digest in digests).encode()
    out = _of(bare, ["cat-file", "--batch"], given=asked)
    found, at = [], 0
    for _ in digests:
        end = out.index(b"\n", at)
        size = int(out[at:end].split()[2])
        found.append(out[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return found


def _of(bare: Path, arguments: Sequence[str], *, given: bytes = b"") -> bytes:
    """What git prints of a repository that was fetched."""
    done = subprocess.run(
        ["git", f"--git-dir={bare}", *_OFF, *arguments],  # noqa: S607
        input=given,
        capture_output=True,
        check=True,
        env=_environment(local=False),
        timeout=MOST_SECONDS,
    )
    return done.stdout


def _environment(*, local: bool) -> dict[str, str]:
    """No questions, no protocol but those allowed, nothing of LFS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_CONFIG_")}
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        kept.pop(name, None)
    kept |= {
        "GIT_ALLOW_PROTOCOL": "file" if local else "https:ssh",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_ASKPASS": "true",
        "LC_ALL": "C.UTF-8",
    }
    if "GIT_SSH_COMMAND" not in kept:
        kept["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    if local:
        # A class's folder belongs to whoever unpacked it; git would refuse to read it.
        kept |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    return kept


def _run(arguments: Sequence[str], repository: Repository, *, folder: Path | None) -> bytes:
    """Runs a git that reads what others wrote, within MOST_SECONDS and MOST_FETCHED; what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            ["git", *_OFF, *arguments],  # noqa: S607
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=said,
            env=_environment(local=repository.local),
            start_new_session=True,
        )
        began = time.monotonic()
        why = ""
        try:
            while process.poll() is None:
                if time.monotonic() - began > MOST_SECONDS:
                    why = f"it took more than {MOST_SECONDS:.0f} s"
                elif folder is not None and _bytes_in(folder) > MOST_FETCHED:
                    why = f"its newest commit is more than {MOST_FETCHED // MIB} MiB"
                if why:
                    break
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_TICK)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if not why and folder is not None and _bytes_in(folder) > MOST_FETCHED:
            why = f"its newest commit is more than {MOST_FETCHED // MIB} MiB"
        if why:
            raise SubmissionError(why)
        out.seek(0)
        said.seek(0)
        if process.returncode:
            lines = said.read(20_000).decode(errors="replace").strip().splitlines()
            line = next(
                (one for one in lines if one.startswith(("fatal:", "ERROR"))), lines[-1] if lines else ""
            )
            # Git leaves out a password, and not what else may be one in an address.
            shown = re.sub(r"\w+://[^\s']+", lambda found: without_password(found[0]), line)
            raise SubmissionError(f"git could not fetch it: {plain(shown, 200) or process.returncode}")
        return out.read(MIB)


def _bytes_in(folder: Path) -> int:
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(top, name).lstat().st_size
    return total
