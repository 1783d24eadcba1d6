"""The reference pipeline: what a change makes DVC run again, and what a killed run leaves to do.

DVC is asked for real, on a copy of the checkout whose results stand in for measured ones: `dvc commit`
records them as what the stages made, and `dvc status` then says what no longer holds.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from grader.errors import ManifestError
from grader.reference import packages, versions

ROOT = Path(__file__).resolve().parents[1]
# DVC's own and its dependencies'; ours are errors in every other test
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
TASKS = ("alexnet", "resnet", "wide_resnet")
PROFILES = ("offline", "cpu")


def copy_of_checkout(to: Path) -> Path:
    """The files that are in git or could be, without the data."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("docs/", "tests/")):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    subprocess.run(["git", "init", "-q", str(to)], check=True)
    return to


def environment(home: Path) -> dict[str, str]:
    """Of someone whose home is empty and who has the kit's packages on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC", "KIT", "XDG"))}
    return {**kept, "HOME": str(home), "PATH": path, "DVC_SITE_CACHE_DIR": str(home.parent / "site")}


def dvc(root: Path, *arguments: str) -> str:
    """What `dvc` printed; the test fails if it did."""
    home = root.parent / "home"
    home.mkdir(exist_ok=True)  # the copies that tests change lie elsewhere
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=root,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def changed(root: Path) -> set[str]:
    """The stages that `dvc status dvc.yaml` names; in this process, which is ten times as fast."""
    from dvc.repo import Repo

    with contextlib.chdir(root), Repo() as repo:
        return set(repo.status(targets=["dvc.yaml"]))


def cells(stage: str, profile: str, tasks: tuple[str, ...] = TASKS) -> set[str]:
    """The names of a stage of a profile."""
    return {f"{stage}@{profile}-{task}" for task in tasks}


def everywhere(*stages: str) -> set[str]:
    """The names of stages of both profiles."""
    with_tasks = ("describe", "train")
    return {
        name
        for stage in stages
        for profile in PROFILES
        for name in (cells(stage, profile) if stage in with_tasks else {f"{stage}@{profile}"})
    }


def record(root: Path) -> list[str]:
    """What `python -m grader.reference versions` does; returns the names of what has changed."""
    lines = [*versions.update(root), *packages.update(root)]
    return [line.partition(":")[0] for line in lines]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the checkout in which everything is up to date."""
    root = copy_of_checkout(tmp_path_factory.mktemp("pipeline") / "kit")
    shutil.rmtree(root / "reference")
    assert record(root) == [*versions.GROUPS, *packages.COMPUTING]
    from dvc.repo import Repo

    home = root.parent / "home"
    home.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment(home).items():
            patched.setenv(name, value)
        with Repo(str(root)) as repo:
            listed = [root / str(out) for stage in repo.index.stages if stage.cmd for out in stage.outs]
        for path in listed:
            if path.suffix:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("{}\n")
            else:
                path.mkdir(parents=True)
                (path / "one.csv").write_text("epoch\n")
        dvc(root, "commit", "--force", "dvc.yaml")
        assert list(home.iterdir()) == []  # DVC writes nothing outside
        yield root


@pytest.fixture
def kit(measured: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(measured, tmp_path / "kit"))


def edit(path: Path, old: str, new: str, count: int = 1) -> None:
    """Replaces text that must be there."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, count))


def set_param(root: Path, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
    """Rewrites params.yaml after a change to its profiles."""
    params = yaml.safe_load((root / "params.yaml").read_text())
    change(params["profiles"])
    (root / "params.yaml").write_text(yaml.safe_dump(params))


class TestChanges:
    """What a change makes DVC run again."""

    def test_nothing(self, kit: Path) -> None:
        """Of an unchanged checkout nothing is run, without data, with params.yaml formatted anew."""
        assert not (kit / "data").exists()
        set_param(kit, lambda profiles: None)
        assert changed(kit) == set()

    def test_solution(self, kit: Path) -> None:
        """A solution concerns its own task alone, and of that first what it builds."""
        with (kit / "solutions" / "resnet.py").open("a") as file:
            file.write("# another ending\n")
        assert changed(kit) == {"describe@offline-resnet", "describe@cpu-resnet"}

    def test_network(self, kit: Path) -> None:
        """A network that is another one has to be trained again, for one task and profile."""
        (kit / "reference" / "cpu" / "networks" / "resnet.json").write_text("another\n")
        # DVC also says that the stage whose result it is did not make this.
        assert changed(kit) == {"describe@cpu-resnet", "train@cpu-resnet", "prepared@cpu"}

    def test_recipe(self, kit: Path) -> None:
        """A recipe concerns all trainings of its profile and none of another's."""

        def change(profiles: dict[str, dict[str, object]]) -> None:
            profiles["cpu"]["recipe"] = {**dict(profiles["cpu"]["recipe"]), "peak_rate": 0.07}  # type: ignore[call-overload]

        set_param(kit, change)
        assert changed(kit) == cells("train", "cpu") | {"prepared@cpu", "figures@cpu"}

    def test_builder(self, kit: Path) -> None:
        """What a builder is called with concerns its task under that profile."""

        def change(profiles: dict[str, dict[str, object]]) -> None:
            profiles["offline"]["builders"] = {
                **dict(profiles["offline"]["builders"]),
                "alexnet": {"width": 0.2},
            }  # type: ignore[call-overload]

        set_param(kit, change)
        assert changed(kit) == {"describe@offline-alexnet", "figures@offline"}

    def test_grading_alone(self, kit: Path) -> None:
        """What only grading reads, the seeds that decide close results, leaves every training as it is."""
        set_param(kit, lambda profiles: profiles["cpu"].update(extra_seeds=[77, 78]))
        assert changed(kit) == {"figures@cpu"}

    @pytest.mark.parametrize("changes", [{"grading_seed": 77}, {"validation": 100}])
    def test_what_is_known(self, kit: Path, changes: dict[str, object]) -> None:
        """The grading seed and the validation images concern the runs: they are what is known beforehand."""
        set_param(kit, lambda profiles: profiles["cpu"].update(changes))
        assert changed(kit) == cells("train", "cpu") | {"prepared@cpu", "figures@cpu"}

    def test_data(self, kit: Path) -> None:
        """The pin of CIFAR-100 concerns cpu, the code that draws the embedded set offline."""
        edit(kit / "params.yaml", "cifar-100: 4", "cifar-100: 5")
        assert changed(kit) == {"images-cpu", "failure"}
        edit(kit / "lab" / "synthetic.py", "SEED = 20_100", "SEED = 20_101")
        edit(kit / "lab" / "synthetic.py", "\nVERSION = 1", "\nVERSION = 2")
        assert record(kit) == ["synthetic"]
        assert changed(kit) == {"images-cpu", "images-offline", "failure"}

    @pytest.mark.parametrize(
        ("name", "stages"),
        [
            ("training", everywhere("train", "prepared")),
            ("synthetic", {"images-offline"}),
            ("blueprint", everywhere("describe")),
            ("describe", everywhere("describe")),
            ("runs", everywhere("train")),
            ("thresholds", everywhere("calibrate", "prepared")),
            ("figures", everywhere("figures")),
            ("failure", {"failure"}),
            ("failure_figures", {"failure"}),
        ],
    )
    def test_version(self, kit: Path, name: str, stages: set[str]) -> None:
        """A new version of what code computes concerns the stages that run it."""
        file, _, constant = versions.GROUPS[name].version.partition(":")
        number = versions.recorded(kit)[name].version
        edit(kit / file, f"\n{constant} = {number}", f"\n{constant} = {number + 1}")
        assert record(kit) == [name]
        assert changed(kit) == stages

    def test_computation_without_a_version(self, kit: Path) -> None:
        """A changed computation under its old version is refused, so that no stage is clean by mistake."""
        edit(kit / "lab" / "training.py", "nesterov=True", "nesterov=False")
        with pytest.raises(ManifestError, match="--same-results training"):
            record(kit)

    @pytest.mark.parametrize(
        ("package", "stages"),
        [
            ("keras", everywhere("describe", "train", "prepared") | {"failure"}),
            ("tensorflow-cpu", everywhere("train", "prepared") | {"failure"}),
            ("numpy", everywhere("train", "prepared", "calibrate", "figures") | {"failure"}),
            ("scipy", everywhere("calibrate", "prepared")),
            ("matplotlib", everywhere("figures") | {"failure"}),
        ],
    )
    def test_package(self, kit: Path, package: str, stages: set[str]) -> None:
        """Another version of a package in uv.lock concerns the stages that compute with it."""
        edit(kit / "uv.lock", f'name = "{package}"\nversion = "', f'name = "{package}"\nversion = "9.')
        assert record(kit) == [package]
        assert changed(kit) == stages

    def test_other_package(self, kit: Path) -> None:
        """A new dependency, and another version of one that computes nothing, concern no stage."""
        edit(kit / "pyproject.toml", "dependencies = [\n", 'dependencies = [\n    "click>=8",\n')
        edit(kit / "pyproject.toml", '    "numpy>=2.1",', '    "numpy>=2",')
        edit(kit / "uv.lock", 'name = "rich"\nversion = "', 'name = "rich"\nversion = "9.')
        assert record(kit) == []
        assert changed(kit) == set()

    def test_text_for_people(self, kit: Path) -> None:
        """Docstrings, comments and layout concern no stage."""
        edit(kit / "lab" / "training.py", '"""How to train: every field', '"""Of a training, every field')
        edit(kit / "grader" / "blueprint" / "reading.py", '    """The node that does this', '    """A node')
        edit(
            kit / "grader" / "blueprint" / "network.py", "\n\n\n@dataclass", "\n\n# a comment\n\n\n@dataclass"
        )
        for file in (
            "grader/training/child.py",
            "grader/thresholds/model.py",
            "lab/synthetic.py",
            "grader/diagnosis/trial.py",
        ):
            with (kit / file).open("a") as source:
                source.write("\n\n# a comment\n")
        assert record(kit) == []
        assert changed(kit) == set()

    def test_moved_function(self, kit: Path) -> None:
        """A function that moves to another file, and its place in a file, concern no stage."""
        metrics, training = kit / "lab" / "metrics.py", kit / "lab" / "training.py"
        head, at, moved = metrics.read_text().partition("def cross_entropy")
        metrics.write_text(head.rstrip() + "\n")
        edit(training, "metrics.cross_entropy(", "cross_entropy(")
        edit(training, "def draws(", f"{at}{moved}\n\ndef draws(")
        assert record(kit) == []
        assert changed(kit) == set()

    @pytest.mark.slow
    def test_only_written_otherwise(self, kit: Path) -> None:
        """A solution that is written otherwise and builds the same network is described, and not trained."""
        stage = "describe@offline-alexnet"
        networks = kit / "reference" / "offline" / "networks" / "alexnet.json"
        dvc(kit, "repro", "--force", "--single-item", stage)
        dvc(kit, "commit", "--force", "train@offline-alexnet")
        before = networks.read_bytes()
        with (kit / "solutions" / "alexnet.py").open("a") as file:
            file.write("# the same network\n")
        dvc(kit, "repro", "--single-item", stage)
        assert networks.read_bytes() == before
        assert changed(kit) == {"describe@cpu-alexnet"}
        # and the other way round
        edit(kit / "solutions" / "alexnet.py", "384", "320", count=-1)
        dvc(kit, "repro", "--single-item", stage)
        assert changed(kit) == {"describe@cpu-alexnet", "train@offline-alexnet"}


class TestDeclarations:
    """dvc.yaml itself."""

    def test_gpu_is_asked_for(self) -> None:
        """`dvc repro` without arguments runs nothing that needs a GPU."""
        stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
        profiles = yaml.safe_load((ROOT / "params.yaml").read_text())["profiles"]
        named = {name for stage in stages.values() for name in stage.get("matrix", {}).get("profile", ())}
        assert named == {"offline", "cpu"}
        assert all(profiles[name].get("device", "cpu") == "cpu" for name in named)

    def test_gpu_is_the_same(self) -> None:
        """The profiles on a GPU have the stages of the others, word for word, but for what differs there."""
        ours = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
        text = (ROOT / "reference" / "gpu" / "dvc.yaml").read_text()
        libraries = "nvidia-cublas-cu12, nvidia-cudnn-cu12, tensorflow]"
        assert libraries in text
        theirs = yaml.safe_load(text.replace(libraries, "tensorflow, tensorflow-cpu]"))["stages"]
        for name in ("describe", "train", "calibrate", "figures"):
            mine = dict(ours[name])
            mine["matrix"] = {**mine["matrix"], "profile": ["gpu", "gpu-full"]}
            if name == "train":  # the others' is TensorFlow, always
                mine["params"] = [*mine["params"], "profiles.${item.profile}.backend"]
            found = theirs.pop(name)
            for stage in (found, mine):
                stage["params"] = sorted(stage.get("params", []), key=str)
            assert found == {**mine, "wdir": "../.."}
        assert list(theirs) == ["images"]

    @pytest.mark.parametrize("file", ["dvc.yaml", "reference/gpu/dvc.yaml"])
    def test_stages(self, file: str) -> None:
        """No stage depends on sources but the solutions, nor on pyproject.toml; what they name is there."""
        stages = yaml.safe_load((ROOT / file).read_text())["stages"]
        known = {
            "reference/versions.json": {f"{name}.version" for name in versions.GROUPS},
            "reference/packages.json": set(packages.COMPUTING),
        }
        for name, stage in stages.items():
            ours = [d for d in stage.get("deps", ()) if not d.startswith("reference/${item.profile}/")]
            own = {"describe": ["solutions/${item.task}.py"], "prepared": ["solutions/preprocessing.py"]}
            assert ours == own.get(name, [])
            for other in (one for one in stage["params"] if isinstance(one, dict)):
                for path, named in other.items():
                    assert set(named) <= known[path]

    def test_every_version_is_asked_for(self) -> None:
        """A version or a package that no stage depends on is watched in vain."""
        files = ("dvc.yaml", "reference/gpu/dvc.yaml", "reference/study/dvc.yaml")
        text = "".join((ROOT / file).read_text() for file in files)
        assert all(f"{name}.version" in text for name in versions.GROUPS)
        assert all(name in text for name in packages.COMPUTING)

    def test_what_each_stage_computes_with(self) -> None:
        """Trainings with Keras, TensorFlow and NumPy, thresholds with SciPy, figures with matplotlib."""
        stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
        named = {
            name: next(
                (o["reference/packages.json"] for o in stage["params"] if "reference/packages.json" in o), []
            )
            for name, stage in stages.items()
        }
        assert named == {
            "images-offline": [],
            "images-cpu": [],
            "describe": ["keras"],
            "train": ["keras", "numpy", "tensorflow", "tensorflow-cpu"],
            "calibrate": ["numpy", "scipy"],
            "prepared": ["keras", "numpy", "scipy", "tensorflow", "tensorflow-cpu"],
            "figures": ["matplotlib", "numpy", "pillow"],
            "failure": ["keras", "matplotlib", "numpy", "tensorflow", "tensorflow-cpu"],
        }

    def test_results_outlast_a_stage(self) -> None:
        """What a stage makes is in git, and there until it is replaced: grading reads it."""
        stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
        for stage in stages.values():
            for out in (*stage["outs"], *stage.get("metrics", ())):
                assert list(out.values()) == [{"cache": False, "persist": True}]

    def test_pin(self) -> None:
        """The pin in params.yaml, on which stages depend, is that of the .dvc files."""
        from grader.config import profiles
        from grader.training.job import pin

        assert profiles.load(ROOT / "params.yaml").pins == {"cifar-100": pin("cifar-100")}


def run_stage(kit: Path, wait_for: str) -> tuple[list[str], subprocess.Popen[str]]:
    """Starts training; returns what it printed up to the first line that matches, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "grader.reference", "train", "--profile=offline", "--task=alexnet"],
        cwd=kit,
        env=environment(kit.parent),
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if re.search(wait_for, line):
            return lines, process
    raise AssertionError("".join(lines))


def children(kit: Path) -> int:
    """Trainings of this checkout that run; their PYTHONPATH is the checkout."""
    found = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            mine = f"PYTHONPATH={kit}".encode() in (entry / "environ").read_bytes().split(b"\0")
            found += mine and b"grader.training.child" in (entry / "cmdline").read_bytes()
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
class TestResuming:
    """A run that was ended, and the next one."""

    @pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "SIGINT"])
    def test_goes_on(self, measured: Path, tmp_path: Path, signal_number: int) -> None:
        """What was trained is kept and not trained again; nothing goes on in the background."""
        kit = Path(shutil.copytree(measured, tmp_path / "kit"))

        def tiny(profiles: dict[str, dict[str, object]]) -> None:
            recipe = {**dict(profiles["offline"]["recipe"]), "epochs": 1}  # type: ignore[call-overload]
            profiles["offline"] |= {"train": 100, "hidden": 100, "validation": 0, "recipe": recipe}
            profiles["offline"]["builders"] = {"alexnet": {"width": 0.02}}

        set_param(kit, tiny)
        if signal_number == signal.SIGINT:  # nothing is trained yet: a stop before that is as clean
            lines, process = run_stage(kit, r"^training ")
        else:
            lines, process = run_stage(kit, r"^  trained ")
        process.send_signal(signal_number)
        said = process.communicate()[0]
        assert process.returncode == (130 if signal_number == signal.SIGINT else -signal.SIGKILL)
        deadline = time.monotonic() + 60
        while children(kit) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert children(kit) == 0
        if signal_number == signal.SIGINT:
            assert "the same command goes on from there" in said
            return
        done = [line.removeprefix("  trained ").partition(":")[0] for line in lines if "trained " in line]
        again, process = run_stage(kit, r"^training .*\n?$")
        process.send_signal(signal.SIGINT)
        again += process.communicate()[0].splitlines()
        stored = re.search(r"alexnet: \d+ trainings, (\d+) stored", "".join(again))
        assert stored is not None
        assert int(stored[1]) >= len(done) == 1
        assert not any(line.startswith(f"training {done[0]}") for line in again)
