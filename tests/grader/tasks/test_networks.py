"""What the judges of networks share, tried on hand-made blueprints: no Keras is needed here."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.blueprint import read as read_blueprint
from grader.config.manifest import Task
from grader.grading.evidence import Call, Evidence, Network
from grader.grading.judging import Case, judge, ordinal
from grader.results.record import Status
from grader.tasks.alexnet import probe as alexnet_probe
from grader.tasks.networks import BUDGET, Join, Path, Step, Tangled, Want, absent, compare, path
from grader.tasks.resnet import probe as resnet_probe
from grader.tasks.wide_resnet import probe as wide_resnet_probe

CONV = ("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"})
NORM = ("BatchNormalization", {})
RELU = ("Activation", {"activation": "relu"})
POOL = ("MaxPooling2D", {})
ADD = ("Add", {})


def described(*nodes: Any, size: int = 8) -> dict[str, Any]:
    """A description of nodes (op, settings) or (op, settings, inputs); by default each reads the last."""
    listed: list[dict[str, Any]] = [{"op": "Input", "settings": {}, "inputs": []}]
    for op, options, *inputs in nodes:
        listed.append({"op": op, "settings": options, "inputs": inputs[0] if inputs else [len(listed) - 1]})
    return {"format": 1, "input_shape": [size, size, 4], "nodes": listed, "output": len(listed) - 1}


def path_of(*nodes: Any) -> Path:
    return path(read_blueprint(described(*nodes), BUDGET))


def ops(steps: Path) -> list[Any]:
    """A path as nested lists of operations."""
    return [
        step.op if isinstance(step, Step) else (step.op, sorted(ops(branch) for branch in step.branches))
        for step in steps
    ]


class TestPath:
    """Paths that part and meet again become one Join; everything else is in its order."""

    def test_one_path(self) -> None:
        assert ops(path_of(CONV, NORM, RELU)) == ["Conv2D", "BatchNormalization", "relu"]

    def test_a_shortcut(self) -> None:
        steps = path_of(CONV, CONV, NORM, (*ADD, [1, 3]), RELU)
        assert ops(steps) == ["Conv2D", ("Add", [[], ["Conv2D", "BatchNormalization"]]), "relu"]
        join = steps[1]
        assert isinstance(join, Join)
        assert join.size == join.shape == (8, 8, 4)

    def test_a_join_within_a_branch(self) -> None:
        steps = path_of(CONV, CONV, RELU, (*ADD, [2, 3]), NORM, (*ADD, [1, 5]))
        assert ops(steps) == [
            "Conv2D",
            ("Add", [[], ["Conv2D", ("Add", [[], ["relu"]]), "BatchNormalization"]]),
        ]

    def test_something_added_to_itself(self) -> None:
        assert ops(path_of(CONV, (*ADD, [1, 1]))) == ["Conv2D", ("Add", [[], []])]

    def test_padding_belongs_to_its_convolution(self) -> None:
        pad = ("Pad", {"widths": [[1, 1], [1, 1], [0, 0]]})
        steps = path_of(pad, ("Conv2D", {"filters": 4, "kernel_size": 3}), RELU)
        assert ops(steps) == ["Conv2D", "relu"]
        assert isinstance(steps[0], Step)
        assert steps[0].padding == ((1, 1), (1, 1))
        assert steps[0].size == (8, 8, 4)

    def test_padding_belongs_to_its_average_pooling(self) -> None:
        pad = ("Pad", {"widths": [[1, 1], [1, 1], [0, 0]]})
        pool = ("AveragePooling2D", {"pool_size": 3, "strides": 2})
        steps = path_of(CONV, pad, pool)
        assert ops(steps) == ["Conv2D", "AveragePooling2D"]
        same = {"pool_size": (3, 3), "strides": (2, 2), "padding": "same"}
        wanted = [Want("AveragePooling2D", "pool", "the pooling", same)]
        assert kinds(steps[1:], wanted) == []
        assert kinds(path_of(CONV, pool)[1:], wanted) == ["pool"]

    def test_paths_without_blocks_in_them(self) -> None:
        """Three branches, of which two share a layer: no way to say which block that layer is in."""
        with pytest.raises(Tangled, match="is part of two paths"):
            path_of(CONV, CONV, CONV, (*ADD, [2, 3]), (*ADD, [1, 2]), (*ADD, [4, 5]))

    def test_hostile_connections_take_no_time(self) -> None:
        """Followed along every path, these would take 2 ** 80 steps."""
        nodes: list[Any] = [CONV, CONV]
        for index in range(3, 83):
            nodes.append((*ADD, [index - 1, index - 2]))
        with pytest.raises(Tangled):
            path_of(*nodes)

    def test_deep_nesting(self) -> None:
        """As deep as the budget of nodes allows: no RecursionError."""
        depth = 190
        nodes = [CONV] * depth + [RELU]
        nodes += [(*ADD, [depth + 1 + i, depth - i]) for i in range(depth)]
        steps: Path = path_of(*nodes)
        levels = 0
        while joins := [step for step in steps if isinstance(step, Join)]:
            steps = max(joins[0].branches, key=len)
            levels += 1
        assert levels == depth

    def test_deepest_nesting_of_all(self) -> None:
        """x = x + start, again and again: two nodes a level less, so that Python's own limit comes first."""
        nodes = [CONV, RELU, *((*ADD, [index, 1]) for index in range(2, 590))]
        with pytest.raises(Tangled, match="more than 200 paths within each other"):
            path_of(*nodes)


WANTED = [
    Want("Conv2D", "conv", "the convolution", {"kernel_size": (3, 3), "padding": "same"}),
    Want("BatchNormalization", "norm", "the normalisation"),
    Want("relu", "relu", "the ReLU"),
    Want("MaxPooling2D", "pool", "the pooling", {"pool_size": (2, 2), "strides": (2, 2)}),
]
EXTRA = {"Conv2D": "conv", "Dropout": "drop", "relu": "relu", "": "other"}


def kinds(found: Path, wanted: Sequence[Want] = WANTED) -> list[str]:
    return [difference.kind for difference in compare(found, wanted, extra=EXTRA)]


class TestCompare:
    """One thing that differs is one difference, and what comes after it still matches."""

    def test_the_same(self) -> None:
        assert kinds(path_of(CONV, NORM, RELU, POOL)) == []

    def test_missing(self) -> None:
        (difference,) = compare(path_of(CONV, RELU, POOL), WANTED, extra=EXTRA)
        assert difference.kind == "norm"
        assert difference.text == "after the convolution comes ReLU, expected batch normalisation"

    def test_missing_at_the_end(self) -> None:
        (difference,) = compare(path_of(CONV, NORM, RELU), WANTED, extra=EXTRA)
        assert difference.text == "after the ReLU comes the end, expected 2x2 max pooling with stride 2"

    def test_too_many(self) -> None:
        (difference,) = compare(
            path_of(CONV, NORM, RELU, ("Dropout", {"rate": 0.5}), POOL), WANTED, extra=EXTRA
        )
        assert difference.kind == "drop"
        assert difference.text == "after the ReLU comes dropout of 0.5, which should not be there"

    def test_another_in_its_place(self) -> None:
        (difference,) = compare(
            path_of(CONV, NORM, ("Activation", {"activation": "tanh"}), POOL), WANTED, extra={}
        )
        assert (difference.kind, difference.text) == ("relu", "the ReLU is tanh, expected ReLU")

    def test_another_setting(self) -> None:
        conv = ("Conv2D", {"filters": 4, "kernel_size": [5, 3]})
        texts = [d.text for d in compare(path_of(conv, NORM, RELU, POOL), WANTED, extra=EXTRA)]
        assert texts == [
            "the convolution has kernel size 5x3, expected 3x3",
            "the convolution has padding 'valid', expected 'same'",
        ]

    def test_a_missing_layer_takes_along_what_belongs_to_it(self) -> None:
        assert kinds(path_of(CONV, NORM, RELU, POOL), [*WANTED, *WANTED]) == ["conv"]

    def test_a_layer_too_many_takes_along_what_belongs_to_it(self) -> None:
        assert kinds(path_of(CONV, NORM, RELU, POOL, CONV, NORM, RELU)) == ["conv"]

    def test_nothing_at_all(self) -> None:
        assert kinds((), WANTED[:2]) == ["conv"]
        assert kinds((), []) == []

    @pytest.mark.parametrize(
        ("widths", "stride", "right"),
        [
            ([[1, 1], [1, 1]], 1, True),
            ([[0, 2], [0, 2]], 1, False),  # not centred
            ([[2, 2], [2, 2]], 1, False),
            ([[1, 1], [1, 1]], 2, True),
            ([[0, 1], [0, 1]], 2, True),  # what 'same' does
            ([[1, 0], [1, 0]], 2, True),
            ([[0, 0], [0, 1]], 2, False),
        ],
    )
    def test_explicit_padding(self, widths: list[list[int]], stride: int, right: bool) -> None:
        conv = ("Conv2D", {"filters": 4, "kernel_size": 3, "strides": stride})
        wanted = [Want("Conv2D", "conv", "the convolution", {"padding": "same"})]
        assert (kinds(path_of(("Pad", {"widths": [*widths, [0, 0]]}), conv), wanted) == []) is right


class TestAbsent:
    """Where most of the steps of a kind are not there, the kind has not passed for having no faults."""

    @pytest.mark.parametrize(
        ("found", "asked", "lacking"),
        [
            ([CONV, NORM, RELU, POOL], {"norm"}, ""),
            ([CONV], {"norm"}, "the normalisation is missing, and so are 1 more of 2"),
            ([CONV, NORM], {"norm"}, ""),  # half of them
            ([CONV], {"pool", "relu"}, "the ReLU is missing, and so are 3 more of 4"),
            ([NORM, RELU], {"relu"}, "there is no convolution in it"),
            ([CONV], {"something else"}, ""),
        ],
    )
    def test_half(self, found: list[Any], asked: set[str], lacking: str) -> None:
        assert absent(path_of(*found), [*WANTED, *WANTED], asked) == lacking

    def test_a_kind_of_single_settings(self) -> None:
        """A kind that is about one setting of a step needs the step."""
        wanted = [Want("Dense", "dense", "the dense layer", {"units": 3}, kinds={"units": "classes"})]
        assert absent(path_of(CONV), wanted, {"classes"}) == "the dense layer is missing"
        assert absent(path_of(("Dense", {"units": 3})), wanted, {"classes"}) == ""


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
        passed = {check for check, verdict in verdicts.items() if verdict.fraction}
        assert passed <= {"block.builds", "builds"}
        assert "builds" in passed


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
