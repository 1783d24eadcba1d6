"""`grade` of right networks: the reference pipeline has trained them, and nothing is trained here."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader.commands.grade import Order, grade
from grader.config import manifest
from grader.errors import ManifestError
from grader.training import executors
from tests.grader import measured
from tests.grader.training.tiny import FINISH, Doing

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
SHOWN = ("trained", "training", "epoch")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout that never trained, with made-up reference runs of another machine."""
    root = tmp_path / "kit"
    for name in ("assignment", "solutions", "params.yaml", "pyproject.toml"):
        root.mkdir(exist_ok=True)
        (root / name).symlink_to(ROOT / name)
    measured.save(root, backend="keras 9.9 tensorflow 9.9 cpu", seeds=20)
    return root


class Untouched:
    """Executors that may not be asked for; and how often a training was started where they may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, may_train: bool) -> None:
        self.started = 0
        monkeypatch.setattr(executors, "choose", self._choose)
        self._may_train = may_train

    def _choose(self, *arguments: object) -> executors.Executor:
        assert self._may_train, "something that trains was asked for"
        outer = self

        class Counting(Doing):
            def _command(self, arguments: list[str]) -> list[str]:
                outer.started += 1
                return super()._command(arguments)

        return Counting(FINISH)


def graded(
    root: Path, folder: Path, *, retrain: bool = False, code: int = 0
) -> tuple[str, dict[tuple[str, str], dict[str, Any]]]:
    """What was shown, and the checks that train by task and check."""
    out = root.parent / "out"
    shown = io.StringIO()
    order = Order([folder], "offline", "none", 1, out, True, 2, retrain)
    assert grade(root, Console(file=shown, width=200), order) == code
    tests = json.loads((out / folder.name / "results.json").read_text())["tests"]
    return shown.getvalue(), {
        (test["tags"][0], test["tags"][1]): {**test["extra_data"], "output": test["output"]}
        for test in tests
        if "label_set" in test["extra_data"]
    }


@pytest.mark.slow
class TestSolutions:
    """The solutions on a machine that never trained."""

    def test_are_known(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Full marks; no training is started, nothing that trains is asked for, nothing is stored; and each
        network's line says so, in the terminal and in the results."""
        Untouched(monkeypatch, may_train=False)
        shown, checks = graded(root, root / "solutions")
        assert len(checks) == 6
        assert f"Total {TASKS.points:g} / {TASKS.points:g}" in shown
        assert "keras 9.9" not in shown  # who computed it elsewhere makes no mark provisional
        for check in checks.values():
            assert check["known"] is True
            assert check["machine"] == measured.MACHINE
            assert check["decided_by"] == "a run of the reference network"
            assert (
                "The reference network; trained 20 times, 61.0% on average; run of seed 0: 60.0%, "
                in (check["output"])
            )
        assert shown.count("The reference network; trained 20 times") == 6
        (wide,) = {str(check["replaced"]) for (task, _), check in checks.items() if task == "wide_resnet"}
        assert "epsilon" in wide
        assert not (root / ".kit" / "trainings").exists()

    def test_retrained(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With --retrain each is trained here once, and it says so; again, from what is stored here."""
        executor = Untouched(monkeypatch, may_train=True)
        for started in (6, 6):
            shown, checks = graded(root, root / "solutions", retrain=True)
            assert executor.started == started
            assert "Known networks are trained here all the same." in shown
            assert "The reference network" not in shown
            assert {check["known"] for check in checks.values()} == {False}
            assert " ".join(shown.split()).count("Trained on a machine without a name, 2026-11-26.") == 6
        assert len(list((root / ".kit" / "trainings").iterdir())) == 6

    def test_stale(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a change of the recipe nothing is known: all is trained, marks are provisional, and why."""
        text = (root / "params.yaml").read_text()
        (root / "params.yaml").unlink()
        (root / "params.yaml").write_text(text.replace("settle: 16", "settle: 8", 1))
        executor = Untouched(monkeypatch, may_train=True)
        shown, checks = graded(root, root / "solutions")
        assert executor.started == 6
        assert {check["known"] for check in checks.values()} == {False}
        assert (
            "No network is known beforehand, so that all are trained: the reference runs were made" in shown
        )
        assert "recipe.settle was 16, is 8" in shown


@pytest.mark.slow
class TestOthers:
    """What is not known."""

    def test_a_changed_network_is_trained(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that differs from the solution in what is not open; the others of the same person are known."""
        mine = tmp_path / "mine"
        shutil.copytree(ROOT / "solutions", mine)
        source = (mine / "resnet.py").read_text()
        assert "kernel_initializer" in source
        (mine / "resnet.py").write_text(source.replace('"he_normal"', '"zeros"'))
        executor = Untouched(monkeypatch, may_train=True)
        _, checks = graded(root, mine)
        assert executor.started == 2
        assert {key for key, check in checks.items() if not check["known"]} == {
            ("resnet", "learns.coarse"),
            ("resnet", "learns.fine"),
        }
        assert len(list((root / ".kit" / "trainings").iterdir())) == 2

    def test_a_damaged_file(self, root: Path) -> None:
        """Reference runs that were edited end the command, and it names the file."""
        path = root / "reference" / "offline" / "runs" / "resnet.json"
        path.write_text(path.read_text().replace('"accuracy": 0.6,', '"accuracy": 0.9,', 1))
        with pytest.raises(
            ManifestError, match=r"resnet\.json: the run of resnet on coarse labels under seed 0"
        ):
            graded(root, root / "solutions")
