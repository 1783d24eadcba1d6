"""What a worker does with a message: `probe` and `train` take bytes and return bytes, and never raise.

They are all that a grader asks Dask to call. What a message asks for is checked against what this machine is:
other limits, another budget, other data or another backend are refused.
"""

import hashlib
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path

from grader.cluster import messages
from grader.cluster.bundle import Files
from grader.cluster.passport import Passport
from grader.config.profiles import Profile
from grader.errors import GraderFault, MessageRefused
from grader.sandbox import Engine, Outcome
from grader.slots import Slots
from grader.text import plain
from grader.training.job import Job
from grader.training.job import Outcome as Trained
from grader.training.pool import Pool


@dataclass
class Host:
    """What a worker works with.

    Attributes:
        passport: what it has shown.
        profile: its own, of the passport's name.
        engine: where probes run; None if it runs none.
        pool: trains; None if it trains nothing. Its slots are these.
        slots: shared by probes and trainings.
        scratch: a folder for what is not kept.
        say: called with a line when something is done.
    """

    passport: Passport
    profile: Profile
    engine: Engine | None
    pool: Pool | None
    slots: Slots
    scratch: Path
    say: Callable[[str], None]
    _saying: threading.Lock = field(default_factory=threading.Lock)

    def probe(self, data: object) -> bytes:
        """Runs a program in a sandbox of this machine."""
        began = time.monotonic()
        what, how = "a probe", ""
        try:
            if self.engine is None:
                raise MessageRefused("this worker runs no probes")
            request, files = messages.read_probe_request(data)
            what = f"probe of {_named(request, files)}"
            with tempfile.TemporaryDirectory(prefix="kit-probe-", dir=self.scratch) as folder:
                program = messages.program_of(request, files, Path(folder))
                del data, files
                with self.slots.turn(alone=request.alone):
                    began = time.monotonic()
                    outcome: Outcome = self.engine.run(program)
                how = f"{outcome.end.value}, {outcome.seconds:.1f} s"
                return messages.probe_reply(outcome, program)
        except (Exception, CancelledError) as error:
            how = _why(error)
            return messages.fault_reply("probe", how)
        finally:
            self._said(what, how, began)

    def train(self, data: object) -> bytes:
        """Trains a network on the data of this machine."""
        began = time.monotonic()
        what, how = "a training", ""
        try:
            if self.pool is None:
                raise MessageRefused("this worker trains nothing")
            request = messages.read_train_request(data)
            self._check(request.job)
            what = f"training {request.digest[:12]}"
            outcome: Trained = self.pool.submit(
                request.job, alone=request.alone, afresh=request.afresh
            ).result()
            how = plain(outcome, 200) if isinstance(outcome, Exception) else "done"
            return messages.train_reply(outcome)
        except (Exception, CancelledError) as error:
            how = _why(error)
            return messages.fault_reply("train", how)
        finally:
            self._said(what, how, began)

    def _check(self, job: Job) -> None:
        """MessageRefused unless it is a training of this machine's profile, data and backend."""
        own = {
            "pin": (job.conditions.pin, self.passport.pin),
            "backend": (job.conditions.backend, self.passport.backend),
            "budget": (job.budget, self.profile.budget),
            "recipe": (job.conditions.recipe, self.profile.recipe),
            "data": (job.conditions.data, self.profile.data),
            "scored_on": (job.scored_on, "hidden"),
        }
        for name, (asked, here) in own.items():
            if asked != here:
                raise MessageRefused(f"a training whose {name} is not that of this worker")
        if not 0 < job.limit_seconds <= self.profile.limit_seconds:
            raise MessageRefused("a training with another limit of time than the profile's")

    def _said(self, what: str, how: str, began: float) -> None:
        with self._saying:
            self.say(f"{what}: {plain(how, 300)} ({time.monotonic() - began:.1f} s in all)")


_host: Host | None = None


def install(host: Host | None) -> None:
    """Makes one what the functions below work with, in this process."""
    global _host
    _host = host


def probe(data: bytes) -> bytes:
    """See Host.probe."""
    return messages.fault_reply("probe", "this process is no worker") if _host is None else _host.probe(data)


def train(data: bytes) -> bytes:
    """See Host.train."""
    return messages.fault_reply("train", "this process is no worker") if _host is None else _host.train(data)


def _named(request: messages.ProbeRequest, files: Files) -> str:
    """Which module of which submission: its name is not sent, a digest of its files stands for it."""
    arguments = request.arguments
    module = arguments[arguments.index("--module") + 1] if "--module" in arguments[:-1] else "a program"
    whole = hashlib.sha256()
    for entry, content in zip(files.entries, files.contents, strict=True):
        if entry.path.startswith(f"{messages.SUBMISSION}/"):
            whole.update(entry.path.encode())
            whole.update(content)
    return f"{plain(module, 60)}, submission {whole.hexdigest()[:8]}"


def _why(error: BaseException) -> str:
    if isinstance(error, GraderFault):
        return error.message
    return str(error) or "the worker is being stopped"
