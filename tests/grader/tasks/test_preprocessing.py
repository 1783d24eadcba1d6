"""The judge of preprocessing.py beyond the bank of mutants and alternatives, which test_bank.py goes through.

Every case is run for real: the harness calls it in a process of its own, as in a sandbox but without one.
"""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from grader import manifest
from grader.record import Status, Verdict
from grader.tasks.preprocessing import probe
from grader.tasks.preprocessing.judge import CHECKS

ROOT = Path(__file__).parents[3]
TASK = manifest.load(ROOT / "solutions" / "tasks.toml").task("preprocessing")
SOLUTION = (ROOT / "solutions" / "preprocessing.py").read_text()

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
        assert [check.id for check in TASK.checks] == list(CHECKS)

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
