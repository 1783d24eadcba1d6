"""What a command works with, each opened when it is first needed: manifest, profile, pins, engine and so on.

    session = Session(root, profile="offline", engine="bubblewrap", workers=2)
    with session.pool(display) as pool:
        plan = Plan(session.manifest, session.profile, session.engine, session.run(seed),
                    session.training(pool, display), session.slots, probes=session.probes)

A command that needs no data, no sandbox or no thresholds opens none: what is missing then is no error.
"""

import hashlib
import json
import math
import platform
import statistics
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from grader import sandbox, scratch, thresholds
from grader.blueprint import Blueprint, training_form
from grader.config import manifest, profiles
from grader.config.manifest import Manifest
from grader.config.profiles import CLASSES, LabelSet, Params, Profile
from grader.grading import to_train
from grader.grading.handing import Given
from grader.grading.plan import AT_A_TIME, Trainer, Training, changed
from grader.grading.probe_store import Probes
from grader.results.record import Run
from grader.sandbox import Engine
from grader.slots import Slots
from grader.thresholds import Known, KnownNetworks, PreparedRuns, Runs, Threshold, Thresholds
from grader.training import executors, store
from grader.training.executors import Executor
from grader.training.handed import Handed
from grader.training.job import Conditions, Job, Outcome, limit_seconds
from grader.training.job import pin as pin_of
from grader.training.pool import Listener, Pool
from grader.training.progress import Display
from lab import data, synthetic
from lab.data import DataSet
from lab.errors import DataError
from lab.files import write_atomically

if TYPE_CHECKING:
    from grader.cluster.client import Cluster
    from grader.cluster.trainer import RemotePool


class Session:
    """All that one command opens; each thing once, when it is first needed.

    Attributes:
        root: the checkout.
        own_code: whether all code that is to run is the user's own or trusted: then no sandbox is needed. To
            be set before `engine` is needed.
        workers: probes and trainings at a time, all together.
    """

    def __init__(
        self,
        root: Path,
        *,
        profile: str | None = None,
        engine: str = "auto",
        own_code: bool = False,
        workers: int = 2,
        course: Literal["assignment", "solutions"] = "assignment",
        scheduler: str | None = None,
        certificates: Path | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Opens nothing yet.

        Args:
            root: the checkout.
            profile: its name; None for the best that the data here allow.
            engine: its name, or `auto`.
            own_code, workers: see the class.
            course: the folder whose manifest is meant.
            scheduler: the address of a cluster that probes and trains; None for this machine.
            certificates: the cluster's folder of certificates; .kit/cluster if None.
            say: called with lines about the cluster.
        """
        self.root = root
        self.own_code = own_code
        self.workers = workers
        self._profile = profile
        self._engine = engine
        self._course = course
        self._scheduler, self._certificates, self._say = scheduler, certificates, say
        self._closing = ExitStack()
        self._opening = threading.Lock()
        self._executor: Executor | None = None

    @classmethod
    def of_folder(cls, root: Path, folder: Path, *, trust: bool, profile: str | None = None) -> Self:
        """One that runs a folder's code: without a sandbox if it is this checkout's own, which is faster.

        Anything else runs in the strongest sandbox that works here; with `trust`, without one if none does.
        """
        own = is_own(root, folder)
        return cls(root, profile=profile, engine="none" if own else "auto", own_code=own or trust)

    @cached_property
    def manifest(self) -> Manifest:
        """What there is to do; ManifestError names what is wrong with it."""
        return manifest.load(self.root / self._course / "tasks.toml")

    @cached_property
    def params(self) -> Params:
        """All of params.yaml; ManifestError names what is wrong with it."""
        return profiles.load(self.root / "params.yaml")

    @cached_property
    def profile(self) -> Profile:
        """How it is graded; UsageError if there is no such profile."""
        params = self.params
        return params.profile(self._profile or ("cpu" if data.available(self.root) else "offline"))

    @cached_property
    def engine(self) -> Engine:
        """Where submissions run; UsageError if it does not work here, or does not isolate and has to."""
        if self._scheduler is None:
            return sandbox.select(self._engine, own_code=self.own_code)
        from grader.cluster.engine import RemoteEngine, Turns, local_engine

        name, local = local_engine(self._engine, self.cluster)
        assert isinstance(self.slots, Turns)
        return RemoteEngine(self.cluster, name, local, turns=self.slots, here=self._own_slots, root=self.root)

    @cached_property
    def cluster(self) -> "Cluster":
        """The machines that probe and train; UsageError if they cannot be reached, or are of another kit.

        Only for a session with a scheduler; see `close`.
        """
        # Dask is imported for a cluster alone: it takes half a second.
        from grader.cluster import opening

        assert self._scheduler is not None
        folder = self._certificates or self.root / ".kit" / "cluster"
        cluster = opening.connect(self.root, self._scheduler, folder, self.profile, self.pin, say=self._say)
        return self._closing.enter_context(cluster)

    def close(self) -> None:
        """Leaves the cluster, if there is one."""
        self._closing.close()

    @cached_property
    def pin(self) -> str:
        """The digest of the data that the profile trains and scores on; DataError if they are not here."""
        if self.profile.data == "cifar-100" and not data.available(self.root):
            raise DataError(
                f"profile {self.profile.name} needs CIFAR-100, which is not here",
                fix="Run: nox -s data (or grade with --profile offline)",
            )
        if self.profile.data == "embedded":
            return _embedded_pin(self.root / ".kit" / "embedded-pin.json")
        return pin_of(self.profile.data)

    @property
    def executor(self) -> Executor:
        """Where trainings run, and what computes there; UsageError without the device or the image.

        Not needed where all networks are known. May be asked for from any thread.
        """
        with self._opening:
            if self._executor is None:
                self._executor = executors.choose(self.engine.name, self.profile.device, self.profile.backend)
            return self._executor

    @cached_property
    def thresholds(self) -> Thresholds:
        """What is asked of accuracies; ManifestError if nothing was measured or estimated."""
        return thresholds.load(self.reference)

    @cached_property
    def reference_runs(self) -> Runs | None:
        """The trainings of the solutions; None if there are none. ManifestError if they cannot be read."""
        return thresholds.find_runs(self.reference)

    @cached_property
    def known(self) -> KnownNetworks:
        """Which networks need no training; DataError, ManifestError as of `pin` and `reference_runs`."""
        return KnownNetworks.of(self.reference_runs, self.profile, self.pin)

    @property
    def backend(self) -> str:
        """What trainings compute with, here or on a cluster; UsageError as of `executor`.

        GraderFault: the cluster is gone. May be asked for from any thread.
        """
        if self._scheduler is None:
            return self.executor.backend
        device, library = self.profile.device, self.profile.backend
        return self.cluster.first(
            lambda machine: machine.backend.endswith(f" {device}") and f" {library} " in machine.backend,
            f"that trains with {library} on a {device.upper()}",
        ).backend

    @cached_property
    def slots(self) -> Slots:
        """The places that probes and trainings share."""
        if self._scheduler is None:
            return self._own_slots
        from grader.cluster.engine import Turns

        return Turns()

    @cached_property
    def _own_slots(self) -> Slots:
        """Those of this machine."""
        return Slots(self.workers)

    @property
    def places(self) -> int:
        """How many probes and trainings run at a time, all together."""
        return self.workers if self._scheduler is None else max(1, self.cluster.places)

    @property
    def at_a_time(self) -> int:
        """How many submissions are unpacked at a time."""
        return AT_A_TIME if self._scheduler is None else max(AT_A_TIME, min(32, self.cluster.places))

    @property
    def course(self) -> DataSet:
        """The course set that the profile trains on."""
        return synthetic.embedded_course() if self.profile.data == "embedded" else data.course(self.root)

    @cached_property
    def scratch(self) -> Path:
        """A folder for what is trained on and not kept, removed with this session."""
        kit = self.root / ".kit"
        try:
            kit.mkdir(exist_ok=True)
            self._scratch = scratch.Folder("prepared", kit)
        except OSError:  # a checkout that cannot be written to
            self._scratch = scratch.Folder("prepared")
        return Path(self._scratch.name)

    @cached_property
    def prepared_runs(self) -> PreparedRuns | None:
        """Trainings on what the solution's `prepare` hands over; None if there are none."""
        return thresholds.find_prepared(self.reference)

    @property
    def reference(self) -> Path:
        """reference/<profile>/."""
        return self.root / "reference" / self.profile.name

    @property
    def store(self) -> Path:
        """Where all trainings are kept."""
        return self.root / ".kit" / "trainings"

    @cached_property
    def probes(self) -> Probes:
        """Where probes are kept."""
        return Probes(self.root / ".kit" / "probes")

    def run(self, seed: int) -> Run:
        """What results have in common whose networks are trained; seed: of the probe inputs.

        What computes here is left open: nothing does, where all networks are known (grading/decide.py).
        """
        conditions = Conditions.of(self.profile, self.pin, self.thresholds.backend)
        because = provisional(self.profile, conditions, self.thresholds)
        if self.prepared_runs is not None:
            builder = self.profile.builders.get(to_train.REFERENCE, {})
            because = "; ".join(filter(None, (because, self.prepared_runs.stale(conditions, builder))))
        return Run(
            profile=self.profile.name,
            data="the embedded set" if self.profile.data == "embedded" else "CIFAR-100",
            data_pin=self.pin,
            provisional_because=because,
            engine=self.engine.name,
            seed=seed,
            versions=versions(),
        )

    def run_without_training(self, seed: int) -> Run:
        """The same where no network is trained."""
        return Run(
            profile=self.profile.name,
            data="none",
            data_pin="",
            provisional_because="nothing was trained",
            engine=self.engine.name,
            seed=seed,
            versions={},
        )

    def pool(self, listener: Listener) -> "LatePool":
        """Trains what this session asks for; to be used as a context. Nothing is opened before that."""

        def here() -> Pool:
            return Pool(self.executor, self.store, slots=self._own_slots, listener=listener)

        if self._scheduler is None:
            return LatePool(here)
        from grader.cluster.trainer import RemotePool

        return LatePool(lambda: RemotePool(self.cluster, self.store, listener=listener, here=here))

    def training(self, pool: Trainer, display: Display, *, retrain: bool = False) -> Training:
        """How networks are trained: as the profile says, each once; not what is known, nor what is stored.

        A training is given twice the time that the described network took: here at its slowest, or else in
        the reference runs. The described network itself has the profile's limit.

        Args:
            pool: trains them.
            display: is given their names, and what came close to its threshold.
            retrain: whether to train what is known all the same.
        """
        # Opened here, since jobs are made in many threads.
        profile, tasks, pin = self.profile, self.manifest, self.pin
        reference, known = _reference_seconds(self.reference_runs), self.known

        @cache
        def described(task: str, labels: LabelSet) -> Job:
            arguments = profile.builders.get(task, {})
            network = to_train.described_network(tasks.task(task), CLASSES[labels], arguments)
            return made(network=training_form(network, profile.budget).network, labels=labels)

        def made(network: Blueprint, labels: LabelSet) -> Job:
            return Job.of(network, labels, profile.grading_seed, profile, pin, self.backend)

        @cache
        def limit(task: str, labels: LabelSet) -> float:
            seeds = (profile.grading_seed, *profile.extra_seeds)
            jobs = [changed(described(task, labels), seed=seed) for seed in seeds]
            here = [result.spent for one in jobs if (result := store.find(one, self.store))]
            seconds = max(here, default=reference.get((task, labels), math.inf))
            return limit_seconds(seconds, profile.limit_seconds)

        given = cache(lambda: Given.of(self.course, profile.train, self.scratch))
        opening = threading.Lock()

        def once_given() -> Given:
            with opening:  # several submissions may ask for it at once
                return given()

        @cache
        def reference_network() -> Blueprint:
            network = to_train.reference_network(CLASSES["coarse"], profile.builders)
            return training_form(network, profile.budget).network

        def on_prepared(handed: Handed, owner: str) -> Job:
            job = Job.of(
                reference_network(),
                "coarse",
                profile.grading_seed,
                profile,
                pin,
                self.backend,
                prepared=handed.digest,
                arrays=handed.save(self.scratch),
            )
            display.name(job, f"{owner}: the reference network on what prepare handed over")
            return job

        def threshold(task: str, labels: LabelSet) -> Threshold:
            measured = self.prepared_runs if tasks.task(task).builder is None else None
            return measured.threshold if measured else self.thresholds.get(task, labels)

        def job(task: str, labels: LabelSet, network: Blueprint, owner: str) -> Job:
            limited = changed(made(network, labels), limit_seconds=limit(task, labels))
            display.name(limited, f"{owner}: {task}, {labels} labels")
            return limited

        def look_up(task: str, labels: LabelSet, network: Blueprint) -> Known | None:
            if found := known.find(task, labels, network):
                display.known(found.result.digest)
            return found

        def named(task: str, labels: LabelSet) -> Job:
            asked = described(task, labels)
            display.name(asked, f"the network that was asked for: {task}, {labels} labels")
            return asked

        return Training(
            trainer=pool,
            job=job,
            threshold=threshold,
            on_close=display.close,
            described=named,
            known=(lambda task, labels, network: None) if retrain else look_up,
            backend=self.thresholds.backend,
            given=once_given,
            on_prepared=on_prepared,
        )


class LatePool:
    """A pool that is opened when it is first asked for a training; to be used as a context.

    Where every network is known, nothing that trains is looked for: no backend, device or container image.

    Args:
        opened: gives the pool.
    """

    def __init__(self, opened: "Callable[[], Pool | RemotePool]") -> None:
        self._opened = opened
        self._opening = threading.Lock()
        self._pool: Pool | RemotePool | None = None
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._cleanup.__exit__(kind, error, tb)

    def submit(self, job: Job, *, alone: bool = False, afresh: bool = False) -> "Future[Outcome]":
        """See Pool.submit; UsageError without the device or the container image."""
        with self._opening:
            if self._pool is None:
                pool = self._opened()
                self._cleanup.enter_context(pool)
                self._pool = pool
        return self._pool.submit(job, alone=alone, afresh=afresh)


def is_own(root: Path, path: Path) -> bool:
    """Whether a path is this checkout's own assignment/ or solutions/, and not a link to elsewhere."""
    return path.resolve() in {(root / name).resolve() for name in ("assignment", "solutions")}


def in_words(engine: Engine) -> str:
    """Where code runs, for the first line of a command."""
    return f"in {engine.name}" if engine.isolates else "no sandbox"


def versions() -> dict[str, str]:
    """Of what the grader itself runs on; a training keeps its own."""
    return {"python": platform.python_version(), "keras": version("keras"), "numpy": version("numpy")}


def provisional(profile: Profile, conditions: Conditions, wanted: Thresholds) -> str:
    """Why marks are not final, in a sentence; empty if they are."""
    reasons = []
    if profile.data == "embedded":
        reasons.append("networks were trained on the embedded set of drawn images, not on CIFAR-100")
    if reservation := wanted.reservation():
        reasons.append(reservation)
    if stale := wanted.stale(conditions, profile.builders):
        reasons.append(stale)
    return "; ".join(reasons)


def _embedded_pin(kept: Path) -> str:
    """The pin of the embedded set, which is drawn for it only where something has changed since it was kept.

    What the images are follows from the code that draws them, from NumPy and from Python: these are compared.
    A training draws the images and compares the pin again (training/child.py).
    """
    code = hashlib.sha256(Path(synthetic.__file__).read_bytes()).hexdigest()
    drawn_by = {"code": code, "numpy": version("numpy"), "python": platform.python_version()}
    with suppress(OSError, ValueError):
        found = json.loads(kept.read_bytes())
        if (
            isinstance(found, dict)
            and found.get("drawn by") == drawn_by
            and isinstance(found.get("pin"), str)
        ):
            return str(found["pin"])
    pin = pin_of("embedded")
    with suppress(OSError):  # a checkout that cannot be written to
        write_atomically(kept, json.dumps({"drawn by": drawn_by, "pin": pin}, indent=1) + "\n")
    return pin


def _reference_seconds(runs: Runs | None) -> dict[tuple[str, LabelSet], float]:
    """What trainings of the solutions took on the reference's machine, the mean; empty without such runs."""
    groups = runs.groups() if runs else {}
    return {group: statistics.mean(run.result.spent for run in own) for group, own in groups.items() if own}
