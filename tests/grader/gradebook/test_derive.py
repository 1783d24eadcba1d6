"""What is made from the gradebook: whole files, tied to the records, and nobody's at another's cost."""

import csv
import json
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from grader import gradebook
from grader.errors import GradebookError
from grader.exporters import Gradescope, MarksCsv, Registry, TextReport
from grader.gradebook import StudentId, Writer, derive
from grader.gradebook.standings import Standing
from grader.results.record import Counts, SubmissionResult
from tests.grader.gradebook.making import (
    WRONG,
    a_class,
    begin,
    grade,
    handed_in,
    key,
    let_down,
    result,
)
from tests.grader.gradebook.test_ledger import start

RIGHT, ONE = (result("x", wrong=wrong).points for wrong in ({}, WRONG))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Writer]:
    """A gradebook with nothing in it."""
    with gradebook.write(tmp_path, command="tests") as book:
        yield book


def table(out: Path) -> dict[str, dict[str, str]]:
    """marks.csv, by the student."""
    with (out / "marks.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def results(out: Path, name: str) -> dict[str, object]:
    return dict(json.loads((out / name / "results.json").read_text("utf-8")))


class TestEverything:
    """everything."""

    def test_files(self, book: Writer, tmp_path: Path) -> None:
        a_class(book)
        derived = derive.everything(book, tmp_path)
        assert derived.unwritten == {}
        expected = {
            "marks.csv",
            *(f"{n}/{f}" for n in ("alice", "bob", "carol") for f in ("results.json", "report.txt")),
        }
        assert {path.relative_to(tmp_path).as_posix() for path in derived.files} == expected
        assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
            *("marks.csv", "gradebook.db", "gradebook.db-wal", "gradebook.db-shm", "gradebook.lock")
        }
        rows = table(tmp_path)
        assert list(rows) == ["alice", "bob", "carol"]
        assert list(rows["bob"])[:7] == [
            *("student", "preprocessing", "alexnet", "resnet", "wide_resnet", "evaluation", "total")
        ]
        assert float(rows["bob"]["total"]) == ONE == results(tmp_path, "bob")["score"]

    def test_again_is_the_same(self, book: Writer, tmp_path: Path) -> None:
        """They hold nothing of their own: deleted, they are made again, byte by byte."""
        a_class(book)
        derived = derive.everything(book, tmp_path)
        before = {path: path.read_bytes() for path in derived.files}
        for path in derived.files:
            path.unlink()
        derive.everything(book, tmp_path)
        assert {path: path.read_bytes() for path in derived.files} == before

    def test_tied_to_the_records(self, book: Writer, tmp_path: Path) -> None:
        """results.json and the last line of report.txt have the digest, times, kit, seed, run and head."""
        run = begin(book, kit="1.4", seed=11)
        when = datetime(2026, 11, 20, 23, 58, tzinfo=timezone(timedelta(hours=-5)))
        book.submitted(run, [handed_in("bob", "b" * 64, attempt=2, handed_in=when, late=True)])
        marked = {"attempt": 2, "key": key("b" * 64, kit="1.4", seed=11), "result": result("bob", seed=11)}
        book.marked(run, "bob", **marked)
        derive.everything(book, tmp_path)
        extra = results(tmp_path, "bob")["extra_data"]
        assert isinstance(extra, dict)
        mark = book.current()["bob"].mark
        assert mark
        assert extra["provenance"] == {
            "files": "b" * 64,
            "graded": mark.at,
            "kit": "1.4",
            "seed": 11,
            "run": "1",
            "head": book.head(),
            "attempt": 2,
            "handed_in": "2026-11-20T23:58:00-05:00",
            "late": True,
        }
        assert "handed in late" in table(tmp_path)["bob"]["remark"]
        last = (tmp_path / "bob" / "report.txt").read_text("utf-8").splitlines()[-1]
        for part in ("b" * 64, mark.at, "kit 1.4", "seed 11", "run 1", book.head(), when.isoformat()):
            assert part in last

    def test_result_as_it_was_recorded(self, book: Writer, tmp_path: Path) -> None:
        """extra_data is the mark itself, which `nox -s marking` reads."""
        a_class(book)
        derive.everything(book, tmp_path)
        record = results(tmp_path, "bob")["extra_data"]
        assert isinstance(record, dict)
        read = SubmissionResult.model_validate({k: v for k, v in record.items() if k != "provisional"})
        assert read.tasks == result("bob", wrong=WRONG).tasks

    def test_no_mark(self, book: Writer, tmp_path: Path) -> None:
        """A row with why, never a zero; results.json of an earlier mark would be one that does not count."""
        run = begin(book)
        grade(book, run, "alice", "a1", result("alice"))
        book.submitted(run, [handed_in("bob", "", problem="RAR archive: ask for a zip")])
        book.submitted(run, [handed_in("carol", "c1")])
        book.failed(run, "carol", attempt=1, files="c1", message="no memory", result=let_down("carol"))
        derive.everything(book, tmp_path)
        rows = table(tmp_path)
        assert rows["bob"]["total"] == rows["carol"]["total"] == ""
        assert rows["bob"]["remark"] == "RAR archive: ask for a zip"
        assert "no memory" in rows["carol"]["remark"]
        for name in ("bob", "carol"):
            assert {path.name for path in (tmp_path / name).iterdir()} == {"not-graded.json", "report.txt"}
            assert "provenance" in json.loads((tmp_path / name / "not-graded.json").read_text("utf-8"))

    def test_fault_keeps_the_mark(self, book: Writer, tmp_path: Path) -> None:
        """In every file, and it says so."""
        a_class(book)
        run = begin(book, kit="1.1")
        book.submitted(run, [handed_in("bob", "b1")])
        book.failed(run, "bob", attempt=1, files="b1", message="no memory", result=let_down("bob"))
        derive.everything(book, tmp_path)
        row = table(tmp_path)["bob"]
        assert float(row["total"]) == ONE == results(tmp_path, "bob")["score"]
        assert row["status"] == "not renewed"
        assert "no memory" in row["remark"]
        assert "This is an earlier mark. It was not renewed: no memory" in (
            tmp_path / "bob" / "report.txt"
        ).read_text("utf-8")

    def test_graded_after_a_fault(self, book: Writer, tmp_path: Path) -> None:
        """What is out of date goes; what somebody else put there stays."""
        run = begin(book)
        book.submitted(run, [handed_in("bob", "b1")])
        book.failed(run, "bob", attempt=1, files="b1", message="no memory", result=let_down("bob"))
        derive.everything(book, tmp_path)
        (tmp_path / "bob" / "notes.txt").write_text("ask him")
        book.marked(run, "bob", attempt=1, key=key("b1"), result=result("bob"))
        derive.everything(book, tmp_path)
        assert {path.name for path in (tmp_path / "bob").iterdir()} == {
            "results.json",
            "report.txt",
            "notes.txt",
        }

    def test_override(self, book: Writer, tmp_path: Path) -> None:
        """The score, the sum of the tests, the table and the report agree."""
        a_class(book)
        book.override("bob", "alexnet", 20, who="ta", why="Shown in the lab")
        derive.everything(book, tmp_path)
        found = results(tmp_path, "bob")
        assert found["score"] == ONE - 15 == float(table(tmp_path)["bob"]["total"])
        tests = found["tests"]
        assert isinstance(tests, list)
        assert sum(test["score"] for test in tests) == found["score"]
        assert [test["tags"] for test in tests if "override" in test["tags"]] == [["alexnet", "override"]]
        report = (tmp_path / "bob" / "report.txt").read_text("utf-8")
        assert "Set to 20 by ta" in report
        assert "Shown in the lab (before: 35)" in report
        assert "Shown in the lab" in table(tmp_path)["bob"]["remark"]

    def test_override_without_a_mark(self, book: Writer, tmp_path: Path) -> None:
        """A person may give all points by hand; some of them are no mark."""
        run = a_class(book)
        book.submitted(run, [handed_in("dave", "", problem="handed in on paper")])
        tasks = [task.task for task in result("x").tasks]
        for task in tasks[:-1]:
            book.override("dave", task, 10, who="ta", why="On paper")
        derive.everything(book, tmp_path)
        assert table(tmp_path)["dave"]["total"] == ""
        book.override("dave", tasks[-1], 10, who="ta", why="On paper")
        derive.everything(book, tmp_path)
        row = table(tmp_path)["dave"]
        assert (row["total"], row["out of"]) == ("50", table(tmp_path)["bob"]["out of"])
        assert "handed in on paper" in row["remark"]

    def test_group(self, book: Writer, tmp_path: Path) -> None:
        """A row for each member, one folder; where only one was changed, the folder says so."""
        run = begin(book)
        who = [StudentId(key=key, name=name) for key, name in (("1", "Anna Mustermann"), ("2", "Ben Okafor"))]
        book.submitted(run, [handed_in(one.key, "g", who=one, name="group 7") for one in who])
        book.marked(run, "group 7", attempt=1, key=key("g"), result=result("group 7", wrong=WRONG))
        book.override("2", "alexnet", 0, who="ta", why="Was not there")
        derive.everything(book, tmp_path)
        rows = table(tmp_path)
        assert {name: float(row["total"]) for name, row in rows.items()} == {
            "Anna Mustermann": ONE,
            "Ben Okafor": ONE - 35,
        }
        assert {row["folder"] for row in rows.values()} == {"group 7"}
        assert [row["key"] for row in rows.values()] == ["1", "2"]
        report = (tmp_path / "group 7" / "report.txt").read_text("utf-8")
        assert "Group of Anna Mustermann, Ben Okafor" in report
        assert "Ben Okafor: alexnet set to 0: Was not there" in report
        assert results(tmp_path, "group 7")["score"] == ONE

    def test_another_name(self, book: Writer, tmp_path: Path) -> None:
        """A student whose folder is called otherwise in a later run has one folder, not two."""
        a_class(book)
        derive.everything(book, tmp_path)
        grade(book, begin(book), "bob", "b2", result("Bob Smith"), name="Bob Smith")
        derive.everything(book, tmp_path)
        assert not (tmp_path / "bob").exists()
        assert results(tmp_path, "Bob Smith")["score"] == RIGHT

    def test_remarks_of_intake(self, book: Writer, tmp_path: Path) -> None:
        """Once, in the report and in the table."""
        run = begin(book)
        note = "evaluation (1).py was used as evaluation.py"
        book.submitted(run, [handed_in("bob", "b1", notes=(note,))])
        given = result("bob").model_copy(update={"notes": (note,)})
        book.marked(run, "bob", attempt=1, key=key("b1"), result=given)
        derive.everything(book, tmp_path)
        assert table(tmp_path)["bob"]["remark"].count(note) == 1
        assert (tmp_path / "bob" / "report.txt").read_text("utf-8").count(note) == 1

    def test_only_some(self, book: Writer, tmp_path: Path) -> None:
        """The files of these, and the table of all."""
        a_class(book)
        derived = derive.everything(book, tmp_path, names=["bob"])
        assert {path.parent.name for path in derived.files} == {"bob", tmp_path.name}
        assert set(table(tmp_path)) == {"alice", "bob", "carol"}

    def test_a_course_adjusts(self, book: Writer, tmp_path: Path) -> None:
        """Both numbers and the rule stand in each file; what goes into a gradebook is what counts."""
        a_class(book)

        def half(standing: Standing) -> Counts | None:
            assert standing.total is not None
            rule = f"{standing.total:g} of 150; late, half: counts {standing.total / 2:g}"
            tasks = {task: points / 2 for task, points in standing.points.items()}
            return Counts(tasks=tasks, points=standing.total / 2, out_of=150, rule=rule)

        derive.everything(book, tmp_path, rules=derive.Rules(counts=half))
        row = table(tmp_path)["bob"]
        assert float(row["total"]) == ONE / 2 == results(tmp_path, "bob")["score"]
        assert row["alexnet"] == "17.5"
        rule = f"{ONE:g} of 150; late, half: counts {ONE / 2:g}"
        assert rule.replace(";", ",") in row["remark"]  # a semicolon ends a cell in many places
        report = " ".join((tmp_path / "bob" / "report.txt").read_text("utf-8").split())
        assert f"Total {ONE:g} / 150" in report
        assert f"Counts {ONE / 2:g} / 150: {rule}" in report

    def test_which_attempt(self, book: Writer, tmp_path: Path) -> None:
        """A course may count the first."""
        run = begin(book)
        grade(book, run, "bob", "b1", result("bob"), attempt=1)
        grade(book, run, "bob", "b2", result("bob", wrong=WRONG), attempt=2)
        derive.everything(book, tmp_path, rules=derive.Rules(choose=lambda attempts: 0))
        assert results(tmp_path, "bob")["score"] == RIGHT
        assert [mark is not None for _, mark in book.current()["bob"].attempts] == [True, True]

    def test_drawings_that_are_out_of_date(self, book: Writer, tmp_path: Path) -> None:
        a_class(book)
        (tmp_path / "bob").mkdir()
        (tmp_path / "bob" / "drawing-alexnet-pooling.svg").write_text("<svg/>")
        derive.everything(book, tmp_path)
        assert not (tmp_path / "bob" / "drawing-alexnet-pooling.svg").exists()


class TestDisk:
    """What cannot be written."""

    def test_one_student(self, book: Writer, tmp_path: Path) -> None:
        """A file in the way of jane's folder is jane's problem; the others and the table are written."""
        a_class(book)
        (tmp_path / "bob").write_text("in the way")
        derived = derive.everything(book, tmp_path)
        assert set(derived.unwritten) == {"bob"}
        assert "cannot be written" in derived.unwritten["bob"]
        rows = table(tmp_path)
        assert float(rows["bob"]["total"]) == ONE
        assert "cannot be written" in rows["bob"]["remark"]
        assert results(tmp_path, "carol")["score"]
        assert (tmp_path / "bob").read_text() == "in the way"

    def test_a_name_too_long(self, book: Writer, tmp_path: Path) -> None:
        """Nor does what cannot even be made cost another anything."""
        run = a_class(book)
        grade(book, run, "dave", "d1", result("dave"), name="d" * 300)
        assert set(derive.everything(book, tmp_path).unwritten) == {"d" * 300}
        assert float(table(tmp_path)["dave"]["total"]) == RIGHT

    def test_a_folder_in_the_way_of_a_file(self, book: Writer, tmp_path: Path) -> None:
        a_class(book)
        (tmp_path / "bob" / "results.json" / "deep").mkdir(parents=True)
        derived = derive.everything(book, tmp_path)
        assert set(derived.unwritten) == {"bob"}
        assert results(tmp_path, "carol")["score"]

    def test_the_table(self, book: Writer, tmp_path: Path) -> None:
        """Is an error in words; the students' files are there, and nothing is left half."""
        a_class(book)
        (tmp_path / "marks.csv" / "deep").mkdir(parents=True)
        with pytest.raises(GradebookError, match="All marks are in the gradebook"):
            derive.everything(book, tmp_path)
        assert results(tmp_path, "carol")["score"]
        assert list(tmp_path.glob(".deriving-*")) == []

    def test_killed(self, tmp_path: Path) -> None:
        """Old files stay whole, and what was left behind is swept by the next."""
        with gradebook.write(tmp_path, command="one") as book:
            a_class(book)
            derive.everything(book, tmp_path)
            before = (tmp_path / "marks.csv").read_bytes()
            grade(book, "1", "dave", "d1", result("dave"))
        code = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from grader import gradebook\n"
            "from grader.exporters import MarksCsv\n"
            "from grader.gradebook import derive\n"
            "MarksCsv.write_class = lambda self, results, folder: os.kill(os.getpid(), 9)\n"
            "with gradebook.write(Path(sys.argv[1]), command='dies') as book:\n"
            "    derive.everything(book, Path(sys.argv[1]))\n"
        )
        with start(code, tmp_path) as process:
            pass
        assert process.returncode == -signal.SIGKILL
        assert (tmp_path / "marks.csv").read_bytes() == before
        assert len(list(tmp_path.glob(".deriving-*"))) == 1
        with gradebook.write(tmp_path, command="next") as book:
            derive.everything(book, tmp_path)
        assert list(tmp_path.glob(".deriving-*")) == []
        assert "dave" in table(tmp_path)

    def test_a_name_that_leads_elsewhere(self, book: Writer, tmp_path: Path) -> None:
        """Intake gives no such name; a file edited by hand may have one."""
        (out := tmp_path / "out").mkdir()
        run = begin(book)
        grade(book, run, "bob", "b1", result("../elsewhere"), name="../elsewhere")
        with pytest.raises(GradebookError, match="no folder's"):
            derive.everything(book, out)
        assert not (tmp_path / "elsewhere").exists()


class TestOfName:
    """of_name, during a run."""

    def test_one(self, book: Writer, tmp_path: Path) -> None:
        a_class(book)
        derived = derive.of_name(book, tmp_path, "bob")
        assert {path.parent.name for path in derived.files} == {"bob"}
        assert not (tmp_path / "marks.csv").exists()
        assert not (tmp_path / "alice").exists()


class TestRemove:
    """remove."""

    def test_all_that_was_derived(self, book: Writer, tmp_path: Path) -> None:
        a_class(book)
        derive.everything(book, tmp_path)
        (tmp_path / "carol" / "notes.txt").write_text("mine")
        assert derive.remove(tmp_path, ["bob", "carol"]) == ["carol"]
        assert not (tmp_path / "bob").exists()
        assert [path.name for path in (tmp_path / "carol").iterdir()] == ["notes.txt"]


class TestFormats:
    def test_formats_of_a_choice(self, book: Writer, tmp_path: Path) -> None:
        """Also with other exporters than those of every run."""
        a_class(book)
        registry = Registry([Gradescope(), TextReport(), MarksCsv()])
        assert len(derive.everything(book, tmp_path, registry=registry).files) == 7
