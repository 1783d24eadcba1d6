"""Jobs: digests that change with all that can change a result, and with nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from grader import thresholds
from grader.blueprint import Budget
from grader.config import profiles
from grader.errors import ManifestError
from grader.reference import solutions
from grader.training import backends
from grader.training.job import START_SECONDS, Conditions, Job, Result, limit_seconds, pin
from lab import synthetic
from lab.training import Recipe
from tests.grader.training.tiny import BACKEND, NETWORK, PIN, PROFILE, job, result

ROOT = Path(__file__).resolve().parents[3]
RUNS = sorted((ROOT / "reference").glob("*/runs/*.json"))
OBSERVED = sorted((ROOT / "reference").glob("*/observed/*.json"))


class TestDigest:
    """Job.digest."""

    @pytest.mark.parametrize(
        ("changes", "digest"),
        [
            ({}, "717c2684cebe8c5db53ca60b829864ea6c3c8fcb73237bbdfafb031c1aff843a"),
            (
                {"observe": True, "validation": 100},
                "8aaf53bb7c03e1bf7e74111ae3c380e40bcc069a21d0000a2d3215c258d2c202",
            ),
        ],
    )
    def test_golden(self, changes: dict[str, Any], digest: str) -> None:
        """All results ever stored are filed under such digests: another one here orphans them."""
        conditions = Conditions.of(PROFILE, "course+hidden", "keras 3.15.1 tensorflow 2.21.0 cpu")
        fixed = conditions.model_copy(update={"code": 2})
        assert job(conditions=fixed, **changes).digest == digest

    def test_stays_what_it_is(self) -> None:
        """The digest survives being written and read, and knows nothing of limits."""
        assert Job.model_validate_json(job().model_dump_json()).digest == job().digest
        assert job(limit_seconds=1.0).digest == job().digest
        assert job(budget=Budget(parameters=1, flops=1, activations=1, nodes=1)).digest == job().digest

    @pytest.mark.parametrize(
        "change",
        [
            {"pin": "0"},
            {"train": 300},
            {"hidden": 200},
            {"backend": "keras 9"},
            {"code": -1},
            {"data": "cifar-100"},
            {"backend": backends.name("cpu", "jax")},
        ],
    )
    def test_changes_with_each_condition(self, change: dict[str, Any]) -> None:
        """Whatever can change a result changes the digest."""
        assert job(conditions=job().conditions.model_copy(update=change)).digest != job().digest

    @pytest.mark.parametrize("field", sorted(Recipe.model_fields))
    def test_changes_with_the_recipe(self, field: str) -> None:
        """Every field of the recipe counts."""
        value = getattr(PROFILE.recipe, field)
        other = (
            {"flip": False, "precision": "mixed_bfloat16"}[field] if value in (True, "float32") else value + 1
        )
        recipe = PROFILE.recipe.model_copy(update={field: other})
        assert job(conditions=job().conditions.model_copy(update={"recipe": recipe})).digest != job().digest

    def test_changes_with_seed_labels_and_network(self) -> None:
        """So do the three that tell the trainings of one profile apart."""
        other = {**NETWORK.canonical, "format": 2}
        assert len({job().digest, job(1).digest, job(labels="fine").digest, job(blueprint=other).digest}) == 4

    def test_changes_with_observation(self) -> None:
        """A result without an observation does not stand for one with it, nor one of other images."""
        digests = {job().digest, job(observe=True).digest, job(observe=True, validation=100).digest}
        assert len(digests) == 3

    def test_changes_with_what_it_is_scored_on(self) -> None:
        """An accuracy on validation images is never taken for one on the hidden set."""
        validated = job(validation=100, scored_on="validation")
        assert validated.digest not in {job().digest, job(validation=100).digest}
        assert Job.model_validate_json(validated.model_dump_json()).digest == validated.digest


class TestOf:
    """Job.of."""

    def test_observation_is_the_profile_s(self) -> None:
        """How many images validate is the profile's to say, and nobody's where nothing is observed."""
        profile = PROFILE.model_copy(update={"validation": 300})
        observed = Job.of(NETWORK, "coarse", 0, profile, PIN, BACKEND, observe=True)
        assert (observed.observe, observed.validation) == (True, 300)
        assert Job.of(NETWORK, "coarse", 0, profile, PIN, BACKEND).digest == job().digest

    def test_scored_on_validation(self) -> None:
        """It says nothing of the hidden set: neither its size nor its pin are part of such a job."""
        profile = PROFILE.model_copy(update={"validation": 300})
        course = pin("embedded", scored_on="validation")
        one, other = (
            Job.of(NETWORK, "coarse", 0, of, course, BACKEND, scored_on="validation")
            for of in (profile, profile.model_copy(update={"hidden": 200}))
        )
        assert one.digest == other.digest
        assert (one.validation, one.observe, one.conditions.hidden) == (300, False, 0)
        assert course == synthetic.embedded_course().pin

    def test_nothing_to_score_on(self) -> None:
        """Without validation images there is no such job."""
        with pytest.raises(ManifestError, match=r"profiles\.tiny\.validation"):
            Job.of(NETWORK, "coarse", 0, PROFILE, PIN, BACKEND, scored_on="validation")
        with pytest.raises(ValidationError, match="validation images has none"):
            Job.model_validate({**job().model_dump(), "scored_on": "validation"})


class TestStoredResults:
    """What reference/ holds was filed under other code: it is still read, found and written as it is."""

    @pytest.mark.parametrize("path", RUNS, ids=lambda path: "-".join(path.parts[-3::2]))
    def test_runs(self, path: Path, tmp_path: Path) -> None:
        """Every job has the digest that its result is filed under; writing them again changes no byte."""
        folder, task = path.parents[1], path.stem
        runs = thresholds.load_runs(folder)
        budget = profiles.load(ROOT / "params.yaml").profile(folder.name).budget
        networks = {one.digest: one.network for one in solutions.load(folder, task).networks}
        own = [run for run in runs.runs if run.task == task]
        assert own
        for run in own:
            again = Job(
                blueprint=networks[run.blueprint],
                labels=run.result.labels,
                seed=run.result.seed,
                conditions=runs.conditions,
                budget=budget,
                limit_seconds=1.0,
            )
            assert again.digest == run.result.digest
        thresholds.save_runs(runs, tmp_path / folder.name)
        assert (tmp_path / folder.name / "runs" / path.name).read_bytes() == path.read_bytes()

    @pytest.mark.parametrize("path", OBSERVED, ids=lambda path: "-".join(path.parts[-3::2]))
    def test_observed(self, path: Path) -> None:
        content = json.loads(path.read_bytes())
        read = [Result.model_validate(one) for one in content["results"]]
        assert read
        written = {**content, "results": [one.model_dump(mode="json") for one in read]}
        assert json.dumps(written, indent=1) + "\n" == path.read_text()

    def test_engine_in_files(self) -> None:
        """A backend is called `engine` there, and by no other name."""
        for model in (result(job()), job().conditions):
            content = json.loads(model.model_dump_json())
            assert content["engine"] == BACKEND
            assert "backend" not in content
        assert job().model_dump()["conditions"]["engine"] == BACKEND


class TestLimit:
    def test_what_a_training_is_given(self) -> None:
        """Twice what the described network takes, besides the start, and never more than the profile says."""
        assert limit_seconds(20.0) == START_SECONDS + 40
        assert limit_seconds(400.0, 600.0) == 600
