"""Probes and judges what tests hand in: networks in the test's own process, all else through the harness.

A subprocess for each network would take ten times as long: what takes the time is to import Keras.
"""

import contextlib
import copy
import importlib
import importlib.util
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest

from grader.config import manifest
from grader.config.manifest import Task
from grader.grading.evidence import Call, Evidence, Network, Other, Raised
from grader.grading.judging import Case, judge
from grader.proof import bank
from grader.proof.bank import Change, Entry
from grader.results.verdict import Verdict
from tests.grader.forking import Forking

ROOT = Path(__file__).parents[2]
MANIFEST = manifest.load(ROOT / "solutions" / "tasks.toml")


class Recorder:
    """Stands in for the harness: calls a function and keeps what the harness would write and read back."""

    def __init__(self, functions: dict[str, Any]) -> None:
        self._functions = functions
        self._describe, self._standing_in = _guest("describe"), _guest("standing_in")
        self.calls: dict[str, Call] = {}

    def call(
        self,
        name: str,
        function: str,
        *args: Any,
        then: Callable[[Any], Any] | None = None,
        builds: bool = False,
        without: str = "",
        **kwargs: Any,
    ) -> Any:
        import keras
        from keras.src.backend.common import global_state

        shapes = [f"keras.Input({a.shape[1:]})" if hasattr(a, "shape") else repr(a) for a in args]
        arguments = ", ".join([*shapes, *(f"{key}={value!r}" for key, value in kwargs.items())])
        # Weights that are never drawn: nothing here looks at them, and drawing takes most of the time.
        with keras.StatelessScope(initialize_variables=False), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a student's
            result = None
            kept = self._functions.get(without)
            if without:
                self._functions[without] = self._standing_in.block
            try:
                with _made().during():
                    result = self._functions[function](*args, **kwargs)
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1].name
                if isinstance(error, NotImplementedError) and last == function:
                    self.calls[name] = Call(function, arguments, "not implemented")
                else:
                    raised = Raised(type(error).__name__, str(error)[:500])
                    self.calls[name] = Call(function, arguments, "raised", exception=raised)
            else:
                value = self._value(result, then or (lambda it: it))
                self.calls[name] = Call(function, arguments, "returned", value=value)
            call = self.calls[name]
            if builds and call.status in ("returned", "raised") and not isinstance(call.value, Network):
                made = _made().network(result)
                if made is not None:
                    network = cast(Network, self._value(made, lambda it: it))
                    self.calls[name] = replace(call, made=network, layers=_made().layers())
            if builds and call.status == "raised":
                self._complete(name, lambda: self._functions[function](*args, **kwargs))
            _made().forget()
            if without:
                self._functions[without] = kept
        # Keras would draw them all, and keep them, when the next such scope is left.
        global_state.set_global_attribute("uninitialized_variables", [])

    def _complete(self, name: str, call: Callable[[], Any]) -> None:
        """As harness.py's: once more, with what raises passed over."""
        misfits = _guest("misfits")
        words = {**self._standing_in.WORDS, **misfits.WORDS}
        with contextlib.suppress(Exception), _made().during(), misfits.passed_over(words) as reasons:
            made = _made().network(call())
            if reasons and made is not None:
                known = [self._describe.Flaw(reasons[0])]
                network = Network(self._describe.describe(made, words, known), reasons[0])
                self.calls[name] = replace(self.calls[name], made=network, completed=True)

    def gave_network(self, name: str) -> bool:
        network = self.calls[name].network
        return network is not None and network.description is not None

    def _value(self, result: Any, then: Callable[[Any], Any]) -> Network | Other:
        import keras

        try:
            result = then(result)
        except Exception as error:
            return Other(type(result).__name__, f"{type(error).__name__}: {error}"[:200])
        if not isinstance(result, keras.Model):
            return Other(type(result).__name__)
        try:
            flaws: list[Any] = []
            description = self._describe.describe(result, self._standing_in.WORDS, flaws)
            first = flaws[0] if flaws else None
            return Network(description, first.reason if first else "", fixed=bool(first and first.fixed))
        except self._describe.Refused as refused:
            return Network(refused=str(refused))


@cache
def _made() -> Any:
    """What remembers the layers that are made: it changes Keras, so that there is one."""
    return _guest("made").Made()


def _guest(module: str) -> ModuleType:
    name = f"kit_{module}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / f"grader/sandbox/guest/{module}.py")
        assert spec
        assert spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class ArrayRecorder:
    """Stands in for the harness where functions take and give arrays and numbers."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        self._functions = functions
        self.calls: dict[str, Call] = {}

    def call(self, name: str, function: str, *args: Any, keep_inputs: bool = False, **kwargs: Any) -> None:
        args = copy.deepcopy(args)  # what one call changes, the next one must not see
        try:
            with np.errstate(all="ignore"):
                value = self._functions[function](*args, **kwargs)
        except NotImplementedError:
            self.calls[name] = Call(function, "…", "not implemented")
        except Exception as error:
            self.calls[name] = Call(
                function, "…", "raised", exception=Raised(type(error).__name__, str(error))
            )
        else:
            value = value.item() if isinstance(value, np.generic) else value
            arrays = {str(place): a for place, a in enumerate(args) if isinstance(a, np.ndarray)}
            self.calls[name] = Call(
                function, "…", "returned", value, inputs_after=arrays if keep_inputs else {}
            )


@pytest.fixture(scope="session")
def array_calls() -> Callable[[str, str, int], dict[str, Call]]:
    """What the functions of a module, given as text, give in the test's own process.

    Those that the task's probe asks for in a second process are asked of the module executed anew.
    """

    def run(task: str, source: str, seed: int) -> dict[str, Call]:
        probe = importlib.import_module(f"grader.tasks.{task}.probe")
        calls: dict[str, Call] = {}
        for ask in filter(None, (probe.probe, getattr(probe, "later", None))):
            functions: dict[str, Any] = {}
            exec(compile(source, f"{task}.py", "exec"), functions)
            recorder = ArrayRecorder(functions)
            ask(recorder, probe.draw(seed))
            calls |= recorder.calls
        return calls

    return run


class NetworkJudge:
    """Probes and judges a builder task, given as the text of its module."""

    def __init__(self, task: str) -> None:
        self.task = MANIFEST.task(task)
        self.probe = importlib.import_module(f"grader.tasks.{task}.probe")
        self.solution = (ROOT / "solutions" / self.task.module).read_text(encoding="utf-8")

    def __call__(self, source: str, inputs: Mapping[str, Any]) -> dict[str, Verdict]:
        evidence = Evidence(True, True, None, "ok", None, self.calls(source, inputs))
        return judge(Case(self.task, evidence, inputs))

    def calls(self, source: str, inputs: Mapping[str, Any]) -> dict[str, Call]:
        """What the probe's calls of a module's functions came to."""
        functions: dict[str, Any] = {}
        exec(compile(source, self.task.module, "exec"), functions)
        recorder = Recorder(functions)
        self.probe.probe(recorder, inputs)
        return recorder.calls

    def edited(self, *edits: tuple[str, str]) -> str:
        """The solution with each of these texts, which it has once, replaced."""
        return bank.changed(self.solution, Change(name="edited", edits=edits))


@pytest.fixture(scope="session")
def network_judge() -> type[NetworkJudge]:
    """The class, by a fixture because test modules cannot import their conftest."""
    return NetworkJudge


@pytest.fixture(scope="session")
def processes() -> Iterator[dict[str, tuple[Forking, Forking]]]:
    """By the library that they have imported: one for a probe's first process and one for its second."""
    started = {library: (Forking(library), Forking(library)) for library in ("numpy", "keras")}
    yield started
    for pair in started.values():
        for process in pair:
            process.close()


def probe_in_harness(
    task: Task, submission: Path, folder: Path, seed: int, processes: dict[str, tuple[Forking, Forking]]
) -> Evidence:
    """As in a sandbox, but without one: the harness in processes of their own, and their evidence read.

    A task whose probe has `later` gets its second process too, at the same time.
    """
    probe = ROOT / f"grader/tasks/{task.id}/probe.py"
    module = importlib.import_module(f"grader.tasks.{task.id}.probe")
    # The harness imports Keras for a module that names it; a helper may name it, too.
    named = any(re.search(rb"keras|tensorflow", path.read_bytes()) for path in submission.rglob("*.py"))
    pair = processes["keras" if named else "numpy"]
    options: dict[Path, list[str]] = {folder / "output": []}
    if hasattr(module, "later"):
        options[folder / "output-later"] = ["--later", "--spawned"]  # the fork is the process to be spawned
    for process, (output, more) in zip(pair, options.items(), strict=False):
        output.mkdir()
        command = [ROOT / "grader/sandbox/guest/harness.py", "--probe", probe]
        command += ["--module", task.module, "--submission", submission, "--output", output]
        # The clock's limit is generous: on a busy machine, TensorFlow is imported too.
        process.start(*command, "--seed", seed, "--seconds", 120, "--clock", 300, *more)
    for process, _ in zip(pair, options, strict=False):
        assert process.wait() == 0
    evidence, *second = map(Evidence.read, options)
    return evidence.with_later(second[0]) if second else evidence


@pytest.fixture(scope="session")
def cased_in_harness(processes: dict[str, tuple[Forking, Forking]]) -> Callable[..., Case]:
    """Probes a folder with a submission in processes of their own, below an empty folder."""

    def run(task: Task, submission: Path, folder: Path, seed: int) -> Case:
        drawn = importlib.import_module(f"grader.tasks.{task.id}.probe").draw(seed)
        return Case(task, probe_in_harness(task, submission, folder, seed, processes), drawn)

    return run


@pytest.fixture(scope="session")
def judged_in_harness(
    cased_in_harness: Callable[..., Case],
) -> Callable[..., dict[str, Verdict]]:
    """Probes a folder with a submission in processes of their own, below an empty folder, and judges it."""

    def run(task: Task, submission: Path, folder: Path, seed: int) -> dict[str, Verdict]:
        return judge(cased_in_harness(task, submission, folder, seed))

    return run


@pytest.fixture(scope="session")
def network_recorder() -> type[Recorder]:
    """What stands in for the harness where networks are built in the test's own process."""
    return Recorder


@pytest.fixture
def judged_entry(
    tmp_path: Path, judged_in_harness: Callable[..., dict[str, Verdict]]
) -> Callable[[Entry, int], dict[str, Verdict]]:
    """Judges one submission of the bank."""

    def run(entry: Entry, seed: int) -> dict[str, Verdict]:
        submission = tmp_path / "submission"
        submission.mkdir()
        bank.write(ROOT, entry, submission)
        # What imports files of its own has to be found by Python, and not to be found by the next test.
        if entry.task.builder is None or len(list(submission.iterdir())) > 1:
            return judged_in_harness(entry.task, submission, tmp_path, seed)
        judged = NetworkJudge(entry.task.id)
        source = (submission / entry.task.module).read_text(encoding="utf-8-sig")
        return judged(source, judged.probe.draw(seed))

    return run
