"""The range itself: it finds canaries that get out, counts marks that are gained, and tells idle attacks."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader import schedule
from grader.sandbox import ENGINES
from tests.hostile.attack import Range, Shown
from tests.hostile.canaries import Canaries
from tests.hostile.corpus import Attack, attacks

ROOT = Path(__file__).parents[2]
CORPUS = {attack.name: attack for attack in attacks()}


@pytest.fixture(scope="module")
def place() -> Iterator[Range]:
    """A range with an engine that holds nothing back."""
    with Canaries() as canaries:
        yield Range(ENGINES["none"], canaries)


def made_up(source: str, baseline: float = 0.0) -> Attack:
    """An attack of one preprocessing.py."""

    def build(into: Path, _targets: Mapping[str, Any]) -> Path:
        (into / "preprocessing.py").write_text(source)
        return into

    return Attack("made_up", "Tries; gains nothing because.", baseline, "", build)


class TestCorpus:
    def test_there_are_many_and_each_states_its_claim(self) -> None:
        """The form is asserted where they are read."""
        assert len(CORPUS) >= 60

    def test_no_file_of_theirs_is_picked_up_by_this_checkout(self) -> None:
        """A planted conftest.py, numpy.py or pyproject.toml ends in .txt until it is handed in."""
        folders = ROOT / "tests" / "hostile" / "submissions" / "folders"
        files = [path for path in folders.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert {path.name for path in files if path.suffix != ".txt"} == {"preprocessing.py"}


class TestRange:
    """Without isolation, what the sandboxes hold off is seen to happen: else the table would show nothing."""

    def test_what_is_stolen_is_found(self, place: Range) -> None:
        shown = place.try_out(CORPUS["reads_what_it_was_told"])
        assert {"gradebook", "hidden labels", "other submission", "checkout"} <= shown.leaked
        assert not shown.held_off

    def test_a_way_out_is_found(self, place: Range) -> None:
        shown = place.try_out(CORPUS["connects_out"])
        assert "network" in shown.leaked
        assert not shown.held_off

    def test_a_changed_gradebook_is_found(self, place: Range) -> None:
        source = (
            "import json, os, pathlib\n"
            "here = pathlib.Path(__file__).parent\n"
            "book = pathlib.Path(json.loads((here / 'targets.json').read_text())['files'][0])\n"
            "before = book.read_bytes()\n"
            "book.write_bytes(before + b'mallory,100')\n"
            "print('attack: written', flush=True)\n"
        )
        shown = place.try_out(made_up(source))
        assert "gradebook.csv was changed" in shown.leaked
        place.canaries.gradebook.write_bytes(place.canaries._before[place.canaries.gradebook])

    def test_marks_count_above_the_baseline(self, place: Range) -> None:
        source = (
            ROOT / "solutions" / "preprocessing.py"
        ).read_text() + "\nprint('attack: solved', flush=True)\n"
        assert place.try_out(made_up(source)).gained == 30
        assert place.try_out(made_up(source, baseline=30)).held_off

    def test_an_attack_that_does_not_run_shows_nothing(self, place: Range) -> None:
        shown = place.try_out(made_up("1 / 0\n"))
        assert not shown.ran
        assert not shown.held_off

    def test_a_fault_and_an_error_of_the_grader_spoil_the_run(
        self, place: Range, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object) -> None:
            raise IndexError("tuple index out of range")

        monkeypatch.setattr(schedule.submission, "take_in", fails)
        shown = place.try_out(made_up("print('attack: x')\n"))
        assert "the grader ended: IndexError" in shown.spoiled
        assert not shown.held_off

    def test_held_off_is_none_of_this(self) -> None:
        assert Shown(ran=True).held_off


class TestCanaries:
    def test_a_word_is_found_in_disguise_and_across_pieces(self) -> None:
        canaries = Canaries()
        word = canaries.words["gradebook"].encode()
        for said in (word, word[::-1], word.hex().encode(), word.decode().encode("utf-16-le")):
            assert canaries.leaked([b"x" + said[:9], said[9:] + b"y"]) == {"gradebook"}
        for shift in range(4):
            assert canaries.leaked([base64.b64encode(b"x" * shift + word + b"y")]) == {"gradebook"}
        assert canaries.leaked([b"nothing"]) == set()

    def test_it_leaves_nothing_behind(self) -> None:
        with Canaries() as canaries:
            planted = [Path(path) for path in canaries.targets()["files"][:-1]]
            assert all(path.is_file() for path in planted)
        assert not any(path.parent.exists() for path in planted)
