"""Exports of a real gradebook, each read by its importer or by that importer's published rules."""

import csv
import io
import json
import unicodedata
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import junitparser
import pytest

from grader import gradebook
from grader.cli.app import main
from grader.gradebook import StudentId
from tests.grader.exporters import importers
from tests.grader.gradebook import making

LONG = "Anna " + "Maria " * 200
NAMES = {
    "101": "=cmd|' /C calc'!A0",
    "102": 'Quo"te, "N" \\',
    "103": "Two\nLines\r\nand\ta tab",
    "104": "\u202eevil\u2066 שלום 🎓",
    "105": "<b>Bold</b> & Sons",
    "106": "NUL\0 inside",
    "107": LONG,
    "108": "-2+3",
    "109": "Li Wei",
    "110": "Fay Fault",
    "111": "Nina Nothing",
    "112": "Right Only",
    "113": "Olga Override",
}
COUNTED = 12  # have a mark, Fay and Nina not; Gone Student has one too
WRONG = {"alexnet:pooling": "build_alexnet('<img>', \"=1+1\") has\n2 pooling layers\x00\ud7ff; expected 3."}


def who(number: str) -> StudentId:
    """A student of the class, as Canvas and a roster know them."""
    if number == "199":  # not in any template
        return StudentId(key="gone", name="Gone Student", ids={"email": "gone@x.edu"})
    ids = {"canvas": number, "moodle": f"9{number}", "sid": f"s{number}", "email": f"u{number}@x.edu"}
    return StudentId(key=number, name=NAMES[number], ids={**ids, "login": f"u{number}"}, section="A")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of hostile names; Fay's machine failed, Nina handed in nothing, Olga has a mark by hand."""
    out = tmp_path_factory.mktemp("class") / "results"
    with gradebook.write(out, command="test") as book:
        run = making.begin(book)
        for number in [*NAMES, "199"]:
            student, name = who(number), f"folder{number}"
            if number == "111":
                nothing = making.handed_in(number, "", who=student, name=name, attempt=0)
                book.submitted(run, [nothing.model_copy(update={"problem": "handed in nothing"})])
                continue
            at = datetime(2026, 11, 20, 10, tzinfo=UTC)
            book.submitted(
                run, [making.handed_in(number, f"f{number}", who=student, name=name, handed_in=at, late=True)]
            )
            graded = making.result(name, wrong=WRONG if number == "101" else {})
            if number == "110":
                let_down = making.let_down(name)
                book.failed(run, name, attempt=1, files="f110", message="no sandbox", result=let_down)
            else:
                book.marked(run, name, attempt=1, key=making.key(f"f{number}"), result=graded)
        book.override("113", "alexnet", 13.37, who="=lecturer", why="@seen in the lab")
        book.end_run(run, "finished")
    return out


def run(results: Path, *arguments: str) -> int:
    """What the command line says."""
    return main(["export", *arguments, "--out", str(results)])


def gradebook_of_canvas(ids: list[str], *, bom: str = "", delimiter: str = ",", **cells: str) -> str:
    """As Canvas exports one, with its lines for what is posted by hand and for points."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    ends = ["Lab 3 (4711)", "Quiz (4712)", "Lab Current Score", "Lab Final Grade"]
    writer.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *ends])
    writer.writerow(["", "", "", "", "", "Manual Posting", "", "(read only)", "(read only)"])
    writer.writerow(["    Points Possible", "", "", "", "", "150.0", "10.0", "(read only)", "(read only)"])
    for number in ids:
        name = NAMES.get(number, "Student, Test").replace("\0", "")
        old = cells.get(f"old{number}", "")
        writer.writerow([name, number, f"s{number}", f"u{number}@x.edu", "A and B", old, "7", "70", "B"])
    return bom + out.getvalue()


class TestCanvas:
    @pytest.mark.parametrize(("bom", "delimiter"), [("", ","), ("\ufeff", ","), ("", ";")])
    def test_its_importer_takes_it(self, results: Path, tmp_path: Path, bom: str, delimiter: str) -> None:
        """All ids and rows are kept, each mark is with its student, and nothing else is changed."""
        template, to = tmp_path / "t.csv", tmp_path / "c.csv"
        before = gradebook_of_canvas([*NAMES, "500"], bom=bom, delimiter=delimiter)
        template.write_text(before, newline="", encoding="utf-8")
        arguments = ["canvas", "--template", str(template), "--column", "lab 3", "--to", str(to)]
        assert run(results, *arguments) == 1  # Gone Student
        content = to.read_bytes()
        taken = importers.canvas(content, NAMES | {"500": "Student, Test"})
        assert taken.unknown == []
        assert taken.points == "150.0"
        assert {key for key, score in taken.scores.items() if score} == set(NAMES) - {"110", "111"}
        assert taken.scores["112"] == "150"
        assert float(taken.scores["101"]) < 150
        assert taken.scores["113"] == "128.37"
        after = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))
        was = list(csv.reader(io.StringIO(before, newline=""), delimiter=delimiter))
        assert [row[:5] for row in after] == [row[:5] for row in was]
        assert after[0][5:] == ["Lab 3 (4711)"]

    def test_what_has_no_mark_is_not_touched(self, results: Path, tmp_path: Path) -> None:
        """Canvas takes an empty cell for the removal of a score: an earlier one stays, excused stays."""
        template, to = tmp_path / "t.csv", tmp_path / "c.csv"
        template.write_text(gradebook_of_canvas([*NAMES, "500"], old110="88", old500="3", old112="EX"))
        run(results, "canvas", "--template", str(template), "--column", "4711", "--to", str(to))
        taken = importers.canvas(to.read_bytes(), NAMES | {"500": "Test"})
        assert (taken.scores["110"], taken.scores["500"], taken.scores["112"]) == ("88", "3", "EX")
        assert taken.scores["111"] == ""

    def test_who_is_not_in_it_is_listed(
        self, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """With the reason; a fault and a missing submission are no failure of the export."""
        template = tmp_path / "t.csv"
        template.write_text(gradebook_of_canvas(list(NAMES)))
        arguments = ["--column", "Lab 3", "--to", str(tmp_path / "c.csv")]
        assert run(results, "canvas", "--template", str(template), *arguments) == 1
        said = " ".join(capsys.readouterr().out.split())
        assert "plain points of 150 (this class has no course.toml), with changes by hand" in said
        assert "NOT exported (1): Gone Student [gone]: no row has this id" in said
        assert "Fay Fault [110]: no sandbox" in said or "Fay Fault [110]: the sandbox" in said
        assert "Nina Nothing [111]: handed in nothing" in said

    def test_scaled(self, results: Path, tmp_path: Path) -> None:
        """To what the platform counts."""
        template, to = tmp_path / "t.csv", tmp_path / "c.csv"
        template.write_text(gradebook_of_canvas(["112", "113"]))
        arguments = ["--column", "Lab 3", "--to", str(to), "--out-of", "100"]
        run(results, "canvas", "--template", str(template), *arguments)
        assert importers.canvas(to.read_bytes(), NAMES).scores == {"112": "100", "113": "85.58"}

    @pytest.mark.parametrize(
        ("text", "column", "says"),
        [
            ("Name,Mark\nA,1\n", "", "this is not Canvas's exported gradebook"),
            (gradebook_of_canvas(["101"]), "", "it is not clear which column"),
            (gradebook_of_canvas(["101"]), "Lab 9", "there is no column 'Lab 9'"),
            (gradebook_of_canvas(["101"]), "Current Score", "there is no column"),
            (gradebook_of_canvas(["101"]).replace("150.0", "read only"), "Lab 3", "read only in Canvas"),
            (gradebook_of_canvas(["101"]) + "a,b\r\n", "Lab 3", "row 5 of"),
            ("PK\x03\x04", "", "has no table"),
        ],
    )
    def test_wrong_template(
        self,
        results: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        text: str,
        column: str,
        says: str,
    ) -> None:
        """Wrong usage, in words, and nothing is written."""
        template, to = tmp_path / "t.csv", tmp_path / "c.csv"
        template.write_text(text, newline="")
        arguments = ["--template", str(template), "--to", str(to), "--column", column]
        assert run(results, "canvas", *arguments) == 2
        assert says in " ".join(capsys.readouterr().out.split())
        assert not to.exists()

    def test_name_that_canvas_takes_for_its_row_of_points(self, tmp_path: Path) -> None:
        """Such a student is listed: their mark would become everybody's maximum."""
        name = "Points Possible Jr"
        with gradebook.write(tmp_path, command="test") as book:
            run_ = making.begin(book)
            student = StudentId(key="7", name=name, ids={"canvas": "7"})
            book.submitted(run_, [making.handed_in("7", "f7", who=student)])
            book.marked(run_, "7", attempt=1, key=making.key("f7"), result=making.result("7"))
        template, to = tmp_path / "t.csv", tmp_path / "c.csv"
        template.write_text(f"Student,ID,Section,Lab 3 (4711)\nPoints Possible,,,150\n{name},7,A,\n")
        assert run(tmp_path, "canvas", "--template", str(template), "--to", str(to)) == 1
        assert to.read_text() == template.read_text()


class TestMoodle:
    @pytest.mark.parametrize(
        ("by", "field"), [("email", "email"), ("number", "idnumber"), ("username", "username")]
    )
    def test_its_importer_takes_it(self, results: Path, tmp_path: Path, by: str, field: str) -> None:
        """Every row has its user, a number, and none that would be refused or removed."""
        to = tmp_path / "m.csv"
        run(results, "moodle", "--by", by, "--to", str(to), "--out-of", "100")
        users = {
            number: {"email": f"u{number}@x.edu", "idnumber": f"s{number}", "username": f"u{number}"}
            for number in NAMES
        } | {"199": {"email": "gone@x.edu"}}
        grades = importers.moodle_grades(to.read_bytes(), users, maximum=100)
        assert set(grades) == (set(NAMES) - {"110", "111"}) | ({"199"} if field == "email" else set())
        assert grades["112"] == "100"
        assert grades["113"] == "85.58"

    def test_over_the_maximum_is_said(
        self, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One grade above what the site allows aborts the whole import."""
        to = tmp_path / "m.csv"
        run(results, "moodle", "--by", "email", "--to", str(to))
        assert "--out-of 100 scales them" in " ".join(capsys.readouterr().out.split())
        users = {n: {"email": f"u{n}@x.edu"} for n in NAMES} | {"199": {"email": "gone@x.edu"}}
        with pytest.raises(importers.Refused, match="gradevaluetoobig"):
            importers.moodle_grades(to.read_bytes(), users, maximum=100)

    def test_no_formula_and_no_markup_moves_a_cell(self, results: Path, tmp_path: Path) -> None:
        """Each row has three cells, and none begins like a formula; e-mails are what they were."""
        to = tmp_path / "m.csv"
        run(results, "moodle", "--by", "email", "--to", str(to), "--out-of", "100")
        rows = importers.moodle_table(to.read_bytes())
        assert rows == list(csv.reader(io.StringIO(to.read_text(), newline="")))
        for row in rows:
            assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in row)

    def worksheet(self, maximum: str = "150.00", **cells: str) -> str:
        """As Moodle writes one."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        head = ["Identifier", "Full name", "ID number", "Email address", "Status", "Grade", "Maximum grade"]
        writer.writerow(
            [*head, "Grade can be changed", "Last modified (grade)", "Feedback comments"],
        )
        for number in [*NAMES, "500"]:
            name = NAMES.get(number, "Other Person").replace("\0", "").replace("\\", "")
            who_ = [f"Participant 9{number}", name, f"s{number}", f"u{number}@x.edu", "Submitted for grading"]
            changeable = cells.get(f"changeable{number}", "Yes")
            old = cells.get(f"old{number}", "")
            writer.writerow([*who_, old, maximum, changeable, "Friday, 20 November 2026, 10:00 AM", "=kept"])
        return "\ufeff" + out.getvalue()

    def test_worksheet(self, results: Path, tmp_path: Path) -> None:
        """The grades are filled in; each other byte is Moodle's own."""
        sheet, to = tmp_path / "w.csv", tmp_path / "f.csv"
        text = self.worksheet(old500="3.00", old110="88.00")
        sheet.write_text(text, newline="", encoding="utf-8")
        assert run(results, "moodle", "--worksheet", str(sheet), "--to", str(to)) == 1
        users = {f"9{number}": number for number in [*NAMES, "500"]}
        grades = importers.moodle_worksheet(to.read_bytes(), users, maximum=150)
        assert grades["500"] == "3.00"
        assert grades["110"] == "88.00"
        assert "111" not in grades
        assert set(grades) == set(NAMES) - {"111"} | {"500"}
        assert grades["113"] == "128.37"
        filled = to.read_bytes().decode()
        for number, grade in grades.items():
            filled = filled.replace(f",{grade},150.00", f",{'3.00' if number == '500' else ''},150.00")
        assert filled.replace(",3.00,", ",,").replace(",88.00,", ",,") == text.replace(
            ",3.00,", ",,"
        ).replace(",88.00,", ",,")

    def test_worksheet_with_another_maximum(
        self, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Moodle drops what is above it without a word: the export does not begin."""
        sheet, to = tmp_path / "w.csv", tmp_path / "f.csv"
        sheet.write_text(self.worksheet("100.00"), newline="", encoding="utf-8")
        assert run(results, "moodle", "--worksheet", str(sheet), "--to", str(to)) == 2
        assert "--out-of 100 scales them" in " ".join(capsys.readouterr().out.split())
        assert run(results, "moodle", "--worksheet", str(sheet), "--to", str(to), "--out-of", "100") == 1

    def test_locked(self, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A grade that Moodle would not change is listed."""
        sheet, to = tmp_path / "w.csv", tmp_path / "f.csv"
        sheet.write_text(self.worksheet(changeable112="No"), newline="", encoding="utf-8")
        assert run(results, "moodle", "--worksheet", str(sheet), "--to", str(to)) == 1
        assert "Right Only [112]: the grade is locked in Moodle" in capsys.readouterr().out


class TestGradescope:
    def test_form_and_what_is_held_back(self, results: Path, tmp_path: Path) -> None:
        """results.json is what Gradescope documents; who has no mark has no file. Before the deadline no file
        has an accuracy, digest or seed of a training, or anything of a mark by hand.
        """
        to = tmp_path / "g"
        secrets = ("0.412", "0.405", "0.35", "3fa23fa2", "77bc77bc", "128.37", "13.37", "lecturer")
        for release, expected in (("all", True), ("checks", False)):
            assert run(results, "gradescope", "--release", release, "--to", str(to)) == 0
            texts = [path.read_text() for path in to.glob("*/*")]
            for secret in secrets:
                assert any(secret in text for text in texts) is expected, (release, secret)
            written = sorted(to.glob("*/results.json"))
            assert len(written) == COUNTED
            assert not (to / "folder110").exists()
            for path in written:
                content = json.loads(path.read_text())
                jsonschema.validate(content, importers.GRADESCOPE)
                scores = [test["score"] for test in content["tests"] if "score" in test]
                assert content["score"] == pytest.approx(sum(scores))
                assert (path.parent / "report.txt").is_file()
        held = "Public checks passed; accuracy follows after the deadline."
        assert held in (to / "folder112" / "report.txt").read_text()

    def test_group(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Members share one file; whoever's mark was changed by hand is listed."""
        with gradebook.write(tmp_path, command="test") as book:
            run_ = making.begin(book)
            for key in ("ann", "ben"):
                book.submitted(run_, [making.handed_in(key, "f", name="team")])
            book.marked(run_, "team", attempt=1, key=making.key("f"), result=making.result("team"))
            assert run(tmp_path, "gradescope") == 0
            book.override("ben", "evaluation", 1, who="doe", why="was away")
        capsys.readouterr()
        assert run(tmp_path, "gradescope") == 1
        assert "[ben]: the mark differs from that of [ann]" in " ".join(capsys.readouterr().out.split())
        content = json.loads((tmp_path / "exports" / "gradescope" / "team" / "results.json").read_text())
        assert content["score"] == 150
        assert "ben" not in json.dumps(content)


class TestEverything:
    def test_one_row_a_student(self, results: Path, tmp_path: Path) -> None:
        """All are in it; marks are numbers, and a fault is empty cells with the reason."""
        to = tmp_path / "e.csv"
        assert run(results, "csv", "--to", str(to)) == 0
        content = to.read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        rows = {
            row["key"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        }
        assert set(rows) == {*NAMES, "gone"}
        for task in ("preprocessing", "alexnet", "points", "counts"):
            assert rows["110"][task] == rows["111"][task] == ""
            assert float(rows["112"][task]) > 0
        assert rows["110"]["status"] == rows["111"]["status"] == "not graded"
        assert rows["110"]["why"]
        assert rows["113"]["alexnet"] == "13.37"
        assert "by =lecturer" in rows["113"]["changed by hand"]
        assert "@seen in the lab" in rows["113"]["changed by hand"]
        right = rows["112"]
        assert (right["id canvas"], right["id email"], right["late"], right["attempt"]) == (
            "112",
            "u112@x.edu",
            "yes",
            "1",
        )
        assert (right["files"], right["seed"], right["kit"]) == ("f112", "7", "1.0")

    def test_nothing_is_a_formula(self, results: Path, tmp_path: Path) -> None:
        """Whatever is taken to end a cell; no control or hidden character is left."""
        to = tmp_path / "e.csv"
        run(results, "csv", "--to", str(to))
        text = to.read_text(encoding="utf-8-sig")
        unfit = {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not {c for c in text if unicodedata.category(c) in unfit} - {"\n", "\r"}
        for separator in (",", ";", "\t"):
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
                assert not any(cell.lstrip(' "').startswith(("=", "+", "-", "@")) for cell in row)


class TestJUnit:
    def test_its_parser_reads_it(self, results: Path, tmp_path: Path) -> None:
        """junitparser: a suite a student, a case a check; failures, errors and skipped add up."""
        to = tmp_path / "j.xml"
        assert run(results, "junit", "--to", str(to)) == 0
        suites = {dict_of(suite)["key"]: suite for suite in junitparser.JUnitXml.fromfile(str(to))}
        assert set(suites) == {*NAMES, "gone"}
        kinds = {"failures": junitparser.Failure, "errors": junitparser.Error, "skipped": junitparser.Skipped}
        for suite in suites.values():
            cases = list(suite)
            assert suite.tests == len(cases)
            for attribute, kind in kinds.items():
                found = sum(any(isinstance(one, kind) for one in case.result) for case in cases)
                assert getattr(suite, attribute) == found
        assert suites["112"].failures == suites["112"].errors == 0
        assert (suites["110"].errors, suites["111"].skipped, suites["111"].errors) == (1, 1, 0)
        (failed,) = [case for case in suites["101"] if case.result]
        assert failed.classname == "alexnet"
        assert failed.name.startswith("pooling: ")
        assert "<img>" in failed.result[0].message
        assert "2 pooling layers" in failed.result[0].text

    def test_schema(self, results: Path, tmp_path: Path) -> None:
        """JUnit.xsd of windyroad/JUnit-Schema: elements in this order, these attributes, no time zone."""
        to = tmp_path / "j.xml"
        run(results, "junit", "--to", str(to))
        root = ET.parse(to).getroot()
        assert (root.tag, root.attrib) == ("testsuites", {})
        for number, suite in enumerate(root):
            counts = {"tests", "failures", "errors", "skipped", "time"}
            assert set(suite.attrib) == {"name", "package", "id", "hostname", "timestamp", *counts}
            assert suite.get("id") == str(number)
            assert all(suite.attrib.values())
            datetime.strptime(suite.attrib["timestamp"], "%Y-%m-%dT%H:%M:%S")
            tags = [child.tag for child in suite]
            cases = len(tags) - 3
            assert tags == ["properties", *["testcase"] * cases, "system-out", "system-err"]
            for case in suite.iter("testcase"):
                assert set(case.attrib) == {"name", "classname", "time"}
                assert len(case) <= 1
                for what in case:
                    assert what.tag in {"failure", "error", "skipped"}
                    assert set(what.attrib) == {"message"} | ({"type"} if what.tag != "skipped" else set())


def dict_of(suite: junitparser.TestSuite) -> dict[str, str]:
    """Its properties."""
    return {one.name: one.value for one in suite.properties()}


class TestCourse:
    def test_what_counts_is_exported(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """By course.toml, and the first line says so."""
        chosen = "[tasks]\nalexnet = 30\nresnet = 30\n"
        with gradebook.write(tmp_path, command="test") as book:
            run_ = making.begin(book, course=chosen)
            making.grade(book, run_, "alice", "a1", making.result("alice"))
        to = tmp_path / "e.csv"
        assert run(tmp_path, "csv", "--to", str(to)) == 0
        assert "the points that count by course.toml" in " ".join(capsys.readouterr().out.split())
        (row,) = csv.DictReader(io.StringIO(to.read_text(encoding="utf-8-sig"), newline=""))
        assert row["points"] == "150"
        assert (row["counts"], row["counts of"], row["alexnet"], row["alexnet counts"]) == (
            "60",
            "60",
            "35",
            "30",
        )
        assert row["rule"]

    def test_no_gradebook(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """There is nothing to export."""
        assert run(tmp_path, "csv") == 1
        assert "there is no gradebook" in capsys.readouterr().out
