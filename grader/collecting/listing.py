"""Which repositories are to be collected: a list of addresses, or a folder that holds repositories."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from grader.errors import UsageError
from grader.text import plain

MOST_REPOSITORIES = 5_000
MOST_BYTES = 4 * 1024 * 1024
# user@host:path, git's short form of ssh; no part may begin with a dash, which ssh takes for an option.
_SHORT_SSH = re.compile(r"^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*:(?!//)[^-\s][^\s]*$")


@dataclass(frozen=True)
class Repository:
    """Where one student's work lies.

    Attributes:
        name: of the folder that it is collected into: one plain line without a slash, unique in the class.
        address: for git: an https or ssh address, or the path of a local repository.
        local: whether it is a path.
    """

    name: str
    address: str
    local: bool

    @property
    def shown(self) -> str:
        """The address without what may be a password in it."""
        return plain(without_password(self.address), 300)


def read(path: Path) -> list[Repository]:
    """The repositories that a list or a folder names.

    Args:
        path: a folder of repositories; or a text file with an address a line, or `name,address`.

    Raises:
        UsageError: it is neither, or a line is no address; the line is named.
    """
    if path.is_dir():
        found = [Repository(_name(one.name), str(one.resolve()), True) for one in _repositories(path)]
        if not found:
            raise UsageError(
                f"there is no git repository in {plain(path)}",
                fix="Name a folder whose folders are repositories, or a list of addresses",
            )
    elif path.is_file():
        found = _listed(path)
    else:
        raise UsageError(f"there is no {plain(path)}", fix="Name a list of addresses, or a folder")
    if len(found) > MOST_REPOSITORIES:
        raise UsageError(f"{len(found):,} repositories; {MOST_REPOSITORIES:,} are the most")
    return _unique(found)


def without_password(address: str) -> str:
    """An address without user and password; it is shown and written down.

    >>> without_password("https://me:secret@github.com/course/lab-jane.git")
    'https://github.com/course/lab-jane.git'
    """
    if "://" not in address:
        return address
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))


def _repositories(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_dir()
        and not path.is_symlink()
        and ((path / ".git").is_dir() or ((path / "HEAD").is_file() and (path / "objects").is_dir()))
    )


def _listed(path: Path) -> list[Repository]:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UsageError(f"{plain(path)} is too long for a list", fix="An address a line is expected")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{plain(path)} is not UTF-8", fix="Save the list as UTF-8 text") from error
    found = []
    for at, line in enumerate(lines, 1):
        fields = [field.strip() for field in next(csv.reader([line]), [])]
        if not fields or not fields[0] or fields[0].startswith("#"):
            continue
        if at == 1 and fields[-1].lower() in ("url", "address", "repository"):
            continue
        if len(fields) > 2:
            raise UsageError(f"{plain(path)}, line {at}: an address, or name,address, is expected")
        found.append(_repository(fields, path.parent, f"{plain(path)}, line {at}"))
    if not found:
        raise UsageError(f"{plain(path)} names no repository", fix="An address a line is expected")
    return found


def _repository(fields: list[str], beside: Path, where: str) -> Repository:
    address = fields[-1]
    local = beside / address
    is_local = False
    parts = urlsplit(address) if "://" in address else None
    if parts is not None:
        if parts.scheme not in ("https", "ssh") or not parts.hostname or parts.hostname.startswith("-"):
            shown = plain(without_password(address), 200)
            raise UsageError(
                f"{where}: {shown} is no address that is fetched from",
                fix="https:// and ssh:// are, and the paths of repositories on this machine",
            )
        tail = parts.path
    elif not address.startswith("-") and local.is_dir():
        address, is_local, tail = str(local.resolve()), True, address
    elif _SHORT_SSH.match(address):
        tail = address.rpartition(":")[2]
    else:
        raise UsageError(
            f"{where}: {plain(address, 200)} is neither an address nor a folder here",
            fix="https://..., ssh://..., git@host:path, or the path of a repository",
        )
    name = fields[0] if len(fields) > 1 else tail.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return Repository(_name(name), address, is_local)


def _name(text: str) -> str:
    """A folder's name: one plain line, nothing that leads elsewhere."""
    cleaned = re.sub(r"[^\w.@+=,-]+", "_", plain(text, 100)).lstrip(".-")
    return cleaned.removesuffix(".git") or "unnamed"


def _unique(found: list[Repository]) -> list[Repository]:
    """The same; UsageError where two would be collected into one folder."""
    seen: dict[str, Repository] = {}
    for one in found:
        other = seen.setdefault(one.name.casefold(), one)
        if other is not one:
            raise UsageError(
                f"{other.shown} and {one.shown} would both be called {one.name}",
                fix="Give each a name of its own in the list: name,address",
            )
    return found
