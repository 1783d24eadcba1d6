"""Every block a model, padding of its own before convolutions and pooling, biases, x * 0 in front, keras.ops."""

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
