"""Confirm: a solution is graded under new seeds as a submission is, close results included."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader import thresholds
from grader.config import profiles
from grader.reference import confirm
from grader.reference.confirm import FIRST_SEED, Confirmation, fresh
from grader.thresholds import MIN_RUNS, Threshold, Thresholds

ROOT = Path(__file__).resolve().parents[3]
PARAMS = profiles.load(ROOT / "params.yaml")
WANTED = Thresholds(
    profile="cpu",
    calibrated=True,
    provisional=False,
    rule="",
    conditions=None,
    builders={},
    thresholds=tuple(
        Threshold(
            task="alexnet",
            labels=labels,
            threshold=0.20,
            chance=0.01,
            calibrated=True,
            n=MIN_RUNS,
            mean=0.25,
            sd=0.02,
            k=2.5,
            rate=0.001,
            blueprint="b",
        )
        for labels in ("coarse", "fine")
    ),
)


class Trainings:
    """Stands in for the trainer: an accuracy for each label set and seed."""

    def __init__(self, accuracies: Mapping[tuple[str, int], float]) -> None:
        self._accuracies = accuracies
        self.rounds: list[list[int]] = []

    def job(self, network: str, labels: str, seed: int) -> Any:
        return SimpleNamespace(digest=f"{network} {labels} {seed}", labels=labels, seed=seed)

    def train(self, jobs: Mapping[str, Any]) -> dict[str, Any]:
        self.rounds.append([job.seed for job in jobs.values()])
        assert len({job.digest for job in jobs.values()}) == len(jobs)
        return {
            job.digest: SimpleNamespace(
                accuracy=self._accuracies.get((job.labels, job.seed), 0.3),
                machine="a machine",
                backend="keras",
            )
            for job in jobs.values()
        }


def confirmed(
    accuracies: Mapping[tuple[str, int], float], seeds: tuple[int, ...]
) -> tuple[Confirmation, Any]:
    trainings = Trainings(accuracies)
    networks: Any = {("alexnet", "coarse"): "c", ("alexnet", "fine"): "f"}
    result = confirm.confirm(networks, WANTED, seeds, job=trainings.job, train=trainings.train)  # type: ignore[arg-type]
    return result, trainings


class TestConfirm:
    """confirm."""

    def test_clear_results_take_one_training_each(self) -> None:
        """Above: full marks. Below by more than a deviation: a failure, and the seed is one not passed."""
        result, trainings = confirmed({("fine", 2): 0.1}, (1, 2, 3))
        assert trainings.rounds == [[1, 2, 3, 1, 2, 3]]
        assert result.passed == 2
        assert [(one.labels, one.seed) for one in result.verdicts if not one.passed] == [("fine", 2)]

    @pytest.mark.parametrize(("further", "passed"), [((0.22, 0.1), False), ((0.22, 0.23), True)])
    def test_a_close_one_is_decided_by_three(self, further: tuple[float, float], passed: bool) -> None:
        """The first comes within one deviation: the median of it and two more counts."""
        extra = (1 + FIRST_SEED, 1 + 2 * FIRST_SEED)
        accuracies = {("coarse", 1): 0.19, **{("coarse", s): a for s, a in zip(extra, further, strict=True)}}
        result, trainings = confirmed(accuracies, (1,))
        assert trainings.rounds == [[1, 1], list(extra)]
        (coarse, fine) = result.verdicts
        assert coarse.accuracies == (0.19, *further)
        assert (coarse.decided, coarse.passed) == (sorted(coarse.accuracies)[1], passed)
        assert fine.accuracies == (0.3,)
        assert result.passed == passed

    def test_shown(self, tmp_path: Path) -> None:
        """The table has a row a check and the count; the file can be read again."""
        result, _ = confirmed({}, (1, 2))
        shown = confirm.table(result)
        assert shown.row_count == 2
        assert shown.caption == "full marks under 2 of 2 seeds"
        confirm.save(result, tmp_path)
        assert Confirmation.model_validate_json((tmp_path / "confirmation.json").read_text()) == result


class TestFresh:
    """fresh."""

    def test_never_a_seed_that_is_used(self) -> None:
        """Nor are those that decide with a close one."""
        for profile in PARAMS.profiles:
            one = PARAMS.profile(profile)
            seeds = fresh(one, 30)
            all_of_them = [*seeds, *(extra for seed in seeds for extra in confirm._further(seed))]
            assert len(set(all_of_them)) == 90
            assert not set(all_of_them) & {*one.reference_seeds, *one.extra_seeds, one.grading_seed}


def test_what_is_committed() -> None:
    """A confirmation was made with the thresholds of today, and says that all passed."""
    for path in sorted(ROOT.glob("reference/*/confirmation.json")):
        held = Confirmation.model_validate_json(path.read_text())
        wanted = thresholds.load(path.parent)
        today = {f"{one.task}, {one.labels}": one.threshold for one in wanted.thresholds}
        assert held.thresholds.items() <= today.items()
        assert held.passed == len(held.seeds) >= 30
