"""Bringing the data: whatever goes wrong, there is one line about it and nothing half-written in place."""

import functools
import hashlib
import http.server
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.progress import Progress

from lab import archive, data, fetch
from lab.archive import Pool
from lab.data import FILES, IMAGES, NAMES, file_md5, folder_pin
from lab.errors import DataError
from tests.lab.made_up import pickled, write_tar

pytestmark = pytest.mark.slow

Start = Callable[..., "subprocess.Popen[str]"]
PLACES = ("data", "grader/hidden")


def bring(root: Path, source: Path | None) -> list[str]:
    """Brings the data and returns what was reported."""
    reported: list[str] = []
    fetch.bring(root, source, reported.append)
    return reported


def right(root: Path) -> list[bool]:
    """For each of the two sets, whether it is in place and as pinned."""
    answers = []
    for pinned in (data.course_pin(root), data.hidden_pin(root)):
        there = all((pinned.folder / name).is_file() for name in FILES)
        answers.append(there and folder_pin({n: file_md5(pinned.folder / n) for n in FILES}) == pinned.pin)
    return answers


def left_over(root: Path) -> list[Path]:
    """Scratch folders that nobody cleaned up."""
    return [*root.rglob(".incoming-*")]


class TestBring:
    """Every source gives the same files."""

    def test_an_archive(self, small_root: Path, small_archive: Path) -> None:
        reported = bring(small_root, small_archive)
        assert right(small_root) == [True, True]
        assert left_over(small_root) == []
        pins = data.course_pin(small_root).pin, data.hidden_pin(small_root).pin
        assert reported == [
            "cifar-100-python.tar.gz: not a known archive: read with care",
            f"the course set: {small_root / 'data'}, from {small_archive.name}, pin {pins[0]}",
            f"the hidden set: {small_root / 'grader' / 'hidden'}, from {small_archive.name}, pin {pins[1]}",
        ]

    def test_the_published_archive_is_named_as_such(
        self, small_root: Path, small_archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "PUBLISHED", hashlib.sha256(small_archive.read_bytes()).hexdigest())
        assert bring(small_root, small_archive)[0] == "cifar-100-python.tar.gz: the published archive"

    def test_its_folder(self, small: Pool, small_root: Path, tmp_path: Path) -> None:
        folder = tmp_path / "cifar-100-python"
        folder.mkdir()
        for name, content in pickled(small).items():
            (folder / name).write_bytes(content)
        bring(small_root, folder)
        assert right(small_root) == [True, True]

    def test_another_checkout(self, small_root: Path, small_archive: Path, tmp_path: Path) -> None:
        bring(small_root, small_archive)
        other = tmp_path / "other"
        shutil.copytree(small_root, other, ignore=shutil.ignore_patterns("*.npy"))
        bring(other, small_root)
        assert right(other) == [True, True]

    def test_one_set_at_a_time(self, small_root: Path, small_archive: Path, tmp_path: Path) -> None:
        """Canonical files are recognised by their content, whatever their folder is called."""
        bring(small_root, small_archive)
        (small_root / "data").rename(tmp_path / "mine")
        (small_root / "grader" / "hidden").rename(tmp_path / "theirs")
        with pytest.raises(DataError, match="mine does not hold the hidden set"):
            bring(small_root, tmp_path / "mine")
        assert right(small_root) == [True, False]
        bring(small_root, tmp_path / "theirs")
        assert right(small_root) == [True, True]

    def test_there_already(self, small_root: Path, small_archive: Path) -> None:
        """Nothing is written, and no other source is looked at."""
        bring(small_root, small_archive)
        before = [path.stat() for place in PLACES for path in sorted((small_root / place).iterdir())]
        reported = bring(small_root, None)
        after = [path.stat() for place in PLACES for path in sorted((small_root / place).iterdir())]
        assert [(s.st_ino, s.st_mtime_ns) for s in before] == [(s.st_ino, s.st_mtime_ns) for s in after]
        assert all("there already" in line for line in reported)

    def test_a_damaged_file_is_replaced(self, small_root: Path, small_archive: Path) -> None:
        """And it alone: what somebody else keeps in the folder stays."""
        bring(small_root, small_archive)
        notes = small_root / "data" / "notes.txt"
        notes.write_text("mine")
        (small_root / "data" / IMAGES).write_bytes(b"x")
        bring(small_root, small_archive)
        assert right(small_root) == [True, True]
        assert notes.read_text() == "mine"
        assert left_over(small_root) == []

    def test_a_folder_elsewhere(self, small_root: Path, small_archive: Path, tmp_path: Path) -> None:
        """data/ may be a link to another disk."""
        (tmp_path / "disk").mkdir()
        (small_root / "data").symlink_to(tmp_path / "disk", target_is_directory=True)
        bring(small_root, small_archive)
        assert right(small_root) == [True, True]
        assert (small_root / "data").is_symlink()

    def test_what_a_power_cut_left_is_cleared(self, small_root: Path, small_archive: Path) -> None:
        old, young = (small_root / ".kit" / f".incoming-{age}" for age in ("old", "young"))
        for folder in (old, young):
            folder.mkdir(parents=True)
        os.utime(old, (0, 0))
        bring(small_root, small_archive)
        assert left_over(small_root) == [young]  # it may be another run's


class TestRefusal:
    """What is not as pinned never gets into place, and what was there stays."""

    @pytest.fixture
    def other_archive(self, small: Pool, tmp_path: Path) -> Path:
        """One picture differs by one bit, and every checksum is right."""
        planes = small.planes.copy()
        planes[123, 456] ^= 1
        pool = Pool(planes, *list(vars(small).values())[1:])
        return write_tar(tmp_path / "other.tar.gz", pickled(pool))

    def test_another_picture(self, small_root: Path, other_archive: Path) -> None:
        with pytest.raises(DataError, match=r"from other\.tar\.gz is not as pinned .*: images\.npy differs"):
            bring(small_root, other_archive)
        assert False in right(small_root)
        assert left_over(small_root) == []

    def test_what_was_there_stays(self, small_root: Path, small_archive: Path, other_archive: Path) -> None:
        bring(small_root, small_archive)
        (small_root / "data" / NAMES).write_bytes(b"x")
        before = file_md5(small_root / "data" / IMAGES)
        small_archive.write_bytes(small_archive.read_bytes()[:1000])
        with pytest.raises(DataError, match="truncated"):
            bring(small_root, small_archive)
        assert (small_root / "data" / NAMES).read_bytes() == b"x"
        assert file_md5(small_root / "data" / IMAGES) == before
        assert right(small_root) == [False, True]

    def test_canonical_files_damaged(self, small_root: Path, small_archive: Path, tmp_path: Path) -> None:
        bring(small_root, small_archive)
        copy = tmp_path / "copy"
        (small_root / "data").rename(copy)
        content = bytearray((copy / IMAGES).read_bytes())
        content[1000] ^= 1
        (copy / IMAGES).write_bytes(content)
        with pytest.raises(
            DataError, match=r"the course set in .*copy is not as pinned .*: images\.npy differs"
        ):
            bring(small_root, copy)
        (copy / NAMES).unlink()
        with pytest.raises(DataError, match=r"copy has images\.npy and no names\.json"):
            bring(small_root, copy)
        assert right(small_root) == [False, True]

    def test_an_empty_folder(self, small_root: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(DataError, match=r"empty holds neither the archive's parts nor images\.npy"):
            bring(small_root, tmp_path / "empty")

    def test_no_right_to_write(self, small_root: Path, small_archive: Path) -> None:
        (small_root / "data").write_text("a file where the folder belongs")
        with pytest.raises(DataError, match="cannot bring the data"):
            bring(small_root, small_archive)
        assert left_over(small_root) == []


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `content` at every address, in the way that the address says."""

    def __init__(self, content: bytes, *arguments: Any) -> None:
        self.content = content
        super().__init__(*arguments)

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/endless":
            self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content[:5000] if self.path == "/broken" else self.content)

    def log_message(self, *_: object) -> None:
        pass


class TestDownload:
    """The official archive, from a server that stands in for it."""

    @pytest.fixture
    def address(self, small_archive: Path) -> Iterator[str]:
        handler = functools.partial(Server, small_archive.read_bytes())
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}"
            server.shutdown()

    def download(self, url: str, md5: str, folder: Path) -> Path:
        return fetch.download(url, md5, folder / "got.tar.gz", Progress(disable=True))

    @pytest.mark.parametrize("path", ["/whole", "/endless"])
    def test_whole(self, address: str, small_archive: Path, tmp_path: Path, path: str) -> None:
        """With a length announced and without."""
        got = self.download(address + path, file_md5(small_archive), tmp_path)
        assert got.read_bytes() == small_archive.read_bytes()

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/missing", "Not Found"),
            ("/broken", "broke off after 5,000 of"),
            ("/whole", "not the published 0000"),
        ],
    )
    def test_refused(self, address: str, tmp_path: Path, path: str, reason: str) -> None:
        with pytest.raises(DataError, match=rf"{address}{path}.*{reason}.*\n.*--from PATH"):
            self.download(address + path, "0000", tmp_path)

    def test_too_large(self, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetch, "LARGEST", 10_000)
        with pytest.raises(DataError, match="gives more than"):
            self.download(f"{address}/endless", "", tmp_path)

    def test_nobody_there(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and does not listen
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
            with pytest.raises(DataError, match=rf"could not fetch {url}: .*refused"):
                self.download(url, "", tmp_path)

    def test_no_such_host(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"could not fetch http://kit\.invalid/: "):
            self.download("http://kit.invalid/", "", tmp_path)

    def test_into_place(
        self, address: str, small_root: Path, small_archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a source at hand it is fetched, split and put in place; the archive is not kept."""
        monkeypatch.setattr(fetch, "OFFICIAL", f"{address}/whole")
        monkeypatch.setattr(fetch, "OFFICIAL_MD5", file_md5(small_archive))
        bring(small_root, None)
        assert right(small_root) == [True, True]
        assert [*small_root.rglob("*.tar.gz")] == []


@pytest.mark.slow
class TestCommand:
    """`python -m lab data`, as a person runs it, on as many pictures as CIFAR-100 has."""

    def finish(self, process: "subprocess.Popen[str]", code: int) -> tuple[list[str], list[str]]:
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, err
        return out.splitlines(), err.splitlines()

    def test_whole(self, full: SimpleNamespace, full_root: Path, lab_data: Start) -> None:
        out, err = self.finish(lab_data(full_root, "--from", full.archive), 0)
        assert out[0].startswith("Bringing CIFAR-100 into ")
        assert [line.split(":")[0] for line in out[1:]] == [
            full.archive.name,
            "the course set",
            "the hidden set",
        ]
        assert err == []
        assert right(full_root) == [True, True]

    def test_usage(self, small_root: Path, lab_data: Start) -> None:
        _, err = self.finish(lab_data(small_root, "--from", "nowhere.tar.gz"), 2)
        assert err[-1].endswith("there is no file or folder nowhere.tar.gz")
        self.finish(lab_data(small_root, "--frm"), 2)
        out, _ = self.finish(lab_data(small_root, "--help"), 0)
        assert "nox -s data -- --from ~/cifar-100-python.tar.gz" in "\n".join(out)

    def test_damaged(self, full: SimpleNamespace, full_root: Path, tmp_path: Path, lab_data: Start) -> None:
        damaged = tmp_path / "damaged.tar.gz"
        damaged.write_bytes(full.archive.read_bytes()[:-1000])
        _, err = self.finish(lab_data(full_root, "--from", damaged), 1)
        assert err[0].startswith(f"error: {damaged} is not a whole CIFAR-100 archive: ")
        assert len(err) == 2  # what is wrong, and what to do
        assert right(full_root) == [False, False]

    @pytest.mark.parametrize("most", [20 << 20, 100 << 20])
    def test_no_room(self, full: SimpleNamespace, full_root: Path, lab_data: Start, most: int) -> None:
        """A limit on the size of files stands in for a full disk: it is the write that fails."""
        limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most, most))
        _, err = self.finish(lab_data(full_root, "--from", full.archive, preexec_fn=limit), 1)
        assert err[0].startswith(f"error: no room to write the data in {full_root} (")
        assert len(err) == 2
        assert not (full_root / "data").exists()
        assert left_over(full_root) == []

    @pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("moment", [".kit/.incoming-*", f".kit/.incoming-*/files/{IMAGES}"])
    def test_interrupted(
        self, full: SimpleNamespace, full_root: Path, lab_data: Start, blow: signal.Signals, moment: str
    ) -> None:
        """While it reads, and while it writes."""
        process = lab_data(full_root, "--from", full.archive)
        while process.poll() is None and not [*full_root.glob(moment)]:
            time.sleep(0.001)
        process.send_signal(blow)
        _, err = self.finish(process, 130)
        assert err == ["interrupted: nothing half-written was left in place"]
        assert left_over(full_root) == []
        for place, whole in zip(PLACES, right(full_root), strict=True):
            assert whole or not (full_root / place).exists()

    def test_interrupted_in_a_terminal(self, full: SimpleNamespace, full_root: Path, lab_data: Start) -> None:
        """There Ctrl-C reaches the reader as well: one line all the same, and it does not stay."""
        process = lab_data(full_root, "--from", full.archive, start_new_session=True)
        while process.poll() is None and not [*full_root.glob(".kit/.incoming-*/arrays/train.planes.npy")]:
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGINT)
        _, err = self.finish(process, 130)
        assert err == ["interrupted: nothing half-written was left in place"]
        assert left_over(full_root) == []
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


@pytest.mark.slow
class TestDvc:
    """The .dvc files are DVC's own: whatever it does with such files, it does with these."""

    @pytest.fixture
    def dvc(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
        """Runs real DVC in a folder, without whoever runs the tests having settings of their own."""
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
        monkeypatch.setenv("DVC_NO_ANALYTICS", "1")

        def run(folder: Path, *arguments: str) -> str:
            command = [sys.executable, "-m", "dvc", *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return done.stdout

        return run

    @pytest.fixture
    def checkout(self, small_root: Path) -> Path:
        """A git checkout that pins `small`."""
        self.git(small_root, "init", "--quiet")
        self.git(small_root, "add", ".")
        self.git(small_root, "-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "-m", "m")
        return small_root

    def git(self, folder: Path, *arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

    def test_add_push_pull(
        self, dvc: Callable[..., str], checkout: Path, small_archive: Path, tmp_path: Path
    ) -> None:
        bring(checkout, small_archive)
        assert "not in cache" in dvc(checkout, "status")
        dvc(checkout, "add", "data", "grader/hidden")
        assert "up to date" in dvc(checkout, "status")
        # DVC worked out the same pins, and had nothing of its own to add to git.
        assert self.git(checkout, "status", "--porcelain") == ""

        dvc(checkout, "remote", "add", "--local", "--default", "store", str(tmp_path / "store"))
        dvc(checkout, "push")
        shutil.rmtree(checkout / ".dvc" / "cache")
        for place in PLACES:
            shutil.rmtree(checkout / place)
        dvc(checkout, "pull")
        assert right(checkout) == [True, True]
        assert "up to date" in dvc(checkout, "status")

    def test_a_remote_is_a_source(
        self, dvc: Callable[..., str], checkout: Path, small_archive: Path, tmp_path: Path
    ) -> None:
        """Before --from; and what is damaged in the folder is not what is taken for the remote's."""
        bring(checkout, small_archive)
        dvc(checkout, "remote", "add", "--local", "--default", "store", str(tmp_path / "store"))
        dvc(checkout, "add", "data", "grader/hidden")
        dvc(checkout, "push")
        shutil.rmtree(checkout / ".dvc" / "cache")
        shutil.rmtree(checkout / "grader" / "hidden")
        (checkout / "data" / IMAGES).write_bytes(b"damaged")
        reported = bring(checkout, tmp_path)
        assert all("from the DVC remote" in line for line in reported)
        assert right(checkout) == [True, True]
        assert left_over(checkout) == []
        assert "up to date" in dvc(checkout, "status")

    def test_a_remote_that_fails(
        self, dvc: Callable[..., str], checkout: Path, small_archive: Path, tmp_path: Path
    ) -> None:
        """It is reported, and the next source is tried."""
        dvc(checkout, "remote", "add", "--local", "--default", "store", str(tmp_path / "nothing"))
        reported = bring(checkout, small_archive)
        assert reported[0].startswith("The DVC remote could not give the course set: ")
        assert right(checkout) == [True, True]
        assert left_over(checkout) == []

    def test_real_data(self, dvc: Callable[..., str], real_root: Path, tmp_path: Path) -> None:
        """The pins in git are what DVC makes of CIFAR-100 itself."""
        clone = tmp_path / "clone"
        shutil.copytree(real_root / ".dvc", clone / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
        (clone / "grader").mkdir()
        for name in ("data.dvc", "grader/hidden.dvc", ".dvcignore", ".gitignore"):
            shutil.copy(real_root / name, clone / name)
        for place in PLACES:
            shutil.copytree(real_root / place, clone / place)
        self.git(clone, "init", "--quiet")
        self.git(clone, "add", ".")
        dvc(clone, "add", "data", "grader/hidden")
        assert "up to date" in dvc(clone, "status")
        assert self.git(clone, "diff") == ""


class TestWithoutDvc:
    """DVC is for those who share the data; to get it, nobody needs it."""

    def test_a_remote_and_no_dvc(
        self, small_root: Path, small_archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (small_root / ".dvc" / "config.local").write_text("[core]\nremote = s\n['remote \"s\"']\nurl = /s\n")
        monkeypatch.setattr(fetch.importlib.util, "find_spec", lambda name: None)
        reported = bring(small_root, small_archive)
        assert reported[0] == "A DVC remote is configured, but DVC is not installed: going on without it."
        assert right(small_root) == [True, True]

    def test_our_pin_is_the_md5_of_the_listing(self) -> None:
        """What DVC 3 hashes for a folder, written out."""
        listing = '[{"md5": "1", "relpath": "a"}, {"md5": "2", "relpath": "b"}]'
        assert folder_pin({"b": "2", "a": "1"}) == hashlib.md5(listing.encode()).hexdigest()
