"""Jobs, the store, and what happens when a training does not end well."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader import blueprint
from grader.blueprint import Budget
from grader.config import profiles
from grader.config.profiles import Backend, Profile
from grader.errors import TrainerFault
from grader.sandbox import control_groups
from grader.training import launchers, trainer
from grader.training.trainer import Job, Overrun, Result, Step
from lab import synthetic
from lab.errors import DataError

PIN = trainer.pin("embedded")
PROFILE = Profile(
    name="tiny",
    data="embedded",
    train=200,
    hidden=100,
    recipe=profiles.Recipe(
        epochs=2,
        batch=50,
        peak_rate=0.1,
        warm_up=0.25,
        momentum=0.9,
        weight_decay=5e-4,
        label_smoothing=0.0,
        shift=2,
        flip=True,
        settle=2,
    ),
    builders={"alexnet": {}},
    budget=Budget(parameters=10**6, flops=10**8, activations=10**6, nodes=50),
    grading_seed=0,
    reference_seeds=(1, 2, 3, 4, 5),
    extra_seeds=(6, 7),
    limit_seconds=300,
)
NETWORK = blueprint.read(
    {
        "format": 1,
        "input_shape": [32, 32, 3],
        "output": 5,
        "nodes": [
            {"op": "Input", "settings": {}, "inputs": []},
            {"op": "Conv2D", "settings": {"filters": 4, "kernel_size": 3, "strides": 4}, "inputs": [0]},
            {"op": "BatchNormalization", "settings": {}, "inputs": [1]},
            {"op": "Dropout", "settings": {"rate": 0.2}, "inputs": [2]},
            {"op": "Flatten", "settings": {}, "inputs": [3]},
            {"op": "Dense", "settings": {"units": 20, "activation": "softmax"}, "inputs": [4]},
        ],
    },
    PROFILE.budget,
)


def job(seed: int = 0, **changes: Any) -> Job:
    return Job.of(NETWORK, "coarse", seed, PROFILE, PIN).model_copy(update=changes)


def result(of: Job) -> Result:
    return Result(
        digest=of.digest,
        accuracy=0.5,
        loss=None,
        train_accuracy=(0.25,),
        train_loss=(None,),
        parameters=1,
        seconds=1.0,
        cpu_seconds=1.0,
        labels="coarse",
        seed=of.seed,
        pin=PIN,
        engine=trainer.engine(),
        versions={},
        machine="",
    )


class Heard(trainer.Watch):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.steps: list[Step] = []

    def stored(self, job: Job, result: Result) -> None:
        self.told.append(("stored", job.seed))

    def started(self, job: Job) -> None:
        self.told.append(("started", job.seed))

    def step(self, job: Job, step: Step) -> None:
        self.steps.append(step)

    def ended(self, job: Job, outcome: Result | TrainerFault) -> None:
        self.told.append(("ended", job.seed))


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[trainer._Child]]:
    """Every process that `run` starts; none may be left when the test ends."""
    started: list[trainer._Child] = []

    class Recorded(trainer._Child):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            started.append(self)

    monkeypatch.setattr(trainer, "_Child", Recorded)
    yield started
    assert all(child._process.returncode is not None for child in started)


class TestJob:
    """Job.digest."""

    def test_stays_what_it_is(self) -> None:
        """The digest survives being written and read, and knows nothing of limits."""
        assert Job.model_validate_json(job().model_dump_json()).digest == job().digest
        assert job(limit_seconds=1.0).digest == job().digest
        assert job(budget=Budget(parameters=1, flops=1, activations=1, nodes=1)).digest == job().digest

    @pytest.mark.parametrize(
        "change",
        [
            {"pin": "0"},
            {"train": 300},
            {"hidden": 200},
            {"engine": "keras 9"},
            {"code": -1},
            {"data": "cifar-100"},
            {"engine": trainer.engine("cpu", "jax")},
        ],
    )
    def test_changes_with_each_condition(self, change: dict[str, Any]) -> None:
        """Whatever can change a result changes the digest."""
        assert job(conditions=job().conditions.model_copy(update=change)).digest != job().digest

    @pytest.mark.parametrize("field", sorted(profiles.Recipe.model_fields))
    def test_changes_with_the_recipe(self, field: str) -> None:
        """Every field of the recipe counts."""
        value = getattr(PROFILE.recipe, field)
        other = (
            {"flip": False, "precision": "mixed_bfloat16"}[field] if value in (True, "float32") else value + 1
        )
        recipe = PROFILE.recipe.model_copy(update={field: other})
        assert job(conditions=job().conditions.model_copy(update={"recipe": recipe})).digest != job().digest

    def test_changes_with_seed_labels_and_network(self) -> None:
        """So do the three that tell the trainings of one profile apart."""
        other = {**NETWORK.canonical, "format": 2}
        assert len({job().digest, job(1).digest, job(labels="fine").digest, job(blueprint=other).digest}) == 4

    def test_changes_with_observation(self) -> None:
        """A result without an observation does not stand for one with it, nor one of other images."""
        digests = {job().digest, job(observe=True).digest, job(observe=True, validation=100).digest}
        assert len(digests) == 3

    def test_observation_is_the_profile_s(self) -> None:
        """How many images validate is the profile's to say, and nobody's where nothing is observed."""
        profile = PROFILE.model_copy(update={"validation": 300})
        observed = Job.of(NETWORK, "coarse", 0, profile, PIN, observe=True)
        assert (observed.observe, observed.validation) == (True, 300)
        assert Job.of(NETWORK, "coarse", 0, profile, PIN).digest == job().digest


class TestEngine:
    """engine."""

    @pytest.mark.parametrize("backend", ["tensorflow", "jax"])
    def test_names_backend_and_device(self, backend: Backend) -> None:
        """Library, backend and device are there, with versions."""
        keras, _, name, version, device = trainer.engine("cpu", backend).split()
        assert (keras, name, device) == ("keras", backend, "cpu")
        assert version == trainer._versions()[backend]

    def test_backend_that_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is named, with what installs it; the other one does not take its place."""
        versions = {**trainer._versions(), "jax": "none"}
        monkeypatch.setattr(trainer, "_versions", lambda: versions)
        with pytest.raises(TrainerFault, match="JAX is not installed") as caught:
            trainer.engine("cpu", "jax")
        assert "pip install jax" in caught.value.fix


class TestLoad:
    """_load."""

    def test_three_parts(self) -> None:
        """Validation images are the next so many of each class, and none of them is trained on."""
        train_set, hidden_set, validation = trainer._load(job(observe=True, validation=300))
        assert validation is not None
        assert (len(train_set), len(hidden_set), len(validation)) == (200, 100, 300)
        course = synthetic.embedded_course()
        for number in (0, 99):
            of_class = course.images[course.fine_labels == number]
            assert (train_set.images[2 * number : 2 * number + 2] == of_class[:2]).all()
            assert (validation.images[3 * number : 3 * number + 3] == of_class[2:5]).all()
        assert np.bincount(validation.labels).tolist() == [15] * 20

    def test_none_unless_observed(self) -> None:
        """A training that is not observed loads no more than it needs."""
        assert trainer._load(job(validation=300))[2] is None
        assert trainer._load(job(observe=True))[2] is None

    def test_more_than_there_are(self) -> None:
        """Too many are an error that says how many there are."""
        with pytest.raises(DataError, match="at most 10000"):
            trainer._load(job(observe=True, validation=10_000))


class TestPrinter:
    """_Printer."""

    def test_leaves_compilation_out_of_the_pace(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The first report comes when all is compiled: only what follows it says how long the rest takes."""
        clock = iter([100.0, 101.0, 101.2, 102.0])
        monkeypatch.setattr(trainer.time, "monotonic", lambda: next(clock))
        report = trainer._Printer()
        for step in (4, 8, 12, 16):
            report(epoch=0, step=step, steps=20, accuracy=0.5)
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(one["step"], one["seconds_left"]) for one in told] == [(8, 3.0), (16, 0.7)]


class TestStored:
    """stored."""

    def test_gives_what_was_kept(self, tmp_path: Path) -> None:
        """A result is found under its job's digest, a loss that ran away included."""
        (tmp_path / f"{job().digest}.json").write_text(result(job()).model_dump_json())
        assert trainer.stored(job(), tmp_path) == result(job())
        assert trainer.stored(job(1), tmp_path) is None

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"accuracy": 1}', "\0" * 100])
    def test_ignores_what_is_broken(self, tmp_path: Path, content: str) -> None:
        """A file that is not a whole result is as good as none."""
        (tmp_path / f"{job().digest}.json").write_text(content)
        assert trainer.stored(job(), tmp_path) is None

    def test_ignores_the_result_of_another_job(self, tmp_path: Path) -> None:
        """A file that was copied to another digest's name is not believed."""
        (tmp_path / f"{job().digest}.json").write_text(result(job(1)).model_dump_json())
        assert trainer.stored(job(), tmp_path) is None


@pytest.mark.slow
class TestRun:
    """run."""

    def test_trains_each_once_and_repeats_to_the_bit(
        self, tmp_path: Path, children: list[trainer._Child]
    ) -> None:
        """Equal jobs train once, a second run trains nothing, and a job done anew gives the same numbers."""
        heard = Heard()
        outcomes = trainer.run([job(), job(1), job()], store=tmp_path, watch=heard)
        assert len(children) == len(outcomes) == 2
        assert sorted(heard.told) == [("ended", 0), ("ended", 1), ("started", 0), ("started", 1)]
        assert heard.steps[-1].step == heard.steps[-1].steps == 8
        first = outcomes[job().digest]
        assert isinstance(first, Result)
        assert first.parameters == NETWORK.parameters
        assert 0 <= first.accuracy <= 1

        again = Heard()
        assert trainer.run([job(1), job()], store=tmp_path, watch=again) == outcomes
        assert again.told == [("stored", 1), ("stored", 0)]
        assert len(children) == 2

        (tmp_path / f"{job().digest}.json").write_text('{"cut off')
        anew = trainer.run([job()], store=tmp_path)[job().digest]
        assert isinstance(anew, Result)
        times = {"seconds": first.seconds, "cpu_seconds": first.cpu_seconds}
        assert anew.model_copy(update=times) == first

    def test_observed(self, tmp_path: Path) -> None:
        """An observed training tells more, and all that both tell is the same."""
        plain, watched = job(), job(observe=True, validation=100)
        outcomes = trainer.run([plain, watched], store=tmp_path, workers=1)
        one, other = outcomes[plain.digest], outcomes[watched.digest]
        assert isinstance(one, Result)
        assert isinstance(other, Result)
        assert one.observed is None
        assert other.observed is not None
        assert len(other.observed.validation_accuracy) == len(other.observed.validation_loss) == 2
        predictions = np.frombuffer(base64.b64decode(other.observed.predictions), np.uint8)
        labels = synthetic.embedded_hidden().prefix(100).coarse_labels
        assert (predictions == labels).mean() == other.accuracy
        assert (one.accuracy, one.loss, one.train_loss) == (other.accuracy, other.loss, other.train_loss)
        assert trainer.stored(watched, tmp_path) == other
        assert other.cpu_seconds > 0

    def test_jax(self, tmp_path: Path) -> None:
        """A job for JAX trains on it, twice to the same bits; a child on TensorFlow refuses it."""
        name = trainer.engine("cpu", "jax")
        wanted = job(conditions=job().conditions.model_copy(update={"engine": name}))
        refused = trainer.run([wanted], store=tmp_path)[wanted.digest]
        assert isinstance(refused, TrainerFault)
        assert "keras" in refused.message
        first, again = (
            trainer.run([wanted], store=tmp_path / place, launcher=launchers.Local("cpu", "jax"))[
                wanted.digest
            ]
            for place in ("one", "two")
        )
        assert isinstance(first, Result), first
        assert isinstance(again, Result), again
        assert first.engine == name
        assert (first.loss, first.train_loss) == (again.loss, again.train_loss)

    @pytest.mark.parametrize("backend", ["tensorflow", "jax"])
    def test_gpu_that_is_not_there(self, tmp_path: Path, backend: Backend) -> None:
        """A job for a GPU is a fault where there is none: nothing trains it on the CPU."""
        name = trainer.engine("cpu", backend).removesuffix("cpu") + "gpu"
        wanted = job(conditions=job().conditions.model_copy(update={"engine": name}))
        (outcome,) = trainer.run([wanted], store=tmp_path, launcher=launchers.Local("gpu", backend)).values()
        if isinstance(outcome, Result):
            assert outcome.engine == name
        else:
            assert "finds no GPU" in outcome.message

    def test_one_fault_leaves_the_others_alone(self, tmp_path: Path) -> None:
        """A training that fails is a fault of its own job; nothing is stored for it."""
        wrong = job(conditions=job().conditions.model_copy(update={"engine": "keras 9"}))
        outcomes = trainer.run([wrong, job()], store=tmp_path, workers=1)
        fault = outcomes[wrong.digest]
        assert isinstance(fault, TrainerFault)
        assert "keras 9" in fault.message
        assert isinstance(outcomes[job().digest], Result)
        assert [path.name for path in tmp_path.iterdir()] == [f"{job().digest}.json"]

    def test_over_budget(self, tmp_path: Path) -> None:
        """The child reads the blueprint as strictly as if it came from a sandbox."""
        small = Budget(parameters=10, flops=10, activations=10, nodes=50)
        (fault,) = trainer.run([job(budget=small)], store=tmp_path).values()
        assert isinstance(fault, TrainerFault)
        assert "BlueprintRefused" in fault.message

    def test_too_long(self, tmp_path: Path, children: list[trainer._Child]) -> None:
        """A training past its limit is killed."""
        (fault,) = trainer.run([job(limit_seconds=0.1)], store=tmp_path).values()
        assert isinstance(fault, Overrun)
        assert "longer than" in fault.message

    def test_killed(self, tmp_path: Path, children: list[trainer._Child]) -> None:
        """A child that the system kills is a fault that says what usually kills it."""

        class Killer(trainer.Watch):
            def started(self, job: Job) -> None:
                children[-1]._process.send_signal(signal.SIGKILL)

        (fault,) = trainer.run([job()], store=tmp_path, watch=Killer()).values()
        assert isinstance(fault, TrainerFault)
        assert "SIGKILL" in fault.message
        assert "memory" in fault.fix

    def test_interrupted(self, tmp_path: Path, children: list[trainer._Child]) -> None:
        """Ctrl-C ends every child before `run` is left."""

        class Impatient(trainer.Watch):
            def started(self, job: Job) -> None:
                if job.seed == 1:
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            trainer.run([job(0), job(1), job(2)], store=tmp_path, watch=Impatient())
        assert len(children) == 2
        assert list(tmp_path.iterdir()) == []


class Doing(launchers.Local):
    """A launcher of children that do as they are told, and train nothing."""

    def __init__(self, code: str, **options: Any) -> None:
        super().__init__(**options)
        self._code = code

    def _command(self, arguments: list[str]) -> list[str]:
        return [sys.executable, "-S", "-c", f"import sys, time\n{self._code}", *arguments]


SPIN = "while True: pass"
FILL = "held = []\nwhile True: held.append(b'x' * 2**20)"
MIB = 2**20


class TestLimits:
    """A child's processor time and memory, with children that need no Keras."""

    def outcome(self, folder: Path, launcher: trainer.Launcher, **fields: Any) -> Result | TrainerFault:
        (outcome,) = trainer.run([job(**fields)], store=folder, launcher=launcher).values()
        return outcome

    def test_processor_time(self, tmp_path: Path) -> None:
        overrun = self.outcome(tmp_path, Doing(SPIN), limit_seconds=0.5)
        assert isinstance(overrun, Overrun)
        assert (overrun.what, overrun.given, overrun.described) == ("time", 0.5, None)

    def test_waiting_takes_no_processor_time(self, tmp_path: Path) -> None:
        """On a busy machine a child waits: that ends it much later, as a fault of the machine."""
        began = time.monotonic()
        fault = self.outcome(tmp_path, Doing("time.sleep(60)"), limit_seconds=0.3)
        assert isinstance(fault, TrainerFault)
        assert not isinstance(fault, Overrun)
        assert "this machine has no time for it" in fault.message
        assert 3 <= time.monotonic() - began < 30

    def test_where_the_system_does_not_tell(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without /proc the limit is one of the clock."""
        monkeypatch.setattr(trainer, "usage_of", lambda process: trainer.Usage())
        overrun = self.outcome(tmp_path, Doing("time.sleep(60)"), limit_seconds=0.3)
        assert isinstance(overrun, Overrun)

    @pytest.mark.parametrize("groups", [True, False])
    def test_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: bool) -> None:
        """With a control group and without one: what passes the limit is stopped there."""
        if groups and not control_groups._parents():
            pytest.skip("no control group may be made here")
        if not groups:
            monkeypatch.setattr(control_groups.Group, "create", lambda limits: None)
        overrun = self.outcome(tmp_path, Doing(FILL, memory_bytes=100 * MIB))
        assert isinstance(overrun, Overrun)
        assert (overrun.what, overrun.given) == ("memory", 100 * MIB)

    def test_memory_that_cannot_be_had(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A child that limits itself ends by itself, and says why."""
        monkeypatch.setattr(control_groups.Group, "create", lambda limits: None)
        code = (
            "from resource import *\nmost = int(sys.argv[-1].partition('=')[2])\n"
            "setrlimit(RLIMIT_DATA, (most, most))\nx = bytearray(2 * most)"
        )
        overrun = self.outcome(tmp_path, Doing(code, memory_bytes=100 * MIB))
        assert isinstance(overrun, Overrun), overrun
        assert overrun.what == "memory"

    def test_another_s_memory(self, tmp_path: Path) -> None:
        """What was killed while it held little was not over its own limit."""
        fault = self.outcome(tmp_path, Doing("import os\nos.kill(os.getpid(), 9)"))
        assert isinstance(fault, TrainerFault)
        assert not isinstance(fault, Overrun)

    def test_nothing_is_left(self, tmp_path: Path) -> None:
        """No control group outlives its child."""
        self.outcome(tmp_path, Doing(SPIN), limit_seconds=0.2)
        assert not [
            f for parent in control_groups._parents() for f in parent.glob(f"kit-sandbox-{os.getpid()}-*")
        ]

    def test_what_a_training_is_given(self) -> None:
        """Twice what the described network takes, besides the start, and never more than the profile says."""
        assert trainer.limit_seconds(20.0) == trainer.START_SECONDS + 40
        assert trainer.limit_seconds(400.0, 600.0) == 600

    def test_of_a_gpu_there_is_none(self) -> None:
        assert launchers.Local("gpu").memory_bytes is None
        assert launchers.Local("cpu").memory_bytes == 3 * 1024 * MIB


@pytest.mark.slow
class TestMain:
    """The child."""

    def test_ends_with_its_parent(self, tmp_path: Path) -> None:
        """When the other end of its stdin closes, as it does however the parent ends, it stops."""
        order = tmp_path / "job.json"
        long = PROFILE.recipe.model_copy(update={"epochs": 1000})
        order.write_text(
            job(conditions=job().conditions.model_copy(update={"recipe": long})).model_dump_json()
        )
        command = [
            sys.executable,
            "-P",
            "-m",
            "grader.training.trainer",
            str(order),
            str(tmp_path / "result.json"),
        ]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=trainer.local_environment(tmp_path, "cpu"),
        ) as child:
            assert child.stdout is not None
            assert child.stdin is not None
            assert set(json.loads(child.stdout.readline())) == set(Step.__dataclass_fields__)
            child.stdin.close()
            assert child.wait(timeout=30) == 1
        assert not (tmp_path / "result.json").exists()
