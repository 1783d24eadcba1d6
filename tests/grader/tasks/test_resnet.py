"""The judge of resnet.py beyond the bank of mutants and alternatives, which test_bank.py goes through."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.evidence import Evidence
from grader.judging import Case, judge
from grader.record import Status
from grader.tasks.resnet import probe

ROOT = Path(__file__).parents[3]
SEED = 3


@pytest.fixture(scope="module")
def resnet(network_judge: Any) -> Any:
    return network_judge("resnet")


def small_inputs() -> dict[str, Any]:
    """Without the network of full size and with fewer blocks: building layers is what takes the time."""
    drawn = probe.draw(SEED)
    drawn["networks"]["default"] = {"num_classes": 7, "blocks": (2, 1), "width": 3}
    drawn["networks"]["small"]["blocks"] = (1, 1)
    drawn["networks"]["shape"]["blocks"] = (1, 1)
    return drawn


def not_passed(verdicts: dict[str, Any]) -> dict[str, str]:
    """What did not pass, with its message."""
    return {check: v.message for check, v in verdicts.items() if v.status is not Status.PASSED}


class TestWhatIsRight:
    """Whatever gives the network of the brief passes every check."""

    def test_solution(self, resnet: Any) -> None:
        verdicts = resnet(
            resnet.solution, {**probe.draw(SEED), "recipe": {"blocks": [1, 1, 1, 1], "width": 4}}
        )
        assert not_passed(verdicts) == {}
        assert set(verdicts) == {check.id for check in resnet.task.checks if check.train is None}


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    def test_another_network_for_the_training_alone(self, resnet: Any) -> None:
        """The networks that are trained are looked at like the others."""
        deeper = resnet.edited(("in range(count)", "in range(count + (num_classes == 100))"))
        verdicts = resnet(deeper, {**small_inputs(), "recipe": {"blocks": [1, 1], "width": 4}})
        assert verdicts["blocks"].message.startswith(
            "build_resnet(100, blocks=(1, 1), width=4): it has 4 blocks"
        )

    def test_stub(self, resnet: Any) -> None:
        stub = "def {}(*args, **options):\n    raise NotImplementedError\n\n"
        source = stub.format("bottleneck_block") + stub.format("build_resnet")
        statuses = {verdict.status for verdict in resnet(source, small_inputs()).values()}
        assert statuses == {Status.NOT_ATTEMPTED}

    def test_the_block_alone(self, resnet: Any) -> None:
        """A right block is paid before there is a network."""
        source = f"{resnet.solution}\n\ndef build_resnet(*args, **options):\n    raise NotImplementedError\n"
        verdicts = resnet(source, small_inputs())
        for check, verdict in verdicts.items():
            expected = Status.PASSED if check.startswith("block.") else Status.NOT_ATTEMPTED
            assert verdict.status is expected, check

    def test_no_training_where_the_network_is_another(self, resnet: Any) -> None:
        """The checks that train wait for what makes the network a ResNet of the asked size."""
        for check in resnet.task.checks:
            if check.train:
                assert set(check.after) >= {"block.addition", "width", "strides", "bottlenecks"}


class TestProbe:
    """The inputs tell everything apart, whatever the seed."""

    @pytest.mark.parametrize("seed", range(50))
    def test_draw(self, seed: int) -> None:
        drawn = probe.draw(seed)
        blocks, networks = drawn["blocks"], drawn["networks"]
        assert len({block["filters"] for block in blocks.values()}) == 4
        changes = {(block["shape"][2] != 4 * block["filters"], block["stride"]) for block in blocks.values()}
        assert changes == {(False, 1), (False, 2), (True, 1), (True, 2)}
        small, shape = networks["small"], networks["shape"]
        for name in ("num_classes", "blocks", "width"):
            assert small[name] != shape[name]
        assert len(set(shape["input_shape"])) == 3
        assert 3 not in shape["input_shape"]

    def test_the_same_seed_draws_the_same(self) -> None:
        assert probe.draw(7) == probe.draw(7) != probe.draw(8)

    def test_in_the_harness(self, resnet: Any, tmp_path: Path) -> None:
        """The real way: another process, evidence on disk, the recipe through JSON."""
        recipe = {"blocks": [1, 1], "width": 4}
        (tmp_path / "recipe.json").write_text(json.dumps(recipe))
        (tmp_path / "output").mkdir()
        command = [sys.executable, "-I", "-B", ROOT / "grader/inside/harness.py", "--module", "resnet.py"]
        command += ["--probe", ROOT / "grader/tasks/resnet/probe.py", "--submission", ROOT / "solutions"]
        command += ["--output", tmp_path / "output", "--seed", "5", "--recipe", tmp_path / "recipe.json"]
        command += ["--seconds", "120"]  # on a busy machine
        subprocess.run(command, check=True, timeout=400, capture_output=True)
        evidence = Evidence.read(tmp_path / "output")
        assert "train.fine" in evidence.calls
        verdicts = judge(Case(resnet.task, evidence, {**probe.draw(5), "recipe": recipe}))
        assert not_passed(verdicts) == {}
