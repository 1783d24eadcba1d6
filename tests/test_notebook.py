"""lab.ipynb runs from its first cell to its last, with the embedded set where there is no other."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_runs_with_the_solutions_and_says_which_data_it_shows(
    tmp_path: Path,
) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for folder in ("solutions", "lab"):  # and no data: the embedded set has to do
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    notebook = nbformat.read(tmp_path / "solutions/lab.ipynb", as_version=4)
    for cell in notebook.cells:  # as a student would see it, but for the length of the training
        cell.source = cell.source.replace("prefix(5000)", "prefix(500)").replace("epochs=3", "epochs=1")
    where = {"metadata": {"path": str(tmp_path / "solutions")}}
    nbclient.NotebookClient(notebook, timeout=240, resources=where).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    printed = "".join(output.get("text", "") for output in outputs if output.output_type == "stream")
    assert "CIFAR-100 is not here" in printed
    assert "the embedded set: images uint8 (500, 32, 32, 3)" in printed
    assert "from 0 to 255" in printed
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 5
