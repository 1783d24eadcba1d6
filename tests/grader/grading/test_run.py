"""A grading run: each network trained once, further trainings where a result is close, no barrier.

Where the trainings alone matter the probe runs once, for real, and is replayed; the trainer is a table of
accuracies by seed, for no real one comes out close on demand.
"""

import gc
import json
import random
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from grader.blueprint import Blueprint
from grader.config import manifest, profiles
from grader.config.marking import rounded
from grader.config.profiles import LabelSet
from grader.errors import ManifestError, TrainerFault
from grader.exporters import gradescope, marks_csv, terminal
from grader.grading import launching, run, to_train
from grader.grading.examine import Examined, examine
from grader.grading.plan import Plan, Training, changed
from grader.intake import Source
from grader.results.record import CheckResult, Run, Status, SubmissionResult
from grader.sandbox import ENGINES, select
from grader.sandbox.base import Availability, End, Outcome, Program
from grader.slots import Slots
from grader.thresholds import Threshold
from grader.training.job import Job, Overrun, Result, limit_seconds
from tests.grader.training.tiny import result

ROOT = Path(__file__).resolve().parents[3]
PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")
FIRST, SECOND, THIRD = PROFILE.grading_seed, *PROFILE.extra_seeds
RUN = Run(
    profile="offline",
    data="the embedded set",
    data_pin="0" * 32,
    provisional_because="",
    engine="none",
    seed=1,
    versions={},
)
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
TASK = TASKS.task("resnet")
ONLY = TASKS.model_copy(update={"tasks": (TASK,)})
BUBBLEWRAP = ENGINES["bubblewrap"].availability()


class Replaying:
    """Runs the first probe, and gives what it wrote to every later one: same submission, same seed."""

    name, isolates = "replaying", False

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._outcome: Outcome | None = None

    def availability(self) -> Availability:
        return Availability(True)

    def run(self, program: Program) -> Outcome:
        if self._outcome is None:
            self._outcome = select("none", own_code=True).run(program)
            shutil.copytree(program.output, self._kept)
        else:
            shutil.copytree(self._kept, program.output, dirs_exist_ok=True)
        return self._outcome


class Trainer:
    """Accuracies from a table by label set and seed, at once, and a list of what was asked for.

    A negative accuracy is a training that passes its limit, and would take so many seconds.

    Args:
        accuracies: the table.
        afresh: what a training comes to that is asked for alone and afresh.
    """

    def __init__(
        self,
        accuracies: dict[tuple[LabelSet, int], float | None],
        afresh: Callable[[Job], Result | TrainerFault] | None = None,
    ) -> None:
        self._accuracies = accuracies
        self._afresh = afresh
        self.asked: list[tuple[LabelSet, int]] = []

    def submit(
        self, job: Job, *, alone: bool = False, afresh: bool = False
    ) -> "Future[Result | TrainerFault]":
        assert alone == afresh
        done: Future[Result | TrainerFault] = Future()
        if afresh:
            assert self._afresh
            done.set_result(self._afresh(job))
        else:
            self.asked.append((job.labels, job.seed))
            done.set_result(self.outcome(job))
        return done

    def outcome(self, job: Job) -> Result | TrainerFault:
        accuracy = self._accuracies[job.labels, job.seed]
        if accuracy is None:
            return TrainerFault("a training was ended by SIGKILL")
        if accuracy < 0:
            return Overrun("time", job.limit_seconds)
        return result(job, accuracy=accuracy, loss=2.0)


def threshold(labels: LabelSet, *, calibrated: bool = True) -> Threshold:
    """0.50 on coarse labels and 0.30 on fine ones; close is within 0.02."""
    wanted, chance = (0.5, 0.05) if labels == "coarse" else (0.3, 0.01)
    if not calibrated:
        return Threshold(task="resnet", labels=labels, threshold=wanted, chance=chance, source="a guess")
    return Threshold(
        task="resnet",
        labels=labels,
        threshold=wanted,
        chance=chance,
        calibrated=True,
        n=20,
        mean=wanted + 0.07336,
        sd=0.02,
        k=3.668,
        rate=0.001,
        blueprint="b",
    )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Replaying:
    """One probe of the solution for all tests."""
    return Replaying(tmp_path_factory.mktemp("probe") / "output")


class Graded:
    """What grading copies of the ResNet's solution came to."""

    def __init__(
        self,
        engine: Replaying,
        folder: Path,
        accuracies: dict[tuple[LabelSet, int], float | None],
        *,
        copies: int = 1,
        calibrated: bool = True,
        given: float = 100.0,
        described: Job | None = None,
        afresh: Callable[[Job], Result | TrainerFault] | None = None,
    ) -> None:
        sources = []
        for i in range(copies):
            (folder / f"alice{i}").mkdir(parents=True)
            shutil.copy(ROOT / "solutions" / "resnet.py", folder / f"alice{i}")
            sources.append(Source(f"alice{i}", folder / f"alice{i}"))
        self.trainer = Trainer({("coarse", FIRST): 0.9, ("fine", FIRST): 0.9, **accuracies}, afresh)
        self.close: list[tuple[Job, Sequence[Job]]] = []
        training = Training(
            job=lambda task, labels, network, owner: changed(
                Job.of(network, labels, FIRST, PROFILE, "pin", "a backend"), limit_seconds=given
            ),
            threshold=lambda task, labels: threshold(labels, calibrated=calibrated),
            trainer=self.trainer,
            on_close=self.close.extend,
            described=(lambda task, labels: described) if described else None,
        )
        plan = Plan(ONLY, PROFILE, engine, RUN, training, slots=Slots(1))
        self.results: list[SubmissionResult] = run.grade(sources, plan)

    def check(self, name: str = "learns.coarse") -> CheckResult:
        """One check of the first submission."""
        return next(check for check in self.results[0].tasks[0].checks if check.check == name)


class TestFar:
    """A first result that tells."""

    @pytest.mark.parametrize(("accuracy", "status"), [(0.53, Status.PASSED), (0.47, Status.FAILED)])
    def test_one_training_decides(
        self, engine: Replaying, tmp_path: Path, accuracy: float, status: Status
    ) -> None:
        """More than a standard deviation away no second round; the verdict has its grounds."""
        graded = Graded(engine, tmp_path, {("coarse", FIRST): accuracy})
        assert graded.trainer.asked == [("coarse", FIRST), ("fine", FIRST)]
        assert graded.close == []
        check = graded.check()
        assert check.status is status
        assert check.data["accuracies"] == [accuracy]
        assert check.data["decided_by"] == "one training"
        for part in (
            f"{accuracy:.1%}",
            "full marks from 50.0%",
            "1 of 1000 trainings (20",
            "Chance is 5%",
        ):
            assert part in check.message

    def test_copies_are_trained_once(self, engine: Replaying, tmp_path: Path) -> None:
        """A network that three students built is one training, or three if it is close."""
        close: dict[tuple[LabelSet, int], float | None] = {
            ("coarse", FIRST): 0.51,
            ("coarse", SECOND): 0.6,
            ("coarse", THIRD): 0.6,
        }
        graded = Graded(engine, tmp_path, close, copies=3)
        assert graded.trainer.asked == [
            *(("coarse", FIRST), ("fine", FIRST)),
            *(("coarse", SECOND), ("coarse", THIRD)),
        ]
        assert len({str(result.tasks[0].checks[-1].data) for result in graded.results}) == 1


class TestClose:
    """A first result within one standard deviation of the threshold."""

    @pytest.mark.parametrize(
        ("three", "decided"),
        [
            ((0.49, 0.58, 0.57), 0.57),  # unlucky at first
            ((0.51, 0.40, 0.45), 0.45),  # lucky at first
            ((0.49, 0.58, 0.40), 0.49),
            ((0.51, 0.58, 0.40), 0.51),
        ],
    )
    def test_median_decides_mark_and_ramp(
        self, engine: Replaying, tmp_path: Path, three: tuple[float, float, float], decided: float
    ) -> None:
        """The median passes, or earns its part of the points; all three are recorded and said."""
        accuracies = dict(zip((FIRST, SECOND, THIRD), three, strict=True))
        graded = Graded(engine, tmp_path, {("coarse", seed): a for seed, a in accuracies.items()})
        assert graded.trainer.asked[2:] == [("coarse", SECOND), ("coarse", THIRD)]
        check = graded.check()
        assert check.status is (Status.PASSED if decided >= 0.5 else Status.FAILED)
        earned = rounded(check.max_points * min(1, (decided - 0.05) / 0.45))
        # Whole or half points; all of them are for those that reach the threshold.
        assert check.points == min(earned, check.max_points - (0 if decided >= 0.5 else 0.5))
        assert check.data["accuracy"] == decided
        assert check.data["accuracies"] == list(three)
        assert check.data["seeds"] == [FIRST, SECOND, THIRD]
        assert len(set(check.data["trainings"])) == 3
        # What is recorded of one training is that of the one that decided.
        position = check.data["seeds"].index(check.data["seed"])
        assert check.data["training"] == check.data["trainings"][position]
        assert three[position] == decided
        said = "decided by the median of three trainings: " + ", ".join(f"{one:.2%}" for one in three)
        assert said in check.message
        assert f"Accuracy {decided:.2%} on hidden images; full marks from 50.00%" in check.message

    def test_told_before_the_second_round(self, engine: Replaying, tmp_path: Path) -> None:
        """Progress learns which training came close and which are to follow."""
        graded = Graded(
            engine,
            tmp_path,
            {("fine", FIRST): 0.29, ("fine", SECOND): 0.3, ("fine", THIRD): 0.3},
        )
        ((first, further),) = graded.close
        assert (first.labels, first.seed) == ("fine", FIRST)
        assert [job.seed for job in further] == [SECOND, THIRD]
        assert all(job.blueprint == first.blueprint for job in further)
        assert len({first.digest, *(job.digest for job in further)}) == 3

    def test_fault_of_the_machine_is_no_mark(self, engine: Replaying, tmp_path: Path) -> None:
        """If one of the further trainings could not be done, nothing is decided by the others."""
        accuracies: dict[tuple[LabelSet, int], float | None] = {
            ("coarse", FIRST): 0.51,
            ("coarse", SECOND): None,
            ("coarse", THIRD): 0.6,
        }
        graded = Graded(engine, tmp_path, accuracies)
        assert graded.check().status is Status.FAULT
        assert "SIGKILL" in graded.check().message
        assert not graded.results[0].graded

    def test_in_every_report(self, engine: Replaying, tmp_path: Path) -> None:
        """Terminal, Gradescope and CSV say that three trainings decided, and what they reached."""
        accuracies = {("coarse", FIRST): 0.49, ("coarse", SECOND): 0.58, ("coarse", THIRD): 0.57}
        (result,) = Graded(engine, tmp_path, accuracies).results  # type: ignore[arg-type]
        said = "median of three trainings: 49.00%, 58.00%, 57.00%"
        assert said in " ".join(terminal.as_text([terminal.submission(result)]).split())
        test = next(t for t in gradescope.results(result)["tests"] if "learns.coarse" in t["tags"])
        assert said in test["output"]
        assert test["extra_data"]["seeds"] == [FIRST, SECOND, THIRD]
        assert "close, decided by three trainings: resnet learns.coarse" in marks_csv.marks_csv([result])


def job_of(width: int) -> Job:
    """The training of a ResNet; the solution's is that of width 4."""
    return Job.of(network_of(width, "coarse"), "coarse", FIRST, PROFILE, "pin", "a backend")


def network_of(width: int, labels: LabelSet) -> Blueprint:
    """What the task would have asked for at that width."""
    arguments = {"blocks": (1, 1, 1, 1), "width": width}
    return to_train.described_network(TASK, profiles.CLASSES[labels], arguments)


class Alone:
    """Trains one at a time: a table of seconds of the processor by job, of what a training would take."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self.asked: list[tuple[str, float]] = []

    def __call__(self, job: Job) -> Result | TrainerFault:
        self.asked.append((job.digest, job.limit_seconds))
        takes = self._seconds[job.digest]
        if takes > job.limit_seconds:
            return Overrun("time", job.limit_seconds)
        result = Trainer({("coarse", FIRST): 0.9}).outcome(job)
        assert isinstance(result, Result)
        return result.model_copy(update={"cpu_seconds": takes, "backend": "keras cpu"})


class TestOverrun:
    """A training that passed its limit: the described network shows whose fault that is."""

    OVERRAN: ClassVar[dict[tuple[LabelSet, int], float | None]] = {("coarse", FIRST): -1.0}
    SUBMITTED, DESCRIBED = job_of(4), job_of(3)  # the submission's, and what the task would have asked for

    def graded(self, engine: Replaying, folder: Path, given: float, alone: Alone, **more: Any) -> Graded:
        described = more.pop("described", self.DESCRIBED)
        return Graded(engine, folder, self.OVERRAN, given=given, described=described, afresh=alone, **more)

    def test_given_twice_as_much(self, engine: Replaying, tmp_path: Path) -> None:
        """The network is at fault: no points, in words of its own, and the submission is graded."""
        alone = Alone({self.DESCRIBED.digest: 30.0})
        graded = self.graded(engine, tmp_path, 90.0, alone)
        check = graded.check()
        assert (check.status, check.points) == (Status.FAILED, 0)
        assert "Training took more than 90 s of processor time and was stopped" in check.message
        assert "takes 30 s here" in check.message
        assert graded.results[0].graded
        assert alone.asked == [(self.DESCRIBED.digest, PROFILE.limit_seconds)]

    def test_given_too_little(self, engine: Replaying, tmp_path: Path) -> None:
        """On a machine slower than thought it is trained again, with twice what the described one takes."""
        alone = Alone({self.DESCRIBED.digest: 100.0, self.SUBMITTED.digest: 150.0})
        graded = self.graded(engine, tmp_path, 90.0, alone)
        assert graded.check().status is Status.PASSED
        enough = limit_seconds(100.0)
        assert enough > 200
        assert alone.asked[1:] == [(self.SUBMITTED.digest, enough)]

    def test_too_slow_even_so(self, engine: Replaying, tmp_path: Path) -> None:
        alone = Alone({self.DESCRIBED.digest: 100.0, self.SUBMITTED.digest: 10_000.0})
        graded = self.graded(engine, tmp_path, 90.0, alone)
        assert graded.check().status is Status.FAILED
        assert f"more than {limit_seconds(100.0):.0f} s" in graded.check().message

    def test_the_described_network_is_too_slow_as_well(self, engine: Replaying, tmp_path: Path) -> None:
        """Then it is the machine, and nobody loses a mark by it."""
        alone = Alone({self.DESCRIBED.digest: PROFILE.limit_seconds + 1})
        graded = self.graded(engine, tmp_path, 90.0, alone)
        assert graded.check().status is Status.FAULT
        assert "and the same happened to the network that was asked for" in graded.check().message

    def test_the_described_network_itself(self, engine: Replaying, tmp_path: Path) -> None:
        """A right network cannot be failed by how long it takes."""
        alone = Alone({self.SUBMITTED.digest: 500.0})
        graded = self.graded(engine, tmp_path, 90.0, alone, described=self.SUBMITTED)
        assert graded.check().status is Status.PASSED
        assert len(alone.asked) == 1

    def test_measured_once_for_a_class(self, engine: Replaying, tmp_path: Path) -> None:
        """What overran is one network here, and the described one is trained once."""
        alone = Alone({self.DESCRIBED.digest: 30.0})
        graded = self.graded(engine, tmp_path, 90.0, alone, copies=3)
        trained = [
            check for one in graded.results for check in one.tasks[0].checks if check.check == "learns.coarse"
        ]
        assert [check.status for check in trained] == [Status.FAILED] * 3
        assert len(alone.asked) == 1

    def test_nobody_to_ask(self, engine: Replaying, tmp_path: Path) -> None:
        """Where the described network cannot be trained, an overrun is a fault of the machine."""
        assert Graded(engine, tmp_path, self.OVERRAN).check().status is Status.FAULT


class TestUncalibrated:
    """Thresholds that nobody measured."""

    def test_no_second_round(self, engine: Replaying, tmp_path: Path) -> None:
        """Without a standard deviation nothing is close; the check says that it is an estimate."""
        graded = Graded(engine, tmp_path, {("coarse", FIRST): 0.4999}, calibrated=False)
        assert len(graded.trainer.asked) == 2
        assert (
            "Accuracy 49.99% on hidden images; full marks from 50.00%. 50.00% is an estimate"
            in graded.check().message
        )
        assert graded.check().data["threshold_source"] == "a guess"


class TestNeverMeasured:
    """A check without a threshold."""

    def test_is_told_before_training(
        self, engine: Replaying, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An hour of training is not spent on what cannot be marked; nothing is even probed."""

        def missing(labels: LabelSet, **_: object) -> Threshold:
            raise ManifestError(f"there is no threshold for resnet on {labels} labels")

        monkeypatch.setitem(globals(), "threshold", missing)
        done: list[object] = []
        monkeypatch.setattr(Trainer, "submit", lambda self, job: done.append(job))
        monkeypatch.setattr(engine, "run", done.append)
        with pytest.raises(ManifestError, match="no threshold"):
            Graded(engine, tmp_path, {})
        assert done == []


class Crowded:
    """An engine whose runs run out of time by the clock wherever another runs beside them."""

    name, isolates = "crowded", True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._crowded: set[int] = set()
        self.runs = self.late = 0

    def availability(self) -> Availability:
        return Availability(True)

    def run(self, program: Program) -> Outcome:
        with self._lock:
            self.runs += 1
            mine = self.runs
            self._running.add(mine)
            if len(self._running) > 1:
                self._crowded |= self._running
        time.sleep(0.05)
        with self._lock:
            self._running.remove(mine)
            late = mine in self._crowded
            self.late += late
        document = {
            "format": 1,
            "started": True,
            "finished": not late,
            "running": "import" if late else None,
            "import": {"status": "running" if late else "missing file", "exception": None},
            "calls": {},
        }
        (program.output / "evidence.json").write_text(json.dumps(document))
        end = End.TIMEOUT if late else End.EXIT
        took = program.limits.wall_seconds if late else 1.0
        return Outcome(end, -9 if late else 0, took, None, launching.STARTED, 1.0)


class TestNeighbours:
    """A class whose submissions are probed side by side."""

    def test_what_a_neighbour_made_late_costs_nothing(self, tmp_path: Path) -> None:
        """Each probe that the clock stopped runs again while no other does, whoever's it is."""
        sources = []
        for name in ("alice", "bob"):
            (tmp_path / name).mkdir()
            for task in TASKS.tasks:
                (tmp_path / name / task.module).write_text("")
            sources.append(Source(name, tmp_path / name))
        crowded = Crowded()
        results = run.grade(sources, Plan(TASKS, PROFILE, crowded, RUN, None, slots=Slots(4)))
        assert crowded.late > 0
        assert crowded.runs == len(sources) * len(TASKS.tasks) + crowded.late
        statuses = {check.status for result in results for task in result.tasks for check in task.checks}
        assert statuses == {Status.NOT_ATTEMPTED}  # what the evidence of a run in time says


class TestExamined:
    """What is kept of a submission with networks until they are trained."""

    def test_is_the_same_after_it_was_written_and_read(self, engine: Replaying, tmp_path: Path) -> None:
        """Its trainings too, to the digest."""
        shutil.copy(ROOT / "solutions" / "resnet.py", tmp_path)
        training = Training(
            Trainer({}),
            lambda task, labels, network, owner: Job.of(network, labels, FIRST, PROFILE, "pin", "a backend"),
            lambda task, labels: threshold(labels),
        )
        with ThreadPoolExecutor(1) as pool:
            one = examine(Source("alice", tmp_path), Plan(ONLY, PROFILE, engine, RUN, training), pool)
        again = Examined.model_validate_json(one.model_dump_json())
        assert again == one
        before, after = one.tasks[0].trainable, again.tasks[0].trainable
        assert before.keys() == {check.id for check in TASK.checks if check.train}
        for check, trainable in before.items():
            assert after[check].job == trainable.job is not None


class ByHand:
    """A trainer whose trainings end when a test says so."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.open: dict[tuple[str, LabelSet, int], tuple[Job, Future[Result | TrainerFault]]] = {}
        self.ended = 0

    def submit(
        self, job: Job, *, alone: bool = False, afresh: bool = False
    ) -> "Future[Result | TrainerFault]":
        future: Future[Result | TrainerFault] = Future()
        with self._changed:
            self.open[str(len(job.blueprint["nodes"])), job.labels, job.seed] = job, future
            self._changed.notify_all()
        return future

    def wait_for(self, count: int) -> None:
        """Until so many trainings were asked for and have not ended."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.open) >= count, timeout=300)

    def end(self, key: tuple[str, LabelSet, int], accuracy: float) -> None:
        """Ends one, with this accuracy."""
        with self._changed:
            job, future = self.open.pop(key)
            self.ended += 1
        future.set_result(Trainer({(job.labels, job.seed): accuracy}).outcome(job))


@dataclass
class Story:
    """What happened in a class of three, in order.

    Attributes:
        decided: who was, and how many trainings had ended by then.
        second: the trainings that were open when the first second round had been asked for.
        results: of all.
    """

    decided: list[tuple[str, int]] = field(default_factory=list)
    second: list[tuple[str, LabelSet, int]] = field(default_factory=list)
    results: list[SubmissionResult] = field(default_factory=list)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """An AlexNet, a ResNet and a file without networks, really probed, with trainings that end by hand."""
    if not BUBBLEWRAP.usable:
        pytest.skip(f"no bubblewrap: {BUBBLEWRAP.reason}")
    folder = tmp_path_factory.mktemp("class")
    files = {
        "alice": "solutions/alexnet.py",
        "bob": "solutions/resnet.py",
        "carol": "tests/submissions/exits/preprocessing.py",
    }
    for name, file in files.items():
        (folder / name).mkdir()
        shutil.copy(ROOT / file, folder / name)
    trainer, story = ByHand(), Story()
    training = Training(
        trainer,
        lambda task, labels, network, owner: Job.of(network, labels, FIRST, PROFILE, "pin", "a backend"),
        lambda task, labels: threshold(labels),
    )
    plan = Plan(TASKS, PROFILE, select("bubblewrap", own_code=False), RUN, training)

    def on_decided(result: SubmissionResult) -> None:
        story.decided.append((result.name, trainer.ended))

    def decided(count: int) -> None:
        while len(story.decided) < count:
            assert not grading.done()
            time.sleep(0.01)

    with ThreadPoolExecutor(1) as thread:
        sources = [Source(name, folder / name) for name in files]
        grading = thread.submit(run.grade, sources, plan, on_decided)
        trainer.wait_for(4)
        decided(1)
        alexnet, resnet = sorted({key[0] for key in trainer.open}, key=int)
        trainer.end((alexnet, "coarse", FIRST), 0.51)
        trainer.wait_for(5)
        story.second = sorted(trainer.open)
        trainer.end((alexnet, "coarse", THIRD), 0.6)
        trainer.end((alexnet, "fine", FIRST), 0.9)
        trainer.end((alexnet, "coarse", SECOND), 0.6)
        decided(2)
        trainer.end((resnet, "fine", FIRST), 0.1)
        trainer.end((resnet, "coarse", FIRST), 0.9)
        story.results = grading.result(timeout=60)
    story.second = [({alexnet: "alexnet", resnet: "resnet"}[name], *rest) for name, *rest in story.second]
    return story


class TestNoBarrier:
    """A class in which each goes on as far as it can."""

    def test_who_needs_no_training_does_not_wait(self, story: Story) -> None:
        """Carol, handed in last, is decided before any training of the others has ended."""
        assert story.decided[0] == ("carol", 0)

    def test_a_second_round_starts_when_its_own_first_training_came_close(self, story: Story) -> None:
        """Neither the other network of the same submission nor those of others have ended."""
        assert story.second == [
            ("alexnet", "coarse", SECOND),
            ("alexnet", "coarse", THIRD),
            ("alexnet", "fine", FIRST),
            ("resnet", "coarse", FIRST),
            ("resnet", "fine", FIRST),
        ]

    def test_in_the_order_of_decision_and_at_last_in_that_of_the_class(self, story: Story) -> None:
        assert story.decided == [("carol", 0), ("alice", 4), ("bob", 6)]
        assert [result.name for result in story.results] == ["alice", "bob", "carol"]
        assert all(result.graded for result in story.results)


class AtRandom:
    """A trainer whose trainings end one after the other, any of those that are open.

    Args:
        seed: of which.
        outcomes: of trainings, and of those alone and afresh: by width, label set and seed.
    """

    def __init__(self, seed: int, outcomes: Callable[[Job, bool], Result | TrainerFault]) -> None:
        self._random = random.Random(seed)
        self._outcomes = outcomes
        self._open: list[tuple[Job, bool, Future[Result | TrainerFault]]] = []
        self._changed = threading.Condition()
        self._over = False
        self.order: list[tuple[str, int, bool]] = []

    def __enter__(self) -> "AtRandom":
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._thread.join()

    def submit(
        self, job: Job, *, alone: bool = False, afresh: bool = False
    ) -> "Future[Result | TrainerFault]":
        future: Future[Result | TrainerFault] = Future()
        with self._changed:
            self._open.append((job, alone, future))
            self._changed.notify_all()
        return future

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._open or self._over)
                if not self._open:
                    return
            time.sleep(0.005)  # for others to be asked for
            with self._changed:
                job, alone, future = self._open.pop(self._random.randrange(len(self._open)))
            self.order.append((job.digest, job.seed, alone))
            future.set_result(self._outcomes(job, alone))


WIDTHS = {"alice": 4, "bob": 4, "carol": 5, "dave": 6, "eve": 7}  # the described network is that of width 4
# Accuracies and seconds of the processor, of which 90 are given; no accuracy where the machine fails.
ENDS: dict[tuple[int, LabelSet, int], tuple[float | None, float]] = {
    (4, "coarse", FIRST): (0.8, 100.0),  # the described network overran: measured, and right
    (4, "fine", FIRST): (0.31, 60.0),  # close
    (4, "fine", SECOND): (0.8, 95.0),  # the described network under another seed, given too little
    (4, "fine", THIRD): (0.29, 1.0),
    (5, "coarse", FIRST): (0.8, 150.0),  # given too little
    (5, "fine", FIRST): (0.9, 1.0),
    (6, "coarse", FIRST): (0.8, 10_000.0),  # at fault
    (6, "fine", FIRST): (None, 0.0),
    (7, "coarse", FIRST): (0.49, 1.0),  # close
    (7, "coarse", SECOND): (None, 0.0),
    (7, "coarse", THIRD): (0.8, 10_000.0),
    (7, "fine", FIRST): (0.1, 1.0),
}


def graded_in_order(seed: int, engine: Replaying, folder: Path) -> tuple[list[Any], AtRandom]:
    """A class of five, without the time it took; and the order."""
    widths = {
        str(network_of(width, labels).canonical): (width, labels)
        for width in WIDTHS.values()
        for labels in profiles.CLASSES
    }

    def outcome(job: Job, alone: bool) -> Result | TrainerFault:
        accuracy, spent = ENDS[(*widths[str(job.blueprint)], job.seed)]
        if accuracy is None:
            return TrainerFault("a training was ended by SIGKILL")
        if spent > job.limit_seconds:
            return Overrun("time", job.limit_seconds)
        found = Trainer({(job.labels, job.seed): accuracy}).outcome(job)
        assert isinstance(found, Result)
        return found.model_copy(update={"cpu_seconds": spent})

    def job(_task: str, labels: LabelSet, _network: Blueprint, owner: str) -> Job:
        made = Job.of(network_of(WIDTHS[owner], labels), labels, FIRST, PROFILE, "pin", "a backend")
        return changed(made, limit_seconds=90.0)

    for name in WIDTHS:
        (folder / name).mkdir()
        shutil.copy(ROOT / "solutions" / "resnet.py", folder / name)
    with AtRandom(seed, outcome) as trainer:
        training = Training(
            trainer,
            job,
            lambda task, labels: threshold(labels),
            described=lambda task, labels: Job.of(
                network_of(4, labels), labels, FIRST, PROFILE, "pin", "a backend"
            ),
        )
        plan = Plan(ONLY, PROFILE, engine, RUN, training, slots=Slots(1))
        results = run.grade([Source(name, folder / name) for name in WIDTHS], plan)
    dumped = [result.model_dump(mode="json") for result in results]
    for one in dumped:
        del one["seconds"], one["tasks"][0]["seconds"]
    return dumped, trainer


@pytest.fixture(scope="module")
def first(engine: Replaying, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, AtRandom]:
    """One order, to compare others with."""
    return graded_in_order(0, engine, tmp_path_factory.mktemp("class"))


class TestOrder:
    """The order in which trainings end."""

    @pytest.mark.parametrize("seed", range(1, 7))
    def test_changes_nothing(
        self, seed: int, first: tuple[Any, AtRandom], engine: Replaying, tmp_path: Path
    ) -> None:
        """The same marks, messages and figures, and the same trainings, whichever ends first."""
        results, trainer = graded_in_order(seed, engine, tmp_path)
        assert results == first[0]
        assert trainer.order != first[1].order
        assert sorted(trainer.order) == sorted(first[1].order)

    def test_all_that_can_happen_happened(self, first: tuple[Any, AtRandom]) -> None:
        """Or the test above would say little."""
        found = {
            one["name"]: [c["status"] for c in one["tasks"][0]["checks"] if c["check"].startswith("learns")]
            for one in first[0]
        }
        assert found == {
            "alice": ["passed", "passed"],
            "bob": ["passed", "passed"],
            "carol": ["passed", "passed"],
            "dave": ["failed", "grader fault"],
            "eve": ["grader fault", "failed"],
        }
        described = network_of(4, "coarse")
        alone = [digest for digest, _, alone in first[1].order if alone]
        assert len(alone) == len(set(alone))
        assert Job.of(described, "coarse", FIRST, PROFILE, "pin", "a backend").digest in alone


class TestMemory:
    """Nothing is kept of whoever is decided, and little of whoever waits."""

    @pytest.fixture
    def sources(self, tmp_path: Path) -> list[Source]:
        for number in range(7):
            (tmp_path / f"alice{number}").mkdir()
            shutil.copy(ROOT / "solutions" / "resnet.py", tmp_path / f"alice{number}")
        return [Source(path.name, path) for path in sorted(tmp_path.iterdir())]

    def test_no_result_lives_on(self, engine: Replaying, sources: list[Source]) -> None:
        """When the last one is decided, all others are gone; `grade` keeps them for its caller."""
        seen: list[weakref.ref[SubmissionResult]] = []
        alive = []

        def on_decided(result: SubmissionResult) -> None:
            seen.append(weakref.ref(result))
            gc.collect()
            alive.append(sum(one() is not None for one in seen))

        plan = Plan(ONLY, PROFILE, engine, RUN, None, slots=Slots(1))
        run.grade_each(sources, plan, on_decided)
        assert alive == [1] * 7
        alive.clear()
        seen.clear()
        run.grade(sources, plan, on_decided)
        assert alive == list(range(1, 8))

    def test_no_more_are_examined_than_are_recorded(self, engine: Replaying, sources: list[Source]) -> None:
        """However long recording takes, few wait for it."""
        began: list[str] = []
        ahead = []

        def on_decided(result: SubmissionResult) -> None:
            time.sleep(0.05)
            ahead.append(len(began) - len(ahead) - 1)

        plan = Plan(ONLY, PROFILE, engine, RUN, None, slots=Slots(1), on_began=began.append)
        run.grade_each(sources, plan, on_decided)
        assert len(began) == 7
        assert max(ahead) <= run.AHEAD

    def test_who_waits_takes_little(self, engine: Replaying, sources: list[Source]) -> None:
        """All wait for the one training of a network that they have in common."""
        waiting: list[int] = []

        class Last(Trainer):
            """Ends trainings only when nobody is left to be examined."""

            def submit(
                self, job: Job, *, alone: bool = False, afresh: bool = False
            ) -> Future[Result | TrainerFault]:
                future: Future[Result | TrainerFault] = Future()

                def end() -> None:
                    while len(examined) < 7:
                        time.sleep(0.01)
                    gc.collect()
                    waiting.append(sum(isinstance(one, Examined) for one in gc.get_objects()))
                    super(Last, self).submit(job, alone=alone, afresh=afresh).add_done_callback(
                        lambda done: future.set_result(done.result())
                    )

                threading.Thread(target=end).start()
                return future

        examined: list[str] = []
        training = Training(
            Last({("coarse", FIRST): 0.9, ("fine", FIRST): 0.9}),
            lambda task, labels, network, owner: Job.of(network, labels, FIRST, PROFILE, "pin", "a backend"),
            lambda task, labels: threshold(labels),
        )
        plan = Plan(ONLY, PROFILE, engine, RUN, training, Slots(1), lambda name, task: examined.append(name))
        results = run.grade(sources, plan)
        assert all(result.graded for result in results)
        assert waiting
        assert max(waiting) <= run.AHEAD


class TestEnd:
    """A run that an error or Ctrl-C ends."""

    @pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
    def test_nobody_waits_for_a_place(self, error: BaseException, tmp_path: Path) -> None:
        """Not even where a training holds it and does not end; nothing is probed any more."""
        sources = []
        for name in ("alice", "bob", "carol"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "resnet.py").write_text("")
            sources.append(Source(name, tmp_path / name))
        (tmp_path / "zoe.zip").write_bytes(b"PK\x05\x06 not really")
        engine = Crowded()
        slots = Slots(2)

        def on_decided(result: SubmissionResult) -> None:
            assert result.problem
            raise error

        plan = Plan(ONLY, PROFILE, engine, RUN, None, slots)
        with slots.turn(), slots.turn(), pytest.raises(type(error)):
            run.grade([sources[0], Source("zoe", tmp_path / "zoe.zip"), *sources[1:]], plan, on_decided)
        assert engine.runs == 0
