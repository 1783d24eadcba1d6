"""A probe is never made twice for the same key, and everything that it depends on is in the key."""

import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.config import manifest
from grader.config.manifest import Task
from grader.errors import SandboxFault
from grader.grading import probe_store, probing
from grader.grading.probe_store import Kept, Probes
from grader.grading.probing import Probed
from grader.sandbox import End, Limits, Outcome, Program, select
from tests.grader.grading.test_probing import FINISHED, Scripted, left, returned, running

ROOT = Path(__file__).parents[3]
TASK = manifest.load(ROOT / "assignment" / "tasks.toml").task("preprocessing")
TEN = Limits(wall_seconds=10, cpu_seconds=8)


@pytest.fixture
def probes(tmp_path: Path) -> Probes:
    return Probes(tmp_path / "probes")


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "data").mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / "preprocessing.py", folder)
    (folder / "data" / "notes.txt").write_text("a")
    return folder


def finished(run: int, program: Program) -> Any:
    return left({**FINISHED, "calls": returned("a", "later.b")})


class Runs:
    """Probes a folder with a scripted engine, and counts its runs."""

    def __init__(self, submission: Path, probes: Probes) -> None:
        self.submission, self.probes = submission, probes

    def __call__(
        self, script: Callable[[int, Program], Any] = finished, task: Task = TASK, name: str = "", **more: Any
    ) -> tuple[Probed, int]:
        engine = Scripted(script)
        engine.name = name or engine.name
        arguments: dict[str, Any] = {"seed": 1, "builder_arguments": {}, "limits": TEN, **more}
        came = probing.probe(engine, task, self.submission, probes=self.probes, **arguments)
        return came, len(engine.programs)


@pytest.fixture
def runs(submission: Path, probes: Probes) -> Runs:
    return Runs(submission, probes)


class TestOnce:
    def test_the_second_time_nothing_runs(self, runs: Runs) -> None:
        """And what it comes to is the same."""
        first, count = runs()
        again, none = runs()
        assert (count, none) == (2, 0)
        assert again == first
        assert set(again.evidence.calls) == {"a", "later.b"}

    def test_real_evidence_comes_back_as_it_was(self, submission: Path, probes: Probes) -> None:
        """Arrays, tuples, exceptions and what the second process said."""
        engine = select("none", own_code=True)
        arguments: dict[str, Any] = {"seed": 1, "builder_arguments": {}, "probes": probes}
        first = probing.probe(engine, TASK, submission, **arguments)
        again = probing.probe(Scripted(finished), TASK, submission, **arguments)  # another engine
        assert again != first
        again = probing.probe(engine, TASK, submission, **arguments)
        assert again.evidence.calls.keys() == first.evidence.calls.keys()
        for name, call in first.evidence.calls.items():
            found = again.evidence.calls[name]
            np.testing.assert_equal(found.value, call.value)
            np.testing.assert_equal(dict(found.inputs_after), dict(call.inputs_after))
            assert (found.status, str(found), found.defined_at) == (call.status, str(call), call.defined_at)
        assert "later.split" in again.evidence.calls
        assert again.seconds == first.seconds

    def test_equal_submissions_side_by_side_are_probed_once(self, runs: Runs) -> None:
        with ThreadPoolExecutor(8) as pool:
            counts = [count for _, count in pool.map(lambda _: runs(), range(8))]
        assert sum(counts) == 2

    def test_a_function_that_ends_the_process_is_kept(self, runs: Runs) -> None:
        """Twice, and then without it: three runs, and one of the second process."""
        first, count = runs(lambda run, program: left(running("one_hot") if run < 2 else FINISHED))
        again, none = runs()
        assert (count, none) == (3, 0)
        assert again == first
        assert again.ended["one_hot"].startswith("twice")

    def test_evidence_that_is_refused_is_kept(self, runs: Runs) -> None:
        first, count = runs(lambda run, program: left({"format": 2}))
        again, none = runs()
        assert (count, none) == (2, 0)
        assert again.refused == first.refused != ""


class TestKey:
    """Each part of it matters."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda folder: (folder / "data" / "notes.txt").write_text("b"),
            lambda folder: (folder / "data" / "notes.txt").rename(folder / "data" / "note.txt"),
            lambda folder: (folder / "data" / "notes.txt").chmod(0o755),
            lambda folder: (folder / "data" / "more").mkdir(),
            lambda folder: (folder / "preprocessing.py").write_text("\n"),
        ],
        ids=["bytes", "path", "mode", "folder", "module"],
    )
    def test_what_is_mounted(self, change: Callable[[Path], Any], runs: Runs) -> None:
        runs()
        change(runs.submission)
        assert runs()[1] > 0

    @pytest.mark.parametrize(
        "change",
        [
            {"seed": 2},
            {"builder_arguments": {"width": 0.5}},
            {"limits": replace(TEN, cpu_seconds=9)},
            {"limits": replace(TEN, memory_bytes=1)},
            {"name": "another"},
            {"task": TASK.model_copy(update={"functions": TASK.functions[:-1]})},
            {"before": Probed(probing.Evidence.nothing())},
        ],
        ids=["seed", "arguments", "limits", "memory", "engine", "functions", "backend"],
    )
    def test_what_it_is_called_with(self, change: dict[str, Any], runs: Runs) -> None:
        runs()
        assert runs(**change)[1] > 0
        assert runs()[1] == 0

    def test_the_probe(self, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        runs()
        shutil.copytree(probing.TASKS / TASK.id, tmp_path / "tasks" / TASK.id)
        monkeypatch.setattr(probing, "TASKS", tmp_path / "tasks")
        assert runs()[1] == 0
        with (tmp_path / "tasks" / TASK.id / "probe.py").open("a") as file:
            file.write("# changed\n")
        assert runs()[1] > 0

    @pytest.mark.parametrize("part", ["_code", "_installed"])
    def test_code_lock_and_versions(self, part: str, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
        runs()
        monkeypatch.setattr(probe_store, part, lambda: "another")
        assert runs()[1] > 0

    def test_the_environment(self, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
        runs()
        monkeypatch.setattr(probe_store, "ENVIRONMENT", {"KERAS_BACKEND": "numpy"})
        assert runs()[1] > 0

    def test_which_code_that_is(self) -> None:
        code = probe_store._code()
        assert {"grader/sandbox/guest/harness.py", "grader/sandbox/guest/numpy_keras.py"} <= code.keys()
        assert {"grader/sandbox/seccomp.py", "grader/grading/probing.py"} <= code.keys()

    def test_what_is_installed(self) -> None:
        found = probe_store._installed()
        assert any(name.startswith("keras-3") for name in found)
        assert sys.version in found

    def test_where_it_was_unpacked_does_not_matter(self, runs: Runs, tmp_path: Path) -> None:
        runs()
        shutil.copytree(runs.submission, tmp_path / "elsewhere")
        assert Runs(tmp_path / "elsewhere", runs.probes)()[1] == 0

    def test_a_name_of_bytes_that_are_no_text(self, runs: Runs) -> None:
        (runs.submission / "\udcff").write_text("")
        runs()
        assert runs()[1] == 0


class TestNeverKept:
    def test_a_fault_of_the_machine(self, runs: Runs) -> None:
        with pytest.raises(SandboxFault):
            runs(lambda run, program: SandboxFault("no room"))
        assert runs()[1] == 2

    @pytest.mark.parametrize(
        "first",
        [
            left(running("one_hot"), End.TIMEOUT),
            left(running("one_hot"), End.SIGNAL),
            left(None, printed=""),
        ],
        ids=["clock", "killed", "no start"],
    )
    def test_what_the_clock_or_a_kill_had_a_part_in(self, first: tuple[Any, Outcome], runs: Runs) -> None:
        runs(lambda run, program: left(FINISHED) if run else first)
        assert runs()[1] == 2

    def test_a_call_that_was_stopped_by_the_clock(self, runs: Runs) -> None:
        exception = {"type": probing.BY_THE_CLOCK, "message": "40 s", "file": None, "line": None}
        call = {**returned("a")["a"], "status": "timed out", "value": None, "exception": exception}
        runs(lambda run, program: left({**FINISHED, "calls": {"a": call}}))
        assert runs()[1] == 2

    def test_what_had_no_time_left_by_the_clock(self, runs: Runs) -> None:
        runs(lambda run, program: left(running(TASK.functions[run % 5]), seconds=6.0, cpu_seconds=0.1))
        assert runs()[1] == 2

    def test_processor_time_is_kept(self, runs: Runs) -> None:
        """How much a program computes does not depend on what else runs."""
        runs(lambda run, program: left(running("one_hot"), End.CPU, cpu_seconds=8.0))
        assert runs()[1] == 0


class TestFile:
    KEPT = Kept({"first": {"evidence.json": b"{}\n", "a0001.npy": bytes(range(256))}}, {"ended": {"a": "b"}})

    def test_comes_back(self, probes: Probes) -> None:
        probes.keep("key", self.KEPT)
        assert probes.find("key") == self.KEPT
        assert probes.find("other") is None

    @pytest.mark.parametrize("at", [0, 64, 65, -1])
    def test_that_was_changed_is_none(self, at: int, probes: Probes, tmp_path: Path) -> None:
        probes.keep("key", self.KEPT)
        path = tmp_path / "probes" / "key"
        content = bytearray(path.read_bytes())
        content[at] ^= 1
        path.write_bytes(content)
        assert probes.find("key") is None

    @pytest.mark.parametrize("length", [0, 10, 64, 65, 100])
    def test_that_was_cut_off_is_none(self, length: int, probes: Probes, tmp_path: Path) -> None:
        probes.keep("key", self.KEPT)
        path = tmp_path / "probes" / "key"
        path.write_bytes(path.read_bytes()[:length])
        assert probes.find("key") is None

    def test_what_is_large_is_not_kept(self, probes: Probes) -> None:
        probes.keep("key", Kept({"first": {"a": bytes(probe_store.MOST_EACH + 1)}}, {}))
        assert probes.find("key") is None

    def test_a_folder_that_cannot_be_written_is_no_fault(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        probes = Probes(tmp_path / "file")
        assert probes.unkept == ""
        probes.keep("key", self.KEPT)
        assert probes.unkept == f"probes cannot be kept in {tmp_path / 'file'}: File exists"
        assert Probes(tmp_path / "file").find("key") is None

    def test_the_oldest_go_first(self, tmp_path: Path) -> None:
        """Those that were not asked for the longest."""
        noise = [np.random.default_rng(n).bytes(1000) for n in range(4)]
        probes = Probes(tmp_path / "probes", most_bytes=4000)
        for number, content in enumerate(noise[:3]):
            probes.keep(str(number), Kept({"first": {"a": content}}, {}))
            os.utime(tmp_path / "probes" / str(number), ns=(number, number))
        assert probes.find("0") is not None  # which makes it the youngest
        probes.keep("3", Kept({"first": {"a": noise[3]}}, {}))
        assert [probes.find(str(n)) is not None for n in range(4)] == [True, False, True, True]
        assert sum(path.stat().st_size for path in (tmp_path / "probes").iterdir()) <= 4000
