"""Progress where there is no terminal: lines that say what is being done."""

import io
from pathlib import Path

from rich.console import Console

from grader.blueprint import read
from grader.config import profiles
from grader.training.job import Job
from grader.training.progress import Display

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
