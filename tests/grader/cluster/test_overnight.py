"""Three workers, one killed, one stopped, one late: marks as of one machine, each recorded once."""

import csv
import json
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from grader import gradebook
from grader.cluster import certificates
from grader.commands import grade
from grader.commands.grade import Order
from tests.grader.cluster.running import ROOT, Process, scheduler, soon, worker

WRONG = {
    "zeros": ('kernel_initializer="he_normal",  # keeps', 'kernel_initializer="zeros",  # keeps'),
}


def checkout(folder: Path) -> Path:
    """One with nothing trained and nothing probed in it yet."""
    folder.mkdir()
    for name in (
        *("assignment", "solutions", "reference", "params.yaml", "pyproject.toml", "uv.lock"),
        *("grader", "lab"),
    ):
        (folder / name).symlink_to(ROOT / name)
    return folder


def handed_in(folder: Path) -> Path:
    """A class: a right one, one with a wrong network, one without a file."""
    for name in ("alice", *WRONG):
        shutil.copytree(ROOT / "solutions", folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        with (folder / name / "alexnet.py").open("a", encoding="utf-8") as file:
            file.write(f"\n# by {name}\n")
    for name, (before, after) in WRONG.items():
        path = folder / name / "alexnet.py"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
    (folder / "nobody").mkdir()
    (folder / "nobody" / "notes.txt").write_text("to do")
    return folder


def marks(out: Path) -> Any:
    """All that was decided, without times."""
    found = {}
    for path in sorted(out.glob("*/results.json")):
        tests = json.loads(path.read_text())["tests"]
        found[path.parent.name] = [
            (test["name"], test.get("score"), test.get("status"), test.get("tags")) for test in tests
        ]
    with (out / "marks.csv").open() as file:
        return found, list(csv.reader(file))


@pytest.mark.slow
def test_marks_are_those_of_one_machine(tmp_path: Path) -> None:
    submissions = handed_in(tmp_path / "class")
    certificates.make(certs := tmp_path / "certs")

    def order(out: str, **more: Any) -> Order:
        return Order(
            paths=[submissions],
            profile="offline",
            engine="auto",
            seed=7,
            out=tmp_path / out,
            trust=False,
            workers=2,
            **more,
        )

    with (tmp_path / "grade.log").open("w") as log:
        here, there = checkout(tmp_path / "here"), checkout(tmp_path / "there")
        assert grade.grade(here, Console(file=log, width=200), order("local")) == 1  # one has no task file
        workers: list[Process] = []
        with scheduler(tmp_path, certs) as (scheduling, address):
            try:
                killed = worker(tmp_path, "killed", address, certs)
                stopped = worker(tmp_path, "stopped", address, certs)
                workers += [killed, stopped]
                for one in workers:
                    one.says("Joined")

                def harm() -> None:
                    """In the middle: when both have done something, and have the next thing."""
                    for one in (killed, stopped):
                        one.says("probe of")
                    killed.signal(signal.SIGKILL)
                    stopped.signal(signal.SIGSTOP)
                    workers.append(worker(tmp_path, "late", address, certs))

                harming = threading.Thread(target=harm)
                harming.start()
                console = Console(file=log, width=200)
                code = grade.grade(there, console, order("far", scheduler=address, certificates=certs))
                harming.join()
                assert code == 1
                late = workers[2]
                assert "training " in late.said
                # Whoever was stopped is awake again, and was given up long ago.
                stopped.signal(signal.SIGCONT)
                stopped.says("gone, or has given this worker up")
                soon(lambda: stopped.process.poll() is not None)
                assert late.end() == 0
                assert scheduling.said.count("joined: ") == 3
            finally:
                for one in workers:
                    one.end()
    assert marks(tmp_path / "far") == marks(tmp_path / "local")
    kept = [{path.name for path in (root / ".kit" / "trainings").iterdir()} for root in (here, there)]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 2
    # Each was graded once, on the cluster as here.
    with gradebook.read(tmp_path / "far") as book:
        recorded = {key: len(one.marks) for key, one in book.current().items() if one.mark}
    assert len(recorded) == 2
    assert set(recorded.values()) == {1}, recorded
