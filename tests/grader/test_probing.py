"""Whatever a submission does once it runs is its own doing: tried again, never a fault, never without end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader import judging, manifest, probing
from grader.errors import SandboxFault
from grader.manifest import Task
from grader.probing import Probed, probe
from grader.record import Status
from grader.sandbox import Availability, End, Engine, Job, Limits, Outcome

ROOT = Path(__file__).parents[2]
STARTED = probing.STARTED
EVIDENCE = {
    "format": 1,
    "started": True,
    "finished": False,
    "running": None,
    "import": {"status": "ok", "exception": None},
    "calls": {},
}


@pytest.fixture(scope="module")
def task() -> Task:
    """The first task of the assignment: five functions, and no network."""
    return manifest.load(ROOT / "assignment" / "tasks.toml").task("preprocessing")


class Scripted:
    """An engine whose every run leaves what a test says."""

    name, isolates = "scripted", True

    def __init__(self, left: Callable[[int], dict[str, Any] | None], printed: str = STARTED) -> None:
        self.left, self.printed = left, printed
        self.jobs: list[Job] = []

    def availability(self) -> Availability:
        return Availability(True)

    def run(self, job: Job) -> Outcome:
        document = self.left(len(self.jobs))
        self.jobs.append(job)
        if document is not None:
            (job.output / "evidence.json").write_text(json.dumps(document))
        return Outcome(End.TIMEOUT, -9, job.limits.wall_seconds, None, self.printed)


def running(function: str) -> dict[str, Any]:
    """The evidence of a process that ended during a call of this function."""
    call = {
        "function": function,
        "arguments": "",
        "status": "running",
        "exception": None,
        "seconds": 0.0,
        "value": None,
        "inputs_after": None,
    }
    return {**EVIDENCE, "running": "now", "calls": {"now": call}}


def probed(engine: Engine, task: Task) -> Probed:
    return probe(engine, task, ROOT / "assignment", seed=1, recipe={}, limits=Limits(wall_seconds=10))


class TestNobodyCrashesIntoAFault:
    @pytest.mark.parametrize("left", [None, {**EVIDENCE, "started": False}])
    def test_evidence_that_is_gone_or_denies_the_start_is_the_submissions_doing(
        self, task: Task, left: dict[str, Any] | None
    ) -> None:
        """What was printed before the submission's first line says that it ran; all its checks fail."""
        came = probed(Scripted(lambda run: left), task)
        assert came.refused.startswith("evidence.json is gone (it had not ended after 10 s")
        case = judging.Case(
            task, came.evidence, judging.inputs(task, 1, {}), refused=came.refused, ended=came.ended
        )
        assert {verdict.status for verdict in judging.judge(case).values()} == {Status.FAILED}

    def test_a_probe_that_says_nothing_did_not_start(self, task: Task) -> None:
        """Nothing of the submission has run, twice: the machine is at fault."""
        with pytest.raises(SandboxFault, match="did not start in scripted"):
            probed(Scripted(lambda run: None, printed="bwrap: no"), task)

    @pytest.mark.parametrize("name", ["--evil", "-x", "", "--seed", "import", "evidence"])
    def test_a_function_that_is_none_is_not_handed_to_the_probe(self, task: Task, name: str) -> None:
        """Evidence may name any function as the one that ran; it does not become an option."""
        engine = Scripted(lambda run: running(name))
        came = probed(engine, task)
        assert set(came.ended) <= {"import"}
        assert all("--skip=" in job.arguments for job in engine.jobs)

    def test_a_function_that_ended_two_runs_is_left_out(self, task: Task) -> None:
        """As one word, so that nothing in it is an option of its own."""
        engine = Scripted(lambda run: running("one_hot") if run < 2 else {**EVIDENCE, "finished": True})
        came = probed(engine, task)
        assert came.ended == {"one_hot": "it had not ended after 10 s and was stopped"}
        assert engine.jobs[2].arguments[-1] == "--skip=one_hot"

    def test_probe_and_grader_mean_the_same_words(self) -> None:
        """The harness cannot import them from the grader."""
        assert f"STARTED = {STARTED.encode()!r}".replace("'", '"') in (
            ROOT / "grader" / "inside" / "harness.py"
        ).read_text(encoding="utf-8")


class TestItEnds:
    def test_another_cause_each_time(self, task: Task) -> None:
        """A submission that blames a function after the other does not get a run for each."""
        engine = Scripted(lambda run: running(task.functions[run % len(task.functions)]))
        probed(engine, task)
        assert len(engine.jobs) == probing.PATIENCE + 1
