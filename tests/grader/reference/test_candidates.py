"""Candidates: wrong networks are wrong in what they say, and distances are what they are called."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from grader import blueprint
from grader.blueprint import Blueprint, outside
from grader.config import manifest, profiles
from grader.config.profiles import Params
from grader.errors import ManifestError
from grader.reference import candidates, solutions, stages
from grader.reference.candidates import WRONG, Cell, Comparison, wrong_networks
from grader.training.job import Result
from tests.grader.training.tiny import FINISH, Doing

ROOT = Path(__file__).resolve().parents[3]
PARAMS = profiles.load(ROOT / "params.yaml")
PROFILE = PARAMS.profile("cpu")
TRAIN = [task.id for task in manifest.load(ROOT / "solutions" / "tasks.toml").tasks if task.builder]


def written(task: str) -> Blueprint:
    """The solution's network on fine labels, as it was measured."""
    (one,) = (
        one for one in solutions.load(ROOT / "reference" / "cpu", task).networks if one.labels == "fine"
    )
    return blueprint.read(one.network, PROFILE.budget)


def result(accuracy: float, seed: int, cpu_seconds: float = 30.0) -> Result:
    return Result.model_construct(accuracy=accuracy, seed=seed, cpu_seconds=cpu_seconds, machine="a machine")


@pytest.mark.parametrize("task", TRAIN)
class TestWrongNetworks:
    """wrong_networks, of every solution that is trained."""

    def test_each_lacks_what_it_says(self, task: str) -> None:
        """What a name says is missing is not there, and all the rest is: every convolution stays."""
        right = written(task)
        wrong = dict(wrong_networks(right, PROFILE))
        assert "no skip" not in wrong or task != "alexnet"
        for name, op in (("no batch normalisation", "BatchNormalization"), ("no skip", "Add")):
            if name in wrong:
                assert right.of(op)
                assert not wrong[name].of(op)
        assert not [n for n in wrong["no ReLU"].of("Activation") if n.settings["activation"] == "relu"]
        for name in ("no batch normalisation", "no ReLU"):
            assert len(wrong[name].of("Conv2D")) == len(right.of("Conv2D"))
        for name, penalty in (("L2 of 0.1", 0.1), ("L2 of 0.01", 0.01)):
            layers = wrong[name].of("Conv2D", "Dense")
            assert {node.settings["kernel_l2"] for node in layers} == {penalty}
            assert wrong[name].parameters == right.parameters
        gammas = [
            node.settings["gamma_initializer"] for node in wrong["gammas of 0"].of("BatchNormalization")
        ]
        assert {"name": "Zeros"} in gammas
        assert {"name": "Ones"} not in gammas
        for name, deviation in (("RandomNormal of 1", 1.0), ("RandomNormal of 0.00001", 1e-5)):
            if name in wrong:
                for node in wrong[name].of("Conv2D", "Dense"):
                    assert node.settings["kernel_initializer"] == {
                        "name": "RandomNormal",
                        "stddev": deviation,
                    }
                assert "kernel start" in {one.rule for one in outside(wrong[name])}

    def test_takes_and_gives_the_same(self, task: str) -> None:
        """Each can be trained in the solution's place: same images, same classes; and is another network."""
        right = written(task)
        found = dict(wrong_networks(right, PROFILE))
        lacking = {"alexnet": {"no skip"}, "wide_resnet": {"RandomNormal of 0.00001"}}
        assert set(found) == set(WRONG) - lacking.get(task, set())
        for network in found.values():
            assert (network.input_shape, network.output_shape) == (right.input_shape, right.output_shape)
            assert network.digest != right.digest


class TestNoSkip:
    """The main path stays, and not the shortcut."""

    @pytest.mark.parametrize("task", ["resnet", "wide_resnet"])
    def test_main_path(self, task: str) -> None:
        """All convolutions of the blocks are there still; only those on shortcuts have gone."""
        right = written(task)
        wrong = dict(wrong_networks(right, PROFILE))["no skip"]
        on_shortcuts = 4 if task == "resnet" else 0  # the first block of each stage projects
        assert len(wrong.of("Conv2D")) == len(right.of("Conv2D")) - on_shortcuts


class TestCell:
    """What is told of one candidate on one task."""

    def test_distances(self) -> None:
        """In deviations of the right ones, to the best wrong one of each kind."""
        right = [result(accuracy, seed) for seed, accuracy in enumerate((0.19, 0.20, 0.21))]
        wrong = {"L2 of 0.1": result(0.02, 1), "L2 of 0.01": result(0.10, 1), "no ReLU": result(0.22, 1)}
        cell = candidates._cell(("as it is", "alexnet", "fine"), right, wrong)
        assert (cell.n, cell.mean, cell.sd, cell.cpu_seconds) == (3, 0.2, 0.01, 30.0)
        assert cell.threshold == 0.0  # 0.2 - t(0.999, 2) * sqrt(1 + 1/3) * 0.01 = -0.058
        assert cell.open_distance == 10.0
        assert cell.distance == -2.0

    def test_saved_beside_others(self, tmp_path: Path) -> None:
        """A second profile leaves the first one as it is; the same profile is replaced."""
        cell = Cell(
            candidate="as it is",
            task="alexnet",
            labels="fine",
            n=3,
            mean=0.2,
            sd=0.01,
            threshold=0.15,
            cpu_seconds=1,
            wrong=(),
            open_distance=1,
            distance=1,
        )
        path = tmp_path / "recipes.json"
        for profile, cells in (("cpu", (cell, cell)), ("offline", (cell,)), ("cpu", (cell,))):
            candidates.save(Comparison(profile=profile, machine="", cells=cells), path)
        held = json.loads(path.read_text())
        assert {name: len(one["cells"]) for name, one in held.items()} == {"cpu": 1, "offline": 1}


class TestParams:
    """Params.candidates_of."""

    def test_differ_in_what_they_say(self) -> None:
        """The profile as it is comes first; a candidate keeps all that it does not name."""
        (first, *others) = PARAMS.candidates_of("cpu").items()
        assert first == ("as it is", PROFILE)
        assert others
        for _, one in others:
            assert one != PROFILE
            assert (one.builders, one.hidden, one.recipe.batch) == (
                PROFILE.builders,
                PROFILE.hidden,
                PROFILE.recipe.batch,
            )

    def test_wrong_one(self) -> None:
        """One that is no profile is named, with what is wrong with it."""
        bad = Params(profiles=PARAMS.profiles, candidates={"cpu": {"backwards": {"recipe": {"epochs": -1}}}})
        with pytest.raises(ManifestError, match=r"candidates\.cpu\.backwards\.recipe\.epochs: .* Received: "):
            bad.candidates_of("cpu")


@pytest.mark.slow
class TestWhere:
    """compare, with children that train nothing: where they run, and what is taken to compute there."""

    def test_is_the_executor_s(self, tmp_path: Path) -> None:
        """What computes in the executor is what its results are filed under, TensorFlow or not."""
        profile = PARAMS.profile("offline")
        executor = Doing(FINISH.replace("accuracy=0.5", "accuracy=0.5 + job['seed'] / 1000"), backend="jax")
        assert " jax " in executor.backend
        compared = candidates.compare(
            {"as it is": profile},
            [manifest.load(ROOT / "solutions" / "tasks.toml").task("alexnet")],
            ["coarse"],
            ROOT / "solutions",
            seeds=(1, 2),
            executor=executor,
            store=tmp_path,
            workers=2,
            console=Console(quiet=True),
        )
        (cell,) = compared.cells
        assert cell.n == 2
        stored = [Result.model_validate_json(path.read_bytes()) for path in tmp_path.iterdir()]
        assert len(stored) == 2 + len(cell.wrong)
        assert {one.backend for one in stored} == {executor.backend}

    def test_is_the_profile_s(self) -> None:
        """A candidate on another device or backend is refused: it would not be trained where it says."""
        profile = PARAMS.profile("offline").model_copy(update={"backend": "jax"})
        place = stages.Place.of(ROOT, "offline", Console(quiet=True), workers=1)
        vars(place.session)["profile"] = profile  # as if params.yaml had it
        with pytest.raises(
            ManifestError, match=r"candidates\.offline\.as it is: trains on cpu with tensorflow"
        ):
            stages.compare_candidates(place, ["alexnet"], ["coarse"], 2, None)
