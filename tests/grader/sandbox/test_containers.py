"""What is podman's and docker's alone; test_isolation.py has what holds for every engine."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.errors import SandboxFault
from grader.sandbox import Engine, container_images, containers
from grader.sandbox.base import End
from grader.sandbox.containers import ContainerEngine
from tests.grader.sandbox.running import CONTAINERS, Run, all_containers, containers_of, runner, usable


@pytest.fixture(params=CONTAINERS)
def engine(request: pytest.FixtureRequest) -> Engine:
    return usable(request.param)


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Run:
    return runner(engine, tmp_path)


def left_behind(engine: Engine, owner: str) -> str:
    """Starts a container as a grader would, and forgets about it."""
    command = [
        *container_images.command(engine.name),
        "run",
        "--detach",
        "--network=none",
        "--entrypoint=/bin/sleep",
    ]
    command += [f"--label={containers._LABEL}={owner}", "--ulimit=nofile=64:64", "--ulimit=nproc=64:64"]
    return subprocess.check_output([*command, container_images.tag("sandbox"), "300"], text=True).strip()[:12]


@pytest.mark.parametrize("name", CONTAINERS)
class TestAvailability:
    def test_not_installed(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The package is named."""
        monkeypatch.setenv("PATH", "/nowhere")
        found = ContainerEngine(name).availability()
        assert not found.usable
        assert "apt-get install" in found.fix
        assert name in found.fix

    def test_no_image(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The session that builds it is named; nothing is pulled from anywhere."""
        usable(name)
        monkeypatch.setattr(container_images, "tag", lambda _target: "localhost/no-such-image:1")
        found = ContainerEngine(name).availability()
        assert not found.usable
        assert "no-such-image" in found.reason
        assert f"nox -s image -- --engine {name}" in found.fix

    def test_not_linux(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Containers in a virtual machine cannot be looked into."""
        monkeypatch.setattr(sys, "platform", "darwin")
        assert "Linux" in ContainerEngine(name).availability().reason


def test_no_daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """docker without its daemon: how to start it."""
    usable("docker")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    found = ContainerEngine("docker").availability()
    assert not found.usable
    assert "dockerd" in found.fix


class TestRun:
    def test_cannot_start(self, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An engine that refuses is a fault of the machine, in its own words, and leaves nothing."""
        monkeypatch.setattr(containers, "_limits", lambda _limits: ["--no-such-option"])
        with pytest.raises(SandboxFault, match="no-such-option"):
            runner(engine, tmp_path)("pass")
        assert containers_of(engine) == []

    def test_not_the_container_that_was_asked_for(
        self, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An engine on another machine names a process that is something else here: it is left alone."""
        asked = containers._ask
        monkeypatch.setattr(
            containers,
            "_ask",
            lambda name, *rest: str(os.getpid()) if rest[0] == "inspect" else asked(name, *rest),
        )
        with pytest.raises(SandboxFault, match="another machine"):
            runner(engine, tmp_path)("pass")
        assert containers_of(engine) == []

    def test_process_one_is_robbed(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """A program that reads the line meant for process 1 gains a time of waiting, and no fault."""
        monkeypatch.setattr(containers, "STOP_SECONDS", 5.0)  # that time: a minute but for this test
        code = """
import os, time
line = os.open("/proc/1/fd/0", os.O_RDONLY)
if os.fork() == 0:
    os.setpgid(0, 0)
    open("/output/robbing", "w").close()
    os.read(line, 1)
    open("/output/robbed", "w").close()
    time.sleep(60)
while not os.path.exists("/output/robbing"): time.sleep(0.01)
time.sleep(0.2)
os._exit(3)
"""
        ran = run(code)
        robbed = (ran.output / "robbed").exists()  # or process 1 was the first to read
        assert ran.outcome.end is (End.SIGNAL if robbed else End.EXIT)

    @pytest.mark.parametrize("action", ["stop", "overwrite", "close"])
    def test_process_one_is_attacked(self, run: Run, action: str) -> None:
        """Whatever becomes of process 1 is the program's doing, and its last files arrive."""
        code = f"""
import os, signal
open("/output/x", "w").write("early")
action = {action!r}
try:
    if action == "stop":
        os.kill(1, signal.SIGSTOP)
    elif action == "overwrite":
        writable = [line.split()[0] for line in open("/proc/1/maps") if " rw" in line]
        with open("/proc/1/mem", "r+b", 0) as memory:
            for area in writable:
                start, end = (int(address, 16) for address in area.split("-"))
                try:
                    memory.seek(start)
                    memory.write(b"A" * (end - start))
                except OSError: pass
    else:
        os.open("/proc/1/fd/1", os.O_WRONLY)
        os.closerange(0, 64)
except OSError: pass
"""
        ran = run(code)
        assert ran.outcome.end in (End.EXIT, End.SIGNAL)
        assert (ran.output / "x").read_text() == "early"

    def test_nothing_is_left(self, engine: Engine, run: Run) -> None:
        """No container is left by all that ran before."""
        run("pass")
        assert containers_of(engine) == []


class TestSweep:
    def test_containers_of_dead_graders(self, engine: Engine) -> None:
        """Those of a process that is gone are removed; a living grader's and another namespace's are not."""
        namespace, process, started = containers._grader().split("-")
        owners = {
            "dead": f"{namespace}-4194303-1",
            "number reused": f"{namespace}-{process}-1",
            "alive": f"{namespace}-{process}-{started}",
            "another namespace's": f"1-{process}-1",
        }
        made = {name: left_behind(engine, owner) for name, owner in owners.items()}
        try:
            containers.sweep(engine.name)
            left = {identity[:12] for identity in all_containers(engine)}
            assert {name for name, identity in made.items() if identity in left} == {
                "alive",
                "another namespace's",
            }
        finally:
            for identity in made.values():
                containers.remove(engine.name, identity)


class TestGuard:
    def test_removes_when_an_error_passes(self, engine: Engine) -> None:
        """What is left by an exception leaves nothing running."""
        identity = left_behind(engine, containers._grader())
        with pytest.raises(KeyError), containers.guarded(engine.name, identity):
            raise KeyError
        assert containers_of(engine) == []

    def test_removes_when_the_grader_is_killed(self, engine: Engine) -> None:
        """SIGKILL, which nobody can prepare for, closes a pipe: the guard hears it."""
        identity = left_behind(engine, containers._grader())
        script = (
            "import os, sys\nfrom grader.sandbox import containers\n"
            "with containers.guarded(sys.argv[1], sys.argv[2]): os.kill(os.getpid(), 9)"
        )
        done = subprocess.run([sys.executable, "-c", script, engine.name, identity], check=False)
        assert done.returncode == -9
        deadline = time.monotonic() + 30
        while containers_of(engine):
            assert time.monotonic() < deadline
            time.sleep(0.1)
