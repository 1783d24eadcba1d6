"""All judges of networks on networks written by hand: next to nothing, and any connections at all."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.config.manifest import Task
from grader.grading.evidence import Call, Evidence, Network
from grader.grading.judging import Case, judge
from grader.grading.values import ordinal
from grader.results.record import Status
from grader.tasks.alexnet import probe as alexnet_probe
from grader.tasks.resnet import probe as resnet_probe
from grader.tasks.wide_resnet import probe as wide_resnet_probe
from tests.grader.marks import earned
from tests.grader.tasks.handmade import ADD, CONV, NORM, RELU, described
from tests.grader.tasks.test_described import TASKS

JUNK = {
    "one convolution": [("Conv2D", {"filters": 1, "kernel_size": 1})],
    "one normalisation": [NORM],
    "convolution and ReLU": [("Conv2D", {"filters": 1, "kernel_size": 1}), RELU],
    "pooling and a dense layer": [("GlobalAveragePooling2D", {}), ("Dense", {"units": 1})],
    "a dense layer with softmax": [("Flatten", {}), ("Dense", {"units": 1, "activation": "softmax"})],
    "three dense layers": [("Flatten", {}), *[("Dense", {"units": 1, "activation": "relu"})] * 3],
}
PROBES = {"alexnet": alexnet_probe, "resnet": resnet_probe, "wide_resnet": wide_resnet_probe}


class TestNextToNothing:
    """A network with next to nothing in it has no faults to find, and earns next to nothing."""

    @pytest.mark.parametrize("task", PROBES)
    @pytest.mark.parametrize("junk", JUNK)
    def test_junk(self, tasks: dict[str, Task], task: str, junk: str) -> None:
        inputs = PROBES[task].draw(1)
        calls = {}
        for name, asked in [*PROBES[task].arguments(inputs).items(), *inputs.get("blocks", {}).items()]:
            network = described(*JUNK[junk])
            network["input_shape"] = list(asked.get("shape", asked.get("input_shape", (32, 32, 3))))
            calls[name] = Call("build", "…", "returned", value=Network(network))
        verdicts = judge(Case(tasks[task], Evidence(True, True, None, "ok", None, calls), inputs))
        assert not {check for check, verdict in verdicts.items() if verdict.fraction}
        assert "This check passes, but counts only when" in verdicts["builds"].message
        assert earned(TASKS, task, verdicts) == {}


class TestOrdinal:
    def test_endings(self) -> None:
        assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
            *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th")
        ]


@st.composite
def networks(draw: Any) -> dict[str, Any]:
    """Networks of any connections, with everything leading to the output."""
    nodes: list[Any] = []
    unread = {0}
    for index in range(1, draw(st.integers(1, 12)) + 1):
        op, options = draw(st.sampled_from([CONV, NORM, RELU, ADD, ("Dropout", {"rate": 0.5})]))
        count = 2 if op == "Add" else 1
        recent = st.integers(max(0, index - 4), index - 1)
        inputs = draw(st.lists(recent, min_size=count, max_size=count))
        nodes.append((op, options, inputs))
        unread = (unread - set(inputs)) | {index}
    nodes.append(("Add", {}, sorted(unread)[-16:]))
    tail = [
        ("GlobalAveragePooling2D", {}),
        ("Flatten", {}),
        ("Dense", {"units": 5}),
        ("Activation", {"activation": "softmax"}),
    ]
    nodes += draw(st.lists(st.sampled_from(tail), max_size=4))
    return described(*nodes)


class TestNothingRaises:
    """Whatever network comes, each check has a verdict, and none of these networks is right."""

    @given(st.lists(networks(), min_size=3, max_size=3))
    @settings(max_examples=150, deadline=None)
    def test_any_network(self, tasks: dict[str, Task], descriptions: list[dict[str, Any]]) -> None:
        for task, inputs in ((task, probe.draw(1)) for task, probe in PROBES.items()):
            names = [*inputs["blocks"], *inputs["networks"]] if task == "resnet" else list(inputs)
            calls = {
                name: Call("build", "…", "returned", value=Network(descriptions[index % 3]))
                for index, name in enumerate(names)
            }
            verdicts = judge(Case(tasks[task], Evidence(True, True, None, "ok", None, calls), inputs))
            assert all(
                verdict.status in (Status.PASSED, Status.FAILED, Status.BLOCKED)
                for verdict in verdicts.values()
            )
            assert any(verdict.status is not Status.PASSED for verdict in verdicts.values())
            assert all(v.message for v in verdicts.values() if v.status is not Status.PASSED)


@pytest.fixture(scope="module")
def tasks(network_judge: Any) -> dict[str, Task]:
    return {task: network_judge(task).task for task in PROBES}
