"""lab.ipynb runs from its first cell to its last, with the solutions and on stubs."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[str, list[Any]]]:
    """Runs the notebook in a copy of a folder, without data; what it printed, and all outputs."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for name in (
        "TF_CPP_MIN_LOG_LEVEL",
        "ABSL_MIN_LOG_LEVEL",
    ):  # what nox sets, a student's own Jupyter does not
        monkeypatch.delenv(name, raising=False)

    def run(folder: str) -> tuple[str, list[Any]]:
        for name in (folder, "lab"):  # and no data: the embedded set has to do
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        notebook = nbformat.read(tmp_path / folder / "lab.ipynb", as_version=4)
        for cell in notebook.cells:  # as a student would see it, but for the length of the training
            cell.source = cell.source.replace("prefix(5000)", "prefix(500)").replace("epochs=3", "epochs=1")
        where = {"metadata": {"path": str(tmp_path / folder)}}
        # An error in a cell ends it: nothing of a student's may raise there.
        nbclient.NotebookClient(notebook, timeout=240, resources=where).execute()
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        printed = "".join(output.get("text", "") for output in outputs if output.output_type == "stream")
        return printed, outputs

    return run


def pictures(outputs: list[Any]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
class TestNotebook:
    """From the first cell to the last."""

    def test_with_the_solutions(self, executed: Callable[[str], tuple[str, list[Any]]]) -> None:
        printed, outputs = executed("solutions")
        assert "CIFAR-100 is not here" in printed
        assert "the embedded set: images uint8 (500, 32, 32, 3)" in printed
        assert "Not yet" not in printed
        for name in ("AlexNet", "ResNet", "wide ResNet"):
            assert f"{name}: " in printed
        times = float(printed.rsplit("the loss is ", 1)[1].split(" times as high")[0].replace(",", ""))
        assert times > 1, "the last cell does not show what it claims"
        assert pictures(outputs) == 7
        assert_quiet(printed)

    def test_on_stubs(self, executed: Callable[[str], tuple[str, list[Any]]]) -> None:
        """Nothing raises; each cell says which function is missing."""
        printed, outputs = executed("assignment")
        assert "Not yet: split_indices is not written yet: replace this line" in printed or (
            "Not yet: prepare is not written yet: replace this line" in printed
        )
        for function in ("build_alexnet", "build_resnet", "build_wide_resnet"):
            assert f"Not yet: {function} is not written yet" in printed
        assert not any(output.output_type == "error" for output in outputs)
        assert pictures(outputs) == 1
        assert_quiet(printed)


def assert_quiet(printed: str) -> None:
    """No log lines of TensorFlow's."""
    for word in ("oneDNN", "cpu_feature_guard", "cuda", "absl::", "computation_placer"):
        assert word not in printed, printed
    assert os.linesep * 4 not in printed
