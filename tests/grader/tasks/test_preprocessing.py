"""The judge of preprocessing, from both sides: what is right passes every check, what is wrong fails its own.

Every case is run for real: the harness calls it in a process of its own, as in a sandbox but without one.
A case is the solution with some of its functions defined once more below it: the last definition counts.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from grader import manifest
from grader.evidence import Evidence
from grader.judging import Case, judge
from grader.record import Status, Verdict
from grader.tasks.preprocessing import probe
from grader.tasks.preprocessing.judge import CHECKS

ROOT = Path(__file__).parents[3]
TASK = manifest.load(ROOT / "solutions" / "tasks.toml").task("preprocessing")
SOLUTION = (ROOT / "solutions" / "preprocessing.py").read_text()

Judged = Callable[..., dict[str, Verdict]]


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    """Probes and judges a submission given as file name -> text."""

    def run(files: dict[str, str], seed: int = 20) -> dict[str, Verdict]:
        submission, output = tmp_path / "submission", tmp_path / "output"
        submission.mkdir()
        output.mkdir()
        for name, text in files.items():
            (submission / name).write_text(text)
        command = [sys.executable, "-I", "-B", ROOT / "grader/inside/harness.py"]
        command += ["--probe", ROOT / "grader/tasks/preprocessing/probe.py", "--module", "preprocessing.py"]
        command += ["--submission", submission, "--output", output, "--seed", str(seed)]
        subprocess.run(command, check=True, timeout=120, capture_output=True)
        return judge(Case(TASK, Evidence.read(output), probe.draw(seed)))

    return run


def failures(verdicts: dict[str, Verdict]) -> dict[str, str]:
    return {check: v.message for check, v in verdicts.items() if v.status is not Status.PASSED}


def solution_but(code: str) -> dict[str, str]:
    return {"preprocessing.py": f"{SOLUTION}\n\n{dedent(code)}"}


SPLIT_BY_SCIKIT_LEARN = """
    from sklearn.model_selection import train_test_split

    def split_indices(num_examples, *, test_fraction=0.2, seed):  # rounds up, and returns a list
        return train_test_split(np.arange(num_examples), test_size=test_fraction, random_state=seed)
"""
SPLIT_BY_THE_GLOBAL_GENERATOR = """
    def split_indices(num_examples, *, test_fraction=0.2, seed):  # rounds down; the test part comes last
        np.random.seed(seed)
        order = np.random.permutation(num_examples)
        cut = num_examples - int(num_examples * test_fraction)
        return order[:cut], order[cut:]

    def channel_statistics(images):
        scaled = images.astype(np.float32) / 255  # float32 sums, another ddof
        return scaled.mean(axis=(0, 1, 2)), scaled.std(axis=(0, 1, 2), ddof=1)
"""
ONE_HOT_BY_KERAS = """
    import keras

    def one_hot(labels, num_classes):
        return keras.utils.to_categorical(labels, num_classes).astype("float32")
"""
ONE_HOT_BY_TENSORFLOW = """
    import tensorflow as tf

    def one_hot(labels, num_classes):  # a tensor
        return tf.one_hot(labels, num_classes)

    def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
        train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
        mean, std = channel_statistics(images[train])
        x_train, x_test = (tf.convert_to_tensor(standardise(images[i], mean, std)) for i in (train, test))
        return x_train, one_hot(labels[train], num_classes), x_test, one_hot(labels[test], num_classes)
"""
LISTS_AND_LOOPS = """
    import random

    def split_indices(num_examples, *, test_fraction=0.2, seed):
        order = list(range(num_examples))
        random.Random(seed).shuffle(order)
        cut = round(num_examples * test_fraction)
        return [order[cut:], order[:cut]]

    def one_hot(labels, num_classes):
        rows = [[float(c == label) for c in range(num_classes)] for label in labels]
        return np.array(rows, dtype="float32")
"""
ALL_IN_ONE_PLACE = """
    def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):  # a plain tuple, nothing reused
        rng = np.random.default_rng([seed, 1])
        order = rng.permutation(len(images))
        x, y = images[order] / 255, np.eye(num_classes)[labels[order]]
        cut = int(len(x) * (1 - test_fraction))
        mean, std = x[:cut].mean((0, 1, 2)), x[:cut].std((0, 1, 2))
        x = ((x - mean) / std).astype("float32")
        return x[:cut], y[:cut].astype("float32"), x[cut:], y[cut:].astype("float32")
"""


class TestRight:
    @pytest.mark.parametrize("seed", [0, 1, 2**31])
    def test_the_solution_passes_every_check(self, judged: Judged, seed: int) -> None:
        assert failures(judged({"preprocessing.py": SOLUTION}, seed)) == {}

    def test_every_check_of_the_manifest_has_a_judge_and_the_reverse(self) -> None:
        assert [check.id for check in TASK.checks] == list(CHECKS)

    @pytest.mark.parametrize(
        "code",
        [
            pytest.param(SPLIT_BY_SCIKIT_LEARN, id="scikit-learn's train_test_split"),
            pytest.param(SPLIT_BY_THE_GLOBAL_GENERATOR, id="the global generator, float32 sums"),
            pytest.param(ONE_HOT_BY_KERAS, id="keras.utils.to_categorical"),
            pytest.param(ONE_HOT_BY_TENSORFLOW, id="tensors"),
            pytest.param(LISTS_AND_LOOPS, id="lists and loops"),
            pytest.param(ALL_IN_ONE_PLACE, id="prepare on its own, a plain tuple"),
        ],
    )
    def test_other_ways_of_doing_it_pass_every_check(self, judged: Judged, code: str) -> None:
        assert failures(judged(solution_but(code))) == {}

    def test_helper_files_may_be_imported_but_not_stand_in_for_a_library(self, judged: Judged) -> None:
        files = {
            "preprocessing.py": "import json\nfrom helpers import *\n",
            "helpers.py": SOLUTION,
            "numpy.py": "raise RuntimeError('this is not NumPy')\n",
            "json.py": "raise RuntimeError('this is not json')\n",
        }
        assert failures(judged(files)) == {}


class TestNotAttempted:
    def test_the_untouched_stub_is_not_attempted_throughout(self, judged: Judged) -> None:
        verdicts = judged({"preprocessing.py": (ROOT / "assignment/preprocessing.py").read_text()})
        assert {v.status for v in verdicts.values()} == {Status.NOT_ATTEMPTED}

    def test_a_missing_file_is_not_attempted(self, judged: Judged) -> None:
        verdicts = judged({"alexnet.py": ""})
        assert {v.status for v in verdicts.values()} == {Status.NOT_ATTEMPTED}
        assert verdicts["split.form"].message == "There is no preprocessing.py."

    def test_one_function_left_for_later_costs_its_own_checks_and_what_calls_it(self, judged: Judged) -> None:
        verdicts = judged(
            solution_but("def one_hot(labels, num_classes): raise NotImplementedError('later')")
        )
        not_attempted = [c for c, v in verdicts.items() if v.status is Status.NOT_ATTEMPTED]
        assert not_attempted == ["one_hot.form", "one_hot.values", "inputs.kept"]
        assert "raised NotImplementedError: later (preprocessing.py, line" in verdicts["prepare.form"].message


def split(body: str) -> str:
    """split_indices with another way to get from `order` and `cut` to the parts."""
    return f"""
    def split_indices(num_examples, *, test_fraction=0.2, seed):
        order = np.random.default_rng(seed).permutation(num_examples)
        cut = round(num_examples * test_fraction)
        {body}
"""


def prepare(body: str) -> str:
    """prepare with another step before the parts are put together."""
    return f"""
    def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
        train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
        mean, std = channel_statistics(images[train])
        x_train, x_test = standardise(images[train], mean, std), standardise(images[test], mean, std)
        y_train, y_test = one_hot(labels[train], num_classes), one_hot(labels[test], num_classes)
        {body}
        return x_train, y_train, x_test, y_test
"""


def function(signature: str, body: str) -> str:
    return f"\n    def {signature}:\n        {body}\n"


STATISTICS, STANDARDISE = "channel_statistics(images)", "standardise(images, mean, std)"
ONE_HOT = "one_hot(labels, num_classes)"

# What is wrong, the functions that are, and the checks that must say so, each with a piece of its message.
WRONG: list[tuple[str, str, dict[str, str]]] = [
    (
        "not shuffled",
        split("return np.arange(cut, num_examples), np.arange(cut)"),
        {
            "split.shuffled": "a training part that starts",
            "split.seeded": "another split, for it is another seed",
            "prepare.shuffled": "a training part that starts with images",
            "prepare.seeded": "others, for it is another seed",
        },
    ),
    (
        "one part shuffled",
        split("return order[cut:], np.sort(order[:cut])"),
        {"split.shuffled": "a test part that starts", "prepare.shuffled": "a test part that starts"},
    ),
    (
        "the test part is a block",
        split("return order[order >= cut], order[order < cut]"),
        {
            "split.shuffled": "all indices from 0 to",
            "split.seeded": "another split",
            "prepare.seeded": "others",
        },
    ),
    (
        "overlap",
        split("return order[cut - 3:], order[:cut]"),
        {"split.complete": "3 are in both", "prepare.complete": "3 are in both"},
    ),
    (
        "incomplete",
        split("return order[cut + 1:], order[:cut]"),
        {"split.complete": "1 are in neither", "prepare.complete": "1 are in neither"},
    ),
    (
        "drawn with replacement",
        split("order = order[order // 2]; return order[cut:], order[:cut]"),
        {"split.complete": "are in neither", "prepare.complete": "are in one part twice"},
    ),
    (
        "indices from 1",
        split("return order[cut:] + 1, order[:cut] + 1"),
        {"split.complete": "1 do not exist", "prepare.form": "raised IndexError"},
    ),
    (
        "the wrong way round",
        split("return order[:cut], order[cut:]"),
        {"split.size": "a test part of", "prepare.complete": "a test part of"},
    ),
    (
        "unseeded",
        split("np.random.shuffle(order); return order[cut:], order[:cut]"),
        {
            "split.seeded": "another split than the first time",
            "prepare.seeded": "another training part than the first time",
        },
    ),
    (
        "always the same seed",
        split("order = np.random.default_rng(0).permutation(num_examples); return order[cut:], order[:cut]"),
        {"split.seeded": "for it is another seed", "prepare.seeded": "for it is another seed"},
    ),
    (
        "always the first one",
        split("return 0 * order[cut:], 0 * order[:cut]"),
        {
            "split.complete": "are in one part twice",
            "split.shuffled": "a training part that starts 0, 0, 0",
            "split.seeded": "for it is another seed",
            "prepare.complete": "are in one part twice",
            "prepare.shuffled": "a training part that starts",
            "prepare.seeded": "for it is another seed",
        },
    ),
    (
        "statistics of each pixel",
        function(STATISTICS, "return tuple(f(images / 255, axis=0).astype('f4') for f in (np.mean, np.std))"),
        {
            "statistics.form": "a float32 array of shape (8, 11, 3)",
            "prepare.train_statistics": "for any three means",
            "prepare.test_statistics": "for any three means",
        },
    ),
    (
        "statistics over the wrong axes",
        function(
            STATISTICS, "return tuple(f(images / 255, (1, 2, 3))[:3].astype('f4') for f in (np.mean, np.std))"
        ),
        {
            "statistics.values": "expected mean = (0.",
            "prepare.train_statistics": "those of the training part",
        },
    ),
    (
        "statistics of unscaled images",
        function(STATISTICS, "return tuple(f(images, (0, 1, 2)).astype('f4') for f in (np.mean, np.std))"),
        {"statistics.values": "expected mean = (0.", "prepare.train_statistics": "with mean (5"},
    ),
    (
        "float64 statistics",
        function(STATISTICS, "return (images / 255).mean((0, 1, 2)), (images / 255).std((0, 1, 2))"),
        {"statistics.form": "a float64 array of shape (3,)"},
    ),
    (
        "integer division",
        function(STANDARDISE, "return ((images // 255 - mean) / std).astype('f4')"),
        {"standardise.values": " / 255 - ", "prepare.form": "none of those given"},
    ),
    (
        "no division by 255",
        function(STANDARDISE, "return ((images - mean) / std).astype('f4')"),
        {
            "standardise.values": " / 255 - ",
            "prepare.train_statistics": "those of the training part",
            "prepare.test_statistics": "no mean was subtracted",
        },
    ),
    (
        "its own statistics instead of those handed in",
        function(
            STANDARDISE, "m, s = channel_statistics(images); return ((images / 255 - m) / s).astype('f4')"
        ),
        {"standardise.values": "for a pixel of", "prepare.test_statistics": "(its own)"},
    ),
    (
        "float64 images",
        function(STANDARDISE, "return (images / 255 - mean.astype('f8')) / std"),
        {"standardise.form": "a float64 array of shape", "prepare.form": "a float64 array of shape"},
    ),
    (
        "every image by itself",
        function(STANDARDISE, "x = images / 255; return (x - x.mean((1, 2), keepdims=True)).astype('f4')"),
        {
            "standardise.values": "for a pixel of",
            "prepare.train_statistics": "for any three means",
            "prepare.test_statistics": "for any three means",
        },
    ),
    (
        "flips images",
        function(STANDARDISE, "return ((images[:, :, ::-1] / 255 - mean) / std).astype('f4')"),
        {"standardise.values": "for a pixel of", "prepare.form": "none of those given"},
    ),
    (
        "divides by zero",
        function(STANDARDISE, "return ((images / 255 - mean) / (0 * std)).astype('f4')"),
        {"standardise.values": "inf for a pixel", "prepare.form": "not finite"},
    ),
    (
        "writes into its input",
        function(STANDARDISE, "x = ((images / 255 - mean) / std).astype('f4'); images[:] = 0; return x"),
        {"inputs.kept": "changed its argument 1"},
    ),
    (
        "sorts the labels it was given",
        prepare("labels.sort(); labels += 1"),
        {"inputs.kept": "prepare(uint8"},
    ),
    (
        "one-hot off by one",
        function(ONE_HOT, "return np.eye(num_classes, dtype='f4')[labels.astype(int) - 1]"),
        {"one_hot.values": "a row with 1 in column", "prepare.pairs": "images in the training part"},
    ),
    (
        "integer one-hot",
        function(ONE_HOT, "return np.eye(num_classes, dtype=int)[labels]"),
        {"one_hot.form": "an int64 array of shape", "prepare.form": "an int64 array of shape"},
    ),
    (
        "as many columns as classes that occur",
        function(ONE_HOT, "return np.eye(labels.max() + 1, dtype='f4')[labels]"),
        {"one_hot.form": "expected a float32 array of shape", "prepare.form": "expected (x_train, y_train"},
    ),
    (
        "arithmetic on uint8 labels",
        function(ONE_HOT, "return np.eye(num_classes, dtype='f4')[(labels * 8).astype(labels.dtype) // 8]"),
        {"one_hot.values": "one_hot(uint8"},
    ),
    (
        "shuffled without labels",
        prepare("y_train = one_hot(labels[: len(train)], num_classes)"),
        {"prepare.pairs": "images in the training part, such as 1 in column"},
    ),
    (
        "statistics of all images",
        prepare(
            "x_train, x_test = (standardise(images[i], *channel_statistics(images)) for i in (train, test))"
        ),
        {"prepare.train_statistics": "(of all images)"},
    ),
    (
        "statistics of the test part",
        prepare("x_train = standardise(images[train], *channel_statistics(images[test]))"),
        {
            "prepare.train_statistics": "(of the test part)",
            "prepare.test_statistics": "as the training part was",
        },
    ),
    (
        "the test part standardised by itself",
        prepare("x_test = standardise(images[test], *channel_statistics(images[test]))"),
        {"prepare.test_statistics": "(its own)"},
    ),
    (
        "one part standardised",
        prepare("x_test = images[test].astype('f4')"),
        {"prepare.test_statistics": "no mean was subtracted"},
    ),
    (
        "nothing standardised",
        prepare("x_train, x_test = (images[i].astype('f4') / 255 for i in (train, test))"),
        {
            "prepare.train_statistics": "and std (1, 1, 1)",
            "prepare.test_statistics": "no mean was subtracted",
        },
    ),
    (
        "test_fraction not passed on",
        function(
            "prepare(images, labels, num_classes, *, test_fraction=0.2, seed)",
            "return solved(images, labels, num_classes, seed=seed)",
        )
        + prepare("").replace("def prepare", "def solved"),
        {"prepare.complete": "a test part of"},
    ),
]


class TestWrong:
    @pytest.mark.parametrize(("code", "expected"), [pytest.param(c, e, id=name) for name, c, e in WRONG])
    def test_each_fault_fails_its_own_checks_and_no_others(
        self, judged: Judged, code: str, expected: dict[str, str]
    ) -> None:
        verdicts = judged(solution_but(code))
        failed = {check: v.message for check, v in verdicts.items() if v.status is Status.FAILED}
        assert failed.keys() == expected.keys(), failed
        for check, piece in expected.items():
            assert piece in failed[check]


class TestDraw:
    def test_the_same_seed_draws_the_same(self) -> None:
        one, two = probe.draw(5), probe.draw(5)
        assert all(np.array_equal(one[name], two[name]) for name in one)

    def test_statistics_of_all_images_are_never_those_of_a_training_part(self) -> None:
        """Whatever the seed, a leak shows: the statistics differ by more than is tolerated."""

        def statistics(images: np.ndarray) -> np.ndarray:
            return np.concatenate([images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))])

        for seed in range(200):
            inputs = probe.draw(seed)
            images = inputs["images"]
            apart = []
            for fraction, drawn in ((inputs["test_fraction"], inputs["seed"]), (0.2, inputs["other_seed"])):
                order = np.random.default_rng(drawn).permutation(len(images))
                train = images[order[round(len(images) * fraction) :]]
                apart.append(np.abs(statistics(images) / statistics(train) - 1).max())
            assert max(apart) > 0.02, seed
