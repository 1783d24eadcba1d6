"""What was handed over is kept whole, whoever else hands over the same."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from grader.errors import TrainerFault
from grader.training.handed import Handed


def handed(value: float = 0.0) -> Handed:
    x = np.full((64, 8, 8, 3), value, np.float32)
    return Handed(x, np.eye(64, dtype=np.float32), x[:9], np.arange(9, dtype=np.int16))


class TestSave:
    def test_comes_back(self, tmp_path: Path) -> None:
        saved = handed()
        again = Handed.load(saved.save(tmp_path), saved.digest)
        assert again.digest == saved.digest
        assert np.array_equal(again.x_train, saved.x_train)

    def test_the_same_at_once(self, tmp_path: Path) -> None:
        """As two students do who share one `prepare`."""
        with ThreadPoolExecutor(8) as pool:
            paths = list(pool.map(lambda _: handed().save(tmp_path), range(64)))
        assert len({*paths}) == 1
        assert [*tmp_path.iterdir()] == [paths[0]]
        assert Handed.load(paths[0], handed().digest).digest == handed().digest

    def test_where_nothing_can_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        with pytest.raises(TrainerFault, match="cannot be kept in"):
            handed().save(tmp_path / "file")


class TestLoad:
    def test_another_than_was_named(self, tmp_path: Path) -> None:
        with pytest.raises(TrainerFault, match="has digest"):
            Handed.load(handed(1.0).save(tmp_path), handed().digest)
