"""Ratings: read or refused, stale where a mutant has changed, and compared with marks by the numbers."""

from pathlib import Path
from typing import Any

import pytest

from grader.config import manifest
from grader.errors import ManifestError
from grader.proof import bank, ratings, sheets
from grader.proof.bank import Mutant
from grader.proof.ratings import Key, Rated, Rating

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")


def mutant(name: str, **fields: Any) -> Mutant:
    given = {"name": name, "check": "c", "says": "says", "hint": "hint", "edits": [["old", name]], **fields}
    return Mutant(**given)


def rating(name: str, *shares: float, task: str = "alexnet", half: str = "odd") -> Rating:
    return Rating(
        task=task,
        mutant=name,
        change=ratings.change_digest(mutant(name)),
        half=half,
        shares=shares or (10, 20, 30),
        reasons=("why, so",) * len(shares or (1, 2, 3)),
    )


def rated(*given: Rating, unrated: tuple[Key, ...] = ()) -> Rated:
    return Rated(given, (), unrated)


class TestReading:
    """load: what as_csv writes, or an error that names the line."""

    def test_comes_back(self, tmp_path: Path) -> None:
        written = (rating("one, with a comma"), rating("two", 0, 12.5, 100, half="even"))
        (tmp_path / "r.csv").write_text(ratings.as_csv(written), encoding="utf-8")
        assert ratings.load(tmp_path / "r.csv") == written

    def test_no_file(self, tmp_path: Path) -> None:
        assert ratings.load(tmp_path / "r.csv") == ()
        assert ratings.load_reasons(tmp_path / "r.toml") == {}

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("10,20,30", "10,,30", "line 2: there is no rating by rater 2"),
            ("10,20,30", "10,20,130", "rater 3 must say 0 to 100. Received: 130"),
            ("10,20,30", "10,much,30", "line 2: shares.1: Input should be a valid number"),
            ("rater 3", "rater three", "there is no rating by rater 3"),
            (",odd,", ",left,", "line 2: half"),
            ("10,20,30,", "10,20,", "not as many columns"),
        ],
    )
    def test_refused(self, old: str, new: str, words: str, tmp_path: Path) -> None:
        text = ratings.as_csv([rating("one")])
        assert old in text
        (tmp_path / "r.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ManifestError, match=words):
            ratings.load(tmp_path / "r.csv")

    def test_twice(self, tmp_path: Path) -> None:
        (tmp_path / "r.csv").write_text(ratings.as_csv([rating("one"), rating("one")]), encoding="utf-8")
        with pytest.raises(ManifestError, match="line 3: 'one' is there twice"):
            ratings.load(tmp_path / "r.csv")

    def test_reasons(self, tmp_path: Path) -> None:
        one = '[[reasons]]\ntask = "alexnet"\nmutant = "one"\nreason = "nothing of it\\ncan be used at all"\n'
        (tmp_path / "r.toml").write_text(one)
        assert ratings.load_reasons(tmp_path / "r.toml") == {
            ("alexnet", "one"): "nothing of it can be used at all"
        }
        (tmp_path / "r.toml").write_text(2 * one)
        with pytest.raises(ManifestError, match="'one' is there twice"):
            ratings.load_reasons(tmp_path / "r.toml")
        (tmp_path / "r.toml").write_text(one.replace("nothing of it\\ncan be used at all", "so"))
        with pytest.raises(ManifestError, match=r"reasons\.0\.reason"):
            ratings.load_reasons(tmp_path / "r.toml")


class TestStale:
    """beside: a rating is of a mutant as it was when it was rated."""

    def test_change(self) -> None:
        """What raters saw counts; what is expected of the grader does not."""
        digest = ratings.change_digest(mutant("one"))
        assert digest == ratings.change_digest(mutant("one", check="d", says="other", also=["e"]))
        assert digest != ratings.change_digest(mutant("one", edits=[["old", "newer"]]))
        assert digest != ratings.change_digest(mutant("one", code="def f(): ..."))

    def test_beside(self) -> None:
        mutants = {
            ("alexnet", "same"): mutant("same"),
            ("alexnet", "changed"): mutant("changed", edits=[["old", "newer"]]),
            ("alexnet", "new"): mutant("new"),
        }
        found = ratings.beside([rating("same"), rating("changed"), rating("gone")], mutants)
        assert [one.mutant for one in found.current] == ["same"]
        assert [one.mutant for one in found.stale] == ["changed", "gone"]
        assert found.unrated == (("alexnet", "changed"), ("alexnet", "new"))


class TestAgreement:
    """agreement, among_raters and compare, by numbers that were computed by hand."""

    def test_by_hand(self) -> None:
        given = [rating("aaa", 10, 20, 30), rating("bbb", 40, 40, 40), rating("ccc", 0, 6, 3)]
        lost = {("alexnet", "aaa"): 0.25, ("alexnet", "bbb"): 0.30, ("alexnet", "ccc"): 0.03}
        found = ratings.agreement(lost, given)
        assert found.rated == 3
        assert found.correlation == pytest.approx(1)
        assert found.gap == pytest.approx((5 + 10 + 0) / 3)
        assert found.raters_correlation == pytest.approx(1)
        # of each rater from the mean of the two others
        assert found.raters_gap == pytest.approx((15 + 0 + 4.5 + 0 + 0 + 4.5 + 15 + 0 + 0) / 9)

    def test_ties(self) -> None:
        """Equals share the mean of their ranks: marks 1.5, 1.5, 3 beside ratings 1, 2, 3."""
        given = [rating("aaa", 1, 1, 1), rating("bbb", 2, 2, 2), rating("ccc", 3, 3, 3)]
        lost = {("alexnet", "aaa"): 0.1, ("alexnet", "bbb"): 0.1, ("alexnet", "ccc"): 0.2}
        assert ratings.agreement(lost, given).correlation == pytest.approx(0.75**0.5)

    def test_says_nothing(self) -> None:
        """No correlation of two mutants, or where all marks are the same; no figure of none."""
        given = [rating(name, place, place + 1, place) for place, name in enumerate(("aaa", "bbb", "ccc"))]
        same = {one.key: 0.5 for one in given}
        assert ratings.agreement(same, given).correlation is None
        assert ratings.agreement(same, given).gap is not None
        assert ratings.agreement(same, given[:2]).raters_correlation is None
        assert ratings.agreement({}, []) == ratings.Agreement(0, None, None, None, None)
        assert ratings.among_raters([]) == (None, None)

    def test_parts(self) -> None:
        """By task and by half; a task without ratings is in the table, with none."""
        given = [
            rating("aaa", half="odd"),
            rating("bbb", half="even"),
            rating("ccc", task="resnet", half="even"),
            rating("open", task="resnet"),
        ]
        lost = {one.key: 0.2 for one in given[:3]}
        found = ratings.compare(lost, rated(*given, unrated=(("evaluation", "x"),)), {}, trained=False)
        assert {task: one.rated for task, one in found.tasks.items()} == {
            "alexnet": 2,
            "resnet": 1,
            "evaluation": 0,
        }
        assert {half: one.rated for half, one in found.halves.items()} == {"odd": 1, "even": 2}
        assert (found.overall.rated, found.left_out, found.mutants) == (3, 1, 5)

    def test_none_rated(self) -> None:
        found = ratings.compare({("x", "y"): 0.5}, rated(unrated=(("x", "y"),)), {}, trained=True)
        assert (found.overall.rated, found.wrong) == (0, ())
        assert ratings.document(found)["tasks"]["x"]["correlation"] is None


class TestReasons:
    """compare: more than 20 off needs a reason, and nothing else may have one."""

    def test_off(self) -> None:
        given = [rating("near"), rating("far"), rating("just")]
        lost = {("alexnet", "near"): 0.22, ("alexnet", "far"): 0.41, ("alexnet", "just"): 0.40}
        found = ratings.compare(lost, rated(*given), {}, trained=True)
        assert [(one.mutant, one.lost, one.mean) for one in found.off] == [("far", 41, 20)]
        assert len(found.wrong) == 1
        assert found.wrong[0].startswith("alexnet: far loses 41 in 100, raters say 20: write the reason")
        found = ratings.compare(lost, rated(*given), {("alexnet", "far"): "because"}, trained=True)
        assert (found.wrong, found.off[0].reason) == ((), "because")

    def test_a_reason_for_what_is_near(self) -> None:
        reasons = {("alexnet", "near"): "because", ("alexnet", "gone"): "because"}
        found = ratings.compare({("alexnet", "near"): 0.2}, rated(rating("near")), reasons, trained=True)
        assert [sentence.split(",")[0] for sentence in found.wrong] == [
            "alexnet: near is near what raters say",
            "alexnet: gone has no rating",
        ]

    def test_what_training_may_still_change(self) -> None:
        """Without trainings nobody has to write a reason for a mark that is not final, or to drop one."""
        given = [rating("far"), rating("near"), rating("open")]
        lost = {("alexnet", "far"): 0.9, ("alexnet", "near"): 0.2}
        found = ratings.compare(
            lost,
            rated(*given),
            {("alexnet", "near"): "because", ("alexnet", "open"): "because"},
            trained=False,
            provisional=frozenset(one.key for one in given),
        )
        assert found.wrong == ()
        assert len(found.off) == 1


class TestWhatIsCommitted:
    """bank/ratings.csv and bank/reasons.toml."""

    def test_ratings(self) -> None:
        """At least 80 mutants have ratings of what they are, of every task some; the file is as written."""
        path = ROOT / ratings.RATINGS
        found = ratings.load(path)
        assert path.read_text(encoding="utf-8") == ratings.as_csv(found)
        current = ratings.beside(found, sheets.mutants(ROOT, TASKS)).current
        assert len(current) >= 80
        assert {one.task for one in current} == {task.id for task in TASKS.tasks}

    def test_unseen(self) -> None:
        """Every unseen mistake has a rating of what it is, and there is none of anything else."""
        path = ROOT / ratings.UNSEEN
        found = ratings.load(path)
        assert path.read_text(encoding="utf-8") == ratings.as_csv(found)
        unseen = {(task.id, one.name): one for task in TASKS.tasks for one in bank.unseen(ROOT, task)}
        rated = ratings.beside(found, unseen)
        assert (len(rated.current), rated.stale, rated.unrated) == (len(unseen), (), ())

    def test_reasons(self) -> None:
        mutants = sheets.mutants(ROOT, TASKS)
        assert not ratings.load_reasons(ROOT / ratings.REASONS).keys() - mutants.keys()
