"""What was examined is data: frozen, and the same after it was written and read."""

import json
import shutil
import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grader.config import manifest, profiles
from grader.config.manifest import Manifest
from grader.errors import SandboxFault
from grader.grading import launching, to_train
from grader.grading.examine import Examined, ExaminedTask, Trainable, examine
from grader.grading.plan import Plan, Training
from grader.intake import Source
from grader.results.record import Drawing, DrawnRow, Run, Status
from grader.results.verdict import Verdict
from grader.sandbox import Availability, End, Outcome, Program, select
from grader.thresholds import Threshold
from grader.training.job import Job

ROOT = Path(__file__).resolve().parents[3]
TASKS = manifest.load(ROOT / "assignment" / "tasks.toml")
PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")
RUN = Run(profile="offline", data="", data_pin="", provisional_because="", engine="none", seed=1, versions={})
NETWORK = to_train.described_network(TASKS.task("alexnet"), 20, PROFILE.builders["alexnet"])
JOB = Job.of(NETWORK, "coarse", PROFILE.grading_seed, PROFILE, "pin", "keras")


class Untrained:
    """A trainer that is not asked."""

    def submit(self, job: Job, *, alone: bool = False, afresh: bool = False) -> Any:
        raise AssertionError


def plan(tasks: Manifest, engine: Any) -> Plan:
    """A run that trains, as far as it goes before that."""

    def threshold(task: str, labels: str) -> Threshold:
        raise AssertionError

    training = Training(
        Untrained(),
        lambda task, labels, network, owner: Job.of(network, labels, 1, PROFILE, "pin", "keras"),
        threshold,
    )
    return Plan(tasks, PROFILE, engine, RUN, training)


def only(*names: str) -> Manifest:
    return TASKS.model_copy(update={"tasks": tuple(task for task in TASKS.tasks if task.id in names)})


def examined(folder: Path, tasks: Manifest, engine: Any) -> Examined:
    with ThreadPoolExecutor(2) as pool:
        return examine(Source("alice", folder), plan(tasks, engine), pool)


def again(one: Examined) -> Examined:
    """Written and read."""
    return Examined.model_validate_json(one.model_dump_json())


class TestReal:
    """Submissions that were probed and judged."""

    def test_right_wrong_and_missing(self, tmp_path: Path) -> None:
        """Checks that pass and that fail, with all that is shown of them, a note and a file that is missing.

        One with networks is in test_run.py.
        """
        shutil.copy(ROOT / "tests" / "submissions" / "wrong_type" / "preprocessing.py", tmp_path)
        (tmp_path / "link").symlink_to("/")
        one = examined(tmp_path, only("preprocessing", "alexnet"), select("none", own_code=True))
        wrong, missing = one.tasks
        assert {verdict.status for verdict in wrong.verdicts.values()} >= {Status.PASSED, Status.FAILED}
        assert {verdict.status for verdict in missing.verdicts.values()} == {Status.NOT_ATTEMPTED}
        assert one.notes
        assert again(one) == one

    def test_what_cannot_be_taken_in(self, tmp_path: Path) -> None:
        """The problem, and no tasks."""
        (tmp_path / "bob.zip").write_bytes(b"PK\x05\x06 not really")
        one = examined(tmp_path / "bob.zip", TASKS, select("none", own_code=True))
        assert "zip" in one.problem
        assert one.tasks == ()
        assert again(one) == one


class Scripted:
    """An engine that does what a test says."""

    name, isolates = "scripted", True

    def __init__(self, script: Callable[[Program], Outcome]) -> None:
        self.run = script

    def availability(self) -> Availability:
        return Availability(True)


class TestFaults:
    """What goes wrong with the machine."""

    def test_one_task_leaves_the_others_alone(self, tmp_path: Path) -> None:
        """Its own checks end in a fault, and no training is wanted for them."""
        for module in ("preprocessing.py", "evaluation.py"):
            (tmp_path / module).write_text("")

        def run(program: Program) -> Outcome:
            if "evaluation.py" in program.arguments:
                raise SandboxFault("no room")
            document = {
                "format": 1,
                "started": True,
                "finished": True,
                "running": None,
                "import": {"status": "ok", "exception": None},
                "calls": {},
            }
            (program.output / "evidence.json").write_text(json.dumps(document))
            return Outcome(End.EXIT, 0, 1.0, None, launching.STARTED, 1.0)

        one = examined(tmp_path, only("preprocessing", "evaluation"), Scripted(run))
        statuses = [{verdict.status for verdict in task.verdicts.values()} for task in one.tasks]
        assert Status.FAULT not in statuses[0]
        assert statuses[1] == {Status.FAULT}
        assert again(one) == one


texts = st.text(max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
figures = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
drawings = st.builds(
    Drawing,
    title=texts,
    rows=st.lists(st.builds(DrawnRow, found=texts, wanted=texts, differs=st.booleans()), max_size=3),
    cut=st.tuples(st.booleans(), st.booleans()),
)
verdicts = st.builds(
    Verdict,
    status=st.sampled_from(Status),
    message=texts,
    hint=st.none() | texts,
    fraction=st.floats(0, 1),
    data=st.dictionaries(texts, figures, max_size=3),
    drawing=st.none() | drawings,
    rule=texts,
    partly=st.booleans(),
    in_share=st.booleans(),
)
trainables = st.builds(
    Trainable, job=st.just(JOB), blueprint=st.text(string.hexdigits, max_size=64), parameters=st.integers(0)
)
examinations = st.builds(
    Examined,
    name=texts,
    tasks=st.lists(
        st.builds(
            ExaminedTask,
            task=texts,
            verdicts=st.dictionaries(texts, verdicts, max_size=3),
            trainable=st.dictionaries(texts, trainables, max_size=2),
            seconds=st.floats(0, 1e6),
        ),
        max_size=3,
    ),
    notes=st.lists(texts, max_size=3),
    problem=texts,
)


class TestData:
    """Examined itself."""

    @settings(max_examples=50)  # each of them is large
    @given(examinations)
    def test_is_the_same_after_it_was_written_and_read(self, one: Examined) -> None:
        assert again(one) == one

    def test_cannot_be_changed(self) -> None:
        one = Examined(name="alice")
        with pytest.raises(ValidationError, match="frozen"):
            one.name = "bob"  # type: ignore[misc]
