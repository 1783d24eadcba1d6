"""The rules that claim no change are held to it: both networks are built, and outputs compared under one set
of weights.

In float64, so that what differs is the network and not its rounding; in inference and in training, with
the gradients of all weights that both have.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grader.blueprint import RULES, Blueprint, Rule, build, read
from grader.config import profiles
from lab import training
from lab.training import Examples
from tests.grader.blueprint.test_forms import (
    BY_ID,
    HOLDS,
    KEPT,
    ROOMY,
    ROOT,
    Data,
    applied,
    described,
)

Array = npt.NDArray[np.float64]
EXACT = [rule for rule in RULES if rule.kind == "exact" and rule.id != "momentum"]


@pytest.fixture(autouse=True, scope="module")
def float64() -> Iterator[None]:
    # The policy as well: once one was set, it no longer follows.
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before)
    keras.config.set_dtype_policy(policy)


# --- Carrying weights over ---------------------------------------------------------------------------------


def layers(blueprint: Blueprint, model: keras.Model) -> dict[tuple[str, str], Any]:
    """The layers with weights by their operation and the name that they were described with."""
    by_index = {int(layer.name.rsplit("_", 1)[1]): layer for layer in model.layers if "_" in layer.name}
    return {(node.op, node.name): by_index[node.index] for node in blueprint if node.parameters}


def randomised(model: keras.Model, draw: np.random.Generator) -> None:
    """Weights as after a training: none of them where it started."""
    for weight in model.weights:
        positive = "gamma" in weight.path or "variance" in weight.path
        numbers = draw.uniform(0.5, 1.5, weight.shape) if positive else draw.normal(size=weight.shape)
        weight.assign(
            numbers / math.sqrt(max(1, math.prod(weight.shape[:-1]))) if "kernel" in weight.path else numbers
        )


def constants(written: Blueprint, form: Blueprint, biases: dict[str, Array]) -> dict[str, Array]:
    """What biases that are gone had added to each channel of each node of the form, by name."""
    added: list[Array] = []
    for node in form:
        if node.name in biases and node.op in ("Conv2D", "Dense"):
            added.append(biases[node.name])
        elif node.op in ("MaxPooling2D", "AveragePooling2D"):
            added.append(added[node.inputs[0]])
        elif node.op == "Add":
            added.append(np.sum([added[index] for index in node.inputs], axis=0))
        elif node.op == "Pad":
            added.append(np.pad(added[node.inputs[0]], node.settings["widths"][-1]))
        else:
            added.append(np.zeros(node.shape[-1]))
    return {node.name: added[node.inputs[0]] for node in form if node.op == "BatchNormalization"}


def carried_over(
    written: Blueprint, source: keras.Model, form: Blueprint, target: keras.Model, order: dict[str, Any]
) -> None:
    """Gives the form the weights of what was written, its channels in their order."""
    old, new = layers(written, source), layers(form, target)
    biases = {
        name: np.asarray(old[op, name].bias)
        for op, name in old
        if op in ("Conv2D", "Dense") and old[op, name].use_bias and not new[op, name].use_bias
    }
    added = constants(written, form, biases)
    for (op, name), layer in new.items():
        node = next(node for node in written if (node.op, node.name) == (op, name))
        into, out = order[written.nodes[node.inputs[0]].index], order[node.index]
        for weight in layer.weights:
            part = weight.path.rsplit("/", 1)[1]
            value = np.asarray(next(w for w in old[op, name].weights if w.path.endswith(f"/{part}")))
            if part == "moving_mean":
                value = value - added[name]
            if part == "kernel":
                value = value[..., into, :]
            weight.assign(value[..., out])


def compare(data: Data, rule: Rule, order: Callable[[Blueprint], dict[Any, Any]] | None = None) -> Blueprint:
    """Both networks give the same, under weights that are carried over; the form."""
    written = read(data, ROOMY)
    form, _ = applied(rule, written)
    orders = (order or (lambda b: {node.index: slice(None) for node in b}))(written)
    source, target = build(written), build(form)
    draw = np.random.default_rng(1)
    randomised(source, draw)
    carried_over(written, source, form, target, orders)
    images = draw.normal(size=(5, *written.input_shape))
    weigh = draw.normal(size=(5, *written.output_shape))
    np.testing.assert_allclose(
        source(images, training=False), target(images, training=False), rtol=1e-7, atol=1e-7
    )
    gradients = []
    for blueprint, model in ((written, source), (form, target)):
        with tf.GradientTape() as tape:
            out = model(images, training=True)
            loss = tf.reduce_sum(out * weigh)
        weights = {
            (name, weight.path.rsplit("/", 1)[1]): weight
            for (_, name), layer in layers(blueprint, model).items()
            for weight in layer.trainable_weights
        }
        found = tape.gradient(
            loss, [weight.value for weight in weights.values()], unconnected_gradients="zero"
        )
        gradients.append((np.asarray(out), dict(zip(weights, map(np.asarray, found), strict=True))))
    (out, old), (out_form, new) = gradients
    np.testing.assert_allclose(out, out_form, rtol=1e-7, atol=1e-7)
    scale = max(float(np.abs(value).max()) for value in old.values())
    if order is None:
        for key, value in old.items():
            # What is gone had no say: nothing pushed it, however far the training went.
            other = new.get(key, np.zeros_like(value))
            np.testing.assert_allclose(value, other, rtol=1e-6, atol=1e-7 * max(1.0, scale), err_msg=str(key))
    return form


# --- Networks in which they happen -------------------------------------------------------------------------


@st.composite
def networks(draw: st.DrawFn) -> Data:
    """Networks in which the exact rules find something to do, beside things that they must leave."""
    size = draw(st.integers(5, 8))
    nodes: list[Any] = []
    last, shape = 0, (size, size, 2)

    def add(op: str, *inputs: int, **given_settings: Any) -> int:
        nodes.append((op, given_settings, list(inputs)))
        return len(nodes)

    def convolution(
        source: int, filters: int, *, strides: int = 1, padding: str = "same", kernel: int = 3
    ) -> int:
        return add(
            "Conv2D",
            source,
            filters=filters,
            kernel_size=kernel,
            strides=strides,
            padding=padding,
            use_bias=draw(st.booleans()),
            bias_initializer={"name": "Ones"},
        )

    channels = 2
    for _ in range(draw(st.integers(2, 7))):
        match draw(
            st.sampled_from(["conv", "conv", "padded", "norm", "norm", "relu", "pool", "add", "pad", "pads"])
        ):
            case "conv":
                channels = draw(st.integers(1, 3))
                last = convolution(last, channels)
            case "padded":
                channels = draw(st.integers(1, 3))
                before, after = draw(st.sampled_from([(1, 1), (1, 1), (0, 1), (1, 0), (2, 0)]))
                last = add("Pad", last, widths=[[before, after], [before, after], [0, 0]])
                last = convolution(last, channels, padding="valid", strides=draw(st.sampled_from([1, 1, 2])))
            case "norm":
                last = add("BatchNormalization", last)
            case "relu":
                last = add("Activation", last, activation=draw(st.sampled_from(["relu", "relu", "tanh"])))
            case "pool":
                kind = draw(st.sampled_from(["MaxPooling2D", "AveragePooling2D"]))
                last = add(kind, last, pool_size=draw(st.integers(1, 2)), strides=1, padding="same")
            case "add":
                channels_here = channels
                branch = convolution(last, channels_here)
                if draw(st.booleans()):
                    branch = add("BatchNormalization", branch)
                last = add("Add", branch, last)
            case "pad":
                before, after = draw(st.integers(0, 1)), draw(st.integers(0, 1))
                last = add("Pad", last, widths=[[0, 0], [0, 0], [before, after]])
                channels += before + after
                if draw(st.booleans()):
                    last = add("AveragePooling2D", last, pool_size=2, strides=1, padding="same")
            case _:
                last = add("Pad", last, widths=[[0, 1], [0, 0], [0, 0]])
                last = add("Pad", last, widths=[[1, 0], [1, 0], [0, 0]])
    if draw(st.booleans()):
        last = add("BatchNormalization", last)
    last = add("GlobalAveragePooling2D", last)
    add("Dense", last, units=3, bias_initializer={"name": "Ones"})
    return described(*nodes, shape=shape)


class TestExact:
    """Rules of the kind "exact"."""

    @pytest.mark.parametrize(
        ("rule", "data"),
        [
            pytest.param(rule, data, id=f"{rule}-{n}")
            for rule in (rule.id for rule in EXACT)
            for n, data in enumerate(HOLDS[rule])
        ],
    )
    def test_holds(self, rule: str, data: Data) -> None:
        """Where it replaces something, nothing that comes out or trains is another."""
        form = compare(data, BY_ID[rule])
        assert form.digest != read(data, ROOMY).digest

    @pytest.mark.slow
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(networks())
    def test_anywhere(self, data: Data) -> None:
        """In networks that nobody thought of: one rule after the other, wherever it finds something to do."""
        written = read(data, ROOMY)
        hits = [rule for rule in EXACT if rule.apply(written).changed]
        assume(hits)
        for rule in hits:
            compare(data, rule)

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(data, id=why)
            for why, data in KEPT["bias before normalisation"].items()
            if "," not in why
        ],
    )
    def test_a_bias_that_counts(self, data: Data) -> None:
        """Where it keeps a bias, another bias makes another network."""
        written = read(data, ROOMY)
        model = build(written)
        randomised(model, np.random.default_rng(2))
        images = np.random.default_rng(3).normal(size=(4, *written.input_shape))
        before = np.asarray(model(images, training=True))
        first = next(layer for layer in model.layers if getattr(layer, "use_bias", False))
        first.bias.assign(first.bias + np.linspace(1, 3, first.bias.shape[0]))
        assert np.abs(np.asarray(model(images, training=True)) - before).max() > 1e-5


class TestInDistribution:
    """Rules of the kind "in distribution"."""

    @pytest.mark.parametrize("data", HOLDS["zeros behind"])
    def test_the_same_in_another_order(self, data: Data) -> None:
        """With its weights in another order, which are as likely to be drawn, the form gives the same."""
        form = compare(data, BY_ID["zeros behind"], channel_orders)
        assert form.digest != read(data, ROOMY).digest

    @pytest.mark.parametrize("kernel", ["HeNormal", "Orthogonal"])
    def test_as_likely(self, kernel: str) -> None:
        """In any order of its channels a kernel is drawn as often: their means and products are alike."""
        initialiser = getattr(keras.initializers, kernel)
        drawn = [np.asarray(initialiser(seed=seed)((3, 3, 4, 4))).reshape(9, 4, 4) for seed in range(200)]
        numbers = np.stack(drawn) / np.std(drawn)  # (draws, pixels, inputs, outputs)
        for moved in (numbers[:, :, ::-1], numbers[:, :, :, ::-1]):
            for power in (1, 2):
                means = [(each**power).mean((0, 1)) for each in (numbers, moved)]
                np.testing.assert_allclose(*means, atol=0.2)
            products = [np.einsum("npio,npij->oj", each, each) / 1800 for each in (numbers, moved)]
            np.testing.assert_allclose(*products, atol=0.3)


def channel_orders(written: Blueprint) -> dict[Any, Any]:
    """For each node, which of its channels comes where once zeros are behind: found by following them."""
    group = list(range(len(written.nodes)))

    def of(index: int) -> int:
        while group[index] != index:
            index = group[index]
        return index

    for node in written:
        if node.op not in ("Input", "Conv2D", "Dense", "Pad"):
            for index in node.inputs:
                group[of(node.index)] = of(index)
    orders: dict[int, npt.NDArray[np.int_]] = {}

    def order(index: int) -> npt.NDArray[np.int_]:
        return orders.setdefault(of(index), np.arange(written.nodes[index].shape[-1]))

    for node in sorted(written.of("Pad"), key=lambda node: node.shape[-1]):
        before, _ = node.settings["widths"][-1]
        channels, count = order(node.inputs[0]), node.shape[-1]
        zeros = [c for c in range(count) if not before <= c < before + len(channels)]
        orders[of(node.index)] = np.concatenate([before + channels, zeros]).astype(int)
    return {node.index: order(node.index) for node in written}


class TestMomentum:
    """The moving statistics: no part of a training, and taken afresh for scoring."""

    def test_profiles_settle(self) -> None:
        """Every profile takes them afresh, without which momentum would count."""
        for profile in profiles.load(ROOT / "params.yaml").profiles.values():
            assert profile.recipe.settle > 0, profile.name

    @pytest.mark.slow
    def test_same_training(self) -> None:
        """To the bit: what a training gives does not depend on it."""
        keras.config.set_floatx("float32")
        recipe = profiles.load(ROOT / "params.yaml").profile("offline").recipe
        recipe = recipe.model_copy(update={"epochs": 1, "batch": 8, "settle": 2})
        draw = np.random.default_rng(5)
        images = draw.integers(0, 256, (64, 8, 8, 2)).astype(np.uint8)
        examples = Examples(images, np.arange(64) % 3, 3)
        results = []
        for momentum in (0.0, 0.9, 0.99):
            data = described(
                ("Conv2D", {"filters": 4, "kernel_size": 3}),
                ("BatchNormalization", {"momentum": momentum}),
                ("Activation", {"activation": "relu"}),
                ("GlobalAveragePooling2D", {}),
                ("Dense", {"units": 3}),
                ("Activation", {"activation": "softmax"}),
                shape=(8, 8, 2),
            )
            blueprint = read(data, ROOMY)
            done = training.train(lambda b=blueprint: build(b), examples, examples, recipe, seed=1)
            results.append((done.accuracy, done.loss, done.train_loss))
        keras.config.set_floatx("float64")
        assert results[0] == results[1] == results[2]
