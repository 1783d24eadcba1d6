"""The report's tables on verdicts: they say what the files say, and what is missing is named."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from grader import web
from grader.errors import ManifestError
from grader.reference import candidates, confirm
from grader.reference.candidates import Cell, Comparison, WrongRun
from grader.reference.confirm import Confirmation, Verdict
from grader.reference.report import verdicts

TITLES = {"alexnet": "AlexNet"}
CELL = Cell(
    candidate="batches of <64>",
    task="alexnet",
    labels="fine",
    n=3,
    mean=0.4,
    sd=0.01,
    threshold=0.35,
    cpu_seconds=14.2,
    wrong=(
        WrongRun(name="L2 of 0.1", kind="only the threshold catches it", accuracy=0.03),
        WrongRun(name="L2 of 0.01", kind="only the threshold catches it", accuracy=0.30),
        WrongRun(name="no ReLU", kind="the structure's checks catch it too", accuracy=0.42),
    ),
    open_distance=10.0,
    distance=-2.0,
)
CONFIRMED = Confirmation(
    profile="cpu",
    machine="a machine",
    backend="keras",
    seeds=(7, 8),
    thresholds={"alexnet, fine": 0.35},
    passed=1,
    verdicts=(
        Verdict(task="alexnet", labels="fine", seed=7, accuracies=(0.41,), decided=0.41, passed=True),
        Verdict(
            task="alexnet", labels="fine", seed=8, accuracies=(0.34, 0.36, 0.2), decided=0.34, passed=False
        ),
    ),
)


def shown(section: str, found: verdicts.Recipes | verdicts.Confirmed) -> str:
    """The section of the page, as HTML."""
    page = SimpleNamespace(**{section: found})
    about = SimpleNamespace(profile=SimpleNamespace(name="cpu"))
    return web.render(f"report/{section}.html.j2", page=page, about=about)


class TestRecipes:
    """verdicts.recipes, and what candidates.load reads for it."""

    def test_a_row_a_candidate(self, tmp_path: Path) -> None:
        """Figures as measured, the best wrong network of either kind by name, and text escaped."""
        path = tmp_path / "recipes.json"
        candidates.save(Comparison(profile="cpu", machine="a machine", cells=(CELL,)), path)
        text = shown("recipes", verdicts.recipes("cpu", TITLES, path))
        for piece in ("AlexNet, fine labels", "batches of &lt;64&gt;", ">14<", "40.0%", "1.00%", "35.0%"):
            assert piece in text
        assert "L2 of 0.01, 30.0%" in text
        assert "no ReLU, 42.0%" in text
        assert "-2.0" in text

    @pytest.mark.parametrize("held", [None, "{}"])
    def test_nothing_compared(self, tmp_path: Path, held: str | None) -> None:
        """No file, or nothing of this profile in it: the command that measures it."""
        path = tmp_path / "recipes.json"
        if held is not None:
            path.write_text(held)
        text = shown("recipes", verdicts.recipes("cpu", TITLES, path))
        assert "<code>python -m grader.reference candidates --profile cpu</code>" in text
        assert "<table" not in text

    @pytest.mark.parametrize("held", ["{", "[]", '{"cpu": {"cells": 3}}'])
    def test_broken(self, tmp_path: Path, held: str) -> None:
        """What cannot be read is an error with a way out."""
        path = tmp_path / "recipes.json"
        path.write_text(held)
        with pytest.raises(ManifestError, match=r"recipes\.json cannot be read") as caught:
            verdicts.recipes("cpu", TITLES, path)
        assert "candidates --profile cpu" in caught.value.fix


class TestConfirmed:
    """verdicts.confirmed, and what confirm.load reads for it."""

    def test_a_row_a_check(self, tmp_path: Path) -> None:
        """How many passed, the lowest accuracy that counted, how many took three trainings, and the sum."""
        confirm.save(CONFIRMED, tmp_path)
        text = shown("confirmed", verdicts.confirmed(TITLES, tmp_path))
        for piece in ("AlexNet fine", "1 of 2", "35.00%", "34.00%", "2 seeds", "7 to 8", "a submission"):
            assert piece in text

    def test_not_confirmed(self, tmp_path: Path) -> None:
        text = shown("confirmed", verdicts.confirmed(TITLES, tmp_path))
        assert "<code>python -m grader.reference confirm --profile cpu</code>" in text
        assert "<table" not in text

    def test_broken(self, tmp_path: Path) -> None:
        (tmp_path / "confirmation.json").write_text("{")
        with pytest.raises(ManifestError, match=r"confirmation\.json cannot be read"):
            verdicts.confirmed(TITLES, tmp_path)
