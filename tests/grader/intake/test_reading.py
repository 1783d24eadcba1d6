"""A class is read as its platform hands it out: each student once, and nothing vanishes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.intake import Class, HandedIn, find, read
from tests.grader.intake.trees import MODULES, RIGHT, tarred, write, zipped

WORK = {"evaluation.py": RIGHT}


def by_name(found: Class) -> dict[str, HandedIn]:
    """What was handed in, by the name that it is filed under."""
    return {one.name: one for one in found.handed_in}


def keys(found: Class) -> list[str]:
    """The keys of all students."""
    return [student.key for one in found.handed_in for student in one.students]


class TestCanvas:
    """`doejane_12345_67890_work.zip`, flat."""

    @pytest.fixture
    def found(self, tmp_path: Path) -> Class:
        """A download with a file of every kind."""
        write(
            tmp_path / "c",
            {
                "doejane_12345_1_work-1.zip": zipped(WORK),
                "roejohn_LATE_12346_2_work.zip": zipped(WORK),
                "leekim_12348_3_evaluation.py": RIGHT,
                "leekim_12348_4_preprocessing.py": RIGHT,
                "diazeva_12349_5_lab.ipynb": "{}",
                "katztom_12350_6_work.rar": b"Rar!\x1a\x07\x01\x00",
                "team_one_12351_7_work.tar.gz": tarred(WORK),
                "readme.txt": "notes of the instructor",
                ".DS_Store": "",
            },
        )
        return read([tmp_path / "c"], MODULES)

    def test_said(self, found: Class) -> None:
        assert found.layout == "canvas"
        assert found.said == "Canvas download: 6 students, 7 files, 1 late, 2 with nothing to grade"

    def test_everybody_is_there_once(self, found: Class) -> None:
        assert sorted(keys(found)) == ["12345", "12346", "12348", "12349", "12350", "12351"]
        assert sorted(by_name(found)) == ["diazeva", "doejane", "katztom", "leekim", "roejohn", "team_one"]

    def test_lateness_is_kept(self, found: Class) -> None:
        late = {name: one.attempts[-1].late for name, one in by_name(found).items()}
        assert late.pop("roejohn") is True
        assert set(late.values()) == {False}

    def test_files_of_one_student_are_one_attempt(self, found: Class) -> None:
        (attempt,) = by_name(found)["leekim"].attempts
        assert sorted(part.under for part in attempt.source.parts) == ["evaluation.py", "preprocessing.py"]

    def test_problems_name_what_to_ask_for(self, found: Class) -> None:
        assert "notebook only (lab.ipynb)" in by_name(found)["diazeva"].problem
        assert "RAR, which is not read: ask for a zip" in by_name(found)["katztom"].problem

    def test_the_rest_is_named(self, found: Class) -> None:
        assert any(line.startswith("readme.txt: ") for line in found.left_out)
        assert any(".DS_Store" in line for line in found.left_out)

    def test_handed_in_again(self, tmp_path: Path) -> None:
        """-1 and -2 are attempts where the name without a number is there as well."""
        files = {
            "doe_1_10_evaluation.py": "first",
            "doe_1_11_helpers.py": "",
            "doe_LATE_1_20_evaluation-1.py": "second",
            "doe_LATE_1_30_evaluation-2.py": "third",
        }
        (one,) = read([write(tmp_path / "c", files)], MODULES).handed_in
        assert [(a.number, a.late, len(a.source.parts)) for a in one.attempts] == [
            *((1, False, 2), (2, True, 1), (3, True, 1))
        ]
        assert one.attempts[-1].source.parts[0].under == "evaluation.py"
        assert "Handed in 3 times" in one.notes[0]
        assert "doe_1_11_helpers.py" in one.notes[1]

    def test_two_labs_with_numbers_are_no_attempts(self, tmp_path: Path) -> None:
        files = {"doe_1_10_lab-1.zip": zipped(WORK), "doe_1_11_lab-2.zip": zipped({"preprocessing.py": ""})}
        (one,) = read([write(tmp_path / "c", files)], MODULES).handed_in
        assert [part.under for part in one.attempts[0].source.parts] == ["lab-1.zip", "lab-2.zip"]

    def test_students_of_one_name_keep_theirs_apart(self, tmp_path: Path) -> None:
        """By the platform's number, whoever else is in the class."""
        files = {"doejane_1_10_evaluation.py": RIGHT, "doejane_2_11_evaluation.py": RIGHT}
        found = read([write(tmp_path / "c", files)], MODULES)
        assert sorted(by_name(found)) == ["doejane 1", "doejane 2"]


class TestMoodle:
    """`Jane Doe_12345_assignsubmission_file_`, with the underscore and without, or flat."""

    @pytest.mark.parametrize("end", ["_", ""])
    def test_folders(self, tmp_path: Path, end: str) -> None:
        files = {
            f"Jane Doe_12345_assignsubmission_file{end}/assignment.zip": zipped(WORK),
            f"Jürgen Müller_12347_assignsubmission_file{end}/evaluation.py": RIGHT,
            f"Jürgen Müller_12347_assignsubmission_onlinetext{end}/onlinetext.html": "<p>see my file</p>",
            f"Ann Moore_12348_assignsubmission_onlinetext{end}/onlinetext.html": "<p>I was ill</p>",
        }
        found = read([write(tmp_path / "m", files)], MODULES)
        assert found.said == "Moodle download: 3 students, 1 with nothing to grade"
        students = {s.key: s for one in found.handed_in for s in one.students}
        assert {key: s.name for key, s in students.items()} == {
            "12345": "Jane Doe",
            "12347": "Jürgen Müller",
            "12348": "Ann Moore",
        }
        assert "onlinetext.html" in by_name(found)["Ann Moore"].problem
        assert "text typed into Moodle" in by_name(found)["Jürgen Müller"].notes[0]

    def test_flat(self, tmp_path: Path) -> None:
        files = {
            "Jane Doe_12345_assignsubmission_file_evaluation.py": RIGHT,
            "Jane Doe_12345_assignsubmission_file_preprocessing.py": RIGHT,
            "Jane Doe_12345_assignsubmission_onlinetext_onlinetext.html": "<p></p>",
            "Ann_Moore_12346_assignsubmission_file_work.zip": zipped(WORK),
        }
        found = read([write(tmp_path / "m", files)], MODULES)
        jane = by_name(found)["Jane Doe"].attempts[0].source
        assert {p.under for p in jane.parts} == {
            "evaluation.py",
            "preprocessing.py",
            "onlinetext/onlinetext.html",
        }
        assert keys(found) == ["12346", "12345"]


METADATA = """---
submission_1001:
  :submitters:
  - :name: Jane Doe
    :sid: '30001'
    :email: jane@example.edu
  :created_at: 2026-11-20 10:00:00.000000000 Z
  :history:
  - :id: 990
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    output: text
submission_1002:
  :submitters:
  - :name: John Roe
    :sid:
    :email: john@example.edu
  - :name: Ann Moore
    :sid: '30003'
    :email: ann@example.edu
  :created_at: 2026-11-20 11:00:00.000000000 +01:00
submission_1003:
  :submitters: []
submission_1004:
  :submitters:
  - :name: Eva Diaz
    :sid: '30004'
"""


class TestGradescope:
    """submission_1001 and the like, with submission_metadata.yml."""

    @pytest.fixture
    def export(self, tmp_path: Path) -> Path:
        """An export with a group, one without names, one without a folder and one that is not listed."""
        files = {
            "submission_metadata.yml": METADATA,
            **{f"submission_{n}/evaluation.py": RIGHT for n in (1001, 1002, 1003, 1005)},
        }
        write(tmp_path / "g" / "assignment_777_export", files)
        return tmp_path / "g"

    def test_a_group_is_its_members(self, export: Path) -> None:
        group = by_name(read([export], MODULES))["John Roe and Ann Moore"]
        assert [(s.key, s.name) for s in group.students] == [
            ("john@example.edu", "John Roe"),
            ("30003", "Ann Moore"),
        ]
        assert group.students[1].ids == {"sid": "30003", "email": "ann@example.edu"}

    def test_time_and_number(self, export: Path) -> None:
        (attempt,) = by_name(read([export], MODULES))["Jane Doe"].attempts
        assert attempt.handed_in == datetime(2026, 11, 20, 10, tzinfo=UTC)
        assert attempt.number == 2  # one was handed in before

    def test_nobody_vanishes(self, export: Path) -> None:
        found = by_name(read([export], MODULES))
        assert "no such folder" in found["Eva Diaz"].problem
        assert "does not say who" in found["submission_1003"].notes[0]
        assert "does not say who" in found["submission_1005"].notes[0]

    @pytest.mark.parametrize("path", ["assignment_777_export", "."])
    def test_from_the_folder_above(self, export: Path, path: str) -> None:
        found = read([export / path], MODULES)
        assert found.said == "Gradescope export: 6 students, 1 group, 1 with nothing to grade"

    @pytest.mark.parametrize(
        "text", ["- a\n", "a: [", "!!python/object/apply:os.system ['true']", "[" * 5000]
    )
    def test_what_is_no_such_list(self, export: Path, text: str) -> None:
        """Nothing is made but plain values."""
        (export / "assignment_777_export" / "submission_metadata.yml").write_text(text)
        with pytest.raises(UsageError, match="is not the list that Gradescope writes"):
            read([export], MODULES)


class TestBlackboard:
    """`Lab 1_jdoe_attempt_2026-11-20-10-00-00_file.py`, and a text with the form's data."""

    def test_attempts_and_names(self, tmp_path: Path) -> None:
        stem = "Lab_1 A_jdoe_attempt_2026-11-2{}-10-00-00"
        files = {
            stem.format(0) + "_evaluation.py": "first",
            stem.format(0) + ".txt": "Name: Jane Doe (jdoe)\r\nAssignment: Lab 1\r\n",
            stem.format(1) + "_evaluation.py": "second",
            "Lab_1 A_roe_attempt_2026-11-20-11-00-00.txt": "Name: John Roe (roe)\nComments:\nI was ill\n",
        }
        found = read([write(tmp_path / "b", files)], MODULES)
        assert (
            found.said
            == "Blackboard download: 2 students, 2 files, 1 more than once, 1 with nothing to grade"
        )
        jane = by_name(found)["jdoe"]
        assert jane.students[0].name == "Jane Doe"
        assert jane.students[0].ids == {"login": "jdoe"}
        assert [a.handed_in for a in jane.attempts] == [
            datetime(2026, 11, 20, 10),
            datetime(2026, 11, 21, 10),
        ]
        assert "blackboard.txt" in by_name(found)["roe"].problem


class TestBrightspace:
    """`50001-7001 - Jane Doe - Nov 20, 2026 1000 AM`, and an index.html."""

    def test_attempts_and_times(self, tmp_path: Path) -> None:
        files = {
            "50001-7001 - Jane Doe - Nov 20, 2026 1000 AM/evaluation.py": "first",
            "50001-7001 - Jane Doe - Nov 20, 2026 106 PM/evaluation.py": "second",
            "50002-7001 - Anna-Lena O'Moore - Nov 9, 2026 1205 AM/work.zip": zipped(WORK),
            "index.html": "<html></html>",
        }
        found = read([write(tmp_path / "d", files)], MODULES)
        assert found.said == "Brightspace download: 2 students, 1 more than once"
        jane = by_name(found)["Jane Doe"]
        assert [a.handed_in for a in jane.attempts] == [
            datetime(2026, 11, 20, 10),
            datetime(2026, 11, 20, 13, 6),
        ]
        other = by_name(found)["Anna-Lena O_Moore"]
        assert other.students[0].name == "Anna-Lena O'Moore"
        assert other.attempts[0].handed_in == datetime(2026, 11, 9, 0, 5)
        assert found.left_out[0].startswith("index.html: ")


class TestRepositories:
    """Folders with .git, of one beginning."""

    def test_logins(self, tmp_path: Path) -> None:
        files = {
            f"lab-3-{login}/{name}": "x"
            for login in ("jdoe", "roe", "j-lee")
            for name in (".git/HEAD", "evaluation.py")
        }
        found = read([write(tmp_path / "r", {**files, "notes.md": ""})], MODULES)
        assert found.said == "One repository a student: 3 students"
        assert sorted(keys(found)) == ["j-lee", "jdoe", "roe"]
        assert found.left_out[0].startswith("notes.md: ")


class TestSections:
    """Folders of students below folders."""

    def test_each_student(self, tmp_path: Path) -> None:
        files = {
            "section-1/jane/evaluation.py": RIGHT,
            "section-1/john/handed-in/evaluation.py": RIGHT,
            "section-1/list.txt": "",
            "section-2/ann/evaluation.py": RIGHT,
            "section-2/jane/evaluation.py": RIGHT,
        }
        with pytest.raises(UsageError, match=r"(?s)two ways.*--layout sections.*--layout folders"):
            read([write(tmp_path / "s", files)], MODULES)  # jane twice: or each hands in jane/ and another?
        found = read([tmp_path / "s"], MODULES, layout="sections")
        assert found.said == "Sections: 4 students, 2 sections"
        assert sorted(keys(found)) == [
            *("section-1/jane", "section-1/john", "section-2/ann", "section-2/jane"),
        ]
        assert sorted(by_name(found)) == ["ann", "john", "section-1_jane", "section-2_jane"]
        assert found.left_out[0].startswith("section-1/list.txt: ")

    def test_told_by_their_form(self, tmp_path: Path) -> None:
        files = {f"{s}/{w}.zip": zipped(WORK) for s, w in (("1", "jane"), ("1", "john"), ("2", "ann"))}
        found = read([write(tmp_path / "s", files)], MODULES)
        assert found.layout == "sections"
        assert [s.section for one in found.handed_in for s in one.students] == ["1", "1", "2"]

    def test_of_a_platform(self, tmp_path: Path) -> None:
        files = {"A/doe_1_2_evaluation.py": RIGHT, "B/roe_3_4_evaluation.py": RIGHT}
        found = read([write(tmp_path / "s", files)], MODULES)
        assert found.said == "Canvas download in sections: 2 students, 2 sections, 2 files"

    def test_versions_of_one_student_are_no_section(self, tmp_path: Path) -> None:
        files = {"jane/old/evaluation.py": "1", "jane/new/evaluation.py": "2", "john/evaluation.py": RIGHT}
        found = read([write(tmp_path / "s", files)], MODULES)
        assert sorted(keys(found)) == ["jane", "john"]

    def test_one_that_may_be_a_section_is_said(self, tmp_path: Path) -> None:
        files = {f"{who}/evaluation.py": RIGHT for who in ("jane", "team/ann", "team/bob")}
        found = read([write(tmp_path / "s", files)], MODULES)
        assert "--layout sections" in by_name(found)["team"].notes[0]


class TestFolders:
    """A folder or an archive a student."""

    def test_stray_task_file(self, tmp_path: Path) -> None:
        """One loose task file does not make a class one submission."""
        files = {"evaluation.py": "stray", "jane/evaluation.py": RIGHT, "john/evaluation.py": RIGHT}
        found = read([write(tmp_path / "c", files)], MODULES)
        assert sorted(keys(found)) == ["jane", "john"]
        assert found.left_out == (
            "evaluation.py: a task file beside the students' folders, and it is not known whose.",
        )

    def test_two_readings(self, tmp_path: Path) -> None:
        files = dict.fromkeys((*MODULES, "a/evaluation.py", "b/evaluation.py"), RIGHT)
        folder = write(tmp_path / "c", files)
        with pytest.raises(UsageError, match=r"--layout single.*--layout folders"):
            read([folder], MODULES)
        assert keys(read([folder], MODULES, layout="single")) == ["c"]
        assert keys(read([folder], MODULES, layout="folders")) == ["a", "b"]

    def test_results_in_the_class(self, tmp_path: Path) -> None:
        """What grading wrote into the class's folder is nobody's work, whatever it is called."""
        files = {
            "jane/evaluation.py": RIGHT,
            "out/marks.csv": "",
            "out/jane/results.json": "{}",
            "out/jane/report.txt": "",
            "john/results.json": "{}",
            "john/report.txt": "",
        }
        found = read([write(tmp_path / "c", files)], MODULES)
        assert keys(found) == ["jane"]
        assert [line.split(":")[0] for line in found.left_out] == ["john", "out"]

    def test_a_folder_and_its_archive_are_one_students(self, tmp_path: Path) -> None:
        files = {"jane/evaluation.py": RIGHT, "jane.zip": zipped(WORK), "ann.zip": zipped(WORK)}
        found = read([write(tmp_path / "c", files)], MODULES)
        assert keys(found) == ["ann", "jane"]
        assert "read as one student's" in by_name(found)["jane"].notes[0]

    def test_what_windows_calls_devices(self, tmp_path: Path) -> None:
        found = read([write(tmp_path / "c", {"nul/evaluation.py": "", "b/evaluation.py": ""})], MODULES)
        assert sorted(by_name(found)) == ["b", "nul_"]


class TestArchiveOfAClass:
    """What a platform gives, unopened."""

    @pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.xz"])
    @pytest.mark.parametrize("place", ["itself", "in a folder"])
    def test_of_canvas(self, tmp_path: Path, kind: str, place: str) -> None:
        files = {
            "doejane_1_10_work.zip": zipped(WORK),
            "roejohn_2_11_evaluation.py": RIGHT,
            "../out.py": "climbs out",
        }
        content = zipped(files) if kind == "zip" else tarred(files, kind[4:])
        write(tmp_path / "c", {f"submissions.{kind}": content, "notes.txt": ""})
        (tmp_path / "scratch").mkdir()
        path = tmp_path / "c" if place == "in a folder" else tmp_path / "c" / f"submissions.{kind}"
        found = read([path], MODULES, scratch=tmp_path / "scratch")
        assert found.said == "Canvas download: 2 students, 2 files"
        assert any("out.py" in line for line in found.left_out)
        assert any(line.startswith("notes.txt") for line in found.left_out) is (place == "in a folder")
        assert not list(tmp_path.glob("**/out.py"))

    def test_of_folders(self, tmp_path: Path) -> None:
        write(tmp_path, {"class.zip": zipped({f"class/{w}/evaluation.py": RIGHT for w in ("a", "b", "c")})})
        (tmp_path / "scratch").mkdir()
        found = read([tmp_path / "class.zip"], MODULES, scratch=tmp_path / "scratch")
        assert keys(found) == ["a", "b", "c"]

    @pytest.mark.parametrize(
        "files",
        [
            WORK,
            {"hw/handin/evaluation.py": RIGHT},
            {"task1/preprocessing.py": RIGHT, "task5/evaluation.py": RIGHT},
            {"old/evaluation.py": "1", "new/evaluation.py": "2"},
            {"work.zip": zipped(WORK)},
        ],
    )
    def test_one_students_archive_is_one_submission(self, tmp_path: Path, files: dict[str, str]) -> None:
        write(tmp_path, {"jane.zip": zipped(files)})
        (tmp_path / "scratch").mkdir()
        found = read([tmp_path / "jane.zip"], MODULES, scratch=tmp_path / "scratch")
        assert (found.layout, keys(found)) == ("single", ["jane"])
        assert list((tmp_path / "scratch").iterdir()) == []

    def test_rar(self, tmp_path: Path) -> None:
        write(tmp_path, {"class.rar": b"Rar!\x1a\x07\x01\x00"})
        with pytest.raises(UsageError, match=r"is RAR.*\n.*Unpack it"):
            read([tmp_path / "class.rar"], MODULES)


class TestLayout:
    """`--layout`, to insist."""

    def test_not_of_that_form(self, tmp_path: Path) -> None:
        write(tmp_path / "c", {"jane/evaluation.py": RIGHT})
        with pytest.raises(UsageError, match="is no Moodle download"):
            read([tmp_path / "c"], MODULES, layout="moodle")

    def test_unknown(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="Layouts are: gradescope"):
            read([tmp_path], MODULES, layout="sakai")

    def test_few_of_many(self, tmp_path: Path) -> None:
        """Names of students' own that have a platform's form by chance do not decide."""
        files = {"a_1_2_b.zip": zipped(WORK), **{f"s{i}/evaluation.py": RIGHT for i in range(3)}}
        folder = write(tmp_path / "c", files)
        assert read([folder], MODULES).layout == "folders"
        assert read([folder], MODULES, layout="canvas").layout == "canvas"

    def test_several_paths(self, tmp_path: Path) -> None:
        write(tmp_path, {"c/doe_1_2_evaluation.py": RIGHT, "jane/evaluation.py": RIGHT})
        found = read([tmp_path / "c", tmp_path / "jane"], MODULES)
        assert found.layout == "several"
        assert found.said == "Canvas download: 1 student, 1 file; one submission: 1 student"


class TestFind:
    """The sources alone, for what grades and no more."""

    def test_last_attempts(self, tmp_path: Path) -> None:
        files = {"doe_1_10_work.zip": zipped(WORK), "doe_1_20_work-1.zip": zipped(WORK)}
        (source,) = find([write(tmp_path / "c", files)], MODULES)
        assert source.path.name == "doe_1_20_work-1.zip"
