"""Sheets for raters have the mistakes and nothing of points; what comes back is of those or refused."""

import io
import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from grader.config import manifest
from grader.errors import ManifestError, UsageError
from grader.proof import rate, ratings, sheets

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
NAME = re.compile(r"^## (\w+-[0-9a-f]{12}): ", re.M)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rating") / "sheets"
    sheets.write(ROOT, TASKS, folder)
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The parts of the checkout that ratings are made from."""
    for name in ("bank", "solutions", "assignment"):
        shutil.copytree(ROOT / name, tmp_path / "kit" / name)
    return tmp_path / "kit"


def answers(folder: Path, names: list[str], *, share: int = 10) -> list[Path]:
    files = []
    for rater in (1, 2, 3):
        lines = [f"{name},{share + rater},because" for name in names]
        files.append(folder / f"rater{rater}.csv")
        files[-1].write_text("\n".join(["id,share,reason", *lines]) + "\n")
    return files


class TestSheets:
    """write."""

    def test_every_mistake_once_in_three_orders(self, written: Path) -> None:
        for task in TASKS.tasks:
            orders = [
                NAME.findall((written / f"{task.id}_sheet{rater}.md").read_text("utf-8"))
                for rater in (1, 2, 3)
            ]
            names = {ratings.change_digest(one) for one in sheets.bank.mutants(ROOT, task)}
            for order in orders:
                assert len(order) == len(names)
                assert {name.rpartition("-")[2] for name in order} == names
            assert orders[0] != orders[1] != orders[2] != orders[0]

    def test_nothing_of_marks(self, written: Path) -> None:
        """No points, checks, hints or expected messages; nor the marks that stubs are made by."""
        brief = (written / "brief.md").read_text("utf-8")
        assert "## What is fixed and what is open" in brief
        assert "How it is marked" not in brief
        assert not re.search(r"\bpoints?\b|tasks\.toml", brief)
        text = "".join(path.read_text("utf-8") for path in written.glob("*_*"))
        assert "SOLUTION" not in text
        for task in TASKS.tasks:
            sheet = (written / f"{task.id}_sheet1.md").read_text("utf-8")
            assert not any(check.title in sheet for check in task.checks)
            for mutant in sheets.bank.mutants(ROOT, task):
                assert f": {mutant.name}\n" in sheet

    def test_points_that_are_left_are_refused(self) -> None:
        text = (ROOT / "assignment" / "README.md").read_text("utf-8")
        with pytest.raises(ManifestError, match=r"outside of that section: 'Dropout gives 3 points\.'"):
            sheets.brief(f"{text}\nDropout gives 3 points.\n")

    def test_instructions(self, written: Path) -> None:
        """Those of bank/ratings.md, with the rater's own number."""
        text = (written / "instructions_2.md").read_text("utf-8")
        assert text.startswith("You are an experienced instructor")
        assert f"Write `{written.as_posix()}/rater2.csv`" in text
        assert "{" not in text
        assert "sheet1" not in text

    def test_a_folder_with_something_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "mine").touch()
        with pytest.raises(UsageError, match="is not empty"):
            sheets.write(ROOT, TASKS, tmp_path)

    def test_unrated(self, copy: Path, tmp_path: Path) -> None:
        """Only what has no rating of what it is now."""
        kept = ratings.load(copy / ratings.RATINGS)
        (copy / ratings.RATINGS).write_text(ratings.as_csv(kept[1:]), encoding="utf-8")
        assert sheets.write(copy, TASKS, tmp_path / "sheets", unrated=True) == 1
        assert [path.name for path in (tmp_path / "sheets").glob("*_sheet1.md")] == [
            f"{kept[0].task}_sheet1.md"
        ]


class TestStatus:
    """rate, without options: what is rated."""

    def test_unseen(self, copy: Path) -> None:
        """The unseen mistakes have a row, and one that has changed since it was rated is named."""
        before = Console(record=True, width=120, file=io.StringIO())
        assert rate.rate(copy, before, rate.Order()) == 0
        (row,) = (line for line in before.export_text().splitlines() if "unseen mistakes" in line)
        assert [part.strip() for part in row.strip("│").split("│")][1:3] == ["50", "50"]
        path = copy / "bank/evaluation/unseen.toml"
        path.write_text(path.read_text("utf-8").replace("int(labels.max()) + 1", "int(labels.max()) + 2"))
        after = Console(record=True, width=120, file=io.StringIO())
        assert rate.rate(copy, after, rate.Order(tasks=["evaluation"])) == 0
        name = "pairs numbered with the largest label, not num_classes"
        text = " ".join(after.export_text().split())
        assert f"unseen, evaluation: {name} has no rating" in text
        assert f"unseen, evaluation: {name} has changed since it was rated, or is gone" in text
        assert "unseen mistakes │ 7 │ 6 │" in text


class TestTaking:
    """take: what raters have written, or an error that says what is wrong with it."""

    def test_replaces_and_keeps(self, copy: Path, tmp_path: Path) -> None:
        earlier = ratings.load(copy / ratings.RATINGS)
        first = earlier[0]
        name = f"{first.task}-{first.change}"
        order = rate.Order(take=answers(tmp_path, [name]))
        assert rate.rate(copy, Console(quiet=True), order) == 0
        found = ratings.load(copy / ratings.RATINGS)
        assert found[0] == first.model_copy(update={"shares": (11, 12, 13), "reasons": ("because",) * 3})
        assert found[1:] == earlier[1:]

    def test_halves(self, copy: Path, tmp_path: Path, written: Path) -> None:
        """Odd and even places of each file in turn."""
        (copy / ratings.RATINGS).unlink()
        names = NAME.findall((written / "evaluation_sheet1.md").read_text("utf-8"))
        found = sheets.take(copy, TASKS, answers(tmp_path, names))
        assert len(found) == len(names)
        assert [one.half for one in found[:4]] == ["odd", "even", "odd", "even"]

    def test_refused(self, tmp_path: Path) -> None:
        first, second = (f"{one.task}-{one.change}" for one in ratings.load(ROOT / ratings.RATINGS)[:2])
        files = answers(tmp_path, [first, second])
        with pytest.raises(UsageError, match=r"3 files, one for each rater\. Received: 2"):
            sheets.take(ROOT, TASKS, files[:2])
        for text, words in (
            (f"id,share,reason\n{first},10,x\n", f"{second} is rated in .* and not in .*rater2"),
            (f"id,share,reason\n{first},10,x\n{first},10,x\n", f"rates {first} twice"),
            (f"id,share,reason\n{first},110,x\n", "0 to 100 is expected. Received: .*110"),
            (f"id,share,reason\n{first},,x\n", "0 to 100 is expected"),
            ("id,share,reason\n", "rates nothing"),
        ):
            files[1].write_text(text)
            with pytest.raises(UsageError, match=words):
                sheets.take(ROOT, TASKS, files)
        with pytest.raises(UsageError, match="alexnet-000000000000, which is not in the bank"):
            sheets.take(ROOT, TASKS, answers(tmp_path, ["alexnet-000000000000"]))
        with pytest.raises(UsageError, match="cannot be read"):
            sheets.take(ROOT, TASKS, [tmp_path / "none", *files[1:]])
