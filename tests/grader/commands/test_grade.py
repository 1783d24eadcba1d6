"""`grade` from the command line, end to end: real sandbox, real training on the embedded set, real files."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from grader.config import manifest
from grader.sandbox.bubblewrap import BubblewrapEngine

ROOT = Path(__file__).parents[3]
TASKS = manifest.load(ROOT / "solutions" / "tasks.toml")
SUBMISSIONS = ROOT / "tests" / "submissions"
SEED = "20260"

_bubblewrap = BubblewrapEngine().availability()
needs_sandbox = pytest.mark.skipif(not _bubblewrap.usable, reason=f"no bubblewrap: {_bubblewrap.reason}")


def command(*arguments: object) -> list[str]:
    """`python -m grader grade ...` on the embedded set with a fixed seed."""
    options = [str(argument) for argument in arguments]
    return [sys.executable, "-m", "grader", "grade", "--profile", "offline", "--seed", SEED, *options]


def grade(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=600)


def results(out: Path, name: str) -> dict[str, Any]:
    """The results.json of one submission."""
    return json.loads((out / name / "results.json").read_text())


def statuses(result: dict[str, Any]) -> set[str]:
    """The statuses of all its checks."""
    return {test["extra_data"]["status"] for test in result["tests"]}


def messages(result: dict[str, Any], task: str) -> str:
    """All that was said about one task."""
    return "\n".join(test["output"] for test in result["tests"] if task in test["tags"])


class TestSolutions:
    @pytest.mark.slow
    def test_full_marks_and_no_second_training(self, tmp_path: Path) -> None:
        """The solutions get every point; the same again gives the same record and trains nothing."""
        first = grade("solutions", "--out", tmp_path / "a")
        assert first.returncode == 0, first.stdout + first.stderr
        assert "the embedded set" in first.stdout.splitlines()[0]
        a = results(tmp_path / "a", "solutions")
        assert a["score"] == sum(test["max_score"] for test in a["tests"]) == TASKS.points
        assert statuses(a) == {"passed"}

        began = time.monotonic()
        second = grade("solutions", "--out", tmp_path / "b")
        assert second.returncode == 0
        assert "trained solutions:" not in second.stdout
        assert time.monotonic() - began < 60  # a training takes longer; how fast it is, `bench` says
        b = results(tmp_path / "b", "solutions")
        for result in (a, b):  # all but the time it took, and when that was
            del result["execution_time"], result["extra_data"]["seconds"]
            provenance = result["extra_data"]["provenance"]
            del provenance["graded"], provenance["head"]
            for task in result["extra_data"]["tasks"]:
                del task["seconds"]
        assert a == b

        learned = [test for test in a["tests"] if "learns.fine" in test["tags"]]
        assert len(learned) == 3
        for test in learned:
            assert test["extra_data"]["accuracy"] >= test["extra_data"]["threshold"] > 2 / 100
            assert len(test["extra_data"]["blueprint"]) == len(test["extra_data"]["training"]) == 64


@pytest.mark.slow
class TestStubs:
    def test_zero_throughout_and_no_training(self, tmp_path: Path) -> None:
        """Untouched stubs: nothing attempted, nothing trained, exit code 0."""
        done = grade("assignment", "--out", tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        result = results(tmp_path, "assignment")
        assert result["score"] == 0
        assert statuses(result) == {"not attempted"}
        assert "trained assignment:" not in done.stdout


@pytest.mark.parametrize("where", ["", "alice", "alice/results"])
def test_results_among_what_was_handed_in(tmp_path: Path, where: str) -> None:
    """They would be a part of the work, and of its digest, the next time."""
    for name in ("alice", "bob"):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "evaluation.py").write_text("x = 1\n", encoding="utf-8")
    done = grade(tmp_path / "class", "--out", tmp_path / "class" / where)
    assert done.returncode == 2
    assert "lies in what was handed in" in " ".join((done.stdout + done.stderr).split())
    assert sorted(path.name for path in (tmp_path / "class").rglob("*")) == [
        "alice",
        "bob",
        *["evaluation.py"] * 2,
    ]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tests/submissions graded as a class."""
    out = tmp_path_factory.mktemp("class")
    done = grade(SUBMISSIONS, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.slow
@needs_sandbox
class TestClass:
    @pytest.mark.parametrize(
        ("name", "points", "said"),
        [
            ("missing_package", 0, "No module named 'torchvision' (preprocessing.py, line 4)"),
            ("raises_at_import", 0, "No such file or directory"),
            ("loops_for_ever", 10.5, "did not return and was stopped after"),
            ("wrong_type", 5.5, "returned the text 'the mean is"),
            ("allocates_without_end", 10.5, "took more than 3 GiB of memory"),
            ("prints_a_gigabyte", 22, ""),
            ("exits", 10.5, "ended the whole Python process (exit code 0)"),
        ],
    )
    def test_marks_for_what_works_and_a_plain_message(
        self, out: Path, name: str, points: float, said: str
    ) -> None:
        """Each fault costs what depends on it and nothing else; no traceback reaches the student.

        These are the points of the structure: what a network learns from `prepare` comes on top.
        """
        result = results(out, name)
        assert points <= result["score"] <= points + TASKS.task("preprocessing").worth.training
        assert said in messages(result, "preprocessing")
        assert "Traceback" not in result["output"]

    def test_everybody_is_in_the_table(self, out: Path) -> None:
        """marks.csv has a row for each submission."""
        rows = list(csv.DictReader((out / "marks.csv").read_text().splitlines()))
        assert [row["student"] for row in rows] == sorted(p.name for p in SUBMISSIONS.iterdir() if p.is_dir())


@needs_sandbox
class TestTasksAreMarkedOnTheirOwn:
    @pytest.mark.slow
    def test_broken_preprocessing_leaves_the_networks_their_marks(self, tmp_path: Path) -> None:
        """A submission with one broken file gets full marks for the others."""
        mixed = tmp_path / "mixed"
        shutil.copytree(ROOT / "solutions", mixed)
        shutil.copy(SUBMISSIONS / "exits" / "preprocessing.py", mixed)
        done = grade(mixed, "--out", tmp_path / "out")
        assert done.returncode == 0, done.stdout + done.stderr
        tasks = {task["task"]: task for task in results(tmp_path / "out", "mixed")["extra_data"]["tasks"]}
        earned = {name: sum(check["points"] for check in task["checks"]) for name, task in tasks.items()}
        assert 10.5 <= earned.pop("preprocessing") <= 18.5
        assert earned == {**dict.fromkeys(("alexnet", "resnet", "wide_resnet"), 35), "evaluation": 15}


@pytest.mark.slow
class TestWrongUsage:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["nowhere"], "there is no nowhere"),
            (["solutions", "--profile", "tpu"], "no profile 'tpu'"),
            (["solutions", "--engine", "qemu"], "qemu"),
            (["tests/submissions/exits", "--engine", "none"], "--trust"),
            (["solutions", "--out", "README.md"], "README.md is a file"),
            (["solutions", "--seed", "-1"], "a seed is a whole number"),
        ],
    )
    def test_exit_code_2_and_what_to_do(self, arguments: list[str], said: str) -> None:
        """One clear line that names the thing; no traceback."""
        done = grade(*arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        text = " ".join((done.stdout + done.stderr).split())
        assert said in text
        assert "Traceback" not in text


@pytest.mark.slow
class TestNotGradable:
    def test_damaged_zip_is_no_zero(self, tmp_path: Path) -> None:
        """Exit code 1, no results.json, and the table says why."""
        (tmp_path / "class" / "alice").mkdir(parents=True)
        shutil.copy(ROOT / "assignment" / "preprocessing.py", tmp_path / "class" / "alice")
        (tmp_path / "class" / "bob.zip").write_bytes(b"PK\x05\x06 not really")
        done = grade(tmp_path / "class", "--out", tmp_path / "out", "--trust")
        assert done.returncode == 1, done.stdout + done.stderr
        assert not (tmp_path / "out" / "bob" / "results.json").exists()
        rows = {
            row["student"]: row
            for row in csv.DictReader((tmp_path / "out" / "marks.csv").read_text().splitlines())
        }
        assert rows["alice"]["total"] == "0"
        assert rows["bob"]["total"] == ""
        assert "zip" in rows["bob"]["remark"]


@pytest.mark.slow
@needs_sandbox
class TestCtrlC:
    def test_nothing_is_left_behind(self, tmp_path: Path) -> None:
        """Ctrl-C while a submission loops: exit code 130, one line, no process left."""
        seed = str(time.time_ns() % 10**9)  # one that was probed before would not loop again
        process = subprocess.Popen(
            command(SUBMISSIONS / "loops_for_ever", "--seed", seed, "--out", tmp_path / "out"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        assert process.stdout
        assert "Grading loops_for_ever" in process.stdout.readline()
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 130, said
        assert "Stopped" in said
        assert "Traceback" not in said
        left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True)
        assert left.stdout == ""
        assert list(tmp_path.glob("kit-*")) == []
