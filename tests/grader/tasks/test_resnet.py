"""The judge of resnet.py, from both sides: what is right passes every check, what is wrong fails its own.

A mutant is the solution with an edit; an edit that no longer applies fails its test.
"""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from grader.evidence import Evidence
from grader.judging import Case, judge
from grader.record import Status
from grader.tasks.resnet import probe

ROOT = Path(__file__).parents[3]
SEED = 3

SHORTCUT = """\
    if stride != 1 or x.shape[-1] != 4 * filters:
        shortcut = _convolution(x, 4 * filters, kernel=1, stride=stride)
"""
PROJECTION = "shortcut = _convolution(x, 4 * filters, kernel=1, stride=stride)"
FIRST = "x = keras.layers.ReLU()(_convolution(x, filters, kernel=1))"
SECOND = "x = keras.layers.ReLU()(_convolution(x, filters, kernel=3, stride=stride))"
THIRD = "x = _convolution(x, 4 * filters, kernel=1)"
END = "return keras.layers.ReLU()(keras.layers.Add()([x, shortcut]))"
STEM = "x = keras.layers.ReLU()(_convolution(inputs, width, kernel=3))"
STRIDE = "stride = 2 if stage > 0 and block == 0 else 1"
BLOCK = "x = bottleneck_block(x, width * 2**stage, stride=stride)"
POOL = "x = keras.layers.GlobalAveragePooling2D()(x)"
LAST = 'outputs = keras.layers.Dense(num_classes, activation="softmax")(x)'
NORMALISE = "return keras.layers.BatchNormalization()(x)"
INPUT = "inputs = keras.Input(shape=input_shape)"

# name: edits, the checks that fail, a part of the first one's message
MUTANTS: dict[str, tuple[list[tuple[str, str]], set[str], str]] = {
    # the block
    "no 3x3 convolution": (
        [(SECOND, "pass")],
        {"block.convolutions", "builds"},
        "the 2nd convolution is missing: after the ReLU of the 1st convolution comes a 1x1 convolution",
    ),
    "3x3 three times": (
        [(FIRST, FIRST.replace("kernel=1", "kernel=3"))],
        {"block.convolutions"},
        "the 1st convolution has kernel size 3x3, expected 1x1",
    ),
    "a basic block": (
        [(FIRST, "pass"), (THIRD, THIRD.replace("kernel=1", "kernel=3"))],
        {"block.convolutions"},
        "the 1st convolution is missing: after the block's input comes a 3x3 convolution",
    ),
    "third convolution too narrow": (
        [
            (THIRD, "x = _convolution(x, 2 * filters, kernel=1)"),
            ("x.shape[-1] != 4 * filters", "x.shape[-1] != 2 * filters"),
            (PROJECTION, PROJECTION.replace("4 * filters", "2 * filters")),
        ],
        {"block.convolutions"},
        "filters, expected",
    ),
    "no batch normalisation after the third": (
        [(THIRD, "x = keras.layers.Conv2D(4 * filters, 1)(x)")],
        {"block.normalisation"},
        "after the 3rd convolution comes the end, expected batch normalisation",
    ),
    "no batch normalisation at all": (
        [(NORMALISE, "return x")],
        {"block.normalisation", "block.shortcut", "stem"},
        "after the 1st convolution comes ReLU, expected batch normalisation",
    ),
    "momentum 0.999": (
        [(NORMALISE, "return keras.layers.BatchNormalization(momentum=0.999)(x)")],
        {"block.normalisation"},
        "has momentum 0.999, expected at most 0.99",
    ),
    "no ReLU after the 3x3": (
        [(SECOND, "x = _convolution(x, filters, kernel=3, stride=stride)")],
        {"block.activation"},
        "after the batch normalisation of the 2nd convolution comes a 1x1 convolution",
    ),
    "skip left out": (
        [(END, "return keras.layers.ReLU()(x)")],
        {"block.addition"},
        "nothing is added: the block is one path, without a shortcut",
    ),
    "added after the ReLU": (
        [(END, "return keras.layers.Add()([keras.layers.ReLU()(x), shortcut])")],
        {"block.addition"},
        "there is a ReLU between the 3rd convolution and the addition",
    ),
    "ReLU before and after the addition": (
        [(THIRD, "x = keras.layers.ReLU()(_convolution(x, 4 * filters, kernel=1))")],
        {"block.addition"},
        "there is a ReLU between the 3rd convolution and the addition",
    ),
    "no ReLU after the addition": (
        [(END, "return keras.layers.Add()([x, shortcut])")],
        {"block.addition"},
        "after the addition comes the end, expected ReLU",
    ),
    "concatenated": (
        [(END, "return keras.layers.ReLU()(keras.layers.Concatenate()([x, shortcut]))")],
        {"block.addition"},
        "the paths are brought together by a concatenation, expected an addition",
    ),
    "the main path added to itself": (
        [(END, "return keras.layers.ReLU()(keras.layers.Add()([x, x]))")],
        {"block.addition"},
        "the shortcut starts 8 layers into the block, after batch normalisation; expected the block's input",
    ),
    "shortcut from the middle": (
        [(f"    shortcut = x\n{SHORTCUT}\n", ""), (FIRST, f"{FIRST}\n    shortcut = x\n{SHORTCUT}")],
        {"block.addition"},
        "the shortcut starts 3 layers into the block, after ReLU; expected the block's input",
    ),
    "projection missing": (
        [(SHORTCUT, "")],
        {"block.shortcut", "builds"},
        "raised ValueError: Inputs have incompatible shapes",
    ),
    "projection for channels only": (
        [("stride != 1 or x.shape[-1]", "x.shape[-1]")],
        {"block.shortcut"},
        "raised ValueError: Inputs have incompatible shapes",
    ),
    "projection for strides only": (
        [("stride != 1 or x.shape[-1] != 4 * filters", "stride != 1")],
        {"block.shortcut", "builds"},
        "raised ValueError: Inputs have incompatible shapes",
    ),
    "projection without stride": (
        [(PROJECTION, "shortcut = _convolution(x, 4 * filters, kernel=1)")],
        {"block.shortcut", "builds"},
        "raised ValueError: Inputs have incompatible shapes",
    ),
    "projection everywhere": (
        [("if stride != 1 or x.shape[-1] != 4 * filters:", "if True:")],
        {"block.shortcut"},
        "the shape is kept, yet the shortcut has a 1x1 convolution",
    ),
    "projection of 3x3": (
        [(PROJECTION, PROJECTION.replace("kernel=1", "kernel=3"))],
        {"block.shortcut"},
        "the convolution on the shortcut has kernel size 3x3, expected 1x1",
    ),
    "projection without batch normalisation": (
        [(PROJECTION, 'shortcut = keras.layers.Conv2D(4 * filters, 1, strides=stride, padding="same")(x)')],
        {"block.shortcut"},
        "after the convolution on the shortcut comes the end, expected batch normalisation",
    ),
    "average pooling on the shortcut": (
        [
            (
                PROJECTION,
                "shortcut = keras.layers.AveragePooling2D(stride)(x) if stride > 1 else x\n"
                "        shortcut = _convolution(shortcut, 4 * filters, kernel=1)",
            )
        ],
        {"block.shortcut"},
        "after the block's input on the shortcut comes 2x2 average pooling with stride 2, which should",
    ),
    "stride on the first 1x1": (
        [
            (FIRST, FIRST.replace("kernel=1", "kernel=1, stride=stride")),
            (SECOND, SECOND.replace(", stride=stride", "")),
        ],
        {"block.stride"},
        "the 1st convolution has stride 2, expected 1",
    ),
    "stride is not used": (
        [("    shortcut = x\n    if", "    stride = 1\n    shortcut = x\n    if")],
        {"block.stride", "strides"},
        "the 2nd convolution has stride 1, expected 2",
    ),
    "stride in every block": (
        [("    shortcut = x\n    if", "    stride = 2\n    shortcut = x\n    if")],
        {"block.stride", "strides"},
        "the 2nd convolution has stride 2, expected 1",
    ),
    "x is not used": (
        [("    shortcut = x\n    if", "    x = keras.Input(x.shape[1:])\n    shortcut = x\n    if")],
        {"block.builds", "builds"},
        "returned a KerasTensor (ValueError",
    ),
    "returns nothing": (
        [(END, END.removeprefix("return "))],
        {"block.builds", "builds"},
        "returned a NoneType; expected a tensor that layers have made from x",
    ),
    # the network
    "stem of 7x7 with stride 2": (
        [(STEM, STEM.replace("kernel=3", "kernel=7, stride=2"))],
        {"stem"},
        "the first convolution has kernel size 7x7, expected 3x3",
    ),
    "pooling after the stem": (
        [(STEM, f'{STEM}\n    x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)')],
        {"stem"},
        "after the ReLU of the first convolution comes 3x3 max pooling with stride 2, which should not be",
    ),
    "no ReLU in the stem": (
        [(STEM, "x = _convolution(inputs, width, kernel=3)")],
        {"stem"},
        "after the batch normalisation of the first convolution comes the end, expected ReLU",
    ),
    "stem of 64 filters": (
        [(STEM, STEM.replace("width", "64"))],
        {"width"},
        "the first convolution has 64 filters, expected",
    ),
    "blocks is not used": (
        [("in enumerate(blocks)", "in enumerate((1, 1))")],
        {"blocks"},
        "it has 2 blocks, expected",
    ),
    "one block too few": (
        [("in range(count)", "in range(max(1, count - 1))")],
        {"blocks"},
        "it has 2 blocks, expected 2 + 1 = 3",
    ),
    "stages in another order": (
        [("in enumerate(blocks)", "in enumerate(blocks[::-1])")],
        {"blocks"},
        "its stages have [1, 2] blocks, expected [2, 1]",
    ),
    "width does not double": (
        [(BLOCK, BLOCK.replace("width * 2**stage", "width"))],
        {"width"},
        "the 1st block of stage 1 (counted from 0) has",
    ),
    "width is not used": (
        [(STEM, STEM.replace("width", "64")), (BLOCK, BLOCK.replace("width", "64"))],
        {"width"},
        "the first convolution has 64 filters, expected",
    ),
    "stride 2 in every block of the network": (
        [(STRIDE, "stride = 2")],
        {"strides"},
        "the 1st block of stage 0 (counted from 0) has stride 2, expected 1",
    ),
    "stride 2 in the first stage too": (
        [(STRIDE, "stride = 2 if block == 0 else 1")],
        {"strides"},
        "the 1st block of stage 0 (counted from 0) has stride 2, expected 1",
    ),
    "no stride": (
        [(STRIDE, "stride = 1")],
        {"strides"},
        "the 1st block of stage 1 (counted from 0) has stride 1, expected 2",
    ),
    "pooling between blocks": (
        [
            (STRIDE, "stride = 1"),
            (BLOCK, f"x = keras.layers.MaxPooling2D()(x) if stage else x\n            {BLOCK}"),
        ],
        {"strides", "bottlenecks"},
        "has stride 1, expected 2",
    ),
    "dropout between blocks": (
        [(BLOCK, f"{BLOCK}\n            x = keras.layers.Dropout(0.1)(x)")],
        {"bottlenecks"},
        "in the 1st block of stage 0 (counted from 0), after the ReLU after the addition comes dropout",
    ),
    "blocks of another kind than bottleneck_block": (
        [(BLOCK, "x = bottleneck_block(_convolution(x, width, kernel=1), width * 2**stage, stride=stride)")],
        {"bottlenecks"},
        "the shortcut starts 2 layers into the block",
    ),
    "more layers between stem and blocks": (
        [(STEM, f"{STEM}\n    x = keras.layers.ReLU()(_convolution(x, width, kernel=3))")],
        {"bottlenecks"},
        "in the 1st block of stage 0 (counted from 0), the shortcut starts 3 layers into the block",
    ),
    "flatten for global pooling": (
        [(POOL, "x = keras.layers.Flatten()(x)")],
        {"head"},
        "the pooling after the last block is flatten, expected global average pooling",
    ),
    "global max pooling": (
        [(POOL, "x = keras.layers.GlobalMaxPooling2D()(x)")],
        {"head"},
        "the pooling after the last block is global max pooling, expected global average pooling",
    ),
    "a hidden dense layer": (
        [(POOL, f'{POOL}\n    x = keras.layers.Dense(64, activation="relu")(x)')],
        {"head"},
        "after the pooling after the last block comes a dense layer of 64 units, which should not be there",
    ),
    "logits": (
        [(LAST, "outputs = keras.layers.Dense(num_classes)(x)")],
        {"softmax"},
        "after the dense layer comes the end, expected softmax",
    ),
    "softmax twice": (
        [(LAST, f'{LAST}\n    outputs = keras.layers.Activation("softmax")(outputs)')],
        {"softmax"},
        "comes softmax, which should not be there",
    ),
    "sigmoid": (
        [(LAST, LAST.replace("softmax", "sigmoid"))],
        {"softmax"},
        "the activation of the dense layer is sigmoid, expected softmax",
    ),
    "classes written in fixed": (
        [(LAST, LAST.replace("num_classes", "100"))],
        {"classes"},
        "the dense layer has 100 units, expected",
    ),
    "input shape written in fixed": (
        [(INPUT, "inputs = keras.Input(shape=(32, 32, 3))")],
        {"input_shape"},
        "returned a model for inputs of shape (32, 32, 3); expected one for (",
    ),
    "no network": (
        [('return keras.Model(inputs, outputs, name="resnet")', "return outputs")],
        {"builds"},
        "returned a KerasTensor",
    ),
}

# Mutants that only show, or only show as they should, where the defaults give the network of full size.
AT_FULL_SIZE = {
    "another default for blocks": (
        [("blocks: tuple[int, ...] = (3, 4, 6, 3)", "blocks: tuple[int, ...] = (2, 2, 2, 2)")],
        {"blocks"},
        "build_resnet(100): it has 8 blocks, expected 3 + 4 + 6 + 3 = 16",
    ),
    "batch normalisation without scale": (
        [(NORMALISE, "return keras.layers.BatchNormalization(scale=False)(x)")],
        {"parameters"},
        "trainable parameters, expected 23,705,252",
    ),
}

ONE_FUNCTION = """
    import tensorflow as tf
    from tensorflow.keras import layers, regularizers

    L2 = regularizers.l2(1e-4)

    def conv_bn(x, n, k, s=1):
        x = layers.Conv2D(n, (k, k), (s, s), "same", kernel_regularizer=L2, bias_regularizer=L2)(x)
        return layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)(x)

    def bottleneck_block(x, filters, *, stride=1):
        inputs = x
        for i, (n, k, s) in enumerate([(filters, 1, 1), (filters, 3, stride), (filters * 4, 1, 1)]):
            x = conv_bn(x, n, k, s)
            if i < 2:
                x = layers.Activation("relu", name=None)(x)
        if inputs.shape != x.shape:
            inputs = conv_bn(inputs, filters * 4, 1, stride)
        return layers.Activation(tf.keras.activations.relu)(inputs + x)

    def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
        images = tf.keras.Input(input_shape)
        x = layers.ReLU()(conv_bn(images, width, 3))
        strides = [1] + [2] * (len(blocks) - 1)
        for stride, count in zip(strides, blocks):
            for s in [stride] + [1] * (count - 1):
                x = bottleneck_block(x, width, stride=s)
            width *= 2
        x = layers.GlobalAvgPool2D(keepdims=True)(x)
        x = layers.Flatten()(x)
        return tf.keras.Model(images, layers.Softmax()(layers.Dense(num_classes)(x)))
"""
EXPLICIT_PADDING = """
    import keras
    from keras import layers, ops

    class Maker:
        def __init__(self, prefix):
            self.prefix = prefix

        def conv(self, x, filters, kernel, stride, tag):
            if kernel > 1:
                x = layers.ZeroPadding2D(kernel // 2, name=f"{self.prefix}_pad_{tag}")(x)
            x = layers.Conv2D(filters, kernel, stride, use_bias=False, kernel_initializer="he_normal",
                              name=f"{self.prefix}_{tag}")(x)
            return layers.BatchNormalization(gamma_initializer="ones", name=f"{self.prefix}_bn_{tag}")(x)

    counter = iter(range(10**6))

    def bottleneck_block(x, filters, *, stride=1):
        make = Maker(f"block{next(counter)}")
        skip = x
        if stride > 1 or x.shape[-1] != filters * 4:
            skip = make.conv(x, filters * 4, 1, stride, "skip")
        y = ops.relu(make.conv(x, filters, 1, 1, "a"))
        y = ops.nn.relu(make.conv(y, filters, 3, stride, "b"))
        y = make.conv(y, filters * 4, 1, 1, "c")
        return ops.relu(ops.add(skip, y))

    def stage(shape, filters, count, stride, name):
        x = inputs = keras.Input(shape)
        x = bottleneck_block(x, filters, stride=stride)
        for _ in range(count - 1):
            x = bottleneck_block(x, filters)
        return keras.Model(inputs, x, name=name)

    def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
        x = inputs = keras.Input(input_shape)
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = keras.activations.relu(x)
        for i, count in enumerate(blocks):
            x = stage(x.shape[1:], width * 2**i, count, 1 if i == 0 else 2, f"stage{i}")(x)
        x = ops.mean(x, axis=(1, 2))
        return keras.Model(inputs, layers.Dense(num_classes, activation=keras.activations.softmax)(x))
"""
ZERO_GAMMA = """
    import keras

    def bottleneck_block(x, filters, *, stride=1):
        main = keras.Sequential([
            keras.layers.Conv2D(filters, 1, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Conv2D(4 * filters, 1, use_bias=False),
            keras.layers.BatchNormalization(gamma_initializer="zeros"),
        ])
        if stride == 1 and x.shape[-1] == 4 * filters:
            shortcut = keras.layers.Identity()(x)
        else:
            shortcut = keras.layers.Conv2D(4 * filters, 1, stride, use_bias=False)(x)
            shortcut = keras.layers.BatchNormalization()(shortcut)
        return keras.layers.ReLU()(keras.layers.add([shortcut, main(x)]))

    def build_resnet(num_classes, *, input_shape=(32, 32, 3), blocks=(3, 4, 6, 3), width=64):
        model_input = keras.layers.Input(shape=input_shape)
        x = keras.layers.Conv2D(width, 3, padding="same", kernel_initializer="he_uniform")(model_input)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
        for index in range(len(blocks)):
            for number in range(blocks[index]):
                x = bottleneck_block(x, width * (2 ** index), stride=2 if number == 0 and index != 0 else 1)
        x = keras.layers.GlobalAveragePooling2D()(x)
        model_output = keras.layers.Dense(num_classes, activation="softmax")(x)
        return keras.Model(inputs=model_input, outputs=model_output)
"""
ALTERNATIVES = {
    "TensorFlow's keras, biases, L2": ONE_FUNCTION,
    "explicit padding, nested stages, operations": EXPLICIT_PADDING,
    "Sequential main path, last gamma zero": ZERO_GAMMA,
}


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


def not_passed(verdicts: dict[str, Any], *, counted: bool) -> dict[str, str]:
    """What did not pass; without a network of full size, no parameters were there to be counted."""
    return {
        check: verdict.message
        for check, verdict in verdicts.items()
        if verdict.status is not Status.PASSED and (counted or check != "parameters")
    }


class TestWhatIsRight:
    """Whatever gives the network of the brief passes every check."""

    def test_solution(self, resnet: Any) -> None:
        verdicts = resnet(
            resnet.solution, {**probe.draw(SEED), "recipe": {"blocks": [1, 1, 1, 1], "width": 4}}
        )
        assert not_passed(verdicts, counted=True) == {}
        assert set(verdicts) == {check.id for check in resnet.task.checks if check.train is None}

    @pytest.mark.parametrize("name", ALTERNATIVES)
    def test_alternative(self, resnet: Any, name: str) -> None:
        counted = name == "TensorFlow's keras, biases, L2"
        inputs = probe.draw(SEED) if counted else small_inputs()
        assert not_passed(resnet(dedent(ALTERNATIVES[name]), inputs), counted=counted) == {}


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    @pytest.mark.parametrize("name", [*MUTANTS, *AT_FULL_SIZE])
    def test_mutant(self, resnet: Any, name: str) -> None:
        edits, expected, message = {**MUTANTS, **AT_FULL_SIZE}[name]
        counted = name in AT_FULL_SIZE
        verdicts = resnet(resnet.edited(*edits), probe.draw(SEED) if counted else small_inputs())
        failed = {
            check: verdict.message
            for check, verdict in verdicts.items()
            if verdict.status is Status.FAILED and (counted or check != "parameters")
        }
        assert set(failed) == expected, failed
        assert message in next(iter(failed.values()))

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
        assert not_passed(verdicts, counted=True) == {}
