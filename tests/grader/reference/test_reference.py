"""The reference runs: which trainings there are, what they are made of, and what is written of them."""

import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from rich.console import Console

from grader import blueprint, thresholds
from grader.cli import stages as command
from grader.config import manifest, profiles
from grader.config.profiles import CLASSES
from grader.errors import GraderFault, ManifestError
from grader.reference import matrix, metrics, solutions
from grader.reference.matrix import Cells, Key, Progress, Share
from grader.reference.solutions import Described, Networks, Substitution
from grader.thresholds import MIN_RUNS, ReferenceRun, Runs
from grader.thresholds.model import compute
from grader.training import executors
from grader.training.executors import JOB_HOME
from grader.training.job import Conditions, Result
from tests.grader.training import tiny

ROOT = Path(__file__).resolve().parents[3]
PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")
SEEDS = PROFILE.reference_seeds
BACKEND = "keras 0 tensorflow 0 cpu"


def network(classes: int) -> blueprint.Blueprint:
    """A small one."""
    nodes = [
        {"op": "Input", "settings": {}, "inputs": []},
        {"op": "Flatten", "settings": {}, "inputs": [0]},
        {"op": "Dense", "settings": {"units": classes, "activation": "softmax"}, "inputs": [1]},
    ]
    return blueprint.read(
        {"format": 1, "input_shape": [32, 32, 3], "output": 2, "nodes": nodes}, PROFILE.budget
    )


def networks(task: str = "alexnet") -> Networks:
    """What a solution builds."""
    described = [
        Described(
            labels=labels,
            written="0" * 64,
            digest=one.digest,
            parameters=one.parameters,
            flops=one.flops,
            replaced=(Substitution(rule="epsilon", kind="decree", nodes=1, says="It was another."),),
            network=one.canonical,
        )
        for labels, classes in CLASSES.items()
        for one in [network(classes)]
    ]
    return Networks(task=task, profile=PROFILE.name, arguments={"width": 0.5}, networks=tuple(described))


def cells(task: str = "alexnet") -> Cells:
    return Cells(networks(task), PROFILE, "pin", BACKEND)


def result(of: Cells, key: Key, accuracy: float) -> Result:
    """A training's result that nobody had to wait for."""
    job = of.jobs[key]
    return tiny.result(job, accuracy=accuracy, seconds=20.0, cpu_seconds=10.0)


def accuracy(key: Key) -> float:
    """Spread over the seeds; that of the grading seed is in the middle."""
    return 0.5 + 0.01 * ((key.seed * 7) % 5 - 2) / 2 if key.seed != PROFILE.grading_seed else 0.5


def trained(of: Cells) -> dict[str, Result]:
    """Every training's result."""
    return {job.digest: result(of, key, accuracy(key)) for key, job in of.jobs.items()}


class TestCells:
    """Cells: which trainings there are."""

    def test_all(self) -> None:
        """Each network under the grading seed and under every reference seed."""
        for labels in CLASSES:
            seeds = [key.seed for key in cells().jobs if key.labels == labels]
            assert seeds == [PROFILE.grading_seed, *SEEDS]

    def test_ready(self) -> None:
        """Seed by seed, so that a run cut short has seen all networks; what has a result is not trained."""
        of = cells()
        first = of.ready({})
        assert [key.seed for key in first] == sorted(key.seed for key in first)
        assert first[0].seed == PROFILE.grading_seed
        assert set(first) == set(of.jobs)
        done = {of.jobs[key].digest: result(of, key, 0.5) for key in first[:7]}
        assert of.ready(done) == first[7:]

    def test_thresholds_follow(self) -> None:
        """The runs are enough for final thresholds, and those of the grading seed set none."""
        of = cells()
        computed = compute(as_runs(of, trained(of)))
        assert not computed.provisional
        assert {one.n for one in computed.thresholds} == {len(SEEDS)}
        graded = {job.digest for key, job in of.jobs.items() if key.seed == PROFILE.grading_seed}
        assert graded.isdisjoint(digest for one in computed.thresholds for digest in one.runs)


def as_runs(of: Cells, results: Mapping[str, Result]) -> Runs:
    digests = {one.labels: one.digest for one in of.networks.networks}
    return Runs(
        profile=PROFILE.name,
        conditions=Conditions.of(PROFILE, "pin", BACKEND),
        grading_seed=PROFILE.grading_seed,
        builders={"alexnet": {}},
        runs=tuple(
            ReferenceRun(task="alexnet", blueprint=digests[key.labels], result=results[job.digest])
            for key, job in of.jobs.items()
        ),
    )


_CHILD = """
import json, sys
job = json.load(open(sys.argv[1]))
if job["seed"] == {broken}:
    sys.exit("no such thing as a free lunch")
""" + tiny.FINISH.replace("{", "{{").replace("}", "}}").replace(
    "accuracy=0.5", "accuracy=0.5 + (job['seed'] * 7 % 5) / 200"
)


class Quick(executors.Local):
    """An executor of children that make up their results: `broken` is a seed that fails."""

    def __init__(self, broken: int = -1) -> None:
        super().__init__()
        self._code = _CHILD.format(broken=broken)
        self.started = 0

    @contextmanager
    def start(self, home: Path, arguments: Sequence[str]) -> Iterator["Popen[bytes]"]:
        self.started += 1
        rest = [argument.replace(JOB_HOME, str(home)) for argument in arguments]
        with (
            (home / "errors").open("wb") as errors,
            Popen(
                [sys.executable, "-S", "-c", self._code, *rest], stdin=PIPE, stdout=PIPE, stderr=errors
            ) as process,
        ):
            yield process
            process.kill()


def short() -> Cells:
    """Few enough to start a process for each."""
    few = PROFILE.model_copy(update={"reference_seeds": SEEDS[:MIN_RUNS]})
    return replace(cells(), profile=few)


def measure(of: Cells, store: Path, executor: Quick) -> Runs:
    console = Console(quiet=True)
    shares = {"alexnet": matrix.survey(of, store)}
    with Progress(console, of, shares, 2) as display:
        return matrix.measure(of, store=store, workers=2, display=display, executor=executor)


class TestMeasure:
    """measure, with children that are processes but train nothing."""

    def test_runs(self, tmp_path: Path) -> None:
        """Each training once, in the order of label set, seed; then from the store alone."""
        of, executor = short(), Quick()
        runs = measure(of, tmp_path, executor)
        assert [(r.result.labels, r.result.seed) for r in runs.runs] == [tuple(key) for key in of.jobs]
        assert runs.grading_seed == PROFILE.grading_seed
        assert executor.started == len(of.jobs)
        assert runs.builders == {"alexnet": {"width": 0.5}}
        again = Quick()
        assert measure(of, tmp_path, again) == runs
        assert again.started == 0

    def test_fault(self, tmp_path: Path) -> None:
        """Where a training could not be done there are no runs; the error names it, the others are kept."""
        of = short()
        with pytest.raises(GraderFault, match=r"alexnet, coarse labels, seed 3: .* free lunch"):
            measure(of, tmp_path, Quick(broken=3))
        kept = len(of.stored(tmp_path))
        assert kept >= MIN_RUNS
        healthy = Quick()
        assert measure(of, tmp_path, healthy).runs
        assert healthy.started == len(of.jobs) - kept


class TestProgress:
    """What is said of the whole matrix."""

    def test_remaining(self) -> None:
        """By the mean of what is known of a task, by that of the others where nothing is; by workers."""
        shares = {"a": Share(10, 4, [10.0, 20.0]), "b": Share(4, 2, [40.0]), "c": Share(2)}
        assert matrix.remaining(shares, 2) == (6 * 15 + 2 * 40 + 2 * 27.5) / 2
        assert matrix.remaining({"a": Share(3)}, 1) is None
        assert matrix.remaining({"a": Share(3, 3, [5.0])}, 1) == 0

    def test_survey(self, tmp_path: Path) -> None:
        """Counts what is stored, and only what the runs consist of."""
        of = short()
        assert matrix.survey(of, tmp_path) == Share(len(of.jobs))
        measure(of, tmp_path, Quick())
        share = matrix.survey(of, tmp_path)
        assert share.wanted == share.done == len(of.jobs)

    def test_summary(self, tmp_path: Path) -> None:
        """Over all tasks of the profile, those that are not described yet counted as they may come out."""
        of = short()
        shares = {"alexnet": matrix.survey(of, tmp_path), "resnet": matrix.unknown(of.profile)}
        display = Progress(Console(quiet=True), of, shares, 2)
        assert display.summary() == f"0 of {2 * len(of.jobs)} trainings done"
        display.found({of.jobs[k].digest: result(of, k, 0.5) for k in list(of.jobs)[:3]})
        assert display.summary().startswith(f"3 of {2 * len(of.jobs)} trainings done")

    def test_clock(self) -> None:
        """Hours count on; less than nothing is nothing."""
        assert [matrix.clock(s) for s in (0, 61, 100_000, -3)] == [
            "0:00:00",
            "0:01:01",
            "27:46:40",
            "0:00:00",
        ]


class TestNetworks:
    """networks/<task>.json."""

    def test_read_again(self, tmp_path: Path) -> None:
        """What is written is read again; the same networks give the same bytes, a node a line."""
        solutions.save(networks(), tmp_path)
        file = solutions.path(tmp_path, "alexnet")
        assert solutions.load(tmp_path, "alexnet") == networks()
        before = file.read_bytes()
        solutions.save(networks(), tmp_path)
        assert file.read_bytes() == before
        nodes = [line for line in before.decode().splitlines() if line.startswith('   {"inputs"')]
        assert len(nodes) == sum(len(one.network["nodes"]) for one in networks().networks)

    def test_missing_or_wrong(self, tmp_path: Path) -> None:
        """The error names the file and the command that makes it."""
        with pytest.raises(ManifestError, match="No such file") as caught:
            solutions.load(tmp_path / "cpu", "alexnet")
        assert caught.value.fix == "Run: nox -s reference -- --profile cpu"
        solutions.path(tmp_path, "alexnet").parent.mkdir()
        solutions.path(tmp_path, "alexnet").write_text('{"task": "alexnet"}')
        with pytest.raises(ManifestError, match=r"alexnet\.json: profile: "):
            solutions.load(tmp_path, "alexnet")


class TestMetrics:
    """metrics/*.json."""

    def test_of_what_counts(self, tmp_path: Path) -> None:
        """The mark of a known submission, the mean, the deviation, seeds and the seconds of a training."""
        of = cells()
        runs = as_runs(of, trained(of))
        measured = metrics.of(compute(runs), runs)
        one = measured["alexnet", "fine"]
        assert one.accuracy == 0.5
        assert one.mean == pytest.approx(
            statistics.mean(accuracy(Key("fine", seed)) for seed in SEEDS), abs=1e-4
        )
        assert (one.n, one.seconds) == (len(SEEDS), 20.0)
        metrics.save(measured, tmp_path)
        written = json.loads((tmp_path / "metrics" / "alexnet_fine.json").read_text())
        assert (written["threshold"], written["accuracy"]) == (one.threshold, 0.5)


class TestCommand:
    """`python -m grader.reference`."""

    def test_wrong_names(self, capsys: pytest.CaptureFixture[str]) -> None:
        """An unknown profile or task is wrong usage, and the answer names those there are."""
        assert command.main(["train", "--profile", "moon", "--task", "alexnet"]) == 2
        assert "offline, cpu" in capsys.readouterr().out
        assert command.main(["describe", "--profile", "offline", "--task", "preprocessing"]) == 2
        assert "alexnet, resnet, wide_resnet" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["offline", "cpu"])
def test_solutions_are_those_that_were_measured(name: str) -> None:
    """The solutions still build the networks on which the committed thresholds rest."""
    profile = profiles.load(ROOT / "params.yaml").profile(name)
    written = thresholds.load(ROOT / "reference" / name)
    for task in manifest.load(ROOT / "solutions" / "tasks.toml").tasks:
        if task.builder is None:
            continue
        for labels, (_, form) in solutions.formed(task, ROOT / "solutions", profile).items():
            assert form.network.digest == written.get(task.id, labels).blueprint
