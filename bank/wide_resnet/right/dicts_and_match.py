"""Stages as a list of dicts, a match statement for the shortcut, he_uniform, zeros in front by ops.pad."""

import keras
from keras import activations, layers, ops


def plan(depth, width):
    """All blocks of the network, one dict for each."""
    n = (depth - 2) // 6
    return [
        {"name": f"stage{stage}_block{number}", "filters": 16 * width * 2**stage, "stride": stride}
        for stage in range(3)
        for number in range(n)
        for stride in [2 if stage and not number else 1]
    ]


def norm(name):
    return layers.BatchNormalization(epsilon=1e-5, scale=False, center=False, name=f"{name}_bn")


def conv(filters, kernel, stride, name):
    return layers.Conv2D(
        filters, kernel, stride, "same", use_bias=False, kernel_initializer="he_uniform", name=f"{name}_conv"
    )


def block(x, spec):
    match spec:
        case {"stride": 1}:
            shortcut = x
        case {"stride": 2, "filters": filters}:
            shortcut = layers.AveragePooling2D(3, strides=2, padding="same")(x)
            shortcut = ops.pad(shortcut, [[0, 0], [0, 0], [0, 0], [filters - x.shape[-1], 0]])
        case _:
            raise RuntimeError(spec)
    for number, stride in ((1, spec["stride"]), (2, 1)):
        name = f"{spec['name']}_{number}"
        x = activations.relu(norm(name)(x))
        x = conv(spec["filters"], 3, stride, name)(x)
    return layers.Add(name=spec["name"] + "_add")([x, shortcut])


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    match (depth % 6, depth >= 8, num_classes > 0, width > 0):
        case (2, True, True, True):
            pass
        case _:
            raise ValueError(f"cannot build {depth}-{width} with {num_classes} classes")
    inputs = keras.Input(input_shape, name="image")
    x = layers.BatchNormalization(epsilon=1e-5, name="image_bn")(inputs)
    x = conv(16 * width, 3, 1, "stem")(x)
    for spec in plan(depth, width):
        x = block(x, spec)
    x = activations.relu(norm("tail1")(x))
    x = conv(num_classes, 1, 1, "tail")(x)
    x = norm("tail2")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, activations.softmax(x))
