"""Runs small programs in an engine and shows how they ended and what they left.

Also imported by the system's own Python, which has no pytest, when a test runs as an ordinary user.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.sandbox import (
    ENGINES,
    Engine,
    Limits,
    Outcome,
    Program,
    container_images,
    containers,
    control_groups,
)

CHECKOUT = Path(__file__).resolve().parents[3]
CONTAINERS = ("podman", "docker")
ISOLATING = ("bubblewrap", *CONTAINERS)


@dataclass(frozen=True)
class Ran:
    """A finished program: its outcome, and its output folder as the grader finds it."""

    outcome: Outcome
    output: Path


Run = Callable[..., Ran]


def runner(engine: Engine, folder: Path) -> Run:
    """A function that runs Python code in the engine, with limits as keywords."""
    counter = iter(range(1000))

    def run(
        code: str,
        *,
        arguments: tuple[str, ...] = (),
        readable: dict[str, Path] | None = None,
        **limits: float,
    ) -> Ran:
        job_folder = folder / f"program{next(counter)}"
        submission, output = job_folder / "submission", job_folder / "output"
        submission.mkdir(parents=True)
        output.mkdir()
        (submission / "answer.py").write_text("ANSWER = 42\n")
        (submission / "answer.py").chmod(0o600)  # as an unpacked zip may be
        limits = {"wall_seconds": 30.0, "memory_bytes": 512 * 1024 * 1024} | limits
        command = ("-c", code, *arguments)
        program = Program(command, submission, output, readable or {}, Limits(**limits))  # type: ignore[arg-type]
        return Ran(engine.run(program), output)

    return run


def usable(name: str) -> Engine:
    """The engine, or a skip that says what is missing."""
    import pytest

    engine = ENGINES[name]
    found = engine.availability()
    if not found.usable:
        pytest.skip(f"{name} does not work here: {found.reason} ({found.fix})")
    return engine


def processes_with(token: str) -> list[int]:
    """The processes of this machine that have a word on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if token.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


def programs_with(token: str) -> list[int]:
    """Those of them that are a program's Python, and neither its launchers nor a grader."""

    def program(process: int) -> bool:
        try:
            arguments = Path("/proc", str(process), "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return arguments[1:4] == [b"-I", b"-B", b"-c"]

    return [process for process in processes_with(token) if program(process)]


def groups_of(process: int) -> list[Path]:
    """The control groups that a grader made and did not remove."""
    return [
        folder for parent in control_groups._parents() for folder in parent.glob(f"kit-sandbox-{process}-*")
    ]


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def containers_of(engine: Engine, grader: int | None = None) -> list[str]:
    """The containers that a grader still has, running or not; without a process number, this one's."""
    wanted = str(os.getpid() if grader is None else grader)
    return [container for container, owner in all_containers(engine).items() if owner.split("-")[1] == wanted]


def all_containers(engine: Engine) -> dict[str, str]:
    """Every container of the kit that an engine has, with the grader that its label names."""
    if engine.name not in CONTAINERS:
        return {}
    command = container_images.command(engine.name)
    listing = [*command, "ps", "--all", "--quiet", f"--filter=label={containers._LABEL}"]
    found = {}
    for container in subprocess.check_output(listing, text=True).split():
        label = f'--format={{{{index .Config.Labels "{containers._LABEL}"}}}}'
        asked = subprocess.run([*command, "inspect", label, container], capture_output=True, text=True)
        if asked.returncode == 0:  # else it is another test's, and gone by now
            found[container] = asked.stdout.strip()
    return found


def as_ordinary_user(code: str) -> Any:
    """Runs code that uses `run`, `folder` and `checkout` under another user; returns the JSON it prints."""
    import pytest

    if os.geteuid() != 0:
        pytest.skip("these tests run as an ordinary user already")
    python = shutil.which("python3", path="/usr/bin")
    setpriv = shutil.which("setpriv")
    if python is None or setpriv is None:
        pytest.skip("an ordinary user needs a Python that it can read (apt-get install python3)")
    script = f"""
import sys, tempfile
from pathlib import Path
checkout = {str(CHECKOUT)!r}
here = Path(checkout, "tests/grader/sandbox")
sys.path.insert(0, checkout)
from tests.grader.sandbox.running import runner
from grader.sandbox import select
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    run = runner(select("bubblewrap", own_code=False), folder)
    exec(sys.stdin.read())
"""
    user = [
        "--reuid",
        "54321",
        "--regid",
        "54321",
        "--clear-groups",
        "--bounding-set=-all",
        "--inh-caps=-all",
    ]
    done = subprocess.run(
        [setpriv, *user, python, "-B", "-c", script],
        input=code,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "CANARY": "canary-environment"},
        timeout=60,
    )
    if "namespace" in done.stderr or "PermissionError" in done.stderr:
        pytest.skip(f"ordinary users cannot run sandboxes here: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
