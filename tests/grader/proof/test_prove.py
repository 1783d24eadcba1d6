"""What nox -s prove says of a submission of the bank: right only where the grader was."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.config import manifest
from grader.proof import bank, outcome, ratings, record, showing
from grader.proof.bank import Entry, Mutant, Unseen
from grader.proof.outcome import Proved
from grader.results.record import CheckResult, Run, Status, SubmissionResult, TaskResult

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
TASK = TASKS.task("alexnet")
RUN = Run(profile="cpu", data="", data_pin="", provisional_because="", engine="none", seed=1, versions={})
RIGHT = Entry(TASK, "solution", ROOT / "solutions" / TASK.module)


def mutant(**fields: Any) -> Entry:
    given = {
        "name": "wrong",
        "check": "pooling",
        "says": "comes",
        "hint": "MaxPooling2D",
        "code": "x",
        **fields,
    }
    source = Mutant(**given)
    return Entry(TASK, source.name, source)


def result(failed: dict[str, str], *, trained: tuple[str, ...] = ()) -> SubmissionResult:
    """A result in which these checks failed, with these messages; all others passed."""
    checks = []
    for check in TASK.checks:
        if check.train and check.id not in trained and check.id not in failed:
            continue
        lost = check.id in failed
        checks.append(
            CheckResult(
                check=check.id,
                title=check.title,
                status=Status.FAILED if lost else Status.PASSED,
                points=0 if lost else check.points,
                max_points=check.points,
                message=failed.get(check.id, ""),
                hint=" ".join(check.hint.split()),
                data=(
                    {"trainings": [f"{check.id}-1"], "training": f"{check.id}-1", "label_set": check.train}
                    if check.train
                    else {}
                ),
            )
        )
    task = TaskResult(task="alexnet", title="AlexNet", checks=tuple(checks))
    return SubmissionResult(name="x", run=RUN, tasks=(task,), seconds=1.0)


class TestMutants:
    """judge, for a mutant."""

    def test_caught(self) -> None:
        proved = outcome.judge(mutant(), result({"pooling": "after it comes ReLU"}), trained=False)
        assert (proved.wrong, proved.caught_by) == ("", ("pooling",))

    @pytest.mark.parametrize(
        ("failed", "fields", "words"),
        [
            ({}, {}, "survived"),
            ({"dense": "comes"}, {}, "was caught by dense and not by pooling"),
            ({"convolutions": "comes", "pooling": "comes"}, {}, "was caught by convolutions"),
            ({"pooling": "nothing"}, {}, "does not say 'comes'"),
            ({"pooling": "comes"}, {"hint": "Flatten"}, "does not show the hint 'Flatten'"),
            ({"pooling": "comes", "dense": "x"}, {}, "too many: dense"),
            ({"pooling": "comes"}, {"also": ["dense"]}, "missing: dense"),
        ],
    )
    def test_not_caught(self, failed: dict[str, str], fields: dict[str, Any], words: str) -> None:
        assert words in outcome.judge(mutant(**fields), result(failed), trained=False).wrong

    def test_what_training_decides_is_no_matter_of_a_mutant_of_the_structure(self) -> None:
        failed = {"pooling": "comes", "learns.fine": "3% right"}
        assert outcome.judge(mutant(), result(failed), trained=True).wrong == ""

    def test_only_training_can_tell(self) -> None:
        entry = mutant(check="learns.coarse", says="right", hint="start from zeros", also=["learns.fine"])
        assert outcome.judge(entry, result({}), trained=False).open
        both = {"learns.coarse": "5% right", "learns.fine": "1% right"}
        assert outcome.judge(entry, result(both), trained=True).wrong == ""
        survived = outcome.judge(entry, result({}, trained=("learns.coarse", "learns.fine")), trained=True)
        assert "survived" in survived.wrong
        structure = outcome.judge(entry, result({"pooling": "comes"}), trained=False)
        assert "was caught by pooling" in structure.wrong

    def test_a_fault_is_no_catch(self) -> None:
        faulty = result({"pooling": "comes"})
        (task,) = faulty.tasks
        checks = tuple(one.model_copy(update={"status": Status.FAULT}) for one in task.checks)
        faulty = faulty.model_copy(update={"tasks": (task.model_copy(update={"checks": checks}),)})
        assert "was not graded" in outcome.judge(mutant(), faulty, trained=False).wrong


class TestRight:
    """judge, for a solution or another right submission."""

    def test_full_marks(self) -> None:
        assert outcome.judge(RIGHT, result({}), trained=False).wrong == ""

    def test_one_check_is_one_too_many(self) -> None:
        proved = outcome.judge(RIGHT, result({"dense": "units"}), trained=False)
        assert proved.wrong == "lost points: dense: units"

    def test_trainings_count_once(self) -> None:
        """Right submissions that built the same network share a training."""
        both = ("learns.coarse", "learns.fine")
        one = outcome.judge(RIGHT, result({}, trained=both), trained=True)
        found = record.document([one, one], "cpu", seed=1, trained=True)
        assert found["training"]["right_trainings"] == 2
        assert found["training"]["right_networks"] == {"alexnet": {"coarse": 1, "fine": 1}}
        assert found["training"]["right_failed"] == 0


class TestAgreement:
    """What a mutant loses, and the comparison with raters that is kept and shown."""

    def test_without_training(self) -> None:
        """What the decided checks take, as a share of the whole task; what training would add is left out."""
        proved = outcome.judge(mutant(), result({"pooling": "after it comes ReLU"}), trained=False)
        (pooling,) = (check for check in TASK.checks if check.id == "pooling")
        assert proved.lost == pytest.approx(pooling.points / TASK.points)
        assert not proved.final

    def test_with_training(self) -> None:
        failed = {"pooling": "after it comes ReLU", "learns.fine": "3% right"}
        proved = outcome.judge(mutant(), result(failed, trained=("learns.coarse",)), trained=True)
        points = sum(check.points for check in TASK.checks if check.id in failed)
        assert proved.lost == pytest.approx(points / TASK.points)
        assert proved.final

    def test_no_mark(self) -> None:
        """None of a right one, of what only training can tell, and of what the machine failed at."""
        entry = mutant(check="learns.coarse", says="right", hint="start from zeros")
        assert outcome.judge(entry, result({}), trained=False).lost is None
        assert outcome.judge(RIGHT, result({}), trained=False).lost is None

    def test_kept_and_shown(self, tmp_path: Path) -> None:
        """docs/proof.md has the last one with trainings, or says that it is without."""
        (tmp_path / "bank").mkdir()
        entries = [mutant(name=f"wrong {number}", code=f"x = {number}") for number in range(4)]
        given = [
            ratings.Rating(
                task="alexnet",
                mutant=entry.name,
                change=ratings.change_digest(entry.source),
                half=ratings.HALVES[number % 2],
                shares=(number, number + 2, 40),
                reasons=("", "", ""),
            )
            for number, entry in enumerate(entries)
            if isinstance(entry.source, Mutant)
        ]
        (tmp_path / ratings.RATINGS).write_text(ratings.as_csv(given), encoding="utf-8")
        proved = [Proved(entry, "", lost=number / 10) for number, entry in enumerate(entries)]
        compared = record.compare(tmp_path, proved, set(), trained=False)
        found = {"right": [], "mutants": [], "training": None}
        row = "| alexnet | 4 | 1.00 |"
        shown = record.tables({**found, "agreement": {"without_training": ratings.document(compared)}})
        assert row in shown
        assert "without trainings" in shown
        trained = ratings.document(record.compare(tmp_path, proved, set(), trained=True))
        shown = record.tables({**found, "agreement": {"trained": trained, "without_training": None}})
        assert row in shown
        assert "without trainings" not in shown
        (tmp_path / ratings.REASONS).write_text(
            '[[reasons]]\ntask = "resnet"\nmutant = "other"\nreason = "long enough to be a reason"\n'
        )
        assert record.compare(tmp_path, proved, {"resnet"}, trained=True).wrong == ()
        assert "has no rating" in record.compare(tmp_path, proved, set(), trained=True).wrong[0]

    def test_not_rated(self, tmp_path: Path) -> None:
        """A bank without ratings is proved as before."""
        compared = record.compare(tmp_path, [Proved(mutant(), "", lost=0.5)], set(), trained=True)
        assert (compared.overall.rated, compared.wrong) == (0, ())
        found = {"right": [], "mutants": [], "training": None}
        assert "raters" not in record.tables({**found, "agreement": {"trained": ratings.document(compared)}})


class TestUnseen:
    """Unseen mistakes: a mark, a row of their own, and nothing that could make the grader wrong."""

    @staticmethod
    def entry(number: int = 0) -> Entry:
        return Entry(TASK, f"unseen {number}", Unseen(name=f"unseen {number}", code=f"x = {number}"))

    @pytest.mark.parametrize("failed", [{}, {"pooling": "nothing that is expected", "dense": "nor this"}])
    def test_no_mark_is_wrong(self, failed: dict[str, str]) -> None:
        proved = outcome.judge(self.entry(), result(failed), trained=False)
        points = sum(check.points for check in TASK.checks if check.id in failed)
        assert (proved.wrong, proved.open) == ("", False)
        assert proved.lost == pytest.approx(points / TASK.points)

    def test_without_a_mark(self, tmp_path: Path) -> None:
        """What was not taken in has no mark: it is left out of the figures, and says why."""
        refused = result({}).model_copy(update={"problem": "no such file", "tasks": ()})
        proved = outcome.judge(self.entry(), refused, trained=False)
        assert proved.lost is None
        assert "no such file" in proved.wrong
        (tmp_path / "bank").mkdir()
        self.rate(tmp_path, [self.entry()])
        found = record.compare_unseen(tmp_path, [proved], set(), trained=False)
        assert (found.overall.rated, found.left_out, found.wrong) == (0, 1, ())

    def rate(self, root: Path, entries: list[Entry]) -> None:
        given = [
            ratings.Rating(
                task="alexnet",
                mutant=entry.name,
                change=ratings.change_digest(entry.unseen),
                half=ratings.HALVES[number % 2],
                shares=(number, number + 2, number + 4),
                reasons=("", "", ""),
            )
            for number, entry in enumerate(entries)
            if entry.unseen
        ]
        (root / ratings.UNSEEN).write_text(ratings.as_csv(given), encoding="utf-8")

    def test_the_row(self, tmp_path: Path) -> None:
        """It stands below the mutants', with those that are far off by their names; no reason is wanted."""
        (tmp_path / "bank").mkdir()
        entries = [self.entry(number) for number in range(4)]
        self.rate(tmp_path, entries)
        proved = [Proved(entry, "", lost=number / 10) for number, entry in enumerate(entries)]
        apart = record.compare_unseen(tmp_path, proved, set(), trained=True)
        assert (apart.wrong, [one.mutant for one in apart.off]) == ((), ["unseen 3"])
        one = mutant()
        assert isinstance(one.source, Mutant)
        given = ratings.Rating(
            task="alexnet",
            mutant=one.name,
            change=ratings.change_digest(one.source),
            half="odd",
            shares=(50, 50, 50),
            reasons=("", "", ""),
        )
        (tmp_path / ratings.RATINGS).write_text(ratings.as_csv([given]), encoding="utf-8")
        bank_alone = [Proved(one, "", lost=0.5)]
        compared = record.compare(tmp_path, bank_alone, set(), trained=True)
        assert compared.overall.rated == 1
        found = record.document(bank_alone, "cpu", seed=1, trained=False, unseen=proved)
        assert [each["name"] for each in found["unseen"]] == [entry.name for entry in entries]
        assert [each["name"] for each in found["mutants"]] == [one.name]
        kept = json.loads(json.dumps(record.agreement(compared, apart)))
        lines = record.tables({**found, "agreement": {"trained": kept}}).splitlines()
        # Gaps by hand: 2, 7, 16 and 25.
        row = "| unseen mistakes (4) | 4 | 1.00 | 12.5 | 1.00 | 2.0 |"
        assert lines.index(row) == lines.index("| all | 1 |  | 0.0 |  | 0.0 |") + 1
        assert "None of the mutants are more than 20 off." in lines
        assert lines[-1].endswith("More than 20 off: alexnet, unseen 3.")
        console = Console(record=True, width=150, file=io.StringIO())
        showing.show_agreement(console, compared, apart, [])
        shown = console.export_text()
        assert "unseen mistakes (4)" in shown
        assert "○ unseen, alexnet: unseen 3 loses 30 in 100, raters say 5 (3, 5, 7)" in shown

    def test_stale(self, tmp_path: Path) -> None:
        """A rating of what has changed since compares with nothing."""
        (tmp_path / "bank").mkdir()
        self.rate(tmp_path, [self.entry()])
        other = Entry(TASK, "unseen 0", Unseen(name="unseen 0", code="x = 'other'"))
        found = record.compare_unseen(tmp_path, [Proved(other, "", lost=0.5)], set(), trained=True)
        assert (found.overall.rated, found.mutants, len(found.stale), found.off) == (0, 1, 1, ())

    def test_none(self, tmp_path: Path) -> None:
        """A bank without unseen mistakes has no row of them."""
        apart = record.compare_unseen(tmp_path, [], set(), trained=True)
        kept = record.agreement(apart, apart)
        shown = record.tables({"right": [], "mutants": [], "training": None, "agreement": {"trained": kept}})
        assert "nseen" not in shown


class TestPages:
    """The tables of README.md and docs/proof.md are what reference/proof.json says."""

    def test_table(self) -> None:
        proved = [
            Proved(mutant(), ""),
            Proved(mutant(), "survived"),
            Proved(RIGHT, ""),
        ]
        lines = record.tables(record.document(proved, "cpu", seed=1, trained=False)).splitlines()
        assert "| alexnet | 1 of 2 | 1 of 1 |" in lines
        assert "| all | 1 of 2 | 1 of 1 |" in lines

    def test_cheats(self) -> None:
        """A cheat gains where it got points; the solution and the stub are no cheats."""
        text = (
            "| cheat | a 1 | b 2 | this kit |\n|---|---|---|---|\n"
            "| (the solution) | 2 of 2 | 2 of 2 | 30 of 30 |\n"
            "| equal to everything | 2 of 2 | 0.5 of 2 | 0 of 30 |\n| exits | no marks | 0 of 2 | 0 of 30 |\n"
        )
        assert record.cheats(text) == (["a 1", "b 2", "this kit"], [1, 1, 0], 2)

    def test_what_is_committed(self) -> None:
        found = json.loads((ROOT / record.PROOF).read_text(encoding="utf-8"))
        for name, table in (
            ("README.md", record.front(ROOT, found)),
            ("docs/proof.md", record.tables(found)),
        ):
            text = (ROOT / name).read_text(encoding="utf-8")
            assert text.split(record.BEGIN)[1].split(record.END)[0].strip() == table
        assert {one["result"] for one in found["mutants"]} <= {"caught", "only training can tell"}
        assert {one["result"] for one in found["right"]} == {"full marks"}
        entries = bank.entries(ROOT, TASKS)
        assert len(found["mutants"]) == sum(entry.mutant is not None for entry in entries)
        assert len(found["right"]) == sum(entry.mutant is None for entry in entries)

    def test_the_bank_is_as_large_as_it_must_be(self) -> None:
        entries = bank.entries(ROOT, TASKS)
        assert sum(entry.mutant is not None for entry in entries) >= 80
        assert sum(entry.mutant is None and entry.name != "solution" for entry in entries) >= 40
