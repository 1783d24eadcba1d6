"""Data sets in memory, their pins, and the two of this checkout."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from lab import archive, data
from lab.archive import Pool
from lab.data import COARSE, FILES, FINE, IMAGES, NAMES, DataSet
from lab.errors import DataError
from tests.lab.made_up import ROOT

# The acceptance test of the split: what its files are, whatever copy of CIFAR-100 they were made from.
PUBLISHED = {
    "data": {
        IMAGES: "4fc2e29e36c5389a3646860bbafb4b7d",
        FINE: "339e8b2aed7c252ba158e1b320480085",
        COARSE: "48fdd947d89c96eab2ff88854f52a542",
    },
    "grader/hidden": {
        IMAGES: "b06f2669acc5ee9f922ad06fafa90f28",
        FINE: "7310414d85da11cc194d2056ac946d33",
        COARSE: "d3325b525d85cf9536b254bc20b07f52",
    },
}


@pytest.fixture
def pictures() -> DataSet:
    """Four pictures of each of 100 classes; a picture's first byte is its place within its class."""
    images = np.zeros((400, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(400) % 4
    fine = np.repeat(np.arange(100, dtype=np.uint8), 4)
    return DataSet(
        name="the embedded set",
        pin="abc",
        images=images,
        fine_labels=fine,
        coarse_labels=fine * 7 % 20,
        fine_names=tuple(f"f{i}" for i in range(100)),
        coarse_names=tuple(f"c{i}" for i in range(20)),
    )


@pytest.fixture
def placed(small: Pool, small_root: Path) -> Path:
    """A checkout with both sets of `small` in place."""
    for folder, ranks in (("data", (0, 5)), ("grader/hidden", (5, 6))):
        (small_root / folder).mkdir()
        for name, content in archive.canonical_files(small, ranks).items():
            (small_root / folder / name).write_bytes(content)
    return small_root


class TestDataSet:
    """Coarse and fine in one object, and class-balanced prefixes of it."""

    def test_by_kind(self, pictures: DataSet) -> None:
        assert pictures.labels("fine") is pictures.fine_labels
        assert pictures.labels("coarse") is pictures.coarse_labels
        assert pictures.class_names("fine")[99] == "f99"
        assert pictures.class_names("coarse")[19] == "c19"
        assert len(pictures) == 400

    def test_coarse_of_fine(self, pictures: DataSet) -> None:
        np.testing.assert_array_equal(pictures.coarse_of_fine[pictures.fine_labels], pictures.coarse_labels)

    def test_prefix(self, pictures: DataSet) -> None:
        """The first of every class, class after class."""
        some = pictures.prefix(300)
        np.testing.assert_array_equal(some.fine_labels, np.repeat(np.arange(100), 3))
        np.testing.assert_array_equal(some.images[:, 0, 0, 0], np.tile(np.arange(3), 100))
        np.testing.assert_array_equal(some.coarse_labels, some.fine_labels * 7 % 20)
        assert some.images.dtype == some.fine_labels.dtype == np.uint8

    def test_following(self, pictures: DataSet) -> None:
        """What follows a prefix has none of its pictures, as many of each class, in class order."""
        rest = pictures.following(100, 200)
        whole = pictures.prefix(300)
        assert rest.fine_labels.tolist() == sorted(rest.fine_labels.tolist())
        assert (np.bincount(rest.fine_labels) == 2).all()
        keep = np.arange(300) % 3 > 0
        assert (rest.images == whole.images[keep]).all()
        assert (rest.coarse_labels == whole.coarse_labels[keep]).all()
        assert rest.pin == "abc-300-without-100"
        for n, count in ((0, 100), (150, 100), (100, 50), (100, 1000)):
            with pytest.raises(DataError, match="multiple of"):
                pictures.following(n, count)

    def test_a_prefix_has_a_pin_of_its_own(self, pictures: DataSet) -> None:
        assert pictures.prefix(200).pin == "abc-200"
        assert pictures.prefix(300).prefix(200).pin == "abc-200"
        assert pictures.prefix(400) is pictures

    @pytest.mark.parametrize("n", [-100, 0, 50, 150, 500])
    def test_no_such_prefix(self, pictures: DataSet, n: int) -> None:
        with pytest.raises(DataError, match=f"a multiple of 100, at most 400. Received: {n}"):
            pictures.prefix(n)

    def test_nothing_can_be_written_to(self, pictures: DataSet) -> None:
        with pytest.raises(ValueError, match="read-only"):
            pictures.images[0] = 1
        with pytest.raises(dataclasses.FrozenInstanceError):
            pictures.pin = "other"  # type: ignore[misc]


class TestReading:
    """A set is handed out when every byte of it is the pinned one, else a line says which file is wrong."""

    def test_whole(self, placed: Path, small: Pool) -> None:
        course, hidden = data.course(placed), data.hidden(placed)
        assert (len(course), len(hidden)) == (500, 100)
        assert course.name == "CIFAR-100"
        assert course.pin == data.course_pin(placed).pin
        assert course.images.shape == (500, 32, 32, 3)
        assert course.fine_names == small.fine_names
        assert course.coarse_names == small.coarse_names
        np.testing.assert_array_equal(course.coarse_labels, course.fine_labels // 5)
        together = {bytes(image) for image in np.concatenate([course.images, hidden.images])}
        assert len(together) == 600
        assert data.available(placed)

    def test_other_files_do_not_matter(self, placed: Path) -> None:
        (placed / "data" / ".DS_Store").write_bytes(b"x")
        data.course(placed)

    @pytest.mark.parametrize("name", FILES)
    def test_missing(self, placed: Path, name: str) -> None:
        (placed / "grader" / "hidden" / name).unlink()
        assert not data.available(placed)
        data.course(placed)
        with pytest.raises(DataError, match=rf"the hidden set: .*{name} is missing\n.*nox -s data"):
            data.hidden(placed)

    @pytest.mark.parametrize("name", FILES)
    def test_flipped_byte(self, placed: Path, name: str) -> None:
        path = placed / "data" / name
        content = bytearray(path.read_bytes())
        content[-2] ^= 1
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"the course set in .*data is not as pinned .*: {name} differs"):
            data.course(placed)

    def test_truncated(self, placed: Path) -> None:
        path = placed / "data" / IMAGES
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(DataError, match=rf"is not as pinned .*: {IMAGES} differs"):
            data.course(placed)

    def test_a_folder_in_place_of_a_file(self, placed: Path) -> None:
        (placed / "data" / NAMES).unlink()
        (placed / "data" / NAMES).mkdir()
        with pytest.raises(DataError, match=f"cannot read .*{NAMES}"):
            data.course(placed)


class TestPins:
    """The .dvc files are the pins; what they list of single files only helps to name one."""

    def test_of_this_checkout(self) -> None:
        """The pins in git are those of the published split."""
        for pinned, place in ((data.course_pin(ROOT), "data"), (data.hidden_pin(ROOT), "grader/hidden")):
            assert pinned.folder == ROOT / place
            assert pinned.files.items() >= PUBLISHED[place].items()
            assert data.folder_pin(pinned.files) == pinned.pin

    def test_without_a_list_of_files(self, placed: Path) -> None:
        """As after `dvc add` of data of one's own."""
        path = placed / "data.dvc"
        path.write_text(path.read_text().partition("meta:")[0])
        data.course(placed)
        (placed / "data" / FINE).write_bytes(b"x")
        with pytest.raises(DataError, match=r"is not as pinned .*: a file differs"):
            data.course(placed)

    def test_missing(self, placed: Path) -> None:
        (placed / "data.dvc").unlink()
        with pytest.raises(DataError, match=r"cannot read .*data.dvc, .*\n.*git checkout -- data.dvc"):
            data.course(placed)
        assert not data.available(placed)

    @pytest.mark.parametrize(
        "content", ["", "outs: []", "outs: 1", "outs:\n- path: data", "[", "\x00", "- 1"]
    )
    def test_malformed(self, placed: Path, content: str) -> None:
        (placed / "data.dvc").write_text(content)
        with pytest.raises(DataError, match="is not a DVC file with one pinned folder"):
            data.course(placed)


class TestCifar100:
    """The real sets, where they are."""

    def test_byte_for_byte(self, real_root: Path) -> None:
        for place, md5s in PUBLISHED.items():
            for name, md5 in md5s.items():
                assert hashlib.md5((real_root / place / name).read_bytes()).hexdigest() == md5

    def test_course_and_hidden(self, real_root: Path) -> None:
        course, hidden = data.course(real_root), data.hidden(real_root)
        for pictures, per_class in ((course, 500), (hidden, 100)):
            np.testing.assert_array_equal(pictures.fine_labels, np.repeat(np.arange(100), per_class))
            assert pictures.images.shape == (100 * per_class, 32, 32, 3)
            assert pictures.images.dtype == np.uint8
            assert (pictures.fine_names[0], pictures.fine_names[99]) == ("apple", "worm")
            assert pictures.coarse_names[pictures.coarse_of_fine[0]] == "fruit_and_vegetables"
            assert set(np.bincount(pictures.coarse_of_fine)) == {5}
        assert data.available(real_root)

    def test_a_damaged_copy_is_refused(self, real_root: Path, tmp_path: Path) -> None:
        (tmp_path / "grader").mkdir()
        shutil.copy(real_root / "grader" / "hidden.dvc", tmp_path / "grader")
        shutil.copytree(real_root / "grader" / "hidden", tmp_path / "grader" / "hidden")
        path = tmp_path / "grader" / "hidden" / IMAGES
        content = bytearray(path.read_bytes())
        content[20_000_000] ^= 1
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"the hidden set in .*: images\.npy differs"):
            data.hidden(tmp_path)
