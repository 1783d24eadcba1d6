"""Checkpoints: what is read back, and what is not."""

from pathlib import Path

import numpy as np
import pytest

from lab.checkpoints import Checkpoint, Progress

ARRAYS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7, np.int64)]
SHAPES = [(2, 3), ()]
PROGRESS = Progress([0.5, 0.25], [1.0, None], [0.125], [None], 3.5, 2.5)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    """One that was saved."""
    made = Checkpoint(tmp_path / "new" / "one.npz", "key")
    made.save(PROGRESS, ARRAYS)
    return made


def test_as_it_was_saved(checkpoint: Checkpoint) -> None:
    """Values, dtypes and what is known, to the last bit."""
    found = checkpoint.load(SHAPES)
    assert found is not None
    progress, arrays = found
    assert (progress, progress.epochs) == (PROGRESS, 2)
    for array, wanted in zip(arrays, ARRAYS, strict=True):
        np.testing.assert_array_equal(array, wanted)
        assert array.dtype == wanted.dtype


def test_replaced_and_removed(checkpoint: Checkpoint) -> None:
    """The last one counts; removed, there is none, and removing it again is no error."""
    checkpoint.save(Progress(), ARRAYS)
    found = checkpoint.load(SHAPES)
    assert found is not None
    assert found[0] == Progress()
    checkpoint.remove()
    checkpoint.remove()
    assert checkpoint.load(SHAPES) is None


def test_of_something_else(checkpoint: Checkpoint) -> None:
    """Another key, other shapes, more arrays than there are: none."""
    assert Checkpoint(checkpoint.path, "other").load(SHAPES) is None
    assert checkpoint.load([(3, 2), ()]) is None
    assert checkpoint.load([*SHAPES, ()]) is None


@pytest.mark.parametrize("kept", [0, 1, 100, 400, -1])
def test_damaged(checkpoint: Checkpoint, kept: int) -> None:
    """A file that is cut off, or no such file at all, is as good as none."""
    content = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(content[:kept])
    assert checkpoint.load(SHAPES) is None
    checkpoint.path.write_bytes(b"PK\x03\x04 no archive")
    assert checkpoint.load(SHAPES) is None


def test_progress(checkpoint: Checkpoint) -> None:
    """It is known without the arrays; of another key, or damaged, there is none."""
    assert checkpoint.progress() == PROGRESS
    assert Checkpoint(checkpoint.path, "other").progress() is None
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:100])
    assert checkpoint.progress() is None
    checkpoint.remove()
    assert checkpoint.progress() is None
