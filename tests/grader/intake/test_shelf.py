"""Each submission is read once; what is graded is what was read."""

from pathlib import Path

import pytest

from grader import intake
from grader.errors import SubmissionError
from grader.intake import Shelf, Source
from grader.intake.shelf import MOST_EACH, MOST_FILE

MODULES = ["evaluation.py", "resnet.py"]


def work(folder: Path, **files: str) -> Source:
    """A submission; `__` stands for a dot in names."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return Source(folder.name, folder)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty one."""
    (tmp_path / "shelf").mkdir()
    return Shelf(tmp_path / "shelf", MODULES)


def test_what_is_graded_is_what_was_read(tmp_path: Path, shelf: Shelf) -> None:
    """Also where the folder changes meanwhile; and what is done with a copy does not change it."""
    source = work(tmp_path / "jane", evaluation__py="x = 1\n", helpers__py="y = 2\n")
    read = shelf.read(source)
    (tmp_path / "jane" / "evaluation.py").write_text("x = 'another'\n", encoding="utf-8")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        taken = shelf.take_in(source, MODULES, tmp_path / name)
        assert (taken.folder / "evaluation.py").read_text() == "x = 1\n"
        assert intake.digest(taken) == read.digest
        assert list(taken.missing) == ["resnet.py"]
        (taken.folder / "evaluation.py").write_text("changed", encoding="utf-8")
    kept = shelf.files("jane")
    assert kept is not None
    assert sorted(path.name for path in kept.iterdir()) == ["evaluation.py", "helpers.py"]


def test_large(tmp_path: Path, shelf: Shelf) -> None:
    """Task files alone are kept; the rest is read again, and has to be what it was."""
    source = work(tmp_path / "jane", evaluation__py="x = 1\n", data__csv="1," * (MOST_EACH // 2 + 1))
    read = shelf.read(source)
    kept = shelf.files("jane")
    assert kept is not None
    assert [path.name for path in kept.iterdir()] == ["evaluation.py"]
    (tmp_path / "a").mkdir()
    taken = shelf.take_in(source, MODULES, tmp_path / "a")
    assert intake.digest(taken) == read.digest
    assert (taken.folder / "data.csv").exists()

    (tmp_path / "jane" / "data.csv").write_text("another", encoding="utf-8")
    (tmp_path / "b").mkdir()
    with pytest.raises(SubmissionError, match="changed while the class was graded"):
        shelf.take_in(source, MODULES, tmp_path / "b")


def test_no_room(tmp_path: Path) -> None:
    """Where a class is large, nobody's mark depends on it."""
    (tmp_path / "shelf").mkdir()
    shelf = Shelf(tmp_path / "shelf", MODULES, most=10)
    sources = [work(tmp_path / name, evaluation__py="x = 1\n", a__txt="a") for name in ("jane", "omar")]
    digests = [shelf.read(source).digest for source in sources]
    assert digests[0] == digests[1]
    for source in sources:
        (tmp_path / f"{source.name} again").mkdir()
        taken = shelf.take_in(source, MODULES, tmp_path / f"{source.name} again")
        assert intake.digest(taken) == digests[0]
    files = [shelf.files(source.name) for source in sources]
    assert [sorted(p.name for p in one.iterdir()) for one in files if one] == [
        ["a.txt", "evaluation.py"],
        ["evaluation.py"],
    ]


def test_a_task_file_without_end(tmp_path: Path, shelf: Shelf) -> None:
    """It is graded, and not kept."""
    source = work(tmp_path / "jane", evaluation__py="#" * MOST_EACH + "\n", resnet__py="#" * MOST_FILE)
    shelf.read(source)
    kept = shelf.files("jane")
    assert kept is not None
    assert [path.name for path in kept.iterdir()] == ["resnet.py"]


def test_nothing_to_read(tmp_path: Path, shelf: Shelf) -> None:
    """It leaves nothing behind."""
    with pytest.raises(SubmissionError, match="no task file"):
        shelf.read(work(tmp_path / "jane", a__txt="a"))
    assert shelf.files("jane") is None
    assert not list((tmp_path / "shelf").iterdir())


def test_recognised(tmp_path: Path) -> None:
    """One more note, wherever notes are."""
    (tmp_path / "shelf").mkdir()
    shelf = Shelf(
        tmp_path / "shelf", MODULES, recognise=lambda folder: f"{len(list(folder.iterdir()))} files"
    )
    source = work(tmp_path / "jane", evaluation__py="x = 1\n")
    assert shelf.read(source).notes[-1] == "1 files"
    (tmp_path / "copy").mkdir()
    assert shelf.take_in(source, MODULES, tmp_path / "copy").notes[-1] == "1 files"
