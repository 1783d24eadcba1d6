"""The judge of wide_resnet.py beyond the bank: see test_bank.py for that."""

import importlib.util
import json
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from grader.grading.evidence import Evidence
from grader.grading.judging import Case, judge
from grader.results.record import Status
from grader.tasks.wide_resnet import probe

ROOT = Path(__file__).parents[3]
SEED = 3

JUNK = {
    "one convolution": "keras.layers.Conv2D(1, 1)(x)",
    "one normalisation": "keras.layers.BatchNormalization()(x)",
    "convolution and ReLU": "keras.layers.ReLU()(keras.layers.Conv2D(1, 1)(x))",
    "pooling and a dense layer": "keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(x))",
    "a dense layer with softmax": 'keras.layers.Dense(1, activation="softmax")(keras.layers.Flatten()(x))',
    "an addition": "keras.layers.BatchNormalization()(x) + x",
}


@pytest.fixture(scope="module")
def wide_resnet(network_judge: Any) -> Any:
    return network_judge("wide_resnet")


@pytest.fixture(scope="module")
def solution() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wide_resnet_solution", ROOT / "solutions/wide_resnet.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def small_inputs() -> dict[str, Any]:
    """Without the network of full size: building layers is what takes the time."""
    drawn = probe.draw(SEED)
    drawn["default"] = {"num_classes": 7, "depth": 8, "width": 1}
    return drawn


def not_passed(verdicts: dict[str, Any]) -> dict[str, str]:
    """What did not pass, with its message."""
    return {check: v.message for check, v in verdicts.items() if v.status is not Status.PASSED}


class TestWhatIsRight:
    """Whatever gives the network of the brief passes every check."""

    def test_solution(self, wide_resnet: Any) -> None:
        verdicts = wide_resnet(
            wide_resnet.solution, {**probe.draw(SEED), "builder_arguments": {"depth": 8, "width": 1}}
        )
        assert not_passed(verdicts) == {}
        assert set(verdicts) == {check.id for check in wide_resnet.task.checks if check.train is None}


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    def test_a_tail_for_the_training_alone(self, wide_resnet: Any) -> None:
        """What is missing from one network is not excused by the others."""
        short = (
            "    x = _convolution(_normalised(x), num_classes, kernel=1)",
            "    if num_classes == 20: x = keras.layers.Conv2D(20, 1)(x)\n"
            "    else: x = _convolution(_normalised(x), num_classes, kernel=1)",
        )
        inputs = {**small_inputs(), "builder_arguments": {"depth": 8, "width": 1}}
        verdicts = wide_resnet(wide_resnet.edited(short), inputs)
        assert "build_wide_resnet(20, depth=8, width=1)" in verdicts["tail"].message

    @pytest.mark.parametrize("name", JUNK)
    def test_junk(self, wide_resnet: Any, name: str) -> None:
        """A network with next to nothing in it has no faults to find, and earns next to nothing."""
        source = dedent(f"""
            import keras

            def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
                x = keras.Input(input_shape)
                return keras.Model(x, {JUNK[name]})
        """)
        passed = {c for c, verdict in wide_resnet(source, small_inputs()).items() if verdict.fraction}
        assert passed <= {"builds", "input_shape"}

    def test_another_network_for_the_training_alone(self, wide_resnet: Any) -> None:
        """The networks that are trained are looked at like the others."""
        deeper = wide_resnet.edited(
            ("in range((depth - 2) // 6)", "in range((depth - 2) // 6 + (num_classes == 100))")
        )
        verdicts = wide_resnet(deeper, {**small_inputs(), "builder_arguments": {"depth": 8, "width": 1}})
        assert verdicts["depth"].message.startswith(
            "build_wide_resnet(100, depth=8, width=1): it has 6 blocks"
        )

    def test_stub(self, wide_resnet: Any) -> None:
        source = "def build_wide_resnet(*args, **options):\n    raise NotImplementedError\n"
        statuses = {verdict.status for verdict in wide_resnet(source, small_inputs()).values()}
        assert statuses == {Status.NOT_ATTEMPTED}


class TestTheCause:
    """One cause is one failure, described as what it is."""

    def test_zeros_from_a_layer_without_a_word(self, wide_resnet: Any) -> None:
        """A Lambda of zeros fails `builds`, and the shortcut that it is part of is not called another."""
        source = wide_resnet.edited(
            (
                "keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, filters - x.shape[-1])))",
                "keras.layers.Concatenate()([x, keras.layers.Lambda(keras.ops.zeros_like)(x)])",
            )
        )
        verdicts = wide_resnet(source, small_inputs())
        assert [*not_passed(verdicts)] == ["builds", "parameters"]  # whose number is of the full size
        assert "Write keras.ops.zeros_like(x) in its place" in verdicts["builds"].message

    def test_a_projection_where_the_size_is_kept(self, wide_resnet: Any) -> None:
        """In stage 0 no zero padding is wanted, whatever the stem has made the channels."""
        source = dedent(WRN)
        verdicts = wide_resnet(source, small_inputs())
        message = verdicts["block.shortcut"].message
        assert "the size is kept, yet the shortcut has a 1x1 convolution with 16 filters" in message
        assert message.endswith("expected the block's input as it is.")

    def test_a_pooling_of_a_fixed_size(self, wide_resnet: Any) -> None:
        verdict = wide_resnet(dedent(WRN), small_inputs())["input_shape"]
        assert verdict.status is Status.FAILED
        assert str(verdict.hint).startswith("A pooling of a fixed size serves images of one size.")

    def test_the_hint_of_another_misfit_is_the_usual_one(self, wide_resnet: Any) -> None:
        fixed = ("keras.Input(shape=input_shape)", "keras.Input(shape=(32, 32, 3))")
        verdict = wide_resnet(wide_resnet.edited(fixed), small_inputs())["input_shape"]
        assert verdict.status is Status.FAILED
        assert verdict.hint is None


# As a WRN-28-10 is usually written for Keras.
WRN = """
    from keras.layers import (
        Activation, Add, AveragePooling2D, BatchNormalization, Conv2D, Dense, Flatten, Input
    )
    import keras


    def bn_relu_conv(x, n, s=1):
        x = Activation("relu")(BatchNormalization()(x))
        return Conv2D(n, 3, padding="same", strides=s, use_bias=False)(x)


    def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
        image = Input(shape=input_shape)
        x = Conv2D(8, 3, padding="same", use_bias=False)(image)
        for stage in range(3):
            f = 16 * width * 2**stage
            for b in range((depth - 2) // 6):
                s = 2 if stage and not b else 1
                y = bn_relu_conv(bn_relu_conv(x, f, s), f)
                if b == 0:
                    x = Conv2D(f, 1, strides=s, padding="same", use_bias=False)(x)
                x = Add()([x, y])
        x = Flatten()(AveragePooling2D((8, 8))(Activation("relu")(BatchNormalization()(x))))
        return keras.Model(image, Dense(num_classes, activation="softmax")(x))
"""


class TestSolution:
    """The solution does what its docstring says, and can be trained from its description."""

    @pytest.mark.parametrize("depth", [2, 6, 7, 9, 18, 0, -4])
    def test_depth(self, solution: ModuleType, depth: int) -> None:
        with pytest.raises(ValueError, match=rf"`depth` must be 6 \* n \+ 2.*Received: depth={depth}"):
            solution.build_wide_resnet(10, depth=depth, width=1)

    @pytest.mark.parametrize("wrong", [{"num_classes": 0}, {"num_classes": 5, "width": 0}])
    def test_other_arguments(self, solution: ModuleType, wrong: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="must be above 0"):
            solution.build_wide_resnet(**wrong)

    def test_rebuilt(self, solution: ModuleType) -> None:
        """Rebuilt from its blueprint, with the same weights, it computes the same to the last bit."""
        from grader import blueprint
        from grader.sandbox.guest.describe import describe
        from grader.tasks.networks import BUDGET

        model = solution.build_wide_resnet(20, depth=14, width=1)
        read = blueprint.read(json.loads(json.dumps(describe(model))), BUDGET)
        rebuilt = blueprint.build(read)
        # Both sort their layers from the input on, and a path without branches leaves no choice: only the
        # shortcuts branch, and they have no weights.
        rebuilt.set_weights(model.get_weights())
        images = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype("float32")
        for training in (False, True):
            one, other = (np.asarray(each(images, training=training)) for each in (model, rebuilt))
            np.testing.assert_array_equal(one, other)
        assert one.std() > 0


class TestProbe:
    """The inputs tell everything apart, whatever the seed."""

    @pytest.mark.parametrize("seed", range(50))
    def test_draw(self, seed: int) -> None:
        drawn = probe.draw(seed)
        small, shape = drawn["small"], drawn["shape"]
        for name in ("num_classes", "depth", "width"):
            assert small[name] != shape[name]
        assert {small["depth"], shape["depth"]} == {8, 14}
        assert len(set(shape["input_shape"])) == 3
        assert 3 not in shape["input_shape"]

    def test_the_same_seed_draws_the_same(self) -> None:
        assert probe.draw(7) == probe.draw(7) != probe.draw(8)

    @pytest.mark.slow
    def test_in_the_harness(self, wide_resnet: Any, tmp_path: Path, processes: Any) -> None:
        """The real way: another process, evidence on disk, the builder arguments through JSON."""
        builder_arguments = {"depth": 8, "width": 1}
        (tmp_path / "builder-arguments.json").write_text(json.dumps(builder_arguments))
        (tmp_path / "output").mkdir()
        process, _ = processes["keras"]
        process.start(
            *(ROOT / "grader/sandbox/guest/harness.py", "--module", "wide_resnet.py"),
            *("--probe", ROOT / "grader/tasks/wide_resnet/probe.py", "--submission", ROOT / "solutions"),
            *("--output", tmp_path / "output", "--seed", 5),
            *("--builder-arguments", tmp_path / "builder-arguments.json"),
            *("--seconds", 120),  # on a busy machine
        )
        assert process.wait() == 0
        evidence = Evidence.read(tmp_path / "output")
        assert "train.fine" in evidence.calls
        verdicts = judge(
            Case(wide_resnet.task, evidence, {**probe.draw(5), "builder_arguments": builder_arguments})
        )
        assert not_passed(verdicts) == {}
