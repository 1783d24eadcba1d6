"""Progress: a block of lines within the width of a terminal, and a line a minute where there is none."""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from grader.blueprint import read
from grader.config import profiles
from grader.errors import TrainerFault
from grader.training import progress
from grader.training.job import Job
from grader.training.progress import Display, block, log_line
from grader.training.tally import Tally

PROFILE = profiles.load(Path(__file__).resolve().parents[3] / "params.yaml").profile("offline")


def job(seed: int) -> Job:
    """The training of a small network."""
    nodes = [
        {"op": "Input", "settings": {}, "inputs": []},
        {"op": "Flatten", "settings": {}, "inputs": [0]},
        {"op": "Dense", "settings": {"units": 20, "activation": "softmax"}, "inputs": [1]},
    ]
    network = {"format": 1, "input_shape": [32, 32, 3], "output": 2, "nodes": nodes}
    return Job.of(read(network, PROFILE.budget), "coarse", seed, PROFILE, "pin", "engine")


class TestClose:
    """Display.close."""

    def test_says_what_follows_and_why(self) -> None:
        """The second round is announced, and its trainings have the first one's name and their seed."""
        out = io.StringIO()
        first, *further = job(0), job(1001), job(1002)
        names = {first.digest: "alice: resnet, coarse labels"}
        display = Display(Console(file=out, width=200), 0, names)
        display.close([(first, further)])
        for one in further:
            display.started(one)
        assert out.getvalue().splitlines() == [
            "  1 network came close to the accuracy wanted: "
            "two more trainings each, the median of three decides",
            "training alice: resnet, coarse labels, again with seed 1001",
            "training alice: resnet, coarse labels, again with seed 1002",
        ]


NAMES = {
    "one": "jane.o-connor-whitfield_of_somewhere_12345_67890: wide_resnet, coarse labels",
    "two": "李小龙李小龙李小龙李小龙: resnet, fine labels",
}


def class_of_200() -> Tally:
    """In the middle of its run: faults, names of all lengths, everything there is to count."""
    tally = Tally([f"s{number}" for number in range(200)], 1000, places=2)
    for number in range(60):
        tally.probed(f"s{number}")
    for number in range(58):
        tally.decided(f"s{number}")
    tally.known |= {f"known {number}" for number in range(118)}
    tally.stored |= {"a", "b", "c"}
    for number in range(9):
        tally.queued(str(number))
    tally.queued("one")
    tally.queued("two")
    tally.finished("0", 90.0, fault=True)
    tally.started("one", 100.0)
    tally.step("one", 1, 0.5, 0.314, 12.0)
    tally.started("two", 101.0)
    return tally


def rendered(tally: Tally, width: int, left: str = "about 12 min left") -> list[str]:
    """The block as a terminal of that width has it."""
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as captured:
        for line in block(tally, width, lambda digest: NAMES.get(digest, f"network {digest}"), left):
            console.print(line)
    return captured.get().splitlines()


class TestBlock:
    def test_at_80_columns(self) -> None:
        assert rendered(class_of_200(), 80) == [
            "Students   ━━━━────────── 58 of 200 done, 2 running, 140 queued",
            "Trainings  ━───────────── 1 of 11 done, 2 running, 1 failed, 3 stored, 118 known",
            "  jane.o-connor-whitfield_…: wide_resnet, coarse labels: epoch 2, 31%, 0:12 left",
            "  李小龙李小龙李小龙李小龙: resnet, fine labels: starting",
            "About 12 min left",
        ]

    def test_at_40_columns(self) -> None:
        assert rendered(class_of_200(), 40) == [
            "Students   58 of 200 done, 2 running,",
            "           140 queued",
            "Trainings  1 of 11 done, 2 running,",
            "           1 failed, 3 stored, 118 known",
            "  jane.o-conno…: epoch 2, 31%, 0:12 left",
            "  李小龙李小龙李小龙李小龙: r…: starting",
            "About 12 min left",
        ]

    @settings(deadline=None)
    @given(st.integers(10, 200), st.integers(0, 12))
    def test_no_line_is_wider_than_the_terminal_and_there_are_few(self, width: int, running: int) -> None:
        tally = class_of_200()
        for number in range(running):
            tally.started(f"more {number}", 0.0)
        lines = block(tally, width, lambda digest: NAMES.get(digest, "network"), "about 12 min left")
        assert all(line.cell_len <= width for line in lines)
        assert len(lines) <= 18

    def test_one_submission_shows_its_tasks_until_they_are_probed(self) -> None:
        tally = Tally(["jane"], 5)
        tally.probed("jane")
        assert rendered(tally, 80, "about 20 s left") == [
            "Tasks      ━━━━──────────────── 1 of 5 done",
            "About 20 s left",
        ]
        tally.decided("jane")
        assert rendered(tally, 80, "") == []

    def test_bars_are_full_at_the_end_and_not_before(self) -> None:
        tally = Tally([f"s{number}" for number in range(200)], 1000)
        for number in range(200):
            assert "─" in rendered(tally, 80)[0]
            tally.decided(f"s{number}")
        assert rendered(tally, 80, "") == ["Students   ━━━━━━━━━━━━━━━━━━━━ 200 of 200 done"]


class TestLogLine:
    def test_has_all_of_it(self) -> None:
        assert log_line(class_of_200(), "about 12 min left") == (
            "58 of 200 students done, 2 running, 140 queued; "
            "1 of 11 trainings done, 2 running, 1 failed, 3 stored, 118 known; about 12 min left"
        )

    def test_where_all_is_known(self) -> None:
        tally = Tally(["a", "b"], 2)
        tally.known.add("x")
        assert log_line(tally, "time left not known yet") == (
            "0 of 2 students done, 2 queued; trainings: 1 known; time left not known yet"
        )

    def test_nothing_where_there_is_nothing(self) -> None:
        assert log_line(Tally(), "time left not known yet") == ""


class TestDisplay:
    def test_in_a_log_a_line_now_and_then_and_faults_as_they_happen(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(progress, "LOG_SECONDS", 0.05)
        out = io.StringIO()
        with Display(Console(file=out, width=200), 4, students=["jane", "omar"]) as display:
            display.decided("jane", "not a zip\nand more")
            display.started(job(0))
            display.ended(job(0), TrainerFault("killed"))
            deadline = time.monotonic() + 10
            while "students done" not in out.getvalue() and time.monotonic() < deadline:
                time.sleep(0.01)
        lines = out.getvalue().splitlines()
        assert lines[0] == "  jane: not a zip and more"
        assert lines[1].endswith("on coarse labels: killed")
        assert lines[2].startswith("1 of 2 students done, 1 queued; 1 of 1 trainings done, 1 failed; ")

    def test_a_short_run_of_a_class_is_silent_in_a_log(self) -> None:
        out = io.StringIO()
        with Display(Console(file=out), 2, students=["jane", "omar"]) as display:
            display.probed("jane", "resnet")
            display.decided("jane")
            display.decided("omar")
        assert out.getvalue() == ""

    def test_in_a_terminal_from_many_threads_at_once(self) -> None:
        """Lines are printed above the block while it is drawn: no thread waits for another for ever."""
        out = io.StringIO()
        console = Console(file=out, width=80, force_terminal=True, color_system=None)
        names = [f"student {number}" for number in range(60)]
        with Display(console, 60, students=names) as display, ThreadPoolExecutor(8) as threads:
            display._live.refresh_per_second = 100

            def one(name: str) -> None:
                display.probed(name, "resnet")
                time.sleep(0.01)
                display.decided(name, "a fault")

            done = [threads.submit(one, name) for name in names]
            for future in done:
                future.result(timeout=30)
            time.sleep(0.6)
        shown = out.getvalue()
        assert all(f"  {name}: a fault" in shown for name in names)
        assert "60 of 60 done" in shown

    def test_what_is_known_and_stored_is_counted_once(self) -> None:
        display = Display(Console(quiet=True), 4, students=["jane", "omar"])
        for _ in range(2):
            display.known("digest")
        display.queued(job(0))
        display.queued(job(1))
        assert log_line(display._tally, "").endswith("0 of 2 trainings done, 1 known")
