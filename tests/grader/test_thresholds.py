"""Thresholds: what they are computed from, what they earn, and when they no longer hold."""

import json
import math
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import recipes, thresholds, trainer
from grader.errors import ManifestError
from grader.recipes import LabelSet
from grader.thresholds import ReferenceRun, Runs
from grader.trainer import Conditions, Result

ROOT = Path(__file__).resolve().parents[2]
PROFILE = recipes.load(ROOT / "params.yaml").profile("offline")
CONDITIONS = Conditions.of(PROFILE, "pin")
ACCURACIES = (0.40, 0.41, 0.42, 0.39, 0.405)


def run(
    accuracy: float,
    seed: int,
    labels: LabelSet = "coarse",
    blueprint: str = "b",
    variant: thresholds.Variant = "as written",
) -> ReferenceRun:
    result = Result(
        digest=f"{labels}{seed}",
        accuracy=accuracy,
        loss=2.0,
        train_accuracy=(accuracy,),
        train_loss=(2.0,),
        parameters=1,
        seconds=1.0,
        labels=labels,
        seed=seed,
        pin="pin",
        engine="engine",
        versions={},
        machine="",
    )
    return ReferenceRun(task="alexnet", variant=variant, blueprint=blueprint, result=result)


def runs(*all_runs: ReferenceRun) -> Runs:
    return Runs(profile="offline", conditions=CONDITIONS, builders=PROFILE.builders, runs=all_runs)


GOOD = runs(*(run(accuracy, seed) for seed, accuracy in enumerate(ACCURACIES)))


class TestCompute:
    """compute."""

    def test_rule(self) -> None:
        """The threshold is the mean less 4.5 sample deviations, and says from which runs."""
        computed = thresholds.compute(GOOD)
        one = computed.get("alexnet", "coarse")
        expected = statistics.mean(ACCURACIES) - 4.5 * statistics.stdev(ACCURACIES)
        assert expected - 1e-4 <= one.threshold <= expected
        assert (one.n, one.chance, one.k) == (5, 0.05, 4.5)
        assert one.runs == tuple(f"coarse{seed}" for seed in range(5))
        assert computed.provisional

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (runs(*GOOD.runs[:4]), "4 reference runs"),
            (runs(*GOOD.runs[:4], run(0.4, 3)), "different seeds"),
            (runs(*GOOD.runs[:4], run(0.4, 9, blueprint="c")), "one network"),
            (runs(*(run(a / 4, seed) for seed, a in enumerate(ACCURACIES))), "chance is 5%"),
        ],
    )
    def test_refuses(self, wrong: Runs, said: str) -> None:
        """Too few runs, mixed runs, and a recipe under which nothing is learnt give no threshold."""
        with pytest.raises(ManifestError, match=said):
            thresholds.compute(wrong)

    def test_weakest_variant_counts(self) -> None:
        """What the brief leaves open must not decide a mark: the weakest variant sets the threshold."""
        weaker = [run(a - 0.03, seed, variant="default initialisers") for seed, a in enumerate(ACCURACIES)]
        alone = thresholds.compute(GOOD).get("alexnet", "coarse")
        for both in (runs(*GOOD.runs, *weaker), runs(*weaker, *GOOD.runs)):
            (one,) = thresholds.compute(both).thresholds
            assert one.variant == "default initialisers"
            assert one.threshold == pytest.approx(alone.threshold - 0.03, abs=2e-4)
            assert one.n == 5

    def test_never_measured(self) -> None:
        """A label set without runs has no threshold, and the command that makes one is named."""
        with pytest.raises(ManifestError) as caught:
            thresholds.compute(GOOD).get("alexnet", "fine")
        assert "nox -s reference" in caught.value.mend


class TestFraction:
    """fraction."""

    @given(st.floats(0, 1), st.floats(0.2, 0.9))
    def test_ramp(self, accuracy: float, threshold: float) -> None:
        """All at the threshold, nothing at chance, never less for a better network."""
        earned = thresholds.fraction(accuracy, threshold, 0.05)
        assert 0 <= earned <= 1
        assert (earned == 1) == (accuracy >= threshold)
        assert (earned > 0) == (accuracy > 0.05)
        assert thresholds.fraction(min(1, accuracy + 0.01), threshold, 0.05) >= earned

    def test_half_way(self) -> None:
        """The ramp is a straight line."""
        assert math.isclose(thresholds.fraction(0.2, 0.35, 0.05), 0.5)


class TestFiles:
    """save and load."""

    def test_round_trip(self, tmp_path: Path) -> None:
        """What is written is read again; runs.json holds the runs behind it."""
        folder = tmp_path / "offline"
        written = thresholds.save(GOOD, folder)
        assert thresholds.load(folder) == written
        assert Runs.model_validate_json((folder / "runs.json").read_bytes()) == GOOD

    @pytest.mark.parametrize("content", [None, "", "{}", "nonsense", '{"format": 2}'])
    def test_missing_or_broken(self, tmp_path: Path, content: str | None) -> None:
        """Thresholds that are not there or not whole are an error that names the file and the remedy."""
        folder = tmp_path / "cpu"
        folder.mkdir()
        if content is not None:
            (folder / "thresholds.json").write_text(content)
        with pytest.raises(ManifestError) as caught:
            thresholds.load(folder)
        assert str(folder / "thresholds.json") in caught.value.message
        assert caught.value.mend == "Run: nox -s reference -- --profile cpu"

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
        computed = thresholds.compute(GOOD)
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
        profile = recipes.load(ROOT / "params.yaml").profile(name)
        written = thresholds.load(folder)
        measured = Runs.model_validate_json((folder / "runs.json").read_bytes())
        assert thresholds.compute(measured) == written
        here = Conditions.of(profile, trainer.pin(profile.data))
        # Other versions of the libraries make them stale, as they should; anything else is forgotten work.
        here = here.model_copy(update={"engine": written.conditions.engine})
        assert written.stale(here, profile.builders) == ""
        assert {(t.task, t.labels) for t in written.thresholds} == {
            (task, labels) for task in profile.builders for labels in recipes.CLASSES
        }
        assert json.loads((folder / "thresholds.json").read_text())["provisional"] is True
