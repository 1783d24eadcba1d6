"""The engines that most of these tests are about."""

from pathlib import Path

import pytest

from grader.sandbox import Engine
from tests.grader.sandbox.running import ISOLATING, Run, runner, usable


@pytest.fixture(scope="session", params=ISOLATING)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine that isolates, or a skip that says what is missing."""
    return usable(request.param)


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Run:
    """Runs code in the engine."""
    return runner(engine, tmp_path)
