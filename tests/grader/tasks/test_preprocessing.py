"""The judge of preprocessing.py beyond the bank, which test_bank.py tries.

Every case is run for real: the harness calls it in a process of its own, as in a sandbox but without one.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from grader.config import manifest
from grader.grading import to_train
from grader.grading.evidence import Call, Evidence, Raised
from grader.grading.judging import Case, judge
from grader.results.record import Status
from grader.results.verdict import Verdict
from grader.tasks.preprocessing import probe
from grader.tasks.preprocessing.judge import CHECKS

ROOT = Path(__file__).parents[3]
TASK = manifest.load(ROOT / "solutions" / "tasks.toml").task("preprocessing")
SOLUTION = (ROOT / "solutions" / "preprocessing.py").read_text()

# A `prepare` that changes what the right one returns: x and y of the training part, v and w of the test part.
WRAPPED = "_was = prepare\ndef prepare(*a, **k):\n    x, y, v, w = _was(*a, **k)\n"

Judged = Callable[..., dict[str, Verdict]]


@pytest.fixture
def judged(tmp_path: Path, judged_in_harness: Judged) -> Judged:
    """Probes and judges a submission given as file name -> text."""

    def run(files: dict[str, str], seed: int = 20) -> dict[str, Verdict]:
        submission = tmp_path / "submission"
        submission.mkdir()
        for name, text in files.items():
            (submission / name).write_text(text)
        return judged_in_harness(TASK, submission, tmp_path, seed)

    return run


def failures(verdicts: dict[str, Verdict]) -> dict[str, str]:
    return {check: v.message for check, v in verdicts.items() if v.status is not Status.PASSED}


def solution_but(code: str) -> dict[str, str]:
    return {"preprocessing.py": f"{SOLUTION}\n\n{dedent(code)}"}


class TestRight:
    @pytest.mark.parametrize("seed", [0, 1, 2**31])
    def test_the_solution_passes_every_check(self, judged: Judged, seed: int) -> None:
        assert failures(judged({"preprocessing.py": SOLUTION}, seed)) == {}

    def test_every_check_of_the_manifest_has_a_judge_and_the_reverse(self) -> None:
        assert [check.id for check in TASK.checks if not check.train] == list(CHECKS)

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


Quick = Callable[..., dict[str, Verdict]]


@pytest.fixture
def quick(array_calls: Callable[[str, str, int], dict[str, Call]]) -> Quick:
    """Judges a module in the test's own process; `change` may alter its calls, `ended` says what died."""

    def run(
        source: str,
        change: Callable[[dict[str, Call]], object] = lambda calls: None,
        ended: dict[str, str] | None = None,
    ) -> dict[str, Verdict]:
        calls = array_calls("preprocessing", source, 20)
        change(calls)
        return judge(Case(TASK, Evidence(True, True, None, "ok", None, calls), probe.draw(20), ended or {}))

    return run


def of(verdicts: dict[str, Verdict], status: Status) -> list[str]:
    return [check for check, verdict in verdicts.items() if verdict.status is status]


CUT = "return order[num_test:], order[:num_test]"


class TestForm:
    """A dtype costs the form's point; whatever cannot be looked at blocks the rest."""

    def test_float64_everywhere_costs_the_forms_alone(self, quick: Quick) -> None:
        verdicts = quick(SOLUTION.replace("np.float32", "np.float64"))
        forms = ["statistics.form", "standardise.form", "one_hot.form", "prepare.form"]
        assert [*failures(verdicts)] == forms

    @pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
    def test_a_one_hot_of_any_dtype_is_judged_on_its_values(self, quick: Quick, dtype: str) -> None:
        eye = "np.eye(num_classes, dtype=np.float32)"
        assert eye in SOLUTION
        verdicts = quick(SOLUTION.replace(eye, f"np.eye(num_classes, dtype='{dtype}')"))
        assert [*failures(verdicts)] == ["one_hot.form", "prepare.form"]

    def test_indices_that_are_whole_numbers_in_floats_cost_the_form_alone(self, quick: Quick) -> None:
        floats = SOLUTION.replace(CUT, "return order[num_test:] * 1.0, order[:num_test] * 1.0")
        assert floats != SOLUTION
        taken = floats.replace("images[train]", "images[train.astype(int)]").replace(
            "images[test]", "images[test.astype(int)]"
        )
        taken = taken.replace("targets[train]", "targets[train.astype(int)]").replace(
            "targets[test]", "targets[test.astype(int)]"
        )
        assert [*failures(quick(taken))] == ["split.form"]

    @pytest.mark.parametrize(
        "cut", ["return order", "return order / 2, order / 3", "return order * np.nan, order", "return None"]
    )
    def test_what_is_no_pair_of_indices_blocks_the_rest_of_the_split(self, quick: Quick, cut: str) -> None:
        verdicts = quick(SOLUTION.replace(CUT, cut))
        assert of(verdicts, Status.FAILED) == ["split.form", "prepare.form"]
        for check in ("split.complete", "split.size", "split.shuffled", "split.seeded"):
            assert verdicts[check].status is Status.BLOCKED
            assert (
                verdicts[check].message
                == "This check must pass first: split_indices gives two arrays of integers."
            )

    @pytest.mark.parametrize("value", ["np.nan", "np.inf", "1e300", "np.float16(np.inf)"])
    def test_values_that_are_not_finite_fail_the_form(self, quick: Quick, value: str) -> None:
        source = (
            f"{SOLUTION}\n\ndef standardise(images, mean, std):\n    return np.full(images.shape, {value})\n"
        )
        verdicts = quick(source)
        assert of(verdicts, Status.FAILED) == ["standardise.form", "prepare.form"]
        assert "not finite; expected finite numbers" in verdicts["standardise.form"].message
        assert verdicts["prepare.train_statistics"].message.startswith(
            "This check must pass first: prepare gives two"
        )


class TestSpecialCases:
    """What is wrong in a special case only is one mistake, and costs nothing else."""

    @pytest.mark.parametrize("wrong", ["seed or None", "seed if seed else None"])
    def test_seed_0_is_a_seed(self, quick: Quick, wrong: str) -> None:
        verdicts = quick(SOLUTION.replace("default_rng(seed)", f"default_rng({wrong})"))
        assert of(verdicts, Status.FAILED) == ["split.seeded"]
        assert verdicts["split.seeded"].rule == "special_case"
        assert "the same, because 0 is a seed like any other" in verdicts["split.seeded"].message
        assert "treat 0 as no seed" in (verdicts["split.seeded"].hint or "")


class TestPartition:
    """Order and seed are looked at where every index is in exactly one part, whatever the parts' sizes."""

    @pytest.mark.parametrize(
        "cut",
        [
            "return order[:1], order[:1]",
            "return order[num_test - 3 :], order[:num_test]",
            "return order[num_test + 1 :], order[:num_test]",
            "return 0 * order[num_test:], 0 * order[:num_test]",
        ],
    )
    def test_no_partition(self, quick: Quick, cut: str) -> None:
        verdicts = quick(SOLUTION.replace(CUT, cut))
        waiting = [c for c in of(verdicts, Status.BLOCKED) if c.startswith("split")]
        assert waiting == ["split.form", "split.shuffled", "split.seeded"]
        assert verdicts["split.form"].message == (
            "This check passes, but counts only when this one passes: Every example is in exactly one part."
        )
        assert verdicts["split.seeded"].message == (
            "This check must pass first: Every example is in exactly one part."
        )
        for check in ("pairs", "shuffled", "seeded", "train_statistics", "test_statistics"):
            assert verdicts[f"prepare.{check}"].message == (
                "This check must pass first: Promise 1: every image is in exactly one part."
            )

    def test_a_partition_of_another_size(self, quick: Quick) -> None:
        half = SOLUTION.replace(
            "num_test = round(num_examples * test_fraction)", "num_test = num_examples // 2"
        )
        assert [*failures(quick(half))] == ["split.size", "prepare.complete"]


class TestTheCause:
    """What is shown names the likely cause, once, and its hint is about that."""

    def shown(self, verdicts: dict[str, Verdict]) -> tuple[str, str, str]:
        """The only check that failed, its message and its hint."""
        ((check, verdict),) = ((c, v) for c, v in verdicts.items() if v.status is Status.FAILED)
        assert verdict.hint is not None
        return check, verdict.message, verdict.hint

    def test_labels_as_to_categorical_gives_them(self, quick: Quick) -> None:
        check, message, hint = self.shown(
            quick(SOLUTION + "\n\n" + WRAPPED + "    return x, y.astype('f8'), v, w.astype('f8')")
        )
        assert check == "prepare.form"
        assert "returned y_train as float64 and y_test as float64; expected all four arrays as" in message
        assert hint.startswith("Labels: keras.utils.to_categorical")

    def test_images_in_float64(self, quick: Quick) -> None:
        code = SOLUTION + "\n\n" + WRAPPED + "    return x, y, v.astype('f8'), w"
        check, message, hint = self.shown(quick(code))
        assert check == "prepare.form"
        assert "returned x_test as float64; " in message
        assert hint.startswith("Images: ")
        assert "Labels" not in hint

    @pytest.mark.parametrize(("keep", "which"), [("[:n], order[n:]", "last"), ("[-n:], order[:-n]", "first")])
    @pytest.mark.parametrize("shuffled", [True, False])
    def test_a_test_part_as_it_is_stored(self, quick: Quick, keep: str, which: str, shuffled: bool) -> None:
        """As Keras's validation_split has it: the last share, whether or not it is shuffled afterwards."""
        code = f"""
        def split_in_prepare(num_examples, *, test_fraction=0.2, seed):
            rng, order = np.random.default_rng(seed), np.arange(num_examples)
            n = num_examples - round(num_examples * test_fraction)
            train, test = order{keep}
            return rng.permutation(train), rng.permutation(test) if {shuffled} else test
        """
        source = solution_but(code)["preprocessing.py"].replace(
            "train, test = split_indices(", "train, test = split_in_prepare("
        )
        verdicts = quick(source)
        check, message, hint = self.shown(verdicts)
        assert check == "prepare.shuffled"
        assert f"returned a test part of the {which} " in message
        assert "images, as they are stored; expected images from everywhere" in message
        assert hint.startswith("Shuffle before you split.")
        assert verdicts["prepare.seeded"].status is Status.BLOCKED

    @pytest.mark.parametrize(
        ("axis", "words"), [("0", "each pixel"), ("(1, 2)", "each image"), ("(1, 2, 3)", "each image")]
    )
    def test_statistics_over_other_axes(self, quick: Quick, axis: str, words: str) -> None:
        code = f"""
        def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):
            train, test = split_indices(len(images), test_fraction=test_fraction, seed=seed)
            x, v = images[train].astype("float32"), images[test].astype("float32")
            of = (x, v) if {axis} != 0 else (x, x)
            means, stds = ([f(part, axis={axis}, keepdims=True) for part in of] for f in (np.mean, np.std))
            y = one_hot(labels, num_classes)
            return (x - means[0]) / (stds[0] + 1e-8), y[train], (v - means[1]) / (stds[1] + 1e-8), y[test]
        """
        verdicts = quick(solution_but(code)["preprocessing.py"])
        check, message, hint = self.shown(verdicts)
        assert check == "prepare.train_statistics"
        assert f"a training part with a mean and a deviation for {words}; expected one mean" in message
        assert "over axis=(0, 1, 2)" in hint
        assert verdicts["prepare.test_statistics"].status is Status.BLOCKED

    def test_noise_is_no_scaling(self, quick: Quick) -> None:
        """What no mean and deviation explains is described as just that."""
        code = (
            WRAPPED
            + "    return x + 0.1 * np.random.default_rng(1).normal(size=x.shape).astype('f4'), y, v, w"
        )
        verdict = quick(SOLUTION + "\n\n" + code)["prepare.train_statistics"]
        assert "for any three means and deviations" in verdict.message
        assert verdict.hint is None

    def test_one_image_again_and_again(self, quick: Quick) -> None:
        code = SOLUTION.replace("images[train]", "images[[train[0] for _ in train]]")
        code = code.replace("targets[train]", "targets[[train[0] for _ in train]]")
        verdicts = quick(code)
        check, message, hint = self.shown(verdicts)
        assert check == "prepare.complete"
        assert re.search(r"a training part in which image \d+ is there \d+ times; expected every", message)
        assert hint.startswith("The same one is used again and again.")
        later = ("prepare.shuffled", "prepare.train_statistics", "prepare.test_statistics")
        assert {verdicts[check].status for check in later} == {Status.BLOCKED}

    def test_a_few_images_twice_are_only_counted(self, quick: Quick) -> None:
        code = SOLUTION.replace(CUT, "order[0] = order[1]\n    " + CUT)
        message = quick(code)["split.complete"].message
        assert "are in one part twice" in message or "are in both" in message

    def test_a_file_that_is_written(self, judged: Judged) -> None:
        """It fails here as it fails where it is graded, and the hint says what to do."""
        code = WRAPPED + "    np.save('statistics.npy', x)\n    return x, y, v, w"
        verdict = judged(solution_but(code))["prepare.form"]
        assert (
            "raised OSError: [Errno 30] Read-only file system: 'statistics.npy' (preproc" in verdict.message
        )
        assert verdict.hint
        assert verdict.hint.startswith("Functions that write files fail where they are graded")

    def test_a_syntax_error_shows_its_line(self, judged: Judged) -> None:
        verdict = judged({"preprocessing.py": "import numpy as np\nx = np.zeros((2, 3)\ny = 1\n"})
        message = verdict["split.form"].message
        assert (
            "raised SyntaxError: '(' was never closed: x = np.zeros((2, 3) (preprocessing.py, line 2)."
            in (message)
        )


class TestSecondProcess:
    """The same seed gives the same split in another process, and what that process did not do fails."""

    def test_another_split_there_fails_in_plain_words(self, quick: Quick) -> None:
        verdicts = quick(
            SOLUTION.replace("default_rng(seed)", "default_rng([seed, int.from_bytes(RANDOM)])")
            + "\nimport os\n\nRANDOM = os.urandom(8)\n"
        )
        assert [*failures(verdicts)] == ["split.seeded", "prepare.seeded"]
        for check, what in (("split.seeded", "split"), ("prepare.seeded", "training part")):
            assert (
                f"returned another {what} in a second Python process than in the first; expected the same, "
                "because the seed is the same"
            ) in verdicts[check].message
            assert "not use the clock" in str(verdicts[check].hint)

    @pytest.mark.parametrize(
        ("ended", "words"),
        [
            ({"later": "it was ended by signal 9"}, "but it was ended by signal 9."),
            ({}, "but it left no results."),
        ],
    )
    def test_without_it_nothing_is_passed(self, quick: Quick, ended: dict[str, str], words: str) -> None:
        def lost(calls: dict[str, Call]) -> None:
            del calls["later.split"], calls["later.prepare"]

        verdicts = quick(SOLUTION, lost, ended)
        assert failures(verdicts) == {
            f"{check}.seeded": (
                f"{function} was to be called with the same seed in a second Python process, {words}"
            )
            for check, function in (("split", "split_indices"), ("prepare", "prepare"))
        }

    def test_what_it_raised_is_reported_as_its_own(self, quick: Quick) -> None:
        def raised(calls: dict[str, Call]) -> None:
            error = Raised("KeyError", "'TMP'")
            calls["later.split"] = replace(calls["later.split"], status="raised", value=None, exception=error)

        verdicts = quick(SOLUTION, raised)
        assert failures(verdicts) == {
            "split.seeded": "In a second Python process split_indices(…) raised KeyError: 'TMP'."
        }


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


class TestPrepared:
    """`prepare.learns`, as far as it is decided without a training."""

    @pytest.fixture
    def decided(
        self, tmp_path: Path, cased_in_harness: Callable[..., Case]
    ) -> Callable[[str], Verdict | None]:
        (check,) = (check for check in TASK.checks if check.train == "prepared")

        def run(code: str) -> Verdict | None:
            submission = tmp_path / "submission"
            submission.mkdir()
            (submission / "preprocessing.py").write_text(solution_but(code)["preprocessing.py"])
            case = cased_in_harness(TASK, submission, tmp_path, 20)
            return to_train.prepared(case, check, judge(case))

        return run

    def test_right_arrays_are_verified_and_not_trained_on(
        self, decided: Callable[[str], Verdict | None]
    ) -> None:
        verdict = decided("def one_hot_of_somebody_else(): ...")
        assert verdict is not None
        assert verdict.status is Status.PASSED
        assert "verified" in verdict.message

    def test_a_mistake_elsewhere_changes_nothing(self, decided: Callable[[str], Verdict | None]) -> None:
        """What counts is what prepare returns, whoever computes it."""
        verdict = decided("def channel_statistics(images):\n    return None")
        assert verdict is not None
        assert verdict.status is Status.BLOCKED  # prepare uses it

    @pytest.mark.parametrize(
        "code",
        [
            WRAPPED + "    return x, y[::-1], v, w",
            WRAPPED + "    return 0 * x, y, v, w",
            WRAPPED + "    return x.astype(float), y.astype(int), v, w",
            WRAPPED + "    a[0][:] = 0\n    return x, y, v, w",
        ],
        ids=["labels in another order", "no picture left", "integers", "writes into its input"],
    )
    def test_what_is_wrong_and_can_be_trained_on_is(
        self, decided: Callable[[str], Verdict | None], code: str
    ) -> None:
        assert decided(code) is None

    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("def prepare(*a, **k):\n    raise ValueError", Status.BLOCKED),
            ("def prepare(*a, **k):\n    return 1, 2, 3, 4", Status.BLOCKED),
            ("def prepare(*a, **k):\n    raise NotImplementedError", Status.NOT_ATTEMPTED),
        ],
    )
    def test_what_cannot_be_trained_on_is_not(
        self, decided: Callable[[str], Verdict | None], code: str, status: Status
    ) -> None:
        verdict = decided(code)
        assert verdict is not None
        assert (verdict.status, verdict.fraction) == (status, 0)
