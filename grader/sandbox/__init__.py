"""Runs a program that is not trusted. The engines live beside this file and nowhere else."""

from grader.errors import UsageError
from grader.sandbox.base import GUEST, Availability, End, Engine, Limits, Outcome, Program
from grader.sandbox.bubblewrap import BubblewrapEngine
from grader.sandbox.containers import ContainerEngine
from grader.sandbox.supervision import interruptible
from grader.sandbox.unisolated import NoneEngine
from grader.sandbox.warm import WarmEngine

__all__ = [
    "ENGINES",
    "GUEST",
    "Availability",
    "End",
    "Engine",
    "Limits",
    "Outcome",
    "Program",
    "WarmEngine",
    "interruptible",
    "select",
]

# The strongest first: what `auto` tries, in this order. The first three stand on the same kernel, with the
# same namespaces, limits and refused calls. bubblewrap shows a program the least (no /sys, a /proc that is
# read-only, no account files), starts in a thirtieth of the time and needs no image; podman needs an image,
# and a larger program to trust; docker moreover a daemon that is root for whoever reaches its socket.
ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (BubblewrapEngine(), ContainerEngine("podman"), ContainerEngine("docker"), NoneEngine())
}


def select(name: str, *, own_code: bool) -> Engine:
    """Chooses an engine by its name on the command line.

    Args:
        name: an engine, or `auto` for the strongest that works here.
        own_code: everything to be run is the user's own or trusted, so that no isolation is needed.

    Raises:
        UsageError: there is no such engine, it does not work here, or it does not isolate and has to.
    """
    if name == "auto":
        return _strongest(own_code=own_code)
    engine = ENGINES.get(name)
    if engine is None:
        raise UsageError(f"no engine is called {name!r}", fix=f"Choose one of: auto, {', '.join(ENGINES)}.")
    if not (engine.isolates or own_code):
        raise UsageError(
            f"the engine {name} isolates nothing: it runs your own code only",
            fix="Use --engine auto, or --trust if you answer for every line of these submissions.",
        )
    found = engine.availability()
    if not found.usable:
        raise UsageError(f"the engine {name} does not work here: {found.reason}", fix=found.fix)
    return engine


def _strongest(*, own_code: bool) -> Engine:
    refused = []
    for engine in ENGINES.values():
        if not (engine.isolates or own_code):
            continue
        found = engine.availability()
        if found.usable:
            return engine
        refused.append((engine.name, found))
    raise UsageError(
        "no sandbox works here, and other people's code runs only in a sandbox: "
        + "; ".join(f"{name}: {found.reason}" for name, found in refused),
        fix="; or ".join(f"{name}: {found.fix}" for name, found in refused),
    )
