"""Decisions on their own: no process runs here, and none is needed."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.config import manifest, profiles
from grader.config.profiles import LabelSet
from grader.errors import TrainerFault
from grader.grading import to_train
from grader.grading.decide import Outcomes, Rules, Undecided, decide, settle
from grader.grading.examine import Examined, ExaminedTask
from grader.grading.plan import Trainable, changed
from grader.results.record import WHOLE, CheckResult, Run, Status, SubmissionResult
from grader.results.verdict import Verdict
from grader.thresholds import Known, Threshold
from grader.training.job import Job, Overrun, Result, limit_seconds
from tests.grader.training import tiny

ROOT = Path(__file__).resolve().parents[3]
MANIFEST = manifest.load(ROOT / "assignment" / "tasks.toml")
TASK = MANIFEST.task("resnet")
PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")
FIRST, SECOND, THIRD = SEEDS = (PROFILE.grading_seed, *PROFILE.extra_seeds)
RUN = Run(profile="offline", data="", data_pin="", provisional_because="", engine="none", seed=1, versions={})
TRAINED: dict[LabelSet, str] = {check.train: check.id for check in TASK.checks if check.train}


def threshold(labels: LabelSet) -> Threshold:
    """0.50; close is within 0.02."""
    return Threshold.model_construct(
        task="resnet", labels=labels, threshold=0.5, chance=0.05, calibrated=True, sd=0.02, rate=0.001
    )


RULES = Rules(
    MANIFEST, RUN, {("resnet", labels): threshold(labels) for labels in TRAINED}, PROFILE.extra_seeds
)


def job_of(labels: LabelSet, width: int = 4, seed: int = FIRST) -> Job:
    network = to_train.described_network(
        TASK, profiles.CLASSES[labels], {"blocks": (1, 1, 1, 1), "width": width}
    )
    return Job.of(network, labels, seed, PROFILE, "pin", "keras cpu")


JOBS = {labels: job_of(labels) for labels in TRAINED}
ALL = {(labels, seed): changed(job, seed=seed) for labels, job in JOBS.items() for seed in SEEDS}
NETWORKS = {
    check: Trainable(job=JOBS[labels], blueprint="b", parameters=1) for labels, check in TRAINED.items()
}
PASSED = {check.id: Verdict.passed() for check in TASK.checks if not check.train}
ALICE = Examined(
    name="alice", tasks=(ExaminedTask(task="resnet", verdicts=PASSED, trainable=NETWORKS, seconds=2.0),)
)


def result(job: Job, accuracy: float = 0.9, cpu_seconds: float = 1.0, **changes: Any) -> Result:
    return tiny.result(job, accuracy=accuracy, cpu_seconds=cpu_seconds, **changes)


def learned(found: Undecided | SubmissionResult, labels: LabelSet = "coarse") -> CheckResult:
    assert isinstance(found, SubmissionResult)
    return next(check for check in found.tasks[0].checks if check.check == TRAINED[labels])


class TestWithoutNetworks:
    """Submissions that need no training."""

    def test_decided_at_once(self) -> None:
        """Of what is missing nothing is marked."""
        one = Examined(name="bob", tasks=(ExaminedTask(task="resnet", verdicts=PASSED, seconds=2.0),))
        found = decide(one, {}, RULES)
        assert isinstance(found, SubmissionResult)
        assert [check.check for check in found.tasks[0].checks] == [*PASSED, WHOLE]
        assert found.points == found.max_points == TASK.worth.structure
        assert found.seconds == 2.0

    def test_a_problem(self) -> None:
        found = decide(Examined(name="bob", problem="not a zip"), {}, RULES)
        assert isinstance(found, SubmissionResult)
        assert (found.problem, found.tasks) == ("not a zip", ())


class TestWanted:
    """What a submission waits for."""

    def test_first_each_network_once(self) -> None:
        found = decide(ALICE, {}, RULES)
        assert isinstance(found, Undecided)
        assert [(one.job.labels, one.job.seed, one.task) for one in found.wanted] == [
            ("coarse", FIRST, "resnet"),
            ("fine", FIRST, "resnet"),
        ]
        assert found.close == ()

    def test_then_what_follows_a_close_one_though_the_other_is_not_known(self) -> None:
        coarse = JOBS["coarse"]
        found = decide(ALICE, {coarse.digest: result(coarse, 0.51)}, RULES)
        assert isinstance(found, Undecided)
        assert {(one.job.labels, one.job.seed) for one in found.wanted} == {
            ("fine", FIRST),
            ("coarse", SECOND),
            ("coarse", THIRD),
        }
        assert found.close == ((coarse, (ALL["coarse", SECOND], ALL["coarse", THIRD])),)

    def test_nothing_follows_a_fault(self) -> None:
        outcomes: Outcomes = {job.digest: TrainerFault("ended by SIGKILL") for job in JOBS.values()}
        assert learned(decide(ALICE, outcomes, RULES)).status is Status.FAULT


def known(accuracy: float, **changes: Any) -> Examined:
    """Alice's, with a network on coarse labels that is known, and one on fine labels that is not."""
    run = result(JOBS["coarse"], accuracy, machine="AMD EPYC 9B14, 2 cores", backend="keras 9")
    coarse = Trainable(
        known=Known(task="resnet", result=run, n=20, mean=0.525), blueprint="b", parameters=1, **changes
    )
    networks = {TRAINED["coarse"]: coarse, TRAINED["fine"]: NETWORKS[TRAINED["fine"]]}
    (task,) = ALICE.tasks
    return ALICE.model_copy(update={"tasks": (task.model_copy(update={"trainable": networks}),)})


FINE = {JOBS["fine"].digest: result(JOBS["fine"], machine="this one, 2 cores")}


class TestStructure:
    """What is wrong with a network, beside what it learns: one cause, charged once."""

    WRONG: ClassVar = {**PASSED, "strides": Verdict.failed("x", rule="sizes")}

    def marked(self, accuracy: float) -> SubmissionResult:
        """Of a network whose strides are wrong, with this accuracy on either label set."""
        (task,) = ALICE.tasks
        wrong = ALICE.model_copy(update={"tasks": (task.model_copy(update={"verdicts": self.WRONG}),)})
        found = decide(wrong, {job.digest: result(job, accuracy) for job in JOBS.values()}, RULES)
        assert isinstance(found, SubmissionResult)
        return found

    def test_a_failed_check_does_not_stop_a_training(self) -> None:
        """It is earned by accuracy, whatever the structure has lost."""
        cost = MANIFEST.marking.cost("resnet", "sizes")
        assert learned(self.marked(0.9)).status is Status.PASSED
        assert self.marked(0.9).points == TASK.points - cost

    @pytest.mark.parametrize("accuracy", [0.05, 0.15, 0.3, 0.45, 0.47])
    def test_the_greater_of_the_two_is_charged(self, accuracy: float) -> None:
        found = self.marked(accuracy)
        cost = MANIFEST.marking.cost("resnet", "sizes")
        lost = sum(learned(found, labels).max_points - learned(found, labels).points for labels in TRAINED)
        # What a check is worth by itself, a failed one has lost in any case.
        assert found.points == TASK.points - max(cost, lost + MANIFEST.marking.each_check)

    def test_a_fault_is_no_mark(self) -> None:
        outcomes: Outcomes = {job.digest: TrainerFault("ended by SIGKILL") for job in JOBS.values()}
        found = decide(ALICE, outcomes, RULES)
        assert isinstance(found, SubmissionResult)
        assert not found.has_mark


class TestKnown:
    """A network that the reference pipeline has trained."""

    def test_waits_for_nothing(self) -> None:
        """What is not known is trained, and nothing else."""
        found = decide(known(0.9), {}, RULES)
        assert isinstance(found, Undecided)
        assert [one.job.labels for one in found.wanted] == ["fine"]

    def test_is_final(self) -> None:
        """However close to the threshold it lies, nothing follows."""
        check = learned(decide(known(0.5001), FINE, RULES))
        assert (check.status, check.points) == (Status.PASSED, check.max_points)
        assert check.data["decided_by"] == "a run of the reference network"
        assert len(check.data["trainings"]) == 1

    def test_says_which_it_was_and_where_it_ran(self) -> None:
        """In a line; and so does one that was trained here."""
        found = decide(known(0.6), FINE, RULES)
        check, other = learned(found), learned(found, "fine")
        assert check.message == (
            "The reference network; trained 20 times, 52.5% on average; run of seed 0: 60.0%, "
            "AMD EPYC 9B14, 2026-11-26. Full marks from 50.0%; chance is 5%."
        )
        assert (check.data["known"], check.data["machine"]) == (True, "AMD EPYC 9B14, 2 cores")
        assert other.message.endswith("Trained on this one, 2026-11-26.")
        assert (other.data["known"], other.data["when"]) == (False, "2026-11-26")

    def test_what_was_replaced(self) -> None:
        """All of it in the data, in short in the message, known or trained."""
        replaced = (
            {"rule": "kernel start", "kind": "decree", "nodes": 10, "says": "He."},
            {"rule": "bias before normalisation", "kind": "exact", "nodes": 3, "says": "None."},
        )
        said = "Trained with the course's own choice of: kernel start (10), bias before normalisation (3)."
        check = learned(decide(known(0.6, replaced=replaced), FINE, RULES))
        assert check.message.endswith(said)
        assert check.data["replaced"] == list(replaced)
        (task,) = ALICE.tasks
        networks = {
            name: one.model_copy(update={"replaced": replaced}) for name, one in task.trainable.items()
        }
        trained = ALICE.model_copy(update={"tasks": (task.model_copy(update={"trainable": networks}),)})
        outcomes = {job.digest: result(job) for job in JOBS.values()}
        assert learned(decide(trained, outcomes, RULES)).message.endswith(said)

    def test_what_lies_outside(self) -> None:
        """The layer that goes beyond what is open is named, where the network did not learn."""
        outside = ("Conv2D 'a' has an L2 of 0.01", "Dense 'b' has an L2 of 0.01")
        (task,) = ALICE.tasks
        networks = {name: one.model_copy(update={"outside": outside}) for name, one in task.trainable.items()}
        trained = ALICE.model_copy(update={"tasks": (task.model_copy(update={"trainable": networks}),)})
        outcomes = {JOBS["coarse"].digest: result(JOBS["coarse"], 0.2), **FINE}
        found = decide(trained, outcomes, RULES)
        assert learned(found).message.endswith(
            "Beyond what the brief leaves open: Conv2D 'a' has an L2 of 0.01 (and 1 more)."
        )
        assert "Beyond" not in learned(found, "fine").message

    def test_other_libraries_make_marks_provisional(self) -> None:
        """Where something was trained with others than the thresholds; what is known never does that."""
        rules = replace(RULES, backend="keras 9")
        found = decide(known(0.6), FINE, rules)
        assert isinstance(found, SubmissionResult)
        assert found.run.provisional_because == (
            f"thresholds were measured with keras 9, networks trained with {JOBS['fine'].conditions.backend}"
        )
        for same in (RULES, replace(RULES, backend=JOBS["fine"].conditions.backend)):
            found = decide(known(0.6), FINE, same)
            assert isinstance(found, SubmissionResult)
            assert not found.run.provisional

    def test_written_and_read(self) -> None:
        """It is data, as all that is examined."""
        assert Examined.model_validate_json(known(0.6).model_dump_json()) == known(0.6)


OUTCOMES = ("far above", "far below", "just above", "just below", "fault", "overran", "took too much memory")


def outcome(kind: str, job: Job) -> Result | TrainerFault:
    accuracies = {"far above": 0.8, "far below": 0.2, "just above": 0.51, "just below": 0.49}
    match kind:
        case "fault":
            return TrainerFault("a training was ended by SIGKILL")
        case "overran":
            return Overrun("time", 90.0, 30.0)
        case "took too much memory":
            return Overrun("memory", 2.0**31, 30.0)
    return result(job, accuracies[kind])


class TestOrder:
    """The order in which outcomes come to be known."""

    @given(
        kinds=st.fixed_dictionaries({key: st.sampled_from(OUTCOMES) for key in ALL}),
        order=st.permutations(list(ALL)),
    )
    def test_changes_nothing(
        self, kinds: dict[tuple[LabelSet, int], str], order: list[tuple[LabelSet, int]]
    ) -> None:
        """One by one, of what is wanted at the time, they come to what all of them at once come to."""
        everything = {job.digest: outcome(kinds[key], job) for key, job in ALL.items()}
        known: dict[str, Result | TrainerFault] = {}
        left = {ALL[key].digest: None for key in order}
        while isinstance(found := decide(ALICE, known, RULES), Undecided):
            wanted = {one.job.digest for one in found.wanted}
            assert wanted
            assert not wanted & known.keys()
            digest = next(digest for digest in left if digest in wanted)
            del left[digest]
            known[digest] = everything[digest]
        assert found == decide(ALICE, everything, RULES)
        assert found == decide(Examined.model_validate_json(ALICE.model_dump_json()), known, RULES)


class TestSettle:
    """Whose fault an overrun was; more, with all that leads to it, in test_run.py."""

    SUBMITTED, DESCRIBED = job_of("coarse", 4), job_of("coarse", 3)

    def settled(
        self,
        measured: Result | TrainerFault | None,
        again: Result | TrainerFault | None = None,
        *,
        given: float = 90.0,
        what: Literal["time", "memory"] = "time",
        described: Job = DESCRIBED,
        job: Job = SUBMITTED,
    ) -> Result | TrainerFault | Job:
        limited = changed(job, limit_seconds=given)
        return settle(limited, Overrun(what, given), described, measured, again)

    def test_the_described_network_is_measured_first(self) -> None:
        assert self.settled(None) is self.DESCRIBED

    def test_enough_time_was_given(self) -> None:
        """Then it is the network's fault, of the time that the described one takes."""
        found = self.settled(result(self.DESCRIBED, cpu_seconds=30.0))
        assert isinstance(found, Overrun)
        assert (found.what, found.given, found.described) == ("time", 90.0, 30.0)

    @pytest.mark.parametrize(("what", "given"), [("memory", 2.0**31), ("memory", 1.0)])
    def test_memory_is_not_given_again(self, what: Literal["memory"], given: float) -> None:
        found = self.settled(result(self.DESCRIBED, cpu_seconds=30.0), what=what, given=given)
        assert isinstance(found, Overrun)
        assert (found.what, found.described) == ("memory", 30.0)

    def test_too_little_time_was_given(self) -> None:
        """It is trained again with enough; what comes of that counts, and an overrun is its fault."""
        measured = result(self.DESCRIBED, cpu_seconds=100.0)
        again = self.settled(measured)
        assert isinstance(again, Job)
        assert (again.digest, again.limit_seconds) == (self.SUBMITTED.digest, limit_seconds(100.0))
        right = result(again)
        assert self.settled(measured, right) is right
        fault = TrainerFault("ended by SIGKILL")
        assert self.settled(measured, fault) is fault
        over = self.settled(measured, Overrun("memory", 1.0))
        assert isinstance(over, Overrun)
        assert (over.what, over.given, over.described) == ("memory", 1.0, 100.0)

    def test_the_described_network_under_another_seed(self) -> None:
        """A right network is trained again, with all the time it had, and cannot fail by an overrun."""
        other = changed(self.SUBMITTED, seed=SECOND)
        measured = result(self.SUBMITTED, cpu_seconds=10.0)
        again = self.settled(measured, described=self.SUBMITTED, job=other)
        assert isinstance(again, Job)
        assert (again.seed, again.limit_seconds) == (SECOND, 90.0)
        over = Overrun("time", 90.0)
        assert self.settled(measured, over, described=self.SUBMITTED, job=other) is over

    def test_the_described_network_itself(self) -> None:
        measured = result(self.SUBMITTED)
        assert self.settled(measured, described=self.SUBMITTED) is measured

    def test_the_machine_cannot_train_the_described_one_either(self) -> None:
        found = self.settled(Overrun("time", 900.0))
        assert isinstance(found, TrainerFault)
        assert not isinstance(found, Overrun)
        assert "and the same happened to the network that was asked for" in found.message
