"""Which backend a task is probed on, and that NumPy's costs nobody a mark."""

import importlib.util
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.config import manifest
from grader.errors import MissingTensorFlow, SandboxFault
from grader.grading import backends, probing
from grader.grading.evidence import Evidence, Network
from grader.grading.probing import Probed
from grader.sandbox import End, Limits, Outcome, Program, select
from tests.grader.grading.test_probing import CALL, FINISHED, Scripted, left, returned

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "assignment" / "tasks.toml")
ALEXNET, EVALUATION = TASKS.task("alexnet"), TASKS.task("evaluation")
TEN = Limits(wall_seconds=10, cpu_seconds=8)
NETWORK = {"kind": "model", "blueprint": {}, "lines": []}


def network(**changes: Any) -> dict[str, Any]:
    """Evidence of a network that was built."""
    call = {**CALL, "function": "build_alexnet", "status": "returned", "value": NETWORK, **changes}
    return {**FINISHED, "calls": {"default": call}}


def backend_of(program: Program) -> str:
    (option,) = (argument for argument in program.arguments if argument.startswith("--backend="))
    return option.removeprefix("--backend=")


def probed(script: Callable[[int, Program], Any], folder: Path, **more: Any) -> tuple[Probed, list[Program]]:
    engine = Scripted(script)
    task = more.pop("task", ALEXNET)
    came = probing.probe(engine, task, folder, seed=1, builder_arguments={}, limits=TEN, **more)
    return came, engine.programs


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    (tmp_path / "alexnet.py").write_text("import keras\n")
    return tmp_path


class TestWithoutTensorFlow:
    """A student's environment before anything asked for it."""

    @pytest.fixture(autouse=True)
    def _none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name, *more: None if name == "tensorflow" else found(name, *more),
        )

    @pytest.mark.parametrize(
        ("task", "source", "needed"),
        [
            (ALEXNET, "import keras\n", True),
            (EVALUATION, "import numpy\n", False),
            (EVALUATION, "import tensorflow as tf\n", True),
            (EVALUATION, "from keras import ops\n", True),
        ],
    )
    def test_needed(self, tmp_path: Path, task: manifest.Task, source: str, needed: bool) -> None:
        """By what is Keras's: a network, or code that names one of the two."""
        (tmp_path / task.module).write_text(source)
        if not needed:
            backends.require_tensorflow(task, tmp_path)
            return
        with pytest.raises(MissingTensorFlow, match=f"{task.module} needs TensorFlow"):
            backends.require_tensorflow(task, tmp_path)

    def test_asked_for_only_when_numpy_is_not_enough(self, submission: Path) -> None:
        """What the NumPy backend is sure of needs none; a network that it cannot build does."""
        engine = Scripted(lambda number, program: left(network()))
        engine.name = "none"
        come = probing.probe(engine, ALEXNET, submission, seed=1, builder_arguments={}, limits=TEN)
        assert come.backend == "numpy"
        engine = Scripted(lambda number, program: left(network(status="raised", value=None)))
        engine.name = "none"
        with pytest.raises(MissingTensorFlow):
            probing.probe(engine, ALEXNET, submission, seed=1, builder_arguments={}, limits=TEN)


class TestChoice:
    @pytest.mark.parametrize(
        ("source", "backend"),
        [
            ("import keras\n", "numpy"),
            ("from helpers import build_alexnet\n", "numpy"),
            ("", "numpy"),
            ("import tensorflow as tf\n", "tensorflow"),
            ("from tensorflow import keras\n", "tensorflow"),
            ("__import__('tensorflow')\n", "tensorflow"),
            ("import jax\n", "tensorflow"),
            ("# Keras runs on TensorFlow.\nimport keras\n", "numpy"),
        ],
    )
    def test_of_a_network(self, source: str, backend: str, submission: Path) -> None:
        (submission / "alexnet.py").write_text(source)
        assert backends.of(ALEXNET, submission) == backend

    @pytest.mark.parametrize(
        ("source", "backend"),
        [("import numpy\n", "tensorflow"), ("import keras\n", "numpy"), ("from helpers import *", "numpy")],
    )
    def test_of_arrays(self, source: str, backend: str, submission: Path) -> None:
        """TensorFlow's, which nothing imports, unless Keras is named."""
        (submission / "evaluation.py").write_text(source)
        (submission / "helpers.py").write_text("import keras\n")
        assert backends.of(EVALUATION, submission) == backend

    def test_what_is_reached_by_way_of_other_files_counts(self, submission: Path) -> None:
        (submission / "alexnet.py").write_text("import keras\nfrom layers.blocks import block\n")
        (submission / "layers").mkdir()
        (submission / "layers" / "blocks.py").write_text(
            "import importlib; importlib.import_module('deep')\n"
        )
        (submission / "deep.py").write_text("import tensorflow\n")
        assert backends.of(ALEXNET, submission) == "tensorflow"

    def test_what_is_not_reached_does_not(self, submission: Path) -> None:
        """Another task's module may use what it likes."""
        (submission / "preprocessing.py").write_text("import tensorflow\n")
        (submission / "alexnet.py").write_text('"""For preprocessing.prepare."""\nimport keras\n')
        assert backends.of(ALEXNET, submission) == "numpy"

    def test_names_and_files_of_any_kind(self, submission: Path) -> None:
        (submission / "\udcff.py").write_bytes(b"\xff")
        (submission / "empty").mkdir()
        (submission / "alexnet.py").write_bytes(b"import keras, empty\xff\n")
        assert backends.of(ALEXNET, submission) == "numpy"

    @pytest.mark.parametrize(
        "flood",
        [
            b"import " + b"a " * 10_000_000,
            b"import a\n" * 2_000_000,
            b" ".join(b"import%d" % n for n in range(1_500_000)),
            b"\n".join(b"import a%d" % n for n in range(1_000_000)),
            b"importimport" * 1_500_000,
        ],
        ids=["a line", "lines", "words", "names", "no import"],
    )
    def test_a_flood_is_answered_at_once(self, flood: bytes, submission: Path) -> None:
        """And is TensorFlow's, as if there were no NumPy: in no time and little memory."""
        (submission / "alexnet.py").write_bytes(b"import keras\n" + flood)
        tracemalloc.start()
        began = time.process_time()
        assert backends.of(ALEXNET, submission) == "tensorflow"
        assert time.process_time() - began < 10
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
        tracemalloc.stop()


class TestNumpy:
    def test_a_network_that_is_built_there_is_not_built_again(self, submission: Path) -> None:
        came, programs = probed(lambda run, program: left(network()), submission)
        assert [backend_of(program) for program in programs] == ["numpy"]
        assert came.backend == "numpy"
        assert came.evidence.finished

    def test_it_has_a_quarter_of_the_limits(self, submission: Path) -> None:
        _, (program,) = probed(lambda run, program: left(network()), submission)
        assert (program.limits.cpu_seconds, program.limits.wall_seconds) == (2, 2.5)
        assert {"--seconds=0.5", f"--clock={10 / 12:g}"} <= {*program.arguments}

    @pytest.mark.parametrize(
        "first",
        [
            left(network(status="raised", value=None)),
            left(network(status="timed out", value=None)),
            left(network(value={**NETWORK, "refused": "it is no keras.Model"})),
            left(network(value={"kind": "none"})),
            left({**network(), "finished": False}),
            left({**FINISHED, "import": {"status": "raised", "exception": None}}),
            left({**FINISHED, "import": {"status": "timed out", "exception": None}}),
            left(None),
            left({"format": 2}),
            left(network(status="running", value=None), End.CPU),
            left(None, End.TIMEOUT),
            left(None, End.MEMORY),
            left(None, printed="ImportError: keras"),
            SandboxFault("no room"),
        ],
    )
    def test_what_does_not_end_well_is_probed_on_tensorflow(self, first: Any, submission: Path) -> None:
        """As if nothing had been: no fault, nothing left out, no trace in what is judged."""
        came, programs = probed(lambda run, program: left(network()) if run else first, submission)
        assert [backend_of(program) for program in programs] == ["numpy", "tensorflow"]
        assert came.backend == "tensorflow"
        assert (came.ended, came.refused) == ({}, "")
        assert came.evidence.calls["default"].status == "returned"
        assert programs[1].arguments[-1] == "--skip="

    def test_what_asked_for_what_is_left_out_is_probed_on_tensorflow(self, submission: Path) -> None:
        """Even where it went on without it."""

        def script(run: int, program: Program) -> Any:
            if run == 0:
                (program.output / "lacking").touch()
            return left(network())

        came, programs = probed(script, submission)
        assert [backend_of(program) for program in programs] == ["numpy", "tensorflow"]
        assert came.backend == "tensorflow"

    @pytest.mark.parametrize("status", ["not implemented", "missing"])
    def test_what_is_not_written_needs_no_tensorflow(self, status: str, submission: Path) -> None:
        _, programs = probed(lambda run, program: left(network(status=status, value=None)), submission)
        assert len(programs) == 1

    def test_nor_does_what_is_not_python(self, submission: Path) -> None:
        error = {"type": "SyntaxError", "message": "invalid syntax", "file": "alexnet.py", "line": 1}
        document = {**FINISHED, "import": {"status": "raised", "exception": error}}
        came, programs = probed(lambda run, program: left(document), submission)
        assert len(programs) == 1
        assert came.evidence.imported == "raised"

    def test_what_it_took_is_taken(self, submission: Path) -> None:
        """So that a submission costs no more than was stated."""
        first = left(network(status="timed out", value=None), seconds=2.5, cpu_seconds=2.0)
        _, programs = probed(lambda run, program: left(network()) if run else first, submission)
        assert programs[1].limits.cpu_seconds == 6
        assert programs[1].limits.wall_seconds == 7.5

    def test_what_is_left_for_a_run_alone_is_left(self, submission: Path) -> None:
        """Neighbours that make both backends late cost nothing."""

        def script(run: int, program: Program) -> Any:
            if run < 2:
                return left(None, End.TIMEOUT, seconds=program.limits.wall_seconds)
            return left(network())

        came, programs = probed(script, submission)
        assert [program.limits.wall_seconds for program in programs] == [2.5, 7.5, 2.5]
        assert came.evidence.calls["default"].status == "returned"

    def test_a_class_costs_no_more_for_it(self, submission: Path) -> None:
        """Whatever each run does, all of a task's runs together keep to the share."""

        def script(run: int, program: Program) -> Any:
            limits = program.limits
            return left(
                network(status="running", value=None) | {"finished": False, "running": "default"},
                End.CPU,
                seconds=limits.wall_seconds,
                cpu_seconds=limits.cpu_seconds,
            )

        came, programs = probed(script, submission)
        assert [backend_of(program) for program in programs][:2] == ["numpy", "tensorflow"]
        assert came.cpu_seconds <= 8
        assert came.seconds <= 12.5

    def test_where_tensorflow_is_named_it_is_the_first(self, submission: Path) -> None:
        (submission / "alexnet.py").write_text("import tensorflow\n")
        _, programs = probed(lambda run, program: left(network()), submission)
        assert [backend_of(program) for program in programs] == ["tensorflow"]

    def test_arrays_that_keras_computed_are_for_the_judge_to_doubt(self, submission: Path) -> None:
        (submission / "evaluation.py").write_text("import keras\n")
        script = {**FINISHED, "calls": returned("a")}
        came, programs = probed(lambda run, program: left(script), submission, task=EVALUATION)
        assert (came.backend, len(programs)) == ("numpy", 1)
        again, programs = probed(lambda run, program: left(script), submission, task=EVALUATION, before=came)
        assert [backend_of(program) for program in programs] == ["tensorflow"]
        assert again.cpu_seconds == came.cpu_seconds * 2


def evidence(folder: Path, source: str) -> Probed:
    """What a real probe of an AlexNet finds, without a sandbox."""
    (folder / "alexnet.py").write_text(source, encoding="utf-8")
    engine = select("none", own_code=True)
    return probing.probe(engine, ALEXNET, folder, seed=1, builder_arguments={})


SOLUTION = (ROOT / "solutions" / "alexnet.py").read_text(encoding="utf-8")


class TestReal:
    def test_both_give_the_same_of_a_network(self, tmp_path: Path) -> None:
        """All of it: names of layers, lines, settings, arguments as they are shown."""
        on_numpy = evidence(tmp_path, SOLUTION)
        on_tensorflow = evidence(tmp_path, f"{SOLUTION}\nTENSORS = 'tensorflow'\n")
        assert (on_numpy.backend, on_tensorflow.backend) == ("numpy", "tensorflow")

        def timeless(evidence: Evidence) -> Any:
            return {name: replace(call, seconds=0.0) for name, call in evidence.calls.items()}

        assert timeless(on_numpy.evidence) == timeless(on_tensorflow.evidence)
        assert all(isinstance(call.value, Network) for call in on_numpy.evidence.calls.values())

    @pytest.mark.parametrize(
        "line",
        [
            "model.compile(loss='mse'); model.fit(zeros((1, *input_shape)), zeros((1, num_classes)))",
            "try: model(zeros((1, *input_shape)))\n    except Exception: model = None",
            "from scipy import linalg; import sklearn, h5py; keras.utils.set_random_seed(1)",
        ],
        ids=["fit", "swallowed", "libraries"],
    )
    def test_what_works_on_tensorflow_costs_nothing(self, line: str, tmp_path: Path) -> None:
        """Training and computing in a builder is odd, and no mistake."""
        source = SOLUTION.replace("def build_alexnet(", "def built(") + (
            "\n\nfrom numpy import zeros\n\n\n"
            "def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):\n"
            "    model = built(num_classes, input_shape=input_shape, width=0.03, dropout=dropout)\n"
            f"    {line}\n    return model\n"
        )
        came = evidence(tmp_path, source)
        calls = came.evidence.calls.values()
        assert [call.exception for call in calls if call.status != "returned"] == []
        assert not any(isinstance(call.value, Network) and call.value.refused for call in calls)
        assert came.backend == ("numpy" if "scipy" in line else "tensorflow")


def test_outcome_of_a_script() -> None:
    """What the scripts here say of a run."""
    document, outcome = left(network())
    assert isinstance(outcome, Outcome)
    assert document["finished"]
