"""The judge of build_alexnet beyond the bank, which test_bank.py tries."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.grading.evidence import Evidence
from grader.grading.judging import Case, judge
from grader.results.record import Status
from grader.tasks.alexnet import probe

ROOT = Path(__file__).parents[3]
SEED = 3


@pytest.fixture(scope="module")
def alexnet(network_judge: Any) -> Any:
    return network_judge("alexnet")


def inputs(**builder_arguments: Any) -> dict[str, Any]:
    """All of the probe's, with builder arguments."""
    return {**probe.draw(SEED), "builder_arguments": {"width": 0.125, "dropout": 0.1, **builder_arguments}}


def small_inputs() -> dict[str, Any]:
    """Without the network of full size and those for training, which take most of the time."""
    drawn = probe.draw(SEED)
    drawn["default"]["width"] = 0.125
    return drawn


class TestWhatIsRight:
    """Whatever gives the network of the brief passes every check."""

    def test_solution(self, alexnet: Any) -> None:
        verdicts = alexnet(alexnet.solution, inputs())
        assert {check for check, verdict in verdicts.items() if verdict.status is not Status.PASSED} == set()
        assert set(verdicts) == {check.id for check in alexnet.task.checks if check.train is None}

    def test_builder_arguments_without_dropout_leaves_it_out(self, alexnet: Any) -> None:
        verdicts = alexnet(
            alexnet.solution, {**small_inputs(), "builder_arguments": {"width": 0.125, "dropout": 0.0}}
        )
        assert verdicts["dropout"].status is Status.PASSED


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    def test_another_network_for_the_training_alone(self, alexnet: Any) -> None:
        """The networks that are trained are looked at like the others."""
        wider = ("round(width * units)", "round(width * units * (2 if num_classes == 100 else 1))")
        verdicts = alexnet(alexnet.edited(wider), inputs())
        assert "build_alexnet(100, width=0.125" in verdicts["width"].message

    def test_another_size_of_image_for_the_training_alone(self, alexnet: Any) -> None:
        smaller = (
            "inputs = keras.Input(shape=input_shape)",
            "inputs = keras.Input((28, 28, 3) if num_classes == 100 else input_shape)",
        )
        verdicts = alexnet(alexnet.edited(smaller), inputs())
        assert "a model for inputs of shape (28, 28, 3)" in verdicts["input_shape"].message
        assert "build_alexnet(100, width=0.125" in verdicts["input_shape"].message

    def test_next_to_nothing_for_the_training_alone(self, alexnet: Any) -> None:
        """What is missing from one network is not excused by the others."""
        bare = (
            'outputs = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(x)',
            "if num_classes == 100: x = keras.layers.Flatten()(inputs)\n"
            '    outputs = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(x)',
        )
        verdicts = alexnet(alexnet.edited(bare), inputs())
        for check in ("convolutions", "normalisation", "activation", "pooling", "dense", "dropout"):
            assert verdicts[check].status is Status.FAILED, check
            assert "build_alexnet(100, width=0.125" in verdicts[check].message

    def test_stub(self, alexnet: Any) -> None:
        stub = "def build_alexnet(num_classes, **options):\n    raise NotImplementedError\n"
        statuses = {verdict.status for verdict in alexnet(stub, inputs()).values()}
        assert statuses == {Status.NOT_ATTEMPTED}


class TestProbe:
    """The inputs tell everything apart, whatever the seed."""

    @pytest.mark.parametrize("seed", range(50))
    def test_draw(self, seed: int) -> None:
        drawn = probe.draw(seed)
        assert json.loads(json.dumps(drawn)) == {
            name: {k: list(v) if isinstance(v, tuple) else v for k, v in kwargs.items()}
            for name, kwargs in drawn.items()
        }
        assert len({kwargs["num_classes"] for kwargs in drawn.values()}) == len(drawn)
        assert drawn["small"]["width"] != drawn["shape"]["width"]
        assert drawn["small"]["dropout"] != drawn["shape"]["dropout"]
        height, width, channels = drawn["shape"]["input_shape"]
        assert height != width
        assert channels != 3
        uneven = [drawn["rounding"]["width"] * n for n in (96, 256, 384, 1024, 512)]
        assert [int(n) for n in uneven] != [round(n) for n in uneven] != [int(n) + 1 for n in uneven]
        assert round(96 * drawn["tiny"]["width"]) == 0

    def test_the_same_seed_draws_the_same(self) -> None:
        assert probe.draw(7) == probe.draw(7) != probe.draw(8)

    @pytest.mark.slow
    def test_in_the_harness(self, alexnet: Any, tmp_path: Path) -> None:
        """The real way: another process, evidence on disk, the builder arguments through JSON."""
        builder_arguments = {"width": 0.125, "dropout": 0.1, "input_shape": [16, 16, 3]}
        (tmp_path / "builder-arguments.json").write_text(json.dumps(builder_arguments))
        (tmp_path / "output").mkdir()
        command = [
            sys.executable,
            "-I",
            "-B",
            ROOT / "grader/sandbox/guest/harness.py",
            "--module",
            "alexnet.py",
        ]
        command += ["--probe", ROOT / "grader/tasks/alexnet/probe.py", "--submission", ROOT / "solutions"]
        command += [
            "--output",
            tmp_path / "output",
            "--seed",
            "5",
            "--builder-arguments",
            tmp_path / "builder-arguments.json",
        ]
        command += ["--seconds", "120"]  # on a busy machine
        subprocess.run(command, check=True, timeout=400, capture_output=True)
        evidence = Evidence.read(tmp_path / "output")
        assert "train.fine" in evidence.calls
        verdicts = judge(
            Case(alexnet.task, evidence, {**probe.draw(5), "builder_arguments": builder_arguments})
        )
        assert {check: v.message for check, v in verdicts.items() if v.status is not Status.PASSED} == {}
