"""One file, one writer, nothing lost: what is recorded is there, whatever happens to process or disk."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from grader import gradebook
from grader.errors import GradebookError, UsageError
from grader.gradebook import opening, schema
from grader.results.record import SubmissionResult
from tests.grader.gradebook.making import ROOT, WRONG, a_class, begin, grade, handed_in, key, let_down, result

# A process that appends until it is killed, and says each time that the append has returned.
APPENDS = """
import sys
from pathlib import Path
from grader import gradebook
from grader.gradebook import ContentKey, StudentId, Submitted
from grader.results.record import SubmissionResult
given = SubmissionResult.model_validate_json(Path(sys.argv[2]).read_text())
with gradebook.write(Path(sys.argv[1]), command="appends") as book:
    run = book.begin_run(command="appends", kit="1.0", about=given.run)
    print("run", run, flush=True)
    number = 0
    while True:
        number += 1
        name = f"s{run}-{number}"
        book.submitted(run, [Submitted(student=StudentId(key=name), name=name, attempt=1, files=name)])
        key = ContentKey(files=name, seed=7, kit="1.0", profile="offline", manifest="m1")
        book.marked(run, name, attempt=1, key=key, result=given)
        print("mark", name, flush=True)
"""
HOLDS = """
import sys, time
from pathlib import Path
from grader import gradebook
with gradebook.write(Path(sys.argv[1]), command="nox -s grade -- class/"):
    print("has it", flush=True)
    time.sleep(float(sys.argv[2]))
"""

READS_ONLY = """
import os, sys
from pathlib import Path
from grader import gradebook
from grader.errors import GradebookError
with gradebook.write(Path(sys.argv[1], "elsewhere"), command="imports all that it takes"):
    pass
os.setgroups([]), os.setgid(65534), os.setuid(65534)
with gradebook.read(Path(sys.argv[1])) as book:
    print(len(book.current()), book.verify())
try:
    with gradebook.write(Path(sys.argv[1]), command="two", wait=0):
        print("written")
except GradebookError as error:
    print(error)
"""


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """A Python process of its own."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
    )


class TestKilled:
    """A kill at any moment."""

    @pytest.mark.slow
    def test_twenty_kills(self, tmp_path: Path) -> None:
        """Every append that returned is there, the chain is unbroken, and the next process gets the lock."""
        (given := tmp_path / "given.json").write_text(result("s").model_dump_json())
        acknowledged: set[str] = set()
        for attempt in range(20):
            with start(APPENDS, tmp_path, given) as process:
                assert process.stdout
                assert process.stdout.readline().startswith("run")
                time.sleep(0.003 * attempt)  # at another moment each time
                process.kill()
                acknowledged |= {line.split()[1] for line in process.stdout.read().splitlines()}
            assert process.returncode == -signal.SIGKILL
        with gradebook.read(tmp_path) as book:
            assert book.verify() is None
            standings = book.current()
            assert [run.ended for run in book.runs()] == [None] * 20
        assert len(acknowledged) > 20
        assert acknowledged <= {student for student, one in standings.items() if one.mark}

    def test_while_the_tables_are_made(self, tmp_path: Path) -> None:
        """A gradebook is there whole or not at all."""
        for attempt in range(5):
            with start(HOLDS, tmp_path, 5) as process:
                time.sleep(0.3 + 0.15 * attempt)
                process.kill()
        with gradebook.write(tmp_path, command="next") as book:
            a_class(book)
            assert book.verify() is None


class TestOneWriter:
    """write."""

    def test_second_is_refused(self, tmp_path: Path) -> None:
        """With the process that has it, since when, and what it runs; reading goes on."""
        with gradebook.write(tmp_path, command="makes it") as book:
            a_class(book)
        with start(HOLDS, tmp_path, 30) as process:
            assert process.stdout
            process.stdout.readline()
            with pytest.raises(GradebookError) as refused, gradebook.write(tmp_path, command="two", wait=0.2):
                pass
            said = str(refused.value)
            assert f"another process, {process.pid}, since 20" in said
            assert "nox -s grade -- class/" in said
            with gradebook.read(tmp_path) as book:
                assert len(book.current()) == 3
            process.kill()
        with gradebook.write(tmp_path, command="two", wait=0.2):  # it is free with the process that had it
            pass

    def test_second_waits(self, tmp_path: Path) -> None:
        with start(HOLDS, tmp_path, 1) as process:
            assert process.stdout
            process.stdout.readline()
            with gradebook.write(tmp_path, command="two", wait=20):
                assert process.wait(10) == 0

    def test_same_process(self, tmp_path: Path) -> None:
        with gradebook.write(tmp_path, command="one"), pytest.raises(GradebookError, match=str(os.getpid())):  # noqa: SIM117
            with gradebook.write(tmp_path, command="two", wait=0):
                pass

    def test_a_child_does_not_keep_it(self, tmp_path: Path) -> None:
        """A fork that outlives the writer, such as a worker, has no part in the lock."""
        with gradebook.write(tmp_path, command="one"):
            child = os.fork()
            if not child:
                time.sleep(30)
                os._exit(0)
        try:
            with gradebook.write(tmp_path, command="two", wait=0):
                pass
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def test_threads_append(self, tmp_path: Path) -> None:
        """Of one process, side by side."""
        given = result("s")
        with gradebook.write(tmp_path, command="one") as book:
            run = begin(book)
            threads = [
                threading.Thread(
                    target=lambda t=t: [grade(book, run, f"{t}-{n}", f"{t}-{n}", given) for n in range(5)]
                )
                for t in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert book.verify() is None
            assert len(book.current()) == 20


class TestDisk:
    """What the disk does not take is an error in words, and what was recorded stays."""

    def test_full(self, tmp_path: Path) -> None:
        """SQLite's own error of a full disk, by a bound on the size of the file."""
        with gradebook.write(tmp_path, command="one") as book:
            a_class(book)
            head = book.head()
            raw = book._connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            pages = raw.execute("PRAGMA page_count").fetchone()[0]
            raw.execute(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(GradebookError, match="disk is full"):
                grade(book, "1", "dave", "d1", result("dave", wrong=WRONG))
            raw.execute("PRAGMA max_page_count = 100000")
            assert book.verify() is None
            assert book.current()["bob"].total
            grade(book, "1", "erin", "e1", result("erin"))
            assert book.head() != head
            assert book.verify() is None

    @pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to become somebody who may not write")
    def test_read_only(self) -> None:
        """A folder that cannot be written can be read; a writer learns that it is the folder."""
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            Path(folder).chmod(0o755)  # for those who may read only
            with gradebook.write(Path(folder), command="one") as book:
                a_class(book)
            for path in Path(folder).iterdir():
                path.chmod(0o444)
            with start(READS_ONLY, folder) as process:
                assert process.stdout
                first, second, *_ = process.stdout.read().splitlines()
        assert first == "3 None"
        assert "cannot be used as a lock" in second

    def test_not_a_gradebook(self, tmp_path: Path) -> None:
        (tmp_path / schema.FILE).write_text("marks of 2019\n" * 100)
        with pytest.raises(GradebookError, match="is no gradebook"), gradebook.read(tmp_path):
            pass

    def test_of_something_else(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / schema.FILE)) as other:
            other.execute("CREATE TABLE recipes (soup)")
        with pytest.raises(GradebookError, match="no gradebook of this kit"), gradebook.read(tmp_path):
            pass

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(GradebookError, match="no gradebook in"), gradebook.read(tmp_path):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_of_a_newer_kit(self, tmp_path: Path) -> None:
        with gradebook.write(tmp_path, command="one") as book:
            a_class(book)
        with closing(sqlite3.connect(tmp_path / schema.FILE)) as other, other:
            other.execute("UPDATE alembic_version SET version_num = '9000'")
        with pytest.raises(GradebookError, match="newer kit"), gradebook.read(tmp_path):
            pass

    def test_odd_folder(self, tmp_path: Path) -> None:
        """What means something in an address of SQLite is a name like any other."""
        folder = tmp_path / "100% of #1? a&b" / "é 'x' \"y\""
        with gradebook.write(folder, command="one") as book:
            a_class(book)
        with gradebook.read(folder) as book:
            assert len(book.current()) == 3


class TestReading:
    """During a run."""

    def test_while_another_appends(self, tmp_path: Path) -> None:
        with gradebook.write(tmp_path, command="one") as writer:
            a_class(writer)
            with gradebook.read(tmp_path) as book:
                assert len(book.current()) == 3
                with book.unchanging():
                    head = book.head()
                    grade(writer, "1", "dave", "d1", result("dave"))
                    assert book.head() == head  # one state within it
                assert book.head() == writer.head() != head

    def test_backup_meanwhile(self, tmp_path: Path) -> None:
        with gradebook.write(tmp_path, command="one") as writer:
            a_class(writer)
            with gradebook.read(tmp_path) as book:
                head, fault = book.backup(tmp_path / "away" / "copy.db")
            assert (head, fault) == (writer.head(), None)
        assert [path.name for path in (tmp_path / "away").iterdir()] == ["copy.db"]


class TestReuse:
    """stored, seed and marked."""

    def test_stored(self, tmp_path: Path) -> None:
        """What is the same in all that counts is found; what differs in one thing is not."""
        with gradebook.write(tmp_path, command="one") as book:
            a_class(book)
            found = book.stored(key("b1"))
            assert found is not None
            assert book.result(found) == result("bob", wrong=WRONG)
            others = (
                {"seed": 8},
                {"kit": "1.1"},
                {"profile": "cpu"},
                {"manifest": "m2"},
                {"pins": {"data": "6"}},
            )
            assert [book.stored(key("b1", **changed)) for changed in others] == [None] * 5
            assert book.stored(key("zz")) is None

    def test_order_of_pins(self) -> None:
        assert key("a", pins={"x": "1", "y": "2"}).digest == key("a", pins={"y": "2", "x": "1"}).digest

    def test_recorded_once(self, tmp_path: Path) -> None:
        """A mark that is the last of its submission is not recorded again; after a fault or another it is."""
        with gradebook.write(tmp_path, command="one") as book:
            a_class(book)
            again = {"attempt": 1, "key": key("b1"), "result": result("bob", wrong=WRONG)}
            assert not book.marked("1", "bob", **again)
            book.failed("1", "bob", attempt=1, files="b1", message="no memory")
            assert book.current()["bob"].not_renewed == "no memory"
            assert book.marked("1", "bob", **again)
            assert book.current()["bob"].not_renewed == ""

    def test_no_mark_is_none(self, tmp_path: Path) -> None:
        """What the machine failed on is never recorded as a mark."""
        with gradebook.write(tmp_path, command="one") as book:
            begin(book)
            with pytest.raises(ValueError, match="bob has no mark"):
                book.marked("1", "bob", attempt=1, key=key("b1"), result=let_down("bob"))

    def test_seed(self, tmp_path: Path) -> None:
        """The first run's, until another is drawn on purpose."""
        with gradebook.write(tmp_path, command="one") as book:
            assert book.seed() is None
            begin(book, seed=7)
            begin(book, seed=9)
            assert book.seed() == 7
            begin(book, seed=11, new_seed=True)
            begin(book, seed=7)
            assert book.seed() == 11

    def test_result_comes_back_whole(self, tmp_path: Path) -> None:
        with gradebook.write(tmp_path, command="one") as book:
            a_class(book)
            mark = book.current()["carol"].mark
            assert mark
            found = book.result(mark.entry)
            assert isinstance(found, SubmissionResult)
            assert found.points == sum(earned for earned, _ in mark.said.points.values()) < found.max_points

    def test_together(self, tmp_path: Path) -> None:
        """All appends of a group are there, or none."""
        with gradebook.write(tmp_path, command="one") as book:
            begin(book)
            head = book.head()
            with pytest.raises(KeyError), book.together():  # noqa: PT012
                book.submitted("1", [handed_in("anna", "x")])
                raise KeyError
            assert book.head() == head

    def test_no_such_run(self, tmp_path: Path) -> None:
        with gradebook.write(tmp_path, command="one") as book:
            a_class(book)
            with pytest.raises(UsageError, match="no run '4'"):
                book.end_of("4")


class TestOlder:
    """A file of the first version."""

    @pytest.fixture
    def older(self, tmp_path: Path) -> Path:
        """As the first version wrote it."""
        with closing(sqlite3.connect(tmp_path / schema.FILE)) as file:
            file.executescript((Path(__file__).parent / "first_version.sql").read_text(encoding="utf-8"))
        return tmp_path

    def test_is_brought_up_to_date(self, older: Path) -> None:
        """With a copy made before, every record and the chain as they were, and marks found by content."""
        before = rows(older / schema.FILE)
        with gradebook.write(older, command="newer") as book:
            assert book.upgraded == older / f"{schema.FILE}.before-{schema.LATEST}"
            assert book.verify() is None
            stored = book.stored(key("b1"))
            assert stored is not None
            found = book.result(stored)
            assert found is not None
            assert found.points == result("bob", wrong=WRONG).points
            assert book.head() == before[-1][-1]
            grade(book, "1", "dave", "d1", result("dave"))
            assert book.verify() is None
        assert (
            rows(older / schema.FILE)[: len(before)] == before == rows(older / f"{schema.FILE}.before-0002")
        )
        with gradebook.write(older, command="again") as book:
            assert book.upgraded is None

    def test_by_a_reader(self, older: Path) -> None:
        with gradebook.read(older) as book:
            assert set(book.current()) == {"alice", "bob", "carol"}
        assert (older / f"{schema.FILE}.before-{schema.LATEST}").exists()

    def test_killed_meanwhile(self, older: Path) -> None:
        """An upgrade that does not come to its end leaves the old file."""
        before = rows(older / schema.FILE)
        code = (
            "import sys, os\n"
            "from pathlib import Path\n"
            "from grader import gradebook\n"
            "from grader.gradebook import records\n"
            "records.ContentKey.digest = property(lambda self: os.kill(os.getpid(), 9))\n"
            "with gradebook.write(Path(sys.argv[1]), command='dies'): pass\n"
        )
        with start(code, older) as process:
            pass
        assert process.returncode == -signal.SIGKILL
        assert opening.version(older / schema.FILE) == "0001"
        assert rows(older / schema.FILE) == before
        with gradebook.write(older, command="newer") as book:
            assert book.verify() is None

    def test_tables_are_those_of_the_schema(self, tmp_path: Path) -> None:
        """The migrations lead to what schema.py says, and LATEST is the last of them."""
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        with gradebook.write(tmp_path, command="one") as book:
            context = MigrationContext.configure(book._connection)
            assert compare_metadata(context, schema.metadata) == []
        scripts = sorted((ROOT / "grader/gradebook/migrations/versions").glob("v*.py"))
        assert scripts[-1].name.startswith(f"v{schema.LATEST}_")


def rows(path: Path) -> list[tuple[object, ...]]:
    """All records as the first version had them."""
    columns = "number, kind, at, run, student, name, salt, body, digest, hash"
    with closing(sqlite3.connect(path)) as file:
        return file.execute(f"SELECT {columns} FROM entries ORDER BY number").fetchall()
