"""What was changed by hand is found, and named; what only is stored in another way is not taken for it."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from grader import gradebook
from grader.gradebook import chain, schema
from tests.grader.gradebook.making import a_class, begin, grade, result

Edit = Callable[[sqlite3.Connection], object]
_ALL = "number, kind, at, run, student, name, salt, body, digest, hash, content"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A class of three in 8 records: run, 3 times submission and mark, run."""
    with gradebook.write(tmp_path, command="one") as book:
        a_class(book)
    return tmp_path


@contextmanager
def edited(out: Path) -> Iterator[sqlite3.Connection]:
    """The file as somebody opens it in a database browser."""
    with closing(sqlite3.connect(out / schema.FILE)) as file, file:
        yield file


def verdict(out: Path) -> str:
    """What verify says; empty if the chain is unbroken."""
    with gradebook.read(out) as book:
        return str(book.verify() or "")


def body(file: sqlite3.Connection, number: int) -> dict[str, object]:
    text = file.execute("SELECT body FROM entries WHERE number = ?", (number,)).fetchone()[0]
    return dict(json.loads(text))


def renumber(file: sqlite3.Connection, after: int, by: int) -> None:
    """As a careful hand would: no gap is left, and the number of records is right."""
    numbers = [row[0] for row in file.execute("SELECT number FROM entries WHERE number > ?", (after,))]
    for number in sorted(numbers, reverse=by > 0):
        file.execute("UPDATE entries SET number = ? WHERE number = ?", (number + by, number))
    file.execute("UPDATE chain SET entries = (SELECT count(*) FROM entries)")


class TestUnbroken:
    def test_as_it_was_written(self, out: Path) -> None:
        assert verdict(out) == ""

    def test_empty(self, tmp_path: Path) -> None:
        with gradebook.write(tmp_path, command="one") as book:
            assert book.verify() is None
            assert book.head() == chain.START

    def test_stored_in_another_way(self, out: Path) -> None:
        """It is over what records mean: spaces, the order of keys, pages and journals are not in it."""
        with edited(out) as file:
            for number in range(1, 9):
                other = json.dumps(dict(reversed(body(file, number).items())), indent=2, ensure_ascii=False)
                file.execute("UPDATE entries SET body = ? WHERE number = ?", (other, number))
        with closing(sqlite3.connect(out / schema.FILE)) as file:
            file.execute("PRAGMA journal_mode = DELETE")
            file.execute("VACUUM")
        assert verdict(out) == ""

    def test_head(self, out: Path) -> None:
        """It moves with every record, and is that of the last one."""
        with gradebook.write(out, command="two") as book:
            before = book.head()
            begin(book)
            assert book.head() != before
            assert book.hashes()[book.head()] == 9
            assert book.hashes()[before] == 8


class TestChanged:
    """A record that is not what it was."""

    @pytest.mark.parametrize("number", [1, 3, 8])
    def test_body(self, out: Path, number: int) -> None:
        with edited(out) as file:
            changed = json.dumps({**body(file, number), "attempt": 99})
            file.execute("UPDATE entries SET body = ? WHERE number = ?", (changed, number))
        assert verdict(out) == f"record {number} was changed"

    def test_points(self, out: Path) -> None:
        """Of one check, deep in a result."""
        with edited(out) as file:
            text = file.execute("SELECT body FROM entries WHERE number = 5").fetchone()[0]
            assert '"points":0.0' in text
            file.execute(
                "UPDATE entries SET body = ? WHERE number = 5",
                (text.replace('"points":0.0', '"points":0.5', 1),),
            )
        assert verdict(out) == "record 5 was changed"

    @pytest.mark.parametrize("column", ["at", "kind", "run", "student", "name", "salt", "digest", "hash"])
    def test_column(self, out: Path, column: str) -> None:
        with edited(out) as file:
            file.execute(f"UPDATE entries SET {column} = 'other' WHERE number = 5")
        assert verdict(out).startswith("record 5 was changed")

    def test_with_its_digest(self, out: Path) -> None:
        """Who knows how the digest is made still has the hash against them."""
        with edited(out) as file:
            changed = {**body(file, 5), "attempt": 99}
            salt = file.execute("SELECT salt FROM entries WHERE number = 5").fetchone()[0]
            digest = chain.digest("", "bob", salt, changed)
            file.execute(
                "UPDATE entries SET body = ?, digest = ? WHERE number = 5", (json.dumps(changed), digest)
            )
        assert verdict(out).startswith("record 5 was changed")

    def test_last_one_with_its_hash(self, out: Path) -> None:
        """The head stands apart."""
        with edited(out) as file:
            before = file.execute("SELECT hash FROM entries WHERE number = 7").fetchone()[0]
            at, digest = file.execute("SELECT at, digest FROM entries WHERE number = 8").fetchone()
            other = chain.link(before, "run", at, "2", digest)
            file.execute("UPDATE entries SET run = '2', hash = ? WHERE number = 8", (other,))
        assert verdict(out).startswith("record 8 was changed")

    def test_not_even_json(self, out: Path) -> None:
        with edited(out) as file:
            file.execute("UPDATE entries SET body = 'no' WHERE number = 5")
        assert verdict(out) == "record 5 was changed"

    def test_erased_by_hand(self, out: Path) -> None:
        """Only `forget` may erase, and says so."""
        with edited(out) as file:
            file.execute("UPDATE entries SET body = NULL, salt = NULL WHERE number = 5")
        assert verdict(out) == "record 5 has lost its content, and no record says that it was to be forgotten"


class TestRemoved:
    @pytest.mark.parametrize("number", [1, 4, 8])
    def test_with_a_gap(self, out: Path, number: int) -> None:
        with edited(out) as file:
            file.execute("DELETE FROM entries WHERE number = ?", (number,))
        assert verdict(out) == f"record {number} was removed"

    def test_without_a_gap(self, out: Path) -> None:
        with edited(out) as file:
            file.execute("DELETE FROM entries WHERE number = 4")
            renumber(file, 4, -1)
        assert verdict(out) == "record 4 was changed, or one before it was removed"

    def test_last_ones(self, out: Path) -> None:
        with edited(out) as file:
            file.execute("DELETE FROM entries WHERE number > 6")
        assert verdict(out) == "record 7 was removed"

    def test_last_ones_and_counted_again(self, out: Path) -> None:
        with edited(out) as file:
            file.execute("DELETE FROM entries WHERE number > 6")
            file.execute("UPDATE chain SET entries = 6")
        assert verdict(out).startswith("record 6 was changed")

    def test_all_of_them(self, out: Path) -> None:
        with edited(out) as file:
            file.execute("DELETE FROM entries")
        assert verdict(out) == "record 1 was removed"

    def test_head(self, out: Path) -> None:
        with edited(out) as file:
            file.execute("DELETE FROM chain")
        assert "was removed" in verdict(out)


class TestPutIn:
    def test_between(self, out: Path) -> None:
        """A copy of another record, numbered in."""
        with edited(out) as file:
            renumber(file, 3, 1)
            columns = _ALL.replace("number", "4", 1)
            file.execute(f"INSERT INTO entries ({_ALL}) SELECT {columns} FROM entries WHERE number = 3")
            renumber(file, 99, 1)
        assert verdict(out) == "record 4 was put in between"

    def test_between_with_its_hash(self, out: Path) -> None:
        """One that fits what comes before it does not fit what comes behind."""
        with edited(out) as file:
            renumber(file, 3, 1)
            before, at, salt = file.execute("SELECT hash, at, salt FROM entries WHERE number = 3").fetchone()
            said = {"task": "alexnet", "points": 35.0, "who": "me", "why": "none"}
            digest = chain.digest("bob", "", salt, said)
            fits = chain.link(before, "override", at, "", digest)
            row = (4, "override", at, "", "bob", "", salt, json.dumps(said), digest, fits, None)
            file.execute(f"INSERT INTO entries ({_ALL}) VALUES ({','.join('?' * 11)})", row)
            renumber(file, 99, 1)
        assert verdict(out) == "record 4 was put in between"

    def test_at_the_end(self, out: Path) -> None:
        with edited(out) as file:
            columns = _ALL.replace("number", "9", 1)
            file.execute(f"INSERT INTO entries ({_ALL}) SELECT {columns} FROM entries WHERE number = 7")
        assert verdict(out).startswith("record 9 was")

    def test_order(self, out: Path) -> None:
        """Two that changed places."""
        with edited(out) as file:
            for was, now in ((3, 100), (5, 3), (100, 5)):
                file.execute("UPDATE entries SET number = ? WHERE number = ?", (now, was))
        assert verdict(out).startswith("record 3 was")


class TestForgotten:
    """forget."""

    def test_nothing_is_left_and_the_chain_is_whole(self, out: Path) -> None:
        with gradebook.write(out, command="two") as book:
            before = book.hashes()
            book.override("bob", "alexnet", 30, who="ta", why="SECRETREASON")
            assert book.forget("bob", who="dean") == ["bob"]
            assert book.verify() is None
            assert set(book.current()) == {"alice", "carol"}
            assert before.items() <= book.hashes().items()
            assert [one.kind for one in book.entries()][-1] == "forgotten"
        left = b"".join(path.read_bytes() for path in out.iterdir())
        assert b"bob" not in left
        assert b"SECRETREASON" not in left
        assert b"carol" in left

    def test_who_comes_back_is_new(self, out: Path) -> None:
        with gradebook.write(out, command="two") as book:
            book.forget("bob", who="dean")
            grade(book, begin(book), "bob", "b1", result("bob"))
            assert book.verify() is None
            assert len(book.current()["bob"].marks) == 1

    def test_a_record_of_it_is_in_the_chain(self, out: Path) -> None:
        """The list of what was forgotten cannot be made longer by hand."""
        with gradebook.write(out, command="two") as book:
            book.forget("bob", who="dean")
        with edited(out) as file:
            wider = {"entries": [*range(1, 9)], "who": "dean"}
            file.execute("UPDATE entries SET body = ? WHERE number = 9", (json.dumps(wider),))
            file.execute("UPDATE entries SET body = NULL WHERE number = 7")
        assert verdict(out) == "record 9 was changed"
