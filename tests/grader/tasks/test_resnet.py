"""The judge of resnet.py beyond the bank, which test_bank.py tries."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from grader.blueprint import Blueprint, Budget
from grader.grading import to_train
from grader.grading.evidence import Evidence
from grader.grading.judging import Case, judge
from grader.results.record import Status
from grader.tasks.resnet import probe

ROOT = Path(__file__).parents[3]
SEED = 3
BUDGET = Budget(parameters=1_000_000, flops=40_000_000, activations=1_000_000, nodes=200)


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
            resnet.solution, {**probe.draw(SEED), "builder_arguments": {"blocks": [1, 1, 1, 1], "width": 4}}
        )
        assert not_passed(verdicts) == {}
        assert set(verdicts) == {check.id for check in resnet.task.checks if check.train is None}


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    def test_another_network_for_the_training_alone(self, resnet: Any) -> None:
        """The networks that are trained are looked at like the others."""
        deeper = resnet.edited(("in range(count)", "in range(count + (num_classes == 100))"))
        verdicts = resnet(deeper, {**small_inputs(), "builder_arguments": {"blocks": [1, 1], "width": 4}})
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


class TestRepeats:
    """What the lone block has is not reported twice; no other fault is excused by it."""

    ARGUMENTS: ClassVar[dict[str, Any]] = {"blocks": [1, 1, 1, 1], "width": 4}
    SHORTCUT = "shortcut = _convolution(x, 4 * filters, kernel=1, stride=stride)"
    ONLY_IN_NETWORKS = """
def bottleneck_block(x, filters, *, stride=1):
    global lone
    lone = True
    try:
        return _block(x, filters, stride=stride)
    finally:
        lone = False
"""

    def judged(self, resnet: Any, source: str) -> tuple[dict[str, Any], Any]:
        """The verdicts, and what becomes of the network that is to be trained."""
        inputs = {**small_inputs(), "builder_arguments": self.ARGUMENTS}
        found = Evidence(True, True, None, "ok", None, resnet.calls(source, inputs))
        case = Case(resnet.task, found, inputs)
        verdicts = judge(case)
        check = next(one for one in resnet.task.checks if one.train == "coarse")
        described = to_train.described_network(resnet.task, 20, {"blocks": (1, 1, 1, 1), "width": 4})
        return verdicts, to_train.network(case, check, verdicts, BUDGET, described)

    def test_a_repeated_fault(self, resnet: Any) -> None:
        """It earns nothing in the network, says where to look, and does not stop the training."""
        source = resnet.edited(
            ("x = _convolution(x, 4 * filters, kernel=1)", "x = keras.layers.Conv2D(4 * filters, 1)(x)")
        )
        verdicts, network = self.judged(resnet, source)
        assert verdicts["block.normalisation"].status is Status.FAILED
        repeated = verdicts["bottlenecks"]
        assert (repeated.status, repeated.fraction) == (Status.BLOCKED, 0)
        assert "reported above" in repeated.message
        assert isinstance(network, Blueprint)

    def test_a_momentum_in_block_and_stem(self, resnet: Any) -> None:
        verdicts, network = self.judged(
            resnet, resnet.edited(("BatchNormalization()(x)", "BatchNormalization(momentum=0.999)(x)"))
        )
        assert {check for check, v in verdicts.items() if v.status is Status.FAILED} == {
            "block.normalisation"
        }
        repeated = {check for check, v in verdicts.items() if "reported above" in v.message}
        assert repeated == {"stem", "bottlenecks"}
        assert isinstance(network, Blueprint)

    @pytest.mark.parametrize(
        ("alone", "in_the_network"),
        [
            # The kind of fault is the same: a shortcut that is not what it should be.
            (
                "kernel=3, stride=stride)",
                "kernel=3, stride=stride); shortcut = _convolution(shortcut, 4 * filters, kernel=3)",
            ),
            ("kernel=3, stride=stride)", "kernel=5, stride=stride)"),
        ],
    )
    def test_another_fault_of_the_same_kind(self, resnet: Any, alone: str, in_the_network: str) -> None:
        """A fault of the lone block excuses no other one; what costs much more for it is not trained."""
        begin = self.SHORTCUT.partition("kernel=1")[0]
        source = resnet.edited(
            (
                self.SHORTCUT,
                f"if lone:\n            {begin}{alone}\n        else:\n            {begin}{in_the_network}",
            ),
            ("def bottleneck_block(x: keras.KerasTensor", "lone = False\n\ndef _block(x: keras.KerasTensor"),
            ("x = bottleneck_block(x, width", "x = _block(x, width"),
        )
        verdicts, network = self.judged(resnet, source + self.ONLY_IN_NETWORKS)
        assert verdicts["block.shortcut"].status is Status.FAILED
        assert verdicts["bottlenecks"].status is Status.FAILED, verdicts["bottlenecks"]
        assert "on the shortcut" in verdicts["bottlenecks"].message
        assert (network.status, network.in_share) == (Status.FAILED, True)

    def test_a_head_for_the_training_alone(self, resnet: Any) -> None:
        """It fails its check, and costs too much to be trained."""
        source = resnet.edited(
            (
                "outputs = keras.layers.Dense(num_classes",
                "for _ in range(2 * (width == 4)): x = keras.layers.Dense(64, activation='relu')(x)\n"
                "    outputs = keras.layers.Dense(num_classes",
            )
        )
        verdicts, network = self.judged(resnet, source)
        assert verdicts["head"].status is Status.FAILED
        assert network.status is Status.FAILED
        assert "parameters; the one that was asked for has" in network.message

    def test_poolings_that_take_long(self, resnet: Any) -> None:
        """A pooling is not a cheap way to make a training long."""
        stem = "x = keras.layers.ReLU()(_convolution(inputs, width, kernel=3))"
        slow = (
            f"{stem}\n    for _ in range(9): x = keras.layers.MaxPooling2D(8, strides=1, padding='same')(x)\n"
        )
        verdicts, network = self.judged(resnet, resnet.edited((stem, slow)))
        assert verdicts["stem"].status is Status.FAILED
        assert network.status is Status.FAILED
        assert "operations for one image" in network.message

    def test_zeros_that_take_memory(self, resnet: Any) -> None:
        """Channels of zeros that a dense layer reads cost memory, and are not free."""
        stem = "x = keras.layers.ReLU()(_convolution(inputs, width, kernel=3))"
        zeros = (
            f"{stem}\n    x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, 400)))\n"
            "    x = keras.layers.Dense(width, use_bias=False)(x)\n"
        )
        verdicts, network = self.judged(resnet, resnet.edited((stem, zeros)))
        assert verdicts["stem"].status is Status.FAILED
        assert network.status is Status.FAILED


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

    @pytest.mark.slow
    def test_in_the_harness(self, resnet: Any, tmp_path: Path, processes: Any) -> None:
        """The real way: another process, evidence on disk, the builder arguments through JSON."""
        builder_arguments = {"blocks": [1, 1], "width": 4}
        (tmp_path / "builder-arguments.json").write_text(json.dumps(builder_arguments))
        (tmp_path / "output").mkdir()
        process, _ = processes["keras"]
        process.start(
            *(ROOT / "grader/sandbox/guest/harness.py", "--module", "resnet.py"),
            *("--probe", ROOT / "grader/tasks/resnet/probe.py", "--submission", ROOT / "solutions"),
            *("--output", tmp_path / "output", "--seed", 5),
            *("--builder-arguments", tmp_path / "builder-arguments.json"),
            *("--seconds", 120),  # on a busy machine
        )
        assert process.wait() == 0
        evidence = Evidence.read(tmp_path / "output")
        assert "train.fine" in evidence.calls
        verdicts = judge(
            Case(resnet.task, evidence, {**probe.draw(5), "builder_arguments": builder_arguments})
        )
        assert not_passed(verdicts) == {}
