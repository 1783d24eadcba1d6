"""Jobs: digests that change with all that can change a result, and with nothing else."""

import base64
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
from grader.training import job as job_module
from grader.training.job import START_SECONDS, Conditions, Job, Result, limit_seconds, pin
from lab import synthetic
from lab.training import Recipe
from tests.grader.training.tiny import BACKEND, NETWORK, PIN, PROFILE, job, result

ROOT = Path(__file__).resolve().parents[3]
RUNS = sorted((ROOT / "reference").glob("*/runs/*.json"))


class TestDigest:
    """Job.digest."""

    @pytest.mark.parametrize(
        ("changes", "digest"),
        [
            ({}, "326616b07766a39cec6d8e2276f701bc6ac64750c44344ad23bcb95864542e8d"),
            ({"validation": 100}, "8484e93e94aec0dfe5132db41d1116ac1e937c060c05478fe7bec07592d74a5a"),
        ],
    )
    def test_golden(self, changes: dict[str, Any], digest: str) -> None:
        """All results ever stored are filed under such digests: another one here orphans them."""
        conditions = Conditions.of(PROFILE, "course+hidden", "keras 3.15.1 tensorflow 2.21.0 cpu")
        fixed = conditions.model_copy(update={"code": 2, **changes})
        assert job(conditions=fixed).digest == digest

    def test_new_fields_orphan_nothing(self) -> None:
        """A field that is new, in the job, its conditions or the recipe, changes no digest at its default."""

        class NewRecipe(Recipe):
            mixed: float = 0.0

        class NewConditions(Conditions):
            recipe: NewRecipe
            resolution: int = 32

        class NewJob(Job):
            conditions: NewConditions
            teacher: str = ""

        old = job().model_dump()
        conditions = old["conditions"]
        {**conditions, "recipe": {**conditions["recipe"], "mixed": 0.2}}
        assert NewJob.model_validate(old).digest == job().digest
        for changed in (
            {**old, "teacher": "a larger network"},
            {**old, "conditions": {**old["conditions"], "resolution": 64}},
            {
                **old,
                "conditions": {**old["conditions"], "recipe": {**old["conditions"]["recipe"], "mixed": 0.2}},
            },
        ):
            assert NewJob.model_validate(changed).digest != job().digest

    def test_versioned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another version of what digests are made from files everything anew."""
        before = job().digest
        monkeypatch.setattr(job_module, "DIGEST_VERSION", job_module.DIGEST_VERSION + 1)
        assert job().digest != before

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
            {"validation": 100},
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

    def test_changes_with_what_it_is_scored_on(self) -> None:
        """An accuracy on validation images is never taken for one on the hidden set."""
        validated = job(conditions={"validation": 100}, scored_on="validation")
        assert validated.digest not in {job().digest, job(conditions={"validation": 100}).digest}
        assert Job.model_validate_json(validated.model_dump_json()).digest == validated.digest


class TestOf:
    """Job.of."""

    def test_validation_is_the_profile_s(self) -> None:
        """How many images validate is the profile's to say."""
        profile = PROFILE.model_copy(update={"validation": 300})
        assert Job.of(NETWORK, "coarse", 0, profile, PIN, BACKEND).conditions.validation == 300
        assert Job.of(NETWORK, "coarse", 0, PROFILE, PIN, BACKEND).conditions.validation == 0

    def test_scored_on_validation(self) -> None:
        """It says nothing of the hidden set: neither its size nor its pin are part of such a job."""
        profile = PROFILE.model_copy(update={"validation": 300})
        course = pin("embedded", scored_on="validation")
        one, other = (
            Job.of(NETWORK, "coarse", 0, of, course, BACKEND, scored_on="validation")
            for of in (profile, profile.model_copy(update={"hidden": 200}))
        )
        assert one.digest == other.digest
        assert (one.conditions.validation, one.conditions.hidden) == (300, 0)
        assert course == synthetic.embedded_course().pin

    def test_nothing_to_score_on(self) -> None:
        """Without validation images there is no such job."""
        with pytest.raises(ManifestError, match=r"profiles\.tiny\.validation"):
            Job.of(NETWORK, "coarse", 0, PROFILE, PIN, BACKEND, scored_on="validation")
        with pytest.raises(ValidationError, match="validation images has none"):
            Job.model_validate({**job().model_dump(), "scored_on": "validation"})


class TestResult:
    """Result: its content is sealed."""

    def test_intact(self) -> None:
        """As it was sealed, and as it is read again, it is intact; with any field changed, it is not."""
        sealed = result(job())
        assert sealed.intact
        assert Result.model_validate_json(sealed.model_dump_json()).intact
        for change in ({"accuracy": 0.6}, {"when": "2026-11-27"}, {"machine": "another"}, {"content": ""}):
            assert not sealed.model_copy(update=change).intact

    def test_new_fields_damage_nothing(self) -> None:
        """A result that was sealed before there was a field is intact with that field at its default."""

        class NewResult(Result):
            joules: float | None = None

        assert NewResult.model_validate_json(result(job()).model_dump_json()).intact

    def test_predictions(self) -> None:
        """They are read as one class index an image."""
        said = base64.b64encode(bytes([3, 0, 19])).decode()
        assert result(job(), validation_predictions=said).predictions.tolist() == [3, 0, 19]
        assert len(result(job()).predictions) == 0

    @pytest.mark.parametrize(
        ("machine", "said"),
        [
            ("AMD EPYC 9B14, 2 cores, Linux x86_64", "AMD EPYC 9B14, 2026-11-26"),
            ("Intel(R) Xeon(R)  Processor, 2 cores", "Intel Xeon Processor, 2026-11-26"),
            ("", "a machine without a name, 2026-11-26"),
        ],
    )
    def test_where(self, machine: str, said: str) -> None:
        """The processor by its name alone, and the day."""
        assert result(job(), machine=machine).where == said

    def test_nothing_of_hidden_images(self) -> None:
        """What is kept of the hidden set is one accuracy and one loss: nothing of a single image or label."""
        assert {name for name in Result.model_fields if "prediction" in name} == {"validation_predictions"}


class TestStoredResults:
    """What reference/ holds: it is read, found and written as it is."""

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
            assert run.result.intact
        thresholds.save_runs(runs, tmp_path / folder.name)
        assert (tmp_path / folder.name / "runs" / path.name).read_bytes() == path.read_bytes()


class TestLimit:
    def test_what_a_training_is_given(self) -> None:
        """Twice what the described network takes, besides the start, and never more than the profile says."""
        assert limit_seconds(20.0) == START_SECONDS + 40
        assert limit_seconds(400.0, 600.0) == 600
