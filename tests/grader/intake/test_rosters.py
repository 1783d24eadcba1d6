"""A roster adds names and shows who handed in nothing, however it was exported."""

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.intake import Class, read
from tests.grader.intake.trees import MODULES, RIGHT, write

PLAIN = (
    "name,email,login,sid,section\nJürgen Müller,jm@example.edu,jmueller,30001,A\n"
    "Ann Moore,am@example.edu,amoore,30002,B\n"
)


def with_roster(tmp_path: Path, entries: tuple[str, ...], roster: str | bytes) -> Class:
    """A class of these entries, read with a roster."""
    folder = write(tmp_path / "c", dict.fromkeys(entries, RIGHT))
    path = tmp_path / "roster.csv"
    path.write_bytes(roster if isinstance(roster, bytes) else roster.encode())
    return read([folder], MODULES, roster=path)


class TestWritten:
    """Delimiters and encodings are found out."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_read(self, tmp_path: Path, encoding: str, delimiter: str) -> None:
        roster = PLAIN.replace(",", delimiter).encode(encoding)
        found = with_roster(tmp_path, ("jmueller/evaluation.py", "x/evaluation.py"), roster)
        student = found.handed_in[0].students[0]
        assert (student.key, student.name, student.section) == ("jmueller", "Jürgen Müller", "A")
        assert student.ids == {"email": "jm@example.edu", "login": "jmueller", "sid": "30001"}
        assert [(one.name, one.key) for one in found.absent] == [("Ann Moore", "30002")]
        assert "x is not in the roster." in found.handed_in[1].notes
        assert found.said.endswith("; 1 of the roster handed in nothing")

    @pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\0\0\0"])
    def test_no_roster(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(UsageError, match="no column that says who"):
            with_roster(tmp_path, ("jane/evaluation.py",), text)

    def test_not_there(self, tmp_path: Path) -> None:
        write(tmp_path / "c", {"jane/evaluation.py": RIGHT})
        with pytest.raises(UsageError, match="cannot be read"):
            read([tmp_path / "c"], MODULES, roster=tmp_path / "none.csv")


class TestPlatforms:
    """As platforms export it."""

    def test_canvas(self, tmp_path: Path) -> None:
        """A gradebook: last names first, a line of points, a test student."""
        roster = (
            "Student,ID,SIS User ID,SIS Login ID,Section,Lab (1)\n    Points Possible,,,,,150\n"
            '"Doe, Jane",12345,S1,jdoe,Lab 1,\n"Roe, John",12346,S2,jroe,Lab 1,\n'
            '"Student, Test",9,,x,Lab 1,\n'
        )
        found = with_roster(tmp_path, ("doejane_12345_1_evaluation.py",), roster)
        (student,) = found.handed_in[0].students
        assert student.name == "Jane Doe"
        assert student.ids == {"canvas": "12345", "sis": "S1", "login": "jdoe"}
        assert [(one.key, one.name) for one in found.absent] == [("12346", "John Roe")]

    def test_moodle(self, tmp_path: Path) -> None:
        roster = (
            "Identifier,Full name,Email address,Status\n"
            "Participant 12,Jane Doe,j@e.edu,\nParticipant 13,John Roe,r@e.edu,\n"
        )
        found = with_roster(tmp_path, ("Jane Doe_12_assignsubmission_file_/evaluation.py",), roster)
        assert found.handed_in[0].students[0].ids == {"moodle": "12", "email": "j@e.edu"}
        assert [one.key for one in found.absent] == ["13"]

    def test_gradescope(self, tmp_path: Path) -> None:
        """The course's own people are none of the class."""
        roster = (
            "First Name,Last Name,SID,Email,Role\nJane,Doe,1,j@e.edu,Student\nProf,Roe,,p@e.edu,Instructor\n"
        )
        found = with_roster(tmp_path, ("j/evaluation.py",), roster)
        assert found.handed_in[0].students[0].name == "Jane Doe"
        assert found.absent == ()

    def test_brightspace(self, tmp_path: Path) -> None:
        roster = (
            "OrgDefinedId,Username,Last Name,First Name,End-of-Line Indicator\n"
            "#1,#jdoe,Doe,Jane,#\n#2,#jroe,Roe,John,#\n"
        )
        entry = "50001-7001 - Jane Doe - Nov 20, 2026 1000 AM/evaluation.py"
        found = with_roster(tmp_path, (entry,), roster)
        assert found.handed_in[0].students[0].ids["sis"] == "1"
        assert [one.name for one in found.absent] == ["John Roe"]


class TestNames:
    """Names are the last that is tried, and only where they say who it is."""

    @pytest.mark.parametrize("label", ["Müller Jürgen", "jürgen_müller", "MüllerJürgen", "Müller, Jürgen"])
    def test_in_either_order(self, tmp_path: Path, label: str) -> None:
        found = with_roster(tmp_path, (f"{label}/evaluation.py",), PLAIN)
        assert found.handed_in[0].students[0].name == "Jürgen Müller"

    def test_two_of_one_name(self, tmp_path: Path) -> None:
        roster = "name,login\nJane Doe,jdoe1\nJane Doe,jdoe2\n"
        found = with_roster(tmp_path, ("Jane Doe/evaluation.py",), roster)
        assert "is not in the roster" in found.handed_in[0].notes[0]
        assert len(found.absent) == 2
        assert len({one.key for one in found.absent}) == 2

    def test_one_row_for_two(self, tmp_path: Path) -> None:
        found = with_roster(tmp_path, ("jmueller/evaluation.py", "Jürgen Müller/evaluation.py"), PLAIN)
        assert any(
            "Another submission is Jürgen Müller's" in note for one in found.handed_in for note in one.notes
        )
