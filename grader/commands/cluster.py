"""`nox -s certificates`, `scheduler` and `worker`: a cluster of machines that probe and train."""

import asyncio
import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.cluster import certificates as certifying
from grader.cluster.passport import Passport
from grader.errors import GraderFault, UsageError
from grader.sandbox import Engine, interruptible
from grader.session import Session
from grader.text import plain
from grader.training import executors
from grader.training.executors import Executor
from grader.training.job import pin as pin_of
from grader.training.pool import Pool

_LOOPBACK = ("127.", "::1", "localhost")


def certificates(console: Console, folder: Path) -> int:
    """Makes certificates for a cluster; UsageError if there are some, or they cannot be written."""
    made = certifying.make(folder)
    console.print(Text(f"{plain(folder, 300)}/: {', '.join(path.name for path in made.files)}", style="bold"))
    console.print(
        f"Valid for {certifying.DAYS} days. Copy the folder to every machine of the cluster, and to nobody "
        "else:\nwhoever has it can run programs as you on all of them (docs/security.md)."
    )
    return 0


def scheduler(
    root: Path, console: Console, *, profile: str | None, host: str, port: int, folder: Path
) -> int:
    """Runs a scheduler until Ctrl-C.

    Raises:
        UsageError: the certificates or the address cannot be used.
    """
    from grader.cluster import scheduler as scheduling

    session = Session(root, profile=profile)
    found = certifying.find(folder)
    # It needs no images itself: what the checkout's pins say is what others have to have.
    passport = Passport.of(root, session.profile, pin_of(session.profile.data))

    def ready(address: str) -> None:
        shown = Text(f"Scheduler of kit {passport.kit}, profile {passport.profile}", style="bold")
        console.print(shown)
        console.print(Text(f"  workers:  nox -s worker -- {address} --profile {passport.profile}"))
        console.print(
            Text(f"  grading:  nox -s grade -- CLASS --scheduler {address} --profile {passport.profile}")
        )
        console.print(Text(f"Both need a copy of {plain(folder, 200)}/. Ctrl-C stops it."))
        if not host.startswith(_LOOPBACK):
            console.print(
                Text("It can be reached by other machines; those without a certificate get no answer.")
            )

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await scheduling.serve(
            passport,
            found,
            host=host,
            port=port,
            say=lambda line: console.print(Text(line)),
            on_ready=ready,
            stop=stop,
        )

    asyncio.run(serve())
    console.print("The scheduler has stopped.")
    return 0


def worker(
    root: Path,
    console: Console,
    address: str,
    *,
    profile: str | None,
    engine: str,
    places: int,
    folder: Path,
    listen_on: str | None,
    trainings_only: bool,
) -> int:
    """Joins a scheduler until Ctrl-C; 1 if the scheduler was lost.

    Raises:
        UsageError: it may not take part, or has nothing to take part with.
        DataError: the data of the profile are not here.
    """
    from grader.cluster import settings
    from grader.cluster.host import Host
    from grader.cluster.worker import Joined

    session = Session(root, profile=profile, engine=engine, workers=places)
    address, found = settings.address(address), certifying.find(folder)
    if engine == "none":
        raise UsageError(
            "a worker runs other people's code, and the engine none isolates nothing",
            fix="Use another engine, or --trainings-only",
        )
    _ = session.pin  # without the data it is of no use: an error now
    probing = None if trainings_only else _probes(session, console)
    executor = _trains(session, probing, console)
    if probing is None and executor is None:
        raise UsageError("this machine can run neither probes nor trainings", fix="Run: nox -s doctor")

    def say(line: str) -> None:
        console.print(Text(line))

    with interruptible(), ExitStack() as cleanup:
        scratch = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="kit-worker-")))
        pool = None
        if executor is not None:
            pool = cleanup.enter_context(Pool(executor, scratch / "trainings", slots=session.slots))
        host = Host(
            passport=Passport.of(
                root,
                session.profile,
                session.pin,
                engine=probing.name if probing else "",
                backend=executor.backend if executor else "",
                places=session.slots.count,
            ),
            profile=session.profile,
            engine=probing,
            pool=pool,
            slots=session.slots,
            scratch=scratch,
            say=say,
        )
        cleanup.callback(session.slots.close)
        joined = cleanup.enter_context(Joined(address, found, host, listen_on=listen_on))
        console.print(Text(f"Joined {address} with {host.passport.has}. Ctrl-C leaves.", style="bold"))
        try:
            while not joined.ended.wait(0.5):
                pass
        except (KeyboardInterrupt, SystemExit):
            say("Leaving: what was running here is given to others.")
            return 0
        say(f"The scheduler at {address} is gone, or has given this worker up. Start it again to join again.")
        with suppress(SystemExit):  # so that no sandbox runs on
            signal.raise_signal(signal.SIGTERM)
        return 1


def _probes(session: Session, console: Console) -> Engine | None:
    """Where probes run; a line says why there are none."""
    try:
        return session.engine
    except UsageError as error:
        console.print(Text(f"No probes here: {error}", style="yellow"))
        return None


def _trains(session: Session, probing: Engine | None, console: Console) -> Executor | None:
    """Where trainings run: in containers if probes do; a line says why there are none."""
    profile = session.profile
    try:
        return executors.choose(probing.name if probing else "", profile.device, profile.backend)
    except (UsageError, GraderFault) as error:
        console.print(Text(f"No trainings here: {error}", style="yellow"))
        return None
