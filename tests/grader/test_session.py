"""One session opens what commands work with, each thing when it is first needed."""

import json
import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader import sandbox, thresholds
from grader import session as session_module
from grader.blueprint import training_form
from grader.config import manifest, profiles
from grader.errors import ManifestError, UsageError
from grader.grading import to_train
from grader.grading.plan import Training, changed
from grader.session import Session, in_words, is_own
from grader.thresholds import Known
from grader.training import executors, progress
from grader.training.job import START_SECONDS, Job
from grader.training.job import pin as pin_of
from grader.training.pool import Listener
from lab.errors import DataError
from tests.grader import measured
from tests.grader.training import tiny

ROOT = Path(__file__).parents[2]
PROFILE = profiles.load(ROOT / "params.yaml").profile("offline")
TASK = manifest.load(ROOT / "assignment" / "tasks.toml").task("alexnet")
NETWORK = training_form(
    to_train.described_network(TASK, 20, PROFILE.builders["alexnet"]), PROFILE.budget
).network


class Untrained:
    """A trainer that is not asked."""

    def submit(self, job: Job, *, alone: bool = False, afresh: bool = False) -> Any:
        raise AssertionError


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where nothing isolates."""
    monkeypatch.setattr(sandbox, "ENGINES", {"none": sandbox.ENGINES["none"]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with nothing trained in it yet, made-up reference runs, and no data."""
    for name in ("assignment", "solutions", "params.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    measured.save(tmp_path)
    return tmp_path


def opened(root: Path, profile: str = "offline") -> Session:
    """A session without a sandbox."""
    return Session(root, profile=profile, engine="none", own_code=True)


def training(session: Session) -> Training:
    """How it trains, with nobody to do it."""
    return session.training(Untrained(), progress.Display(Console(quiet=True), 0))


def given(session: Session) -> float:
    """The limit of a training of an AlexNet on coarse labels."""
    return training(session).job("alexnet", "coarse", NETWORK, "alice").limit_seconds


def keep(session: Session, seed: int, cpu_seconds: float) -> None:
    """Stores a training of the described network."""
    job = Job.of(NETWORK, "coarse", seed, PROFILE, session.pin, session.executor.backend)
    session.store.mkdir(parents=True, exist_ok=True)
    content = tiny.result(job, cpu_seconds=cpu_seconds).model_dump_json()
    (session.store / f"{job.digest}.json").write_text(content)


class TestLimit:
    """What a training is given: twice what the described network takes, here or elsewhere."""

    def test_elsewhere(self, root: Path) -> None:
        """Where nothing was trained here, the reference runs say what the described network takes."""
        runs = thresholds.load_runs(root / "reference" / "offline").groups()["alexnet", "coarse"]
        mean = statistics.mean(run.result.cpu_seconds for run in runs)
        assert given(opened(root)) == pytest.approx(START_SECONDS + 2 * mean)

    def test_here(self, root: Path) -> None:
        """The slowest training of the described network on this machine counts, under whichever seed."""
        session = opened(root)
        keep(session, PROFILE.grading_seed, 41.0)
        keep(session, PROFILE.extra_seeds[1], 44.0)
        assert given(session) == START_SECONDS + 88

    def test_never_above_the_profile_s(self, root: Path) -> None:
        session = opened(root)
        keep(session, PROFILE.grading_seed, PROFILE.limit_seconds)
        assert given(session) == PROFILE.limit_seconds

    def test_nothing_known(self, root: Path) -> None:
        """Without a training of it anywhere, the profile's limit is all there is."""
        shutil.rmtree(root / "reference" / "offline" / "runs")
        assert given(opened(root)) == PROFILE.limit_seconds

    def test_the_described_network_has_the_profile_s_limit(self, root: Path) -> None:
        """It is what the others are measured by."""
        session = opened(root)
        keep(session, PROFILE.grading_seed, 1.0)
        made = training(session)
        assert made.described
        asked = made.described("alexnet", "coarse")
        assert asked.limit_seconds == PROFILE.limit_seconds
        submitted = made.job("alexnet", "coarse", NETWORK, "alice")
        assert submitted.digest == asked.digest  # limits are no part of it
        assert submitted.limit_seconds < asked.limit_seconds
        assert changed(asked, seed=7).digest != asked.digest


class TestKnown:
    """What is known before anything is trained."""

    def of(self, session: Session, *, retrain: bool = False) -> Known | None:
        display = progress.Display(Console(quiet=True), 0)
        return session.training(Untrained(), display, retrain=retrain).known("alexnet", "coarse", NETWORK)

    def test_known(self, root: Path) -> None:
        """From reference/ as it lies there; nothing of it is copied to where trainings are kept."""
        found = self.of(opened(root))
        assert found is not None
        assert found.result.machine == measured.MACHINE
        assert not (root / ".kit" / "trainings").exists()

    def test_retrain(self, root: Path) -> None:
        """With that, nothing is taken to be known."""
        assert self.of(opened(root), retrain=True) is None

    def test_stale(self, root: Path) -> None:
        """Nor after a change of the recipe, of which it says so."""
        text = (root / "params.yaml").read_text()
        (root / "params.yaml").unlink()
        (root / "params.yaml").write_text(text.replace("epochs: 3", "epochs: 4", 1))
        session = opened(root)
        assert self.of(session) is None
        assert "recipe.epochs was 3, is 4" in session.known.why

    def test_damaged(self, root: Path) -> None:
        """A file that was edited stops the command: nobody is graded by it, nor without it unawares."""
        path = root / "reference" / "offline" / "runs" / "alexnet.json"
        path.write_text(path.read_text().replace('"seed": 0', '"seed": 21'))
        with pytest.raises(ManifestError, match="is not as it was written"):
            opened(root).known  # noqa: B018

    def test_nothing_that_trains_is_opened(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """No backend, no device, no container image: not for the run, nor for what is known."""

        def choose(*arguments: object) -> None:
            raise AssertionError("something that trains was asked for")

        monkeypatch.setattr(executors, "choose", choose)
        session = opened(root)
        assert session.run(1).profile == "offline"
        with session.pool(Listener()) as pool:
            made = session.training(pool, progress.Display(Console(quiet=True), 0))
            written = to_train.described_network(TASK, 20, PROFILE.builders["alexnet"])
            trainable = made.trainable("alexnet", "coarse", written, "alice", PROFILE.budget)
            assert trainable.job is None
            assert trainable.known is not None
            with pytest.raises(AssertionError, match="was asked for"):
                made.trainable("resnet", "coarse", written, "alice", PROFILE.budget)

    def test_described_networks_are_known(self, root: Path) -> None:
        """Those that the course asks for are those that its solutions build, in their training form."""
        session = opened(root)
        for task in session.manifest.tasks:
            if task.builder:
                for labels, classes in profiles.CLASSES.items():
                    asked = to_train.described_network(task, classes, PROFILE.builders[task.id])
                    form = training_form(asked, PROFILE.budget).network
                    assert session.known.find(task.id, labels, form)


class TestEmbeddedPin:
    """The pin of the embedded set, which takes seconds to draw."""

    def test_is_drawn_once(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A second session reads what the first one kept; so it says the same."""
        assert opened(root).pin == pin_of("embedded")

        def draw(source: str) -> str:
            raise AssertionError("it was drawn again")

        monkeypatch.setattr(session_module, "pin_of", draw)
        assert opened(root).pin == pin_of("embedded")

    @pytest.mark.parametrize("change", ["numpy", "code", "everything"])
    def test_is_drawn_again(self, root: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
        """After a change of what draws it, and where what was kept cannot be read."""
        assert opened(root).pin == pin_of("embedded")
        kept = root / ".kit" / "embedded-pin.json"
        found = json.loads(kept.read_text())
        found["drawn by"][change] = "another"
        kept.write_text("" if change == "everything" else json.dumps(found))
        monkeypatch.setattr(session_module, "pin_of", lambda source: "drawn again")
        assert opened(root).pin == "drawn again"


class TestOpening:
    """What is opened, and when."""

    def test_nothing_before_it_is_needed(self, tmp_path: Path) -> None:
        """An empty folder, a profile and an engine that are not there: only what is asked for is missed."""
        session = Session(tmp_path, profile="tpu", engine="qemu")
        with pytest.raises(ManifestError, match=r"marking\.toml"):
            session.manifest  # noqa: B018
        with pytest.raises(ManifestError, match=r"params\.yaml"):
            session.profile  # noqa: B018
        with pytest.raises(UsageError, match="no engine is called 'qemu'"):
            session.engine  # noqa: B018
        (tmp_path / "params.yaml").symlink_to(ROOT / "params.yaml")
        with pytest.raises(UsageError, match="there is no profile 'tpu'"):
            session.profile  # noqa: B018

    def test_each_thing_once(self, root: Path) -> None:
        session = opened(root)
        for name in ("manifest", "params", "profile", "engine", "executor", "thresholds", "slots"):
            assert getattr(session, name) is getattr(session, name)

    def test_the_best_profile_that_the_data_here_allow(self, root: Path) -> None:
        """Without CIFAR-100 the offline one; asked for another, it says what is missing."""
        assert Session(root).profile.name == "offline"
        with pytest.raises(DataError, match="profile cpu needs CIFAR-100, which is not here") as caught:
            opened(root, "cpu").pin  # noqa: B018
        assert caught.value.fix == "Run: nox -s data (or grade with --profile offline)"

    def test_run(self, root: Path) -> None:
        """What results say of it; provisional, since the embedded set is no CIFAR-100."""
        about = opened(root).run(7)
        assert (about.profile, about.data, about.engine, about.seed) == (
            *("offline", "the embedded set", "none"),
            7,
        )
        assert about.data_pin == pin_of("embedded")
        assert about.provisional_because.startswith("networks were trained on the embedded set")
        assert about.versions.keys() == {"python", "keras", "numpy"}

    def test_run_without_training(self, tmp_path: Path) -> None:
        """Needs no data, thresholds or executor: params.yaml is all there is."""
        (tmp_path / "params.yaml").symlink_to(ROOT / "params.yaml")
        about = opened(tmp_path, "cpu").run_without_training(7)
        assert (about.data, about.provisional_because) == ("none", "nothing was trained")


class TestPlace:
    """Where the code of a folder runs."""

    @pytest.mark.parametrize("name", ["assignment", "solutions", "solutions/../assignment"])
    def test_this_checkouts_own_runs_without_a_sandbox(self, name: str) -> None:
        engine = Session.of_folder(ROOT, ROOT / name, trust=False).engine
        assert engine.name == "none"
        assert in_words(engine) == "no sandbox"

    def test_a_link_to_elsewhere_is_not_its_own(self, tmp_path: Path) -> None:
        """Nor is a folder of that name in another place, nor one below."""
        for folder in ("assignment", "checkout/solutions"):
            (tmp_path / folder).mkdir(parents=True)
        (tmp_path / "checkout" / "assignment").symlink_to(tmp_path / "elsewhere")
        assert not is_own(ROOT, tmp_path / "assignment")
        assert not is_own(ROOT, ROOT / "solutions" / "..")

    @pytest.mark.usefixtures("no_sandbox")
    def test_without_a_sandbox_only_what_is_trusted_runs(self, tmp_path: Path) -> None:
        """Refused in the words of `grade`."""
        with pytest.raises(
            UsageError, match="no sandbox works here, and other people's code runs only in a sandbox"
        ):
            Session.of_folder(ROOT, tmp_path, trust=False).engine  # noqa: B018
        assert Session.of_folder(ROOT, tmp_path, trust=True).engine.name == "none"


class TestArrows:
    """Who imports commands."""

    def test_the_command_line_alone(self) -> None:
        """No command imports another, and nothing below imports one: what they share is a session."""
        importing = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "grader").rglob("*.py")
            if "grader.commands" in path.read_text(encoding="utf-8")
        }
        assert {path for path in importing if not path.startswith("grader/cli/")} == set()
