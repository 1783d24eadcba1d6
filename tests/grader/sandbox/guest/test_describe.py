"""From Keras to a blueprint and back: the same network, however it was written, or a reason why not."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as kl
from keras import ops

from grader.blueprint import Blueprint, Budget, build, read
from grader.errors import BlueprintRefused
from grader.sandbox.guest.describe import Refused, describe

BUDGET = Budget(parameters=10**8, flops=10**11, activations=10**8, nodes=800)

Layers = Callable[[Any], Any]


def blueprint(model: Any) -> Blueprint:
    """What the trusted side makes of a model, by way of JSON."""
    return read(json.loads(json.dumps(describe(model), allow_nan=False)), BUDGET)


def network(layers: Layers, shape: tuple[int, ...] = (8, 8, 4)) -> Any:
    """A functional model of some layers and a dense one."""
    inputs = keras.Input(shape)
    return keras.Model(inputs, kl.Dense(3)(layers(inputs)))


def chain(*layers: Any) -> Layers:
    """Layers one after the other."""

    def call(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x

    return call


def set_weights(model: Any) -> None:
    """Gives every weight values that follow from its name and shape: the order of layers is no matter."""
    for weight in model.weights:
        random = np.random.default_rng(zlib.crc32(f"{weight.name} {tuple(weight.shape)}".encode()))
        weight.assign(random.uniform(0.5, 1.5, weight.shape) / np.sqrt(weight.shape[0]))


def check_faithful(model: Any) -> Blueprint:
    """The rebuilt model has the same parameters, computes the same and has the same penalty."""
    found = blueprint(model)
    rebuilt = build(found)
    assert found.parameters == model.count_params()
    assert rebuilt.input_shape == model.input_shape
    assert rebuilt.output_shape == model.output_shape
    for each in (model, rebuilt):
        set_weights(each)
    images = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype("float32")
    for training in (False, True) if not found.of("Dropout") else (False,):
        one, other = (np.asarray(each(images, training=training)) for each in (model, rebuilt))
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(float(sum(model.losses)), float(sum(rebuilt.losses)), rtol=1e-5)
    assert read(describe(rebuilt), BUDGET) == found
    return found


# --- The networks of the assignment, written here once more from its specification --------------------------


def alexnet(width: float = 1.0) -> Any:
    """The nine weight layers, as a Sequential; no bias before a batch normalisation."""
    units = lambda count: max(1, round(width * count))  # noqa: E731
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for place, (filters, kernel) in enumerate([(96, 5), (256, 5), (384, 3), (384, 3), (256, 3)]):
        model.add(kl.Conv2D(units(filters), kernel, padding="same", use_bias=False))
        model.add(kl.BatchNormalization())
        model.add(kl.ReLU())
        if place in (0, 1, 4):
            model.add(kl.MaxPooling2D(2))
    model.add(kl.Flatten())
    for count in (1024, 1024, 512):
        model.add(kl.Dense(units(count), use_bias=False))
        model.add(kl.BatchNormalization())
        model.add(kl.ReLU())
        model.add(kl.Dropout(0.5))
    model.add(kl.Dense(100, activation="softmax"))
    return model


def resnet(blocks: tuple[int, ...] = (3, 4, 6, 3), width: int = 64) -> Any:
    """Bottlenecks with a 3x3 stem; the defaults are ResNet-50."""

    def conv(x: Any, filters: int, kernel: int, stride: int = 1) -> Any:
        x = kl.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)
        return kl.BatchNormalization()(x)

    inputs = keras.Input((32, 32, 3))
    x = kl.ReLU()(conv(inputs, width, 3))
    for stage, count in enumerate(blocks):
        filters = width * 2**stage
        for place in range(count):
            stride = 2 if stage and not place else 1
            shortcut = x if place else conv(x, 4 * filters, 1, stride)
            main = kl.ReLU()(conv(x, filters, 1))
            main = kl.ReLU()(conv(main, filters, 3, stride))
            x = kl.ReLU()(kl.Add()([shortcut, conv(main, 4 * filters, 1)]))
    return keras.Model(inputs, kl.Dense(100, activation="softmax")(kl.GlobalAveragePooling2D()(x)))


def wide_resnet(depth: int = 20, width: int = 10, *, concatenate: bool = True) -> Any:
    """McDonnell's; zeros are concatenated or padded."""

    def norm(x: Any, **scaled: bool) -> Any:
        return kl.BatchNormalization(epsilon=1e-5, **(scaled or {"scale": False, "center": False}))(x)

    def conv(x: Any, filters: int, kernel: int = 3, stride: int = 1) -> Any:
        penalty = keras.regularizers.L2(2.5e-4)
        return kl.Conv2D(filters, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal",
                         kernel_regularizer=penalty)(x)  # fmt: skip

    inputs = keras.Input((32, 32, 3))
    x = conv(norm(inputs, scale=True, center=True), 16 * width)
    for stage in range(3):
        filters = 16 * width * 2**stage
        for block in range((depth - 2) // 6):
            stride = 2 if stage and not block else 1
            shortcut = x
            if stride == 2:
                shortcut = kl.AveragePooling2D(3, 2, "same")(x)
                if concatenate:
                    shortcut = ops.concatenate([shortcut, ops.zeros_like(shortcut)], axis=-1)
                else:
                    shortcut = ops.pad(shortcut, [(0, 0), (0, 0), (0, 0), (0, filters // 2)])
            x = conv(ops.relu(norm(x)), filters, stride=stride)
            x = conv(ops.relu(norm(x)), filters) + shortcut
    x = norm(conv(ops.relu(norm(x)), 100, kernel=1))
    return keras.Model(inputs, ops.softmax(kl.GlobalAveragePooling2D()(x)))


class TestAssignment:
    """The networks that students build."""

    @pytest.mark.parametrize(
        ("make", "parameters", "trainable", "weight_layers"),
        [
            (alexnet, 9_552_388, 9_544_516, 9),
            (resnet, 23_758_372, 23_705_252, 54),
            (wide_resnet, 26_808_692, 26_794_726, 20),
        ],
    )
    def test_full_size(
        self, make: Callable[[], Any], parameters: int, trainable: int, weight_layers: int
    ) -> None:
        """The published counts, by our own arithmetic and by Keras's."""
        model = make()
        found = blueprint(model)
        assert model.count_params() == found.parameters == parameters
        assert found.trainable_parameters == trainable
        assert len(found.of("Conv2D", "Dense")) == weight_layers

    @pytest.mark.parametrize(
        "make",
        [lambda: alexnet(0.05), lambda: resnet((1, 2), width=4), lambda: wide_resnet(14, 1)],
        ids=["alexnet", "resnet", "wide_resnet"],
    )
    def test_rebuilt(self, make: Callable[[], Any]) -> None:
        """Small ones, rebuilt, compute the same."""
        check_faithful(make())

    @pytest.mark.parametrize(("depth", "width", "count"), [(20, 1, 275_684), (20, 2, 1_085_684)])
    def test_wide_resnets(self, depth: int, width: int, count: int) -> None:
        """More of the published counts, and one digest for both kinds of zeros."""
        joined, padded = (blueprint(wide_resnet(depth, width, concatenate=way)) for way in (True, False))
        assert joined.parameters == count
        assert joined == padded


def residual(add: Callable[[Any, Any], Any]) -> Layers:
    """A small residual branch, added in some way."""
    return lambda x: add(x, kl.Conv2D(4, 3, padding="same")(x))


def sequential() -> Any:
    """The network of `WAYS["functional"]`, layer after layer."""
    model = keras.Sequential(name="mine")
    model.add(keras.Input((8, 8, 4), name="pictures", batch_size=None))
    model.add(kl.Conv2D(6, 3, activation="relu", name="first"))
    model.add(kl.Flatten())
    model.add(kl.Dense(3))
    return model


def with_input_shape() -> Any:
    """The old way to name the shape, of which Keras warns."""
    with pytest.warns(UserWarning, match="Do not pass an `input_shape`"):
        first = kl.Conv2D(6, 3, activation="relu", input_shape=(8, 8, 4))
    return keras.Sequential([first, kl.Flatten(), kl.Dense(3)])


def nested() -> Any:
    """A functional model in a sequential one in a functional one."""
    inner_input = keras.Input((8, 8, 4))
    inner = keras.Model(inner_input, kl.Conv2D(6, 3, activation="relu")(inner_input))
    body = keras.Sequential([keras.Input((8, 8, 4)), inner, kl.Flatten()])
    return network(lambda x: body(x))


def two_inputs_inside() -> Any:
    """A nested model that adds its two inputs."""
    one, other = keras.Input((8, 8, 4)), keras.Input((8, 8, 4))
    add = keras.Model([one, other], one + other)
    return network(residual(lambda x, y: add([x, y])))


shared_relu, shared_pool = kl.ReLU(), kl.MaxPooling2D()
SAME: dict[str, list[Callable[[], Any]]] = {
    "models": [
        lambda: network(chain(kl.Conv2D(6, 3, activation="relu"), kl.Flatten())),
        sequential,
        with_input_shape,
        nested,
    ],
    "activation": [
        lambda kind=kind: network(chain(kl.Conv2D(6, 3), kind))
        for kind in (
            kl.ReLU(),
            kl.Activation("relu"),
            kl.Activation(keras.activations.relu),
            kl.Activation(ops.relu),
            kl.Activation(kl.ReLU()),
            keras.activations.relu,
            ops.relu,
            chain(kl.Activation("linear"), kl.ReLU(name="mine"), kl.Identity(), kl.Dropout(0)),
        )
    ]
    + [lambda kind=kind: network(kl.Conv2D(6, 3, activation=kind)) for kind in ("relu", ops.relu)],
    "softmax": [
        lambda kind=kind: network(kind)
        for kind in (kl.Softmax(), kl.Activation("softmax"), ops.softmax, kl.Softmax(axis=3))
    ],
    "addition": [
        lambda add=add: network(residual(add))
        for add in (
            lambda x, y: x + y,
            lambda x, y: y + x,
            ops.add,
            lambda x, y: kl.Add()([x, y]),
            lambda x, y: kl.Add(name="sum")([y, x]),
            lambda x, y: kl.add([x, y]),
        )
    ]
    + [two_inputs_inside],
    "convolution": [
        lambda conv=conv: network(conv)
        for conv in (
            kl.Conv2D(6, 3, 2, "same", kernel_initializer="he_normal",
                      kernel_regularizer=keras.regularizers.L2(0.01)),
            kl.Conv2D(filters=6, kernel_size=(3, 3), strides=[2, 2], padding="SAME", activation="linear",
                      bias_initializer=keras.initializers.Constant(0), kernel_regularizer="l2",
                      kernel_initializer=keras.initializers.HeNormal(seed=3), dtype="float32"),
            kl.Convolution2D(np.int64(6), 3, strides=2, padding="same", activation=None, name="x",
                             kernel_initializer=keras.initializers.VarianceScaling(2.0),
                             kernel_regularizer=keras.regularizers.L1L2(0.0, 0.01)),
        )
    ],
    "normalisation": [
        lambda layer=layer: network(layer)
        for layer in (
            kl.BatchNormalization(),
            kl.BatchNormalization(axis=3, momentum=0.99, epsilon=1e-3, gamma_initializer="ones"),
        )
    ],
    "global average": [
        lambda way=way: network(way)
        for way in (
            kl.GlobalAveragePooling2D(),
            chain(kl.GlobalAveragePooling2D(keepdims=True), kl.Flatten()),
            lambda x: ops.mean(x, axis=(1, 2)),
            lambda x: ops.mean(x, [-2, -3]),
            lambda x: ops.squeeze(ops.mean(x, (1, 2), keepdims=True), (1, 2)),
            chain(kl.AveragePooling2D(8), kl.Reshape((-1,))),
            chain(kl.AvgPool2D((8, 8), padding="same"), kl.Flatten()),
        )
    ],
    "flatten": [
        lambda way=way: network(way)
        for way in (
            kl.Flatten(),
            kl.Reshape((256,)),
            lambda x: ops.reshape(x, (-1, 256)),
            lambda x: x.reshape((-1, 256)),
            lambda x: kl.Flatten()(ops.cast(x, "float32")),
        )
    ],
    "zeros around": [
        lambda way=way: network(way)
        for way in (
            kl.ZeroPadding2D(1),
            kl.ZeroPadding2D(((1, 1), (1, 1))),
            lambda x: ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]),
            lambda x: ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="constant", constant_values=0),
        )
    ],
    "zeros behind": [
        lambda way=way: network(way)
        for way in (
            lambda x: kl.Concatenate()([x, ops.zeros_like(x)]),
            lambda x: ops.concatenate([x, ops.zeros_like(x)], axis=3),
            lambda x: kl.concatenate([x, x * 0]),
            lambda x: ops.concatenate([x, 0.0 * x], axis=-1),
            lambda x: ops.concatenate([x, ops.multiply(x, 0)], axis=-1),
            lambda x: ops.concatenate([x, x * np.float32(0)], axis=-1),
            lambda x: ops.concatenate([x, x - x], axis=-1),
            lambda x: ops.concatenate([x, ops.full_like(x, 0)], axis=-1),
            # Made like something that nothing else needs, and pooled like an image.
            lambda x: ops.concatenate([x, kl.AveragePooling2D(3, 1, "same")(x) * 0], axis=-1),
            lambda x: ops.concatenate([x, kl.AveragePooling2D(3, 1, "same")(ops.zeros_like(x))], axis=-1),
            lambda x: ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, 4))),
        )
    ],
    "addition, also with Python's sum": [
        lambda way=way: network(way)
        for way in (
            lambda x: x + kl.ReLU()(x),
            lambda x: kl.Add()([kl.ReLU()(x), x]),
            lambda x: sum([x, kl.ReLU()(x)]),
            lambda x: ops.add(x, ops.maximum(0, x)),
        )
    ],
    "max pooling": [
        lambda way=way: network(way)
        for way in (
            kl.MaxPooling2D(),
            kl.MaxPool2D((2, 2), strides=2),
            kl.MaxPooling2D(2, padding="same"),
            lambda x: ops.max_pool(x, 2),
            lambda x: ops.max_pool(x, (2, 2), strides=(2, 2), padding="VALID"),
        )
    ],
    "average pooling": [
        lambda way=way: network(way)
        for way in (kl.AveragePooling2D(3, 2, "same"), lambda x: ops.average_pool(x, 3, 2, "same"))
    ],
    "global maximum": [
        lambda way=way: network(way) for way in (kl.GlobalMaxPooling2D(), lambda x: ops.max(x, (1, 2)))
    ],
    "used twice": [  # a layer without weights stands for nothing but what it does
        lambda: network(chain(shared_relu, shared_pool, kl.Conv2D(4, 1), shared_relu, shared_pool)),
        lambda: network(chain(kl.ReLU(), kl.MaxPooling2D(), kl.Conv2D(4, 1), kl.ReLU(), kl.MaxPooling2D())),
    ],
    "others": [lambda: network(chain(kl.Activation("tanh"), kl.Activation("sigmoid"))),
               lambda: network(chain(ops.tanh, ops.sigmoid))],
}  # fmt: skip


class TestSame:
    """One digest for a network, and another for another."""

    @pytest.mark.parametrize("what", SAME)
    def test_written_in_many_ways(self, what: str) -> None:
        """All ways to write one thing give one blueprint, and the rebuilt network computes what each does."""
        found = [check_faithful(make()) for make in SAME[what]]
        assert all(each == found[0] for each in found)

    def test_nothing_is_confused(self) -> None:
        """What SAME tells apart is apart."""
        digests = [blueprint(ways[0]()).digest for ways in SAME.values()]
        assert len(set(digests)) == len(digests)

    @pytest.mark.parametrize(
        "layers",
        [
            kl.Conv2D(4, (3, 2), bias_initializer=None, kernel_initializer="orthogonal"),
            kl.Conv2D(4, 3, use_bias=False, kernel_initializer="lecun_uniform"),
            kl.Dense(4, bias_initializer="ones", bias_regularizer="l2", kernel_initializer="random_uniform"),
            kl.Dense(4, kernel_initializer="truncated_normal", bias_initializer="random_normal"),
            kl.BatchNormalization(gamma_initializer="zeros", gamma_regularizer="l2", beta_regularizer="l2"),
            kl.BatchNormalization(center=False, scale=False, momentum=0.9, epsilon=1e-5),
            chain(kl.Conv2D(4, 3), kl.Dropout(0.3, seed=3)),
            lambda x: kl.Dropout(0.3)(x, training=False),  # recorded as without: it is the layer's default
            lambda x: ops.concatenate([x, kl.Dense(2)(x), ops.zeros_like(x), x], axis=-1),
        ],
    )
    def test_settings_survive(self, layers: Layers) -> None:
        """Settings that no other test here has."""
        check_faithful(network(layers))

    def test_initial_weights_are_distributed_as_asked(self) -> None:
        """He's deviation, not another: the initialiser is carried over with its scale."""
        model = build(blueprint(network(kl.Conv2D(64, 5, kernel_initializer="he_normal"))))
        assert np.std(model.get_weights()[0]) == pytest.approx(np.sqrt(2 / 100), rel=0.05)

    def test_tf_keras_is_keras(self) -> None:
        """`import tensorflow` gives the same classes."""
        tf = pytest.importorskip("tensorflow")
        model = tf.keras.Sequential([tf.keras.Input((8, 8, 4)), tf.keras.layers.Dense(3)])
        assert blueprint(model) == blueprint(network(lambda x: x))


class Mine(kl.Layer):
    """A layer with code of its own."""

    def call(self, x: Any) -> Any:
        """Anything."""
        return x


class MyConv(kl.Conv2D):
    """A layer that only looks built in."""


class MyModel(keras.Model):
    """A model with code of its own."""

    def call(self, x: Any) -> Any:
        """Anything."""
        return x


class MyFunctional(keras.Model):
    """A functional model that may override anything."""

    def __init__(self) -> None:
        x = keras.Input((8, 8, 4))
        super().__init__(x, kl.Dense(3)(x))


class MyStart(keras.initializers.Initializer):
    """An initialiser that could hold weights."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Anything."""
        return ops.ones(shape, dtype)


def shared_weights(x: Any) -> Any:
    """One dense layer in two places."""
    layer = kl.Dense(4, name="again")
    return layer(layer(x))


def shared_model(x: Any) -> Any:
    """One model with weights in two places."""
    model = keras.Sequential([keras.Input((8, 8, 4)), kl.Dense(4, name="again")])
    return model(model(x))


def frozen_later() -> Any:
    """A model frozen after it was built."""
    model = network(kl.Conv2D(4, 3, name="conv"))
    model.trainable = False
    return model


def two_outputs() -> Any:
    """A model with two outputs."""
    x = keras.Input((8, 8, 4))
    return keras.Model(x, [kl.Dense(3)(x), kl.Dense(4)(x)])


def doubling() -> Any:
    """A model that calls a model twice that calls a model twice: 2**20 additions."""
    x = keras.Input((4,))
    model = keras.Model(x, x + x)
    for _ in range(20):
        x = keras.Input((4,))
        model = keras.Model(x, model(model(x)))
    return model


CODE = "is your own code"
ITS_CODE = "is code"


class TestRefused:
    """What cannot be written down: by name, with the reason and what to do."""

    @pytest.mark.parametrize(
        ("layers", "parts"),
        [
            (Mine(name="mine"), ["Mine 'mine'", CODE, "keras.ops"]),
            (MyConv(3, 3, name="mine"), ["MyConv 'mine'", CODE]),
            (kl.Lambda(lambda x: x, name="mine"), ["Lambda 'mine'", CODE, "zeros_like"]),
            (kl.Activation(lambda x: x, name="mine"), ["Activation 'mine'", ITS_CODE, 'activation="relu"']),
            (kl.Conv2D(3, 3, activation=Mine(), name="mine"), ["Conv2D 'mine'", "Mine", ITS_CODE]),
            (kl.Conv2D(3, 3, kernel_initializer=MyStart()), ["kernel_initializer", "MyStart", "he_normal"]),
            (kl.Dense(4, kernel_initializer=np.ones((4, 4))), ["kernel_initializer", "values"]),
            (kl.Dense(4, bias_initializer=keras.initializers.Constant(0.3)), ["bias_init", "Constant"]),
            (kl.Dense(4, kernel_initializer="identity"), ["kernel_initializer", "Identity"]),
            (kl.Dense(4, kernel_initializer=keras.initializers.RandomNormal(1.0)), ["initializer mean"]),
            (kl.Dense(4, kernel_regularizer="l1"), ["kernel_regularizer", "L1", "L2"]),
            (kl.Dense(4, kernel_regularizer=keras.regularizers.L1L2(0.1, 0.1)), ["l1 of kernel_regularizer"]),
            (kl.Dense(4, activity_regularizer="l2"), ["activity_regularizer"]),
            (kl.Dense(4, kernel_constraint="non_neg"), ["kernel_constraint", "NonNeg"]),
            (kl.Dense(4, name="d", trainable=False), ["Dense 'd'", "frozen"]),
            (kl.Dense(4, name="d", dtype="mixed_float16"), ["Dense 'd'", "mixed_float16", "float32"]),
            (kl.Conv2D(4, 3, dilation_rate=2), ["dilation_rate", "(2, 2)"]),
            (kl.Conv2D(4, 3, groups=2), ["groups", "2"]),
            (kl.Conv2D(4, 3, data_format="channels_first"), ["data_format"]),
            (kl.BatchNormalization(axis=1), ["axis", "1"]),
            (kl.BatchNormalization(moving_mean_initializer="ones"), ["moving_mean_initializer"]),
            (kl.BatchNormalization(renorm=True), ["renorm"]),
            (kl.ReLU(max_value=6), ["max_value", "6"]),
            (kl.ReLU(negative_slope=0.1), ["negative_slope"]),
            (kl.Softmax(axis=1), ["axis"]),
            (kl.Dropout(0.5, noise_shape=(None, 1, 1, 4)), ["noise_shape"]),
            (kl.Concatenate(axis=1), ["axis"]),
            (kl.LayerNormalization(), ["LayerNormalization", "not among the layers"]),
            (kl.SeparableConv2D(3, 3), ["SeparableConv2D", "not among the layers"]),
            (kl.RandomFlip(), ["RandomFlip", "the trainer", "Leave it out"]),
            (kl.Rescaling(1 / 255), ["Rescaling", "the trainer"]),
            (lambda x: x + 1.0, ["Add", "number other than 0"]),
            (lambda x: x - kl.ReLU()(x), ["Subtract", "from itself"]),
            (lambda x: ops.maximum(x, 1), ["Maximum", "unless with 0"]),
            (lambda x: ops.full_like(x, 2), ["FullLike", "unless with 0"]),
            (lambda x: ops.add(x, np.ones((8, 8, 4), "float32")), ["Add", "ndarray"]),
            (lambda x: x * 0.5, ["Multiply", "not among"]),
            (lambda x: 0.5 * x, ["Multiply", "not among"]),
            (lambda x: x * x, ["Multiply", "not among"]),
            (lambda x: x * np.zeros((8, 8, 4), "float32"), ["Multiply", "ndarray"]),
            (lambda x: x[:, ::2, ::2], ["GetItem", "not among"]),
            (lambda x: ops.split(x, 2, axis=-1)[0], ["Split", "not among"]),
            (lambda x: ops.conv(x, np.ones((3, 3, 4, 4), "float32")), ["Conv", "not among"]),
            (lambda x: ops.mean(x, axis=1), ["Mean", "(1, 2)", "GlobalAveragePooling2D"]),
            (lambda x: ops.pad(x, 1), ["Pad", "batch"]),
            (lambda x: ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect"), ["mode", "reflect"]),
            (lambda x: ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=2), ["Pad", "int"]),
            (lambda x: ops.reshape(x, (-1, 16, 16)), ["Reshape", "flattening"]),
            (lambda x: ops.cast(ops.cast(x, "float16"), "float32"), ["Cast", "float16"]),
            (shared_weights, ["Dense 'again'", "more than once", "new layer"]),
            (shared_model, ["Dense 'again'", "more than once"]),
        ],
    )  # fmt: skip
    def test_layers(self, layers: Layers, parts: list[str]) -> None:
        """Each part is in the message, which fits into the evidence."""
        model = network(lambda x: layers([x, x]) if isinstance(layers, kl.Concatenate) else layers(x))
        with pytest.raises(Refused) as caught:
            describe(model)
        message = str(caught.value)
        assert all(part in message for part in parts), message
        assert len(message) <= 500

    @pytest.mark.parametrize("asked", [True, False])
    @pytest.mark.parametrize(
        ("layer", "name"),
        [
            (lambda: kl.BatchNormalization(name="mine"), "BatchNormalization 'mine'"),
            (
                lambda: keras.Sequential([keras.Input((8, 8, 4)), kl.Conv2D(4, 3)], name="mine"),
                "model 'mine'",
            ),
            (lambda: network(kl.Conv2D(4, 3)), "nested model"),
            (lambda: kl.Dropout(0.3, name="mine"), "Dropout 'mine'"),
        ],
        ids=["layer", "Sequential", "functional", "dropout"],
    )
    def test_a_mode_of_its_own(self, layer: Callable[[], Any], name: str, asked: bool) -> None:
        """A call that says whether it trains: it would be trained as if it had not.

        Left out or None it says nothing, and a Dropout's False is what it records when it was left out.
        """
        for silent in ({}, {"training": None}):
            describe(network(lambda x: layer()(x, **silent)))  # noqa: B023
        model = network(lambda x: layer()(x, training=asked))
        if "Dropout" in name and not asked:
            describe(model)
            return
        with pytest.raises(Refused, match=f"{name}.* is called with training={asked}, .*Leave out training="):
            describe(model)

    @pytest.mark.parametrize(
        ("make", "part"),
        [
            (lambda: None, "not a keras.Model. Received: None"),
            (lambda: "model", "Received: a value of the type str"),
            (lambda: keras.Model, "Received: a value of the type type"),
            (lambda: keras.Input((8, 8, 4)), "KerasTensor"),
            (keras.Sequential, "keras.Input(shape=input_shape)"),
            (lambda: keras.Sequential([kl.Dense(3)]), "does not know the shape of its input"),
            (lambda: keras.Sequential([keras.Input((3,))]), "does not know the shape of its input"),
            (MyModel, "a MyModel, " + CODE),
            (MyFunctional, "a MyFunctional, " + CODE),
            (lambda: network(lambda x: MyFunctional()(x)), "MyFunctional '"),
            (lambda: network(lambda x: x, shape=(None, None, 3)), "every size must be known"),
            (lambda: keras.Sequential([keras.Input((4,), dtype="int32"), kl.Dense(3)]), "int32"),
            (frozen_later, "frozen"),
            (two_outputs, "1 inputs and 2 outputs"),
            (doubling, "more than 4000"),
        ],
    )
    def test_models(self, make: Callable[[], Any], part: str) -> None:
        """What is no model, or one that cannot be read."""
        with pytest.raises(Refused) as caught:
            describe(make())
        assert part in str(caught.value)

    @pytest.mark.parametrize(
        ("layers", "part"),
        [
            (kl.Activation("gelu"), "'gelu'"),
            (kl.Dropout(1.0), "rate is 1.0"),
            (kl.Conv2D(20_000, 1, name="wide"), "Conv2D 'wide': filters is 20000"),
            (lambda x: x + kl.Dense(1)(x), "(8, 8, 4) and (8, 8, 1)"),
            (lambda x: x + ops.zeros_like(x), "zeros_like"),
            # Weights that change nothing would only pad the count of parameters.
            (
                lambda x: ops.concatenate([x, kl.Conv2D(4, 1, name="dead")(x) * 0], axis=-1),
                "Conv2D 'dead' does not lead to the network's output",
            ),
            # Nothing but what reads the zeros has their shape: they cannot be made like that.
            (
                lambda x: kl.Conv2D(6, 1)(
                    ops.concatenate([x, ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, 2))) * 0], axis=-1)
                ),
                "does not lead to the network's output",
            ),
        ],
    )
    def test_by_the_reader(self, layers: Layers, part: str) -> None:
        """Values and shapes are the reader's to judge."""
        with pytest.raises(BlueprintRefused) as caught:
            blueprint(network(layers))
        assert part in str(caught.value)

    def test_a_long_chain_is_no_recursion(self) -> None:
        """As long as Keras itself can follow."""
        model = network(chain(*(kl.ReLU() for _ in range(400))), shape=(4,))
        assert len(describe(model)["nodes"]) == 402


class TestFlaws:
    """What has no word is looked around: the rest of the network is there to be judged."""

    @pytest.mark.parametrize(
        ("layers", "ops_there", "says"),
        [
            (chain(kl.Activation("gelu"), kl.Flatten()), ["Unknown", "Flatten"], "is gelu; one of relu"),
            (
                chain(kl.Conv2D(2, 3, activation="gelu"), kl.Flatten()),
                ["Conv2D", "Unknown", "Flatten"],
                "gelu",
            ),
            (chain(kl.LayerNormalization(), kl.Flatten()), ["Unknown", "Flatten"], "LayerNormalization"),
            (chain(lambda x: ops.mean(x, axis=(2, 3))), ["Unknown"], "goes over the axes (2, 3)"),
            (chain(kl.ReLU(max_value=6), kl.Flatten()), ["Activation", "Flatten"], "max_value of ReLU"),
            (
                chain(kl.Conv2D(2, 3, kernel_initializer=lambda s, dtype: ops.ones(s)), kl.Flatten()),
                ["Conv2D", "Flatten"],
                "kernel_initializer of Conv2D",
            ),
            (chain(lambda x: kl.Multiply()([x, x]), kl.Flatten()), ["Unknown", "Flatten"], "Multiply"),
            (chain(lambda x: x / 2, kl.Flatten()), ["Unknown", "Flatten"], "TrueDivide"),
        ],
    )
    def test_are_looked_around(self, layers: Layers, ops_there: list[str], says: str) -> None:
        flaws: list[Any] = []
        model = network(layers)
        found = describe(model, flaws=flaws)
        assert [node["op"] for node in found["nodes"][1:-1]] == ops_there
        assert len(flaws) == 1
        assert says in flaws[0].reason
        assert not flaws[0].fixed
        assert read(json.loads(json.dumps(found)), BUDGET).output_shape == (3,)
        with pytest.raises((Refused, BlueprintRefused)):
            blueprint(model)

    @pytest.mark.parametrize(
        ("layers", "says"),
        [
            (chain(lambda x: kl.BatchNormalization()(x, training=True)), "is called with training=True"),
            (chain(kl.BatchNormalization(trainable=False)), "is frozen"),
            (chain(kl.Flatten(), kl.Dense(3), kl.Softmax(axis=0)), "axis of Softmax"),
        ],
    )
    def test_that_fix_a_layer(self, layers: Layers, says: str) -> None:
        flaws: list[Any] = []
        describe(network(layers), flaws=flaws)
        assert says in flaws[0].reason
        assert flaws[0].fixed

    def test_sizes_that_are_left_open(self) -> None:
        flaws: list[Any] = []
        inputs = keras.Input((None, None, 3))
        model = keras.Model(inputs, kl.Dense(2)(kl.GlobalAveragePooling2D()(inputs)))
        assert describe(model, flaws=flaws, open_as=(16, 24, 3))["input_shape"] == [16, 24, 3]
        assert "every size must be known" in flaws[0].reason
        with pytest.raises(Refused, match="every size"):
            describe(model)

    def test_a_batch_size(self) -> None:
        flaws: list[Any] = []
        inputs = keras.Input((8, 8, 3), batch_size=4)
        describe(keras.Model(inputs, kl.Dense(2)(kl.Flatten()(inputs))), flaws=flaws)
        assert "batch_size of the input is 4" in flaws[0].reason
