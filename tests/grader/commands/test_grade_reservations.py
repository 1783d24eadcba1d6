"""Why marks are provisional, as `grade` says it before anything is trained."""

import io
import shutil
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from grader import sandbox, session, thresholds
from grader.commands import grade
from grader.config import profiles
from grader.errors import UsageError
from grader.intake import Source
from grader.results.record import Run
from grader.training.job import Conditions

ROOT = Path(__file__).resolve().parents[3]
PROFILE = profiles.load(ROOT / "params.yaml").profile("cpu")
CONDITIONS = Conditions.of(PROFILE, "pin", "engine")


def wanted(n: int, calibrated: bool = True) -> thresholds.Thresholds:
    """Thresholds of n runs, or an estimate."""
    measured = {
        "n": n,
        "sd": 0.01,
        "k": 4.0,
        "rate": 0.001,
        "blueprint": "b",
        "calibrated": True,
    }
    one = thresholds.Threshold.model_validate(
        {"task": "resnet", "labels": "fine", "threshold": 0.3, "chance": 0.01}
        | (measured if calibrated else {"source": "a guess"})
    )
    return thresholds.Thresholds(
        profile="gpu",
        calibrated=calibrated,
        provisional=one.provisional,
        rule="",
        conditions=CONDITIONS if calibrated else None,
        builders=PROFILE.builders if calibrated else {},
        thresholds=(one,),
    )


class TestProvisional:
    """session.provisional and _announce."""

    @pytest.mark.parametrize(
        ("measured", "said"),
        [
            (wanted(20), ""),
            (wanted(7), "thresholds rest on 7 trainings of a correct network, not on 20"),
            (
                wanted(0, calibrated=False),
                "the thresholds of profile gpu are uncalibrated: estimates, measured on no training of a "
                "correct network",
            ),
        ],
    )
    def test_reason(self, measured: thresholds.Thresholds, said: str) -> None:
        """None for calibrated thresholds; else how many trainings there were."""
        assert session.provisional(PROFILE, CONDITIONS, measured) == said

    def test_stale_as_well(self) -> None:
        """Every reason is given."""
        other = CONDITIONS.model_copy(update={"pin": "other"})
        said = session.provisional(PROFILE, other, wanted(7))
        assert "rest on 7" in said
        assert "pin was 'pin', is 'other'" in said

    def test_in_the_first_lines(self) -> None:
        """Before anything is probed or trained."""
        out = io.StringIO()
        run = Run(
            profile="gpu",
            data="CIFAR-100",
            data_pin="0" * 32,
            provisional_because=wanted(0, calibrated=False).reservation(),
            engine="none",
            seed=1,
            versions={},
        )
        engine = sandbox.select("none", own_code=True)
        grade._announce(Console(file=out, width=300), [Source("alice", ROOT)], run, engine)
        assert "Marks are provisional: the thresholds of profile gpu are uncalibrated" in out.getvalue()


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a GPU")
class TestWithoutAGpu:
    """A profile for a GPU where there is none."""

    @pytest.mark.slow
    def test_names_what_is_missing(self, tmp_path: Path) -> None:
        """It ends before anything is probed, and says what to install or which profile to take."""
        params = yaml.safe_load((ROOT / "params.yaml").read_text())
        here = {**params["profiles"]["offline"], "device": "gpu"}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"profiles": {"gpu": here}}))
        shutil.copytree(ROOT / "reference" / "gpu", tmp_path / "reference" / "gpu")
        shutil.copytree(ROOT / "assignment", tmp_path / "assignment")
        shutil.copy(ROOT / "pyproject.toml", tmp_path)
        order = grade.Order([tmp_path / "assignment"], "gpu", "none", 1, tmp_path / "out", True, 1)
        out = io.StringIO()
        with pytest.raises(UsageError) as caught:
            grade.grade(tmp_path, Console(file=out, width=300), order)
        assert "trains on a GPU, and none can be used here" in caught.value.message
        assert "Install NVIDIA's driver" in caught.value.fix
        assert "choose a profile that trains on the CPU" in caught.value.fix
        assert out.getvalue() == ""
