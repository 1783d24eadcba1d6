"""`nox -s doctor`: what this machine has for the course kit, tried and not assumed, in one table."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader import sandbox, thresholds
from grader.config import profiles
from grader.errors import GraderFault, UsageError
from grader.sandbox import bwrap, container_images
from grader.sandbox.self_test import try_limits
from grader.text import plain
from grader.training import backends, executors
from grader.training.job import Conditions, pin
from lab import data
from lab.errors import KitError

State = Literal["ok", "missing", "without"]
_MARKS = {"ok": ("✔", "green"), "missing": ("✘", "red"), "without": ("–", "yellow")}
_PYTHONS = (3, 11), (3, 14)  # from, and up to but without: as in pyproject.toml
_GB = 1e9
_GROUPS = "Run as root, or as a user for whom systemd runs: systemctl --user status"


@dataclass(frozen=True)
class Line:
    """One thing that this machine has, lacks, or can do without.

    Attributes:
        topic: what the lines are grouped by.
        thing: its name.
        state: ok; missing: what is here does not do; without: not here, and not everybody needs it.
        what: what was found.
        fix: how to come by it.
    """

    topic: str
    thing: str
    state: State
    what: str
    fix: str = ""


def doctor(root: Path, console: Console) -> int:
    """Shows the table; 0 if submissions can be graded here in a sandbox, else 1."""
    parts: list[Callable[[], Iterable[Line]]] = [
        _machine,
        partial(_tools, root),
        partial(_packages, root),
        _devices,
        *(partial(_engine, engine) for engine in sandbox.ENGINES.values()),
        *(partial(_images, name) for name in container_images.INSTALL),
        partial(_data, root),
        partial(_thresholds, root),
        partial(_disk, root),
    ]
    # Side by side: most of it is waiting for other programs.
    with (
        console.status("Trying what this machine has ..."),
        sandbox.interruptible(),
        ThreadPoolExecutor(4, thread_name_prefix="doctor") as pool,
    ):
        pending = [pool.submit(lambda part=part: list(part())) for part in parts]  # type: ignore[misc]
        lines = [line for future in pending for line in future.result()]
    console.print(_table(lines))
    verdict, style, code = _verdict(lines)
    console.print(Text(verdict, style=style))
    return code


def _table(lines: Iterable[Line]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_column()
    table.add_column(overflow="fold")
    topic = ""
    for line in lines:
        mark, style = _MARKS[line.state]
        what = Text(line.what)
        if line.fix:
            what.append(f"\n{line.fix}", style="cyan")
        table.add_row(line.topic if line.topic != topic else "", Text(mark, style), line.thing, what)
        topic = line.topic
    return table


def _verdict(lines: Iterable[Line]) -> tuple[str, str, int]:
    lines = list(lines)
    packages = all(line.state != "missing" for line in lines if line.topic in ("Tools", "Packages"))
    usable = [line.thing for line in lines if line.topic == "Engines" and line.state == "ok"]
    if packages and usable:
        return f"\nSubmissions can be graded here; --engine auto takes {usable[0]}.", "green", 0
    if packages:
        return "\nOnly your own code can run here: no sandbox works on this machine.", "yellow", 1
    return "\nThe packages are not as they should be: see the lines in red.", "red", 1


# --- the parts --------------------------------------------------------------------------------------------


def _machine() -> Iterable[Line]:
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / _GB:.0f} GB of memory"
    name = f"{platform.system()} {platform.release()} on {platform.machine()}"
    yield Line("Machine", "system", "ok", f"{name}, {os.cpu_count()} cores{memory}")


def _tools(root: Path) -> Iterable[Line]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    commit = _said(["git", "-C", str(root), "describe", "--always", "--dirty"])
    yield Line("Tools", "course kit", "ok", f"{project['version']}{f', commit {commit}' if commit else ''}")
    fits = _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]
    yield Line(
        "Tools",
        "Python",
        "ok" if fits else "missing",
        f"{platform.python_version()} at {sys.executable}",
        ""
        if fits
        else f"Python {project['requires-python']} is needed: install one, remove .nox, run nox with it",
    )
    for tool, fix in (("nox", "pip install 'nox[uv]'"), ("uv", "pip install 'nox[uv]'")):
        said = _said([tool, "--version"])
        # Run by hand, without nox, the kit does without them.
        yield Line("Tools", tool, "ok" if said else "without", said or "not on PATH", "" if said else fix)


def _packages(root: Path) -> Iterable[Line]:
    locked = defaultdict(set)  # for some packages one version for old Pythons and one for new ones
    for package in tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))["package"]:
        locked[package["name"]].add(package.get("version", ""))
    for name in ("keras", "tensorflow", "numpy", "scikit-learn"):
        found = _installed(name, f"{name}-cpu")
        if found is None:
            yield Line("Packages", name, "missing", "not installed", "Run: nox -s check, which installs it")
            continue
        wanted = " or ".join(sorted(locked[found[0]]))
        right = found[1] in locked[found[0]]
        yield Line(
            "Packages",
            found[0],
            "ok" if right else "missing",
            found[1] + ("" if right else f", but uv.lock says {wanted}"),
            "" if right else "Run: rm .nox/kit/kit-stamp.json; nox -s check",
        )


def _devices() -> Iterable[Line]:
    """TensorFlow itself is asked, in a process of its own: it takes seconds and much memory to start."""
    try:
        cpu = executors.choose("none", "cpu")
        yield Line("Devices", "CPU", "ok", cpu.backend)
    except UsageError as error:
        yield Line("Devices", "CPU", "missing", error.message, error.fix)
    cards = _said(["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"])
    card = f"; the driver has {cards}" if cards else "; no NVIDIA driver answers"
    try:
        yield Line("Devices", "GPU", "ok", executors.choose("none", "gpu").backend + card)
    except UsageError as error:
        yield Line("Devices", "GPU", "without", error.message.rpartition(": ")[2] + card)


def _engine(engine: sandbox.Engine) -> Iterable[Line]:
    if not engine.isolates:
        yield Line("Engines", engine.name, "without", "works, and isolates nothing: for your own code alone")
        return
    found = engine.availability()
    if not found.usable:
        yield Line("Engines", engine.name, "missing", found.reason, found.fix)
        return
    try:
        tried = list(try_limits(engine))
    except GraderFault as fault:
        yield Line("Engines", engine.name, "missing", fault.message, fault.fix)
        return
    broken = [f"{one.limit} ({one.seen})" for one in tried if not one.holds]
    held = ", ".join(one.limit for one in tried if one.holds)
    what = f"{_version_of(engine.name)}; tried, and held: {held}"
    if broken:
        yield Line("Engines", engine.name, "missing", what, f"It does not hold: {'; '.join(broken)}")
    else:
        yield Line("Engines", engine.name, "ok", what)
    if soft := engine.soft():
        yield Line("Engines", f"{engine.name} limits", "without", f"soft: {soft}", _GROUPS)


def _images(engine: str) -> Iterable[Line]:
    wanted: tuple[tuple[str, str], ...] = (
        ("sandbox", container_images.tag("sandbox")),
        ("trainer", container_images.tag("trainer", tensorflow="gpu")),
        ("trainer (CPU)", container_images.tag("trainer", tensorflow="cpu")),
    )
    try:
        container_images.command(engine)
        found = {name: container_images.find(engine, tag) for name, tag in wanted}
    except (UsageError, GraderFault, OSError, subprocess.SubprocessError):
        return  # the engine's own line says what is wrong
    for name, tag in wanted:
        image = found[name]
        option = {"sandbox": "sandbox", "trainer": "trainer", "trainer (CPU)": "trainer --cpu-trainer"}[name]
        if image is not None:
            yield Line(
                "Images", f"{engine} {name}", "ok", f"{image.size / _GB:.1f} GB, {tag.partition(':')[2]}"
            )
        elif name == "sandbox" or not (found["trainer"] or found["trainer (CPU)"]):
            fix = f"nox -s image -- --engine {engine} --target {option}"
            yield Line("Images", f"{engine} {name}", "without", "not built for this checkout", fix)


def _data(root: Path) -> Iterable[Line]:
    for name, read in (("course set", data.course), ("hidden set", data.hidden)):
        try:
            found = read(root)
        except KitError as error:
            yield Line("Data", name, "without", error.message, error.fix)
        else:
            yield Line(
                "Data",
                name,
                "ok",
                f"CIFAR-100, {len(found):,} images, every byte as pinned ({found.pin[:12]})",
            )
    yield Line("Data", "embedded set", "ok", "drawn when needed")


def _thresholds(root: Path) -> Iterable[Line]:
    try:
        params = profiles.load(root / "params.yaml")
    except KitError as error:
        yield Line("Profiles", "params.yaml", "missing", error.message, error.fix)
        return
    for name, profile in params.profiles.items():
        try:
            found = thresholds.load(root / "reference" / name)
            embedded = profile.data == "embedded"
            here = found.conditions.pin if embedded and found.conditions else pin(profile.data)
            backend = backends.name(profile.device, profile.backend)
            stale = found.stale(Conditions.of(profile, here, backend), profile.builders)
        except KitError as error:
            yield Line("Profiles", name, "without", error.message, error.fix)
            continue
        stale = stale or found.reservation()
        runs = f"thresholds from {min(t.n for t in found.thresholds)} runs or more"
        fix = f"Marks are provisional. Measure anew: nox -s reference -- --profile {name}"
        yield Line("Profiles", name, "without" if stale else "ok", stale or runs, fix if stale else "")


def _disk(root: Path) -> Iterable[Line]:
    needs = {"checkout": (root, 2), "temporary files": (Path(tempfile.gettempdir()), 2)}
    for engine, where in (("podman", "{{.Store.GraphRoot}}"), ("docker", "{{.DockerRootDir}}")):
        if stored := _said([engine, "info", f"--format={where}"]):
            needs[f"{engine} images"] = (Path(stored), 15)
    for name, (folder, wanted) in needs.items():
        if not folder.is_dir():
            continue
        free = shutil.disk_usage(folder).free / _GB
        what = f"{free:.0f} GB free at {plain(folder)}"
        if free < wanted:
            yield Line("Disk", name, "missing", what, f"Make room: {wanted} GB are wanted")
        else:
            yield Line("Disk", name, "ok", what)


# --- small things -----------------------------------------------------------------------------------------


def _said(command: list[str]) -> str:
    """The first line that a program prints, of its version for example; empty if it cannot."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    printed = (done.stdout or done.stderr).strip()  # nox tells its version on stderr
    return plain(printed.splitlines()[0]) if done.returncode == 0 and printed else ""


def _version_of(engine: str) -> str:
    if engine == "bubblewrap":
        return str(bwrap.find())
    said = _said([*container_images.command(engine), "version", "--format={{.Server.Version}}"])
    return f"{engine} {said or _said([engine, '--version'])}"


def _installed(*names: str) -> tuple[str, str] | None:
    """The first of some packages that is installed, and its version."""
    for name in names:
        try:
            return name, version(name)
        except PackageNotFoundError:
            continue
    return None
