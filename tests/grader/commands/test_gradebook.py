"""`nox -s gradebook`, as it is typed: marks, reasons, changes by hand, at 80 columns."""

import io
import json
import re
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from grader import gradebook
from grader.cli import app
from grader.commands import gradebook as commands
from grader.gradebook import StudentId, derive
from tests.grader.gradebook.making import ROOT, WORSE, WRONG, begin, grade, handed_in, key, let_down, result

LONG = "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine Maximilian"
RIGHT, ONE, TWO = (f"{result('x', wrong=wrong).points:g}" for wrong in ({}, WRONG, WORSE))


@dataclass(frozen=True)
class Ran:
    """A command's exit code and what it showed."""

    code: int
    out: str

    @property
    def text(self) -> str:
        """Line breaks aside."""
        return " ".join(self.out.split())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two runs: Hubert improves, the machine fails on one Li Wei, and what O'Brien handed in is no zip."""
    out = tmp_path / "results"
    hubert, li, lu = (
        StudentId(key=k, name=n) for k, n in (("101", LONG), ("102", "Li Wei"), ("103", "Li Wei"))
    )
    with gradebook.write(out, command="tests") as book:
        run = begin(book)
        for who, files, given in ((hubert, "h1", WORSE), (li, "l1", {}), (lu, "u1", WRONG)):
            source = f"class/{who.key} a"
            book.submitted(run, [handed_in(who.key, files, who=who, source=source)])
            book.marked(run, who.key, attempt=1, key=key(files), result=result(who.key, wrong=given))
        obrien = StudentId(key="104", name="O'Brien")
        book.submitted(run, [handed_in("104", "", who=obrien, problem="RAR archive: ask for a zip")])
        book.end_run(run, "finished")
        run = begin(book)
        book.submitted(run, [handed_in("101", "h2", who=hubert, attempt=2, source="class/101 b")])
        book.marked(run, "101", attempt=2, key=key("h2"), result=result("101", wrong=WRONG))
        book.submitted(run, [handed_in("103", "u1", who=lu)])
        book.failed(run, "103", attempt=1, files="u1", message="no memory", result=let_down("103"))
        book.end_run(run, "finished")
        derive.everything(book, out)
    return out


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], out: Path) -> Callable[[str], Ran]:
    """Runs `gradebook` with what is typed, on that folder."""

    def run(line: str) -> Ran:
        code = app.main(["gradebook", *shlex.split(line), "--out", str(out)])
        captured = capsys.readouterr()
        return Ran(code, captured.out + captured.err)

    return run


class TestShow:
    def test_at_80_columns(self, out: Path) -> None:
        """No line is longer, no name is cut, and who needs a look comes last."""
        console = Console(width=80, file=io.StringIO(), record=True)
        commands.show(console, out)
        shown = console.export_text()
        assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80
        column = "".join(line[1:27].strip() for line in shown.splitlines() if line[:1] == " ")
        assert LONG.replace(" ", "") in column.replace(" ", "")
        order = [shown.index(part) for part in ("Wolfe", "Li Wei [102]", "Li Wei [103]", "O'Brien")]
        assert order[0] < order[2] < order[3]
        assert order[1] < order[2]

    def test_what_it_has(self, typed: Callable[[str], Ran]) -> None:
        shown = typed("show")
        assert shown.code == 0
        assert "4 students" in shown.text
        assert "2 of 4 need a look" in shown.text
        assert "Li Wei [103]: an earlier mark, not renewed: no memory" in shown.text
        assert "O'Brien [104]: not graded: RAR archive: ask for a zip" in shown.text
        assert len(re.findall(r"profile offline, seed 7, kit 1.0: finished", shown.text)) == 2

    def test_none(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The error names the folder and what to do; nothing is made."""
        assert app.main(["gradebook", "show", "--out", str(tmp_path / "no")]) == 1
        said = capsys.readouterr().out
        assert said.startswith("nox -s gradebook -- show: there is no gradebook in")
        assert "--out" in said
        assert not (tmp_path / "no").exists()


class TestExplain:
    def test_what_stands_behind_a_mark(self, typed: Callable[[str], Ran]) -> None:
        shown = typed("explain hubert")
        assert shown.code == 0
        for part in (
            WRONG["preprocessing:split.seeded"],
            "Hint: ",
            f"Total {ONE} / 150",
            "AlexNet, learns.fine: 40.50% (seed 11, training 3fa23fa23fa2); 41.20% (seed 12",
            "35.00% wanted; the median of three trainings",
            f" UTC: {TWO} (files h1, kit 1.0, seed 7, profile offline) run 2, ",
            "nox -s grade -- 'class/101 b' --profile offline --seed 7 --engine bubblewrap --out FOLDER",
        ):
            assert part in shown.text

    def test_not_renewed_and_not_graded(self, typed: Callable[[str], Ran]) -> None:
        assert "This is an earlier mark. It was not renewed: no memory" in typed("explain 103").text
        assert "Not graded: RAR archive: ask for a zip" in typed("explain brien").text

    def test_changed_by_hand(self, typed: Callable[[str], Ran]) -> None:
        """All of it, what was taken back too."""
        typed("override 102 alexnet 20 --why 'Shown in the lab' --who ta")
        typed("override 102 alexnet --remove --why 'Was meant for another' --who prof")
        shown = typed("explain 102").text
        assert "alexnet set to 20 by ta: Shown in the lab" in shown
        assert "alexnet taken back by prof: Was meant for another" in shown

    def test_several(self, typed: Callable[[str], Ran]) -> None:
        shown = typed("explain 'li wei'")
        assert shown.code == 2
        assert "2 students: Li Wei [102], Li Wei [103]" in shown.text


class TestOverride:
    def test_changes_the_mark_and_the_files(self, typed: Callable[[str], Ran], out: Path) -> None:
        shown = typed("override 102 alexnet 20 --why 'Shown in the lab'")
        assert shown.code == 0
        assert f"Li Wei [102]: alexnet 35 -> 20, total {RIGHT} -> {float(RIGHT) - 15:g}" in shown.text
        assert json.loads((out / "102" / "results.json").read_text())["score"] == float(RIGHT) - 15
        assert typed("verify").code == 0

    def test_other_weights(
        self, typed: Callable[[str], Ran], out: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """`nox -s marking` reads such a mark, and leaves what a person decided."""
        typed("override 102 alexnet 20 --why 'Shown in the lab'")
        assert app.main(["marking", "--with", str(ROOT / "solutions" / "marking.toml"), str(out)]) == 0
        assert "No mark changes." in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("override 102 alexnet 36 --why x", "alexnet has 35 points, not 36"),
            ("override 102 alexnet -1 --why x", "No such option"),
            ("override 102 alexnet nan --why x", "points are a number of at least 0, not nan"),
            ("override 102 alexnt 3 --why x", "The tasks are: preprocessing, alexnet"),
            ("override 102 alexnet 3", "Missing option '--why'"),
            ("override 102 alexnet 3 --why ' '", "--why is empty"),
            ("override 102 alexnet --why x", "name the POINTS, or --remove"),
            ("override 102 alexnet 3 --remove --why x", "name the POINTS, or --remove"),
            ("override 102 alexnet --remove --why x", "alexnet was not changed by hand"),
            ("override zoe alexnet 3 --why x", "there is no student 'zoe'"),
        ],
    )
    def test_wrong_usage(self, typed: Callable[[str], Ran], out: Path, line: str, said: str) -> None:
        """Says what is wrong, and nothing is recorded."""
        with gradebook.read(out) as book:
            before = book.head()
        shown = typed(line)
        assert shown.code == 2
        assert said in shown.text
        with gradebook.read(out) as book:
            assert book.head() == before


class TestDiff:
    def test_last_two(self, typed: Callable[[str], Ran]) -> None:
        shown = typed("diff")
        assert "From run 1 to run 2: 2 of 4 changed" in shown.text
        assert f"{LONG} {TWO} -> {ONE}: new submission (alexnet" in shown.text
        assert f"Li Wei [103] {ONE}: not renewed: no memory" in shown.text
        assert typed("diff 1 2") == shown

    def test_now(self, typed: Callable[[str], Ran]) -> None:
        typed("override 102 alexnet 20 --why 'Shown in the lab'")
        assert "override of alexnet: Shown in the lab" in typed("diff 2 now").text

    @pytest.mark.parametrize(
        ("line", "said"),
        [("diff 1", "name two runs"), ("diff 1 7", "There are: 1, 2"), ("diff a b", "There are: 1, 2")],
    )
    def test_wrong_usage(self, typed: Callable[[str], Ran], line: str, said: str) -> None:
        shown = typed(line)
        assert (shown.code, said in shown.text) == (2, True)


class TestVerify:
    def test_unbroken(self, typed: Callable[[str], Ran], out: Path) -> None:
        """In one line."""
        with gradebook.read(out) as book:
            head = book.head()
        assert typed("verify") == Ran(0, f"Unbroken: 15 records, the last is {head}.\n")

    def test_changed(self, typed: Callable[[str], Ran], out: Path) -> None:
        with closing(sqlite3.connect(out / gradebook.FILE)) as file, file:
            file.execute(
                """UPDATE entries SET body = replace(body, '"points":0.0', '"points":0.5') WHERE number = 3"""
            )
        assert typed("verify") == Ran(1, "Broken: record 3 was changed.\n")

    def test_another_gradebook_than_the_reports(self, typed: Callable[[str], Ran], out: Path) -> None:
        """One that was put in the place of the real one is unbroken, but no report is from it."""
        for path in out.glob("gradebook.db*"):
            path.unlink()
        with gradebook.write(out, command="forged") as book:
            grade(book, begin(book), "102", "l1", result("102"))
        shown = typed("verify")
        assert shown.code == 1
        assert "101/results.json was written from other records" in shown.text
        assert shown.out.endswith("Unbroken: 3 records, but 3 reports were written from others.\n")


class TestBackup:
    def test_copy(self, typed: Callable[[str], Ran], out: Path, tmp_path: Path) -> None:
        """One file, which is a gradebook like the other; never over another file."""
        copy = tmp_path / "copy" / gradebook.FILE
        shown = typed(f"backup {shlex.quote(str(copy))}")
        assert shown.code == 0
        assert "unbroken" in shown.text
        with gradebook.read(copy.parent) as book, gradebook.read(out) as original:
            assert book.entries() == original.entries()
        again = typed(f"backup {shlex.quote(str(copy))}")
        assert (again.code, "is there already" in again.text) == (2, True)

    def test_no_place(self, typed: Callable[[str], Ran], out: Path) -> None:
        shown = typed(f"backup {shlex.quote(str(out / 'marks.csv' / 'copy.db'))}")
        assert shown.code == 1
        assert "cannot be written" in shown.text


class TestForget:
    def test_nothing_is_left(self, typed: Callable[[str], Ran], out: Path) -> None:
        shown = typed("forget hubert --who dean")
        assert shown.code == 0
        assert "Forgotten: " in shown.text
        assert "Copies that backup made, and pages" in shown.text
        assert not (out / "101").exists()
        left = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
        assert b"Wolfeschlegel" not in left
        assert b"Li Wei" in left
        assert typed("verify").code == 0
        assert typed("explain hubert").code == 2

    def test_named_by_a_run(self, typed: Callable[[str], Ran], out: Path) -> None:
        """What is not the student's own record stays, and is named."""
        with gradebook.write(out, command="tests") as book:
            begin(book, command="nox -s grade -- class/obrien/ class/o'brien.zip")
        assert "Record 16 (run 3) still names them" in typed("forget 104").text

    def test_in_use(self, typed: Callable[[str], Ran], out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """While a run goes on, it is named, and nothing is erased."""
        from grader.gradebook import ledger

        monkeypatch.setattr(ledger.write.__wrapped__, "__kwdefaults__", {"wait": 0.2})
        with gradebook.write(out, command="nox -s grade -- class/"):
            shown = typed("forget hubert")
            assert shown.code == 1
            assert "in use by another process" in shown.text
            assert "nox -s grade -- class/" in shown.text
        assert (out / "101").exists()
