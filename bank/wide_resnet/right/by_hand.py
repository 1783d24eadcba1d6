"""Zeros put around every image by hand, on either side for a stride; channels of zeros in front; biases of ones; normal of 0.05."""

import keras
from keras import layers, ops


def bn(x, learn=False):
    return layers.BatchNormalization(epsilon=1e-6, momentum=0.9, center=learn, scale=learn)(x)


def conv(x, channels, size, stride=1):
    if size == 3:
        first = 1 if stride == 1 else 0
        x = ops.pad(x, [[0, 0], [first, 1], [first, 1], [0, 0]])
    return layers.Conv2D(
        channels,
        size,
        strides=stride,
        kernel_initializer=keras.initializers.RandomNormal(),
        bias_initializer="ones",
        kernel_regularizer=keras.regularizers.L2(1e-3),
    )(x)


def shortcut(x):
    x = layers.ZeroPadding2D(1)(x)
    zeros = ops.zeros_like(x)
    return layers.AveragePooling2D(3, 2)(ops.concatenate([zeros, x], axis=-1))


def block(x, channels, stride):
    y = conv(ops.relu(bn(x)), channels, 3, stride)
    y = conv(ops.relu(bn(y)), channels, 3)
    return y + (shortcut(x) if stride == 2 else x)


def build_wide_resnet(num_classes, *, input_shape=(32, 32, 3), depth=20, width=10):
    inputs = keras.Input(input_shape)
    x = conv(bn(inputs, learn=True), 16 * width, 3)
    for stage in range(3):
        for number in range((depth - 2) // 6):
            x = block(x, 16 * width * 2**stage, 2 if stage and number == 0 else 1)
    x = bn(conv(ops.relu(bn(x)), num_classes, 1))
    return keras.Model(inputs, ops.softmax(ops.mean(x, axis=(1, 2))))
