"""Where students stand: which mark counts, what stays over a fault, and why a mark changed."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from grader import gradebook
from grader.errors import UsageError
from grader.gradebook import Change, Mark, StudentId, Writer, people
from grader.gradebook.standings import Attempt, changes
from tests.grader.gradebook.making import (
    WORSE,
    WRONG,
    a_class,
    begin,
    grade,
    handed_in,
    key,
    let_down,
    result,
)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Writer]:
    """A gradebook with nothing in it."""
    with gradebook.write(tmp_path, command="tests") as book:
        yield book


RIGHT, ONE, TWO = (result("x", wrong=wrong).points for wrong in ({}, WRONG, WORSE))


def moved(book: Writer, first: str, second: str) -> list[Change]:
    """What changed between the ends of two runs."""
    return changes(book.current(upto=book.end_of(first)), book.current(upto=book.end_of(second)))


def the_best(attempts: Sequence[tuple[Attempt, Mark | None]]) -> int:
    """The attempt with the most points."""
    points = [sum(p for p, _ in mark.said.points.values()) if mark else 0.0 for _, mark in attempts]
    return points.index(max(points))


class TestCurrent:
    """Which mark counts."""

    def test_a_class(self, book: Writer) -> None:
        a_class(book)
        assert {name: one.total for name, one in book.current().items()} == {
            "alice": RIGHT,
            "bob": ONE,
            "carol": TWO,
        }

    def test_another_class_leaves_it(self, book: Writer) -> None:
        """Who is not in a run keeps the mark."""
        a_class(book)
        grade(book, begin(book), "dave", "d1", result("dave"))
        assert [one.total for one in book.current().values()] == [RIGHT, ONE, TWO, RIGHT]

    def test_last_attempt(self, book: Writer) -> None:
        """Also if an earlier one is graded later."""
        run = begin(book)
        book.submitted(run, [handed_in("bob", "b1", attempt=1), handed_in("bob", "b2", attempt=2)])
        book.marked(run, "bob", attempt=2, key=key("b2"), result=result("bob", wrong=WRONG))
        book.marked(run, "bob", attempt=1, key=key("b1"), result=result("bob"))
        assert book.current()["bob"].total == ONE

    def test_a_course_chooses(self, book: Writer) -> None:
        """Such as the best."""
        run = begin(book)
        grade(book, run, "bob", "b1", result("bob"), attempt=1)
        grade(book, run, "bob", "b2", result("bob", wrong=WRONG), attempt=2)
        best = book.current(choose=the_best)
        assert best["bob"].total == RIGHT
        assert book.current()["bob"].total == ONE

    def test_old_files_again(self, book: Writer) -> None:
        """Who hands in the first files again has their mark again, though that of others is newer."""
        run = begin(book)
        grade(book, run, "bob", "b1", result("bob", wrong=WRONG))
        grade(book, run, "bob", "b2", result("bob"), attempt=2)
        book.submitted(begin(book), [handed_in("bob", "b1", attempt=3)])
        assert book.current()["bob"].total == ONE
        assert book.current()["bob"].not_renewed == ""

    def test_group(self, book: Writer) -> None:
        """Each member has the group's mark; an override is one member's alone."""
        run = begin(book)
        book.submitted(run, [handed_in(who, "g", name="group 7") for who in ("anna", "ben")])
        book.marked(run, "group 7", attempt=1, key=key("g"), result=result("group 7", wrong=WRONG))
        book.override("ben", "alexnet", 0, who="ta", why="Was not there")
        standings = book.current()
        assert standings["anna"].total == ONE
        assert standings["ben"].total == ONE - 35

    def test_forgotten_member(self, book: Writer) -> None:
        """The mark stays for the others."""
        run = begin(book)
        book.submitted(run, [handed_in(who, "g", name="group 7") for who in ("anna", "ben")])
        book.marked(run, "group 7", attempt=1, key=key("g"), result=result("group 7"))
        assert book.forget("ben", who="dean") == []
        assert {name: one.total for name, one in book.current().items()} == {"anna": RIGHT}
        assert book.forget("anna", who="dean") == ["group 7"]
        assert book.current() == {}
        assert book.verify() is None

    def test_nothing_handed_in(self, book: Writer) -> None:
        """A student of the roster has a row; one who handed in before keeps the mark."""
        a_class(book)
        absent = "handed in nothing"
        book.submitted(begin(book), [handed_in(who, "", attempt=0, problem=absent) for who in ("bob", "eve")])
        standings = book.current()
        assert (standings["eve"].total, standings["eve"].why_not) == (None, absent)
        assert (standings["bob"].total, standings["bob"].not_renewed) == (ONE, "")


class TestNotRenewed:
    """A fault, or a submission that cannot be graded, never takes a mark away."""

    def test_fault_keeps_the_mark(self, book: Writer) -> None:
        a_class(book)
        run = begin(book, kit="1.1")
        book.submitted(run, [handed_in("bob", "b1")])
        book.failed(run, "bob", attempt=1, files="b1", message="no memory", result=let_down("bob"))
        bob = book.current()["bob"]
        assert (bob.total, bob.not_renewed) == (ONE, "no memory")
        book.marked(run, "bob", attempt=1, key=key("b1", kit="1.1"), result=result("bob"))
        bob = book.current()["bob"]
        assert (bob.total, bob.not_renewed) == (RIGHT, "")

    def test_new_files(self, book: Writer) -> None:
        """Of a fault with new files, of ones that cannot be read, and of ones that wait."""
        a_class(book)
        run = begin(book)
        book.submitted(run, [handed_in("alice", "a2"), handed_in("bob", "b2")])
        book.submitted(run, [handed_in("carol", "", attempt=2, problem="RAR archive: ask for a zip")])
        book.failed(run, "alice", attempt=1, files="a2", message="no memory")
        said = {name: (one.total, one.not_renewed) for name, one in book.current().items()}
        assert said == {
            "alice": (RIGHT, "no memory"),
            "bob": (ONE, "it has not been graded yet"),
            "carol": (TWO, "RAR archive: ask for a zip"),
        }

    def test_never_a_zero(self, book: Writer) -> None:
        run = begin(book)
        book.submitted(run, [handed_in("bob", "b1")])
        book.failed(run, "bob", attempt=1, files="b1", message="no memory")
        bob = book.current()["bob"]
        assert (bob.total, bob.why_not, bob.points) == (None, "no memory", {})


class TestOverride:
    def test_survives_regrading(self, book: Writer) -> None:
        """And new files; taken back, what the checks earned counts."""
        a_class(book)
        book.override("bob", "alexnet", 20, who="ta", why="Shown in the lab")
        assert book.current()["bob"].total == ONE - 15
        grade(book, begin(book), "bob", "b2", result("bob"))
        assert book.current()["bob"].total == RIGHT - 15
        book.override("bob", "alexnet", None, who="ta", why="Was meant for another")
        assert book.current()["bob"].total == RIGHT
        assert [one.kind for one in book.entries()].count("override") == 2

    def test_zero_points(self, book: Writer) -> None:
        a_class(book)
        book.override("alice", "alexnet", 0, who="ta", why="Copied")
        assert book.current()["alice"].points["alexnet"] == 0


class TestChanges:
    """Why a mark is not what it was."""

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"files": "b2"}, "new submission"),
            ({"kit": "1.1"}, "new kit version, 1.0 -> 1.1"),
            ({"seed": 9}, "new seed, 7 -> 9"),
            ({"profile": "cpu"}, "new profile, offline -> cpu"),
            ({"manifest": "m2"}, "new tasks or weights"),
            ({"pins": {"data": "6"}}, "new data or known results"),
        ],
    )
    def test_reason(self, book: Writer, changed: dict[str, str], reason: str) -> None:
        a_class(book)
        run = begin(book)
        files = changed.pop("files", "b1")
        grade(book, run, "bob", files, result("bob"), **changed)
        (change,) = moved(book, "1", run)
        assert (change.before, change.after, change.reasons) == (ONE, RIGHT, (reason,))
        assert set(change.tasks) == {"preprocessing"}

    def test_several(self, book: Writer) -> None:
        a_class(book)
        run = begin(book)
        grade(book, run, "bob", "b2", result("bob"), kit="1.1")
        assert moved(book, "1", run)[0].reasons == ("new submission", "new kit version, 1.0 -> 1.1")

    def test_of_itself(self, book: Writer) -> None:
        """A mark that moved though nothing else did is not passed over."""
        a_class(book)
        run = begin(book)
        book.failed(run, "bob", attempt=1, files="b1", message="once")
        grade(book, run, "bob", "b1", result("bob"))
        assert moved(book, "1", run)[0].reasons == ("graded again: same files, kit version and seed",)

    def test_first_mark_and_fault(self, book: Writer) -> None:
        a_class(book)
        run = begin(book)
        grade(book, run, "dave", "d1", result("dave"))
        book.submitted(run, [handed_in("bob", "b1")])
        book.failed(run, "bob", attempt=1, files="b1", message="no memory")
        found = {one.student.key: one for one in moved(book, "1", run)}
        assert found["dave"].reasons == ("first mark",)
        assert found["bob"].reasons == ("not renewed: no memory",)
        assert found["bob"].before == found["bob"].after == ONE

    def test_override(self, book: Writer) -> None:
        a_class(book)
        book.override("bob", "alexnet", 20, who="ta", why="Late by a week")
        before, now = book.current(upto=book.end_of("1")), book.current()
        (change,) = changes(before, now)
        assert change.reasons == ("override of alexnet: Late by a week",)
        (change,) = changes(now, before)
        assert change.reasons == ("override of alexnet removed",)

    def test_nothing(self, book: Writer) -> None:
        a_class(book)
        run = begin(book, kit="1.1")
        grade(book, run, "bob", "b1", result("bob", wrong=WRONG), kit="1.1")
        assert moved(book, "1", run) == []

    def test_killed_run(self, book: Writer) -> None:
        """A run without an end ends where the next one begins."""
        run = begin(book)
        grade(book, run, "bob", "b1", result("bob", wrong=WRONG))
        again = begin(book)
        grade(book, again, "bob", "b2", result("bob"))
        assert [(run.id, run.ended) for run in book.runs()] == [("1", None), ("2", None)]
        assert [(one.before, one.after) for one in moved(book, "1", "2")] == [(ONE, RIGHT)]


class TestFind:
    """people.find."""

    @pytest.fixture
    def book(self, book: Writer) -> Writer:
        run = begin(book)
        students = (
            ("50001", "Anna Lee", "lee"),
            ("50002", "Li Wei", "liwei"),
            ("50003", "Li Wei", "liwei (2)"),
            ("50004", "Leeroy Jones", "jones"),
        )
        for number, name, folder in students:
            who = StudentId(key=number, name=name, ids={"email": f"{folder[:3]}{number}@example.edu"})
            book.submitted(run, [handed_in(number, number, who=who, name=folder)])
        return book

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("50003", "50003"),
            ("anna lee", "50001"),
            ("lee", "50001"),  # a whole folder's name, though it is a part of another's name
            ("roy", "50004"),
            ("JONES", "50004"),
            ("liwei", "50002"),
            ("jon50004@example.edu", "50004"),
        ],
    )
    def test_one(self, book: Writer, typed: str, meant: str) -> None:
        assert people.find(book.current(), typed).student.key == meant

    @pytest.mark.parametrize("typed", ["li wei", "Li"])
    def test_several(self, book: Writer, typed: str) -> None:
        """They are listed, with what tells them apart."""
        with pytest.raises(UsageError, match=r"2 students: Li Wei \[50002\], Li Wei \[50003\]"):
            people.find(book.current(), typed)

    @pytest.mark.parametrize("typed", ["zoe", "", " "])
    def test_none(self, book: Writer, typed: str) -> None:
        with pytest.raises(UsageError, match="no student"):
            people.find(book.current(), typed)

    def test_labels(self, book: Writer) -> None:
        """The key stands where a name does not say enough."""
        assert people.labels(book.current().values()) == {
            "50001": "Anna Lee",
            "50002": "Li Wei [50002]",
            "50003": "Li Wei [50003]",
            "50004": "Leeroy Jones",
        }
