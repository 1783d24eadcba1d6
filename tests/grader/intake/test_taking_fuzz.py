"""Any bytes called .zip are taken in or refused in words, and nothing lands outside."""

import io
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake import Source, bounds, take_in

pytestmark = pytest.mark.slow

MODULES = ("preprocessing.py", "alexnet.py")
QUIET = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))

# Names that mean something to a file system, a terminal, a shell or a zip, and pieces to make others of.
pieces = st.sampled_from(
    [
        "..",
        ".",
        "",
        "/",
        "\\",
        "preprocessing.py",
        "a",
        "C:",
        "\0",
        "\n",
        "\x1b[2J",
        "\u202e",
        "x" * 255,
        "é",
        "~",
    ]
)
names = st.lists(pieces, min_size=1, max_size=6).flatmap(
    lambda parts: st.sampled_from(["/", ""]).map(lambda joint: joint.join(parts))
) | st.text(max_size=30)
kinds = st.sampled_from([0, stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR, stat.S_IFCHR, stat.S_IFIFO])
methods = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])


def zip_of(entries: list[tuple[str, int, int, bytes]]) -> bytes:
    """A zip with these entries (name, kind, method, content), as far as zipfile writes them at all."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, kind, method, content in entries:
            entry = zipfile.ZipInfo("name")
            entry.filename = name  # past what the constructor makes of it
            entry.external_attr = (kind | 0o644) << 16
            entry.compress_type = method
            if name not in archive.NameToInfo:  # a second one only draws a warning
                archive.writestr(entry, content)
    return file.getvalue()


entries = st.lists(st.tuples(names, kinds, methods, st.binary(max_size=100)), max_size=6)
encodable = entries.filter(lambda listed: all(_can_be_written(name) for name, *_ in listed))


def _can_be_written(name: str) -> bool:
    try:
        return len(name.encode()) < 60_000
    except UnicodeEncodeError:
        return False


def taken(content: bytes) -> None:
    """Takes a zip in, or not; either way the promises hold."""
    with tempfile.TemporaryDirectory() as name:
        world = Path(name)
        (world / "m.zip").write_bytes(content)
        into = world / "into"
        into.mkdir()
        came, message = None, "taken in"
        try:
            came = take_in(Source("m", world / "m.zip"), MODULES, into)
        except SubmissionError as error:  # and nothing else
            message = error.message
        assert message.isprintable()
        assert 0 < len(message) < 1000
        if came is not None:
            assert came.folder.is_relative_to(into)
            assert set(came.missing) <= set(MODULES)
            assert len(came.notes) <= bounds.MAX_NOTES + 1
            assert all(note.isprintable() for note in came.notes)
        assert {path.name for path in world.iterdir()} == {"m.zip", "into"}
        modes = [path.lstat().st_mode for path in into.rglob("*")]
        assert all(stat.S_ISREG(mode) or stat.S_ISDIR(mode) for mode in modes)


class TestAnyZip:
    @given(encodable)
    @example([("", 0, 0, b"x")])
    @example([(".", 0, 0, b"x")])
    @example([("a", 0, 8, b"x"), ("a/b", 0, 8, b"x")])
    @example([("preprocessing.py", stat.S_IFLNK, 0, b"/etc/passwd")])
    @QUIET
    def test_whatever_the_entries_are(self, listed: list[tuple[str, int, int, bytes]]) -> None:
        """Names, kinds and methods of every sort: regular files of plain names, inside, or nothing."""
        taken(zip_of(listed))

    @given(encodable, st.data())
    @QUIET
    def test_with_bytes_changed(self, listed: list[tuple[str, int, int, bytes]], data: st.DataObject) -> None:
        """Headers that lie, lists that begin elsewhere, data cut off."""
        content = bytearray(zip_of([("preprocessing.py", 0, 8, b"print(1)\n" * 20), *listed]))
        for _ in range(data.draw(st.integers(1, 5))):
            place = data.draw(st.integers(0, len(content) - 1))
            content[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
            if not content:
                break
        taken(bytes(content))

    @given(st.binary(max_size=300))
    @example(b"PK\x05\x06" + bytes(18))
    @example(b"PK\x05\x06" + b"\xff" * 18)
    @QUIET
    def test_no_zip_at_all(self, content: bytes) -> None:
        """Noise is refused in words."""
        taken(content)


def tar_of(entries: list[tuple[str, bytes, bytes]], mode: str) -> bytes:
    """A tar with these entries (name, type, content)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w:{mode}") as archive:  # type: ignore[call-overload]
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            entry.size = len(content) if kind in (b"0", b"7") else 0
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


types = st.sampled_from([b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7"])
members = st.lists(st.tuples(names, types, st.binary(max_size=100)), max_size=6).filter(
    lambda listed: all(_can_be_written(name) for name, *_ in listed)
)
modes = st.sampled_from(["", "gz", "xz", "bz2"])


class TestAnyTar:
    @given(members, modes)
    @QUIET
    def test_whatever_the_members_are(self, listed: list[tuple[str, bytes, bytes]], mode: str) -> None:
        """Names and types of every sort."""
        taken(tar_of(listed, mode))

    @given(members, modes, st.data())
    @QUIET
    def test_with_bytes_changed(
        self, listed: list[tuple[str, bytes, bytes]], mode: str, data: st.DataObject
    ) -> None:
        """Headers that lie, packed data that is damaged or cut off."""
        content = bytearray(tar_of([("preprocessing.py", b"0", b"print(1)\n" * 20), *listed], mode))
        for _ in range(data.draw(st.integers(1, 5))):
            place = data.draw(st.integers(0, len(content) - 1))
            content[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
            if not content:
                break
        taken(bytes(content))

    @given(
        st.sampled_from([b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"BZh9", b"Rar!\x1a\x07"]), st.binary(max_size=300)
    )
    @QUIET
    def test_a_beginning_and_noise(self, magic: bytes, content: bytes) -> None:
        taken(magic + content)
