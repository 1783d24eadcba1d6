"""Brings the course set and the hidden set into their folders: `python -m lab data`.

Whatever the source, the four files are written to a scratch folder, checked against the pin there, forced to
disk, and only then renamed into place: a wrong or half-written file never stands where a right one belongs.
"""

import configparser
import contextlib
import errno
import hashlib
import http.client
import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from lab import archive
from lab.data import FILES, IMAGES, Pinned, course_pin, file_md5, folder_pin, hidden_pin
from lab.errors import DataError

OFFICIAL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
OFFICIAL_MD5 = "eb9058c3a382ffc7106e4002c42a8d85"  # published beside it
LARGEST = 256 << 20  # the official archive has 169,001,437 bytes
OFFLINE = (
    "Without network, name a copy: nox -s data -- --from PATH (archive, its folder, or the canonical files)"
)

Say = Callable[[str], None]


def bring(root: Path, source: Path | None, say: Say) -> None:
    """Puts both sets of a checkout in place, from the first source that has them.

    Tried in turn: what is there already, a DVC remote, then `source` or, without one, the official archive.

    Args:
        root: the checkout.
        source: an archive, the folder it unpacks to, or a folder with canonical files; or None.
        say: takes a line about what was done.

    Raises:
        DataError: if a set could not be put in place. What was in place before is then as it was.
    """
    try:
        missing = [pinned for pinned in (course_pin(root), hidden_pin(root)) if not _is_there(pinned, say)]
        if not missing:
            return
        with _scratch(root / ".kit") as scratch, _progress() as progress:
            if _has_remote(root):
                missing = _from_remote(root, missing, progress, say)
            if not missing:
                return
            if source is None:
                source = download(OFFICIAL, OFFICIAL_MD5, scratch / "official.tar.gz", progress)
            if source.is_dir() and not archive.is_archive_folder(source):
                _from_canonical(root, source, missing, progress, say)
            else:
                _from_archive(root, source, missing, scratch, progress, say)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DataError(
                f"no room to write the data in {root} ({error.strerror})",
                fix="It takes 190 MB, and 170 MB more for the archive while it is being fetched.",
            ) from None
        raise DataError(f"cannot bring the data: {error}") from None


def _is_there(pinned: Pinned, say: Say) -> bool:
    try:
        right = folder_pin({name: file_md5(pinned.folder / name) for name in FILES}) == pinned.pin
    except OSError:
        return False
    if right:
        say(f"{pinned.title}: {pinned.folder}, there already, pin {pinned.pin}")
    return right


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


# --- writing ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """A folder for what is not finished, gone afterwards; and so are those that a power cut left behind."""
    parent.mkdir(exist_ok=True)
    for stale in parent.glob(".incoming-*"):
        if time.time() - stale.stat().st_mtime > 24 * 3600:
            shutil.rmtree(stale, ignore_errors=True)
    # Named before it is made: Ctrl-C between making it and the `try` would leave it behind.
    scratch = parent / f".incoming-{secrets.token_hex(8)}"
    try:
        scratch.mkdir(mode=0o700)
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _landing(root: Path, pinned: Pinned, origin: str, say: Say, fix: str = archive.FIX) -> Iterator[Path]:
    """A folder to write the four files of a set into: on leaving it, they are checked and renamed into place.

    Raises:
        DataError: if they are not what is pinned.
    """
    there = pinned.folder.is_dir()
    # A folder that exists may be a mount or a link to another disk, and a rename has to stay on one disk.
    with _scratch(pinned.folder if there else root / ".kit") as scratch:
        written = scratch / "files"
        written.mkdir()
        yield written
        pinned.check({name: file_md5(written / name) for name in FILES}, f"from {origin}", fix)
        for name in FILES:
            with (written / name).open("rb") as file:
                os.fsync(file.fileno())
        _sync_folder(written)
        if there:  # file by file: whatever else somebody keeps there stays
            for name in FILES:
                (written / name).replace(pinned.folder / name)
            _sync_folder(pinned.folder)
        else:
            written.rename(pinned.folder)
        _sync_folder(pinned.folder.parent)
    say(f"{pinned.title}: {pinned.folder}, from {origin}, pin {pinned.pin}")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # there a folder cannot be opened, nor its renames forced to disk
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- sources ------------------------------------------------------------------------------------------------


def _from_archive(
    root: Path, source: Path, missing: list[Pinned], scratch: Path, progress: Progress, say: Say
) -> None:
    known = archive.is_published(source, progress)
    say(f"{source.name}: {'the published archive' if known else 'not a known archive: read with care'}")
    handed_over = scratch / "arrays"
    handed_over.mkdir()
    pool = archive.read(source, handed_over, progress)
    ranks = {"the course set": archive.COURSE_RANKS, "the hidden set": archive.HIDDEN_RANKS}
    fix = f"It is damaged, or is not CIFAR-100. {archive.FIX}"
    for pinned in missing:
        with _landing(root, pinned, source.name, say, fix) as folder:
            files = archive.canonical_files(pool, ranks[pinned.title])
            task = progress.add_task(f"writing {pinned.title}", total=sum(map(len, files.values())))
            for name, content in files.items():
                (folder / name).write_bytes(content)
                progress.advance(task, len(content))


def _from_canonical(root: Path, source: Path, missing: list[Pinned], progress: Progress, say: Say) -> None:
    """From a folder with the files of either set, or one like a checkout, with both."""
    places = [source / place for place in ("", "data", "course", "hidden", "grader/hidden")]
    found: dict[Path, Mapping[str, str]] = {}
    for place in places:
        if (place / IMAGES).is_file():
            for name in FILES:
                if not (place / name).is_file():
                    raise DataError(f"{place} has {IMAGES} and no {name}", fix=archive.FIX)
            found[place] = {name: file_md5(place / name) for name in FILES}
    if not found:
        raise DataError(f"{source} holds neither the archive's parts nor {', '.join(FILES)}", fix=archive.FIX)

    pins = {folder_pin(md5s): place for place, md5s in found.items()}
    for pinned in missing:
        if pinned.pin not in pins:
            for pin, place in pins.items():
                if pin not in {one.pin for one in missing}:
                    pinned.check(found[place], f"in {place}", archive.FIX)  # says which file is wrong
            raise DataError(f"{source} does not hold {pinned.title}", fix=archive.FIX)
        with _landing(root, pinned, str(source), say) as folder:
            for name in FILES:
                _copy(pins[pinned.pin] / name, folder / name, progress)


def _has_remote(root: Path) -> bool:
    """Whether this checkout names a DVC remote, as far as can be seen without DVC."""
    config = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        config.read([root / ".dvc" / "config", root / ".dvc" / "config.local"], "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return False
    return any("remote " in section for section in config.sections())


def _from_remote(root: Path, missing: list[Pinned], progress: Progress, say: Say) -> list[Pinned]:
    """Gets from the DVC remote what it has; what is still missing is reported and returned."""
    if importlib.util.find_spec("dvc") is None:
        say("A DVC remote is configured, but DVC is not installed: going on without it.")
        return missing
    left = []
    for pinned in missing:
        try:
            with _landing(root, pinned, "the DVC remote", say) as folder:
                # Not `dvc pull`, which writes into the folder itself, file by file.
                _dvc(root, "fetch", str(pinned.folder.relative_to(root)))
                store = root / _dvc(root, "cache", "dir").strip() / "files" / "md5"
                listing = (store / pinned.pin[:2] / f"{pinned.pin[2:]}.dir").read_text("utf-8")
                for entry in json.loads(listing):
                    md5, name = entry["md5"], entry["relpath"]
                    if name in FILES:
                        _copy(store / md5[:2] / md5[2:], folder / name, progress)
        except (DataError, OSError, ValueError) as error:
            say(f"The DVC remote could not give {pinned.title}: {str(error).splitlines()[0]}")
            left.append(pinned)
    return left


def _dvc(root: Path, *arguments: str) -> str:
    """What DVC prints; its bars and complaints go to the terminal."""
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise DataError(f"`dvc {' '.join(arguments)}` ended with {done.returncode}")
    return done.stdout


def _copy(original: Path, copy: Path, progress: Progress) -> None:
    with (
        progress.open(original, "rb", description=f"copying {copy.name}") as read,
        copy.open("wb") as write,
    ):
        shutil.copyfileobj(read, write, 1 << 20)


def download(url: str, md5: str, target: Path, progress: Progress) -> Path:
    """Fetches the archive at `url` into the file `target`, with a bar, and checks its MD5.

    Raises:
        DataError: if it cannot be reached, breaks off, is too large, or is not what was published.
    """
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with (
            urllib.request.urlopen(url, timeout=30) as response,  # noqa: S310  (an address of ours)
            target.open("wb") as file,
        ):
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            task = progress.add_task("downloading CIFAR-100", total=total)
            got = 0
            while content := response.read(1 << 18):
                got += len(content)
                if got > LARGEST:
                    raise DataError(f"{url} gives more than {LARGEST >> 20} MiB", fix=OFFLINE)
                file.write(content)
                digest.update(content)
                progress.advance(task, len(content))
            if total is not None and got < total:
                raise DataError(f"{url} broke off after {got:,} of {total:,} bytes", fix=OFFLINE)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"could not fetch {url}: {reason}", fix=OFFLINE) from None
    if digest.hexdigest() != md5:
        raise DataError(
            f"{url} gave MD5 {digest.hexdigest()}, not the published {md5}: it is not used", fix=OFFLINE
        )
    return target
