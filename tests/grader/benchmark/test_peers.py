"""The task of the other tools: the same calls as this kit's, and tests that can fail."""

import ast
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from grader.benchmark.peers import TASKS, Nbgrader, Otter, cells
from grader.config import manifest
from grader.grading import judging
from grader.tasks.alexnet import probe as alexnet
from grader.tasks.preprocessing import probe as preprocessing
from grader.tasks.resnet import probe as resnet
from grader.tasks.wide_resnet import probe as wide_resnet

ROOT = Path(__file__).parents[3]
PROBES = {"preprocessing": preprocessing, "alexnet": alexnet, "resnet": resnet, "wide_resnet": wide_resnet}
Call = tuple[str, tuple[Any, ...], dict[str, Any]]


class Recorder:
    """Stands where a probe expects the harness, and keeps what it calls."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def call(
        self,
        name: str,
        function: str,
        *args: Any,
        keep_inputs: bool = False,
        then: Any = None,
        builds: bool = False,
        **kw: Any,
    ) -> None:
        self.calls.append((function, args, kw))

    def gave_network(self, _name: str) -> bool:
        """A right one does: nothing is asked for once more."""
        return True


def namespace(*tasks: str) -> dict[str, Any]:
    """The solutions' functions, run as the cells of a notebook are."""
    found: dict[str, Any] = {}
    for task, source in zip(TASKS, cells(ROOT / "solutions"), strict=True):
        if task in tasks:
            exec(compile(source, f"{task}.py", "exec"), found)
    return found


def run_test(task: str, functions: dict[str, Any]) -> None:
    """The hidden test of a task, on these functions."""
    source, name = Otter(ROOT)._test(task)
    found: dict[str, Any] = {"draw": preprocessing.draw}
    exec(compile(source, f"{task}.py", "exec"), found)
    parameters = inspect.signature(found[name]).parameters
    found[name](*(functions[parameter] for parameter in parameters))


def plain(call: Call) -> str:
    """A call in a form that can be compared; what stands for a layer's output is only its shape."""

    def one(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [str(value.dtype), value.tolist()]
        return list(value.shape) if hasattr(value, "shape") and value.shape else value

    function, args, kw = call
    return json.dumps([function, [one(a) for a in args], {k: one(v) for k, v in kw.items()}], default=str)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_same_calls(task: str) -> None:
    """As many calls with the same arguments as the probe makes at seed 1, the second process's included."""
    builders = yaml.safe_load((ROOT / "params.yaml").read_text())["profiles"]["cpu"]["builders"]
    asked = manifest.load(ROOT / "solutions" / "tasks.toml").task(task)
    inputs = judging.inputs(asked, 1, builders.get(task, {}))
    recorder = Recorder()
    PROBES[task].probe(recorder, inputs)
    if hasattr(PROBES[task], "later"):
        PROBES[task].later(recorder, inputs)
    made: list[Call] = []

    def recorded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kw: Any) -> Any:
            made.append((name, tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args), kw))
            return function(*args, **kw)

        return call

    functions = namespace(task)
    # A function calls the others of its file as they are: only what the test calls is recorded.
    run_test(task, {**functions, **{name: recorded(name, functions[name]) for name in asked.functions}})
    assert sorted(map(plain, made)) == sorted(map(plain, recorder.calls))
    assert len(made) == {"preprocessing": 17, "alexnet": 7, "resnet": 9, "wide_resnet": 5}[task]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "old", "new"),
    [
        (
            "preprocessing",
            "order[num_test:], order[:num_test]",
            "np.sort(order[num_test:]), order[:num_test]",
        ),
        ("alexnet", "(384, 3, False), (384, 3, False)", "(384, 3, False)"),
        ("resnet", "4 * filters, kernel=1)  # no", "2 * filters, kernel=1)  # no"),
        ("wide_resnet", "stride = 2 if stage > 0", "stride = 2 if stage > 1"),
    ],
)
def test_fails_wrong_code(task: str, old: str, new: str) -> None:
    """The tests are no empty ones: a mistake fails them."""
    source = dict(zip(TASKS, cells(ROOT / "solutions"), strict=True))[task]
    assert source.count(old) == 1
    found: dict[str, Any] = {}
    exec(compile(source.replace(old, new), f"{task}.py", "exec"), found)
    with pytest.raises((AssertionError, ValueError)):
        run_test(task, found)


def test_one_notebook() -> None:
    """All four files run in one notebook, and no helper takes another's name."""
    names = [
        node.name
        for source in cells(ROOT / "solutions")
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("peer", [Otter, Nbgrader])
def test_pinned(peer: type[Otter | Nbgrader]) -> None:
    """What is installed is what is named, by hashes, and computes with the versions of this kit's lock."""
    one = peer(ROOT)
    wanted = (ROOT / "bench" / one.name / "requirements.txt").read_text()
    assert f"{one.package}=={one.version} " in wanted
    lines = [line for line in wanted.splitlines() if line and not line.startswith((" ", "#"))]
    assert all("==" in line and line.endswith("\\") for line in lines)
    lock = (ROOT / "uv.lock").read_text()
    for package in ("keras", "tensorflow-cpu"):
        (version,) = (line.split("==")[1].split()[0] for line in lines if line.startswith(f"{package}=="))
        assert f'name = "{package}"\nversion = "{version}"' in lock
