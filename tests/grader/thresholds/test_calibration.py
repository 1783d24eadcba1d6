"""The calibration study: it finds what the thresholds promise, and what would break the promise."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from grader.config.profiles import LabelSet
from grader.errors import ManifestError
from grader.thresholds import ReferenceRun, Runs, calibration, model
from grader.thresholds.model import RATE
from grader.training.job import Conditions, Result

pytestmark = pytest.mark.slow

CHECKS: list[tuple[str, LabelSet]] = [("alexnet", "coarse"), ("resnet", "fine")]
DRAWS = 400_000
GRADED = 99


def runs(accuracies: dict[LabelSet, np.ndarray]) -> Runs:
    """Trainings of one network on each label set, with these accuracies; graded at their mean."""
    made = [
        ReferenceRun(
            task="alexnet",
            blueprint=labels,
            result=Result.model_construct(
                digest=f"{labels}{seed}", accuracy=float(accuracy), labels=labels, seed=seed
            ),
        )
        for labels, group in accuracies.items()
        for seed, accuracy in (*enumerate(group), (GRADED, group.mean()))
    ]
    return Runs.model_construct(
        profile="cpu",
        conditions=Conditions.model_construct(),
        grading_seed=GRADED,
        builders={},
        runs=tuple(made),
    )


def normal(seed: int, n: int = 20) -> dict[LabelSet, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"coarse": 0.4 + 0.01 * rng.standard_normal(n), "fine": 0.2 + 0.005 * rng.standard_normal(n)}


def simulated(rule: str = "normal", n: int = 20, *, draws: int = DRAWS) -> calibration.Simulation:
    sampler = {"normal": calibration._normal, "heavy": calibration._heavy_tailed}[rule]
    checks = [(task, labels, n) for task, labels in CHECKS]
    return calibration.simulate(checks, "normal", sampler, draws=draws, rng=np.random.default_rng(1))


class TestSimulate:
    """simulate."""

    @pytest.mark.parametrize("n", [5, 20])
    def test_one_training_keeps_the_stated_rate(self, n: int) -> None:
        """A prediction bound is exact: one normal training in 1000 falls below, for any number of runs."""
        for check in simulated("normal", n).checks:
            assert check.first.low < RATE < check.first.high

    def test_the_procedure_stays_below_it(self) -> None:
        """With the median of three where it is close, a correct network is failed far less often."""
        found = simulated()
        for check in found.checks:
            assert check.failed.high < RATE / 4
            assert 0.005 < check.extra.rate < 0.015
        assert found.submission.high < len(CHECKS) * RATE / 4
        # Independent checks: one or the other.
        either = 1 - np.prod([1 - check.failed.rate for check in found.checks])
        assert found.submission.rate == pytest.approx(either, abs=2e-5)

    def test_notices_a_small_factor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With 3 standard deviations for 20 runs, far too many correct networks fall below."""
        monkeypatch.setattr(model, "factor", lambda n: 3.0)
        for check in simulated().checks:
            assert check.first.low > 3 * RATE

    def test_notices_that_the_deviation_is_an_estimate(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A normal quantile in place of Student's t, the common mistake, breaks the promise for few runs."""
        monkeypatch.setattr(model, "factor", lambda n: float(stats.norm.ppf(0.999)))
        for check in simulated("normal", 5).checks:
            assert check.failed.low > 10 * RATE

    def test_notices_that_close_results_are_not_decided_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the further seeds the chance to be failed is that of one training."""
        monkeypatch.setattr(model, "near", lambda accuracy, threshold, sd: accuracy > np.inf)
        for check in simulated().checks:
            assert check.failed == check.first
            assert check.extra.count == 0

    def test_notices_heavy_tails(self) -> None:
        """Student's t with 5 degrees of freedom falls below more often than promised."""
        for check in simulated("heavy").checks:
            assert check.first.low > 2 * RATE
            assert check.failed.rate < check.first.rate / 2

    def test_agrees_with_the_exact_chance(self) -> None:
        """Drawn and computed without drawing, the chance to be failed is the same."""
        rng = np.random.default_rng(2)
        threshold, sd = calibration._calibrate(calibration._normal, rng, DRAWS, 20)
        exact = calibration.chance_to_be_failed(threshold, sd).mean()
        for check in simulated().checks:
            assert check.failed.low < exact < check.failed.high


class TestPower:
    """power."""

    def test_worse_networks_pass_less_often(self) -> None:
        """From hardly ever failed at the solution's own mean to hardly ever passed far below it."""
        found = calibration.power(20, draws=50_000, rng=np.random.default_rng(3))
        rates = [one.passed.rate for one in found]
        assert [one.distance for one in found] == sorted(calibration.DISTANCES)
        assert rates == sorted(rates, reverse=True)
        assert rates[0] > 0.999
        assert rates[-1] < 0.001
        middle = max(found, key=lambda one: one.extra.rate)
        assert 3 <= middle.distance <= 5  # further seeds are needed where the threshold lies


class TestSmoothed:
    """smoothed."""

    def test_looks_like_its_source(self) -> None:
        """Mean and skewness stay, the spread grows by the blur alone, and no value is drawn twice."""
        source = np.random.default_rng(4).exponential(size=200) - 1
        drawn = calibration.smoothed(source)(np.random.default_rng(5), (100_000,))
        assert drawn.mean() == pytest.approx(source.mean(), abs=0.02)
        assert source.std() < drawn.std() < 1.1 * source.std()
        assert stats.skew(drawn) == pytest.approx(stats.skew(source), rel=0.3)
        assert len(np.unique(drawn)) == len(drawn)


class TestKnown:
    """What calibration.json states of known networks."""

    def test_zero_by_construction(self) -> None:
        """None is failed, and the runs that say so are listed: none below its threshold."""
        found = calibration.study(runs(normal(1)), draws=1000).known
        assert found.false_fail_rate == 0
        assert "are refused" in found.why
        assert [(one.labels, one.seed) for one in found.runs] == [("coarse", GRADED), ("fine", GRADED)]
        assert all(one.accuracy >= one.threshold for one in found.runs)

    def test_refused_otherwise(self) -> None:
        """Where the run of the grading seed would not pass, there is nothing to state."""
        made = runs(normal(1))
        low = [
            run.model_copy(update={"result": run.result.model_copy(update={"accuracy": 0.1})})
            if run.result.seed == GRADED
            else run
            for run in made.runs
        ]
        with pytest.raises(ManifestError, match="would be failed"):
            calibration.study(made.model_copy(update={"runs": tuple(low)}), draws=1000)


class TestNormality:
    """Normality tests."""

    def test_normal_accuracies(self) -> None:
        """They are not called anything else, and lie on a line with the quantiles."""
        found = calibration.study(runs(normal(0)), draws=1000)
        assert found.pooled
        assert found.pooled.n == 40
        assert found.pooled.p > 0.05
        for network in found.networks:
            assert network.normality
            assert network.normality.p > 0.01
            assert np.corrcoef(network.normality.residuals, network.normality.quantiles)[0, 1] > 0.95

    def test_two_groups_in_one(self) -> None:
        """A network that learns under some seeds and hardly under others is not normal, and is found out."""
        coarse = np.where(np.arange(20) % 4 == 0, 0.38, 0.40) + 0.001 * np.random.default_rng(0).random(20)
        found = calibration.study(runs({"coarse": coarse}), draws=1000)
        assert found.networks[0].normality
        assert found.networks[0].normality.p < 0.001
        assert found.pooled
        assert found.pooled.p < 0.01

    def test_pooled_p_is_fair(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Over normal data its p-values are uniform: no false alarm from pooling what was standardised."""
        monkeypatch.setattr(calibration, "_POOLED_DRAWS", 200)
        rng = np.random.default_rng(6)
        values = []
        for _ in range(40):
            groups = [rng.standard_normal(8) for _ in range(6)]
            residuals = [(one - one.mean()) / one.std(ddof=1) for one in groups]
            values.append(calibration._pooled(residuals, np.random.default_rng(7)).p)
        assert stats.kstest(values, "uniform").pvalue > 0.01

    def test_no_spread(self) -> None:
        """Accuracies that are all the same have no shape; the rest is studied all the same."""
        found = calibration.study(runs({"coarse": np.full(20, 0.4)}), draws=1000)
        assert found.networks[0].normality is None
        assert found.pooled is None
        assert [one.population for one in found.simulations] == ["normal", "Student t, 5 degrees of freedom"]


class TestStudy:
    """study and save."""

    def test_file(self, tmp_path: Path) -> None:
        """calibration.json holds what was found, and can be read again."""
        written = calibration.save(runs(normal(1)), tmp_path, draws=DRAWS)
        text = (tmp_path / "calibration.json").read_text()
        assert calibration.Calibration.model_validate_json(text) == written
        assert len(text) < 50_000
        assert json.loads(text)["rate"] == 0.001
        assert {one.population for one in written.simulations} == {
            "normal",
            "measured residuals",
            "Student t, 5 degrees of freedom",
        }
        assert written.simulations[0].checks[0].n == 20
        assert written.luck.median < written.simulations[0].checks[0].failed.rate < written.luck.p99

    def test_same_seed_same_figures(self) -> None:
        """Nothing is left to chance; another seed draws other numbers."""
        first, second = (calibration.study(runs(normal(1)), draws=50_000) for _ in range(2))
        assert first == second
        other = calibration.study(runs(normal(1)), draws=50_000, seed=3)
        assert other.simulations[0] != first.simulations[0]

    def test_too_few_runs(self) -> None:
        """Where there is no threshold there is nothing to study."""
        with pytest.raises(ManifestError, match="4 reference runs"):
            calibration.study(runs(normal(1, 4)), draws=1000)
