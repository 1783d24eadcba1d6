"""Reading the archive: every copy of it gives the same sets, and nothing in it is ever run."""

import bz2
import contextlib
import gzip
import hashlib
import io
import json
import lzma
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rich.progress import Progress

from lab import archive
from lab import pickled as pickled_reader
from lab.archive import Pool
from lab.data import COARSE, FINE, IMAGES, NAMES
from lab.errors import DataError
from tests.lab.made_up import ROOT, parts_of, pickled, python2_pickle, write_tar

pytestmark = pytest.mark.slow


def read(path: Path) -> Pool:
    with tempfile.TemporaryDirectory() as scratch:
        try:
            return archive.read(path, Path(scratch), Progress(disable=True))
        finally:
            assert [*Path(scratch).iterdir()] == []


def refused(path: Path) -> str:
    """The one line with which an archive is refused."""
    with pytest.raises(DataError) as caught:
        read(path)
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message
    assert "--from" in caught.value.fix
    return caught.value.message


class TestRead:
    """Any packing of the three parts gives the same pool."""

    @pytest.mark.parametrize("suffix", [".tar.gz", ".tar.xz", ".tar"])
    def test_packed(self, small: Pool, tmp_path: Path, suffix: str) -> None:
        got = read(write_tar(tmp_path / f"a{suffix}", pickled(small)))
        np.testing.assert_array_equal(got.planes, small.planes)
        np.testing.assert_array_equal(got.fine_labels, small.fine_labels)
        np.testing.assert_array_equal(got.coarse_labels, small.coarse_labels)
        assert (got.fine_names, got.coarse_names) == (small.fine_names, small.coarse_names)

    @pytest.mark.parametrize("inner", ["", "cifar-100-python"])
    def test_unpacked(self, small: Pool, tmp_path: Path, inner: str) -> None:
        folder = tmp_path / inner
        folder.mkdir(exist_ok=True)
        for name, content in pickled(small).items():
            (folder / name).write_bytes(content)
        assert archive.is_archive_folder(tmp_path)
        np.testing.assert_array_equal(read(tmp_path).planes, small.planes)

    @pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
    def test_pickled_by_python_3(self, small: Pool, tmp_path: Path, protocol: int) -> None:
        """Copies are about that Python 3 has written; its byte strings take a detour over latin1."""
        members = {name: pickle.dumps(part, protocol) for name, part in parts_of(small).items()}
        np.testing.assert_array_equal(read(write_tar(tmp_path / "a.tar", members)).planes, small.planes)

    def test_other_members_are_passed_over(self, small: Pool, tmp_path: Path) -> None:
        folder = tarfile.TarInfo("cifar-100-python")
        folder.type = tarfile.DIRTYPE
        members = {"folder": folder, "file.txt~": b"", **pickled(small), "../../evil": b"x"}
        read(write_tar(tmp_path / "a.tar.gz", members))
        assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


class TestDamage:
    """A copy that is not whole is refused in one line."""

    @pytest.mark.parametrize("suffix", [".tar.gz", ".tar.xz", ".tar"])
    @pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
    def test_truncated(self, small: Pool, tmp_path: Path, suffix: str, kept: float) -> None:
        path = write_tar(tmp_path / f"a{suffix}", pickled(small))
        content = path.read_bytes()
        # A plain tar file ends in padding, which may be lost without loss.
        whole = len(content.rstrip(b"\0")) if suffix == ".tar" else len(content)
        path.write_bytes(content[: int(whole * kept)])
        assert "is not a whole CIFAR-100 archive" in refused(path)

    @pytest.mark.parametrize("suffix", [".tar.gz", ".tar.xz"])
    def test_flipped_byte(self, small: Pool, tmp_path: Path, suffix: str) -> None:
        """Wherever it is, the packing's checksum is the last to notice."""
        path = write_tar(tmp_path / f"a{suffix}", pickled(small))
        whole = path.read_bytes()
        # Past gzip's header, of which the time and the name may be anything.
        for place in np.linspace(64, len(whole) - 1, 8).astype(int):
            damaged = bytearray(whole)
            damaged[place] ^= 0x10
            path.write_bytes(damaged)
            refused(path)

    @pytest.mark.parametrize("part", ["train", "test", "meta"])
    def test_missing_part(self, small: Pool, tmp_path: Path, part: str) -> None:
        members = pickled(small)
        del members[part]
        assert refused(write_tar(tmp_path / "a.tar", members)).endswith(f"it has no {part} part")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda train: train.pop(b"fine_labels"), "train has no fine_labels"),
            (lambda train: train[b"coarse_labels"].pop(), "train has 499 coarse_labels for 500 pictures"),
            (lambda train: train[b"fine_labels"].__setitem__(0, 100), "not whole numbers from 0 to 99"),
            (lambda train: train[b"fine_labels"].__setitem__(0, True), "not whole numbers from 0 to 99"),
            (lambda train: train.pop(b"data"), "train has no pictures of 3072 bytes"),
            (lambda train: train.update({b"data": train[b"data"][:, :3071]}), "no pictures of 3072 bytes"),
            (lambda train: train.update({b"data": train[b"data"].astype(np.float32)}), "in place of bytes"),
            (lambda train: train.update({b"data": np.array([object()])}), "train is not pickled pictures"),
            (lambda train: train[b"fine_labels"].__setitem__(0, 0), "pictures, not 6"),
        ],
    )
    def test_wrong_content(
        self, small: Pool, tmp_path: Path, change: Callable[[dict[bytes, Any]], None], reason: str
    ) -> None:
        parts = parts_of(
            Pool(small.planes, np.sort(small.fine_labels)[::-1], *list(vars(small).values())[2:])
        )
        change(parts["train"])
        members = {name: python2_pickle(part) for name, part in parts.items()}
        assert reason in refused(write_tar(tmp_path / "a.tar", members))

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "damaged"),
            (b"<!DOCTYPE html><html>Please log in</html>", "it is a web page"),
            (bytes(2000), "damaged"),
            (b"PK\x03\x04" + bytes(2000), "it is a zip; what is read is .tar.gz, .tar.xz, .tar or the"),
            (bz2.compress(b"x"), "it is packed with bzip2"),
            (b"\x28\xb5\x2f\xfd" + bytes(2000), "it is packed with zstandard"),
            (b"7z\xbc\xaf\x27\x1c" + bytes(2000), "it is a 7z archive"),
            (pickle.dumps({}, 2), "it is a pickle, one part of the archive"),
        ],
    )
    def test_something_else(self, tmp_path: Path, content: bytes, reason: str) -> None:
        path = tmp_path / "a.tar.gz"
        path.write_bytes(content)
        assert reason in refused(path)

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        assert "there is no train part in it" in refused(tmp_path)


class Runs:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


class TestHostile:
    """A pickle is a program: none of it runs, and no size is believed."""

    @pytest.mark.parametrize("part", ["train", "test", "meta"])
    @pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
    def test_forbidden_global(self, small: Pool, tmp_path: Path, part: str, protocol: int) -> None:
        victim = tmp_path / "victim"
        victim.touch()
        members = pickled(small)
        members[part] = pickle.dumps({b"data": Runs(os.unlink, str(victim))}, protocol)
        assert "it asks for 'posix.unlink'" in refused(write_tar(tmp_path / "a.tar", members))
        assert victim.exists()

    @pytest.mark.parametrize(
        "program",
        [
            b"cbuiltins\neval\n(S'1'\ntR.",
            b"cnumpy.core.multiarray\nscalar\n.",
            b"c_codecs\ndecode\n.",
            b"c_codecs\nencode\n(Vabc\nVrot13\ntR.",  # the one function that is known, with another codec
            b"\x80\x04\x8c\x05numpy\x8c\x0fndarray.tofile\x93.",  # a way round through an attribute
            b"\x80\x02}r\xff\xff\xff\x7f.",  # a memo of two thousand million entries
            b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # a byte string of eight exabytes
            b"\x80\x02\x82\x01.",  # copyreg's registry
            b"P1\n.",  # an object outside of the pickle
            b"\x80\x02cnumpy\nndarray\n}X\x0c\x00\x00\x00__setstate__I1\nsb.",  # changing a stand-in
            b"(" * 100_000 + b"t" * 100_000 + b".",
            b".",
            b"\x80\x63.",
            b"N.",
        ],
    )
    def test_programs(self, small: Pool, tmp_path: Path, program: bytes) -> None:
        refused(write_tar(tmp_path / "a.tar", {**pickled(small), "train": program}))

    def test_stand_ins_are_as_before(self, small: Pool, tmp_path: Path) -> None:
        """A pickle may set attributes of what it gets hold of: none that a later reading would notice."""
        program = (
            b"\x80\x02c_codecs\nencode\nN}X\x0c\x00\x00\x00__defaults__(Vx\nX\x06\x00\x00\x00latin1ts\x86b0}."
        )
        refused(write_tar(tmp_path / "a.tar", {**pickled(small), "train": program}))
        np.testing.assert_array_equal(
            read(write_tar(tmp_path / "b.tar", pickled(small))).planes, small.planes
        )

    def test_oversize_member(self, small: Pool, tmp_path: Path) -> None:
        """Refused by its header, before a byte is read: there is none."""
        huge = tarfile.TarInfo("cifar-100-python/train")
        huge.size = 8 << 30
        path = write_tar(tmp_path / "a.tar", {"train": huge})
        assert "larger than any such part (8,589,934,592 bytes)" in refused(path)

    def test_oversize_file(self, small: Pool, tmp_path: Path) -> None:
        (tmp_path / "train").touch()
        os.truncate(tmp_path / "train", 8 << 30)
        assert "train is larger than any such part" in refused(tmp_path)

    @pytest.mark.slow
    def test_bomb(self, tmp_path: Path) -> None:
        """A few kilobytes that unpack without end."""
        path = tmp_path / "a.tar.xz"
        filler = tarfile.TarInfo("filler")
        filler.size = 2 << 30
        with lzma.open(path, "w", preset=0) as file:
            file.write(filler.tobuf())
            for _ in range(512):
                file.write(bytes(1 << 20))
        assert "it unpacks to more than" in refused(path)

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
    def test_not_a_regular_file(self, small: Pool, tmp_path: Path, kind: bytes) -> None:
        link = tarfile.TarInfo("cifar-100-python/train")
        link.type, link.linkname = kind, "/etc/passwd"
        members = {**pickled(small), "train": link}
        assert "train is not a regular file" in refused(write_tar(tmp_path / "a.tar", members))

    def test_twice(self, small: Pool, tmp_path: Path) -> None:
        members = pickled(small)
        path = write_tar(tmp_path / "a.tar", {**members, "again/train": members["train"]})
        assert "two train parts" in refused(path)


# Python's own count of memory has that of the process which started it in it; Linux's status has not.
MEASURED = """
import sys
from lab import reader
reader.main()
print(*[line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")])
"""


def cost(path: Path, scratch: Path) -> tuple[dict[str, object], float, float]:
    """What the reader answers to an archive, and the processor seconds and MiB that it took."""
    command = [sys.executable, "-SEs", "-c", MEASURED, str(path), str(scratch)]
    with (scratch / "said").open("wb") as said:
        reader = subprocess.Popen(command, cwd=ROOT, stdout=said)
        _, status, used = os.wait4(reader.pid, 0)
        reader.returncode = os.waitstatus_to_exitcode(status)
    *_, answer, memory = (scratch / "said").read_text().splitlines()
    return json.loads(answer), used.ru_utime + used.ru_stime, int(memory) / 1024


def short(code: bytes, content: bytes, form: str = "<I") -> bytes:
    return code + struct.pack(form, len(content)) + content


LONG_TEXT = short(b"X", b"a" * (8 << 20))
ENCODE = b"c_codecs\nencode\nq\x01" + short(b"X", b"latin1") + b"q\x02"
# Each small once packed; what it stands for is gigabytes, or hours, or more than a stack can hold; and why
# it is refused.
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "one text encoded again and again": (
        lambda: b"\x80\x02" + LONG_TEXT + b"q\x00" + ENCODE + b"h\x01h\x00h\x02\x86R" * 250 + b"N.",
        "it makes more bytes than it has",
    ),
    "a text of wide characters": (
        lambda: b"\x80\x02" + short(b"X", b"a" * (200 << 20) + "\U0001f600".encode()) + b".",
        "it takes more than 1024 MiB of memory to read",
    ),
    "lists in lists, each twice, as a name": (
        lambda: b"\x80\x04]" + b"\x94\x85h\x00\x86" * 100_000 + b"\x8c\x01x\x93.",
        "a name that is no text",
    ),
    "tuples in tuples as a key": (
        lambda: b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns.",
        "a dictionary with keys that are no texts",
    ),
    "dictionaries on the stack": (
        lambda: b"\x80\x02" + b"}" * 3_000_000,
        "it has more than 2,000,000 instructions",
    ),
    "marks": (lambda: b"(" * 3_000_000 + b".", "it has more than 2,000,000 instructions"),
    "a number of a million digits": (lambda: b"I" + b"9" * 1_000_000 + b"\n.", "not a readable pickle"),
    "a number of a million bytes": (
        lambda: short(b"\x8b", b"\x7f" * 1_000_000) + b".",
        "it has the instruction",
    ),
}


class TestBounds:
    """An archive that nobody vouches for takes seconds and less than a gigabyte, whatever is in it."""

    @pytest.mark.parametrize("what", BOMBS)
    def test_pickle(self, tmp_path: Path, what: str) -> None:
        program, reason = BOMBS[what]
        answer, seconds, mebibytes = cost(write_tar(tmp_path / "a.tar.gz", {"train": program()}), tmp_path)
        assert reason in str(answer["bad"])
        assert seconds < 10
        assert mebibytes < 1100

    def test_pax_header_of_digits_alone(self, tmp_path: Path) -> None:
        """tarfile takes 0.2 s for 10,000 digits, and four times that for twice as many."""
        for count, reason in (
            (60_000, "truncated or damaged"),
            (400 << 20, "it has a header of 419,430,400 bytes"),
        ):
            header = tarfile.TarInfo("x")
            header.type, header.size = b"x", count
            with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as file:
                file.write(header.tobuf(tarfile.USTAR_FORMAT))
                file.write((b"1" * count)[: 1 << 20] + bytes(2048))
            answer, seconds, mebibytes = cost(tmp_path / "a.tar.gz", tmp_path)
            assert reason in str(answer["bad"])
            assert seconds < 1
            assert mebibytes < 100

    def test_members_without_end(self, tmp_path: Path) -> None:
        """A tar file of headers alone is not read to its end."""
        header = tarfile.TarInfo("x").tobuf()
        with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as file:
            for _ in range(6):
                file.write(header * 2048)
        answer, seconds, mebibytes = cost(tmp_path / "a.tar.gz", tmp_path)
        assert answer["bad"] == "it has more than 10,000 members"
        assert seconds < 3
        assert mebibytes < 100

    def test_xz_that_asks_for_four_gigabytes(self, small: Pool, tmp_path: Path) -> None:
        """A byte in the header is how far back it may refer."""
        path = write_tar(tmp_path / "a.tar.xz", pickled(small))
        content = bytearray(path.read_bytes())
        size = (content[12] + 1) * 4
        assert content[14] == 0x21  # LZMA2, of which the next but one is the size
        content[16] = 40
        content[12 + size - 4 : 12 + size] = struct.pack("<I", zlib.crc32(content[12 : 12 + size - 4]))
        path.write_bytes(content)
        answer, seconds, mebibytes = cost(path, tmp_path)
        assert answer["bad"] == "it takes more than 1024 MiB of memory to read"
        assert seconds < 5
        assert mebibytes < 100

    def test_time(self, small: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A reader that is stopped for its time is reported as one."""
        monkeypatch.setattr(sys, "executable", "/bin/sh")
        ends = {"kill -XCPU $$": "processor time", "echo Oops >&2; exit 3": r"ended with 3 \(Oops\)"}
        for script, reason in ends.items():
            monkeypatch.setattr(archive, "_COMMAND", ("-c", script))
            with pytest.raises(DataError, match=reason):
                read(write_tar(tmp_path / "a.tar", pickled(small)))

    @pytest.mark.parametrize(
        "change",
        [
            lambda folder: np.save(folder / "train.planes.npy", np.zeros((500, 3072), np.uint16)),
            lambda folder: np.save(folder / "train.planes.npy", np.zeros((499, 3072), np.uint8)),
            lambda folder: np.save(folder / "test.fine.npy", np.zeros((100, 1), np.uint8)),
            lambda folder: np.save(folder / "test.fine.npy", np.full(100, 100, np.uint8)),
            lambda folder: np.save(folder / "test.coarse.npy", np.array([object()] * 100), allow_pickle=True),
            lambda folder: (folder / "test.coarse.npy").write_bytes(b"\x93NUMPY"),
            lambda folder: (folder / "names.json").write_text("[]"),
            lambda folder: (folder / "names.json").write_text('{"fine": [], "coarse": []}'),
            lambda folder: (folder / "names.json").write_text("[" * 100_000),
        ],
    )
    def test_what_the_reader_left_is_looked_at(
        self, small: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
    ) -> None:
        run = archive._run_reader

        def and_then(path: Path, source: Path, scratch: Path, progress: Progress) -> None:
            run(path, source, scratch, progress)
            change(scratch)

        monkeypatch.setattr(archive, "_run_reader", and_then)
        assert "its reader left something else" in refused(write_tar(tmp_path / "a.tar", pickled(small)))


parts = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20) | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)
MALFORMED = (pickled_reader.Refused, ValueError, TypeError, LookupError, AttributeError, struct.error)


class TestPickled:
    """The reader of pickles agrees with Python's where it reads, and says what it refuses."""

    @given(st.dictionaries(st.text(max_size=5), parts, max_size=4), st.integers(0, 5))
    @settings(max_examples=150, deadline=None)
    def test_like_python(self, part: dict[str, Any], protocol: int) -> None:
        """Plain data, in any protocol."""
        file = io.BytesIO()
        # Empty byte strings are written as a call of `bytes` in old protocols: no archive has one.
        assume(protocol > 2 or b"b''" not in repr(part).encode())
        pickle.Pickler(file, protocol).dump(part)
        assert pickled_reader.load(file.getvalue()) == part

    @given(
        st.integers(0, 5), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=3)), min_size=1, max_size=4)
    )
    @settings(max_examples=300, deadline=None)
    def test_any_bytes(self, protocol: int, changes: list[tuple[float, bytes]]) -> None:
        """Changed anywhere, it is read or refused."""
        part = {
            b"data": np.arange(12, dtype=np.uint8).reshape(3, 4),
            b"labels": [1, 2],
            b"names": [b"a", b"b"],
        }
        content = bytearray(pickle.dumps(part, protocol))
        for share, put in changes:
            place = int(share * len(content))
            content[place : place + len(put)] = put
        with contextlib.suppress(*MALFORMED):
            pickled_reader.load(bytes(content))


class TestPublished:
    """The published archive is known by its digest, in every form it has."""

    def test_known_and_not(
        self, small_archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert not archive.is_published(small_archive, Progress(disable=True))
        monkeypatch.setattr(archive, "PUBLISHED", hashlib.sha256(small_archive.read_bytes()).hexdigest())
        assert archive.is_published(small_archive, Progress(disable=True))
        with small_archive.open("ab") as file:
            file.write(b"\0")
        assert not archive.is_published(small_archive, Progress(disable=True))

    def test_its_folder(self, small: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, content in pickled(small).items():
            (tmp_path / name).write_bytes(content)
            monkeypatch.setitem(archive.PUBLISHED_PARTS, name, hashlib.sha256(content).hexdigest())
        assert archive.is_published(tmp_path, Progress(disable=True))
        (tmp_path / "meta").write_bytes(b"x")
        assert not archive.is_published(tmp_path, Progress(disable=True))


class TestCanonicalFiles:
    """The sets depend on the pictures, not on how a copy holds them."""

    def test_any_order_and_division(self, small: Pool, tmp_path: Path) -> None:
        order = np.random.default_rng(1).permutation(len(small.planes))
        other = Pool(
            small.planes[order],
            small.fine_labels[order],
            small.coarse_labels[order],
            small.fine_names,
            small.coarse_names,
        )
        members = {name: python2_pickle(part) for name, part in parts_of(other, share=0.3).items()}
        pool = read(write_tar(tmp_path / "a.tar", members))
        for ranks in ((0, 5), (5, 6)):
            assert archive.canonical_files(pool, ranks) == archive.canonical_files(small, ranks)

    def test_by_the_book(self, small: Pool, tmp_path: Path) -> None:
        """The same by plain loops: class by class, picture by picture."""
        planes, fine = [], []
        for label in range(100):
            pictures = [bytes(row) for row in small.planes[small.fine_labels == label]]
            planes += sorted(pictures, key=lambda picture: hashlib.sha256(picture).digest())[:5]
            fine += [label] * 5
        files = archive.canonical_files(small, (0, 5))
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        images = np.load(tmp_path / IMAGES)
        assert (images.dtype, images.shape) == (np.uint8, (500, 32, 32, 3))
        for image, picture in zip(images, planes, strict=True):
            for place in range(1024):  # row by row
                red, green, blue = (picture[plane + place] for plane in (0, 1024, 2048))
                assert tuple(image[divmod(place, 32)]) == (red, green, blue)
        np.testing.assert_array_equal(np.load(tmp_path / FINE), np.array(fine, np.uint8))
        np.testing.assert_array_equal(np.load(tmp_path / COARSE), np.array(fine, np.uint8) // 5)
        assert b'"thing_99"' in files[NAMES]
