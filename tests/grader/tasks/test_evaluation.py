"""The judge of evaluation.py beyond the bank, which test_bank.py tries.

Every case is run for real: the harness calls it in a process of its own, as in a sandbox but without one.
"""

import importlib.util
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn import metrics

from grader.config import manifest
from grader.grading.evidence import Call, Evidence
from grader.grading.judging import Case, judge
from grader.results.record import Status
from grader.results.verdict import Verdict
from grader.tasks.evaluation import probe
from grader.tasks.evaluation.judge import CHECKS, count_pairs, share_among_first, sum_by_superclass

ROOT = Path(__file__).parents[3]
TASK = manifest.load(ROOT / "solutions" / "tasks.toml").task("evaluation")
SOLUTION = (ROOT / "solutions" / "evaluation.py").read_text()

Judged = Callable[..., dict[str, Verdict]]


@pytest.fixture
def judged(tmp_path: Path, judged_in_harness: Judged) -> Judged:
    """Probes and judges a submission given as the text of its module."""

    def run(text: str, seed: int = 20) -> dict[str, Verdict]:
        submission = tmp_path / "submission"
        submission.mkdir()
        (submission / "evaluation.py").write_text(text)
        return judged_in_harness(TASK, submission, tmp_path, seed)

    return run


@pytest.fixture(scope="module")
def solution() -> ModuleType:
    spec = importlib.util.spec_from_file_location("evaluation_solution", ROOT / "solutions/evaluation.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestWhatIsRight:
    """Whatever does what the brief says passes every check, under any seed."""

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_solution(self, judged: Judged, seed: int) -> None:
        verdicts = judged(SOLUTION, seed)
        assert {c: v.message for c, v in verdicts.items() if v.status is not Status.PASSED} == {}
        assert list(verdicts) == [check.id for check in TASK.checks] == list(CHECKS)


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    def test_stub(self, judged: Judged) -> None:
        stub = "def {}(*args):\n    raise NotImplementedError\n\n"
        names = ("confusion_matrix", "top_k_accuracy", "coarse_probabilities")
        verdicts = judged("".join(map(stub.format, names)))
        assert {verdict.status for verdict in verdicts.values()} == {Status.NOT_ATTEMPTED}

    @pytest.mark.parametrize(
        ("old", "new", "form"),
        [
            (
                "reshape(num_classes, num_classes)",
                "reshape(num_classes, num_classes) * 1.0",
                "confusion.form",
            ),
            ("return float(np.mean(", "return np.atleast_1d(np.mean(", "topk.form"),
        ],
    )
    def test_a_dtype_or_a_wrapping_costs_the_form_alone(
        self, array_calls: Callable[[str, str, int], dict[str, Call]], old: str, new: str, form: str
    ) -> None:
        assert old in SOLUTION
        calls = array_calls("evaluation", SOLUTION.replace(old, new), 20)
        verdicts = judge(Case(TASK, Evidence(True, True, None, "ok", None, calls), probe.draw(20)))
        assert [check for check, v in verdicts.items() if v.status is not Status.PASSED] == [form]

    def test_a_form_without_values_earns_nothing_and_says_so(
        self, array_calls: Callable[[str, str, int], dict[str, Call]]
    ) -> None:
        stub = "\ndef top_k_accuracy(probabilities, labels, k):\n    return 0.5\n"
        calls = array_calls("evaluation", SOLUTION + stub, 20)
        verdicts = judge(Case(TASK, Evidence(True, True, None, "ok", None, calls), probe.draw(20)))
        assert verdicts["topk.form"] == Verdict(
            status=Status.BLOCKED,
            message="This check passes, but counts only when this one passes: With k = 1 it is the accuracy.",
        )
        assert verdicts["topk.first"].status is Status.FAILED


LISTS = """
def confusion_matrix(labels, predictions, num_classes):
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for label, prediction in zip(labels, predictions):
        matrix[{}][{}] += 1
    return matrix
"""
TOP = "\ndef top_k_accuracy(probabilities, labels, k):\n    import sklearn.metrics\n    "


class TestTheCause:
    """What is shown names the likely cause, and the rest is judged on the values."""

    @pytest.mark.parametrize(
        ("first", "second", "failed"),
        [
            ("label", "prediction", ["confusion.form"]),
            ("prediction", "label", ["confusion.form", "confusion.rows"]),
        ],
    )
    def test_a_list_of_lists(self, judged: Judged, first: str, second: str, failed: list[str]) -> None:
        verdicts = judged(SOLUTION + LISTS.format(first, second))
        assert [check for check, v in verdicts.items() if v.status is not Status.PASSED] == failed
        form = verdicts["confusion.form"]
        assert re.search(r"returned a list of \d+ rows; expected a square matrix", form.message)
        assert form.hint == "It is a list of rows: np.array(...) of it makes the array that is expected."

    def test_superclasses_as_a_list_of_arrays(self, judged: Judged) -> None:
        code = "\n_was = coarse_probabilities\ndef coarse_probabilities(*a):\n    return list(_was(*a))\n"
        verdicts = judged(SOLUTION + code)
        assert [c for c, v in verdicts.items() if v.status is not Status.PASSED] == ["coarse.form"]
        assert "np.array(...)" in str(verdicts["coarse.form"].hint)

    @pytest.mark.parametrize("seed", [1, 2, 3, 1062794946])
    @pytest.mark.parametrize(
        ("code", "words", "hint"),
        [
            (
                "top = np.argsort(probabilities, axis=1)[:, -k:]; "
                "return (top == labels[:, None]).any(1).mean()",
                "the result of ranking equal probabilities in no fixed order",
                "Without kind= their order is not defined",
            ),
            (
                "classes = range(probabilities.shape[1]); return sklearn.metrics.top_k_accuracy_score("
                "labels, probabilities, k=k, labels=classes)",
                "the higher class number ranks first among equal probabilities",
                "and so does sklearn.metrics.top_k_accuracy_score",
            ),
            (
                "true = probabilities[range(len(labels)), labels][:, None]; "
                "return float(((probabilities > true).sum(1) < k).mean())",
                "if equal probabilities get the better rank",
                "and so do Keras's metrics",
            ),
        ],
        ids=["unstable", "sklearn", "keras"],
    )
    def test_ties(
        self,
        array_calls: Callable[[str, str, int], dict[str, Call]],
        seed: int,
        code: str,
        words: str,
        hint: str,
    ) -> None:
        """Whatever shares are alike by chance under a seed."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's, where k is the number of classes
            calls = array_calls("evaluation", SOLUTION + TOP + code, seed)
        verdicts = judge(Case(TASK, Evidence(True, True, None, "ok", None, calls), probe.draw(seed)))
        (failed,) = (check for check, v in verdicts.items() if v.status is not Status.PASSED)
        assert failed == "topk.ties"
        assert words in verdicts[failed].message
        assert hint in str(verdicts[failed].hint)

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("return share(probabilities, labels, max(1, k - 1))", ", which is the share for k - 1"),
            (
                "return share(-probabilities, labels, k)",
                ", which is the share for the k least probable classes",
            ),
            ("return share(probabilities, labels, 5)", ", which is the share for k = 5, whatever k is"),
            ("return float(np.random.default_rng(k).random())", ""),
        ],
    )
    def test_an_explanation_holds_for_every_k(
        self, array_calls: Callable[[str, str, int], dict[str, Call]], code: str, words: str
    ) -> None:
        code = "\nshare = top_k_accuracy\n" + TOP + code
        calls = array_calls("evaluation", SOLUTION + code, 20)
        verdicts = judge(Case(TASK, Evidence(True, True, None, "ok", None, calls), probe.draw(20)))
        message = next(v.message for v in verdicts.values() if v.status is Status.FAILED)
        assert f"{words}; expected" in message
        assert words or ", which" not in message


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


@pytest.mark.parametrize("seed", [15, 86, 131])
def test_what_is_right_by_chance_is_nothing(judged: Judged, seed: int) -> None:
    """Under these seeds k of n classes is the very share for more than one k."""
    guess = "def top_k_accuracy(probabilities, labels, k):\n"
    guess += "    return min(1.0, k / probabilities.shape[1] + 0.4 * (k == 1))\n"
    assert not judged(guess, seed)["topk.first"].partly
