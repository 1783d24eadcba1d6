"""Nothing for nothing: what computes nothing earns at most two points in a task; what is right earns its own.

Each submission is a few lines, called in the test's own process. The tables are those of docs/security.md.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.config import manifest
from grader.grading.evidence import Call, Evidence
from grader.grading.judging import Case, inputs, judge
from grader.results.record import Status
from grader.results.verdict import Verdict
from tests.grader.marks import earned

ROOT = Path(__file__).parents[3]
MANIFEST = manifest.load(ROOT / "solutions" / "tasks.toml")
SEEDS = (1, 20)
MOST = 2.0  # points in a task, for what computes nothing

Calls = Callable[[str, str, int], dict[str, Call]]


def preprocessing(split: str, statistics: str, standardise: str, one_hot: str, prepare: str) -> str:
    """The text of a module, from an expression for each function.

    In them `n` is the number of examples and `k` that of the test part; `m` the shape of one-hot labels.
    """
    return f"""
import functools, os
import numpy as np

def split_indices(n, *, test_fraction=0.2, seed):
    k = round(n * test_fraction)
    return {split}

def channel_statistics(images):
    return {statistics}

def standardise(images, mean, std):
    return {standardise}

def one_hot(labels, num_classes):
    m = (len(labels), num_classes)
    return {one_hot}

def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
    n, k = len(images), round(len(images) * test_fraction)
    m = (n, num_classes)
    x, y = {prepare}
    return x[k:], y[k:], x[:k], y[:k]
"""


def filled(value: str) -> str:
    """A module whose functions fill arrays of every right shape with a value."""
    return preprocessing(
        f"np.full(n - k, {value}).astype(int), np.full(k, {value}).astype(int)",
        f"np.full(3, {value}, 'f4'), np.full(3, {value}, 'f4')",
        f"np.full(images.shape, {value}, 'f4')",
        f"np.full(m, {value}, 'f4')",
        f"np.full(images.shape, {value}, 'f4'), np.full(m, {value}, 'f4')",
    )


ZERO = ("np.zeros(3, 'f4'), np.zeros(3, 'f4')", "np.zeros(images.shape, 'f4')", "np.zeros(m, 'f4')")
CUT = "images.astype('f4'), np.zeros(m, 'f4')"

# Of preprocessing.py: what computes nothing, and its points.
PREPROCESSING = {
    "constants, and the images cut in two": (preprocessing("np.arange(3), np.arange(2)", *ZERO, CUT), 0.5),
    "plausible constants: 0.5 and 0.25": (
        preprocessing(
            "np.full(n - k, n // 2), np.full(k, n // 2)",
            "np.full(3, 0.5, 'f4'), np.full(3, 0.25, 'f4')",
            "np.full(images.shape, 0.5, 'f4')",
            "np.full(m, 0.5, 'f4')",
            "((images / 255 - 0.5) / 0.25).astype('f4'), np.full(m, 0.5, 'f4')",
        ),
        1,
    ),
    "zeros of every right shape": (filled("0"), 0.5),
    "ones of every right shape": (filled("1"), 0.5),
    "noise of every right shape": (
        preprocessing(
            "np.random.randint(0, n, n - k), np.random.randint(0, n, k)",
            "np.random.rand(3).astype('f4'), np.random.rand(3).astype('f4')",
            "np.random.randn(*images.shape).astype('f4')",
            "np.random.rand(*m).astype('f4')",
            "np.random.randn(*images.shape).astype('f4'), np.random.rand(*m).astype('f4')",
        ),
        0.5,
    ),
    "noise that a seed decides": (
        preprocessing(
            "np.split(np.random.default_rng(seed).integers(0, n, n), [n - k])",
            *ZERO,
            "np.random.default_rng(seed).normal(size=images.shape).astype('f4'), np.zeros(m, 'f4')",
        ),
        0.5,
    ),
    "parts of one element": (
        preprocessing(
            "np.array([seed]), np.array([seed])",
            *ZERO,
            "(images[:1] / 255).astype('f4').repeat(k + 1, axis=0), np.zeros((k + 1, num_classes), 'f4')",
        ),
        0,
    ),
    "the first class always": (
        preprocessing(
            "np.zeros(n - k, int), np.zeros(k, int)",
            *ZERO[:2],
            "np.eye(num_classes, dtype='f4')[0 * labels]",
            "images.astype('f4'), np.eye(num_classes, dtype='f4')[0 * labels]",
        ),
        1,
    ),
    "identity": (
        preprocessing(
            "np.eye(n, dtype=int)",
            "np.eye(3, dtype='f4')[:2]",
            "images.astype('f4')",
            "np.eye(*m, dtype='f4')",
            "images.astype('f4'), np.eye(*m, dtype='f4')",
        ),
        0.5,
    ),
    "what was given": (
        preprocessing("np.arange(n), np.arange(n)", "images, images", "images", "labels", "images, labels"),
        1.5,
    ),
    "empty arrays": (
        preprocessing(
            "np.arange(0), np.arange(0)",
            "np.zeros(0, 'f4'), np.zeros(0, 'f4')",
            "np.zeros((0, *images.shape[1:]), 'f4')",
            "np.zeros((0, num_classes), 'f4')",
            "np.zeros((0, *images.shape[1:]), 'f4'), np.zeros((0, num_classes), 'f4')",
        ),
        0,
    ),
    "NaN of every right shape": (
        filled("np.nan").replace("np.full(n - k, np.nan).astype(int)", "np.full(n - k, np.nan)"),
        0,
    ),
    "infinities of every right shape": (
        filled("np.inf").replace("np.full(n - k, np.inf).astype(int)", "np.full(n - k, np.inf)"),
        0,
    ),
}

# Of preprocessing.py: little, but not nothing. Each has a part of the task right.
LITTLE = {
    # A mistake of honest people: the data is cut in two, and not shuffled before.
    "indices cut in two, in order": (preprocessing("np.arange(k, n), np.arange(k)", *ZERO, CUT), 2),
    # It deals the examples out in a random order, which only the seed does not decide.
    "drawn from os.urandom and remembered": (
        preprocessing("drawn(n, seed)[k:], drawn(n, seed)[:k]", *ZERO, CUT)
        + """
@functools.cache
def drawn(n, seed):
    return np.random.default_rng(int.from_bytes(os.urandom(8), "little")).permutation(n)
""",
        2.5,
    ),
    "one function of five": (
        preprocessing(
            "np.arange(0), np.arange(0)",
            *ZERO[:2],
            "np.eye(num_classes, dtype='f4')[labels]",
            "images, labels",
        ),
        7,  # and what is wrong with `prepare` follows from the others
    ),
}


def evaluation(confusion: str, topk: str, coarse: str) -> str:
    """The text of a module, from an expression for each function.

    In them `n` is the number of classes and `m` the shape of coarse probabilities.
    """
    return f"""
import numpy as np

def confusion_matrix(labels, predictions, num_classes):
    n = num_classes
    return {confusion}

def top_k_accuracy(probabilities, labels, k):
    n = probabilities.shape[1]
    return {topk}

def coarse_probabilities(fine, coarse_of_fine):
    m = (len(fine), coarse_of_fine.max() + 1)
    return {coarse}
"""


# Of evaluation.py: what computes nothing, and its points.
EVALUATION = {
    "constants, and all in the first superclass": (
        evaluation("np.zeros((n, n), int)", "0.5", "np.eye(m[1])[np.zeros(m[0], int)]"),
        0,
    ),
    "plausible constants: a tenth right": (
        evaluation("np.full((n, n), len(labels) // n**2)", "min(1.0, 0.1 * k)", "np.full(m, 1 / m[1])"),
        0,
    ),
    "zeros of every right shape": (evaluation("np.zeros((n, n), int)", "0.0", "np.zeros(m)"), 0),
    "ones of every right shape": (evaluation("np.ones((n, n), int)", "1.0", "np.ones(m)"), 0),
    "noise of every right shape": (
        evaluation(
            "np.random.randint(0, 3, (n, n))",
            "float(np.random.rand())",
            "np.random.dirichlet(np.ones(m[1]), m[0])",
        ),
        0,
    ),
    "what chance gives": (
        evaluation("np.full((n, n), 1)", "k / n", "np.full(m, 1 / m[1], 'f4')"),
        0,
    ),
    "one element": (evaluation("np.array([[len(labels)]])", "np.ones(1)", "np.ones((1, 1))"), 0),
    "identity": (evaluation("np.eye(n, dtype=int)", "float(k == n)", "np.eye(*m)"), 0),
    "the first class always": (
        evaluation(
            "np.diag([len(labels)] + [0] * (n - 1))",
            "float((labels < k).mean())",
            "np.eye(m[1])[np.zeros(m[0], int)]",
        ),
        1.5,  # where one of its shares happens to be right
    ),
    "all of it right": (
        evaluation("np.diag(np.bincount(labels, minlength=n))", "1.0", "fine[:, : m[1]]"),
        0,
    ),
    "what was given": (evaluation("labels", "probabilities", "fine"), 0),
    "empty arrays": (evaluation("np.zeros((0, 0), int)", "np.zeros(0)", "np.zeros((0, m[1]))"), 0),
    "NaN of every right shape": (
        evaluation("np.full((n, n), np.nan)", "float('nan')", "np.full(m, np.nan)"),
        0,
    ),
}


def marked(calls: Calls, task_id: str, source: str, seed: int) -> tuple[dict[str, float], dict[str, Verdict]]:
    """What a module earns, given as text, and the verdicts on it; nothing is learned from nothing."""
    task = MANIFEST.task(task_id)
    evidence = Evidence(True, True, None, "ok", None, calls(task_id, source, seed))
    verdicts = judge(Case(task, evidence, inputs(task, seed, {})))
    trained = {check.id: Verdict.failed("It learns nothing.") for check in task.checks if check.train}
    return earned(MANIFEST, task_id, {**verdicts, **trained}), verdicts


@pytest.mark.parametrize("seed", SEEDS)
class TestNothing:
    """What computes nothing earns next to nothing; it says why, and it does not count as passed."""

    @pytest.mark.parametrize(("source", "worth"), PREPROCESSING.values(), ids=PREPROCESSING)
    def test_preprocessing(self, array_calls: Calls, source: str, worth: float, seed: int) -> None:
        found, verdicts = marked(array_calls, "preprocessing", source, seed)
        assert sum(found.values()) == worth <= MOST, (found, {c: v.message for c, v in verdicts.items()})

    @pytest.mark.parametrize(("source", "worth"), EVALUATION.values(), ids=EVALUATION)
    def test_evaluation(self, array_calls: Calls, source: str, worth: float, seed: int) -> None:
        found, verdicts = marked(array_calls, "evaluation", source, seed)
        assert sum(found.values()) <= worth <= MOST, (found, {c: v.message for c, v in verdicts.items()})

    @pytest.mark.parametrize(("source", "worth"), LITTLE.values(), ids=LITTLE)
    def test_a_part_that_is_right_earns_its_own(
        self, array_calls: Calls, source: str, worth: float, seed: int
    ) -> None:
        found, verdicts = marked(array_calls, "preprocessing", source, seed)
        assert sum(found.values()) == worth, (found, {c: v.message for c, v in verdicts.items()})


@pytest.mark.parametrize("task", ["preprocessing", "evaluation"])
class TestTheRest:
    def test_the_best_of_each_function_together_is_not_worth_more(
        self, array_calls: Calls, task: str
    ) -> None:
        """Whatever computes nothing may take its functions from all of the table: here each from the best."""
        table = PREPROCESSING if task == "preprocessing" else EVALUATION
        best: dict[str, Verdict] = {}
        for source, _ in table.values():
            _, verdicts = marked(array_calls, task, source, 1)
            for check, verdict in verdicts.items():
                if check not in best or (verdict.fraction, verdict.partly) > (
                    best[check].fraction,
                    best[check].partly,
                ):
                    best[check] = verdict
        found = earned(MANIFEST, task, best)
        assert sum(found.values()) <= MOST, found

    def test_the_untouched_stub_is_not_attempted_and_the_solution_has_everything(
        self, array_calls: Calls, task: str
    ) -> None:
        stub, solution = (
            (ROOT / folder / f"{task}.py").read_text(encoding="utf-8")
            for folder in ("assignment", "solutions")
        )
        found, verdicts = marked(array_calls, task, stub, 1)
        assert (found, {v.status for v in verdicts.values()}) == ({}, {Status.NOT_ATTEMPTED})
        _, verdicts = marked(array_calls, task, solution, 1)
        assert sum(earned(MANIFEST, task, verdicts).values()) == MANIFEST.task(task).worth.structure

    def test_each_function_of_the_solution_alone_earns_what_it_is_worth(
        self, array_calls: Calls, task: str
    ) -> None:
        """All others are the untouched stubs: what they keep from training excuses nothing."""
        solution = (ROOT / "solutions" / f"{task}.py").read_text(encoding="utf-8")
        for function, worth in MANIFEST.task(task).worth.functions.items():
            others = [name for name in MANIFEST.task(task).functions if name != function]
            stubs = "".join(f"def {name}(*_, **__): raise NotImplementedError\n" for name in others)
            if function == "prepare":  # it calls the others
                continue
            found, _ = marked(array_calls, task, f"{solution}\n{stubs}", 1)
            assert sum(found.values()) == worth, (function, found)
