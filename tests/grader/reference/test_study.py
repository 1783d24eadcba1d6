"""The study's cells: what params.yaml and DVC say of them, what is kept of a training, and the page."""

import base64
from pathlib import Path

import numpy as np
import pytest
import yaml

from grader.config import profiles
from grader.errors import ManifestError, UsageError
from grader.reference.report import cells as shown
from grader.reference.study import results
from grader.reference.study.cells import PROFILE, Cell
from grader.training.job import Job
from lab import synthetic
from tests.grader.training.tiny import BACKEND, NETWORK, PIN, result

ROOT = Path(__file__).resolve().parents[3]
PARAMS = profiles.load(ROOT / "params.yaml")


class TestCells:
    """params.yaml and reference/study/dvc.yaml."""

    def test_a_stage_each(self) -> None:
        """DVC has the cells of params.yaml, with their tasks."""
        stages = yaml.safe_load((ROOT / "reference" / "study" / "dvc.yaml").read_text())["stages"]
        listed = {name: one["task"] for name, one in stages["cell"]["foreach"].items()}
        assert listed == {name: one.task for name, one in PARAMS.study.items()}

    def test_equal_but_for_the_one_that_says_so(self) -> None:
        """All cells have one recipe, and one of them settings of its own."""
        recipes = {name: PARAMS.of_cell(name).recipe for name in PARAMS.study}
        own = [name for name, one in PARAMS.study.items() if one.recipe]
        assert len(own) == 1
        assert {recipe == PARAMS.profile(PROFILE).recipe for recipe in recipes.values()} == {True, False}
        assert [name for name, one in recipes.items() if one != PARAMS.profile(PROFILE).recipe] == own

    def test_wrong_ones(self) -> None:
        with pytest.raises(UsageError, match="no cell 'other'"):
            PARAMS.of_cell("other")
        name, cell = next(iter(PARAMS.study.items()))
        wrong = PARAMS.model_copy(update={"study": {name: cell.model_copy(update={"recipe": {"epochs": 0}})}})
        with pytest.raises(ManifestError, match=f"study.{name}"):
            wrong.of_cell(name)


class TestResults:
    """What is kept of a cell, read back and shown."""

    def test_kept_and_shown(self, tmp_path: Path) -> None:
        """Two answers of three are right: in the matrix, in the superclasses, in the row."""
        for name in ("params.yaml", "solutions"):
            (tmp_path / name).symlink_to(ROOT / name)
        assert {row.here for row in shown.table(tmp_path).rows} == {shown.NOT_YET}
        name, asked = next((name, one) for name, one in PARAMS.study.items() if one.task == "alexnet")
        profile = PARAMS.of_cell(name)
        held_back = synthetic.embedded_course().prefix(300)
        said = held_back.labels(asked.labels).astype(np.uint8)
        said[::3] = (said[::3] + 1) % 20
        job = Job.of(NETWORK, asked.labels, 0, profile, PIN, BACKEND, scored_on="validation")
        made = result(
            job,
            accuracy=2 / 3,
            loss=1.5,
            train_accuracy=(0.5, 0.7),
            train_loss=(2.0, 1.0),
            validation_accuracy=(0.4, 2 / 3),
            validation_loss=(2.0, 1.5),
            validation_predictions=base64.b64encode(said.tobytes()).decode(),
            cpu_seconds=600.0,
        )
        measured = results.of(Cell(name, asked, profile, {"width": 0.5}, job), made, held_back)
        assert np.trace(measured.counts) == (said == held_back.labels(asked.labels)).sum()
        assert measured.counts.sum() == 300
        assert len(measured.superclasses) == 20
        results.save(measured, tmp_path)
        assert results.load(tmp_path, name) == measured

        table = shown.table(tmp_path)
        (row,) = (one for one in table.rows if one.cell == name)
        assert (row.here, row.train, row.minutes, table.done) == ("66.7%", "70.0%", "10", 1)
        assert [one.here for one in table.rows if one.cell != name] == [shown.NOT_YET] * (len(table.rows) - 1)
        page = shown.page(tmp_path, tmp_path / "page").read_text()
        assert "66.7%" in page
        assert "not run yet" in page
        assert {path.name for path in (tmp_path / "page").glob("*.png")} == {
            f"study-{what}.png"
            for what in (f"curves-{asked.labels}", f"confusions-{asked.labels}", "superclasses")
        }

    def test_damaged(self, tmp_path: Path) -> None:
        """The file is named."""
        file = results.path(tmp_path, "alexnet-fine")
        file.parent.mkdir(parents=True)
        file.write_text("{")
        with pytest.raises(ManifestError, match=r"alexnet-fine\.json"):
            results.load(tmp_path, "alexnet-fine")
