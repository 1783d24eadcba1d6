"""What the tests of data share: a small CIFAR-100 and a large one, packed, and checkouts that pin them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab import archive
from lab.archive import Pool
from lab.data import FILES
from tests.lab.made_up import ROOT, make_checkout, make_pool, pickled, write_tar


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Pool:
    """A CIFAR-100 of 600 pictures: 6 of each class, 5 for the course set and 1 hidden."""
    monkeypatch.setattr(archive, "PER_CLASS", 6)
    monkeypatch.setattr(archive, "COURSE_RANKS", (0, 5))
    monkeypatch.setattr(archive, "HIDDEN_RANKS", (5, 6))
    return make_pool(6)


@pytest.fixture
def small_root(small: Pool, tmp_path: Path) -> Path:
    """A checkout that pins the two sets of `small`."""
    return make_checkout(tmp_path / "checkout", small)


@pytest.fixture
def small_archive(small: Pool, tmp_path: Path) -> Path:
    """`small`, packed as the official archive is."""
    return write_tar(tmp_path / "cifar-100-python.tar.gz", pickled(small))


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """As many pictures as CIFAR-100 has: the `pool` and its `archive`, for what takes real sizes to show."""
    pool = make_pool(600)
    folder = tmp_path_factory.mktemp("full")
    return SimpleNamespace(pool=pool, archive=write_tar(folder / "cifar-100-python.tar.gz", pickled(pool)))


@pytest.fixture
def full_root(full: SimpleNamespace, tmp_path: Path) -> Path:
    """A checkout that pins the two sets of `full`."""
    return make_checkout(tmp_path / "checkout", full.pool)


@pytest.fixture
def lab_data() -> Callable[..., "subprocess.Popen[str]"]:
    """Starts `python -m lab data` in a checkout."""

    def start(root: Path, *arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "lab", "data", *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=root, stdout=pipe, stderr=pipe, text=True, **options)

    return start


@pytest.fixture
def real_root() -> Path:
    """This checkout, where CIFAR-100 is in place."""
    for folder in (ROOT / "data", ROOT / "grader" / "hidden"):
        if not all((folder / name).is_file() for name in FILES):
            pytest.skip(f"CIFAR-100 is not in {folder.relative_to(ROOT)}: nox -s data")
    return ROOT
