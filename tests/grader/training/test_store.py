"""Results in files."""

from pathlib import Path

import pytest

from grader.training import store
from tests.grader.training.tiny import job, result


class TestFind:
    """find."""

    def test_gives_what_was_kept(self, tmp_path: Path) -> None:
        """A result is found under its job's digest, a loss that ran away included."""
        store.keep(job(), result(job()), tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [f"{job().digest}.json"]
        assert store.find(job(), tmp_path) == result(job())
        assert store.find(job(1), tmp_path) is None

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"accuracy": 1}', "\0" * 100])
    def test_ignores_what_is_broken(self, tmp_path: Path, content: str) -> None:
        """A file that is not a whole result is as good as none."""
        (tmp_path / f"{job().digest}.json").write_text(content)
        assert store.find(job(), tmp_path) is None

    def test_ignores_the_result_of_another_job(self, tmp_path: Path) -> None:
        """A file that was copied to another digest's name is not believed."""
        (tmp_path / f"{job().digest}.json").write_text(result(job(1)).model_dump_json())
        assert store.find(job(), tmp_path) is None

    @pytest.mark.parametrize(
        ("was", "is_now"), [('"accuracy": 0.5', '"accuracy": 0.9'), ('"when": "2026', '"when": "2025')]
    )
    def test_ignores_what_was_edited(self, tmp_path: Path, was: str, is_now: str) -> None:
        """A result that says something else than when it was filed is as good as none."""
        store.keep(job(), result(job()), tmp_path)
        (path,) = tmp_path.iterdir()
        assert was in path.read_text()
        path.write_text(path.read_text().replace(was, is_now))
        assert store.find(job(), tmp_path) is None


class TestKeep:
    """keep and prepare."""

    def test_what_cannot_be_written(self, tmp_path: Path) -> None:
        """A file in the place of the folder is an error of the system's, which names it."""
        (tmp_path / "store").write_text("")
        for action in (
            lambda: store.prepare(tmp_path / "store"),
            lambda: store.keep(job(), result(job()), tmp_path / "store"),
        ):
            with pytest.raises(OSError, match=r"store"):
                action()
