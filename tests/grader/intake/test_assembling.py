"""Task files are found under near names, in other folders and in archives, where there is no doubt."""

import codecs
import io
import json
import lzma
import os
import tarfile
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import SubmissionError
from grader.intake import Part, Source, Submission, bounds, take_in
from grader.intake.naming import near
from tests.grader.intake.trees import MODULES, RIGHT, tarred, write, zipped

TASKS = ("preprocessing.py", "resnet.py", "wide_resnet.py", "evaluation.py")


def taken(tmp_path: Path, files: dict[str, str | bytes]) -> Submission:
    """A folder of these files, taken in."""
    (tmp_path / "into").mkdir()
    return take_in(Source("jane", write(tmp_path / "jane", files)), MODULES, tmp_path / "into")


def unpacked(tmp_path: Path, name: str, content: bytes) -> Submission:
    """An archive, taken in."""
    (tmp_path / "into").mkdir()
    write(tmp_path, {name: content})
    return take_in(Source("jane", tmp_path / name), MODULES, tmp_path / "into")


class TestNear:
    """Names as browsers, students and systems change them."""

    @pytest.mark.parametrize(
        "name",
        [
            *("evaluation (1).py", "evaluation(2).py", "Evaluation.py", "evaluation.PY", "evaluation.py.txt"),
            *("evaluation - Copy.py", "evaluation copy.py", "Copy of evaluation.py", "evaluation-1.py"),
            *(
                "evaluation_v2.py",
                "evaluation_jdoe.py",
                "jdoe_evaluation.py",
                "evaluation 2.py",
                "evaluation .py",
            ),
            "evaluation - Kopie (2).py",
        ],
    )
    def test_without_doubt(self, name: str) -> None:
        assert near(name, TASKS) == ("evaluation.py", True)

    @pytest.mark.parametrize("name", ["evaluation_test.py", "old_evaluation.py", "evaluation_utils.py"])
    def test_in_doubt(self, name: str) -> None:
        assert near(name, TASKS) == ("evaluation.py", False)

    @pytest.mark.parametrize(
        "name", ["evaluation.py", "helpers.py", "evaluation.pyc", "reevaluation.py", "a.txt", ""]
    )
    def test_none(self, name: str) -> None:
        assert near(name, TASKS) is None

    def test_the_longest_name_counts(self) -> None:
        assert near("wide_resnet_doe.py", TASKS) == ("wide_resnet.py", True)
        assert near("resnet-doe.py", TASKS) == ("resnet.py", True)
        assert near("wide_resnet.py", TASKS) is None


class TestNearNames:
    """Used, and said, where there is one."""

    @pytest.mark.parametrize("name", ["evaluation (1).py", "Evaluation.py", "evaluation.py.txt"])
    def test_used(self, tmp_path: Path, name: str) -> None:
        came = taken(tmp_path, {name: RIGHT})
        assert (came.folder / "evaluation.py").read_text() == RIGHT
        assert came.notes == (f"{name} was graded as evaluation.py.",)

    def test_its_very_name_comes_first(self, tmp_path: Path) -> None:
        came = taken(tmp_path, {"evaluation.py": RIGHT, "evaluation (1).py": "x"})
        assert (came.folder / "evaluation.py").read_text() == RIGHT
        assert came.notes == ("evaluation (1).py differs from evaluation.py, which was graded.",)

    def test_two_that_differ(self, tmp_path: Path) -> None:
        files = {"evaluation (1).py": "1", "evaluation (2).py": "2", "preprocessing.py": ""}
        came = taken(tmp_path, files)
        assert "'evaluation (1).py' and 'evaluation (2).py', and they differ" in came.missing["evaluation.py"]
        assert not (came.folder / "evaluation.py").exists()

    def test_two_that_are_the_same(self, tmp_path: Path) -> None:
        came = taken(tmp_path, {"evaluation (1).py": "1", "evaluation (2).py": "1"})
        assert (came.folder / "evaluation.py").read_text() == "1"

    def test_in_doubt_it_is_named(self, tmp_path: Path) -> None:
        came = taken(tmp_path, {"evaluation_test.py": "1", "preprocessing.py": ""})
        assert "'evaluation_test.py', which may be another" in came.missing["evaluation.py"]


class TestTwoFolders:
    """Task files of one student in several folders."""

    def test_each_task_in_its_own(self, tmp_path: Path) -> None:
        files = {
            "task1/preprocessing.py": "import helpers",
            "task1/helpers.py": "one",
            "task5/evaluation.py": "import more.tools",
            "task5/more/tools.py": "two",
        }
        came = taken(tmp_path, files)
        assert came.missing == {}
        names = {"preprocessing.py", "helpers.py", "evaluation.py", "more/tools.py"}
        assert {p.relative_to(came.folder).as_posix() for p in came.folder.rglob("*.py")} == names
        assert came.notes == ("task5/evaluation.py was graded as evaluation.py.",)

    def test_a_helper_of_the_same_name(self, tmp_path: Path) -> None:
        files = {f"{task}/helpers.py": task for task in ("task1", "task5")}
        came = taken(tmp_path, {**files, "task1/preprocessing.py": "", "task5/evaluation.py": ""})
        assert "task5/helpers.py was not put beside evaluation.py: another is there." in came.notes

    def test_the_same_task_twice(self, tmp_path: Path) -> None:
        files = {
            "a/evaluation.py": "1",
            "b/evaluation.py": "2",
            "a/preprocessing.py": "",
            "b/preprocessing.py": "",
        }
        came = taken(tmp_path, files)
        assert list(came.missing) == ["evaluation.py"]
        assert "'a/evaluation.py' and 'b/evaluation.py', and they differ" in came.missing["evaluation.py"]

    def test_the_one_above_counts(self, tmp_path: Path) -> None:
        came = taken(tmp_path, {"evaluation.py": "1", "backup/evaluation.py": "2"})
        assert (came.folder / "evaluation.py").read_text() == "1"
        assert came.notes == ("backup/evaluation.py differs from evaluation.py, which was graded.",)


class TestNothing:
    """Why nothing can be graded."""

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            ({"lab.ipynb": "{}"}, "a notebook only"),
            ({"lab.ipynb": "{}", "readme.md": ""}, r"a notebook \(lab.ipynb\)"),
            ({"work.rar": b"Rar!\x1a\x07\x01\x00"}, "work.rar is RAR, which is not read: ask for a zip"),
            ({"work.7z": b"7z\xbc\xaf\x27\x1c"}, "work.7z is 7-Zip"),
            ({"hw1.py": "", "hw2.py": ""}, "there is hw1.py, hw2.py"),
            ({}, "the folder is empty"),
        ],
    )
    def test_said(self, tmp_path: Path, files: dict[str, str | bytes], said: str) -> None:
        with pytest.raises(SubmissionError, match=said):
            taken(tmp_path, files)

    def test_what_was_left_out_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "jane").mkdir()
        (tmp_path / "jane" / "evaluation.py").symlink_to("/etc/passwd")
        with pytest.raises(SubmissionError, match=r"evaluation\.py is a link"):
            taken(tmp_path, {})


class TestEncodings:
    """UTF-16, as some editors save."""

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_read(self, tmp_path: Path, encoding: str) -> None:
        text = f"# -*- coding: {encoding} -*-\nword = 'grün'\n"
        came = taken(tmp_path, {"evaluation.py": text.encode(encoding)})
        assert came.notes == ("evaluation.py is UTF-16, and was graded as UTF-8: save it so.",)
        scope: dict[str, str] = {}
        exec(compile((came.folder / "evaluation.py").read_bytes(), "evaluation.py", "exec"), scope)
        assert scope["word"] == "grün"

    def test_named_where_it_cannot_be(self, tmp_path: Path) -> None:
        came = taken(tmp_path, {"evaluation.py": codecs.BOM_UTF16_LE + b"\x00\xd8"})
        assert "looks like UTF-16 and cannot be read" in came.notes[0]

    @pytest.mark.parametrize(
        "content", [b"\xef\xbb\xbfx = 1\r\n", "# grüße\n".encode("latin-1"), b"\0\0\0\0", b""]
    )
    def test_all_else_is_as_it_was(self, tmp_path: Path, content: bytes) -> None:
        came = taken(tmp_path, {"evaluation.py": content})
        assert (came.folder / "evaluation.py").read_bytes() == content


ENVIRONMENT = {
    **{f"{{}}/lib/python3.11/site-packages/p{i}/__init__.py": "" for i in range(1100)},
    "{}/bin/activate": "",
    "{}/pyvenv.cfg": "",
}


class TestEnvironments:
    """Known by what they hold, whatever they are called."""

    @pytest.mark.parametrize("packed", [False, True])
    def test_left_out(self, tmp_path: Path, packed: bool) -> None:
        files = {name.format("my env"): text for name, text in ENVIRONMENT.items()} | {"evaluation.py": RIGHT}
        came = unpacked(tmp_path, "a.zip", zipped(files)) if packed else taken(tmp_path, dict(files))
        assert [p.name for p in came.folder.rglob("*") if p.is_file()] == ["evaluation.py"]
        assert came.notes == ("my env is a Python environment: its own files were left out.",)

    @pytest.mark.parametrize("packed", [False, True])
    def test_work_inside_one_is_kept(self, tmp_path: Path, packed: bool) -> None:
        """`python -m venv .` in the assignment's folder."""
        files = {name.format("work"): text for name, text in ENVIRONMENT.items()}
        files |= {"work/evaluation.py": RIGHT, "work/tools/helpers.py": ""}
        came = unpacked(tmp_path, "a.zip", zipped(files)) if packed else taken(tmp_path, dict(files))
        kept = {p.relative_to(came.folder).as_posix() for p in came.folder.rglob("*.py")}
        assert kept == {"evaluation.py", "tools/helpers.py"}

    @pytest.mark.parametrize("name", ["venv", "env", ".venv", "lib", "bin"])
    def test_the_name_alone_says_nothing(self, tmp_path: Path, name: str) -> None:
        came = taken(tmp_path, {f"{name}/evaluation.py": RIGHT})
        assert "evaluation.py" not in came.missing

    @pytest.mark.parametrize("packed", [False, True])
    def test_pictures_beside_the_work(self, tmp_path: Path, packed: bool) -> None:
        """In one folder or in many: they cost nobody the work."""
        files: dict[str, str | bytes] = {f"pictures/{i % 40}/{i}.png": "x" for i in range(1200)}
        files |= {f"more/{i}.png": "x" for i in range(1005)} | {"work/evaluation.py": RIGHT}
        came = unpacked(tmp_path, "a.zip", zipped(files)) if packed else taken(tmp_path, files)
        assert "evaluation.py" not in came.missing
        assert any(note.startswith("more") for note in came.notes)
        assert any(note.startswith("pictures (1,200 files") for note in came.notes)


class TestArchives:
    """Zip and tar, one in the other."""

    @pytest.mark.parametrize("mode", ["", "gz", "xz", "bz2"])
    @pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_tar(self, tmp_path: Path, mode: str, form: int) -> None:
        deep = "a" * 90 + "/" + "b" * 60
        files = {"hw/evaluation.py": RIGHT, f"hw/{deep}/long.py": "x" * 1000, "hw/größe.py": "g"}
        came = unpacked(tmp_path, f"a.tar.{mode}".rstrip("."), tarred(files, mode, form))
        assert (came.folder / "evaluation.py").read_text() == RIGHT
        assert (came.folder / deep / "long.py").read_text() == "x" * 1000
        assert (came.folder / "größe.py").read_text() == "g"
        assert came.notes == ()

    def test_what_a_tar_may_hold_besides(self, tmp_path: Path) -> None:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as archive:
            for name, kind in (("l.py", b"2"), ("h.py", b"1"), ("d", b"3"), ("f", b"6")):
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = kind, "/etc/passwd"
                archive.addfile(entry)
            for name in ("../evil.py", "/etc/evil.py", "evaluation.py"):
                archive.addfile(tarfile.TarInfo(name))
        came = unpacked(tmp_path, "a.tgz", data.getvalue())
        assert [p.name for p in came.folder.rglob("*")] == ["evaluation.py"]
        assert len(came.notes) == 6
        assert not list(tmp_path.rglob("evil.py"))

    @pytest.mark.parametrize("outer", ["zip", "tar"])
    @pytest.mark.parametrize("inner", ["zip", "tar"])
    def test_one_in_the_other(self, tmp_path: Path, outer: str, inner: str) -> None:
        make = {"zip": zipped, "tar": tarred}
        names = {"zip": "zip", "tar": "tar.gz"}
        content = make[outer]({f"hand in/work.{names[inner]}": make[inner]({"hw/evaluation.py": RIGHT})})
        came = unpacked(tmp_path, f"a.{names[outer]}", content)
        assert (came.folder / "evaluation.py").read_text() == RIGHT

    def test_no_further_than_two(self, tmp_path: Path) -> None:
        content = zipped({"evaluation.py": RIGHT})
        for _ in range(2):
            content = zipped({"a.zip": content})
        with pytest.raises(
            SubmissionError, match=r"a/a\.zip was not opened: it lies in an archive in an archive"
        ):
            unpacked(tmp_path, "b.zip", content)

    def test_not_where_all_is_there(self, tmp_path: Path) -> None:
        came = taken(tmp_path, {**dict.fromkeys(MODULES, RIGHT), "old.zip": zipped({"evaluation.py": "old"})})
        assert came.notes == ("old.zip was not opened: every task file lies beside it.",)

    def test_a_bad_one_beside_the_work(self, tmp_path: Path) -> None:
        """It costs what is in it, and no more."""
        came = taken(tmp_path, {"evaluation.py": RIGHT, "data.zip": zipped({"x": "x"})[:40]})
        assert "evaluation.py" not in came.missing
        assert came.notes[0].startswith("data.zip was left out: the zip cannot be read")

    def test_a_bad_one_alone(self, tmp_path: Path) -> None:
        with pytest.raises(SubmissionError, match="cannot be read"):
            taken(tmp_path, {"work.zip": zipped({"evaluation.py": RIGHT})[:40]})

    @pytest.mark.parametrize("magic", [b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c\x00\x04"])
    def test_another_kind_under_a_zips_name(self, tmp_path: Path, magic: bytes) -> None:
        with pytest.raises(SubmissionError, match=r"(RAR|7-Zip), which is not read"):
            unpacked(tmp_path, "work.zip", magic + bytes(100))

    def test_parts_of_one_name(self, tmp_path: Path) -> None:
        """Two files of one student that are called the same are both there."""
        write(tmp_path, {"1.py": "one", "2.py": "two", "into/x": ""})
        parts = tuple(Part(tmp_path / f"{i}.py", "evaluation.py") for i in (1, 2))
        (tmp_path / "in").mkdir()
        came = take_in(Source("jane", tmp_path, named=False, parts=parts), MODULES, tmp_path / "in")
        assert (came.folder / "evaluation.py").read_text() == "one"
        assert "differs from evaluation.py" in came.notes[0]

    def test_a_part_that_is_a_link(self, tmp_path: Path) -> None:
        write(tmp_path, {"1.py": "one", "secret": "x", "into/x": ""})
        (tmp_path / "2.py").symlink_to(tmp_path / "secret")
        parts = (Part(tmp_path / "1.py", "evaluation.py"), Part(tmp_path / "2.py", "preprocessing.py"))
        (tmp_path / "in").mkdir()
        came = take_in(Source("jane", tmp_path, named=False, parts=parts), MODULES, tmp_path / "in")
        assert list(came.missing) == ["preprocessing.py"]
        assert "is a link" in came.notes[0]


class TestHostileTars:
    """Refused in bounded time and memory."""

    @staticmethod
    def member(kind: bytes, body: bytes) -> bytes:
        """A member of some kind, with its content."""
        entry = tarfile.TarInfo("x")
        entry.type, entry.size = kind, len(body)
        return entry.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % 512)

    def refused(self, tmp_path: Path, content: bytes, match: str) -> tuple[float, int]:
        """Takes it in, which has to fail; returns seconds of processor time and the peak of memory."""
        tracemalloc.start()
        started = time.process_time()
        with pytest.raises(SubmissionError, match=match):
            unpacked(tmp_path, "a.tar", content)
        seconds, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return seconds, peak

    @pytest.mark.parametrize("digits", [60_000, 10_000_000])
    def test_digits_for_a_header(self, tmp_path: Path, digits: int) -> None:
        """Quadratic in tarfile of Python 3.11: 2.9 s of 40,000 digits (CVE-2024-6232)."""
        seconds, peak = self.refused(
            tmp_path, self.member(b"x", b"1" * digits) + bytes(1024), "cannot be read"
        )
        assert seconds < 0.5
        assert peak < 2 * bounds.MIB

    @pytest.mark.parametrize(
        "body", [b"", b"9 path=x\n", b"0 a=b\n", b"3 \n", b"99999999999999999999999 a=b\n", b"11 size=-10\n"]
    )
    def test_headers_that_are_none(self, tmp_path: Path, body: bytes) -> None:
        self.refused(tmp_path, self.member(b"x", body) + bytes(1024), "cannot be read|no task file")

    @pytest.mark.parametrize("mode", ["gz", "xz", "bz2"])
    def test_bomb(self, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """One file of more than is taken of it; what is unpacked on the way past it is counted."""
        monkeypatch.setattr(bounds, "SUBMISSION", replace(bounds.SUBMISSION, stream_bytes=40 * bounds.MIB))
        content = tarred({"x": bytes(64 * bounds.MIB)}, mode)
        assert len(content) < 100_000
        seconds, peak = self.refused(tmp_path, content, "unpacks to more than 40 MiB")
        assert seconds < 5
        assert peak < 16 * bounds.MIB

    def test_many_files_just_under_the_bound(self, tmp_path: Path) -> None:
        content = tarred({f"{i}.txt": bytes(15 * bounds.MIB) for i in range(6)})
        self.refused(tmp_path, content, "in all")

    def test_a_bomb_in_an_archive(self, tmp_path: Path) -> None:
        bomb = zipped({f"{i}.txt": bytes(15 * bounds.MIB) for i in range(6)})
        self.refused(tmp_path, tarred({"b.zip": bomb}), "in all")

    def test_xz_that_asks_for_much_memory(self, tmp_path: Path) -> None:
        """Its header may ask for 4 GiB."""
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 * bounds.MIB}]
        content = lzma.compress(tarred({"evaluation.py": RIGHT}, ""), filters=filters)
        _, peak = self.refused(tmp_path, content, "cannot be read")
        assert peak < 2 * bounds.MIB

    @pytest.mark.parametrize("cut", [100, 700, -1500])
    def test_cut_off(self, tmp_path: Path, cut: int) -> None:
        content = tarred({"evaluation.py": json.dumps(list(range(1000)))}, "")
        self.refused(tmp_path, content[:cut] if cut != -1500 else content[:2000], "cannot be read")

    def test_many_members(self, tmp_path: Path) -> None:
        self.refused(tmp_path, self.member(b"0", b"") * 10_001, "more than 10,000 files")


class TestLargeArchives:
    """An archive in a student's folder may be larger than a file of the copy: it is opened."""

    def test_with_pictures(self, tmp_path: Path) -> None:
        noise = os.urandom(6 * bounds.MIB)
        content = zipped(
            {"hw/evaluation.py": RIGHT, **{f"hw/p/{i}.png": noise + bytes([i]) for i in range(5)}}
        )
        assert len(content) > bounds.SUBMISSION.file_bytes
        came = taken(tmp_path, {"work.zip": content})
        assert (came.folder / "evaluation.py").read_text() == RIGHT

    def test_what_was_given_up_takes_no_room(self, tmp_path: Path) -> None:
        """1,001 pictures in an archive beside the work do not make the work too many files."""
        pictures = zipped({f"{i}.png": "x" for i in range(1_001)})
        came = taken(
            tmp_path, {"a.zip": pictures, "b.zip": zipped({"evaluation.py": RIGHT}), "helpers.py": ""}
        )
        assert "evaluation.py" not in came.missing
        assert "a.zip was left out: more than 1,000 files." in came.notes

    def test_over_the_bound(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bounds, "SUBMISSION", replace(bounds.SUBMISSION, packed_bytes=50))
        with pytest.raises(SubmissionError, match=r"work\.zip is over 0 MiB"):
            taken(tmp_path, {"work.zip": zipped({"evaluation.py": RIGHT})})
