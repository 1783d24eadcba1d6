"""A class whose grading is killed again and again comes to the gradebook of one that was left alone."""

import random
from pathlib import Path

import pytest
from rich.console import Console

from grader.sandbox.bubblewrap import BubblewrapEngine
from tests.overnight import kills
from tests.overnight.kills import Kills
from tests.overnight.place import Place

ROOT = Path(__file__).parents[2]
SUBMISSION = "def confusion_matrix(labels, predictions, num_classes):\n    return {value}\n"

_bubblewrap = BubblewrapEngine().availability()


@pytest.fixture
def a_class(tmp_path: Path) -> Path:
    """Six students of whom nothing is trained, none like another."""
    folder = tmp_path / "class"
    for number in range(6):
        own = folder / f"student{number}"
        own.mkdir(parents=True)
        (own / "evaluation.py").write_text(SUBMISSION.format(value=number), encoding="utf-8")
        solution = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
        (own / "preprocessing.py").write_text(f"{solution}\n# student {number}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.skipif(not _bubblewrap.usable, reason=f"no bubblewrap: {_bubblewrap.reason}")
def test_killed_at_random_moments(a_class: Path) -> None:
    """Four kills; `nox -s overnight -- kills` has fifty, of a class that is trained as well."""
    tried = Kills(Console(quiet=True), Place.made(a_class), a_class, random.Random(5), longest=6)
    tried.run(4)
    assert tried.seen.kills == 4
    assert not tried.seen.wrong


class TestTwice:
    """kills.twice."""

    @pytest.mark.parametrize(
        ("lines", "wrong"),
        [
            ("probed a\nprobed a\nkept a\nexamined s\nmarked s\n", 0),  # killed before it was stored
            ("probed a\nkept a\nprobed b\nprobed a\n", 1),
            ("examined s\nmarked s\nexamined s\nexamined t\n", 1),
            ("trained d\nresult d\ntrained d\n", 1),
        ],
    )
    def test_only_what_was_done_before_counts(self, tmp_path: Path, lines: str, wrong: int) -> None:
        (tmp_path / "log").write_text(lines)
        assert len(kills.twice(tmp_path / "log")) == wrong


class TestDifferent:
    """kills.different."""

    def test_names_the_field(self) -> None:
        one = {"mark": {"points": {"resnet": [3.0, 35.0]}}, "same": 1}
        other = {"mark": {"points": {"resnet": [4.0, 35.0]}}, "same": 1, "more": 2}
        assert kills.different(one, other) == {
            "mark.points.resnet[0]": ("3.0", "4.0"),
            "more": ("not there", "2"),
        }
