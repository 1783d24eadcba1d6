"""Whatever a submission does once it runs is its own doing: tried again, never a fault, never without end."""

import json
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader import sandbox
from grader.config import manifest
from grader.config.manifest import Task
from grader.errors import SandboxFault
from grader.grading import judging, launching, probing
from grader.grading.probing import Probed, probe
from grader.results.record import Status
from grader.sandbox import Availability, End, Engine, Limits, Outcome, Program
from grader.slots import Slots

ROOT = Path(__file__).parents[3]
STARTED = launching.STARTED
EVIDENCE = {
    "format": 1,
    "started": True,
    "finished": False,
    "running": None,
    "import": {"status": "ok", "exception": None},
    "calls": {},
}
FINISHED = {**EVIDENCE, "finished": True}
CALL = {
    "function": "one_hot",
    "arguments": "",
    "status": "running",
    "exception": None,
    "seconds": 0.0,
    "value": None,
    "inputs_after": None,
}
TEN = Limits(wall_seconds=10, cpu_seconds=8)


@pytest.fixture(scope="module")
def task() -> Task:
    """The first task of the assignment: five functions, and no network."""
    return manifest.load(ROOT / "assignment" / "tasks.toml").task("preprocessing")


@pytest.fixture(autouse=True)
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its probe alone, for tests to change: without calls for a second process."""
    probes = tmp_path / "tasks" / "preprocessing" / "probe.py"
    probes.parent.mkdir(parents=True)
    source = (ROOT / "grader" / "tasks" / "preprocessing" / "probe.py").read_text(encoding="utf-8")
    probes.write_text(source.split("\ndef later(")[0], encoding="utf-8")
    monkeypatch.setattr(probing, "TASKS", tmp_path / "tasks")
    return probes


def left(document: dict[str, Any] | None, end: End = End.EXIT, **outcome: Any) -> tuple[Any, Outcome]:
    """What one run leaves behind: evidence, and how it ended; a second by the clock by default."""
    code = 0 if end is End.EXIT else -9
    ended = Outcome(end, code, 1.0, None, STARTED, cpu_seconds=0.25)
    return document, replace(ended, **outcome)


class Scripted:
    """An engine whose every run leaves what a test says."""

    name, isolates = "scripted", True

    def __init__(self, script: Callable[[int, Program], tuple[Any, Outcome] | SandboxFault]) -> None:
        self.script = script
        self.programs: list[Program] = []

    def availability(self) -> Availability:
        return Availability(True)

    def run(self, program: Program) -> Outcome:
        self.programs.append(program)
        left = self.script(len(self.programs) - 1, program)
        if isinstance(left, SandboxFault):
            raise left
        document, outcome = left
        if document is not None:
            (program.output / "evidence.json").write_text(json.dumps(document))
        return outcome


def running(function: str) -> dict[str, Any]:
    """The evidence of a process that ended during a call of this function."""
    return {**EVIDENCE, "running": "now", "calls": {"now": {**CALL, "function": function}}}


def returned(*names: str, **more: dict[str, Any]) -> dict[str, Any]:
    """Calls of these names that returned."""
    value = {"kind": "number", "value": 1, "type": "int"}
    return {name: {**CALL, "status": "returned", "value": value} for name in names} | more


def to_its_limit(document: dict[str, Any] | None) -> Callable[[int, Program], tuple[Any, Outcome]]:
    """Runs that sleep for as long as they may."""
    return lambda run, program: left(document, End.TIMEOUT, seconds=program.limits.wall_seconds)


def probed(engine: Engine, task: Task, limits: Limits = TEN, slots: Slots | None = None) -> Probed:
    return probe(engine, task, ROOT / "assignment", seed=1, builder_arguments={}, limits=limits, slots=slots)


class TestNobodyCrashesIntoAFault:
    @pytest.mark.parametrize("document", [None, {**EVIDENCE, "started": False}])
    def test_evidence_that_is_gone_or_denies_the_start_is_the_submissions_doing(
        self, task: Task, document: dict[str, Any] | None
    ) -> None:
        """What was printed before the submission's first line says that it ran; all its checks fail."""
        came = probed(Scripted(lambda run, program: left(document)), task)
        assert came.refused == "evidence.json is gone (it ended the whole Python process (exit code 0))"
        case = judging.Case(
            task, came.evidence, judging.inputs(task, 1, {}), refused=came.refused, ended=came.ended
        )
        assert {verdict.status for verdict in judging.judge(case).values()} == {Status.FAILED}

    def test_a_probe_that_says_nothing_did_not_start(self, task: Task) -> None:
        """Nothing of the submission has run, twice: the machine is at fault."""
        engine = Scripted(lambda run, program: left(None, printed="bwrap: no"))
        with pytest.raises(SandboxFault, match="did not start in scripted: bwrap: no"):
            probed(engine, task)
        assert len(engine.programs) == 2

    @pytest.mark.parametrize("name", ["--evil", "-x", "", "--seed", "import", "evidence"])
    def test_a_function_that_is_none_is_not_handed_to_the_probe(self, task: Task, name: str) -> None:
        """Evidence may name any function as the one that ran; it does not become an option."""
        engine = Scripted(lambda run, program: left(running(name)))
        came = probed(engine, task)
        assert set(came.ended) <= {"import"}
        assert all("--skip=" in program.arguments for program in engine.programs)

    def test_a_function_that_ended_two_runs_is_left_out(self, task: Task) -> None:
        """As one word, so that nothing in it is an option of its own."""
        engine = Scripted(lambda run, program: left(running("one_hot") if run < 2 else FINISHED))
        came = probed(engine, task)
        assert came.ended == {
            "one_hot": "twice, and each time it ended the whole Python process (exit code 0)"
        }
        assert engine.programs[2].arguments[-1] == "--skip=one_hot"

    def test_probe_and_grader_mean_the_same_words(self) -> None:
        """The harness cannot import them from the grader."""
        harness = (ROOT / "grader/sandbox/guest/harness.py").read_text(encoding="utf-8")
        assert f"STARTED = {STARTED.encode()!r}".replace("'", '"') in harness
        assert f"class {probing.BY_THE_CLOCK}(" in harness


class TestShare:
    """What all runs of one task of one submission may take together."""

    def test_too_little_left_to_start_is_no_fault(self, task: Task) -> None:
        """Runs that end just before the share does cannot choose that the last one does not start.

        Keras takes seconds to import before the probe has started.
        """

        def script(run: int, program: Program) -> tuple[Any, Outcome]:
            if run < 2:  # one function ends two runs, at what leaves a little
                return left(running("one_hot"), cpu_seconds=3.5)
            return left(None, End.CPU, printed="", cpu_seconds=program.limits.cpu_seconds)

        came = probed(Scripted(script), task)
        assert came.ended["one_hot"].startswith("twice")
        assert "8 s of processor time" in came.ended["share"]

    def test_a_machine_that_starts_nothing_is_a_fault(self, task: Task) -> None:
        """Where no run ever came as far as the submission, it is the machine's doing all the same."""
        with pytest.raises(SandboxFault):
            probed(Scripted(lambda run, program: left(None, End.CPU, printed="", cpu_seconds=1.0)), task)

    def test_five_tasks_cost_at_most_300_s_of_processor_time(self) -> None:
        """The numbers that docs/security.md states."""
        assert probing.LIMITS.cpu_seconds == 60
        assert probing.LIMITS.wall_seconds == 120
        assert probing.ALL_RUNS * probing.LIMITS.wall_seconds == 150
        assert probing.ALONE * probing.LIMITS.wall_seconds == 30

    def test_another_cause_each_time(self, task: Task) -> None:
        """A submission that blames a function after the other does not get more for it."""
        engine = Scripted(
            lambda run, program: left(running(task.functions[run % 5]), seconds=3.0, cpu_seconds=0.1)
        )
        came = probed(engine, task)
        assert [program.limits.wall_seconds for program in engine.programs] == [10, 9.5, 6.5, 3.5, 0.5]
        assert came.seconds == 15.0  # the last, which had half a second, did not keep to it
        assert "the 12.5 s that all calls of preprocessing.py have together" in came.ended["share"]

    def test_processor_time_is_for_all_runs_together(self, task: Task) -> None:
        """Each run has what those before have left."""
        engine = Scripted(lambda run, program: left(running(task.functions[run % 5]), cpu_seconds=3.0))
        came = probed(engine, task)
        assert [program.limits.cpu_seconds for program in engine.programs] == [8, 5, 2]
        assert came.cpu_seconds == 9
        assert "the 8 s of processor time that all calls" in came.ended["share"]

    def test_where_processor_time_is_not_known_the_clock_counts(self, task: Task) -> None:
        """An engine that cannot tell."""
        engine = Scripted(
            lambda run, program: left(running(task.functions[run]), seconds=3.0, cpu_seconds=None)
        )
        probed(engine, task)
        assert [program.limits.cpu_seconds for program in engine.programs] == [8, 5, 2]

    def test_a_sleeper_costs_what_is_stated(self, task: Task) -> None:
        """Each run lasts as long as it may: a run, and a quarter of one alone."""
        engine = Scripted(to_its_limit(running("one_hot")))
        came = probed(engine, task)
        assert [program.limits.wall_seconds for program in engine.programs] == [10, 2.5]
        assert came.seconds == 12.5
        assert came.ended["one_hot"] == (
            "twice: it was stopped after 10 s, and then it was stopped after 2.5 s"
        )

    def test_a_run_that_computed_for_too_long_is_not_repeated(self, task: Task) -> None:
        """Neighbours have no part in processor time."""
        engine = Scripted(lambda run, program: left(running("one_hot"), End.CPU, cpu_seconds=8.0))
        came = probed(engine, task)
        assert len(engine.programs) == 1
        assert came.ended["one_hot"] == ("once, and it was stopped after 8 s of processor time")

    def test_what_was_not_called_is_said_in_plain_words(self, task: Task) -> None:
        """The message of a check whose function had no time left."""
        calls = {"split": {**CALL, "function": "split_indices"}}
        document = {**EVIDENCE, "running": "split", "calls": calls}
        came = probed(Scripted(lambda run, program: left(document, End.CPU, cpu_seconds=8.0)), task)
        case = judging.Case(task, came.evidence, judging.inputs(task, 1, {}), came.ended)
        verdicts = judging.judge(case)
        assert verdicts["split.form"].message == (
            "split_indices was called once, and it was stopped after 8 s of processor time."
        )
        assert verdicts["statistics.form"].message == (
            "There is no result of the call 'statistics': the 8 s of processor time that all calls of "
            "preprocessing.py have together were used up before it."
        )

    def test_a_function_that_the_system_ended_for_its_time_is_left_out_at_once(self, task: Task) -> None:
        """It computed in C, where the harness cannot interrupt it."""
        xcpu = Outcome(End.SIGNAL, -launching._SIGXCPU, 2.0, None, STARTED, cpu_seconds=2.0)
        engine = Scripted(lambda run, program: (running("one_hot"), xcpu) if run == 0 else left(FINISHED))
        came = probed(engine, task)
        assert engine.programs[1].arguments[-1] == "--skip=one_hot"
        assert set(came.ended) == {"one_hot"}

    def test_the_run_that_came_furthest_counts(self, task: Task) -> None:
        """The last, for which little time was left, may have come less far."""
        far = {**EVIDENCE, "running": "c", "calls": returned("a", "b", c={**CALL, "function": "prepare"})}
        engine = Scripted(
            lambda run, program: left(
                running("one_hot") if run else far, End.TIMEOUT, seconds=program.limits.wall_seconds
            )
        )
        came = probed(engine, task)
        assert set(came.evidence.calls) == {"a", "b", "c"}
        assert came.ended["prepare"].startswith("once, and it was stopped after 10 s")

    def test_calls_have_a_part_of_the_tasks_limits(self, task: Task) -> None:
        """15 s and 40 s of 60 s and 120 s, and in proportion."""
        engine = Scripted(lambda run, program: left(FINISHED))
        probed(engine, task, probing.LIMITS)
        probed(engine, task)
        assert {"--seconds=15", "--clock=40"} <= {*engine.programs[0].arguments}
        assert {"--seconds=2", "--clock=3.33333"} <= {*engine.programs[1].arguments}


class TestAgainAlone:
    """What other programs have a part in is tried again while nothing else runs."""

    @pytest.mark.parametrize("fault", [SandboxFault("no room"), left(None, printed="")])
    def test_what_did_not_start_beside_others_starts_alone(
        self, task: Task, fault: SandboxFault | tuple[Any, Outcome]
    ) -> None:
        """No fault of the machine before that."""
        slots = Recorded()
        came = probed(Scripted(lambda run, program: left(FINISHED) if run else fault), task, slots=slots)
        assert came.evidence.finished
        assert slots.taken == [False, True]

    def test_a_start_that_fails_alone_is_the_machines_fault(self, task: Task) -> None:
        with pytest.raises(SandboxFault, match="no room"):
            probed(Scripted(lambda run, program: SandboxFault("no room")), task)

    def test_a_time_out_by_the_clock_costs_nothing_if_it_is_none_alone(self, task: Task) -> None:
        slow = left(running("one_hot"), End.TIMEOUT, seconds=10.0)
        slots = Recorded()
        came = probed(Scripted(lambda run, program: left(FINISHED) if run else slow), task, slots=slots)
        assert slots.taken == [False, True]
        assert came.evidence.finished
        assert came.ended == {}

    @pytest.mark.parametrize(("kind", "runs"), [("ClockTimeIsUp", 2), ("ProcessorTimeIsUp", 1)])
    def test_so_is_a_call_that_was_stopped_by_the_clock(self, task: Task, kind: str, runs: int) -> None:
        exception = {"type": kind, "message": "40 s", "file": None, "line": None}
        stopped = {**FINISHED, "calls": {"a": {**CALL, "status": "timed out", "exception": exception}}}
        slots = Recorded()
        engine = Scripted(lambda run, program: left({**FINISHED, "calls": returned("a")} if run else stopped))
        came = probed(engine, task, slots=slots)
        assert slots.taken == [False, True][:runs]
        assert came.evidence.calls["a"].status == ("returned" if runs == 2 else "timed out")

    def test_a_run_alone_that_comes_less_far_changes_nothing(self, task: Task) -> None:
        exception = {"type": "ClockTimeIsUp", "message": "40 s", "file": None, "line": None}
        stopped = {**CALL, "status": "timed out", "exception": exception}
        first = {**FINISHED, "calls": returned("a", b=stopped)}
        engine = Scripted(lambda run, program: left(running("one_hot") if run else first, End.TIMEOUT))
        came = probed(engine, task)
        assert came.evidence.calls["a"].status == "returned"
        assert came.evidence.finished


class Recorded(Slots):
    """Places that remember how they were taken."""

    def __init__(self) -> None:
        super().__init__(2)
        self.taken: list[bool] = []

    def turn(self, *, alone: bool) -> Any:
        self.taken.append(alone)
        return super().turn(alone=alone)


LATER = """

def later(calls, inputs):
    calls.call("later.split", "split_indices", inputs["num_examples"],
               test_fraction=inputs["test_fraction"], seed=inputs["seed"])
"""


class TestSecondProcess:
    """A task whose probe has calls for `later`."""

    @pytest.fixture(autouse=True)
    def later(self, tasks: Path) -> None:
        tasks.write_text(tasks.read_text(encoding="utf-8") + LATER, encoding="utf-8")

    def test_its_calls_are_added_and_it_counts(self, task: Task) -> None:
        """After the first process has ended, in the same share; other names of its are left behind."""
        documents = [
            {**FINISHED, "calls": returned("split")},
            {**FINISHED, "calls": returned("later.split", "split", "prepare")},
        ]
        engine = Scripted(lambda run, program: left(documents[run], cpu_seconds=3.0))
        came = probed(engine, task)
        assert set(came.evidence.calls) == {"split", "later.split"}
        assert "--later" not in engine.programs[0].arguments
        assert "--later" in engine.programs[1].arguments
        assert engine.programs[1].limits.cpu_seconds == 5
        assert came.ended == {}

    def test_the_first_process_cannot_speak_for_it(self, task: Task) -> None:
        """Names that begin with "later." are the second one's."""
        forged = {**FINISHED, "calls": returned("split", "later.split")}
        engine = Scripted(lambda run, program: left(running("one_hot") if run else forged))
        came = probed(engine, task)
        assert set(came.evidence.calls) == {"split"}

    @pytest.mark.parametrize(
        ("second", "said"),
        [
            (left(running("split_indices"), End.SIGNAL), "it was ended by signal 9"),
            (left(None), "what it left behind cannot be used: evidence.json is gone"),
            (
                left({**FINISHED, "import": {"status": "raised", "exception": None}}),
                "importing preprocessing.py raised",
            ),
        ],
    )
    def test_where_it_dies_its_calls_are_missing(
        self, task: Task, second: tuple[Any, Outcome], said: str
    ) -> None:
        """What the first one showed stays."""
        first = left({**FINISHED, "calls": returned("split")})
        came = probed(Scripted(lambda run, program: second if run else first), task)
        assert set(came.evidence.calls) == {"split"}
        assert came.ended["later"].startswith(said)

    def test_a_time_out_is_tried_again_alone(self, task: Task) -> None:
        slots = Recorded()
        runs = [
            left({**FINISHED, "calls": returned("split")}),
            left(running("split_indices"), End.TIMEOUT),
            left({**FINISHED, "calls": returned("later.split")}),
        ]
        came = probed(Scripted(lambda run, program: runs[run]), task, slots=slots)
        assert "later.split" in came.evidence.calls
        assert slots.taken == [False, False, True]

    def test_what_did_not_return_is_not_waited_for_again(self, task: Task) -> None:
        slow = {**CALL, "function": "split_indices", "status": "timed out"}
        first = {**FINISHED, "calls": returned("a", split=slow)}
        engine = Scripted(lambda run, program: left(FINISHED if run else first))
        probed(engine, task)
        assert engine.programs[1].arguments[-1] == "--skip=split_indices"

    @pytest.mark.parametrize(
        "first",
        [FINISHED, {**FINISHED, "import": {"status": "raised", "exception": None}, "calls": returned("a")}],
    )
    def test_there_is_none_where_nothing_returned(self, task: Task, first: dict[str, Any]) -> None:
        engine = Scripted(lambda run, program: left(first))
        assert probed(engine, task).ended == {}
        assert len(engine.programs) == 1


class Counting:
    """The engine without isolation, which says how much processor time its children took."""

    name, isolates = "none", False

    def availability(self) -> Availability:
        return Availability(True)

    def run(self, program: Program) -> Outcome:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        outcome = sandbox.select("none", own_code=True).run(program)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return replace(
            outcome, cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        )


# Orders of a split, each the same twice within a process, and whether the seed alone decides them.
ORDERS = {
    "of(seed)": True,
    "np.random.RandomState(seed * 31).permutation(100)": True,
    "sorted(range(100), key=lambda n: (n * 7919 + seed) % 101)": True,
    "remembered()": False,
    "of(int(time.time()) // 86400)": False,
    "of(time.localtime().tm_year)": False,
    "of(int(time.strftime('%M')))": False,
    "of(time.monotonic_ns() // (3600 * 10**9))": False,
    "of(int(time.perf_counter()) // 3600)": False,
    "of(int(time.clock_gettime(time.CLOCK_REALTIME)) // 86400)": False,
    "of(datetime.date.today().toordinal())": False,
    "of(datetime.datetime.now().hour)": False,
    "of(datetime.datetime.now(datetime.UTC).month)": False,
    "of(datetime.datetime.today().day)": False,
    "of(abs(hash('x')))": False,
    "of(os.getpid())": False,
}
SPLITS = """
import datetime, functools, os, time
import numpy as np

@functools.cache
def remembered():
    return np.random.default_rng(int.from_bytes(os.urandom(8), "little")).permutation(100)

def of(number):
    return np.random.default_rng(number).permutation(100)

def split_indices(number, seed):
    return ORDERS[number](seed)

"""
PROBE = """
def draw(seed):
    return {}

def probe(calls, inputs):
    for number in range(COUNT):
        for name in (f"{number}", f"{number}.again"):
            calls.call(name, "split_indices", number, 7)

def later(calls, inputs):
    for number in range(COUNT):
        calls.call(f"later.{number}", "split_indices", number, 7)
"""


class TestForReal:
    """In a process of its own, through the harness."""

    @pytest.fixture(autouse=True)
    def later(self, tasks: Path) -> None:
        tasks.write_text(tasks.read_text(encoding="utf-8") + LATER, encoding="utf-8")

    def probe(self, task: Task, folder: Path, source: str, limits: Limits = probing.LIMITS) -> Probed:
        (folder / "work").mkdir()
        (folder / "work" / "preprocessing.py").write_text(source, encoding="utf-8")
        return probe(Counting(), task, folder / "work", seed=1, builder_arguments={}, limits=limits)

    def test_a_split_that_is_not_the_seeds_is_another_one_in_a_second_process(
        self, task: Task, tasks: Path, tmp_path: Path
    ) -> None:
        """The first process alone cannot tell."""
        tasks.write_text(PROBE.replace("COUNT", str(len(ORDERS))), encoding="utf-8")
        lines = "".join(f"    lambda seed: {order},\n" for order in ORDERS)
        calls = self.probe(task, tmp_path, f"{SPLITS}ORDERS = [\n{lines}]\n").evidence.calls
        for number, (order, same) in enumerate(ORDERS.items()):
            first, again, later = (
                calls[name].value for name in (f"{number}", f"{number}.again", f"later.{number}")
            )
            assert np.array_equal(first, again), order
            assert np.array_equal(first, later) is same, order

    def test_a_moved_date_is_still_a_date(self, task: Task, tasks: Path, tmp_path: Path) -> None:
        """What uses dates for something else works in both processes."""
        source = """
import datetime, time
from datetime import date
def split_indices(number, seed):
    now = datetime.datetime.now()
    assert isinstance(datetime.datetime(2020, 1, 1), date) and issubclass(datetime.datetime, date)
    assert isinstance(date.today() - date(2020, 1, 1), datetime.timedelta)
    assert abs(now.timestamp() - time.time()) < 60 and time.localtime().tm_year == now.year
    return time.strftime("%Y", time.gmtime(0))
"""
        tasks.write_text(PROBE.replace("COUNT", "1"), encoding="utf-8")
        calls = self.probe(task, tmp_path, source).evidence.calls
        assert {call.value for call in calls.values()} == {"1970"}
        assert "later.0" in calls

    @pytest.mark.slow
    def test_two_endless_loops_leave_time_for_the_others(self, task: Task, tmp_path: Path) -> None:
        """The other three functions of preprocessing keep their marks; with a tenth of a class's limits."""
        source = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
        endless = "".join(
            f"def {f}(*_):\n    while True:\n        pass\n" for f in ("standardise", "one_hot")
        )
        came = self.probe(task, tmp_path, source + endless, Limits(cpu_seconds=6, wall_seconds=60))
        case = judging.Case(task, came.evidence, judging.inputs(task, 1, {}), came.ended)
        verdicts = judging.judge(case)
        passed = {check for check, verdict in verdicts.items() if verdict.status is Status.PASSED}
        assert passed >= {"split.complete", "split.seeded", "statistics.values"}
        assert "did not return and was stopped after 1.5 s of processor time (preprocessing.py, line " in (
            verdicts["one_hot.form"].message
        )
        assert came.evidence.finished

    @pytest.mark.slow
    def test_so_does_one_in_c(self, task: Task, tmp_path: Path) -> None:
        """Python's handlers do not run there: the system ends the process, and the next run leaves it out."""
        source = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
        endless = "def channel_statistics(*_):\n    return sum(__import__('itertools').repeat(0))\n"
        endless += "def prepare(*_, **__):\n    pass\n"  # it would be the next to call it
        came = self.probe(task, tmp_path, source + endless, Limits(cpu_seconds=6, wall_seconds=60))
        assert came.evidence.finished
        assert came.ended == {
            "channel_statistics": "once, and it went on computing after its time was up and was stopped"
        }
        assert came.evidence.calls["one_hot.int64"].status == "returned"
