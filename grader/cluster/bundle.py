"""A message with files, as bytes and back: no archive format that can do more than is needed, no pickle.

    data = packed(request, tree(Path("submission")))        # bytes
    request, files = opened(data, ProbeRequest, most_bytes=...)
    files.write(Path("folder"), below="submission")

Bytes: MAGIC, the length of a head (4 bytes, big-endian), the head as JSON, the files' contents one after the
other. The head has the message, each file's path and size, and the digest of all contents. Paths are
relative, of plain parts, percent-encoded since a submission's names need not be UTF-8; a folder comes before
what lies in it. Whatever breaks a rule is refused as a whole before anything is written.
"""

import hashlib
import os
import stat
import struct
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic import Field, ValidationError

from grader.errors import MessageRefused
from grader.sandbox.base import MAX_OUTPUT_FILES
from grader.sandbox.files import opened as opened_file
from lab.strict import Strict, explained

MAGIC = b"kit-message-1\n"
_LENGTH = struct.Struct(">I")
HEAD_BYTES = 16 * 1024 * 1024  # of the head: 10,000 long paths
# A bundle's top, 32 folders one in the other as the engines copy them (sandbox/files.py), and a file.
_DEPTH, _PART_BYTES, _PATH_BYTES = 34, 255, 16 * 1024
_SAFE = "+=,@ "


class Entry(Strict):
    """A file or a folder.

    Attributes:
        path: from the bundle's top, percent-encoded.
        size: in bytes; None for a folder.
    """

    path: Annotated[str, Field(min_length=1, max_length=_PATH_BYTES)]
    size: Annotated[int, Field(ge=0)] | None = None


class Message(Strict):
    """What all messages derive from."""


M = TypeVar("M", bound=Message)


class _Head(Strict, Generic[M]):
    message: M
    entries: Annotated[tuple[Entry, ...], Field(max_length=MAX_OUTPUT_FILES + 16)] = ()
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


@dataclass(frozen=True)
class Files:
    """Files and folders in memory, folders before what lies in them.

    Attributes:
        entries: what there is.
        contents: of each entry; empty for folders.
    """

    entries: tuple[Entry, ...] = ()
    contents: tuple[bytes | memoryview, ...] = ()

    def __add__(self, other: "Files") -> "Files":
        return Files((*self.entries, *other.entries), (*self.contents, *other.contents))

    @property
    def size(self) -> int:
        """Bytes of all contents."""
        return sum(entry.size or 0 for entry in self.entries)

    def names(self) -> set[str]:
        """The first part of each path."""
        return {entry.path.partition("/")[0] for entry in self.entries}

    def write(self, folder: Path, *, below: str) -> None:
        """Writes what lies below a name of the bundle into a folder that is there, and nowhere else.

        Folders get mode 0755 and files 0644, as the engines leave them.

        Raises:
            MessageRefused: a name cannot be written on this machine.
        """
        for entry, content in zip(self.entries, self.contents, strict=True):
            first, _, rest = entry.path.partition("/")
            if first != below or not rest:
                continue
            *folders, name = (unquote_to_bytes(part) for part in rest.split("/"))
            try:
                # Step by step: a path as a whole may be longer than the system takes.
                with ExitStack() as steps:
                    place = steps.enter_context(opened_file(folder, os.O_RDONLY | os.O_DIRECTORY))
                    for step in folders:
                        flags = os.O_RDONLY | os.O_DIRECTORY
                        place = steps.enter_context(opened_file(os.fsdecode(step), flags, place))
                    if entry.size is None:
                        os.mkdir(name, dir_fd=place)
                        os.chmod(name, 0o755, dir_fd=place)  # noqa: S103 - as the engines leave them
                        continue
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                    made = steps.enter_context(opened_file(os.fsdecode(name), flags, place))
                    os.fchmod(made, 0o644)
                    with os.fdopen(made, "wb", closefd=False) as file:
                        file.write(content)
            except FileExistsError as error:
                raise MessageRefused("a message has a file twice") from error


def tree(folder: Path, below: str, *, most_bytes: int) -> Files:
    """All regular files and folders in a folder, as they lie; links, devices and pipes are left out.

    Args:
        folder: what is read.
        below: the name that stands before every path.
        most_bytes: of all files together.

    Raises:
        MessageRefused: there is more than that, or more files or longer names than a message takes.
    """
    entries, contents = [Entry(path=below)], [b""]
    left, head_left = most_bytes, HEAD_BYTES // 2

    def add(descriptor: int, path: str, depth: int) -> None:
        nonlocal left, head_left
        for name in sorted(os.listdir(descriptor)):
            encoded = f"{path}/{quote_from_bytes(os.fsencode(name), safe=_SAFE)}"
            head_left -= len(encoded) + 64
            if len(entries) > MAX_OUTPUT_FILES or len(encoded) > _PATH_BYTES or head_left < 0:
                raise MessageRefused("more files than a message takes, or longer names")
            with suppress(FileNotFoundError, PermissionError):
                mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode) and depth < _DEPTH - 1:
                    with opened_file(name, os.O_RDONLY | os.O_DIRECTORY, descriptor) as inner:
                        entries.append(Entry(path=encoded))
                        contents.append(b"")
                        add(inner, encoded, depth + 1)
                elif stat.S_ISREG(mode):
                    with opened_file(name, os.O_RDONLY | os.O_NONBLOCK, descriptor) as inner:
                        if os.fstat(inner).st_size > left:
                            raise MessageRefused(f"more than {most_bytes // 1024**2} MiB of files")
                        with os.fdopen(inner, "rb", closefd=False) as file:
                            content = file.read(left + 1)
                    left -= len(content)
                    if left < 0:
                        raise MessageRefused(f"more than {most_bytes // 1024**2} MiB of files")
                    entries.append(Entry(path=encoded, size=len(content)))
                    contents.append(content)

    with opened_file(folder, os.O_RDONLY | os.O_DIRECTORY) as top:
        add(top, below, 1)
    return Files(tuple(entries), tuple(contents))


def single(content: bytes, below: str, name: str) -> Files:
    """One file, in a folder of the bundle."""
    encoded = quote_from_bytes(os.fsencode(name), safe=_SAFE)
    return Files((Entry(path=below), Entry(path=f"{below}/{encoded}", size=len(content))), (b"", content))


def packed(message: Message, files: Files | None = None) -> bytes:
    """A message and its files as bytes."""
    files = files or Files()
    digest = hashlib.sha256()
    for content in files.contents:
        digest.update(content)
    head = _Head[Any].model_construct(message=message, entries=files.entries, sha256=digest.hexdigest())
    text = head.model_dump_json().encode()
    return b"".join((MAGIC, _LENGTH.pack(len(text)), text, *files.contents))


def opened(data: object, kind: type[M], *, most_bytes: int, below: Sequence[str] = ()) -> tuple[M, Files]:
    """A message of a kind and its files, all of it checked.

    Args:
        data: what came.
        kind: of message.
        most_bytes: of all files together.
        below: the names that may stand at the top of paths.

    Raises:
        MessageRefused: anything else than such a message.
    """
    if not isinstance(data, bytes):
        raise MessageRefused("a message that is not bytes")
    begin = len(MAGIC) + _LENGTH.size
    if not data.startswith(MAGIC) or len(data) < begin:
        raise MessageRefused("bytes that are no message of this kit")
    (length,) = _LENGTH.unpack_from(data, len(MAGIC))
    if length > HEAD_BYTES or begin + length > len(data):
        raise MessageRefused("a message whose head is longer than may be")
    if len(data) - begin - length > most_bytes:
        raise MessageRefused(f"a message with more than {most_bytes // 1024**2} MiB of files")
    try:
        head = _Head[kind].model_validate_json(data[begin : begin + length])  # type: ignore[valid-type]
    except ValidationError as error:
        raise MessageRefused(f"a message is wrong: {explained(error, trusted=False)}") from error
    body = memoryview(data)[begin + length :]
    if sum(entry.size or 0 for entry in head.entries) != len(body):
        raise MessageRefused("a message whose files are not as long as it says")
    if hashlib.sha256(body).hexdigest() != head.sha256:
        raise MessageRefused("a message whose files are not those that were sent")
    _check(head.entries, below)
    contents, place = [], 0
    for entry in head.entries:
        contents.append(body[place : place + (entry.size or 0)])
        place += entry.size or 0
    return head.message, Files(head.entries, tuple(contents))


def _check(entries: Sequence[Entry], below: Sequence[str]) -> None:
    """MessageRefused unless every path leads to a place of its own, below a name that may be there."""
    folders: set[str] = set()
    seen: set[str] = set()

    def refuse(entry: Entry) -> MessageRefused:
        return MessageRefused(f"a message with a path that may not be: {entry.path[:100]!r}")

    for entry in entries:
        parts = entry.path.split("/")
        if len(parts) > _DEPTH or parts[0] not in below or entry.path in seen:
            raise refuse(entry)
        for part in parts:
            name = unquote_to_bytes(part)
            plain = quote_from_bytes(name, safe=_SAFE) == part  # one way to write each name
            if not plain or name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
                raise refuse(entry)
            if len(name) > _PART_BYTES:
                raise refuse(entry)
        if len(parts) > 1 and "/".join(parts[:-1]) not in folders:
            raise refuse(entry)
        seen.add(entry.path)
        if entry.size is None:
            folders.add(entry.path)
        elif len(parts) == 1:
            raise refuse(entry)
