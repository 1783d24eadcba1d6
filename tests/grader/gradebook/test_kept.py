"""The files that a mark is for, beside it."""

from pathlib import Path

from grader.gradebook import derive, kept


def work(folder: Path, **files: str) -> Path:
    """A folder of files; `__` stands for a dot in names."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def names(out: Path) -> list[str]:
    """All that there is of jane."""
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))


def test_replaced_as_a_whole(tmp_path: Path) -> None:
    """What an earlier attempt had and this one has not is gone; nothing else is left beside."""
    out = tmp_path / "out"
    first = work(tmp_path / "first", evaluation__py="x = 1\n", resnet__py="y = 1\n")
    second = work(tmp_path / "second" / "inner", helpers__py="z = 1\n").parent
    (second / "evaluation.py").write_text("x = 2\n", encoding="utf-8")
    kept.place(out, "jane", first)
    assert names(out) == [
        "jane",
        *(f"jane/submission{rest}" for rest in ("", "/evaluation.py", "/resnet.py")),
    ]
    kept.place(out, "jane", second)
    place = out / "jane" / "submission"
    assert (place / "evaluation.py").read_text() == "x = 2\n"
    assert sorted(path.name for path in place.rglob("*")) == ["evaluation.py", "helpers.py", "inner"]
    assert [path.name for path in out.iterdir()] == ["jane"]


def test_the_same_again_writes_nothing(tmp_path: Path) -> None:
    """Of a class that is graded again, nothing is copied; what was changed or removed by hand is."""
    first = work(tmp_path / "first", evaluation__py="x = 1\n")
    kept.place(tmp_path / "out", "jane", first)
    place = tmp_path / "out" / "jane" / "submission"
    before = place.stat().st_ino
    kept.place(tmp_path / "out", "jane", first)
    assert place.stat().st_ino == before
    (place / "evaluation.py").write_text("x = 3\n", encoding="utf-8")
    kept.place(tmp_path / "out", "jane", first)
    assert (place / "evaluation.py").read_text() == "x = 1\n"


def test_a_link_in_its_place(tmp_path: Path) -> None:
    """It is replaced, and what it leads to is left alone."""
    elsewhere = work(tmp_path / "elsewhere", evaluation__py="x = 1\n")
    first = work(tmp_path / "first", evaluation__py="x = 1\n")
    (tmp_path / "out" / "jane").mkdir(parents=True)
    (tmp_path / "out" / "jane" / "submission").symlink_to(elsewhere)
    kept.place(tmp_path / "out", "jane", first)
    assert not (tmp_path / "out" / "jane" / "submission").is_symlink()
    assert (elsewhere / "evaluation.py").exists()


def test_forgotten(tmp_path: Path) -> None:
    """With all else that was derived of somebody."""
    out = tmp_path / "out"
    kept.place(out, "jane", work(tmp_path / "first", evaluation__py="x = 1\n"))
    (out / "jane" / "results.json").write_text("{}", encoding="utf-8")
    assert derive.remove(out, ["jane"]) == []
    assert not list(out.iterdir())
