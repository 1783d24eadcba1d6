"""Thresholds: what they are computed from, what they earn, and when they no longer hold."""

import math
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from grader import thresholds
from grader.config import profiles
from grader.config.profiles import LabelSet
from grader.errors import ManifestError
from grader.thresholds import ReferenceRun, Runs, model, prepared
from grader.thresholds.estimates import save_estimates
from grader.training import backends
from grader.training.job import Conditions, Result, pin
from tests.grader.training.tiny import made

ROOT = Path(__file__).resolve().parents[3]
PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")
CONDITIONS = Conditions.of(PROFILE, "pin", backends.name())
ACCURACIES = (0.40, 0.41, 0.42, 0.39, 0.405)


def run(
    accuracy: float, seed: int, labels: LabelSet = "coarse", blueprint: str = "b", task: str = "alexnet"
) -> ReferenceRun:
    result = made(digest=f"{labels}{seed}", accuracy=accuracy, labels=labels, seed=seed)
    return ReferenceRun(task=task, blueprint=blueprint, result=result)


def runs(*all_runs: ReferenceRun) -> Runs:
    return Runs(
        profile="offline",
        conditions=CONDITIONS,
        grading_seed=GRADED,
        builders=PROFILE.builders,
        runs=all_runs,
    )


GRADED = 99
GOOD = runs(*(run(accuracy, seed) for seed, accuracy in enumerate(ACCURACIES)), run(0.41, GRADED))


def many(n: int, mean: float, sd: float = 0.01) -> Runs:
    """n trainings with exactly that mean and deviation, and one more under the grading seed."""
    spread = np.linspace(-1, 1, n)
    accuracies = mean + sd * spread / spread.std(ddof=1)
    return runs(*(run(float(one), seed) for seed, one in enumerate(accuracies)), run(mean, GRADED))


class TestCompute:
    """compute."""

    def test_rule(self) -> None:
        """The threshold is the lower prediction bound for one new run, and says from which runs."""
        one = model.compute(GOOD).get("alexnet", "coarse")
        mean, sd = statistics.mean(ACCURACIES), statistics.stdev(ACCURACIES)
        expected = mean - stats.t.ppf(0.999, 4) * sd * math.sqrt(1 + 1 / 5)
        assert expected - 1e-4 <= one.threshold <= expected
        assert (one.n, one.chance, one.rate, one.calibrated) == (5, 0.05, 0.001, True)
        assert one.k == pytest.approx(7.858, abs=1e-3)
        assert one.runs == tuple(f"coarse{seed}" for seed in range(5))
        assert one.blueprint == "b"

    @pytest.mark.parametrize(("n", "provisional"), [(19, True), (20, False)])
    def test_few_runs_are_provisional(self, n: int, provisional: bool) -> None:
        """With fewer than 20 runs the same formula holds, and marks are provisional."""
        computed = model.compute(many(n, 0.4))
        assert computed.provisional == computed.get("alexnet", "coarse").provisional == provisional
        assert computed.reservation() == (
            f"thresholds rest on {n} trainings of a correct network, not on 20" if provisional else ""
        )

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (runs(*GOOD.runs[:4], GOOD.runs[5]), "4 reference runs"),
            (runs(*GOOD.runs, run(0.4, 3)), "different seeds"),
            (runs(*GOOD.runs, run(0.4, 9, blueprint="c")), "one network"),
            (runs(*GOOD.runs[:5], run(0.4, GRADED, blueprint="c")), "one network"),
            (runs(*(run(a / 4, seed) for seed, a in enumerate(ACCURACIES))), "chance is 5%"),
            (runs(*GOOD.runs[:5]), "no run under the grading seed, 99"),
        ],
    )
    def test_refuses(self, wrong: Runs, said: str) -> None:
        """Too few runs, mixed runs, and a recipe under which nothing is learnt give no threshold."""
        with pytest.raises(ManifestError, match=said):
            model.compute(wrong)

    def test_the_grading_seed_has_to_pass(self) -> None:
        """It is the mark of every right submission: thresholds that it does not reach are refused, by however
        little, with what to do; it sets none itself, however good it is."""
        wanted = model.compute(GOOD).get("alexnet", "coarse").threshold
        for graded in (wanted, 0.9):
            again = model.compute(runs(*GOOD.runs[:5], run(graded, GRADED)))
            assert again.get("alexnet", "coarse").threshold == wanted
        with pytest.raises(ManifestError, match="every right submission would be failed") as caught:
            model.compute(runs(*GOOD.runs[:5], run(wanted - 1e-4, GRADED)))
        assert "alexnet on coarse labels: the run under the grading seed, 99, reaches" in caught.value.message
        assert "another grading_seed for profile offline in params.yaml" in caught.value.fix
        assert "run: nox -s reference -- --profile offline" in caught.value.fix

    def test_never_measured(self) -> None:
        """A label set without runs has no threshold, and the command that makes one is named."""
        with pytest.raises(ManifestError) as caught:
            model.compute(GOOD).get("alexnet", "fine")
        assert "nox -s reference" in caught.value.fix


class TestFraction:
    """fraction."""

    @given(st.floats(0, 1), st.floats(0.2, 0.9))
    def test_ramp(self, accuracy: float, threshold: float) -> None:
        """All at the threshold, nothing at chance, never less for a better network."""
        earned = model.fraction(accuracy, threshold, 0.05)
        assert 0 <= earned <= 1
        assert (earned == 1) == (accuracy >= threshold)
        assert (earned > 0) == (accuracy > 0.05)
        assert model.fraction(min(1, accuracy + 0.01), threshold, 0.05) >= earned

    def test_half_way(self) -> None:
        """The ramp is a straight line."""
        assert math.isclose(model.fraction(0.2, 0.35, 0.05), 0.5)


class TestBound:
    """factor, bound, near and decisive: the rules that grader/thresholds/calibration.py simulates."""

    @pytest.mark.parametrize(("n", "k"), [(5, 7.86), (10, 4.51), (20, 3.67), (30, 3.45), (50, 3.30)])
    def test_factor(self, n: int, k: float) -> None:
        """The factors of a prediction interval at 0.1%, as tables have them."""
        assert model.factor(n) == pytest.approx(k, abs=0.005)

    def test_many_at_once(self) -> None:
        """Figures and arrays of them follow the same rule."""
        mean, sd = np.array([0.4, 0.5]), np.array([0.01, 0.02])
        for i, one in enumerate(model.bound(mean, sd, 20)):
            assert one == model.bound(float(mean[i]), float(sd[i]), 20)

    @pytest.mark.parametrize(
        ("accuracy", "close"), [(0.36, False), (0.371, True), (0.38, True), (0.389, True), (0.40, False)]
    )
    def test_close_is_within_one_deviation(self, accuracy: float, close: bool) -> None:
        """On either side."""
        one = model.compute(many(20, 0.38 + 3.6679 * 0.01)).get("alexnet", "coarse")
        assert one.threshold == pytest.approx(0.38, abs=2e-4)
        assert one.close(accuracy) is close

    def test_estimates_have_no_near(self) -> None:
        """Nobody knows the deviation of what nobody trained."""
        one = thresholds.Threshold(task="a", labels="fine", threshold=0.3, chance=0.01, source="a guess")
        assert not one.close(0.3)
        assert "estimate" in one.in_words()

    @given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
    def test_the_median_decides(self, three: list[float]) -> None:
        """Alone and in columns."""
        assert three[int(model.decisive(three))] == statistics.median(three)
        columns = np.array([three, three[::-1]]).T  # (3, 2)
        chosen = np.take_along_axis(columns, model.decisive(columns)[None], axis=0)
        assert chosen.tolist() == [[statistics.median(three)] * 2]
        assert model.decisive([0.4]) == 0

    def test_words(self) -> None:
        """What a student reads of a threshold."""
        said = model.compute(many(20, 0.4)).get("alexnet", "coarse").in_words()
        assert said == "A correct network falls below 36.3% in 1 of 1000 trainings (20 were measured)."

    @pytest.mark.parametrize(
        "fields", [{}, {"source": "a guess", "n": 5}, {"calibrated": True, "n": 4}, {"calibrated": True}]
    )
    def test_measured_or_estimated(self, fields: dict[str, Any]) -> None:
        """A threshold has runs or a source, never neither and never a source for runs."""
        with pytest.raises(ValueError, match=r"estimate has a source|measured, but not"):
            thresholds.Threshold(task="a", labels="fine", threshold=0.3, chance=0.01, **fields)


class TestMerge:
    """Runs.merge, save_runs and load_runs."""

    BOTH = runs(*GOOD.runs, *(run(0.5 + seed / 100, seed, task="resnet") for seed in range(5)))

    def test_a_file_a_task(self, tmp_path: Path) -> None:
        """What is written task by task is read as a whole; another task's file stays as it is."""
        folder = tmp_path / "offline"
        thresholds.save_runs(self.BOTH, folder)
        assert sorted(path.name for path in (folder / "runs").iterdir()) == ["alexnet.json", "resnet.json"]
        again = thresholds.load_runs(folder)
        assert again.runs == self.BOTH.runs
        assert again.builders == {task: PROFILE.builders[task] for task in ("alexnet", "resnet")}
        before = (folder / "runs" / "resnet.json").read_bytes()
        thresholds.save_runs(GOOD.model_copy(update={"runs": GOOD.runs[1:]}), folder)
        assert (folder / "runs" / "resnet.json").read_bytes() == before
        assert len(thresholds.load_runs(folder).runs) == 10

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"conditions": CONDITIONS.model_copy(update={"pin": "other"})}, "pin was 'pin', is 'other'"),
            ({"builders": {"alexnet": {"width": 9.0}}}, "builders.alexnet.width"),
            ({"profile": "cpu"}, "profile was 'offline', is 'cpu'"),
            ({"grading_seed": 3}, "grading_seed was 99, is 3"),
        ],
    )
    def test_other_conditions(self, changes: dict[str, Any], said: str) -> None:
        """Accuracies of different conditions are not compared; the first difference is named."""
        with pytest.raises(ManifestError, match=said):
            thresholds.Runs.merge([GOOD, GOOD.model_copy(update=changes)])

    def test_none(self, tmp_path: Path) -> None:
        """Without trainings the command that makes them is named."""
        with pytest.raises(ManifestError) as caught:
            thresholds.load_runs(tmp_path / "cpu")
        assert caught.value.fix == "Run: nox -s reference -- --profile cpu"
        assert thresholds.find_runs(tmp_path / "cpu") is None

    @pytest.mark.parametrize(
        ("was", "is_now", "said"),
        [
            ('"accuracy": 0.42', '"accuracy": 0.92', "under seed 2 is not as it was written"),
            ('"seed": 99', '"seed": 98', "under seed 98 is not as it was written"),
            ('"format": 2', '"format": 1', "format: Input should be 2"),
            ('"runs": [', '"runs": [[', "Invalid JSON"),
        ],
    )
    def test_damaged_or_edited(self, tmp_path: Path, was: str, is_now: str, said: str) -> None:
        """A result that was changed is never used, nor passed over in silence."""
        folder = tmp_path / "offline"
        thresholds.save_runs(GOOD, folder)
        (path,) = (folder / "runs").iterdir()
        assert was in path.read_text()
        path.write_text(path.read_text().replace(was, is_now))
        for read in (thresholds.load_runs, thresholds.find_runs):
            with pytest.raises(ManifestError, match=said) as caught:
                read(folder)
            assert str(path) in caught.value.message
            assert "nox -s reference -- --profile offline" in caught.value.fix


class TestEstimates:
    """save_estimates."""

    GOOD = "estimates: {resnet: {fine: {accuracy: 0.3, source: A guess.}}}"

    def write(self, tmp_path: Path, content: str) -> Path:
        folder = tmp_path / "gpu"
        folder.mkdir()
        (folder / "estimates.yaml").write_text(content)
        return folder

    def test_are_marked(self, tmp_path: Path) -> None:
        """They can be read like thresholds, and say that they are none; no conditions can make them stale."""
        folder = self.write(tmp_path, self.GOOD)
        save_estimates(folder)
        read = thresholds.load(folder)
        assert (read.calibrated, read.provisional) == (False, True)
        one = read.get("resnet", "fine")
        assert (one.threshold, one.chance, one.n, one.source) == (0.3, 0.01, 0, "A guess.")
        assert "thresholds of profile gpu are uncalibrated" in read.reservation()
        assert read.stale(CONDITIONS, PROFILE.builders) == ""

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("estimates: {resnet: {fine: {accuracy: 0.3}}}", "estimates.resnet.fine.source"),
            ("estimates: {resnet: {fine: {accuracy: 30, source: A guess.}}}", "less than 1"),
            ("estimates: {resnet: {middle: {accuracy: 0.3, source: A guess.}}}", "'coarse' or 'fine'"),
            ("estimates: {}", "estimates"),
            ("", "estimates.yaml"),
            ("[", "not YAML"),
        ],
    )
    def test_wrong(self, tmp_path: Path, content: str, said: str) -> None:
        """A figure without a source is refused; what is wrong is named."""
        with pytest.raises(ManifestError, match=said):
            save_estimates(self.write(tmp_path, content))

    def test_measured_ones_are_kept(self, tmp_path: Path) -> None:
        """An estimate never replaces a measurement."""
        folder = self.write(tmp_path, self.GOOD)
        measured = GOOD.model_copy(update={"profile": "gpu"})
        thresholds.save(measured, folder)
        with pytest.raises(ManifestError, match="was measured"):
            save_estimates(folder)
        assert thresholds.load(folder) == model.compute(measured)


class TestFiles:
    """save and load."""

    def test_round_trip(self, tmp_path: Path) -> None:
        """What is written is read again."""
        folder = tmp_path / "offline"
        written = thresholds.save(GOOD, folder)
        assert thresholds.load(folder) == written

    @pytest.mark.parametrize("content", [None, "", "{}", "nonsense", '{"format": 3}', '{"format": 2}'])
    def test_missing_or_broken(self, tmp_path: Path, content: str | None) -> None:
        """Thresholds that are not there or not whole are an error that names the file and the remedy."""
        folder = tmp_path / "cpu"
        folder.mkdir()
        if content is not None:
            (folder / "thresholds.json").write_text(content)
        with pytest.raises(ManifestError) as caught:
            thresholds.load(folder)
        assert str(folder / "thresholds.json") in caught.value.message
        assert caught.value.fix == "Run: nox -s reference -- --profile cpu"

    def test_of_another_profile(self, tmp_path: Path) -> None:
        """A file copied from another profile is not used."""
        thresholds.save(GOOD, tmp_path / "cpu")
        with pytest.raises(ManifestError, match="offline"):
            thresholds.load(tmp_path / "cpu")


class TestStale:
    """Thresholds.stale."""

    def test_nothing_changed(self, tmp_path: Path) -> None:
        """Under the same conditions they hold, after having been on disk as well."""
        thresholds.save(GOOD, tmp_path / "offline")
        assert thresholds.load(tmp_path / "offline").stale(CONDITIONS, PROFILE.builders) == ""

    def test_names_each_change(self) -> None:
        """Recipe, data, engine and builder arguments: each change is named with what it was and is."""
        computed = model.compute(GOOD)
        recipe = PROFILE.recipe.model_copy(update={"epochs": 77})
        said = computed.stale(CONDITIONS.model_copy(update={"recipe": recipe}), PROFILE.builders)
        assert f"recipe.epochs was {PROFILE.recipe.epochs}, is 77" in said
        assert "pin was 'pin', is 'other'" in computed.stale(
            CONDITIONS.model_copy(update={"pin": "other"}), PROFILE.builders
        )
        wider = {**PROFILE.builders, "alexnet": {"width": 9.0}}
        assert "builders.alexnet.width" in computed.stale(CONDITIONS, wider)


class TestCommitted:
    """reference/ as it is in this checkout."""

    @pytest.mark.parametrize("name", ["offline", "cpu"])
    def test_follows_from_its_runs(self, name: str) -> None:
        """Its thresholds are computed from the runs beside them, under params.yaml's recipe."""
        folder = ROOT / "reference" / name
        profile = profiles.load(ROOT / "params.yaml").profile(name)
        written = thresholds.load(folder)
        assert model.compute(thresholds.load_runs(folder)) == written
        assert written.conditions
        here = Conditions.of(profile, pin(profile.data), backends.name())
        # Other versions of the libraries make them stale, as they should; anything else is forgotten work.
        here = here.model_copy(update={"backend": written.conditions.backend})
        assert written.stale(here, profile.builders) == ""
        assert {(t.task, t.labels) for t in written.thresholds} == {
            (task, labels) for task in profile.builders for labels in profiles.CLASSES
        }

    @pytest.mark.parametrize("path", sorted((ROOT / "reference").glob("*/estimates.yaml")), ids=str)
    def test_follows_from_its_estimates(self, path: Path, tmp_path: Path) -> None:
        """What is not measured is what estimates.yaml says, for all that trains."""
        written = thresholds.load(path.parent)
        if written.calibrated:
            pytest.skip("measured by now")
        folder = tmp_path / path.parent.name
        folder.mkdir()
        (folder / "estimates.yaml").write_bytes(path.read_bytes())
        assert save_estimates(folder) == written
        assert {(t.task, t.labels) for t in written.thresholds} == {
            *((task, labels) for task in PROFILE.builders for labels in profiles.CLASSES),
            ("preprocessing", "coarse"),
        }


class TestPrepared:
    """thresholds/prepared.py, and the prepared.json that are committed."""

    def runs(self, accuracies: list[float]) -> list[Result]:
        return [made(accuracy=one, seed=seed, digest=f"{seed:064}") for seed, one in enumerate(accuracies)]

    def test_same_rule_as_every_other_threshold(self) -> None:
        accuracies = [0.24, 0.23, 0.25, 0.26, 0.22, 0.24]
        found = prepared.of_runs(self.runs(accuracies), 0, "the network")
        mean, sd = statistics.mean(accuracies[1:]), statistics.stdev(accuracies[1:])
        assert found.threshold == pytest.approx(thresholds.bound(mean, sd, 5), abs=1e-4)
        assert (found.n, found.chance, len(found.runs)) == (5, 0.05, 5)

    def test_a_solution_that_would_fail_sets_none(self) -> None:
        with pytest.raises(ManifestError, match="under the grading seed"):
            prepared.of_runs(self.runs([0.1, 0.24, 0.24, 0.25, 0.24, 0.241]), 0, "the network")

    @pytest.mark.parametrize("path", sorted((ROOT / "reference").glob("*/prepared.json")), ids=str)
    def test_what_is_committed_follows_from_its_runs(self, path: Path) -> None:
        found = prepared.find_prepared(path.parent)
        assert found is not None
        assert found.threshold == prepared.of_runs(found.runs, found.grading_seed, found.blueprint)
        assert found.threshold.n == len(found.runs) - 1
