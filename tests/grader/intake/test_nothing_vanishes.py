"""Whatever lies below the given path is some student's, or is named among what is left out."""

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.intake import Class, read
from tests.grader.intake.trees import MODULES, zipped

Tree = Mapping[str, "Tree | str"]  # a folder's names; a file is what it holds, "link" is a link

files = st.sampled_from(
    [
        *MODULES,
        *("evaluation (1).py", "helpers.py", "lab.ipynb", "work.zip", "work.rar", "w.tar.gz", "notes.txt"),
        *(".DS_Store", "marks.csv", "results.json", "report.txt", "pyvenv.cfg", "gradebook.db", ".hidden"),
    ]
)
flat = st.sampled_from(
    [
        *("doe_1_2_evaluation.py", "doe_1_3_evaluation-1.py", "roe_LATE_4_5_work.zip", "eva_6_7_lab.ipynb"),
        *("Jane Doe_1_assignsubmission_file_evaluation.py", "Jane Doe_1_assignsubmission_onlinetext_o.html"),
        *(
            "Lab 1_jane_attempt_2026-11-20-10-00-00_evaluation.py",
            "Lab 1_jane_attempt_2026-11-20-10-00-00.txt",
        ),
        *(
            "Lab 1_ann_attempt_2026-11-21-10-00-00_work.zip",
            "submission_metadata.yml",
            "index.html",
            "jane.zip",
        ),
    ]
)
folders = st.sampled_from(
    [
        *(
            "jane",
            "john",
            "section-1",
            "section-2",
            "assignment",
            "work",
            "old",
            "new",
            "env",
            "lib",
            "__MACOSX",
        ),
        *(
            ".git",
            "results",
            "Jane Doe_1_assignsubmission_file_",
            "Ann Moore_2_assignsubmission_file",
            "lab-ann",
        ),
        *(
            "1-2 - Jane Doe - Nov 20, 2026 1000 AM",
            "submission_1001",
            "submission_1002",
            "site-packages",
            "lab-bob",
        ),
    ]
)


def folder(of: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """A folder's names, with folders in it."""
    return st.builds(
        lambda a, b: {**a, **b},
        st.dictionaries(files | flat, st.sampled_from(["", "x", "link"]), max_size=4),
        st.dictionaries(folders, of, max_size=4),
    )


trees = st.recursive(st.dictionaries(files, st.sampled_from(["", "x"]), max_size=3), folder, max_leaves=12)
METADATA = "submission_1001:\n  :submitters:\n  - :name: Jane Doe\n    :sid: '1'\n"


def put(where: Path, tree: Tree) -> None:
    """Writes a tree."""
    where.mkdir()
    for name, what in tree.items():
        if isinstance(what, Mapping):
            put(where / name, what)
        elif what == "link":
            (where / name).symlink_to("nowhere")
        elif name == "submission_metadata.yml":
            (where / name).write_text(METADATA)
        elif name.endswith(".zip"):
            (where / name).write_bytes(zipped({"evaluation.py": what}))
        else:
            (where / name).write_text(what)


def vanished(top: Path, found: Class) -> list[str]:
    """What is neither somebody's nor named."""
    theirs = {path for one in found.handed_in for attempt in one.attempts for path in attempt.source.paths}
    named = [f", {line.rpartition(': ')[0]}, " for line in found.left_out]  # names between commas
    return [
        str(path.relative_to(top))
        for path in top.rglob("*")
        if not (path.is_dir() and not path.is_symlink() and any(path.iterdir()))
        and not {path, *path.parents} & theirs
        and not any(
            f", {one.relative_to(top)}, " in line
            for one in (path, *path.parents)
            if one.is_relative_to(top)
            for line in named
        )
    ]


@pytest.mark.slow
class TestNothingVanishes:
    """Of any folder that can be read at all."""

    @given(folder(folder(trees)))
    @example({"jane": {"evaluation.py": "x"}, "section-1": {".DS_Store": "", "john": {"evaluation.py": "x"}}})
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def test_each_path_is_somebodys_or_named(self, tree: Tree) -> None:
        with tempfile.TemporaryDirectory() as name:
            top = Path(name, "class")
            put(top, tree)
            for layout in (None, "folders", "sections"):
                try:
                    found = read([top], MODULES, layout=layout)
                except UsageError:
                    continue  # refused as a whole, in words
                assert vanished(top, found) == []
                self.check(found)

    @given(folder(folder(trees)))
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    def test_of_an_archive_too(self, tree: Tree) -> None:
        """A class as the platform gives it, unopened."""
        with tempfile.TemporaryDirectory() as name:
            top, scratch = Path(name, "class"), Path(name, "scratch")
            put(top, tree)
            scratch.mkdir()
            plain = {p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}
            (Path(name) / "class.zip").write_bytes(zipped(plain))
            try:
                found = read([Path(name) / "class.zip"], MODULES, scratch=scratch)
            except UsageError:
                return
            self.check(found)
            for unpacked in scratch.glob("*/*"):
                assert vanished(unpacked, found) == []

    @staticmethod
    def check(found: Class) -> None:
        """What holds of any class: everybody once, under distinct names, with a source or a reason."""
        keys = [student.key for one in found.handed_in for student in one.students]
        names = [one.name.casefold() for one in found.handed_in]
        assert len(set(keys)) == len(keys)
        assert len(set(names)) == len(names)
        assert all(one.students and (one.attempts or one.problem) for one in found.handed_in)
        paths = [p for one in found.handed_in for a in one.attempts for p in a.source.paths]
        assert len(set(paths)) == len(paths)  # nothing is two students'
        assert found.said.isprintable()
        assert all(line.isprintable() for line in found.left_out)


class TestLargeClass:
    """Two thousand students."""

    @pytest.mark.slow
    def test_is_read_in_seconds(self, tmp_path: Path) -> None:
        for i in range(2000):
            (tmp_path / "c" / f"s{i:04}").mkdir(parents=True)
            (tmp_path / "c" / f"s{i:04}" / "evaluation.py").write_text("x")
        started = time.process_time()
        assert len(read([tmp_path / "c"], MODULES).handed_in) == 2000
        assert time.process_time() - started < 5
