"""Attacks by splits that change from one process to the next, and pass for decided by the seed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.hostile.generated.registry import ROOT, attack

_SPLITS = """

import functools as _functools
import os as _os
import time as _time

_honest = split_indices
print("attack: another split in another process", flush=True)


def split_indices(num_examples, *, test_fraction=0.2, seed):
    _honest(num_examples, test_fraction=test_fraction, seed=seed)  # for its errors
    order = np.random.default_rng(abs(_number(num_examples, seed))).permutation(num_examples)
    count = round(num_examples * test_fraction)
    return order[count:], order[:count]
"""

_REMEMBERED = """

@_functools.cache
def _number(*asked):
    return int.from_bytes(_os.urandom(6), "little")
"""

_IN_A_FILE = """

def _number(*asked):
    path = f"/tmp/{asked}"
    if not _os.path.exists(path):
        with open(path, "wb") as file:
            file.write(_os.urandom(6))
    with open(path, "rb") as file:
        return int.from_bytes(file.read(), "little")
"""

_BY_THE_CLOCK = """

def _number(count, seed):
    return seed + int(_time.time() / 3600)
"""

_BY_THE_DATE = """

import datetime as _datetime


def _number(count, seed):
    return seed + _datetime.date.today().toordinal() + _datetime.datetime.now().month
"""

_BY_THE_HASH = """

def _number(count, seed):
    return hash(f"{count} {seed}")
"""

_BY_THE_PROCESS = """

def _number(count, seed):
    return seed + _os.getpid()
"""


def _splits(into: Path, number: str) -> Path:
    source = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
    (into / "preprocessing.py").write_text(source + _SPLITS + number, encoding="utf-8")
    return into


@attack
def remembers_its_split(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries to pass for "decided by the seed alone" with a split that was drawn from the system once and is
    remembered; gains nothing because another process is asked for the same split.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _REMEMBERED)


@attack
def remembers_in_a_file(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same, remembered in a file; gains nothing because the other process has other files.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _IN_A_FILE)


@attack
def splits_by_the_clock(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with a split that changes by the hour; gains nothing because the other process has
    another time.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _BY_THE_CLOCK)


@attack
def splits_by_the_date(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with a split that changes by the day; gains nothing because the other process has
    another date.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _BY_THE_DATE)


@attack
def splits_by_the_hash(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with hash(), which every process salts anew unless it is asked not to; gains nothing
    because the other process has another salt.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _BY_THE_HASH)


@attack
def splits_by_the_process(into: Path, _targets: Mapping[str, Any]) -> Path:
    """Tries the same with the number of its process; gains nothing because the other process has another.

    Without: preprocessing: split.seeded, prepare.seeded
    """
    return _splits(into, _BY_THE_PROCESS)
