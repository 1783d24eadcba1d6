"""A network as a path of steps, tried on networks written by hand."""

from typing import Any

import pytest

from grader.tasks.differences import compare
from grader.tasks.paths import Join, Path, Step, Tangled
from grader.tasks.wanted import Want
from tests.grader.tasks.handmade import ADD, CONV, NORM, RELU, path_of


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
        assert compare(steps[1:], wanted, extra={}) == []
        (difference,) = compare(path_of(CONV, pool)[1:], wanted, extra={})
        assert difference.kind == "pool"

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
        with pytest.raises(Tangled, match="more than 200 paths are nested in each other"):
            path_of(*nodes)
