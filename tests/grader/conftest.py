"""Probes and judges what tests hand in: networks in the test's own process, all else through the harness.

A subprocess for each network would take ten times as long: what takes the time is to import Keras.
"""

import importlib
import importlib.util
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from grader import bank, manifest
from grader.bank import Change, Entry
from grader.evidence import Call, Evidence, Network, Other, Raised
from grader.judging import Case, judge
from grader.record import Verdict

ROOT = Path(__file__).parents[2]
MANIFEST = manifest.load(ROOT / "solutions" / "tasks.toml")


class Recorder:
    """Stands in for the harness: calls a function and keeps what the harness would write and read back."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        self._functions = functions
        self._describe = _describe_module()
        self.calls: dict[str, Call] = {}

    def call(
        self, name: str, function: str, *args: Any, then: Callable[[Any], Any] | None = None, **kwargs: Any
    ) -> Any:
        import keras

        shapes = [f"keras.Input({a.shape[1:]})" if hasattr(a, "shape") else repr(a) for a in args]
        arguments = ", ".join([*shapes, *(f"{key}={value!r}" for key, value in kwargs.items())])
        # Weights that are never drawn: nothing here looks at them, and drawing takes most of the time.
        with keras.StatelessScope(initialize_variables=False), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a student's
            try:
                result = self._functions[function](*args, **kwargs)
            except NotImplementedError:
                self.calls[name] = Call(function, arguments, "not implemented")
            except Exception as error:
                raised = Raised(type(error).__name__, str(error)[:500])
                self.calls[name] = Call(function, arguments, "raised", exception=raised)
            else:
                value = self._value(result, then or (lambda it: it))
                self.calls[name] = Call(function, arguments, "returned", value=value)

    def _value(self, result: Any, then: Callable[[Any], Any]) -> Network | Other:
        import keras

        try:
            result = then(result)
        except Exception as error:
            return Other(type(result).__name__, f"{type(error).__name__}: {error}"[:200])
        if not isinstance(result, keras.Model):
            return Other(type(result).__name__)
        try:
            return Network(self._describe.describe(result))
        except self._describe.Refused as refused:
            return Network(refused=str(refused))


def _describe_module() -> ModuleType:
    name = "kit_describe"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "grader/inside/describe.py")
        assert spec
        assert spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class NetworkJudge:
    """Probes and judges a builder task, given as the text of its module."""

    def __init__(self, task: str) -> None:
        self.task = MANIFEST.task(task)
        self.probe = importlib.import_module(f"grader.tasks.{task}.probe")
        self.solution = (ROOT / "solutions" / self.task.module).read_text(encoding="utf-8")

    def __call__(self, source: str, inputs: Mapping[str, Any]) -> dict[str, Verdict]:
        functions: dict[str, Any] = {}
        exec(compile(source, self.task.module, "exec"), functions)
        recorder = Recorder(functions)
        self.probe.probe(recorder, inputs)
        evidence = Evidence(True, True, None, "ok", None, recorder.calls)
        return judge(Case(self.task, evidence, inputs))

    def edited(self, *edits: tuple[str, str]) -> str:
        """The solution with each of these texts, which it has once, replaced."""
        return bank.changed(self.solution, Change(name="edited", edits=edits))


@pytest.fixture(scope="session")
def network_judge() -> type[NetworkJudge]:
    """The class, by a fixture because test modules cannot import their conftest."""
    return NetworkJudge


def probe_in_harness(entry: Entry, seed: int, folder: Path) -> dict[str, Verdict]:
    """As in a sandbox, but without one: the harness in a process of its own, and its evidence read."""
    submission, output = folder / "submission", folder / "output"
    submission.mkdir()
    output.mkdir()
    bank.write(ROOT, entry, submission)
    probe = ROOT / f"grader/tasks/{entry.task.id}/probe.py"
    command = [sys.executable, "-I", "-B", ROOT / "grader/inside/harness.py", "--probe", probe]
    command += ["--module", entry.task.module, "--submission", submission, "--output", output]
    command += ["--seed", str(seed)]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    found = Evidence.read(output)
    module = importlib.import_module(f"grader.tasks.{entry.task.id}.probe")
    if hasattr(module, "later"):
        subprocess.run([*command, "--later"], check=True, timeout=120, capture_output=True)
        found = found.with_later(Evidence.read(output))
    return judge(Case(entry.task, found, module.draw(seed)))


@pytest.fixture
def judged_entry(tmp_path: Path) -> Callable[[Entry, int], dict[str, Verdict]]:
    """Judges one submission of the bank."""

    def run(entry: Entry, seed: int) -> dict[str, Verdict]:
        bank.write(ROOT, entry, tmp_path)
        # What imports files of its own has to be found by Python, and not to be found by the next test.
        if entry.task.builder is None or len(list(tmp_path.iterdir())) > 1:
            return probe_in_harness(entry, seed, Path(tempfile.mkdtemp(dir=tmp_path)))
        judged = NetworkJudge(entry.task.id)
        source = (tmp_path / entry.task.module).read_text(encoding="utf-8-sig")
        return judged(source, judged.probe.draw(seed))

    return run
