"""The judge of build_alexnet, from both sides: what is right passes every check, what is wrong fails its own.

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
from grader.tasks.alexnet import probe

ROOT = Path(__file__).parents[3]
SEED = 3

CONVOLUTION = 'name=f"conv{number}",\n        )(x)\n'
NORMALISE_CONVOLUTION = 'x = keras.layers.BatchNormalization(name=f"conv{number}_bn")(x)'
NORMALISE_DENSE = 'x = keras.layers.BatchNormalization(name=f"dense{number}_bn")(x)'
RELU_CONVOLUTION = 'x = keras.layers.ReLU(name=f"conv{number}_relu")(x)'
RELU_DENSE = 'x = keras.layers.ReLU(name=f"dense{number}_relu")(x)'
POOL = 'x = keras.layers.MaxPooling2D(2, name=f"conv{number}_pool")(x)'
DROPOUT = 'x = keras.layers.Dropout(dropout, name=f"dense{number}_dropout")(x)'
FLATTEN = 'x = keras.layers.Flatten(name="flatten")(x)'
TABLE = "[(96, 5, True), (256, 5, True), (384, 3, False), (384, 3, False), (256, 3, True)]"
LAST = 'outputs = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")(x)'
INPUT = "inputs = keras.Input(shape=input_shape)"
STRIDE = "            kernel,\n"
SCALE_FILTERS = "max(1, round(width * filters))"
SCALE_UNITS = "max(1, round(width * units))"

# name: edits, the checks that fail, a part of the first one's message
MUTANTS: dict[str, tuple[list[tuple[str, str]], set[str], str]] = {
    "first kernel 11x11 with stride 4": (
        [
            ("(96, 5, True)", "(96, 11, True)"),
            (STRIDE, "            kernel,\n            strides=4 if number == 1 else 1,\n"),
        ],
        {"convolutions"},
        "the 1st convolution has kernel size 11x11, expected 5x5",
    ),
    "first stride 2": (
        [(STRIDE, "            kernel,\n            strides=2 if number == 1 else 1,\n")],
        {"convolutions"},
        "the 1st convolution has stride 2, expected 1",
    ),
    "one wrong kernel": (
        [("(256, 5, True)", "(256, 3, True)")],
        {"convolutions"},
        "the 2nd convolution has kernel size 3x3, expected 5x5",
    ),
    "wrong filters": (
        [("(256, 5, True)", "(192, 5, True)")],
        {"convolutions"},
        "the 2nd convolution has 192 filters, expected 256",
    ),
    "four convolutions": (
        [("(384, 3, False), (384, 3, False)", "(384, 3, False)")],
        {"convolutions"},
        "the 4th convolution is missing: after the ReLU of the 3rd convolution comes a 3x3 convolution",
    ),
    "six convolutions": (
        [("(384, 3, False), (384, 3, False)", "(384, 3, False), (384, 3, False), (384, 3, False)")],
        {"convolutions"},
        "filters, which should not be there",
    ),
    "padding valid": (
        [('padding="same"', 'padding="valid"')],
        {"builds"},
        "raised ValueError: Computed output size would be zero or negative",  # the hint of `builds` knows it
    ),
    "padding valid in one convolution": (
        [('padding="same"', 'padding="same" if number > 1 else "valid"')],
        {"convolutions"},
        "the 1st convolution has padding 'valid', expected 'same'",
    ),
    "no batch normalisation after convolutions": (
        [(NORMALISE_CONVOLUTION, "pass")],
        {"normalisation"},
        "after the 1st convolution comes ReLU, expected batch normalisation",
    ),
    "no batch normalisation after dense layers": (
        [(NORMALISE_DENSE, "pass")],
        {"normalisation"},
        "after the 1st dense layer comes ReLU, expected batch normalisation",
    ),
    "ReLU before batch normalisation": (
        [
            (NORMALISE_CONVOLUTION, "x = keras.layers.ReLU()(x)"),
            (RELU_CONVOLUTION, "x = keras.layers.BatchNormalization()(x)"),
        ],
        {"normalisation"},
        "after the 1st convolution comes ReLU, expected batch normalisation",
    ),
    "momentum 0.999": (
        [(NORMALISE_CONVOLUTION, "x = keras.layers.BatchNormalization(momentum=0.999)(x)")],
        {"normalisation"},
        "has momentum 0.999, expected at most 0.99: its averages",
    ),
    "no ReLU after convolutions": (
        [(RELU_CONVOLUTION, "pass")],
        {"activation"},
        "the batch normalisation of the 1st convolution comes 2x2 max pooling with stride 2, expected ReLU",
    ),
    "no ReLU after the last hidden layer": (
        [(RELU_DENSE, "x = keras.layers.ReLU()(x) if number < 3 else x")],
        {"activation"},
        "after the batch normalisation of the 3rd dense layer comes dropout of 0.5, expected ReLU",
    ),
    "sigmoid for ReLU": (
        [(RELU_DENSE, 'x = keras.layers.Activation("sigmoid")(x)')],
        {"activation"},
        "the ReLU of the 1st dense layer is sigmoid, expected ReLU",
    ),
    "ReLU in the convolution as well": (
        [(CONVOLUTION, f'activation="relu",\n            {CONVOLUTION}')],
        {"activation"},
        "after the 1st convolution comes ReLU, which should not be there",
    ),
    "no pooling": (
        [(f"        if pool:\n            {POOL}\n", "")],
        {"pooling"},
        "after the ReLU of the 1st convolution comes a 5x5 convolution with 32 filters, expected 2x2 max",
    ),
    "one pooling left out": (
        [("(256, 5, True)", "(256, 5, False)")],
        {"pooling"},
        "after the ReLU of the 2nd convolution comes a 3x3 convolution with 48 filters, expected 2x2 max",
    ),
    "pooling everywhere": (
        [("if pool:", "if True:"), (POOL, 'x = keras.layers.MaxPooling2D(2, padding="same")(x)')],
        {"pooling"},
        "after the ReLU of the 3rd convolution comes 2x2 max pooling with stride 2, which should not be",
    ),
    "overlapping pooling of 3x3": (
        [(POOL, 'x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)')],
        {"pooling"},
        "the pooling of the 1st convolution has pool size 3x3, expected 2x2",
    ),
    "average pooling": (
        [(POOL, "x = keras.layers.AveragePooling2D(2)(x)")],
        {"pooling"},
        "is 2x2 average pooling with stride 2, expected 2x2 max pooling with stride 2",
    ),
    "pooling with stride 1": (
        [(POOL, "x = keras.layers.MaxPooling2D(2, strides=1)(x)")],
        {"pooling"},
        "the pooling of the 1st convolution has stride 1, expected 2",
    ),
    "global pooling for flatten": (
        [(FLATTEN, "x = keras.layers.GlobalAveragePooling2D()(x)")],
        {"dense"},
        "is global average pooling, expected flatten",
    ),
    "two hidden dense layers": (
        [("[1024, 1024, 512]", "[1024, 512]")],
        {"dense"},
        "dense layer is missing: after",
    ),
    "dense layers of 4096": (
        [("[1024, 1024, 512]", "[4096, 1024, 512]")],
        {"dense"},
        "the 1st dense layer has 4096 units, expected 1024",
    ),
    "no dropout": (
        [(DROPOUT, "pass")],
        {"dropout"},
        "after the ReLU of the 1st dense layer comes a dense layer of 128 units, expected dropout of 0.5",
    ),
    "dropout written in fixed": (
        [(DROPOUT, "x = keras.layers.Dropout(0.5)(x)")],
        {"dropout"},
        "the dropout of the 1st dense layer has rate 0.5, expected 0.",
    ),
    "dropout keeps instead of drops": (
        [(DROPOUT, "x = keras.layers.Dropout(1 - dropout)(x)")],
        {"dropout"},
        "the dropout of the 1st dense layer has rate",
    ),
    "dropout after convolutions too": (
        [(POOL, f"{POOL}\n            x = keras.layers.Dropout(dropout)(x)")],
        {"dropout"},
        "after the pooling of the 1st convolution comes dropout of 0.5, which should not be there",
    ),
    "logits": (
        [(LAST, "outputs = keras.layers.Dense(num_classes)(x)")],
        {"softmax"},
        "after the last dense layer comes the end, expected softmax",
    ),
    "softmax twice": (
        [(LAST, f"{LAST}\n    outputs = keras.layers.Softmax()(outputs)")],
        {"softmax"},
        "after the activation of the last dense layer comes softmax, which should not be there",
    ),
    "sigmoid": (
        [(LAST, 'outputs = keras.layers.Dense(num_classes, activation="sigmoid")(x)')],
        {"softmax"},
        "the activation of the last dense layer is sigmoid, expected softmax",
    ),
    "classes written in fixed": (
        [(LAST, LAST.replace("num_classes", "100"))],
        {"classes"},
        "the last dense layer has 100 units, expected",
    ),
    "input shape written in fixed": (
        [(INPUT, "inputs = keras.Input(shape=(32, 32, 3))")],
        {"input_shape"},
        "returned a model for inputs of shape (32, 32, 3); expected one for (",
    ),
    "another default for width": (
        [("width: float = 1.0", "width: float = 0.5")],
        {"convolutions", "dense"},
        "the 1st convolution has 48 filters, expected 96",
    ),
    "another default for dropout": (
        [("dropout: float = 0.5", "dropout: float = 0.4")],
        {"dropout"},
        "the dropout of the 1st dense layer has rate 0.4, expected 0.5",
    ),
    "width is not used": (
        [(SCALE_FILTERS, "filters"), (SCALE_UNITS, "units")],
        {"width"},
        "the 1st convolution has 96 filters, expected",
    ),
    "width scales the convolutions only": (
        [(SCALE_UNITS, "units")],
        {"width"},
        "the 1st dense layer has 1024 units, expected",
    ),
    "cut off, not rounded": (
        [(SCALE_FILTERS, "max(1, int(width * filters))"), (SCALE_UNITS, "max(1, int(width * units))")],
        {"width.rounding"},
        "filters, expected",
    ),
    "no lower limit of 1": (
        [(SCALE_FILTERS, "round(width * filters)")],
        {"width.rounding"},
        "raised ValueError",
    ),
    "a path around a layer": (
        [(NORMALISE_DENSE, f"y = x\n        {NORMALISE_DENSE}\n        x = x + y")],
        {"builds"},
        "returned a network that adds up several paths; expected one layer after the other",
    ),
    "not a model": (
        [('return keras.Model(inputs, outputs, name="alexnet")', "return outputs")],
        {"builds"},
        "returned a KerasTensor",
    ),
}
# Mutants that only show, or only show as they should, where the defaults give the network of full size.
AT_FULL_SIZE = {
    "wrong filters",
    "dense layers of 4096",
    "another default for width",
    "width is not used",
    "width scales the convolutions only",
}

SEQUENTIAL = """
    from keras import layers, models

    def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
        def n(units):
            return max(1, int(round(units * width)))

        model = models.Sequential([layers.Input(input_shape)])
        for units, kernel in zip([96, 256, 384, 384, 256], [5, 5, 3, 3, 3]):
            model.add(layers.Conv2D(n(units), (kernel, kernel), padding="same"))
            model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
            model.add(layers.Activation("relu"))
            if len(model.layers) in (3, 7, 17):
                model.add(layers.MaxPool2D())
        model.add(layers.Flatten())
        for units in (1024, 1024, 512):
            model.add(layers.Dense(n(units), kernel_initializer="he_uniform", kernel_regularizer="l2"))
            model.add(layers.BatchNormalization())
            model.add(layers.Activation("relu"))
            model.add(layers.Dropout(rate=dropout))
        model.add(layers.Dense(num_classes))
        model.add(layers.Softmax())
        return model
"""
NESTED = """
    import tensorflow as tf

    def convolutions(input_shape, n):
        x = images = tf.keras.Input(input_shape, name="images")
        for i, (units, kernel) in enumerate([(96, 5), (256, 5), (384, 3), (384, 3), (256, 3)]):
            x = tf.keras.layers.ZeroPadding2D(kernel // 2)(x)
            x = tf.keras.layers.Conv2D(n(units), kernel, kernel_regularizer=tf.keras.regularizers.L2(1e-4))(x)
            x = tf.keras.layers.BatchNormalization()(x)
            x = tf.keras.activations.relu(x)
            if i in (0, 1, 4):
                x = tf.keras.layers.MaxPooling2D((2, 2), strides=(2, 2), padding="same")(x)
        return tf.keras.Model(images, x, name="features")

    def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
        def n(units):
            return max(1, round(width * units))

        features = convolutions(input_shape, n)
        classifier = tf.keras.Sequential(name="classifier")
        classifier.add(tf.keras.layers.Flatten())
        for units in [1024, 1024, 512]:
            classifier.add(tf.keras.layers.Dense(n(units)))
            classifier.add(tf.keras.layers.BatchNormalization(scale=False))
            classifier.add(tf.keras.layers.ReLU())
            classifier.add(tf.keras.layers.Dropout(dropout))
        classifier.add(tf.keras.layers.Dense(num_classes, activation="softmax"))
        inputs = tf.keras.Input(input_shape)
        return tf.keras.Model(inputs, classifier(features(inputs)))
"""
OPERATIONS = """
    import keras
    from keras import layers as L, ops

    def block(x, units, kernel=None):
        layer = L.Dense(units, use_bias=False) if kernel is None else L.Conv2D(units, kernel, padding="same")
        return ops.relu(L.BatchNormalization()(layer(x)))

    def build_alexnet(num_classes, *, input_shape=(32, 32, 3), width=1.0, dropout=0.5):
        scaled = [max(1, round(width * n)) for n in (96, 256, 384, 384, 256, 1024, 1024, 512)]
        x = inputs = keras.Input(input_shape)
        x = L.MaxPooling2D()(block(x, scaled[0], 5))
        x = L.MaxPooling2D()(block(x, scaled[1], 5))
        x = block(block(x, scaled[2], 3), scaled[3], 3)
        x = L.MaxPooling2D()(block(x, scaled[4], 3))
        x = L.Flatten()(x)
        for units in scaled[5:]:
            x = L.Dropout(dropout)(L.Identity()(block(x, units)))
        return keras.Model(inputs, ops.softmax(L.Dense(num_classes, "linear")(x)))
"""
ALTERNATIVES = {"Sequential": SEQUENTIAL, "nested models": NESTED, "operations": OPERATIONS}


@pytest.fixture(scope="module")
def alexnet(network_judge: Any) -> Any:
    return network_judge("alexnet")


def inputs(**recipe: Any) -> dict[str, Any]:
    """All of the probe's, with a recipe."""
    return {**probe.draw(SEED), "recipe": {"width": 0.125, "dropout": 0.1, **recipe}}


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

    @pytest.mark.parametrize("name", ALTERNATIVES)
    def test_alternative(self, alexnet: Any, name: str) -> None:
        verdicts = alexnet(dedent(ALTERNATIVES[name]), small_inputs())
        assert {check: v.message for check, v in verdicts.items() if v.status is not Status.PASSED} == {}

    def test_a_recipe_without_dropout_leaves_it_out(self, alexnet: Any) -> None:
        verdicts = alexnet(alexnet.solution, {**small_inputs(), "recipe": {"width": 0.125, "dropout": 0.0}})
        assert verdicts["dropout"].status is Status.PASSED


class TestWhatIsWrong:
    """One fault in the code fails the check that names it, and others at most wait for that one."""

    @pytest.mark.parametrize("name", MUTANTS)
    def test_mutant(self, alexnet: Any, name: str) -> None:
        edits, expected, message = MUTANTS[name]
        given = probe.draw(SEED) if name in AT_FULL_SIZE else small_inputs()
        verdicts = alexnet(alexnet.edited(*edits), given)
        failed = {check: v.message for check, v in verdicts.items() if v.status is Status.FAILED}
        assert set(failed) == expected, failed
        assert message in next(iter(failed.values()))

    def test_another_network_for_the_training_alone(self, alexnet: Any) -> None:
        """The networks that are trained are looked at like the others."""
        wider = ("round(width * units)", "round(width * units * (2 if num_classes == 100 else 1))")
        verdicts = alexnet(alexnet.edited(wider), inputs())
        assert "build_alexnet(100, width=0.125" in verdicts["width"].message

    def test_stub(self, alexnet: Any) -> None:
        stub = "def build_alexnet(num_classes, **options):\n    raise NotImplementedError\n"
        statuses = {verdict.status for verdict in alexnet(stub, inputs()).values()}
        assert statuses == {Status.NOT_ATTEMPTED}

    def test_no_training_where_the_network_is_another(self, alexnet: Any) -> None:
        """The checks that train wait for what makes the network an AlexNet of the asked size."""
        for check in alexnet.task.checks:
            if check.train:
                assert set(check.after) >= {"convolutions", "pooling", "dense", "classes", "softmax", "width"}


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

    def test_in_the_harness(self, alexnet: Any, tmp_path: Path) -> None:
        """The real way: another process, evidence on disk, the recipe through JSON."""
        recipe = {"width": 0.125, "dropout": 0.1, "input_shape": [16, 16, 3]}
        (tmp_path / "recipe.json").write_text(json.dumps(recipe))
        (tmp_path / "output").mkdir()
        command = [sys.executable, "-I", "-B", ROOT / "grader/inside/harness.py", "--module", "alexnet.py"]
        command += ["--probe", ROOT / "grader/tasks/alexnet/probe.py", "--submission", ROOT / "solutions"]
        command += ["--output", tmp_path / "output", "--seed", "5", "--recipe", tmp_path / "recipe.json"]
        command += ["--seconds", "120"]  # on a busy machine
        subprocess.run(command, check=True, timeout=400, capture_output=True)
        evidence = Evidence.read(tmp_path / "output")
        assert "train.fine" in evidence.calls
        verdicts = judge(Case(alexnet.task, evidence, {**probe.draw(5), "recipe": recipe}))
        assert {check: v.message for check, v in verdicts.items() if v.status is not Status.PASSED} == {}
