"""Where control groups can be made, on the kinds of machines there are."""

import os
import threading
from pathlib import Path

import pytest

from grader.sandbox import totals
from grader.sandbox.base import End, Limits


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The two files of /proc that say which groups this process is in."""
    files = {"/proc/self/mountinfo": "", "/proc/self/cgroup": ""}
    real = totals._read
    monkeypatch.setattr(totals, "_read", lambda path: files.get(str(path)) or real(path))
    return files


class TestGroupsOf:
    def test_version_two(self, machine: dict[str, str]) -> None:
        """One tree for everything."""
        machine["/proc/self/mountinfo"] = "30 24 0:27 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
        machine["/proc/self/cgroup"] = "0::/user.slice/user-1000.slice/session-2.scope\n"
        assert totals._groups_of() == {"": Path("/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope")}

    def test_version_one(self, machine: dict[str, str]) -> None:
        """A tree for each controller, some of them shared."""
        machine["/proc/self/mountinfo"] = (
            "31 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            "32 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        )
        machine["/proc/self/cgroup"] = "3:cpu,cpuacct:/a\n2:memory:/b\n1:name=systemd:/c\n"
        groups = totals._groups_of()
        assert groups["memory"] == Path("/sys/fs/cgroup/memory/b")
        assert groups["cpu"] == groups["cpuacct"] == Path("/sys/fs/cgroup/cpu,cpuacct/a")

    def test_container(self, machine: dict[str, str]) -> None:
        """A container sees a part of the tree, whose root is the container's own group."""
        machine["/proc/self/mountinfo"] = (
            "31 30 0:28 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        )
        machine["/proc/self/cgroup"] = "2:memory:/docker/1\n"
        assert totals._groups_of() == {"memory": Path("/sys/fs/cgroup/memory")}

    def test_none(self, machine: dict[str, str]) -> None:
        """Nothing mounted, or another part of the tree: no group."""
        machine["/proc/self/mountinfo"] = "31 30 0:28 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
        machine["/proc/self/cgroup"] = "0::/elsewhere\n"
        assert totals._groups_of() == {}


class TestGroup:
    def test_limits_are_written_where_they_exist(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Version 2's files get version 2's limits; a kernel that lacks one is no error."""
        monkeypatch.setattr(totals, "_parents", lambda: (tmp_path,))
        make = Path.mkdir

        def mkdir(folder: Path) -> None:
            make(folder)
            for name in ("memory.max", "memory.oom.group", "pids.max", "cgroup.procs"):
                (folder / name).write_text("max")

        monkeypatch.setattr(Path, "mkdir", mkdir)
        group = totals.Group.create(Limits(memory_bytes=5000, processes=10))
        assert group is not None
        (folder,) = group.folders
        assert (folder / "memory.max").read_text() == "5000"
        assert (folder / "memory.oom.group").read_text() == "1"
        assert int((folder / "pids.max").read_text()) >= 10
        assert not (folder / "memory.swap.max").exists()

    @pytest.mark.parametrize(
        ("file", "content"),
        [
            ("memory.events", "low 0\nhigh 0\nmax 17\noom 1\noom_kill {}\noom_group_kill 0\n"),
            ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"),
        ],
    )
    def test_memory_is_over_once_something_was_killed(self, tmp_path: Path, file: str, content: str) -> None:
        """In both versions' words."""
        (tmp_path / file).write_text(content.format(0))
        group = totals.Group([tmp_path])
        assert group.over() is None
        (tmp_path / file).write_text(content.format(2))
        assert group.over() is End.MEMORY

    def test_sweeps_after_graders_that_were_killed(self, tmp_path: Path) -> None:
        """Empty groups of processes that are no more are removed, others left."""
        dead, alive = tmp_path / "kit-sandbox-999999999-aa", tmp_path / f"kit-sandbox-{os.getpid()}-bb"
        dead.mkdir()
        alive.mkdir()
        totals._sweep(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [alive.name]

    def test_sweeps_what_is_almost_gone(self, tmp_path: Path) -> None:
        """A group whose last process is still ending when the next grader comes is removed all the same."""
        dead = tmp_path / "kit-sandbox-999999999-aa"
        dead.mkdir()
        (dead / "process").touch()  # as long as it is there, rmdir fails as it does for a group in use
        end = threading.Timer(0.2, (dead / "process").unlink)
        end.start()
        totals._sweep(tmp_path)
        end.join()
        assert not dead.exists()

    def test_real_one_is_removed(self) -> None:
        """A group made here is gone after remove(), however often that is called."""
        group = totals.Group.create(Limits())
        if group is None:
            pytest.skip("no control group can be made here (run as root, or with systemd's delegation)")
        assert all(folder.is_dir() for folder in group.folders)
        group.remove()
        group.remove()
        assert not any(folder.exists() for folder in group.folders)
