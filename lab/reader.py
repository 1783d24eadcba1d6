"""The process that reads an archive nobody vouches for: `python -m lab.reader ARCHIVE FOLDER`.

It takes the arrays that are needed out of the parts of CIFAR-100 and leaves them in FOLDER as plain files,
within limits of memory and time. Its output is lines of JSON: how far it is, and at the end what was wrong.
lab/archive.py starts it, and looks at what it left as at anything else that somebody wrote.

Nothing but the standard library is imported here: it has to fit into the limits, and to start fast.
"""

import contextlib
import gzip
import json
import lzma
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from lab import pickled

PIXELS = 32 * 32 * 3
CLASSES = {"fine": 100, "coarse": 20}

# The parts that are read, and the most bytes each may have. As published, by Python 2, train has 155 MB; with
# Python 3's detour for byte strings, 224 MB.
PARTS = {"train": 320 << 20, "test": 64 << 20, "meta": 1 << 16}
UNPACKED = sum(PARTS.values()) + (64 << 20)  # of the whole tar file, with whatever else it holds
MEMORY = 1 << 30  # bytes; what Python 3 wrote in protocol 2 takes 630 MB, the published archive half of that
CPU_SECONDS = 180  # the published archive takes two, packed with xz ten
_BLOCK = 512
MEMBERS = 10_000  # of a tar file; the published one has four
_HEADER = 64 << 10  # the most that a name or another header beside a member's own may have

# What else is handed about under such a name, by its first bytes.
_OTHER = {
    b"PK": "a zip",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstandard",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x80\x02": "a pickle, one part of the archive",
    b"<": "a web page",  # what a proxy or an expired link leaves behind
}


class Bad(Exception):
    """It is no such archive, for the reason that the message gives: "it has no train part"."""


def main() -> None:
    path, folder = map(Path, sys.argv[1:])
    _limit()
    try:
        _read(path, folder)
    except Bad as bad:
        _say(bad=str(bad))
    except MemoryError:
        _say(bad=f"it takes more than {MEMORY >> 20} MiB of memory to read")
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        _say(bad=f"it is truncated or damaged ({error})")
    except OSError as error:
        _say(failed=error.errno, about=error.strerror or str(error))
    else:
        _say(done=True)


def _say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def _limit() -> None:
    """Keeps this process from what no such archive takes. Windows has no such limits: it goes without."""
    try:
        import resource
    except ImportError:
        return
    wanted = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: PARTS["train"] + (1 << 20),
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(kind, (most, hard))


def _read(path: Path, folder: Path) -> None:
    found = set()
    for name, content in _folder_parts(path) if path.is_dir() else _tar_parts(path):
        if name in found:
            raise Bad(f"it has two {name} parts")
        found.add(name)
        part = _unpickled(name, content)
        del content
        if name == "meta":
            names = {kind: _names(part, f"{kind}_label_names", count) for kind, count in CLASSES.items()}
            (folder / "names.json").write_text(json.dumps(names), "utf-8")
        else:
            _write_arrays(name, part, folder)
    for name in PARTS:
        if name not in found:
            raise Bad(f"it has no {name} part")


def _unpickled(name: str, content: bytes) -> dict[str, Any]:
    try:
        return pickled.load(content)
    except pickled.Refused as refused:
        raise Bad(f"{name} is not pickled pictures: {refused}") from None
    except (ValueError, TypeError, LookupError, AttributeError, struct.error) as error:  # it is malformed
        raise Bad(f"{name} is not a readable pickle ({type(error).__name__})") from None


# --- what the parts hold ------------------------------------------------------------------------------------


def _write_arrays(name: str, part: dict[str, Any], folder: Path) -> None:
    array = part.get("data")
    if not isinstance(array, pickled.Array) or not isinstance(array.shape, tuple):
        raise Bad(f"{name} has no pictures of {PIXELS} bytes")
    count = len(array.content) // PIXELS
    if not count or array.shape != (count, PIXELS) or len(array.content) != count * PIXELS:
        raise Bad(f"{name} has no pictures of {PIXELS} bytes")
    _write_array(folder / f"{name}.planes.npy", (count, PIXELS), array.content, array.fortran)
    for kind, classes in CLASSES.items():
        key = f"{kind}_labels"
        labels = part.get(key)
        if not isinstance(labels, list):
            raise Bad(f"{name} has no {key}")
        if len(labels) != count:
            raise Bad(f"{name} has {len(labels):,} {key} for {count:,} pictures")
        if not all(type(label) is int and 0 <= label < classes for label in labels):
            raise Bad(f"{name} has {key} that are not whole numbers from 0 to {classes - 1}")
        _write_array(folder / f"{name}.{kind}.npy", (count,), bytes(labels))


def _write_array(path: Path, shape: tuple[int, ...], content: bytes, fortran: bool = False) -> None:
    """Writes unsigned bytes as NumPy does (format 1.0)."""
    header = repr({"descr": "|u1", "fortran_order": fortran, "shape": shape}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    with path.open("wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        file.write(content)


def _names(part: dict[str, Any], key: str, count: int) -> list[str]:
    names = part.get(key)
    if (
        not isinstance(names, list)
        or len(names) != count
        or not all(isinstance(n, str | bytes) for n in names)
    ):
        raise Bad(f"meta has no {count} {key}")
    return [name.decode("latin1") if isinstance(name, bytes) else name for name in names]


# --- finding the parts --------------------------------------------------------------------------------------


def _folder_parts(path: Path) -> Iterator[tuple[str, bytes]]:
    before = 0
    for name, most in PARTS.items():
        part = path / name
        if part.is_file():
            if part.stat().st_size > most:
                raise Bad(f"{name} is larger than any such part")
            with part.open("rb") as file:
                yield name, _Reported(file, before).read(most)
            before += part.stat().st_size


def _tar_parts(path: Path) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as packed:
        start = packed.read(6)
        packed.seek(0)
        for magic, what in _OTHER.items():
            if start.startswith(magic):
                raise Bad(f"it is {what}; what is read is .tar.gz, .tar.xz, .tar or the unpacked folder")
        stream = _Bounded(_unpacked(start, cast("BinaryIO", _Reported(packed))))
        for name, size in _members(stream):
            if size > PARTS[name]:
                raise Bad(f"{name} is larger than any such part ({size:,} bytes)")
            yield name, stream.exactly(size)
            stream.read(-size % _BLOCK)
        while stream.read(1 << 20):  # the checksum comes last, after the padding
            pass


def _unpacked(start: bytes, packed: BinaryIO) -> BinaryIO:
    if start.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=packed))
    if start == b"\xfd7zXZ\x00":
        return cast("BinaryIO", lzma.LZMAFile(packed))
    return packed


def _members(stream: "_Bounded") -> Iterator[tuple[str, int]]:
    """The parts in a tar file, front to back: name and size; whoever asks for the next has read this one.

    Not tarfile's: before Python 3.11.10, a pax header of digits alone takes time that grows with its square.
    """
    extended: dict[str, str] = {}
    for _ in range(MEMBERS):
        header = stream.header()
        if not header:
            return
        kind, size = header[156:157], _tar_number(header[124:136])
        name = _name(header[:100])
        if kind in b"xL":  # of the next member: pax records, or GNU's long name
            if size > _HEADER:
                raise Bad(f"it has a header of {size:,} bytes")
            body = stream.exactly(size)
            extended |= _pax(body) if kind == b"x" else {"path": _name(body)}
        else:
            name, size = extended.get("path", name), int(extended.get("size", size))
            extended = {}
            part = PurePosixPath(name).name
            # Folders have no content, whatever their header says; nor have links and devices.
            is_part = part in PARTS and kind != b"5" and not name.endswith("/")
            if is_part and kind not in (b"0", b"\0", b"7"):
                raise Bad(f"{part} is not a regular file")
            if is_part:
                yield part, size
                continue
            stream.skip(size if kind not in b"123456" else 0)
        stream.skip(-size % _BLOCK if kind not in b"123456" else 0)
    raise Bad(f"it has more than {MEMBERS:,} members")


def _name(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _tar_number(field: bytes) -> int:
    """A size: octal digits, or what GNU does with those that do not fit."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise EOFError("a number that is none") from None


def _pax(body: bytes) -> dict[str, str]:
    """The records "LENGTH KEY=VALUE\\n" of a pax header that matter here, each byte looked at once."""
    records, place = {}, 0
    while place < len(body):
        digits = body[place : place + 8].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        if not len(digits) + 3 <= length <= len(body) - place:
            raise EOFError("a pax record of a wrong length")
        key, _, value = body[place + len(digits) + 1 : place + length - 1].partition(b"=")
        if key == b"path" or (key == b"size" and value.isdigit() and len(value) < 20):
            records[key.decode()] = value.decode("utf-8", "replace")
        place += length
    return records


class _Reported:
    """Passes reads on, and reports how far they are."""

    def __init__(self, file: BinaryIO, before: int = 0) -> None:
        self._file, self._at, self._said = file, before, before

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._at += len(content)
        if self._at >= self._said + (1 << 20):
            self._said = self._at
            _say(at=self._at)
        return content

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # What gzip and lzma ask for besides: seek, tell and the like.
        return cast("Callable[..., Any]", getattr(self._file, name))


class _Bounded:
    """Passes reads on until more has come out than any such archive holds."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, UNPACKED

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise Bad(f"it unpacks to more than {UNPACKED >> 20} MiB")
        return content

    def exactly(self, size: int) -> bytes:
        content = self.read(size)
        if len(content) < size:
            raise EOFError("it ends within a member")
        return content

    def skip(self, size: int) -> None:
        while size > 0:
            size -= len(self.exactly(min(size, 1 << 20)))

    def header(self) -> bytes:
        """A member's header, or nothing at the end: a block of zeros, or where the file ends."""
        first = self._left == UNPACKED
        header = self.read(_BLOCK)
        if not header and not first:
            return b""
        if len(header) < _BLOCK:
            raise EOFError("it ends within a header")
        if not header.strip(b"\0") and not first:
            return b""
        # The sum of the header's bytes, with its own field as spaces; some writers took the bytes as signed.
        field = header[148:156]
        rest = header[:148] + b" " * 8 + header[156:]
        stated = _tar_number(field.partition(b"\0")[0] or b"0")
        if stated != sum(rest) and stated != sum(byte - 256 if byte > 127 else byte for byte in rest):
            raise EOFError("a header with a wrong checksum")
        return header


if __name__ == "__main__":
    main()
