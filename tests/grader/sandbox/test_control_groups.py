"""Where control groups can be made, on the kinds of machines there are."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.sandbox import control_groups
from grader.sandbox.base import End, Limits
from tests.grader.sandbox.running import runner, usable


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The two files of /proc that say which groups this process is in."""
    files = {"/proc/self/mountinfo": "", "/proc/self/cgroup": ""}
    real = control_groups._read
    monkeypatch.setattr(control_groups, "_read", lambda path: files.get(str(path)) or real(path))
    return files


class TestGroupsOf:
    def test_version_two(self, machine: dict[str, str]) -> None:
        """One tree for everything."""
        machine["/proc/self/mountinfo"] = "30 24 0:27 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
        machine["/proc/self/cgroup"] = "0::/user.slice/user-1000.slice/session-2.scope\n"
        assert control_groups._groups_of() == {
            "": Path("/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope")
        }

    def test_version_one(self, machine: dict[str, str]) -> None:
        """A tree for each controller, some of them shared."""
        machine["/proc/self/mountinfo"] = (
            "31 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            "32 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        )
        machine["/proc/self/cgroup"] = "3:cpu,cpuacct:/a\n2:memory:/b\n1:name=systemd:/c\n"
        groups = control_groups._groups_of()
        assert groups["memory"] == Path("/sys/fs/cgroup/memory/b")
        assert groups["cpu"] == groups["cpuacct"] == Path("/sys/fs/cgroup/cpu,cpuacct/a")

    def test_container(self, machine: dict[str, str]) -> None:
        """A container sees a part of the tree, whose root is the container's own group."""
        machine["/proc/self/mountinfo"] = (
            "31 30 0:28 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        )
        machine["/proc/self/cgroup"] = "2:memory:/docker/1\n"
        assert control_groups._groups_of() == {"memory": Path("/sys/fs/cgroup/memory")}

    def test_none(self, machine: dict[str, str]) -> None:
        """Nothing mounted, or another part of the tree: no group."""
        machine["/proc/self/mountinfo"] = "31 30 0:28 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
        machine["/proc/self/cgroup"] = "0::/elsewhere\n"
        assert control_groups._groups_of() == {}


class TestGroup:
    def test_limits_are_written_where_they_exist(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Version 2's files get version 2's limits; a kernel that lacks one is no error."""
        monkeypatch.setattr(control_groups, "_parents", lambda: (tmp_path,))
        make = Path.mkdir

        def mkdir(folder: Path) -> None:
            make(folder)
            for name in ("memory.max", "memory.oom.group", "pids.max", "cgroup.procs"):
                (folder / name).write_text("max")

        monkeypatch.setattr(Path, "mkdir", mkdir)
        group = control_groups.Group.create(Limits(memory_bytes=5000, processes=10))
        assert group is not None
        (folder,) = group.folders
        assert (folder / "memory.max").read_text() == "5000"
        assert (folder / "memory.oom.group").read_text() == "1"
        assert int((folder / "pids.max").read_text()) >= 10
        assert not (folder / "memory.swap.max").exists()

    @pytest.mark.parametrize(
        ("files", "written"),
        [
            (["cpu.max"], {"cpu.max": "150000 100000"}),
            (
                ["cpu.cfs_quota_us", "cpu.cfs_period_us"],
                {"cpu.cfs_quota_us": "150000", "cpu.cfs_period_us": "100000"},
            ),
        ],
    )
    def test_share_of_processors(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], written: dict[str, str]
    ) -> None:
        """One and a half cores, in both versions' words; a group without these files bounds nothing."""
        monkeypatch.setattr(control_groups, "_parents", lambda: (tmp_path,))
        make = Path.mkdir

        def mkdir(folder: Path) -> None:
            make(folder)
            for name in files:
                (folder / name).write_text("max")

        monkeypatch.setattr(Path, "mkdir", mkdir)
        limits = Limits(cores=1.5)
        group = control_groups.Group.create(limits)
        assert group is not None
        (folder,) = group.folders
        assert {file.name: file.read_text() for file in folder.iterdir()} == written
        assert group.bounds_cores(limits)
        assert not group.bounds_cores(Limits(cores=1.0))
        assert not control_groups.Group([tmp_path]).bounds_cores(limits)

    @pytest.mark.parametrize(
        ("file", "content"),
        [
            ("cpu.stat", "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n"),
            ("cpuacct.usage", "2500000000\n"),
        ],
    )
    def test_processor_time(self, tmp_path: Path, file: str, content: str) -> None:
        """In both versions' words; it is over once it is more than may be used."""
        (tmp_path / file).write_text(content)
        assert control_groups.Group([tmp_path]).cpu_seconds() == 2.5
        assert control_groups.Group([tmp_path], Limits(cpu_seconds=2.6)).over() is None
        assert control_groups.Group([tmp_path], Limits(cpu_seconds=2.4)).over() is End.CPU
        assert control_groups.Group([tmp_path]).over() is None

    def test_processor_time_that_nobody_counts(self, tmp_path: Path) -> None:
        """cgroup 1's cpu.stat has no time in it."""
        (tmp_path / "cpu.stat").write_text("nr_periods 0\nnr_throttled 0\n")
        assert control_groups.Group([tmp_path]).cpu_seconds() is None

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
        group = control_groups.Group([tmp_path])
        assert group.over() is None
        (tmp_path / file).write_text(content.format(2))
        assert group.over() is End.MEMORY

    def test_sweeps_after_graders_that_were_killed(self, tmp_path: Path) -> None:
        """Empty groups of processes that are no more are removed, others left."""
        dead, alive = tmp_path / "kit-sandbox-999999999-aa", tmp_path / f"kit-sandbox-{os.getpid()}-bb"
        dead.mkdir()
        alive.mkdir()
        control_groups._sweep(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [alive.name]

    def test_sweeps_what_is_almost_gone(self, tmp_path: Path) -> None:
        """A group whose last process is still ending when the next grader comes is removed all the same."""
        dead = tmp_path / "kit-sandbox-999999999-aa"
        dead.mkdir()
        (dead / "process").touch()  # as long as it is there, rmdir fails as it does for a group in use
        end = threading.Timer(0.2, (dead / "process").unlink)
        end.start()
        control_groups._sweep(tmp_path)
        end.join()
        assert not dead.exists()

    def test_real_one_is_removed(self) -> None:
        """A group made here is gone after remove(), however often that is called."""
        group = control_groups.Group.create(Limits())
        if group is None:
            pytest.skip("no control group can be made here (run as root, or with systemd's delegation)")
        assert all(folder.is_dir() for folder in group.folders)
        group.remove()
        group.remove()
        assert not any(folder.exists() for folder in group.folders)


class TestWatchdog:
    @pytest.fixture
    def proc(self, tmp_path: Path) -> Iterator[int]:
        """A /proc of two processes; each has 10,000 kB of pages, 2,000 kB of their tables, and 3 s."""
        for number in (1, 7):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "status").write_text(
                "Name:\tx\nVmRSS:\t   10000 kB\nVmPTE:\t    2000 kB\nThreads:\t4\n"
            )
            fields = ["S", *"0" * 10, "100", "50", "100", "50", "20", "0", "4", "0"]
            (folder / "stat").write_text(f"{number} (a) b) {' '.join(fields)}\n")
        (tmp_path / "meminfo").write_text("")
        descriptor = os.open(tmp_path, os.O_RDONLY)
        yield descriptor
        os.close(descriptor)

    @pytest.mark.parametrize(
        ("limits", "end"),
        [
            (Limits(memory_bytes=25_000_000, cpu_seconds=6.5, processes=8), None),
            (Limits(memory_bytes=24_000_000, cpu_seconds=6.5, processes=8), End.MEMORY),
            (Limits(memory_bytes=25_000_000, cpu_seconds=5.5, processes=8), End.CPU),
            (Limits(memory_bytes=25_000_000, cpu_seconds=6.5, processes=5), End.SIGNAL),
        ],
        ids=lambda value: str(value) if isinstance(value, End) else "",
    )
    def test_adds_up(self, proc: int, limits: Limits, end: End | None) -> None:
        """Pages with their tables, time with that of children that have ended, and threads."""
        watchdog = control_groups.Watchdog(limits, proc)
        assert watchdog.over() is end
        assert watchdog.peak() == 24_576_000
        if end is not End.MEMORY:
            assert watchdog.cpu_seconds() == pytest.approx(600 / os.sysconf("SC_CLK_TCK"))

    def test_page_tables_of_a_real_program(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One byte in each 2 MiB of a mapping costs a page of table as well as the page."""
        engine = usable("bubblewrap")
        monkeypatch.setattr(control_groups.Group, "create", lambda _limits: None)
        code = """
import mmap, time
maps = [mmap.mmap(-1, 2**30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000) for _ in range(16)]
for m in maps:
    m.madvise(15)  # MADV_NOHUGEPAGE
    for at in range(0, 2**30, 2**21): m[at] = 1
time.sleep(0.3)
"""
        outcome = runner(engine, tmp_path)(code, memory_bytes=16 * 2**30).outcome
        pages = 16 * 512 * 4096
        assert outcome.end is End.EXIT, outcome
        assert outcome.peak_memory_bytes is not None
        assert outcome.peak_memory_bytes > 1.9 * pages


SYSTEMD_RUN = """#!/bin/sh
# Makes a group with the limits asked for, enters it and becomes the program, as `systemd-run --scope` does.
echo "$@" >> {log}
while [ "$1" != -- ]; do
    case "$1" in
        MemoryMax=*) memory=${{1#*=}} ;;
        TasksMax=*) tasks=${{1#*=}} ;;
    esac
    shift
done
shift
for parent in {parents}; do
    group=$parent/kit-stand-in-$$
    mkdir "$group"
    for limit in memory.max=$memory memory.limit_in_bytes=$memory pids.max=$tasks; do
        [ -e "$group/${{limit%=*}}" ] && echo ${{limit#*=}} > "$group/${{limit%=*}}"
    done
    echo $$ > "$group/cgroup.procs"
done
exec "$@"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
class TestScoped:
    @pytest.fixture
    def stand_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """Its log; in place of systemd-run on PATH, on a machine where no group can be made directly."""
        parents = control_groups._parents()
        if not parents:
            pytest.skip("the stand-in makes control groups itself (run as root)")
        program, log = tmp_path / "systemd-run", tmp_path / "log"
        program.write_text(SYSTEMD_RUN.format(log=log, parents=" ".join(map(str, parents))))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        monkeypatch.setattr(control_groups.Group, "create", lambda _limits: None)
        control_groups._user_manager_enforces.cache_clear()
        yield log
        control_groups._user_manager_enforces.cache_clear()
        for parent in parents:
            for folder in parent.glob("kit-stand-in-*"):
                control_groups.Group([folder]).remove()

    def test_job_in_a_scope(self, stand_in: Path, tmp_path: Path) -> None:
        """The user's systemd is asked for a program's limits; the group it made ends what passes them."""
        eat = "x = []\nwhile True: x.append(bytearray(b'x') * 2**20)"
        outcome = runner(usable("bubblewrap"), tmp_path)(eat, memory_bytes=64 * 2**20).outcome
        assert outcome.end is End.MEMORY
        asked = stand_in.read_text()
        for word in (
            "--user --scope",
            "MemoryMax=67108864",
            "MemorySwapMax=0",
            "TasksMax=258",
            "CPUQuota=100%",
        ):
            assert word in asked

    def test_systemd_that_holds_nothing(self, stand_in: Path) -> None:
        """Where it starts programs and makes no group, it is not used."""
        program = stand_in.with_name("systemd-run")
        program.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
        assert control_groups.scoped(Limits()) == []
