"""What a training of a grading run is given: twice what the described network takes, here or elsewhere."""

import statistics
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader import thresholds
from grader.commands import grade
from grader.config import manifest, profiles
from grader.grading import judging
from grader.grading.plan import changed
from grader.training import launchers, progress, trainer
from grader.training.trainer import Job, Result

ROOT = Path(__file__).parents[3]
PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")
TASK = manifest.load(ROOT / "assignment" / "tasks.toml").task("alexnet")
NETWORK = judging.described_network(TASK, 20, PROFILE.builders["alexnet"])


class Untrained:
    """A trainer that is not asked."""

    def submit(self, job: Job, *, alone: bool = False, afresh: bool = False) -> Any:
        raise AssertionError


POOL = Untrained()
PLACE = launchers.Chosen(launchers.Local(), "keras 3 cpu")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with nothing trained in it yet."""
    for name in ("assignment", "reference"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def given(root: Path, profile: profiles.Profile = PROFILE) -> float:
    """The limit of a training of an AlexNet on coarse labels."""
    display = progress.Display(Console(quiet=True), 0)
    wanted = thresholds.load(ROOT / "reference" / profile.name)
    training = grade.training_of(root, profile, "pin", PLACE, wanted, display, POOL)
    return training.job("alexnet", "coarse", NETWORK, "alice").limit_seconds


def keep(root: Path, seed: int, cpu_seconds: float) -> None:
    """Stores a training of the described network."""
    job = Job.of(NETWORK, "coarse", seed, PROFILE, "pin", PLACE.engine)
    result = Result(
        digest=job.digest,
        accuracy=0.5,
        loss=1.0,
        train_accuracy=(0.5,),
        train_loss=(1.0,),
        parameters=1,
        seconds=1.0,
        cpu_seconds=cpu_seconds,
        labels="coarse",
        seed=seed,
        pin="pin",
        engine=PLACE.engine,
        versions={},
        machine="",
    )
    folder = root / ".kit" / "trainings"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{job.digest}.json").write_text(result.model_dump_json())


class TestLimit:
    def test_elsewhere(self, root: Path) -> None:
        """Where nothing was trained here, the reference runs say what the described network takes."""
        runs = thresholds.load_runs(ROOT / "reference" / "offline").groups()[
            "alexnet", "coarse", "as written"
        ]
        mean = statistics.mean(run.result.cpu_seconds for run in runs)
        assert given(root) == pytest.approx(trainer.START_SECONDS + 2 * mean)

    def test_here(self, root: Path) -> None:
        """The slowest training of the described network on this machine counts, under whichever seed."""
        keep(root, PROFILE.grading_seed, 41.0)
        keep(root, PROFILE.extra_seeds[1], 44.0)
        assert given(root) == trainer.START_SECONDS + 88

    def test_never_above_the_profile_s(self, root: Path) -> None:
        keep(root, PROFILE.grading_seed, PROFILE.limit_seconds)
        assert given(root) == PROFILE.limit_seconds

    def test_nothing_known(self, root: Path) -> None:
        """Without a training of it anywhere, the profile's limit is all there is."""
        profile = profiles.load(ROOT / "params.yaml").profile("gpu")
        assert given(root, profile) == profile.limit_seconds

    def test_the_described_network_has_the_profile_s_limit(self, root: Path) -> None:
        """It is what the others are measured by."""
        keep(root, PROFILE.grading_seed, 1.0)
        display = progress.Display(Console(quiet=True), 0)
        wanted = thresholds.load(ROOT / "reference" / "offline")
        training = grade.training_of(root, PROFILE, "pin", PLACE, wanted, display, POOL)
        assert training.described
        asked = training.described("alexnet", "coarse")
        assert asked.limit_seconds == PROFILE.limit_seconds
        submitted = training.job("alexnet", "coarse", NETWORK, "alice")
        assert submitted.digest == asked.digest  # limits are no part of it
        assert submitted.limit_seconds < asked.limit_seconds
        assert changed(asked, seed=7).digest != asked.digest
