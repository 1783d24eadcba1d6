"""Tar files, packed or not, read in one pass and piece by piece.

A reader of our own: Python's tarfile searches headers in quadratic time (CVE-2024-6232) in versions that are
in use, and unpacks xz with as much memory as the file asks for. What is read here is ustar, and the names and
sizes that GNU and pax put beside it; each header has a bound.
"""

import bz2
import gzip
import io
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from grader.errors import SubmissionError
from grader.intake.bounds import CHUNK, MIB, Bounds

_BLOCK = 512
_MAX_HEADER = 64 * 1024  # of a name or another header beside a file's own
_XZ_MEMORY = 72 * MIB  # what `xz -9` needs, and no more
_FILE, _FOLDER, _LINKS, _LONG_NAME, _LONG_LINK, _PAX, _GLOBAL = b"07\0", b"5", b"12", b"L", b"K", b"x", b"g"


class Malformed(Exception):
    """It is no tar file, or a damaged one."""


@dataclass(frozen=True)
class Header:
    """What a tar says of one of its members; `kind` is "file", "folder", "link" or "other"."""

    name: str
    size: int
    kind: str


class Stream:
    """The bytes of a tar, unpacked as they are asked for.

    Args:
        file: at its start.
        bounds: `stream_bytes` are unpacked, `entries` members looked at, and no more.
    """

    def __init__(self, file: io.FileIO, bounds: Bounds) -> None:
        file.seek(0)
        start = file.read(6)
        file.seek(0)
        self._data, self._bounds, self._at = _unpacked(start, file), bounds, 0

    def read(self, size: int) -> bytes:
        """At most this many bytes; fewer only where it ends."""
        pieces = []
        while size > 0 and (piece := self._data.read(min(size, CHUNK))):
            pieces.append(piece)
            size -= len(piece)
            self._at += len(piece)
            if self._at > self._bounds.stream_bytes:
                raise SubmissionError(
                    f"it unpacks to more than {self._bounds.stream_bytes // MIB} MiB",
                    fix="Hand in the assignment's folder alone, without environments and data",
                )
        return b"".join(pieces)

    def members(self) -> Iterator[Header]:
        """Each member, when the stream is at its content; what is not read of that is passed over.

        Raises:
            Malformed: this is no tar.
            SubmissionError: a bound is broken.
        """
        name, size = None, None
        looked_at = 0
        while (block := self.read(_BLOCK)).strip(b"\0"):
            looked_at += 1
            if looked_at > self._bounds.entries:
                raise SubmissionError(
                    f"more than {self._bounds.entries:,} files and folders",
                    fix="Hand in the assignment's folder alone, without environments and data",
                )
            header, flag = _header(block)
            length = header.size if size is None or flag in (_LONG_NAME, _LONG_LINK, _PAX, _GLOBAL) else size
            end = self._at + length + -length % _BLOCK
            if flag in (_LONG_NAME, _PAX):
                if length > _MAX_HEADER:
                    raise Malformed("a header of more than 64 KiB")
                body = self.read(length)
                if flag == _LONG_NAME:
                    name = _text(body)
                else:
                    fields = _pax(body)
                    name = fields.get("path", name)
                    size = _whole(fields["size"]) if "size" in fields else size
            elif flag not in (_LONG_LINK, _GLOBAL):
                yield Header(header.name if name is None else name, length, header.kind)
                name, size = None, None
            self._pass_over(end - self._at)

    def _pass_over(self, size: int) -> None:
        while size > 0:
            piece = self.read(min(size, CHUNK))
            if not piece:
                raise Malformed("it ends early")
            size -= len(piece)


def _unpacked(start: bytes, file: io.FileIO) -> BinaryIO:
    if start.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if start.startswith(b"\xfd7zXZ\0"):
        return io.BufferedReader(_Xz(file), CHUNK)
    if start.startswith(b"BZh"):
        return cast("BinaryIO", bz2.BZ2File(file))
    return io.BufferedReader(io.FileIO(file.fileno(), closefd=False), CHUNK)


def _header(block: bytes) -> tuple[Header, bytes]:
    if len(block) < _BLOCK:
        raise Malformed("it ends early")
    # Each byte counted, those of the sum itself as blanks.
    if sum(block) - sum(block[148:156]) + 8 * ord(" ") != _number(block[148:156]):
        raise Malformed("this is no tar file, or a damaged one")
    flag = block[156:157]
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = f"{prefix}/{name}"
    kind = "other"
    if flag in _FOLDER or (name.endswith("/") and flag in _FILE):
        kind = "folder"
    elif flag in _FILE:
        kind = "file"
    elif flag in _LINKS:
        kind = "link"
    return Header(name, 0 if kind == "link" else _number(block[124:136]), kind), flag


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU's way with what has too many digits
        return int.from_bytes(field[1:], "big")
    return _whole(field.strip(b" \0").decode("ascii", "replace") or "0", 8)


def _whole(text: str, base: int = 10) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        raise Malformed("a number that is none")
    try:
        return int(text, base)
    except ValueError:
        raise Malformed("a number that is none") from None


def _pax(body: bytes) -> dict[str, str]:
    """The fields of a pax header, `30 path=...` and an end of line each, in one pass."""
    fields: dict[str, str] = {}
    at = 0
    while at < len(body):
        blank = body.find(b" ", at, at + 20)
        if blank < 0:
            raise Malformed("a pax header that is none")
        length = _whole(body[at:blank].decode("ascii", "replace"))
        key, equals, value = body[blank + 1 : at + length].partition(b"=")
        if length <= blank - at or not equals or not value.endswith(b"\n"):
            raise Malformed("a pax header that is none")
        fields[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "replace")
        at += length
    return fields


class _Xz(io.RawIOBase):
    """What an xz file unpacks to, within bounds of memory, which lzma's own file object has none of."""

    def __init__(self, file: io.FileIO) -> None:
        self._file, self._unpacker = file, self._new()

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def readable(self) -> bool:
        """It is, as BufferedReader asks."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills what it can of the buffer; 0 at the end."""
        while True:
            data = b""
            if self._unpacker.eof:  # another stream may follow, after zeros
                data = self._unpacker.unused_data.lstrip(b"\0") or self._file.read(CHUNK).lstrip(b"\0")
                if not data:
                    return 0
                self._unpacker = self._new()
            elif self._unpacker.needs_input:
                data = self._file.read(CHUNK)
                if not data:
                    raise EOFError("it ends early")
            piece = self._unpacker.decompress(data, len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
