"""The judge of evaluation.py, from both sides: the right passes every check, the wrong fails its own.

Every case is run for real: the harness calls it in a process of its own, as in a sandbox but without one.
A case is the solution with some of its functions defined once more below it: the last definition counts.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import numpy as np
import pytest
from sklearn import metrics

from grader import manifest
from grader.evidence import Evidence
from grader.judging import Case, judge
from grader.record import Status, Verdict
from grader.tasks.evaluation import probe
from grader.tasks.evaluation.judge import CHECKS, count_pairs, share_among_first, sum_by_superclass

ROOT = Path(__file__).parents[3]
TASK = manifest.load(ROOT / "solutions" / "tasks.toml").task("evaluation")
SOLUTION = (ROOT / "solutions" / "evaluation.py").read_text()

Judged = Callable[..., dict[str, Verdict]]


@pytest.fixture
def judged(tmp_path: Path) -> Judged:
    """Probes and judges a submission given as the text of its module."""

    def run(text: str, seed: int = 20) -> dict[str, Verdict]:
        submission, output = tmp_path / "submission", tmp_path / "output"
        submission.mkdir()
        output.mkdir()
        (submission / "evaluation.py").write_text(text)
        command = [sys.executable, "-I", "-B", ROOT / "grader/inside/harness.py"]
        command += ["--probe", ROOT / "grader/tasks/evaluation/probe.py", "--module", "evaluation.py"]
        command += ["--submission", submission, "--output", output, "--seed", str(seed)]
        command += ["--seconds", "120"]  # on a busy machine: scikit-learn and TensorFlow are imported
        subprocess.run(command, check=True, timeout=600, capture_output=True)
        return judge(Case(TASK, Evidence.read(output), probe.draw(seed)))

    return run


@pytest.fixture(scope="module")
def solution() -> ModuleType:
    spec = importlib.util.spec_from_file_location("evaluation_solution", ROOT / "solutions/evaluation.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def solution_but(code: str) -> str:
    return f"{SOLUTION}\n\n{dedent(code)}"


LOOPS = """
    def confusion_matrix(labels, predictions, num_classes):
        matrix = [[0] * num_classes for _ in range(num_classes)]
        for label, prediction in zip(labels, predictions):
            matrix[label][prediction] += 1
        return np.array(matrix)

    def top_k_accuracy(probabilities, labels, k):
        right = 0
        for row, label in zip(probabilities, labels):
            first = sorted(range(len(row)), key=lambda c: (-row[c], c))[:k]
            right += label in first
        return right / len(labels)

    def coarse_probabilities(fine_probabilities, coarse_of_fine):
        coarse = np.zeros((len(fine_probabilities), max(coarse_of_fine) + 1))
        for fine, group in enumerate(coarse_of_fine):
            coarse[:, group] += fine_probabilities[:, fine]
        return coarse
"""
LIBRARIES = """
    from sklearn import metrics

    def confusion_matrix(labels, predictions, num_classes):
        return metrics.confusion_matrix(labels, predictions, labels=range(num_classes)).astype("uint16")

    def top_k_accuracy(probabilities, labels, k):  # scikit-learn ranks the higher class number first
        classes = np.arange(probabilities.shape[1])
        turned = len(classes) - 1 - labels.astype(int)
        # Where k is the number of classes scikit-learn warns, and is right.
        return metrics.top_k_accuracy_score(turned, probabilities[:, ::-1], k=k, labels=classes)

    def coarse_probabilities(fine_probabilities, coarse_of_fine):
        coarse = np.zeros((coarse_of_fine.max() + 1, len(fine_probabilities)), "float32")
        np.add.at(coarse, coarse_of_fine, fine_probabilities.T)
        return coarse.T
"""
TENSORS = """
    import tensorflow as tf

    def confusion_matrix(labels, predictions, num_classes):
        return tf.math.confusion_matrix(labels, predictions, num_classes)

    def top_k_accuracy(probabilities, labels, k):
        later = np.arange(probabilities.shape[1]) * np.float32(1e-7)  # of equals, the lower number first
        right = tf.math.in_top_k(labels.astype("int32"), probabilities - later, k)
        return tf.reduce_mean(tf.cast(right, "float32"))

    def coarse_probabilities(fine_probabilities, coarse_of_fine):
        return tf.matmul(fine_probabilities, tf.one_hot(coarse_of_fine, int(coarse_of_fine.max()) + 1))
"""
RIGHT = {"loops and lists": LOOPS, "scikit-learn and add.at": LIBRARIES, "tensors": TENSORS}

CONFUSION = "def confusion_matrix(labels, predictions, num_classes):\n    "
TOP_K = "def top_k_accuracy(probabilities, labels, k):\n    "
COARSE = "def coarse_probabilities(fine_probabilities, coarse_of_fine):\n    "
COUNT = "return np.bincount(labels.astype(int) * num_classes + predictions, minlength=num_classes ** 2)"
RANKED = 'np.argsort(-probabilities, axis=1, kind="stable")'

# name: the function once more, the check that fails, a part of its message
WRONG: dict[str, tuple[str, str, str]] = {
    "normalised": (
        f"{CONFUSION}{COUNT}.reshape(num_classes, -1) / len(labels)",
        "confusion.form",
        "returned a float64 array of shape (",
    ),
    "floats": (
        f"{CONFUSION}{COUNT}.reshape(num_classes, -1).astype(float)",
        "confusion.form",
        "expected a square matrix of integers",
    ),
    "flat": (f"{CONFUSION}{COUNT}", "confusion.form", "expected a square matrix of integers"),
    "nothing": (f"{CONFUSION}pass", "confusion.form", "returned None"),
    "as many classes as occur": (
        f"{CONFUSION}num_classes = max(labels.max(), predictions.max()) + 1\n"
        "    m = np.zeros((num_classes, num_classes), int)\n    return m",
        "confusion.classes",
        "a row for every class there is",
    ),
    "only classes that occur": (
        f"{CONFUSION}from sklearn import metrics\n    return metrics.confusion_matrix(labels, predictions)",
        "confusion.classes",
        "a row for every class there is",
    ),
    "each pair once": (
        f"{CONFUSION}m = np.zeros((num_classes, num_classes), int)\n"
        "    m[labels, predictions] += 1\n    return m",
        "confusion.counts",
        "the number of examples",
    ),
    "classes counted from 1": (
        f"{CONFUSION}m = np.zeros((num_classes, num_classes), int)\n"
        "    np.add.at(m, (labels - 1, predictions - 1), 1)\n    return m",
        "confusion.counts",
        "at [",
    ),
    "only what is right": (
        f"{CONFUSION}right = labels[labels == predictions]\n"
        "    return np.diag(np.bincount(right, minlength=num_classes))",
        "confusion.counts",
        "counts that add up to",
    ),
    "transposed": (
        f"{CONFUSION}{COUNT}.reshape(num_classes, -1).T",
        "confusion.rows",
        "as if rows were predictions",
    ),
    "overflow of uint8": (
        f"{CONFUSION}cells = labels * labels.dtype.type(num_classes) + predictions\n"
        "    return np.bincount(cells.astype(int), minlength=num_classes ** 2)"
        "[:num_classes ** 2].reshape(num_classes, -1)",
        "confusion.dtypes",
        "other counts than for int64",
    ),
    "per cent": (
        f"{TOP_K}return 100 * ({RANKED}[:, :k] == labels[:, None]).any(axis=1).mean()",
        "topk.form",
        "expected a share from 0 to 1",
    ),
    "one for each example": (
        f"{TOP_K}return ({RANKED}[:, :k] == labels[:, None]).any(axis=1)",
        "topk.form",
        "expected one number",
    ),
    "top 5 always": (
        f"{TOP_K}return float(({RANKED}[:, :5] == labels[:, None]).any(axis=1).mean())",
        "topk.first",
        "expected 0.",
    ),
    "k too many by one": (
        f"{TOP_K}return float(({RANKED}[:, :k + 1] == labels[:, None]).any(axis=1).mean())",
        "topk.first",
        "expected 0.",
    ),
    "the least probable": (
        f"{TOP_K}return float((np.argsort(probabilities)[:, :k] == labels[:, None]).any(axis=1).mean())",
        "topk.first",
        "expected 0.",
    ),
    "k is not used": (
        f"{TOP_K}return float((probabilities.argmax(axis=1) == labels).mean())",
        "topk.values",
        "expected 0.",
    ),
    "k - 1 but for the first": (
        f"{TOP_K}return float(({RANKED}[:, :max(1, k - 1)] == labels[:, None]).any(axis=1).mean())",
        "topk.values",
        "expected 0.",
    ),
    "the higher number first": (
        f"{TOP_K}first = np.argsort(probabilities, axis=1, kind='stable')[:, ::-1][:, :k]\n"
        "    return float((first == labels[:, None]).any(axis=1).mean())",
        "topk.ties",
        "expected 0.",
    ),
    "the order of equals left to chance": (
        f"{TOP_K}first = np.argsort(-probabilities, axis=1)[:, :k]\n"
        "    return float((first == labels[:, None]).any(axis=1).mean())",
        "topk.ties",
        "expected 0.",
    ),
    "the end of a partition": (
        f"{TOP_K}first = np.argpartition(probabilities, -k, axis=1)[:, -k:]\n"
        "    return float((first == labels[:, None]).any(axis=1).mean())",
        "topk.ties",
        "expected 0.",
    ),
    "equals are all right": (
        f"{TOP_K}true = np.take_along_axis(probabilities, labels[:, None].astype(int), 1)\n"
        "    return float(((probabilities > true).sum(axis=1) < k).mean())",
        "topk.ties",
        "expected 0.",
    ),
    "no equal is right": (
        f"{TOP_K}true = np.take_along_axis(probabilities, labels[:, None].astype(int), 1)\n"
        "    return float(((probabilities >= true).sum(axis=1) <= k).mean())",
        "topk.ties",
        "expected 0.",
    ),
    "whole numbers": (
        f"{COARSE}return np.zeros((len(fine_probabilities), coarse_of_fine.max() + 1), int)",
        "coarse.form",
        "expected an array of floats",
    ),
    "only superclasses that occur": (
        f"{COARSE}columns = [coarse_of_fine == g for g in np.unique(coarse_of_fine)]\n"
        "    return np.stack([fine_probabilities[:, own].sum(axis=1) for own in columns], axis=1)",
        "coarse.form",
        "expected an array of shape (",
    ),
    "superclasses as rows": (
        f"{COARSE}m = np.zeros((coarse_of_fine.max() + 1, len(fine_probabilities)))\n"
        "    np.add.at(m, coarse_of_fine, fine_probabilities.T)\n    return m",
        "coarse.form",
        "expected an array of shape (",
    ),
    "the mean": (
        f"{COARSE}size = coarse_of_fine.max() + 1\n    m = np.zeros((len(fine_probabilities), size))\n"
        "    for g in set(coarse_of_fine.tolist()):\n"
        "        m[:, g] = fine_probabilities[:, coarse_of_fine == g].mean(axis=1)\n    return m",
        "coarse.sum",
        "a row that adds up to",
    ),
    "the last class alone": (
        f"{COARSE}m = np.zeros((len(fine_probabilities), coarse_of_fine.max() + 1))\n"
        "    m[:, coarse_of_fine] = fine_probabilities\n    return m",
        "coarse.sum",
        "a row that adds up to",
    ),
    "superclasses of one size": (
        f"{COARSE}parts = np.array_split(fine_probabilities, coarse_of_fine.max() + 1, axis=1)\n"
        "    return np.stack([part.sum(axis=1) for part in parts], axis=1)",
        "coarse.values",
        "the sum over the classes of superclass",
    ),
    "the means, made to add up to 1": (
        f"{COARSE}size = coarse_of_fine.max() + 1\n    m = np.zeros((len(fine_probabilities), size))\n"
        "    for g in set(coarse_of_fine.tolist()):\n"
        "        m[:, g] = fine_probabilities[:, coarse_of_fine == g].mean(axis=1)\n"
        "    return m / m.sum(axis=1, keepdims=True)",
        "coarse.values",
        "the sum over the classes of superclass",
    ),
    "labels changed": (
        f"solved = confusion_matrix\n{CONFUSION}result = solved(labels, predictions, num_classes)\n"
        "    labels += 1\n    return result",
        "inputs.kept",
        "changed its argument 1",
    ),
    "probabilities sorted": (
        f"solved = top_k_accuracy\n{TOP_K}result = solved(probabilities, labels, k)\n"
        "    probabilities.sort()\n    return result",
        "inputs.kept",
        "changed its argument 1",
    ),
    "fine probabilities used up": (
        f"solved = coarse_probabilities\n{COARSE}result = solved(fine_probabilities, coarse_of_fine)\n"
        "    fine_probabilities[...] = 0\n    return result",
        "inputs.kept",
        "changed its argument 1",
    ),
}


class TestWhatIsRight:
    """Whatever does what the brief says passes every check, under any seed."""

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_solution(self, judged: Judged, seed: int) -> None:
        verdicts = judged(SOLUTION, seed)
        assert {c: v.message for c, v in verdicts.items() if v.status is not Status.PASSED} == {}
        assert list(verdicts) == [check.id for check in TASK.checks] == list(CHECKS)

    @pytest.mark.parametrize("name", RIGHT)
    def test_alternative(self, judged: Judged, name: str) -> None:
        verdicts = judged(solution_but(RIGHT[name]))
        assert {c: v.message for c, v in verdicts.items() if v.status is not Status.PASSED} == {}


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    @pytest.mark.parametrize("name", WRONG)
    def test_mutant(self, judged: Judged, name: str) -> None:
        code, check, message = WRONG[name]
        verdicts = judged(solution_but(code))
        failed = {c: v.message for c, v in verdicts.items() if v.status is Status.FAILED}
        assert set(failed) == {check}, failed
        assert message in failed[check]

    def test_stub(self, judged: Judged) -> None:
        stub = "def {}(*args):\n    raise NotImplementedError\n\n"
        names = ("confusion_matrix", "top_k_accuracy", "coarse_probabilities")
        verdicts = judged("".join(map(stub.format, names)))
        assert {verdict.status for verdict in verdicts.values()} == {Status.NOT_ATTEMPTED}

    def test_every_check_fails_for_something(self) -> None:
        assert {check for _, check, _ in WRONG.values()} == set(CHECKS)


class TestDefinitions:
    """What the judge compares with is what scikit-learn says, where scikit-learn says the same thing."""

    @pytest.mark.parametrize("seed", range(20))
    def test_confusion_matrix(self, solution: ModuleType, seed: int) -> None:
        drawn = probe.draw(seed)
        labels, predictions, size = drawn["labels"], drawn["predictions"], drawn["num_classes"]
        expected = metrics.confusion_matrix(labels, predictions, labels=range(size))
        np.testing.assert_array_equal(count_pairs(labels, predictions, size), expected)
        np.testing.assert_array_equal(solution.confusion_matrix(labels, predictions, size), expected)

    @pytest.mark.parametrize("seed", range(20))
    def test_top_k_accuracy(self, solution: ModuleType, seed: int) -> None:
        """For ties, with the classes the other way round: scikit-learn ranks the higher number first."""
        drawn = probe.draw(seed)
        labels, classes = drawn["labels"], np.arange(drawn["num_classes"])
        for name in ("probabilities", "tied"):
            for k in classes[1:]:
                p = drawn[name]
                expected = metrics.top_k_accuracy_score(
                    len(classes) - 1 - labels, p[:, ::-1], k=k, labels=classes
                )
                assert share_among_first(p, labels, k) == pytest.approx(expected)
                assert solution.top_k_accuracy(p, labels, int(k)) == pytest.approx(expected)

    @pytest.mark.parametrize("seed", range(20))
    def test_coarse_probabilities(self, solution: ModuleType, seed: int) -> None:
        """The sum is what a superclass wins on average if classes are drawn with their probabilities."""
        drawn = probe.draw(seed)
        for name in ("coarse_of_fine", "with_a_gap"):
            expected = np.stack([np.bincount(drawn[name], weights=row) for row in drawn["fine"]])
            np.testing.assert_allclose(sum_by_superclass(drawn["fine"], drawn[name]), expected, atol=1e-6)
            came = solution.coarse_probabilities(drawn["fine"], drawn[name])
            np.testing.assert_allclose(came, expected, atol=1e-6)
            assert came.dtype == np.float32


class TestSolution:
    """The solution refuses what its docstring says it does."""

    def test_confusion_matrix(self, solution: ModuleType) -> None:
        one = np.array([1])
        for arguments in ((one, np.array([1, 2]), 3), (one[:, None], one[:, None], 3)):
            with pytest.raises(ValueError, match=r"must have one shape \(N,\). Received: labels.shape="):
                solution.confusion_matrix(*arguments)
        for arguments in ((one, one, 1), (-one, one, 3), (one, np.array([7]), 3)):
            with pytest.raises(ValueError, match=r"must be from 0 to num_classes - 1\. Received: "):
                solution.confusion_matrix(*arguments)
        assert solution.confusion_matrix(one[:0], one[:0], 2).tolist() == [[0, 0], [0, 0]]

    def test_top_k_accuracy(self, solution: ModuleType) -> None:
        p, labels = np.full((2, 3), 1 / 3), np.array([0, 1])
        for k in (0, 4, -1):
            with pytest.raises(ValueError, match=rf"`k` must be from 1 to 3.* Received: k={k}"):
                solution.top_k_accuracy(p, labels, k)
        for arguments in ((p, labels[:1], 1), (p[0], labels, 1), (p[:0], labels[:0], 1)):
            with pytest.raises(ValueError, match="There must be a label for each row"):
                solution.top_k_accuracy(*arguments)
        assert [solution.top_k_accuracy(p, labels, k) for k in (1, 2, 3)] == [0.5, 1.0, 1.0]

    def test_coarse_probabilities(self, solution: ModuleType) -> None:
        with pytest.raises(ValueError, match="There must be a superclass for each column"):
            solution.coarse_probabilities(np.ones((2, 3)), np.array([0, 1]))


class TestProbe:
    """The inputs tell everything apart, whatever the seed."""

    @pytest.mark.parametrize("seed", range(50))
    def test_draw(self, seed: int) -> None:
        drawn = probe.draw(seed)
        labels, predictions, size = drawn["labels"], drawn["predictions"], drawn["num_classes"]
        assert size > 16  # 16 * 16 - 1 is the last number of uint8
        assert max(labels.max(), predictions.max()) < size - 1  # the last class is in neither
        for numbers in (labels, predictions):
            assert len(np.unique(numbers)) < size
        matrix = count_pairs(labels, predictions, size)
        assert not np.array_equal(matrix, matrix.T)
        assert matrix.max() > 1
        assert all(len(np.unique(row)) == size for row in drawn["probabilities"])
        np.testing.assert_allclose(drawn["probabilities"].sum(axis=1), 1, atol=1e-5)
        shares = [share_among_first(drawn["probabilities"], labels, k) for k in range(1, size + 1)]
        assert 0 < shares[0] < shares[1] < shares[2] < shares[-1] == 1

    @pytest.mark.parametrize("seed", range(50))
    def test_ties_matter(self, seed: int) -> None:
        """Higher number first, all equals or none: each gives another share for some k."""
        drawn = probe.draw(seed)
        p, labels, size = drawn["tied"], drawn["labels"], drawn["num_classes"]
        true = np.take_along_axis(p, labels[:, None], 1)
        right, turned, all_equal, no_equal = (
            [share_among_first(p, labels, k) for k in drawn["ks"]],
            [share_among_first(p[:, ::-1], size - 1 - labels, k) for k in drawn["ks"]],
            [float(((p > true).sum(axis=1) < k).mean()) for k in drawn["ks"]],
            [float(((p >= true).sum(axis=1) <= k).mean()) for k in drawn["ks"]],
        )
        for other in (turned, all_equal, no_equal):
            assert max(abs(a - b) for a, b in zip(right, other, strict=True)) > 0.01

    @pytest.mark.parametrize("seed", range(50))
    def test_superclasses(self, seed: int) -> None:
        """Very different sizes, no order, and one without classes in the second map."""
        drawn = probe.draw(seed)
        sizes = np.bincount(drawn["coarse_of_fine"])
        assert sizes.min() >= 1
        assert sizes.max() > 2 * sizes.min()
        assert (np.diff(drawn["coarse_of_fine"]) < 0).any()
        gap = np.bincount(drawn["with_a_gap"])
        assert len(gap) == len(sizes)
        assert (gap == 0).sum() == 1

    def test_the_same_seed_draws_the_same(self) -> None:
        one, same, other = probe.draw(7), probe.draw(7), probe.draw(8)
        assert all(np.array_equal(one[name], same[name]) for name in one)
        assert not np.array_equal(one["probabilities"][:50, :18], other["probabilities"][:50, :18])
