"""The judge of wide_resnet.py, from both sides: the right passes every check, the wrong fails its own.

A mutant is the solution with an edit; an edit that no longer applies fails its test.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from grader.evidence import Evidence
from grader.judging import Case, judge
from grader.record import Status
from grader.tasks.wide_resnet import probe

ROOT = Path(__file__).parents[3]
SEED = 3

INPUT = "inputs = keras.Input(shape=input_shape)"
IMAGE = "x = keras.layers.BatchNormalization(epsilon=1e-5)(inputs)"
STEM = "x = _convolution(x, 16 * width, kernel=3)"
STAGES = "for stage in range(3):"
BLOCKS = "for block in range((depth - 2) // 6):"
FILTERS = "filters = 16 * width * 2**stage"
STRIDE = "stride = 2 if stage > 0 and block == 0 else 1"
FIRST = "y = _convolution(_normalised(x), filters, kernel=3, stride=stride)"
SECOND = "y = _convolution(_normalised(y), filters, kernel=3)"
POOLED = 'x = keras.layers.AveragePooling2D(3, strides=2, padding="same")(x)'
ZEROS = "x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, filters - x.shape[-1])))"
ADDED = "x = keras.layers.Add()([y, x])"
LAST = "x = _convolution(_normalised(x), num_classes, kernel=1)"
LAST_NORMALISATION = (
    "x = keras.layers.BatchNormalization(epsilon=1e-5, scale=False, center=False)(x)\n"
    "    x = keras.layers.GlobalAveragePooling2D()(x)"
)
POOL = "x = keras.layers.GlobalAveragePooling2D()(x)"
SOFTMAX = "outputs = keras.layers.Softmax()(x)"
RELU = "return keras.layers.ReLU()(x)"
IN_BLOCKS = (
    "x = keras.layers.BatchNormalization(epsilon=1e-5, scale=False, center=False)(x)\n"
    "    return keras.layers.ReLU()(x)"
)

PROJECTION = "x = _convolution(x, filters, kernel=1, stride=2)"

# name: edits, the checks that fail, a part of the first one's message
MUTANTS: dict[str, tuple[list[tuple[str, str]], set[str], str]] = {
    "no network": (
        [('return keras.Model(inputs, outputs, name="wide_resnet")', "return outputs")],
        {"builds"},
        "returned a KerasTensor",
    ),
    "input shape written in fixed": (
        [(INPUT, "inputs = keras.Input(shape=(32, 32, 3))")],
        {"input_shape"},
        "returned a model for inputs of shape (32, 32, 3); expected one for (",
    ),
    "classes written in fixed": (
        [(LAST, LAST.replace("num_classes", "100"))],
        {"classes"},
        "returned a model with outputs of shape (100,); expected (",
    ),
    "image not normalised": (
        [(IMAGE, "x = inputs")],
        {"image"},
        "after the input comes a 3x3 convolution with 16 filters, expected batch normalisation",
    ),
    "normalisation of the image without scale and offset": (
        [(IMAGE, IMAGE.replace("1e-5", "1e-5, scale=False, center=False"))],
        {"image"},
        "the batch normalisation of the image has scale False, expected True",
    ),
    "normalisation of the image without offset": (
        [(IMAGE, IMAGE.replace("1e-5", "1e-5, center=False"))],
        {"image"},
        "the batch normalisation of the image has center False, expected True",
    ),
    "a rescaling by convolution before the image is normalised": (
        [(IMAGE, IMAGE.replace("(inputs)", "(keras.layers.Conv2D(3, 1)(inputs))"))],
        {"depth"},
        "comes a 1x1 convolution with 3 filters, which should not be there",
    ),
    "stem of 7x7 with stride 2": (
        [(STEM, STEM.replace("kernel=3", "kernel=7, stride=2"))],
        {"stem"},
        "the first convolution has kernel size 7x7, expected 3x3",
    ),
    "ReLU in the stem": (
        [(STEM, f"{STEM}\n    x = keras.layers.ReLU()(x)")],
        {"stem"},
        "after the first convolution comes ReLU, which should not be there",
    ),
    "normalisation and ReLU in the stem": (
        [(STEM, f"{STEM}\n    x = _normalised(x)")],
        {"stem"},
        "after the first convolution comes batch normalisation, which should not be there",
    ),
    "a second convolution in the stem": (
        [(STEM, f"{STEM}\n    {STEM}")],
        {"depth"},
        "comes a 3x3 convolution with 16 filters, which should not be there",
    ),
    "pooling after the stem": (
        [(STEM, f"{STEM}\n    x = keras.layers.MaxPooling2D(2)(x)")],
        {"stem"},
        "after the first convolution comes 2x2 max pooling with stride 2, which should not be there",
    ),
    "one convolution in a block": (
        [(SECOND, "pass")],
        {"block.convolutions"},
        "in the 1st block of stage 0 (counted from 0), the 2nd convolution is missing",
    ),
    "three convolutions in a block": (
        [(SECOND, f"{SECOND}\n            {SECOND}")],
        {"block.convolutions"},
        "convolution with 16 filters, which should not be there",
    ),
    "second convolution of 1x1": (
        [(SECOND, SECOND.replace("kernel=3", "kernel=1"))],
        {"block.convolutions"},
        "the 2nd convolution has kernel size 1x1, expected 3x3",
    ),
    "dropout in a block": (
        [(SECOND, f"y = keras.layers.Dropout(0.3)(y)\n            {SECOND}")],
        {"block.convolutions"},
        "after the 1st convolution comes dropout of 0.3, which should not be there",
    ),
    "normalisation after the convolutions, as in ResNet-50": (
        [
            (FIRST, "y = _normalised(_convolution(x, filters, kernel=3, stride=stride))"),
            (SECOND, "y = _normalised(_convolution(y, filters, kernel=3))"),
        ],
        {"block.order"},
        "after the block's input comes a 3x3 convolution with 16 filters, expected batch normalisation",
    ),
    "ReLU before normalisation": (
        [
            (
                IN_BLOCKS,
                "x = keras.layers.ReLU()(x)\n"
                "    return keras.layers.BatchNormalization(epsilon=1e-5, scale=False, center=False)(x)",
            )
        ],
        {"block.order", "tail"},
        "after the block's input comes ReLU, expected batch normalisation",
    ),
    "no normalisation in blocks": (
        [(IN_BLOCKS, RELU)],
        {"block.order", "tail"},
        "after the block's input comes ReLU, expected batch normalisation",
    ),
    "no ReLU before the second convolution": (
        [
            (
                SECOND,
                "y = keras.layers.BatchNormalization(epsilon=1e-5, scale=False, center=False)(y)\n"
                "            y = _convolution(y, filters, kernel=3)",
            )
        ],
        {"block.order"},
        "after the batch normalisation of the input of the 2nd convolution comes a 3x3 convolution",
    ),
    "sigmoid for ReLU": (
        [(RELU, 'return keras.layers.Activation("sigmoid")(x)')],
        {"block.order", "tail"},
        "the ReLU before the 1st convolution is sigmoid, expected ReLU",
    ),
    "momentum 0.999": (
        [(IN_BLOCKS, IN_BLOCKS.replace("1e-5", "1e-5, momentum=0.999"))],
        {"block.order"},
        "has momentum 0.999, expected at most 0.99",
    ),
    "nothing added": (
        [(ADDED, "x = y")],
        {"block.addition"},
        "nothing is added to anything: it is one path, without shortcuts",
    ),
    "concatenated": (
        [(ADDED, "x = keras.layers.Concatenate()([y, x])"), ("filters - x.shape[-1]", "0")],
        {"block.addition"},
        "the paths are brought together by a concatenation, expected an addition",
    ),
    "ReLU after the addition": (
        [(ADDED, f"{ADDED}\n            x = keras.layers.ReLU()(x)")],
        {"block.addition"},
        "the shortcut starts 1 layer into the block, after ReLU; expected the block's input",
    ),
    "shortcut from after the normalisation": (
        [(FIRST, f"x = _normalised(x)\n            {FIRST.replace('_normalised(x)', 'x')}")],
        {"block.addition"},
        "the shortcut starts 2 layers into the block, after ReLU; expected the block's input",
    ),
    "shortcut from after the normalisation where the shape changes": (
        [
            (
                FIRST,
                "if stride == 2:\n                x = _normalised(x)\n"
                f"            {FIRST.replace('_normalised(x)', 'x if stride == 2 else _normalised(x)')}",
            )
        ],
        {"block.addition"},
        "in the 1st block of stage 1 (counted from 0), the shortcut starts 2 layers into the block",
    ),
    "the main path added to itself": (
        [(ADDED, "x = keras.layers.Add()([y, y])"), (ZEROS, "pass"), (POOLED, "pass")],
        {"block.addition"},
        "the shortcut starts 6 layers into the block, after a 3x3 convolution",
    ),
    "projection for a shortcut": (
        [(POOLED, PROJECTION), (ZEROS, "pass")],
        {"block.shortcut"},
        "in the 1st block of stage 1 (counted from 0), ",
    ),
    "pooling, then a projection": (
        [(ZEROS, "x = _convolution(x, filters, kernel=1)")],
        {"block.shortcut"},
        "after the pooling on the shortcut comes ",
    ),
    "projection everywhere": (
        [
            (POOLED, "pass"),
            (ZEROS, "pass"),
            (ADDED, "x = keras.layers.Add()([y, _convolution(x, filters, kernel=1, stride=stride)])"),
        ],
        {"block.shortcut"},
        "the shape is kept, yet the shortcut has a 1x1 convolution",
    ),
    "max pooling on the shortcut": (
        [(POOLED, POOLED.replace("Average", "Max"))],
        {"block.shortcut"},
        "the pooling on the shortcut is 3x3 max pooling with stride 2, expected 3x3 average pooling",
    ),
    "2x2 pooling on the shortcut": (
        [(POOLED, POOLED.replace("(3,", "(2,"))],
        {"block.shortcut"},
        "the pooling on the shortcut has pool size 2x2, expected 3x3",
    ),
    "channels repeated instead of zeros": (
        [(ZEROS, "x = keras.layers.Concatenate()([x, x])")],
        {"block.shortcut"},
        "expected zero padding",
    ),
    "ReLU on the shortcut": (
        [(ZEROS, f"{ZEROS}\n                x = keras.layers.ReLU()(x)")],
        {"block.shortcut"},
        "after the zero padding of the shortcut comes ReLU, which should not be there",
    ),
    "depth is not used": (
        [(BLOCKS, "for block in range(3):")],
        {"depth"},
        "it has 9 blocks, expected 1 + 1 + 1 = 3",
    ),
    "one block too many": (
        [(BLOCKS, "for block in range((depth - 2) // 6 + 1):")],
        {"depth"},
        "it has 6 blocks, expected 1 + 1 + 1 = 3",
    ),
    "four stages": (
        [(STAGES, "for stage in range(4):")],
        {"depth"},
        "it has 4 blocks, expected 1 + 1 + 1 = 3",
    ),
    "width is not used": (
        [(FILTERS, "filters = 160 * 2**stage"), (STEM, STEM.replace("16 * width", "160"))],
        {"width"},
        "the first convolution has 160 filters, expected 16",
    ),
    "stem is not widened": (
        [
            (STEM, STEM.replace("16 * width", "16")),
            ("if stride == 2:", "if stride == 2 or x.shape[-1] != filters:"),
            (POOLED, POOLED.replace("strides=2", "strides=stride") + " if stride == 2 else x"),
        ],
        {"width"},
        "the first convolution has 16 filters, expected",
    ),
    "stages do not double": (
        [(FILTERS, "filters = 16 * width")],
        {"width"},
        "the 1st block of stage 1 (counted from 0) has 16 filters in its first convolution, expected 32",
    ),
    "no stride": (
        [(STRIDE, "stride = 1"), ("if stride == 2:", "if stage > 0 and block == 0:"), (POOLED, "pass")],
        {"strides"},
        "the 1st block of stage 1 (counted from 0) has stride 1, expected 2",
    ),
    "stride in the first stage too": (
        [(STRIDE, "stride = 2 if block == 0 else 1")],
        {"strides"},
        "the 1st block of stage 0 (counted from 0) has stride 2, expected 1",
    ),
    "stride on the second convolution": (
        [
            (FIRST, FIRST.replace(", stride=stride", "")),
            (SECOND, SECOND.replace("kernel=3", "kernel=3, stride=stride")),
        ],
        {"strides"},
        "in the 1st block of stage 1 (counted from 0), the 1st convolution has stride 1, expected 2",
    ),
    "dense layer for the 1x1 convolution": (
        [
            (LAST, "x = _normalised(x)"),
            (LAST_NORMALISATION, POOL),
            (SOFTMAX, 'outputs = keras.layers.Dense(num_classes, activation="softmax")(x)'),
        ],
        {"tail"},
        "the 1x1 convolution is missing",
    ),
    "a dense layer more": (
        [(SOFTMAX, 'outputs = keras.layers.Dense(num_classes, activation="softmax")(x)')],
        {"tail"},
        "after the pooling at the end comes a dense layer of 7 units, which should not be there",
    ),
    "no normalisation after the 1x1 convolution": (
        [(LAST_NORMALISATION, POOL)],
        {"tail"},
        "after the 1x1 convolution comes global average pooling, expected batch normalisation",
    ),
    "pooling before the 1x1 convolution": (
        [
            (LAST, f"x = _normalised(x)\n    {POOL.replace('()', '(keepdims=True)')}"),
            (
                LAST_NORMALISATION,
                "x = _convolution(x, num_classes, kernel=1)\n    x = keras.layers.Flatten()(x)",
            ),
        ],
        {"tail"},
        "comes global average pooling",
    ),
    "no normalisation before the 1x1 convolution": (
        [(LAST, LAST.replace("_normalised(x)", "x"))],
        {"tail"},
        "after the last block comes a 1x1 convolution with 7 filters, expected batch normalisation",
    ),
    "flatten for global pooling": (
        [(POOL, "x = keras.layers.Dense(num_classes)(keras.layers.Flatten()(x))")],
        {"tail"},
        "the pooling at the end is flatten, expected global average pooling",
    ),
    "logits": (
        [(SOFTMAX, "outputs = x")],
        {"softmax"},
        "after the pooling at the end comes the end, expected softmax",
    ),
    "softmax twice": (
        [(SOFTMAX, "outputs = keras.layers.Softmax()(keras.layers.Softmax()(x))")],
        {"softmax"},
        "comes softmax, which should not be there",
    ),
    "sigmoid at the end": (
        [(SOFTMAX, 'outputs = keras.layers.Activation("sigmoid")(x)')],
        {"softmax"},
        "the softmax at the end is sigmoid, expected softmax",
    ),
    "scale and offset everywhere": (
        [(IN_BLOCKS, IN_BLOCKS.replace(", scale=False, center=False", ""))],
        {"parameters"},
        "the batch normalisation of the input of the 1st convolution has scale True, expected False",
    ),
    "offset in the last normalisation": (
        [(LAST_NORMALISATION, LAST_NORMALISATION.replace(", center=False", ""))],
        {"parameters"},
        "the batch normalisation of the 1x1 convolution has center True, expected False",
    ),
}

# Mutants that only show, or only show as they should, where the defaults give the network of full size.
AT_FULL_SIZE = {
    "another default for depth": (
        [("depth: int = 20", "depth: int = 14")],
        {"depth"},
        "build_wide_resnet(100): it has 6 blocks, expected 3 + 3 + 3 = 9",
    ),
    "another default for width": (
        [("width: int = 10", "width: int = 4")],
        {"width"},
        "build_wide_resnet(100): the first convolution has 64 filters, expected 160",
    ),
}

CONCATENATED = """
    from tensorflow import keras
    from tensorflow.keras import layers, regularizers

    def resnet_layer(x, filters, kernel=3, strides=1, learn=False, relu=True):
        x = layers.BatchNormalization(epsilon=1e-5, center=learn, scale=learn, momentum=0.9)(x)
        if relu:
            x = layers.Activation("relu")(x)
        return layers.Conv2D(filters, (kernel, kernel), (strides, strides), "same", use_bias=False,
                             kernel_initializer="he_normal",
                             kernel_regularizer=regularizers.l2(2.5e-4))(x)

    def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
        blocks, filters = (depth - 2) // 6, 16 * width
        images = keras.Input(input_shape)
        x = resnet_layer(images, filters, learn=True, relu=False)
        for stack in range(3):
            for block in range(blocks):
                strides = 2 if stack and not block else 1
                path = resnet_layer(x, filters, strides=strides)
                path = resnet_layer(path, filters)
                if strides == 2:
                    x = layers.AveragePooling2D((3, 3), (2, 2), "same")(x)
                    x = layers.concatenate([x, keras.ops.zeros_like(x)])
                x = layers.add([path, x])
            filters *= 2
        x = resnet_layer(x, num_classes, kernel=1)
        x = layers.BatchNormalization(epsilon=1e-5, center=False, scale=False)(x)
        x = layers.GlobalAveragePooling2D()(x)
        return keras.Model(images, layers.Activation("softmax")(x))
"""
EXPLICIT = """
    import keras
    from keras import layers, ops

    def conv(x, n, k, s=1):
        if k > 1:
            x = layers.ZeroPadding2D(k // 2)(x)
        return layers.Conv2D(n, k, s)(x)  # with biases

    def pre(x):
        return ops.relu(layers.BatchNormalization(center=False, scale=False)(x))

    def block(shape, n, s):
        x = inputs = keras.Input(shape)
        y = conv(pre(conv(pre(x), n, 3, s)), n, 3)
        if s == 2:
            zeros = x * 0
            x = ops.average_pool(layers.ZeroPadding2D(1)(ops.concatenate([zeros, x], axis=-1)), 3, 2)
        return keras.Model(inputs, x + y)

    def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
        assert depth % 6 == 2
        inputs = keras.Input(input_shape)
        x = conv(layers.BatchNormalization()(inputs), 16 * width, 3)
        strides = [1] + [1] * (depth // 6 - 1) + ([2] + [1] * (depth // 6 - 1)) * 2
        n = 16 * width
        for s in strides:
            n *= s
            x = block(x.shape[1:], n, s)(x)
        x = layers.BatchNormalization(center=False, scale=False)(conv(pre(x), num_classes, 1))
        return keras.Model(inputs, ops.softmax(ops.mean(x, axis=(1, 2))))
"""
BOTH_SIDES = """
    import keras
    from keras import layers

    BN = dict(scale=False, center=False, epsilon=1e-5)

    def branch(filters, stride):
        return keras.Sequential([
            layers.BatchNormalization(**BN), layers.ReLU(),
            layers.Conv2D(filters, 3, stride, "same", use_bias=False, kernel_initializer="orthogonal"),
            layers.BatchNormalization(**BN), layers.ReLU(),
            layers.Conv2D(filters, 3, 1, "same", use_bias=False, kernel_initializer="orthogonal"),
        ])

    def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
        inputs = keras.Input(input_shape)
        x = layers.BatchNormalization(epsilon=1e-5)(inputs)
        x = layers.Conv2D(16 * width, 3, padding="same", use_bias=False)(x)
        for filters, first in ((16 * width, 1), (32 * width, 2), (64 * width, 2)):
            for stride in [first] + [1] * ((depth - 8) // 6):
                shortcut = layers.Identity()(x)
                if stride > 1:
                    shortcut = layers.AvgPool2D(3, 2, padding="same")(shortcut)
                    more = filters - shortcut.shape[-1]
                    shortcut = keras.ops.pad(shortcut, [(0, 0)] * 3 + [(more // 2, more - more // 2)])
                x = layers.Add()([shortcut, branch(filters, stride)(x)])
        x = layers.ReLU()(layers.BatchNormalization(**BN)(x))
        x = layers.Conv2D(num_classes, 1, use_bias=False)(x)
        x = layers.BatchNormalization(**BN)(x)
        return keras.Model(inputs, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))
"""
ALTERNATIVES = {
    "McDonnell's own, with TensorFlow's keras": CONCATENATED,
    "explicit padding, nested blocks, biases, operations": EXPLICIT,
    "Sequential main path, zeros on both sides": BOTH_SIDES,
}

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


def not_passed(verdicts: dict[str, Any], *, counted: bool) -> dict[str, str]:
    """What did not pass; without a network of full size, no parameters were there to be counted."""
    return {
        check: verdict.message
        for check, verdict in verdicts.items()
        if verdict.status is not Status.PASSED and (counted or "parameters, expected" not in verdict.message)
    }


class TestWhatIsRight:
    """Whatever gives the network of the brief passes every check."""

    def test_solution(self, wide_resnet: Any) -> None:
        verdicts = wide_resnet(wide_resnet.solution, {**probe.draw(SEED), "recipe": {"depth": 8, "width": 1}})
        assert not_passed(verdicts, counted=True) == {}
        assert set(verdicts) == {check.id for check in wide_resnet.task.checks if check.train is None}

    @pytest.mark.parametrize("name", ALTERNATIVES)
    def test_alternative(self, wide_resnet: Any, name: str) -> None:
        counted = name == "explicit padding, nested blocks, biases, operations"
        inputs = probe.draw(SEED) if counted else small_inputs()
        assert not_passed(wide_resnet(dedent(ALTERNATIVES[name]), inputs), counted=counted) == {}


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    @pytest.mark.parametrize("name", [*MUTANTS, *AT_FULL_SIZE])
    def test_mutant(self, wide_resnet: Any, name: str) -> None:
        edits, expected, message = {**MUTANTS, **AT_FULL_SIZE}[name]
        verdicts = wide_resnet(
            wide_resnet.edited(*edits), probe.draw(SEED) if name in AT_FULL_SIZE else small_inputs()
        )
        failed = {
            check: verdict.message
            for check, verdict in verdicts.items()
            if verdict.status is Status.FAILED and "parameters, expected" not in verdict.message
        }
        assert set(failed) == expected, failed
        assert message in next(iter(failed.values()))

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
        deeper = wide_resnet.edited((BLOCKS, BLOCKS.replace("6)", "6 + (num_classes == 100))")))
        verdicts = wide_resnet(deeper, {**small_inputs(), "recipe": {"depth": 8, "width": 1}})
        assert verdicts["depth"].message.startswith(
            "build_wide_resnet(100, depth=8, width=1): it has 6 blocks"
        )

    def test_stub(self, wide_resnet: Any) -> None:
        source = "def build_wide_resnet(*args, **options):\n    raise NotImplementedError\n"
        statuses = {verdict.status for verdict in wide_resnet(source, small_inputs()).values()}
        assert statuses == {Status.NOT_ATTEMPTED}

    def test_no_training_where_the_network_is_another(self, wide_resnet: Any) -> None:
        """The checks that train wait for everything that bounds what is trained."""
        for check in wide_resnet.task.checks:
            if check.train:
                assert set(check.after) >= {
                    *("block.convolutions", "block.addition", "block.shortcut"),
                    *("depth", "width", "strides", "classes"),
                }


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
        from grader.inside.describe import describe
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

    def test_in_the_harness(self, wide_resnet: Any, tmp_path: Path) -> None:
        """The real way: another process, evidence on disk, the recipe through JSON."""
        recipe = {"depth": 8, "width": 1}
        (tmp_path / "recipe.json").write_text(json.dumps(recipe))
        (tmp_path / "output").mkdir()
        command = [
            sys.executable,
            "-I",
            "-B",
            ROOT / "grader/inside/harness.py",
            "--module",
            "wide_resnet.py",
        ]
        command += ["--probe", ROOT / "grader/tasks/wide_resnet/probe.py", "--submission", ROOT / "solutions"]
        command += ["--output", tmp_path / "output", "--seed", "5", "--recipe", tmp_path / "recipe.json"]
        command += ["--seconds", "120"]  # on a busy machine
        subprocess.run(command, check=True, timeout=400, capture_output=True)
        evidence = Evidence.read(tmp_path / "output")
        assert "train.fine" in evidence.calls
        verdicts = judge(Case(wide_resnet.task, evidence, {**probe.draw(5), "recipe": recipe}))
        assert not_passed(verdicts, counted=True) == {}
