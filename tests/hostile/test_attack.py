"""The range itself: it finds canaries that get out, counts marks that are gained, and tells idle attacks."""

import base64
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.grading import run
from grader.sandbox import ENGINES
from tests.hostile import doors
from tests.hostile.attack import QUICK, Range, Shown
from tests.hostile.canaries import Canaries
from tests.hostile.corpus import Attack, attacks

pytestmark = pytest.mark.slow

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
        assert len(CORPUS) >= 180

    def test_a_baseline_is_what_an_honest_fault_leaves(self) -> None:
        """As it is marked: what follows is not charged again, training is earned in the structure's share.

        A stem that is wrong for some arguments costs 5 of 35; a seed that does not decide, 4 of 30, in
        `prepare` as well.
        """
        assert CORPUS["slow_poolings_when_trained"].baseline == 35 - 5
        assert CORPUS["splits_by_the_clock"].baseline == 30 - 4

    def test_what_computes_nothing_has_two_points_at_most(self) -> None:
        for name in ("constants", "noise", "echo", "one_element", "one_dense_layer", "one_block_in_all"):
            assert CORPUS[name].baseline == 2

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

    def test_what_is_taken_is_found(self, place: Range) -> None:
        """Events of the whole machine, watches, locks on shared files: an attack states what it has."""
        for name in ("takes_the_aio_quota", "kernel_edges", "locks_shared_files"):
            shown = place.try_out(CORPUS[name])
            assert any(one.startswith("took ") for one in shown.leaked), name
            assert not shown.held_off

    def test_a_neighbour_among_the_libraries_is_found(self, place: Range) -> None:
        if not place.canaries._neighbours:
            pytest.skip("nobody but root plants files below /usr")
        shown = place.try_out(CORPUS["neighbours_below_usr"])
        assert "neighbour" in shown.leaked
        assert shown.gained > 0

    def test_one_that_costs_the_one_beside_it_its_marks_spoils_the_run(self, place: Range) -> None:
        def build(into: Path, _targets: Mapping[str, Any]) -> Path:
            (into / "preprocessing.py").write_text("print('attack: x')\n")
            (place.canaries.folder / "victim" / "preprocessing.py").write_text("1 / 0\n")
            return into

        attack = Attack("made_up", "Tries; gains nothing because.", 0.0, "", build, beside="it is shown here")
        honest = place.canaries.folder / "victim" / "preprocessing.py"
        before = honest.read_bytes()
        try:
            assert "the one beside it had 0 of 30 points" in place.try_out(attack).spoiled
        finally:
            honest.write_bytes(before)

    def test_one_that_takes_too_long_spoils_the_run(
        self, place: Range, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the processor's time, or by the clock's."""
        for spent, wanted in (("cpu", "of processor time"), ("seconds", "its sandboxes ran for")):
            shown = Shown(ran=True)
            place.engine.forget()
            (result,) = place.grade(place.canaries.folder / "victim")
            monkeypatch.setattr(place.engine, spent, 6 * QUICK.wall_seconds)
            place._look_at_cost(QUICK, [result], shown)
            assert wanted in shown.spoiled
            place.engine.forget()

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
        def fails(*_: object, **__: object) -> None:
            raise IndexError("tuple index out of range")

        monkeypatch.setattr(run, "grade", fails)
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


class TestDoors:
    """What stands open is seen to be open."""

    def test_each_states_its_claim(self) -> None:
        for door in doors.DOORS:
            assert door.claim.startswith("Tries ")
            assert "; gains nothing because " in door.claim
        assert not {door.name for door in doors.DOORS} & CORPUS.keys()

    def test_a_command_that_runs_what_it_looks_at_is_found(self) -> None:
        code = "import sys; sys.path.insert(0, sys.argv[1]); import preprocessing; preprocessing.prepare()"
        assert "wrote into somebody and shared" in doors.leaves_a_mark([sys.executable, "-c", code])

    def test_a_command_that_looks_at_nothing_shows_nothing(self) -> None:
        assert "did not call it" in doors.leaves_a_mark([sys.executable, "-c", "print('all is well')"])

    def test_what_takes_memory_or_time_is_measured(self) -> None:
        memory = [sys.executable, "-c", "print('x'); block = b'y' * (310 << 20)"]
        with doors._measured(memory, seconds=10, memory=1 << 30) as (printed, _, peak):
            assert printed.strip() == "x"
            assert peak > 300 << 20
        with doors._measured([sys.executable, "-c", "while True: pass"], seconds=1, memory=1 << 30) as spent:
            assert spent[1] > 0.5

    def test_an_archive_that_is_refused_at_once_is_held_off(self) -> None:
        assert doors.brought(b"<html>no archive</html>") == ""
