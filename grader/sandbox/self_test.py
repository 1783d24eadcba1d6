"""Tries which limits an engine really enforces on this machine, by programs that go against them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from grader import scratch
from grader.errors import SandboxFault
from grader.sandbox.base import ENVIRONMENT, MIB, End, Engine, Limits, Outcome, Program

_LIMITS = Limits(wall_seconds=20.0, memory_bytes=128 * MIB, processes=24, output_bytes=4 * MIB)

# Prints what it found as JSON, each a word or a list; an empty one where everything was refused.
_LOOK = """
import ctypes, json, os, socket
def tried(action):
    try: return action() or "allowed"
    except OSError: return ""
def write(folder):
    with open(folder + "/kit-trial", "w"): return folder
def connect():
    with socket.create_connection(("192.0.2.1", 80), timeout=1): pass
def namespaces():
    if ctypes.CDLL(None).unshare(0x10000000): raise OSError
found = {
    "network": [tried(connect), tried(lambda: socket.socket(socket.AF_INET).close())],
    "folders": [tried(lambda f=f: write(f)) for f in ("", "/usr", "/etc", "/run", "/var/tmp", "/submission")],
    "calls": [tried(namespaces)],
    "environment": sorted(os.environ),
    "user": os.getuid(),
    "capabilities": [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")][0],
    "processes": 1,
}
try:
    while found["processes"] < 200:
        if os.fork() == 0:
            import time
            time.sleep(30)
        found["processes"] += 1
except OSError: pass
print(json.dumps(found))
"""
# Four processes, each with less than the limit, together with more.
_EAT = """
import os, time
for _ in range(2): os.fork()
x = bytearray(b"x") * (48 * 2**20)
time.sleep(15)
"""
_FLOOD = "for n in range(64): open(f'/output/{n}', 'wb').write(bytes(2**20))\nimport time; time.sleep(15)"
# Five processes that never rest, four in sessions of their own if they can.
_SPIN = """
import os
for _ in range(4):
    if os.fork() == 0:
        try: os.setsid()
        except OSError: pass
        break
while True: pass
"""
_LOOP = "import signal\nsignal.signal(15, signal.SIG_IGN)\nwhile True: pass"


@dataclass(frozen=True)
class Tried:
    """A limit, whether it held, and if it did not, what was seen."""

    limit: str
    holds: bool
    seen: str = ""


def try_limits(engine: Engine) -> Iterator[Tried]:
    """Runs five programs in an engine that works; some seconds.

    Raises:
        SandboxFault: it does not work after all.
    """
    looked = _run(engine, _LOOK)
    try:
        found = json.loads(looked.printed)
    except ValueError:
        raise SandboxFault(f"{engine.name} did not run a program: {looked.printed[-200:]}") from None
    reached = [folder or "/" for folder in found["folders"] if folder]
    known = {"PATH", "LC_CTYPE", *ENVIRONMENT}
    strange = sorted(set(found["environment"]) - known)
    yield Tried("no network", not any(found["network"]), "a socket could be opened")
    yield Tried("read-only files", not reached, f"could write to {', '.join(reached)}")
    unprivileged = found["user"] != 0 and int(found["capabilities"], 16) == 0
    yield Tried("no rights", unprivileged, f"user {found['user']}, {found['capabilities']}")
    yield Tried("refused system calls", not any(found["calls"]), "could make a namespace")
    yield Tried("empty environment", not strange, f"saw {', '.join(strange)}")
    most = _LIMITS.processes
    yield Tried("processes", found["processes"] <= most, f"started {found['processes']}, allowed {most}")
    spun = _run(engine, _SPIN, cpu_seconds=1.5)
    yield Tried("processor time", spun.end is End.CPU, f"ended by {spun.end}")
    share = spun.cpu_seconds / spun.seconds if spun.cpu_seconds and spun.seconds else None
    seen = "not measured" if share is None else f"took {share:.1f} cores, allowed {_LIMITS.cores:.1f}"
    # A quarter for what is measured before and after a tick of the clock.
    yield Tried("share of processors", share is not None and share <= 1.25 * _LIMITS.cores, seen)
    for limit, code, wanted, seconds in (
        ("memory in all", _EAT, End.MEMORY, 20.0),
        ("output", _FLOOD, End.OUTPUT, 20.0),
        ("time", _LOOP, End.TIMEOUT, 1.0),
    ):
        ended = _run(engine, code, wall_seconds=seconds).end
        yield Tried(limit, ended is wanted, f"ended by {ended}")


def _run(engine: Engine, code: str, **limits: float) -> Outcome:
    with scratch.Folder("trial") as folder:
        submission, output = Path(folder, "submission"), Path(folder, "output")
        submission.mkdir()
        output.mkdir()
        program = Program(("-c", code), submission, output, limits=replace(_LIMITS, **limits))  # type: ignore[arg-type]
        return engine.run(program)
