"""Taking submissions in: careless is forgiven, harmful is left behind and said."""

import contextlib
import ctypes
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import SubmissionError, UsageError
from grader.intake import Source, bounds, copying, find, take_in

MODULES = ("preprocessing.py", "alexnet.py")


def write(folder: Path, *names: str) -> Path:
    """Small files, each holding its own name."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def zipped(path: Path, entries: dict[str, str]) -> Path:
    """A zip with these entries, written as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return path


def _open_descriptors() -> int:
    return len([*Path("/dev/fd").iterdir()])


def make_socket(path: Path) -> None:
    """A socket's file; called from a folder near it, for the path of a socket is short."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """An empty folder to take a submission into."""
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


class TestFind:
    def test_folder_with_a_task_file_is_one_submission(self, tmp_path: Path) -> None:
        """`grade -- solutions` grades one submission of that name."""
        write(tmp_path / "alice", "preprocessing.py")
        assert find([tmp_path / "alice"], MODULES) == [Source("alice", tmp_path / "alice")]

    def test_folder_in_a_folder_is_one_submission(self, tmp_path: Path) -> None:
        """alice/assignment/preprocessing.py is alice's, not a class of one called assignment."""
        write(tmp_path / "alice", "assignment/preprocessing.py")
        assert find([tmp_path / "alice"], MODULES) == [Source("alice", tmp_path / "alice")]

    def test_class_holds_folders_and_zips(self, tmp_path: Path) -> None:
        """Every folder and zip of a class is a submission, an empty folder too: nobody is dropped."""
        write(
            tmp_path / "class", "alice/preprocessing.py", "bob/handin/alexnet.py", "notes.txt", ".git/config"
        )
        (tmp_path / "class" / "carol").mkdir()
        zipped(tmp_path / "class" / "dave.zip", {"preprocessing.py": ""})
        names = [source.name for source in find([tmp_path / "class"], MODULES)]
        assert names == ["alice", "bob", "carol", "dave"]

    def test_names_are_distinct_whatever_the_disk_thinks_of_case(self, tmp_path: Path) -> None:
        """Two submissions never share a results folder."""
        write(tmp_path / "a", "alice/preprocessing.py")
        write(tmp_path / "b", "Alice/preprocessing.py")
        names = [s.name for s in find([tmp_path / "a" / "alice", tmp_path / "b" / "Alice"], MODULES)]
        assert names == ["alice", "Alice (2)"]

    def test_no_submission_is_called_like_the_table_of_marks(self, tmp_path: Path) -> None:
        """A folder called marks.csv does not get the place of the file where the class's marks go."""
        write(tmp_path / "class", "marks.csv/preprocessing.py", "Marks.CSV.zip/preprocessing.py")
        names = [source.name for source in find([tmp_path / "class"], MODULES)]
        assert names == ["Marks.CSV.zip", "marks.csv (2)"]

    def test_names_are_short_enough_for_a_folder(self, tmp_path: Path) -> None:
        """Two names of as many bytes as a disk takes, alike once tidied, still become two folders."""
        write(tmp_path / "class", *(f"{chr(0x20000) * 62}{sign}/preprocessing.py" for sign in "+="))
        names = [source.name for source in find([tmp_path / "class"], MODULES)]
        assert len(set(names)) == 2
        assert all(len(name.encode()) <= 255 for name in names)

    def test_a_large_class(self, tmp_path: Path) -> None:
        """Ten thousand entries, links and names of every sort among them, are as many rows, each its own."""
        (tmp_path / "class").mkdir()
        strange = ["a\nb", "a b", "-rf", "=1+1", "\x1b[2J", "x..", "\u202egnp", "é", " "]
        for name in [*strange, *(f"s{i:05}" for i in range(9_990))]:
            (tmp_path / "class" / name).mkdir()
        (tmp_path / "class" / "z").symlink_to("s00001")
        sources = find([tmp_path / "class"], MODULES)
        names = [source.name for source in sources]
        assert len(sources) == len({name.casefold() for name in names}) == 10_000
        assert all(name.isprintable() and not name.startswith((".", " ")) for name in names)
        assert "z" in names

    @pytest.mark.parametrize("name", ["nowhere", "file.txt", "empty"])
    def test_what_cannot_be_graded_is_named(self, tmp_path: Path, name: str) -> None:
        """A path that is not there, is no zip or holds nothing is a usage error that names it."""
        (tmp_path / "file.txt").write_text("x")
        (tmp_path / "empty").mkdir()
        with pytest.raises(UsageError, match=name):
            find([tmp_path / name], MODULES)


class TestLinkInAClass:
    """A link among the submissions is refused by name: whose work is graded is not for it to choose."""

    @pytest.fixture
    def around(self, tmp_path: Path) -> Path:
        """Somebody else's work, as a folder and as a zip, outside the class."""
        write(tmp_path / "alice", *MODULES)
        zipped(tmp_path / "alice.zip", dict.fromkeys(MODULES, "x"))
        (tmp_path / "class").mkdir()
        return tmp_path

    @pytest.mark.parametrize(
        ("entry", "target", "name"),
        [
            ("eve", "../alice", "eve"),
            ("mallory.zip", "../alice.zip", "mallory"),
            ("folder.zip", "../alice", "folder"),
            ("gone", "../nowhere", "gone"),
            ("gone.zip", "../nowhere.zip", "gone"),
            ("itself", "itself", "itself"),
        ],
    )
    def test_is_in_the_list_and_refused(
        self, around: Path, into: Path, entry: str, target: str, name: str
    ) -> None:
        """Its row says why: nobody vanishes, and nothing is read."""
        write(around / "class", "bob/preprocessing.py")
        (around / "class" / entry).symlink_to(target)
        sources = {source.name: source for source in find([around / "class"], MODULES)}
        assert sorted(sources) == sorted(["bob", name])
        with pytest.raises(
            SubmissionError, match=f"{entry} is a link.*\n.*Hand in the folder or the zip itself"
        ):
            take_in(sources[name], MODULES, into)
        assert [path.name for path in into.rglob("*")] == ["raw"]

    def test_one_folder_in_a_folder(self, around: Path, into: Path) -> None:
        """alice/assignment is the usual way in; as a link it is refused, under alice's name."""
        (around / "eve").mkdir()
        (around / "eve" / "assignment").symlink_to(around / "alice")
        (source,) = find([around / "eve"], MODULES)
        assert source.name == "eve"
        with pytest.raises(SubmissionError, match="assignment is a link"):
            take_in(source, MODULES, into)

    def test_other_links_are_no_submissions(self, around: Path) -> None:
        """A class may keep its list of names elsewhere."""
        (around / "roster.csv").touch()
        (around / "class" / "roster.csv").symlink_to("../roster.csv")
        write(around / "class", "bob/preprocessing.py")
        assert [source.name for source in find([around / "class"], MODULES)] == ["bob"]

    @pytest.mark.parametrize("suffix", ["", ".zip"])
    def test_the_instructor_may_name_a_link(self, around: Path, into: Path, suffix: str) -> None:
        """What the command line names is the instructor's own choice."""
        (around / f"latest{suffix}").symlink_to(around / f"alice{suffix}")
        (source,) = find([around / f"latest{suffix}"], MODULES)
        assert take_in(source, MODULES, into).missing == {}

    def test_becomes_a_link_after_it_was_listed(self, around: Path, into: Path) -> None:
        write(around / "class", "eve/preprocessing.py", "bob/preprocessing.py")
        _, eve = find([around / "class"], MODULES)
        shutil.rmtree(eve.path)
        eve.path.symlink_to(around / "alice")
        with pytest.raises(SubmissionError, match="eve is a link"):
            take_in(eve, MODULES, into)

    def test_without_descriptors(self, around: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """On Windows too."""
        monkeypatch.setattr(copying, "_BY_DESCRIPTOR", False)
        (around / "class" / "eve").symlink_to("../alice")
        (source,) = find([around / "class"], MODULES)
        with pytest.raises(SubmissionError, match="eve is a link"):
            take_in(source, MODULES, into)


class TestTakeInAFolder:
    def test_files_arrive_as_they_are(self, tmp_path: Path, into: Path) -> None:
        """Bytes are copied: CRLF, BOM and all."""
        source = write(tmp_path / "alice", "preprocessing.py", "helpers/more.py")
        (source / "alexnet.py").write_bytes(b"\xef\xbb\xbfx = 1\r\n")
        taken = take_in(Source("alice", source), MODULES, into)
        assert (taken.folder / "alexnet.py").read_bytes() == b"\xef\xbb\xbfx = 1\r\n"
        assert (taken.folder / "helpers" / "more.py").read_text() == "helpers/more.py"
        assert taken.missing == {}

    def test_missing_file_is_said_with_what_is_near(self, tmp_path: Path, into: Path) -> None:
        """A file whose name has a slip in it is pointed out."""
        source = write(tmp_path / "alice", "preprocessing.py", "alxenet.py")
        taken = take_in(Source("alice", source), MODULES, into)
        assert "alxenet.py" in taken.missing["alexnet.py"]

    def test_a_task_file_is_not_taken_for_another(self, tmp_path: Path, into: Path) -> None:
        """alexnet.py and resnet.py look alike to whoever counts letters."""
        source = write(tmp_path / "alice", "resnet.py")
        taken = take_in(Source("alice", source), ("alexnet.py", "resnet.py"), into)
        assert taken.missing == {"alexnet.py": "The file alexnet.py is missing."}

    def test_links_and_devices_are_left_out(self, tmp_path: Path, into: Path) -> None:
        """A link to the gradebook is not followed, a fifo is not opened; both are said."""
        secret = tmp_path / "gradebook"
        secret.write_text("marks")
        source = write(tmp_path / "mallory", "preprocessing.py")
        (source / "alexnet.py").symlink_to(secret)
        (source / "folder").symlink_to(tmp_path)
        os.mkfifo(source / "pipe")
        taken = take_in(Source("mallory", source), MODULES, into)
        kinds = {stat.S_IFMT(path.lstat().st_mode) for path in taken.folder.rglob("*")}
        assert kinds == {stat.S_IFREG}
        assert "alexnet.py" in taken.missing
        assert len(taken.notes) == 3

    def test_litter_is_left_out_without_a_word(self, tmp_path: Path, into: Path) -> None:
        """.DS_Store is not worth a note."""
        source = write(
            tmp_path / "a", "preprocessing.py", "alexnet.py", ".DS_Store", "__pycache__/x.pyc", ".git/config"
        )
        taken = take_in(Source("a", source), MODULES, into)
        assert sorted(path.name for path in taken.folder.rglob("*")) == ["alexnet.py", "preprocessing.py"]
        assert taken.notes == ()

    def test_without_descriptors(self, tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where folders have no descriptors the same is taken, and the same is left out."""
        source = write(tmp_path / "a", *MODULES, "helpers/more.py", "a/b/c/d/e/f/g/h/i/deep.py")
        (source / "link").symlink_to(tmp_path)
        zipped(tmp_path / "a.zip", {"hw/preprocessing.py": "x"})
        with_them = take_in(Source("a", source), MODULES, into)
        monkeypatch.setattr(copying, "_BY_DESCRIPTOR", False)
        (tmp_path / "again").mkdir()
        without = take_in(Source("a", source), MODULES, tmp_path / "again")
        assert without.notes == with_them.notes
        assert len(without.notes) == 2
        listed = [
            [path.relative_to(one.folder) for path in sorted(one.folder.rglob("*"))]
            for one in (with_them, without)
        ]
        assert listed[0] == listed[1]
        (tmp_path / "zip").mkdir()
        assert list(take_in(Source("a", tmp_path / "a.zip"), MODULES, tmp_path / "zip").missing) == [
            "alexnet.py"
        ]

    def test_few_descriptors(self, tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Wide and deep folders need as many as there are levels, and leave none open."""
        write(tmp_path / "a", *(f"{i}/b/c/d/e/f/g/h/x.py" for i in range(60)), "preprocessing.py")
        most, before = 0, _open_descriptors()

        is_litter = copying.is_litter

        def count(name: str) -> bool:
            nonlocal most
            most = max(most, _open_descriptors())
            return is_litter(name)

        monkeypatch.setattr(copying, "is_litter", count)
        take_in(Source("a", tmp_path / "a"), MODULES, into)
        assert most - before <= bounds.MAX_DEPTH + 3
        assert _open_descriptors() == before

    def test_too_many_files(self, tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bound on what is looked at ends the walk with a reason."""
        monkeypatch.setattr(bounds, "SUBMISSION", replace(bounds.SUBMISSION, entries=50))
        source = write(tmp_path / "a", *(f"f{i}.txt" for i in range(60)))
        with pytest.raises(SubmissionError, match="more than 50"):
            take_in(Source("a", source), MODULES, into)


# Swaps eve/sub and the link eve/.swap, at once and again and again, for as long as it is let live.
RACER = """
import ctypes, sys
swap = ctypes.CDLL(None).renameat2
folder = sys.argv[1].encode()
while True:
    swap(-100, folder + b"/sub", -100, folder + b"/.swap", 2)
"""


class TestChangesWhileItIsRead:
    """Whoever can write to the class while it is graded gets nothing read that is not theirs."""

    @pytest.mark.slow
    @pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "renameat2"), reason="the racer is Linux's")
    def test_folder_swapped_for_a_link(self, tmp_path: Path) -> None:
        """Some thousand tries; read by paths, one in 35 got through."""
        write(tmp_path / "secret", "preprocessing.py")
        (tmp_path / "eve" / "sub").mkdir(parents=True)
        (tmp_path / "eve" / ".swap").symlink_to(tmp_path / "secret")
        racer = subprocess.Popen([sys.executable, "-c", RACER, str(tmp_path / "eve")])
        through, end = 0, time.monotonic() + 3
        try:
            while time.monotonic() < end:
                # There is no task file but the other's.
                with tempfile.TemporaryDirectory() as into, contextlib.suppress(SubmissionError):
                    take_in(Source("eve", tmp_path / "eve", named=False), MODULES, Path(into))
                    through += 1
        finally:
            racer.kill()
            racer.wait()
        assert through == 0

    @pytest.mark.parametrize("into_what", ["nothing", "link", "fifo", "socket", "folder"])
    @pytest.mark.parametrize("entry", ["alexnet.py", "sub"])
    def test_entry_swapped_after_it_was_listed(
        self, tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch, into_what: str, entry: str
    ) -> None:
        """A file or a folder that is something else by the time it is opened is left out and said."""
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "eve", *MODULES, "sub/helper.py")
        write(tmp_path / "secret", "helper.py")
        kinds: dict[str, Callable[[Path], object]] = {
            "nothing": lambda path: None,
            "link": lambda path: path.symlink_to(tmp_path / "secret"),
            "fifo": os.mkfifo,
            "socket": make_socket,
            "folder": Path.mkdir,
        }

        def swap(path: Path) -> None:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            kinds[into_what](path)

        is_litter = copying.is_litter

        def listed(name: str) -> bool:
            if name == entry:
                swap(tmp_path / "eve" / entry)
            return is_litter(name)

        monkeypatch.setattr(copying, "is_litter", listed)
        taken = take_in(Source("eve", tmp_path / "eve"), MODULES, into)
        assert not (taken.folder / entry).exists()
        # An empty folder in place of another is read like any.
        if (entry, into_what) != ("sub", "folder"):
            assert taken.notes == (f"{entry} changed while it was read and was left out.",)

    @pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
    def test_entry_of_a_class_that_is_no_file(
        self, tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        """A pipe called .zip does not hold the grader up."""
        monkeypatch.chdir(tmp_path)
        path = tmp_path / "eve.zip"
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            make_socket(path)
        else:
            path = Path("/dev/null")
        with pytest.raises(SubmissionError, match=r"neither a folder nor a zip|cannot be read"):
            take_in(Source("eve", path, named=False), MODULES, into)


class TestTakeInAZip:
    def test_zip_from_macos(self, tmp_path: Path, into: Path) -> None:
        """A folder in a folder, with resource forks beside it."""
        path = zipped(
            tmp_path / "alice.zip",
            {
                "hw/handin/preprocessing.py": "a",
                "hw/handin/alexnet.py": "b",
                "__MACOSX/hw/handin/._alexnet.py": "junk",
            },
        )
        taken = take_in(Source("alice", path), MODULES, into)
        assert (taken.folder / "alexnet.py").read_text() == "b"
        assert taken.notes == ()

    def test_zip_from_windows(self, tmp_path: Path, into: Path) -> None:
        """Backslashes between folders."""
        path = zipped(tmp_path / "a.zip", {"hw\\preprocessing.py": "a", "hw\\alexnet.py": "b"})
        assert take_in(Source("a", path), MODULES, into).missing == {}

    @pytest.mark.parametrize(
        "name", ["../evil.py", "/etc/evil.py", "hw/../../evil.py", "C:/evil.py", "a\x1b[2J.py"]
    )
    def test_names_that_climb_out_are_left_out(self, tmp_path: Path, into: Path, name: str) -> None:
        """Zip slip writes nothing anywhere, and the rest is graded."""
        path = zipped(tmp_path / "m.zip", {"preprocessing.py": "a", name: "evil"})
        taken = take_in(Source("m", path), MODULES, into)
        assert [p.name for p in tmp_path.rglob("*evil*")] == []
        assert len(taken.notes) == 1
        assert "\x1b" not in taken.notes[0]

    def test_link_in_a_zip_is_left_out(self, tmp_path: Path, into: Path) -> None:
        """An entry that unpacks to a symbolic link is not unpacked."""
        entry = zipfile.ZipInfo("alexnet.py")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
            archive.writestr(entry, "/etc/passwd")
            archive.writestr("preprocessing.py", "x")
        taken = take_in(Source("m", tmp_path / "m.zip"), MODULES, into)
        assert "alexnet.py" in taken.missing

    def test_bomb(self, tmp_path: Path, into: Path) -> None:
        """Many files that each unpack to just under the bound are stopped at the total."""
        block = "0" * (15 * 1024 * 1024)
        path = zipped(tmp_path / "m.zip", {f"{i}.txt": block for i in range(6)})
        assert path.stat().st_size < 200_000
        with pytest.raises(SubmissionError, match="in all"):
            take_in(Source("m", path), MODULES, into)

    def test_header_that_lies_about_the_size(self, tmp_path: Path, into: Path) -> None:
        """What is unpacked is counted, not what the header says; nothing over the bound is written."""
        path = zipped(tmp_path / "m.zip", {"preprocessing.py": "0" * (17 * 1024 * 1024)})
        data = bytearray(path.read_bytes())
        size = (17 * 1024 * 1024).to_bytes(4, "little")
        assert data.count(size) == 2
        path.write_bytes(data.replace(size, (10).to_bytes(4, "little")))
        with pytest.raises(SubmissionError):
            take_in(Source("m", path), MODULES, into)
        assert sum(p.stat().st_size for p in into.rglob("*") if p.is_file()) <= 16 * 1024 * 1024

    @pytest.mark.slow
    def test_a_hundred_thousand_entries(self, tmp_path: Path, into: Path) -> None:
        """Refused by their number, before any is unpacked."""
        with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
            for i in range(100_000):
                archive.writestr(str(i), b"")
        with pytest.raises(SubmissionError, match="100,000"):
            take_in(Source("m", tmp_path / "m.zip"), MODULES, into)

    def test_encrypted(self, tmp_path: Path, into: Path) -> None:
        """A zip with a password is refused with what to do."""
        path = zipped(tmp_path / "m.zip", {"preprocessing.py": "x"})
        data = bytearray(path.read_bytes())
        data[6] |= 1
        data[data.index(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(data)
        with pytest.raises(SubmissionError, match="encrypted"):
            take_in(Source("m", path), MODULES, into)

    def test_millions_of_entries(self, tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A list of entries that is too long is refused before it is read: it would fill the memory."""
        monkeypatch.setattr(bounds, "SUBMISSION", replace(bounds.SUBMISSION, directory_bytes=100_000))
        path = zipped(tmp_path / "m.zip", {str(i): "" for i in range(3000)})
        with pytest.raises(SubmissionError, match="list of entries"):
            take_in(Source("m", path), MODULES, into)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_bomb_that_cannot_be_unpacked_piece_by_piece(
        self, tmp_path: Path, into: Path, method: int
    ) -> None:
        """bzip2 makes gigabytes of kilobytes in one step: counting what came out would be too late."""
        size = 64 * 1024 * 1024
        with zipfile.ZipFile(tmp_path / "m.zip", "w", method) as archive:
            archive.writestr("preprocessing.py", bytes(size))
        data = (tmp_path / "m.zip").read_bytes()
        (tmp_path / "m.zip").write_bytes(data.replace(size.to_bytes(4, "little"), b"\x09\0\0\0"))
        tracemalloc.start()
        with pytest.raises(SubmissionError, match="unusual way"):
            take_in(Source("m", tmp_path / "m.zip"), MODULES, into)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1024 * 1024

    @pytest.mark.parametrize("name", ["", ".", "./.", "\0preprocessing.py"])
    def test_entry_without_a_name(self, tmp_path: Path, into: Path, name: str) -> None:
        """What is called nothing at all is left out, and the rest is graded."""
        path = zipped(tmp_path / "m.zip", {"preprocessing.py": "a", "?" * max(1, len(name)): "evil"})
        data = path.read_bytes().replace(b"?" * max(1, len(name)), (name or "\0").encode())
        path.write_bytes(data)
        taken = take_in(Source("m", path), MODULES, into)
        assert [p.name for p in taken.folder.iterdir()] == ["preprocessing.py"]
        assert len(taken.notes) == 1

    def test_notes_are_few(self, tmp_path: Path, into: Path) -> None:
        """Ten thousand entries to be left out do not make ten thousand lines."""
        path = zipped(tmp_path / "m.zip", {f"../{i}": "" for i in range(1000)} | {"preprocessing.py": "a"})
        taken = take_in(Source("m", path), MODULES, into)
        assert len(taken.notes) == bounds.MAX_NOTES + 1
        assert "980 more" in taken.notes[-1]

    @pytest.mark.parametrize("cut", [10, 60, 200])
    def test_damaged(self, tmp_path: Path, into: Path, cut: int) -> None:
        """A flipped byte in the data is found by its checksum."""
        path = zipped(tmp_path / "m.zip", {"preprocessing.py": os.urandom(400).hex()})
        data = bytearray(path.read_bytes())
        data[50 + cut] ^= 0xFF
        path.write_bytes(data)
        with pytest.raises(SubmissionError, match="cannot be read"):
            take_in(Source("m", path), MODULES, into)
