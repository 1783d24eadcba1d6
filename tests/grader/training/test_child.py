"""The child: which images it takes, what it prints, and a training of its own process."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from grader.errors import TrainerFault
from grader.sandbox import container_images
from grader.training import child, executors, store
from grader.training.job import Job, Step, pin
from lab import data, synthetic
from lab.errors import DataError
from tests.grader.training.tiny import BACKEND, NETWORK, PROFILE, job

ROOT = Path(__file__).resolve().parents[3]


def on_validation() -> Job:
    """A job that is scored on 300 validation images."""
    profile = PROFILE.model_copy(update={"validation": 300})
    course = pin("embedded", scored_on="validation")
    return Job.of(NETWORK, "coarse", 0, profile, course, BACKEND, scored_on="validation")


class TestLoad:
    """_load."""

    def test_three_parts(self) -> None:
        """Validation images are the next so many of each class, and none of them is trained on."""
        images = child._load(job(conditions={"validation": 300}))
        train_set, validation = images.train, images.validation
        assert validation is not None
        assert (len(train_set), len(images.scored), len(validation)) == (200, 100, 300)
        course = synthetic.embedded_course()
        for number in (0, 99):
            of_class = course.images[course.fine_labels == number]
            assert (train_set.images[2 * number : 2 * number + 2] == of_class[:2]).all()
            assert (validation.images[3 * number : 3 * number + 3] == of_class[2:5]).all()
        assert np.bincount(validation.labels).tolist() == [15] * 20

    def test_none_without_validation(self) -> None:
        """A profile without validation images loads none."""
        assert child._load(job()).validation is None

    def test_more_than_there_are(self) -> None:
        """Too many are an error that says how many there are."""
        with pytest.raises(DataError, match="at most 10000"):
            child._load(job(conditions={"validation": 10_000}))

    def test_scored_on_validation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Scored on the images that follow those trained on; the hidden set is not so much as drawn."""

        def hidden() -> data.DataSet:
            raise AssertionError("the hidden set was asked for")

        child._hidden.cache_clear()
        monkeypatch.setattr(synthetic, "embedded_hidden", hidden)
        images = child._load(on_validation())
        course = synthetic.embedded_course().prefix(500)
        rest = np.arange(500).reshape(100, 5)[:, 2:].reshape(-1)
        assert (images.scored.images == course.images[rest]).all()
        assert (images.scored.labels == course.coarse_labels[rest]).all()
        assert images.validation is images.scored
        with pytest.raises(AssertionError, match="asked for"):
            child._load(job())

    def test_pin_of_both_sets(self) -> None:
        """A job that is scored on validation images is for the course set, whatever else is here."""
        with pytest.raises(TrainerFault, match="the job is for data of pin"):
            child._load(job(conditions={"validation": 300}, scored_on="validation"))


class TestPrinter:
    """_Printer."""

    def test_leaves_compilation_out_of_the_pace(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The first report comes when all is compiled: only what follows it says how long the rest takes."""
        clock = iter([100.0, 101.0, 101.2, 102.0])
        monkeypatch.setattr(time, "monotonic", lambda: next(clock))
        report = child._Printer()
        for step in (4, 8, 12, 16):
            report(epoch=0, step=step, steps=20, accuracy=0.5)
        steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(one["step"], one["seconds_left"]) for one in steps] == [(8, 3.0), (16, 0.7)]


@pytest.mark.slow
class TestMain:
    """The child."""

    def test_ends_with_its_parent(self, tmp_path: Path) -> None:
        """When the other end of its stdin closes, as it does however the parent ends, it stops."""
        order = tmp_path / "job.json"
        long = PROFILE.recipe.model_copy(update={"epochs": 1000})
        order.write_text(
            job(conditions=job().conditions.model_copy(update={"recipe": long})).model_dump_json()
        )
        command = [
            sys.executable,
            "-P",
            "-m",
            "grader.training.child",
            str(order),
            str(tmp_path / "result.json"),
        ]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=executors.local_environment(tmp_path, "cpu"),
        ) as child:
            assert child.stdout is not None
            assert child.stdin is not None
            assert set(json.loads(child.stdout.readline())) == set(Step.__dataclass_fields__)
            child.stdin.close()
            assert child.wait(timeout=30) == 1
        assert not (tmp_path / "result.json").exists()


@pytest.mark.slow
class TestImportKeras:
    """_import_keras."""

    def test_imports_what_is_used(self, tmp_path: Path) -> None:
        """Nothing else comes with it, and it can still be imported; no thread spoils a fork."""
        code = """
import sys
from pathlib import Path
from grader.training import child
child._import_keras()
unused = {"jax", "sklearn", "matplotlib", "pandas"}
assert "keras" in sys.modules and not unused & sys.modules.keys()
assert len(list(Path("/proc/self/task").iterdir())) == 1
import jax
"""
        environment = executors.local_environment(tmp_path, "cpu")
        subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True, timeout=120)


@pytest.fixture
def students(tmp_path: Path) -> Path:
    """A checkout as students have it: the code that trains, a small course set, and no hidden set."""
    root = tmp_path / "checkout"
    for path in container_images.inputs("trainer", ROOT):
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    course = synthetic.embedded_course().prefix(500)
    folder = root / "data"
    folder.mkdir()
    np.save(folder / data.IMAGES, course.images)
    np.save(folder / data.FINE, course.fine_labels)
    np.save(folder / data.COARSE, course.coarse_labels)
    names = {"fine": list(course.fine_names), "coarse": list(course.coarse_names)}
    (folder / data.NAMES).write_text(json.dumps(names))
    md5s = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in data.FILES}
    (root / "data.dvc").write_text(f"outs:\n- md5: {data.folder_pin(md5s)}.dir\n  path: data\n")
    return root


@pytest.mark.slow
class TestWithoutHiddenSet:
    """A training that is scored on validation images, where there is no hidden set and no pin of one."""

    def trained(self, root: Path, job: Job) -> tuple[int, str]:
        """How a child of that checkout ended, and what it said."""
        home = root.parent
        (home / "job.json").write_text(job.model_dump_json())
        command = [sys.executable, "-P", "-m", executors.CHILD, "job.json", f"out/{job.digest}.json"]
        environment = executors.local_environment(home, "cpu") | {"PYTHONPATH": str(root)}
        with (
            (home / "errors").open("wb") as errors,
            subprocess.Popen(
                command,
                cwd=home,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            ) as process,
        ):
            assert process.stdin is not None
            assert process.stdout is not None
            for line in process.stdout:
                if b'"done"' in line:
                    process.stdin.close()  # there are no more jobs
            code = process.wait(timeout=120)
        return code, (home / "errors").read_text()

    def test_trains(self, students: Path) -> None:
        """It is done, scored on as many images as it says; the same job on the hidden set cannot be."""
        profile = PROFILE.model_copy(update={"data": "cifar-100", "validation": 300})
        course = pin("cifar-100", students, scored_on="validation")
        wanted = Job.of(NETWORK, "coarse", 0, profile, course, BACKEND, scored_on="validation")
        assert self.trained(students, wanted)[0] == 0
        result = store.find(wanted, students.parent / "out")
        assert result is not None
        assert result.accuracy * 300 == pytest.approx(round(result.accuracy * 300))
        assert result.pin == course

        code, said = self.trained(students, Job.of(NETWORK, "coarse", 0, profile, course, BACKEND))
        assert code == 1
        assert "hidden.dvc" in said
