"""Scratch folders: what a killed run left is swept, and what somebody uses is not."""

import errno
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import scratch
from grader.errors import GraderFault

ROOT = Path(__file__).parents[2]
MAKES = """
import sys, time
from pathlib import Path
from grader import scratch
folder = scratch.Folder("test", Path(sys.argv[1]))
(Path(folder.name) / "shut").mkdir()
(Path(folder.name) / "shut" / "file").write_text("x")
(Path(folder.name) / "shut").chmod(0)
print(folder.name, flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path) -> "Iterator[tuple[subprocess.Popen[str], Path]]":
    """Another process, and the folder that it has made."""
    command = [sys.executable, "-c", MAKES, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_removed_in_the_end(tmp_path: Path) -> None:
    """With what is in it."""
    with scratch.Folder("test", tmp_path) as name:
        assert Path(name).parent == tmp_path
        Path(name, "file").write_text("x", encoding="utf-8")
    assert not list(tmp_path.iterdir())


def test_of_a_killed_process(other: "tuple[subprocess.Popen[str], Path]", tmp_path: Path) -> None:
    """While it lives, nobody takes its folder away; after a SIGKILL, the next one does."""
    process, folder = other
    assert folder.is_dir()
    assert scratch.sweep(tmp_path) == 0
    assert (folder / "shut").is_dir()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.is_dir()
    assert scratch.sweep(tmp_path) == 1
    assert not list(tmp_path.iterdir())


def test_nobody_elses(tmp_path: Path) -> None:
    """Links, files and folders of other names are left alone."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "file").write_text("x", encoding="utf-8")
    (tmp_path / f"{scratch.PREFIX}link").symlink_to(tmp_path / "work")
    (tmp_path / f"{scratch.PREFIX}file").write_text("x", encoding="utf-8")
    assert scratch.sweep(tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{scratch.PREFIX}file",
        f"{scratch.PREFIX}link",
        "work",
    ]
    assert (tmp_path / "work" / "file").exists()
    assert scratch.sweep(tmp_path / "nowhere") == 0


def test_made_while_another_sweeps(tmp_path: Path) -> None:
    """A folder is there as long as it is used, however often others sweep meanwhile."""
    over = threading.Event()

    def sweep() -> None:
        while not over.is_set():
            scratch.sweep(tmp_path)

    sweeping = threading.Thread(target=sweep)
    sweeping.start()
    try:
        for _ in range(300):
            with scratch.Folder("test", tmp_path) as name:
                Path(name, "file").write_text("x", encoding="utf-8")
                assert Path(name, "file").exists()
    finally:
        over.set()
        sweeping.join()
    assert not list(tmp_path.iterdir())


class TestRoom:
    """room and why."""

    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.ENOSPC, "No space left on device"),
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            shutil.Error([("a", "b", "[Errno 28] No space left on device: 'a' -> 'b'")]),
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
        ],
        ids=["full", "quota", "of many files", "no folder"],
    )
    def test_none_is_the_machine_s_fault(self, error: OSError) -> None:
        with pytest.raises(GraderFault) as caught, scratch.room():
            raise error
        assert "TMPDIR" in caught.value.fix
        assert scratch.why(error) == caught.value.message

    @pytest.mark.parametrize(
        "error",
        [PermissionError(errno.EACCES, "Permission denied"), shutil.Error([("a", "b", "it is a pipe")])],
    )
    def test_other_errors_are_as_they_were(self, error: OSError) -> None:
        with pytest.raises(type(error)) as caught, scratch.room():
            raise error
        assert caught.value is error
        assert scratch.why(error) == str(error)
