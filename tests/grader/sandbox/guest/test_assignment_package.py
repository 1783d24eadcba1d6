"""`from assignment.helpers import x`, as students' editors write it, in a real sandbox."""

from pathlib import Path

import pytest

from grader.grading import launching
from grader.sandbox import Engine, Limits
from tests.grader.sandbox.running import ISOLATING, usable

PROBE = """
def draw(seed):
    return {}

def probe(calls, inputs):
    calls.call("said", "said")
"""


@pytest.fixture(scope="module", params=ISOLATING)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine that isolates, or a skip that says what is missing."""
    return usable(request.param)


def said(engine: Engine, tmp_path: Path, files: dict[str, str]) -> object:
    """What `said()` of alexnet.py returns, of a submission of these files; else how its import failed."""
    submission, probe = tmp_path / "files", tmp_path / "probe.py"
    for name, text in files.items():
        (submission / name).parent.mkdir(parents=True, exist_ok=True)
        (submission / name).write_text(text)
    probe.write_text(PROBE)
    launched = launching.launch(
        engine,
        submission,
        module="alexnet.py",
        probe=probe,
        seed=1,
        builder_arguments={},
        limits=Limits(wall_seconds=20, cpu_seconds=10),
    )
    assert launched.evidence is not None, launched.refused
    call = launched.evidence.calls.get("said")
    return launched.evidence.import_error if call is None else call.value


class TestAssignmentPackage:
    """The submission's folder is the package `assignment`, for at home it is called so."""

    @pytest.mark.parametrize(
        "line",
        [
            "from assignment.helpers import word",
            "from assignment import helpers; word = helpers.word",
            "import assignment.helpers; word = assignment.helpers.word",
            "from helpers import word",
        ],
    )
    def test_a_file_beside_it(self, engine: Engine, tmp_path: Path, line: str) -> None:
        files = {"alexnet.py": f"{line}\ndef said():\n    return word\n", "helpers.py": "word = 'found'\n"}
        assert said(engine, tmp_path, files) == "found"

    def test_a_package_of_its_own_comes_first(self, engine: Engine, tmp_path: Path) -> None:
        """A folder of that name in the submission is what its import means."""
        files = {
            "alexnet.py": "from assignment.helpers import word\ndef said():\n    return word\n",
            "helpers.py": "word = 'beside'\n",
            "assignment/helpers.py": "word = 'its own'\n",
        }
        assert said(engine, tmp_path, files) == "its own"

    def test_nothing_of_the_courses_own_is_there(self, engine: Engine, tmp_path: Path) -> None:
        """The checkout has a folder assignment/, and no sandbox has the checkout."""
        files = {"alexnet.py": "import assignment\ndef said():\n    return ' '.join(assignment.__path__)\n"}
        assert said(engine, tmp_path, files) == "/submission"
