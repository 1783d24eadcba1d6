"""The engine that most of these tests are about."""

from pathlib import Path

import pytest

from grader.sandbox import ENGINES, Engine
from tests.grader.sandbox.running import Run, runner


@pytest.fixture(scope="session")
def bubblewrap() -> Engine:
    """The engine, or a skip that says what is missing."""
    engine = ENGINES["bubblewrap"]
    found = engine.availability()
    if not found.usable:
        pytest.skip(f"bubblewrap does not work here: {found.reason} ({found.mend})")
    return engine


@pytest.fixture
def run(bubblewrap: Engine, tmp_path: Path) -> Run:
    """Runs code in bubblewrap."""
    return runner(bubblewrap, tmp_path)
