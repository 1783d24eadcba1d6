"""`nox -s inspect` from the folder to the words."""

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from grader import sandbox
from grader.commands import inspect
from grader.diagnosis.facts import PrepareError
from grader.errors import UsageError
from lab import synthetic
from tests.grader.sandbox.running import usable

ROOT = Path(__file__).parents[3]
NONE = sandbox.select("none", own_code=True)
_found = sandbox.ENGINES["bubblewrap"].availability()
needs_bubblewrap = pytest.mark.skipif(not _found.usable, reason=_found.reason)
IMAGES = synthetic.embedded_course().prefix(1000)


def said(source: str, folder: Path) -> str:
    """What is said of a preprocessing.py that cannot be inspected."""
    (folder / "preprocessing.py").write_text(source, encoding="utf-8")
    with pytest.raises(PrepareError) as caught:
        inspect.call_prepare(folder, IMAGES, seed=1, engine=NONE)
    return str(caught.value)


PREPARE = "def prepare(images, labels, num_classes, *, test_fraction=0.2, seed):\n    "


class TestCallPrepare:
    """call_prepare."""

    def test_solution(self) -> None:
        """The solution's four arrays come back as they are."""
        prepared = inspect.call_prepare(ROOT / "solutions", IMAGES, seed=1, engine=NONE)
        assert prepared.x_train.shape == (800, 32, 32, 3)
        assert prepared.y_test.shape == (200, 20)

    @pytest.mark.parametrize("engine", ["bubblewrap", "podman"])
    def test_in_a_sandbox(self, engine: str) -> None:
        """Paths are others there: the same four arrays come back."""
        chosen = usable(engine)
        inside = inspect.call_prepare(ROOT / "solutions", IMAGES, seed=1, engine=chosen)
        outside = inspect.call_prepare(ROOT / "solutions", IMAGES, seed=1, engine=NONE)
        assert all(np.array_equal(a, b) for a, b in zip(inside, outside, strict=True))

    def test_stub(self) -> None:
        """The untouched stub is told that there is nothing to inspect yet."""
        with pytest.raises(PrepareError, match="not written yet"):
            inspect.call_prepare(ROOT / "assignment", IMAGES, seed=1, engine=NONE)

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            (
                PREPARE + "return 1 / 0",
                "raised ZeroDivisionError: division by zero (preprocessing.py, line 2)",
            ),
            (PREPARE + "return images", "one array of shape"),
            (PREPARE + "return None", "returned None, not four arrays"),
            (PREPARE + "return images, labels", "a tuple of 2"),
            (PREPARE + "return images, labels, images, 'x'", "as y_test, not an array of numbers"),
            (
                PREPARE + "import numpy; numpy.save('s.npy', images)",
                "OSError: [Errno 30] Read-only file system: 's.npy'",
            ),
            (PREPARE + "import os; os._exit(3)", "ended the whole Python process"),
            ("def prepare(:", "cannot be imported: SyntaxError"),
            ("x = 1", "has no function prepare"),
            (
                PREPARE + "return split()\ndef split():\n    raise NotImplementedError('split')",
                "not written yet",
            ),
        ],
    )
    def test_nonsense(self, source: str, words: str, tmp_path: Path) -> None:
        """Whatever else comes back is told in a sentence, with the student's own line where there is one."""
        told = said(source, tmp_path)
        assert words in told
        assert "Traceback" not in told

    def test_no_file(self, tmp_path: Path) -> None:
        """A folder without preprocessing.py is told so."""
        with pytest.raises(PrepareError, match=r"no preprocessing\.py"):
            inspect.call_prepare(tmp_path, IMAGES, seed=1, engine=NONE)


class TestInspect:
    """inspect."""

    def run(self, folder: Path) -> tuple[int, str]:
        console = Console(width=110, record=True)
        code = inspect.inspect(ROOT, console, folder=folder, profile="offline", seed=0, momentum=0.9)
        return code, console.export_text()

    def test_stub_has_a_clear_message(self) -> None:
        """Exit code 1, the first line says what is looked at, the last what to do."""
        code, text = self.run(ROOT / "assignment")
        assert code == 1
        assert text.startswith("Inspecting prepare of assignment/preprocessing.py · no sandbox · ")
        assert "prepare is not written yet" in text

    @needs_bubblewrap
    def test_another_folder_runs_in_a_sandbox(self, tmp_path: Path) -> None:
        """The first line says so, and what it would write is not written."""
        marker = tmp_path / "marker"
        work = tmp_path / "work"
        work.mkdir()
        (work / "preprocessing.py").write_text(f"open({str(marker)!r}, 'w')\n")
        code, text = self.run(work)
        assert code == 1
        assert text.startswith("Inspecting prepare of work/preprocessing.py · in bubblewrap · ")
        assert "FileNotFoundError" in text
        assert not marker.exists()

    def test_no_folder(self) -> None:
        """A folder that is not there is wrong usage."""
        with pytest.raises(UsageError, match="nowhere"):
            self.run(ROOT / "nowhere")

    @pytest.mark.slow
    def test_a_scale_left_out(self, tmp_path: Path) -> None:
        """From a wrong file to the sentence, with the small network's accuracies; the solution gets none."""
        source = (ROOT / "solutions" / "preprocessing.py").read_text(encoding="utf-8")
        assert "x_test=standardise(images[test], mean, std)," in source
        (tmp_path / "preprocessing.py").write_text(
            source.replace("x_test=standardise(images[test], mean, std),", "x_test=images[test],")
        )
        code, text = self.run(tmp_path)
        assert code == 0
        assert "✘ Validation images have values from 0 to 255, training images from -2" in text
        assert "training images, inference mode" in text
        code, text = self.run(ROOT / "solutions")
        assert code == 0
        assert "✔ Nothing is wrong with what prepare returns." in text
