"""Paths compared with what is wanted, on networks written by hand."""

from collections.abc import Sequence
from typing import Any

import pytest

from grader.tasks.differences import absent, compare
from grader.tasks.paths import Path
from grader.tasks.wanted import Want
from tests.grader.tasks.handmade import CONV, NORM, POOL, RELU, path_of

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
