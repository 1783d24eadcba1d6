"""The bank of submissions: each mutant fails the check it names, first and with its hint; the rest is right.

`nox -s prove` grades the same submissions in a sandbox, as a class is graded.
"""

from pathlib import Path
from typing import Any

import pytest

from grader.config import manifest
from grader.errors import ManifestError
from grader.proof import bank
from grader.proof.bank import Entry, Mutant
from grader.results.record import Status
from grader.results.verdict import Verdict

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
BANK = bank.entries(ROOT, TASKS)
SEED = 3


def each(entries: list[Entry]) -> list[Any]:
    """Submissions as parameters; slow are all but the first right one of a task and mutant of a check."""
    parameters, seen = [], set()
    for one in entries:
        kind = one.task.id, one.mutant and one.mutant.check
        parameters.append(pytest.param(one, id=one.folder, marks=pytest.mark.slow if kind in seen else ()))
        seen.add(kind)
    return parameters


class TestBank:
    """Every submission of the bank comes out as the bank says."""

    @pytest.mark.parametrize("entry", each([one for one in BANK if one.mutant]))
    def test_mutant(self, entry: Entry, judged_entry: Any) -> None:
        mutant = entry.mutant
        assert mutant
        verdicts: dict[str, Verdict] = judged_entry(entry, SEED)
        failed = {check: v for check, v in verdicts.items() if v.status is Status.FAILED}
        trained = {check.id for check in entry.task.checks if check.train}
        expected = [c for c in (mutant.check, *mutant.also) if c not in trained]
        assert set(failed) == set(expected), {check: v.message for check, v in failed.items()}
        if expected:  # the others only fail to learn
            first = next(iter(failed))
            assert first == mutant.check
            check = next(one for one in entry.task.checks if one.id == first)
            assert mutant.says in failed[first].message
            own = failed[first].hint
            hint = " ".join(check.hint.split()) if own is None else own
            assert mutant.hint in f"{failed[first].message} {hint}"

    @pytest.mark.parametrize("entry", each([one for one in BANK if not one.mutant]))
    def test_right(self, entry: Entry, judged_entry: Any) -> None:
        verdicts: dict[str, Verdict] = judged_entry(entry, SEED)
        assert {check: v.message for check, v in verdicts.items() if v.status is not Status.PASSED} == {}

    def test_every_check_has_a_mutant(self) -> None:
        assert bank.uncovered(TASKS, BANK) == []

    def test_names_are_folders(self) -> None:
        """No two submissions of the bank share a folder, whatever their names are made of."""
        everything = bank.entries(ROOT, TASKS, with_unseen=True)
        assert len({one.folder for one in everything}) == len(everything)


class TestUnseen:
    """Unseen mistakes are in the bank for those who ask, apply, and are no mutants."""

    def test_only_when_asked_for(self) -> None:
        assert not [one for one in BANK if one.unseen]
        unseen = bank.entries(ROOT, TASKS, with_unseen=True)[len(BANK) :]
        assert len(unseen) == 50
        assert all(one.unseen and not one.mutant and one.folder.startswith("unseen-") for one in unseen)
        assert {one.task.id for one in unseen} == {task.id for task in TASKS.tasks}

    def test_they_apply(self) -> None:
        for entry in bank.entries(ROOT, TASKS, with_unseen=True)[len(BANK) :]:
            assert entry.unseen
            solution = (ROOT / "solutions" / entry.task.module).read_text(encoding="utf-8")
            source = bank.changed(solution, entry.unseen)
            compile(source, entry.task.module, "exec")
            assert source != solution

    def test_none_is_a_mutant_as_well(self) -> None:
        known = {(one.task.id, one.mutant.edits, one.mutant.code) for one in BANK if one.mutant}
        for task in TASKS.tasks:
            assert not known & {(task.id, one.edits, one.code) for one in bank.unseen(ROOT, task)}


class TestChanged:
    """A change that does not apply is an error that says what is missing."""

    SOLUTION = "def f():\n    return 1\n\n\ndef g():\n    return 1\n"

    def mutant(self, **fields: Any) -> Mutant:
        return Mutant(**{"name": "wrong", "check": "c", "says": "says", "hint": "hint", **fields})

    def test_edit(self) -> None:
        mutant = self.mutant(edits=[["f():\n    return 1", "f():\n    return 2"]])
        assert bank.changed(self.SOLUTION, mutant) == self.SOLUTION.replace("1", "2", 1)

    def test_edit_that_is_gone(self) -> None:
        with pytest.raises(ManifestError, match="'wrong' does not apply: 'return 3' is not in the solution"):
            bank.changed(self.SOLUTION, self.mutant(edits=[["return 3", "return 2"]]))

    def test_edit_that_is_not_clear(self) -> None:
        with pytest.raises(ManifestError, match="'return 1' is 2 times in the solution"):
            bank.changed(self.SOLUTION, self.mutant(edits=[["return 1", "return 2"]]))

    def test_code(self) -> None:
        source = bank.changed(self.SOLUTION, self.mutant(code="def g():\n    return 2\n"))
        assert source.endswith("def g():\n    return 2\n")

    def test_code_that_replaces_nothing(self) -> None:
        with pytest.raises(ManifestError, match="none of its functions is in the solution"):
            bank.changed(self.SOLUTION, self.mutant(code="def h():\n    return 2\n"))

    def test_neither(self) -> None:
        with pytest.raises(ValueError, match="neither edits nor code"):
            self.mutant()


class TestReading:
    """What is wrong with a file of mutants is reported with its name."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "bank/alexnet").mkdir(parents=True)
        return tmp_path

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[[mutants]", "cannot be read"),
            ("[[mutants]]\nname = 'wrong'", r"mutants\.0\.check: Field required"),
            (
                "[[mutants]]\nname='wrong'\ncheck='nope'\nsays='says'\nhint='hint'\ncode='x'",
                "'nope', which is not",
            ),
            (
                2 * "[[mutants]]\nname='one'\ncheck='builds'\nsays='says'\nhint='hint'\ncode='x'\n",
                "there twice",
            ),
        ],
    )
    def test_refused(self, root: Path, text: str, words: str) -> None:
        (root / "bank/alexnet/mutants.toml").write_text(text)
        with pytest.raises(ManifestError, match=words):
            bank.mutants(root, TASKS.task("alexnet"))

    def test_no_file(self, root: Path) -> None:
        assert bank.mutants(root, TASKS.task("alexnet")) == ()
        assert bank.unseen(root, TASKS.task("alexnet")) == ()

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[[unseen]", r"unseen\.toml cannot be read"),
            ("[[unseen]]\nname = 'wrong'", "neither edits nor code"),
            ("[[unseen]]\nname = 'wrong'\ncode = 'x'\ncheck = 'builds'", r"unseen\.0\.check"),
            (2 * "[[unseen]]\nname = 'one'\ncode = 'x'\n", "'one' is there twice"),
        ],
    )
    def test_unseen_refused(self, root: Path, text: str, words: str) -> None:
        (root / "bank/alexnet/unseen.toml").write_text(text)
        with pytest.raises(ManifestError, match=words):
            bank.unseen(root, TASKS.task("alexnet"))

    def test_right_one_without_words(self, root: Path) -> None:
        (root / "bank/alexnet/right").mkdir()
        (root / "bank/alexnet/right/one.py").write_text("x = 1")
        with pytest.raises(ManifestError, match="does not say in its docstring what is different"):
            bank.right(root, TASKS.task("alexnet"))

    def test_edited_solution(self, root: Path, tmp_path: Path) -> None:
        (root / "solutions").mkdir()
        (root / "solutions/alexnet.py").write_text("x = 1\n")
        path = root / "bank/alexnet/right.toml"
        path.write_text("[[right]]\nname = 'two'\nedits = [['1', '1 + 0']]\n")
        found = bank.right(root, TASKS.task("alexnet"))
        assert [*found] == ["two"]
        entry = Entry(TASKS.task("alexnet"), "two", found["two"])
        assert entry.mutant is None
        bank.write(root, entry, tmp_path)
        assert (tmp_path / "alexnet.py").read_text() == "x = 1 + 0\n"

    def test_one_name_for_two_right_ones(self, root: Path) -> None:
        (root / "bank/alexnet/right").mkdir()
        (root / "bank/alexnet/right/two.py").write_text('"""Another."""')
        path = root / "bank/alexnet/right.toml"
        path.write_text("[[right]]\nname = 'two'\nedits = [['1', '1 + 0']]\n")
        with pytest.raises(ManifestError, match=r"right\.toml: 'two' is there twice"):
            bank.right(root, TASKS.task("alexnet"))

    def test_folder_without_the_module(self, root: Path) -> None:
        (root / "bank/alexnet/right/one").mkdir(parents=True)
        with pytest.raises(ManifestError, match=r"is no alexnet\.py and holds none"):
            bank.right(root, TASKS.task("alexnet"))
