"""ZeroPadding2D before 'valid' convolutions, a counter for names, every stage a model of its own, keras.ops."""

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
