"""`nox -s train` and `nox -s runs`, for real: a small profile, in a checkout of its own."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from grader.commands import runs, train
from grader.errors import UsageError
from grader.practice.experiments import PAGE, Experiments

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose assignment/ is solved, and whose profile `offline` takes seconds."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "solutions", root / "assignment")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["profiles"]["offline"] |= {"train": 400, "validation": 200}
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    (root / "uv.lock").write_text("")
    return root


@pytest.fixture(scope="module")
def trained(checkout: Path) -> tuple[int, str]:
    """The exit code and what was shown of one training."""
    console = Console(width=100, record=True)
    code = train.train(
        checkout,
        console,
        folder=checkout / "assignment",
        task="wide_resnet",
        labels="coarse",
        epochs=2,
        profile="offline",
    )
    return code, console.export_text()


@pytest.mark.slow
class TestTrain:
    """One training, and what is kept of it."""

    def test_accuracy_epoch_by_epoch(self, trained: tuple[int, str]) -> None:
        code, shown = trained
        assert code == 0
        assert "drawn images" in shown.splitlines()[0]
        assert [line.split(":")[0] for line in shown.splitlines() if line.startswith("epoch")] == [
            "epoch 1 of 2",
            "epoch 2 of 2",
        ]

    def test_is_kept_with_its_page(self, checkout: Path, trained: tuple[int, str]) -> None:
        (kept,) = Experiments(checkout / train.RUNS).all()
        assert (kept.id, kept.epochs, kept.stopped) == ("1-wide_resnet-coarse", 2, False)
        assert f"Run {kept.id}: {kept.accuracy:.1%}" in trained[1]
        page = (checkout / train.RUNS / kept.id / PAGE).read_text(encoding="utf-8")
        for part in ("Learning curves", "What is taken for what", "Worst mistakes", "data:image/png;base64,"):
            assert part in page
        assert "<script" not in page
        assert "http" not in page.replace("http-equiv", "")

    def test_runs_lists_and_compares(self, checkout: Path, trained: tuple[int, str]) -> None:
        experiments = Experiments(checkout / train.RUNS)
        first = experiments.find("1")
        fields = first.model_dump() | {"seed": 7, "recipe": first.recipe}
        del fields["id"]
        second = experiments.keep(fields, {})
        console = Console(width=100, record=True)
        assert runs.runs(checkout, console, names=()) == 0
        assert runs.runs(checkout, console, names=("1", second.id)) == 0
        shown = console.export_text()
        assert "seed: run 1: 0; run 2: 7" in shown
        assert (checkout / train.RUNS / "compared-1-2.svg").read_text().startswith("<?xml")
        with pytest.raises(UsageError, match="there is no run"):
            runs.runs(checkout, console, names=("9",))

    def test_what_cannot_be_trained(self, checkout: Path, tmp_path: Path) -> None:
        shutil.copytree(ROOT / "assignment", tmp_path / "work")
        with pytest.raises(UsageError, match="build_alexnet"):
            train.train(
                checkout,
                Console(),
                folder=tmp_path / "work",
                task="alexnet",
                labels="fine",
                profile="offline",
                trust=True,
            )

    def test_ctrl_c_keeps_what_was_learned(self, checkout: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from rich.console import Console\n"
            "from grader.commands.train import train\n"
            f"root = Path({str(checkout)!r})\n"
            "sys.exit(train(root, Console(), folder=root / 'assignment', task='wide_resnet', labels='coarse',"
            " epochs=500, profile='offline'))"
        )
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(checkout)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        with process, process.stdout:
            for line in process.stdout:
                if line.startswith("epoch 2"):
                    break
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait(60) == 130, rest
        assert "Stopped. The network is kept as it was after" in rest
        kept = Experiments(checkout / train.RUNS).all()[-1]
        assert kept.stopped
        assert 2 <= kept.epochs < 500
        assert not list(checkout.glob("kit-*")), "something was left behind"
